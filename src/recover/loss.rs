//! What a DOWN takes along, and what it would stumble over, on a database that lives. In: what stands by the catalog, DOWN. Out: questions, each
//! with a query that counts, by the names that stand now.
//!
//! What DOWN does is judged as a whole, by whose values stand where afterwards: a table that is built anew under its old name loses nothing by
//! that, and what is renamed is asked for by its name from before.

use crate::engine::Engine;
use crate::parse::Statement;
use crate::parse::action::{Column, Name, Op, Rule};
use crate::pin::{backquoted, quoted};
use crate::schema::apply::apply;
use crate::schema::catalog::{Catalog, Entry, HeldColumn, Key, Origin, Table};
use serde::Serialize;
use std::collections::HashMap;
use std::rc::Rc;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Counted {
    /// Rows of a table that DOWN drops.
    Rows,
    /// Values of a column that DOWN drops: those that are neither NULL nor the default.
    Values,
    /// NULLs where DOWN restores NOT NULL.
    Nulls,
    /// Rows too many for a key that DOWN restores.
    Duplicates,
    /// Rows that point at nothing by a foreign key that DOWN restores.
    Orphans,
    /// Rows that break a CHECK that DOWN restores.
    Violations,
    /// Values that do not fit the type that DOWN restores.
    TooLong,
}

impl Counted {
    /// Whether it is gone with DOWN; else DOWN fails on it, or changes it.
    pub fn is_lost(self) -> bool {
        matches!(self, Counted::Rows | Counted::Values)
    }

    /// What one of it is called, and many.
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Counted::Rows => ["row", "rows"],
            Counted::Values => ["value", "values"],
            Counted::Nulls => ["NULL in the way", "NULLs in the way"],
            Counted::Duplicates => ["duplicate in the way", "duplicates in the way"],
            Counted::Orphans => ["orphan in the way", "orphans in the way"],
            Counted::Violations => ["row that breaks the check", "rows that break the check"],
            Counted::TooLong => ["value that does not fit", "values that do not fit"],
        }
    }
}

/// Something to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// What it is of: `table notes`, `column users.email`, `users.email NOT NULL`.
    pub object: String,
    /// What is counted.
    pub counted: Counted,
    /// The query, which gives one number; none where nobody can tell by a query.
    pub query: Option<String>,
    /// The table as SQL names it, whose estimate is an upper bound.
    pub table: String,
    /// The table's folded name.
    pub name: Name,
    /// The column's folded name, where it is of one.
    pub column: Option<Name>,
    /// The condition of the rows from which a copy must be made, so that a new UP and the copy together give what stands: all those whose
    /// value UP would not give them.
    pub kept: String,
}

/// What `down` takes along or stumbles over where `catalog` stands, which is left as it is afterwards.
pub fn questions(catalog: &mut Catalog, down: &[Statement]) -> Vec<Question> {
    catalog.begin_migration();
    catalog.judging_down = true;
    catalog.begin();
    for action in down.iter().flat_map(|statement| &statement.actions) {
        // What it refuses, the database tells better.
        let _ = apply(catalog, action);
    }
    let journal = catalog.end();
    let mut before: Vec<Rc<Table>> = Vec::new();
    let mut after: Vec<Rc<Table>> = Vec::new();
    for (key, entry) in &journal {
        let Key::Table(name) = key else { continue };
        after.extend(catalog.table(name).cloned());
        if let Some(Entry::Table(table)) = entry {
            before.push(Rc::clone(table));
        }
    }
    // What is dropped last comes first: others point at it.
    let dropped = |name: &str| {
        let drops = down.iter().flat_map(|statement| &statement.actions).filter(|action| matches!(action.op, Op::DropTable { .. }));
        drops.enumerate().filter(|(_, action)| action.object == name).last().map_or(0, |(at, _)| usize::MAX - at)
    };
    before.sort_by(|a, b| (dropped(&a.name), &a.name).cmp(&(dropped(&b.name), &b.name)));
    let ask = Asking { engine: catalog.engine, after: &after, before: &before };
    before.iter().flat_map(|table| ask.of(table)).collect()
}

/// Both states of the tables that DOWN touches.
struct Asking<'a> {
    engine: Engine,
    before: &'a [Rc<Table>],
    after: &'a [Rc<Table>],
}

impl Asking<'_> {
    fn name(&self, name: &str) -> String {
        let quote = if self.engine.is_mysql_like() { backquoted } else { quoted };
        name.split('.').map(quote).collect::<Vec<_>>().join(".")
    }

    /// All questions of one table of before.
    fn of(&self, table: &Table) -> Vec<Question> {
        let sql = self.name(&table.name);
        let values: HashMap<Origin, &HeldColumn> = self.after.iter().flat_map(|after| &after.columns).map(|column| (column.values, column)).collect();
        let question = |object: String, counted, condition: Option<String>| Question {
            object,
            counted,
            query: condition.map(|condition| format!("SELECT count(*) FROM {sql}{condition}")),
            table: sql.clone(),
            name: table.name.clone(),
            column: None,
            kept: String::new(),
        };
        // Its rows go on under another name, or under its own where it was built anew.
        let now = self.after.iter().find(|after| after.rows == table.rows || after.made == table.made).or_else(|| {
            self.after
                .iter()
                .find(|after| after.name == table.name || table.columns.iter().any(|column| after.columns.iter().any(|c| c.values == column.values)))
        });
        let Some(now) = now else {
            return vec![question(format!("table {}", table.name), Counted::Rows, Some(String::new()))];
        };
        let mut all = Vec::new();
        for column in table.columns.iter().filter(|column| column.def.generated.is_none()) {
            let stands = values.get(&column.values).copied().or_else(|| now.column(&column.def.name));
            let (name, object) = (self.name(&column.def.name), format!("column {}.{}", table.name, column.def.name));
            match stands {
                None => {
                    let other = self.not_default(&column.def, &name);
                    let counted = format!(" WHERE {name} IS NOT NULL{}", other.as_ref().map(|other| format!(" AND {other}")).unwrap_or_default());
                    let kept = match (&column.def.default, other) {
                        (_, Some(other)) => format!(" WHERE {other}"),
                        (None, None) => format!(" WHERE {name} IS NOT NULL"),
                        // What a computed default would give them nobody knows.
                        (Some(_), None) => String::new(),
                    };
                    all.push(Question { column: Some(column.def.name.clone()), kept, ..question(object, Counted::Values, Some(counted)) });
                }
                Some(stands) => {
                    if stands.def.not_null && !column.def.not_null {
                        let object = format!("{}.{} NOT NULL", table.name, column.def.name);
                        all.push(question(object, Counted::Nulls, Some(format!(" WHERE {name} IS NULL"))));
                    }
                    if stands.def.ty != column.def.ty && !stands.assumed && !column.assumed {
                        let object = format!("{}.{} {}", table.name, column.def.name, stands.def.ty);
                        all.push(question(object, Counted::TooLong, too_long(&column.def.ty, &stands.def.ty, &name, self.engine)));
                    }
                }
            }
        }
        all.extend(self.rules(table, now, &sql));
        all
    }

    /// That a value is another than the default, letter by letter: a collation may take two texts for one. `None` where that is not sure.
    fn not_default(&self, column: &Column, name: &str) -> Option<String> {
        let default = column.default.as_deref().filter(|default| is_literal(default))?;
        let text = default.starts_with('\'');
        Some(match self.engine {
            // A text compared with a number becomes one there, and a moment may be written in many ways.
            Engine::Mysql | Engine::Mariadb if text != is_text(&column.ty) => return None,
            Engine::Mysql | Engine::Mariadb if text => format!("NOT (BINARY {name} <=> BINARY {default})"),
            Engine::Mysql | Engine::Mariadb => format!("NOT ({name} <=> {default})"),
            Engine::Sqlite => format!("{name} IS NOT {default} COLLATE BINARY"),
            Engine::Postgres if text && is_text(&column.ty) => format!("{name} COLLATE \"C\" IS DISTINCT FROM {default}"),
            Engine::Postgres => format!("{name} IS DISTINCT FROM {default}"),
        })
    }

    /// The name now of a column of `after`, as SQL has it; none where DOWN makes it.
    fn column(&self, table: &Table, after: &Table, name: &Name) -> Option<String> {
        let values = after.column(name)?.values;
        let column = table.columns.iter().find(|column| column.values == values).or_else(|| table.column(name))?;
        Some(self.name(&column.def.name))
    }

    /// The rules that hold afterwards and do not hold now.
    fn rules(&self, table: &Table, after: &Table, sql: &str) -> Vec<Question> {
        let columns = |names: &[Name]| names.iter().map(|name| self.column(table, after, name)).collect::<Option<Vec<_>>>();
        let mut all = Vec::new();
        let mut ask = |rule: &str, counted, query: Option<String>| {
            let (object, name) = (format!("{} {rule}", table.name), table.name.clone());
            all.push(Question { object, counted, query, table: sql.to_owned(), name, column: None, kept: String::new() });
        };
        let unique = |names: &[Name]| {
            let names = columns(names)?;
            let set = names.iter().map(|name| format!("{name} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
            Some(format!(
                "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {sql} WHERE {set} GROUP BY {} HAVING count(*) > 1) AS d",
                names.join(", ")
            ))
        };
        for constraint in after.constraints.iter().filter(|constraint| constraint.is_enforced() && !constraint.not_valid) {
            let Some(rule) = &constraint.rule else { continue };
            if table.constraints.iter().any(|held| held.rule.as_ref() == Some(rule) && held.is_enforced() && !held.not_valid) {
                continue;
            }
            match rule {
                Rule::PrimaryKey(names) => ask(&format!("PRIMARY KEY ({})", names.join(", ")), Counted::Duplicates, unique(names)),
                Rule::Unique(names) => ask(&format!("UNIQUE ({})", names.join(", ")), Counted::Duplicates, unique(names)),
                Rule::ForeignKey { columns: names, target, target_columns, .. } => {
                    let object = format!("FOREIGN KEY ({}) REFERENCES {target}", names.join(", "));
                    ask(&object, Counted::Orphans, columns(names).and_then(|names| self.orphans(sql, &names, target, target_columns)));
                }
                Rule::Check(expression) => {
                    let same = after.columns.iter().all(|column| table.column(&column.def.name).is_some());
                    ask(&format!("CHECK ({expression})"), Counted::Violations, same.then(|| format!("SELECT count(*) FROM {sql} WHERE NOT ({expression})")));
                }
                Rule::Exclude(expression) => ask(&format!("EXCLUDE {expression}"), Counted::Violations, None),
            }
        }
        for index in after.indexes.iter().filter_map(|index| index.def.as_ref()).filter(|index| index.unique) {
            let stood =
                table.indexes.iter().filter_map(|held| held.def.as_ref()).any(|held| held.unique && held.columns == index.columns && held.rest == index.rest);
            if !stood {
                let plain = index.rest.is_empty().then_some(index.columns.as_slice());
                ask(&format!("UNIQUE INDEX ({})", index.columns.join(", ")), Counted::Duplicates, plain.and_then(unique));
            }
        }
        all
    }

    fn orphans(&self, sql: &str, columns: &[String], target: &str, target_columns: &[Name]) -> Option<String> {
        let after = self.after.iter().find(|table| table.name == *target);
        let before = match after {
            Some(after) => self.before.iter().find(|table| table.rows == after.rows || table.name == after.name)?.name.as_str(),
            // DOWN does not touch it.
            None => target,
        };
        let key = match (target_columns, after.and_then(|after| after.primary_key())) {
            ([], Some(key)) => key,
            ([], None) => return None,
            (written, _) => written,
        };
        let same = columns.iter().zip(key).map(|(own, other)| format!("p.{} = c.{own}", self.name(other))).collect::<Vec<_>>().join(" AND ");
        let set = columns.iter().map(|own| format!("c.{own} IS NOT NULL")).collect::<Vec<_>>().join(" AND ");
        Some(format!("SELECT count(*) FROM {sql} AS c WHERE {set} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {same})", self.name(before)))
    }
}

/// Whether values of the type are texts.
fn is_text(ty: &str) -> bool {
    let word = ty.split(['(', ' ']).next().unwrap_or_default();
    ["text", "varchar", "char", "character", "tinytext", "mediumtext", "longtext"].contains(&word)
}

/// A number, or a text in quotes.
fn is_literal(default: &str) -> bool {
    let text = default.len() > 1 && default.starts_with('\'') && default.ends_with('\'') && !default[1..default.len() - 1].replace("''", "").contains('\'');
    text || default.parse::<f64>().is_ok()
}

/// The condition that a value of the type `now` does not fit `ty`; none where no query of ours tells.
fn too_long(now: &str, ty: &str, name: &str, engine: Engine) -> Option<String> {
    if engine == Engine::Sqlite {
        // A column takes every value there.
        return None;
    }
    let (word, length) = match ty.split_once('(') {
        Some((word, rest)) => (word.trim(), rest.trim_end_matches(')').parse::<u32>().ok()),
        None => (ty, None),
    };
    let beyond = |limit: i64| Some(format!(" WHERE {name} NOT BETWEEN {} AND {limit}", -limit - 1));
    let whole = ["smallint", "integer", "int", "bigint", "mediumint", "tinyint"].contains(&now);
    match (word, length) {
        // What has a fraction is rounded without a word.
        ("smallint" | "integer" | "int", _) if !whole => None,
        ("character varying" | "varchar" | "character" | "char", Some(length)) => Some(format!(" WHERE char_length({name}) > {length}")),
        ("smallint", _) => beyond(i64::from(i16::MAX)),
        ("integer" | "int", _) => beyond(i64::from(i32::MAX)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess;
    use crate::migration::Script;
    use crate::parse;

    #[test]
    fn what_a_down_takes_along_is_asked_by_the_names_that_stand() {
        let parsed = |sql: &str, engine| parse::script(&Script::whole(sql), engine);
        let asked = |stands: &str, down: &str, engine| {
            let mut catalog = Catalog::new(engine);
            assess::follow(&mut catalog, &parsed(stands, engine));
            let all = questions(&mut catalog, &parsed(down, engine));
            all.into_iter()
                .map(|one| format!("{}: {}: {}", one.object, one.counted.names()[1], one.query.unwrap_or_else(|| String::from("?"))))
                .collect::<Vec<_>>()
        };
        let stands = "CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(20) DEFAULT 'x'); CREATE TABLE u (id int PRIMARY KEY, t int);";
        for (engine, down, expected) in [
            (Engine::Postgres, "DROP TABLE t", &["table t: rows: SELECT count(*) FROM \"t\""][..]),
            (Engine::Postgres, "ALTER TABLE t DROP COLUMN a", &["column t.a: values: SELECT count(*) FROM \"t\" WHERE \"a\" IS NOT NULL"]),
            (
                Engine::Mariadb,
                "ALTER TABLE t DROP COLUMN b",
                &["column t.b: values: SELECT count(*) FROM `t` WHERE `b` IS NOT NULL AND NOT (BINARY `b` <=> BINARY 'x')"],
            ),
            (
                Engine::Postgres,
                "ALTER TABLE t RENAME TO s; ALTER TABLE s RENAME COLUMN a TO c; ALTER TABLE s ALTER COLUMN c SET NOT NULL",
                &["t.a NOT NULL: NULLs in the way: SELECT count(*) FROM \"t\" WHERE \"a\" IS NULL"],
            ),
            (
                Engine::Postgres,
                "ALTER TABLE t ALTER COLUMN b TYPE varchar(5)",
                &["t.b character varying(5): values that do not fit: SELECT count(*) FROM \"t\" WHERE char_length(\"b\") > 5"],
            ),
            (
                Engine::Postgres,
                "ALTER TABLE u ADD FOREIGN KEY (t) REFERENCES t (id); ALTER TABLE t ADD UNIQUE (a); ALTER TABLE u ADD CHECK (t > 0)",
                &[
                    "t UNIQUE (a): duplicates in the way: SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM \"t\" WHERE \"a\" IS NOT NULL \
                 GROUP BY \"a\" HAVING count(*) > 1) AS d",
                    "u FOREIGN KEY (t) REFERENCES t: orphans in the way: SELECT count(*) FROM \"u\" AS c WHERE c.\"t\" IS NOT NULL AND NOT EXISTS \
                 (SELECT 1 FROM \"t\" AS p WHERE p.\"id\" = c.\"t\")",
                    "u CHECK (t>0): rows that break the check: SELECT count(*) FROM \"u\" WHERE NOT (t>0)",
                ],
            ),
            (
                Engine::Sqlite,
                "CREATE TABLE n (id int PRIMARY KEY, a text NOT NULL); INSERT INTO n SELECT id, a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
                &[
                    "t.a NOT NULL: NULLs in the way: SELECT count(*) FROM \"t\" WHERE \"a\" IS NULL",
                    "column t.b: values: SELECT count(*) FROM \"t\" WHERE \"b\" IS NOT NULL AND \"b\" IS NOT 'x' COLLATE BINARY",
                ],
            ),
            (Engine::Postgres, "CREATE INDEX i ON t (a); ALTER TABLE t ALTER COLUMN a SET DEFAULT 'y'", &[]),
        ] {
            assert_eq!(asked(stands, down, engine), expected, "{down}");
        }
    }
}
