//! How a statement meets a transaction, and where the database keeps what it changes. In: statements of one script. Out: a
//! [`Manner`] each, and what to look at to learn whether one took effect.

use super::Statement;
use super::action::{Action, Class, Op};
use crate::engine::Engine;
use crate::table::Kind;

/// How a statement meets a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It comes and goes with the transaction that it stands in.
    Inside,
    /// It is refused inside of a transaction, or ends one by itself (MySQL 8.4 manual, "Statements That Cause an Implicit Commit";
    /// MariaDB documentation, "SQL statements That Cause an Implicit Commit"; PostgreSQL manual, each statement's notes).
    Alone,
    /// It sets something for the session, and may be said again in another session.
    Session,
    /// It leaves something in the session that another session cannot be given: a temporary table, a variable, a prepared statement.
    /// It does nothing else.
    Carried,
}

/// Something in the database's catalog that a statement changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// What it is; a table's columns, indexes and constraints count as the table.
    pub class: Touchable,
    /// Its folded name.
    pub name: String,
    /// It is gone when the statement has run.
    pub dropped: bool,
}

/// What can be looked at in a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Touchable {
    Table,
    /// On PostgreSQL, where an index has a name of its own in its schema.
    Index,
    View,
    Routine,
    Trigger,
    Event,
    Type,
    Sequence,
    Database,
    /// A table that another one takes the place of: it is emptied as a whole, or its name is given on.
    Replaced,
    /// Rows of a table, which come and go with a transaction where the table's storage has that.
    Rows,
}

impl Touchable {
    /// Every kind.
    pub const ALL: [Touchable; 11] = [
        Touchable::Table,
        Touchable::Index,
        Touchable::View,
        Touchable::Routine,
        Touchable::Trigger,
        Touchable::Event,
        Touchable::Type,
        Touchable::Sequence,
        Touchable::Database,
        Touchable::Replaced,
        Touchable::Rows,
    ];

    /// Its word in the journal.
    pub fn name(self) -> &'static str {
        match self {
            Touchable::Table => "table",
            Touchable::Index => "index",
            Touchable::View => "view",
            Touchable::Routine => "routine",
            Touchable::Trigger => "trigger",
            Touchable::Event => "event",
            Touchable::Type => "type",
            Touchable::Sequence => "sequence",
            Touchable::Database => "database",
            Touchable::Replaced => "replaced",
            Touchable::Rows => "rows",
        }
    }
}

/// The manner of each of `statements`, which make up one script.
pub fn manners(statements: &[Statement], engine: Engine) -> Vec<Manner> {
    let alone = |at: usize, statement: &Statement| engine == Engine::Postgres && label_is_used_later(statement, &statements[at + 1..]);
    statements.iter().enumerate().map(|(at, s)| if alone(at, s) { Manner::Alone } else { manner(s, engine) }).collect()
}

fn manner(statement: &Statement, engine: Engine) -> Manner {
    let all = |kinds: &[Kind]| !statement.actions.is_empty() && statement.actions.iter().all(|a| kinds.contains(&a.kind));
    let prepared = statement.text.trim_start().get(..7).is_some_and(|word| word.eq_ignore_ascii_case("PREPARE"));
    let sets = statement.words().next().is_some_and(|word| word.eq_ignore_ascii_case(b"SET"));
    if all(&[Kind::CreateTemporary]) || prepared || engine.is_mysql_like() && sets && names_a_variable(statement) {
        return Manner::Carried;
    }
    // SET LOCAL is over with its transaction, so it stays in it.
    if all(&[Kind::SessionSetting, Kind::DisableChecks]) && !statement.words().nth(1).is_some_and(|word| word.eq_ignore_ascii_case(b"LOCAL")) {
        return Manner::Session;
    }
    let inside = match engine {
        Engine::Sqlite | Engine::Postgres => statement.runs_in_transaction(engine),
        Engine::Mysql | Engine::Mariadb => all(&ROWS),
    };
    if inside { Manner::Inside } else { Manner::Alone }
}

/// What MySQL and MariaDB take back with a transaction.
const ROWS: [Kind; 9] =
    [Kind::Insert, Kind::InsertSelect, Kind::InsertIgnore, Kind::Upsert, Kind::Replace, Kind::Update, Kind::Delete, Kind::Load, Kind::Query];

/// Whether it names a user variable (`@x`, but not `@@x` or an account's `'a'@'b'`).
fn names_a_variable(statement: &Statement) -> bool {
    let text = &statement.text;
    let starts_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '`';
    text.match_indices('@').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        text[at + 1..].starts_with(starts_name) && before.is_none_or(|c| c.is_whitespace() || "(,=+-*/<>!".contains(c))
    })
}

/// A new label of an enum must be committed before it is used (PostgreSQL manual, "ALTER TYPE", Notes).
fn label_is_used_later(statement: &Statement, later: &[Statement]) -> bool {
    let label = |action: &Action| match &action.op {
        Op::AddEnumValue { label, .. } => Some(format!("'{}'", label.trim_matches('\''))),
        _ => None,
    };
    statement.actions.iter().filter_map(label).any(|label| later.iter().any(|s| s.text.contains(&label)))
}

/// Where to look in the catalog to learn whether `statement` took effect; `None` where no look tells.
pub fn touched(statement: &Statement, engine: Engine) -> Option<Vec<Touched>> {
    let mut all: Vec<Touched> = Vec::new();
    if let Some(renames) = renames(statement) {
        return Some(renames);
    }
    for action in &statement.actions {
        for touched in of_action(action, engine)? {
            if !all.contains(&touched) {
                all.push(touched);
            }
        }
    }
    Some(all)
}

/// What a chain of renames comes to: `RENAME TABLE a TO x, b TO a, x TO b` gives both names on, and leaves nothing at `x`.
fn renames(statement: &Statement) -> Option<Vec<Touched>> {
    let mut names: Vec<(&str, bool, bool)> = Vec::new();
    for action in &statement.actions {
        let Op::RenameTable { from, to } = &action.op else { return None };
        for (name, dropped) in [(from, true), (to, false)] {
            match names.iter_mut().find(|(known, ..)| known == name) {
                Some((_, _, last)) => *last = dropped,
                None => names.push((name, dropped, dropped)),
            }
        }
    }
    let touched = |(name, first, last): (&str, bool, bool)| {
        let class = match (first, last) {
            (true, false) => Touchable::Replaced,
            (false, true) => return None,
            _ => Touchable::Table,
        };
        Some(Touched { class, name: name.to_owned(), dropped: last })
    };
    (!names.is_empty()).then(|| names.into_iter().filter_map(touched).collect())
}

fn of_action(action: &Action, engine: Engine) -> Option<Vec<Touched>> {
    use Touchable::{Database, Event, Index, Replaced, Routine, Rows, Sequence, Table, Trigger, Type, View};
    let one = |class, name: &str, dropped| Some(vec![Touched { class, name: name.to_owned(), dropped }]);
    let of_class = |class: Class| match class {
        Class::View | Class::MaterializedView => Some(View),
        Class::Type | Class::Domain => Some(Type),
        Class::Sequence => Some(Sequence),
        Class::Routine => Some(Routine),
        Class::Trigger => Some(Trigger),
        Class::Event => Some(Event),
        Class::Schema if engine.is_mysql_like() => Some(Database),
        Class::Schema | Class::Extension | Class::Policy | Class::Role | Class::Rule | Class::Other => None,
    };
    match &action.op {
        Op::CreateTable(table) => one(Table, &table.name, false),
        Op::DropTable { name, .. } => one(Table, name, true),
        Op::RenameTable { from, to } => Some([(from, true), (to, false)].map(|(name, dropped)| Touched { class: Table, name: name.clone(), dropped }).into()),
        Op::AddColumn { table, .. }
        | Op::DropColumn { table, .. }
        | Op::RenameColumn { table, .. }
        | Op::AlterColumn { table, .. }
        | Op::RedefineColumn { table, .. }
        | Op::AddConstraint { table, .. }
        | Op::DropConstraint { table, .. }
        | Op::ValidateConstraint { table, .. }
        | Op::RenameConstraint { table, .. }
        | Op::RenameIndex { table: Some(table), .. } => one(Table, table, false),
        Op::Truncate { table, .. } => one(Replaced, table, false),
        Op::CreateIndex { index, .. } if engine == Engine::Postgres => one(Index, index.name.as_ref()?, false),
        Op::CreateIndex { index, .. } => one(Table, &index.table, false),
        Op::DropIndex { name, .. } if engine == Engine::Postgres => one(Index, name, true),
        Op::DropIndex { table, .. } => one(Table, table.as_ref()?, false),
        Op::CreateObject { class, name, .. } => one(of_class(*class)?, name, false),
        Op::DropObject { class, name, .. } => one(of_class(*class)?, name, true),
        Op::RenameObject { class, from, to } => {
            let class = of_class(*class)?;
            Some([(from, true), (to, false)].map(|(name, dropped)| Touched { class, name: name.clone(), dropped }).into())
        }
        Op::AddEnumValue { ty, .. } | Op::RenameEnumValue { ty, .. } => one(Type, ty, false),
        // TRUNCATE PARTITION: its rows do not come back with a transaction, and nothing else shows that they went.
        Op::Delete { .. } if action.kind == Kind::DropPartition => None,
        Op::Insert { table, .. } | Op::Update { table, .. } | Op::Delete { table, .. } => one(Rows, table, false),
        Op::Nothing | Op::DisableChecks => Some(Vec::new()),
        Op::SetAttribute { object, .. } if engine.is_mysql_like() && IN_DEFINITION.contains(&action.kind) => one(Table, object, false),
        Op::RenameIndex { table: None, .. } | Op::SetAttribute { .. } | Op::Unseen => None,
    }
}

/// What `SHOW CREATE TABLE` shows of a table besides its columns and keys.
const IN_DEFINITION: [Kind; 6] =
    [Kind::TableOption, Kind::PartitionScheme, Kind::AttachPartition, Kind::DetachPartition, Kind::DropPartition, Kind::SystemVersioning];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration::Script;
    use crate::parse;

    fn of(sql: &str, engine: Engine) -> Vec<Manner> {
        manners(&parse::script(&Script::whole(sql), engine), engine)
    }

    #[test]
    fn each_statement_meets_a_transaction_as_its_database_says() {
        use Engine::{Mariadb, Postgres, Sqlite};
        use Manner::{Alone, Carried, Inside, Session};
        for (engine, sql, manner) in [
            (Postgres, "CREATE TABLE t (id int)", Inside),
            (Postgres, "CREATE INDEX CONCURRENTLY i ON t (id)", Alone),
            (Postgres, "DROP INDEX CONCURRENTLY i", Alone),
            (Postgres, "VACUUM t", Alone),
            (Postgres, "ALTER TYPE mood ADD VALUE 'calm'", Inside),
            (Postgres, "SET lock_timeout = '1s'", Session),
            (Postgres, "SET LOCAL lock_timeout = '1s'", Inside),
            (Postgres, "CREATE TEMP TABLE x AS SELECT 1 AS id", Carried),
            (Sqlite, "VACUUM", Alone),
            (Sqlite, "PRAGMA journal_mode = WAL", Alone),
            (Sqlite, "PRAGMA foreign_keys = OFF", Session),
            (Mariadb, "INSERT INTO t VALUES (1)", Inside),
            (Mariadb, "CREATE TABLE t (id int)", Alone),
            (Mariadb, "ALTER TABLE t ADD c int", Alone),
            (Mariadb, "TRUNCATE TABLE t", Alone),
            (Mariadb, "SET foreign_key_checks = 0", Session),
            (Mariadb, "SET @x = 1", Carried),
            (Mariadb, "UPDATE t SET c = @x", Inside),
            (Mariadb, "INSERT INTO t VALUES (@x)", Inside),
            (Mariadb, "CALL p(@x)", Alone),
            (Mariadb, "EXECUTE s", Alone),
            (Mariadb, "UPDATE t SET mail = 'a@b'", Inside),
            (Mariadb, "CALL p()", Alone),
        ] {
            assert_eq!(of(sql, engine), [manner], "{engine}: {sql}");
        }
        let used = "ALTER TYPE mood ADD VALUE 'calm'; UPDATE t SET m = 'calm'";
        assert_eq!(of(used, Postgres), [Alone, Inside], "the label is used in the same script");
    }

    #[test]
    fn what_a_statement_touches_is_named() {
        let of = |sql: &str, engine| {
            let statements = parse::script(&Script::whole(sql), engine);
            touched(&statements[0], engine)
                .map(|all| all.iter().map(|t| format!("{} {}{}", t.class.name(), t.name, if t.dropped { " -" } else { "" })).collect::<Vec<_>>())
        };
        for (engine, sql, expected) in [
            (Engine::Mariadb, "ALTER TABLE t ADD c int, DROP d", Some(&["table t"][..])),
            (Engine::Mariadb, "DROP TABLE a, b", Some(&["table a -", "table b -"])),
            (Engine::Mariadb, "RENAME TABLE a TO b", Some(&["table a -", "table b"])),
            (Engine::Mariadb, "RENAME TABLE a TO x, b TO a, x TO b", Some(&["replaced a", "replaced b"])),
            (Engine::Mariadb, "RENAME TABLE t TO t_old, t_new TO t", Some(&["replaced t", "table t_old", "table t_new -"])),
            (Engine::Mariadb, "ALTER TABLE t DROP PARTITION p", Some(&["table t"])),
            (Engine::Mariadb, "ALTER TABLE t TRUNCATE PARTITION p", None),
            (Engine::Mariadb, "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u", None),
            (Engine::Mariadb, "CREATE INDEX i ON t (c)", Some(&["table t"])),
            (Engine::Mariadb, "TRUNCATE TABLE t", Some(&["replaced t"])),
            (Engine::Mariadb, "INSERT INTO t VALUES (1)", Some(&["rows t"])),
            (Engine::Mariadb, "OPTIMIZE TABLE t", Some(&[])),
            (Engine::Mariadb, "CALL p()", None),
            (Engine::Postgres, "CREATE INDEX CONCURRENTLY i ON t (c)", Some(&["index i"])),
            (Engine::Postgres, "CREATE INDEX CONCURRENTLY ON t (c)", None),
            (Engine::Postgres, "ALTER TYPE m ADD VALUE 'x'", Some(&["type m"])),
        ] {
            assert_eq!(of(sql, engine), expected.map(|all| all.iter().map(|s| (*s).to_owned()).collect()), "{engine}: {sql}");
        }
    }
}
