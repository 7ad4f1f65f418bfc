//! The history table. In: its name, a finished or failed step. Out: its rows; one row more.

use super::connection::{Connection, Driver};
use super::tables::{quoted, text_types};
use super::{RunError, journal, mysql, postgres, sqlite};
use crate::engine::Engine;
use crate::gate::Step;
use crate::migration::Direction;
use crate::observed::{Applied, Outcome};
use sha2::{Digest, Sha256};

/// A history table: where it is.
pub(super) struct HistoryTable {
    schema: String,
    name: String,
    /// Its name in SQL, schema included.
    pub(super) sql: String,
    quote: char,
    database: String,
}

/// The columns with their types: short text, long text, or a number; `!` is NOT NULL.
const COLUMNS: [(&str, Type, bool); 21] = [
    ("seq", Type::Number, true),
    ("version", Type::Short, true),
    ("name", Type::Short, true),
    ("direction", Type::Short, true),
    ("outcome", Type::Short, true),
    ("started_at", Type::Short, true),
    ("ended_at", Type::Short, true),
    ("actor", Type::Short, true),
    ("host", Type::Short, true),
    ("tool_version", Type::Short, true),
    ("verdict", Type::Short, true),
    ("loss", Type::Short, true),
    ("up_sha256", Type::Short, true),
    ("up_text", Type::Long, false),
    ("down_sha256", Type::Short, false),
    ("down_text", Type::Long, false),
    ("down_loses", Type::Long, false),
    ("pin", Type::Long, false),
    ("attestation", Type::Long, false),
    ("reason", Type::Long, false),
    ("note", Type::Long, false),
];

enum Type {
    Number,
    Short,
    Long,
}

/// What a row says beside its step.
pub(super) struct Record<'a> {
    /// The row's number, given by the runner that holds the lock: a second one would break the key.
    pub(super) seq: i64,
    pub(super) outcome: Outcome,
    pub(super) started_at: &'a str,
    pub(super) who: &'a Who,
    pub(super) note: Option<&'a str>,
    pub(super) pin: Option<String>,
}

/// Who runs this.
pub(super) struct Who {
    pub(super) actor: String,
    pub(super) host: String,
}

/// The time: RFC 3339, UTC.
pub(super) fn now() -> String {
    chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

impl HistoryTable {
    /// Finds the table that `name` means to this connection: `table` or `schema.table`, plain words.
    pub(super) async fn find(connection: &mut Connection, name: &str) -> Result<HistoryTable, RunError> {
        let (schema, table) = plain(name, connection.engine)?;
        let doing = "looking for the history table";
        // A server that takes names in any case has its own writing of the database's, and two runners must have one lock.
        let mut database = connection.database().to_owned();
        if connection.engine.is_mysql_like()
            && let Some(own) = mysql::home(connection).await.map_err(|error| connection.refused(doing, &error))?
        {
            database = own;
        }
        let schema = match (schema, connection.engine) {
            (Some(schema), _) => Some(schema),
            (None, Engine::Sqlite) => Some(String::from("main")),
            (None, Engine::Postgres) => postgres::home(connection, &table).await.map_err(|error| connection.refused(doing, &error))?,
            (None, Engine::Mysql | Engine::Mariadb) => Some(database.clone()),
        };
        let Some(schema) = schema else {
            return Err(RunError::Usage(format!(
                "no schema of the search path exists, so {name} has no place: name the history table with its schema, as public.{name}"
            )));
        };
        let quote = if connection.engine.is_mysql_like() { '`' } else { '"' };
        let sql = format!("{}.{}", quoted(&schema, quote), quoted(&table, quote));
        Ok(HistoryTable { schema, name: table, sql, quote, database })
    }

    /// The name in SQL of the table beside it whose name ends in `suffix`.
    pub(super) fn beside(&self, suffix: &str) -> String {
        format!("{}.{}", quoted(&self.schema, self.quote), quoted(&format!("{}{suffix}", self.name), self.quote))
    }

    /// What two runners of one history share and no others do.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(format!("{}\0{}\0{}", self.database, self.schema, self.name)).into()
    }

    /// Its schema.
    pub(super) fn schema(&self) -> &str {
        &self.schema
    }

    /// Its own name, and its journal's.
    pub(super) fn names(&self) -> [String; 2] {
        [self.name.clone(), format!("{}{}", self.name, journal::SUFFIX)]
    }

    /// Whether `(schema, table)` is this one, or its journal.
    pub(super) fn is(&self, (schema, name): &(String, String)) -> bool {
        // Where case does not count, the database may hold the name in another one.
        schema.eq_ignore_ascii_case(&self.schema) && self.names().iter().any(|own| name.eq_ignore_ascii_case(own))
    }

    /// Whether the table beside it is there whose name ends in `suffix`.
    pub(super) async fn exists_beside(&self, connection: &mut Connection, suffix: &str) -> sqlx::Result<bool> {
        // The name is plain, but the schema may be the server's answer.
        let (schema, name) = (self.schema.replace('\'', "''"), format!("{}{suffix}", self.name));
        let sql = match connection.driver {
            Driver::Sqlite(_) => format!("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower('{name}')"),
            Driver::Postgres(_) => format!("SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = '{schema}' AND tablename = '{name}'"),
            Driver::Mysql(_) => format!("SELECT 1 FROM information_schema.tables WHERE table_schema = '{schema}' AND table_name = '{name}'"),
        };
        Ok(connection.cell(&sql).await?.is_some())
    }

    /// All rows, oldest first; none where there is no table.
    pub(super) async fn read(&self, connection: &mut Connection) -> Result<Vec<Applied>, RunError> {
        let doing = "reading the history";
        if !self.exists_beside(connection, "").await.map_err(|error| connection.refused(doing, &error))? {
            return Ok(Vec::new());
        }
        let rows = self.rows(connection).await.map_err(|error| connection.refused(doing, &error))?;
        let altered = |what| RunError::Drift(format!("{} was altered by hand: {what}", self.sql));
        let mut history = rows.into_iter().map(|row| applied(row).map_err(altered)).collect::<Result<Vec<_>, _>>()?;
        history.sort_by_key(|row| row.seq);
        Ok(history)
    }

    /// All rows, in no order.
    async fn rows(&self, connection: &mut Connection) -> sqlx::Result<Vec<Vec<Option<String>>>> {
        // SQLite works in a thread of its own, and waking this one for each row takes longer than the row does.
        if let Driver::Sqlite(_) = connection.driver {
            let columns = COLUMNS.map(|(name, ..)| format!("CAST({name} AS TEXT)")).join(", ");
            let all = connection.cell(&format!("SELECT json_group_array(json_array({columns})) FROM {}", self.sql)).await;
            // It may be more than fits in one cell.
            if let Some(rows) = all.ok().flatten().and_then(|all| serde_json::from_str(&all).ok()) {
                return Ok(rows);
            }
        }
        let columns = COLUMNS.map(|(name, ..)| name).join(", ");
        connection.rows(&format!("SELECT {columns} FROM {}", self.sql)).await
    }

    /// Makes the table where it is missing.
    pub(super) async fn create(&self, connection: &mut Connection) -> Result<(), RunError> {
        let doing = "creating the history table";
        if self.exists_beside(connection, "").await.map_err(|error| connection.refused(doing, &error))? {
            return Ok(());
        }
        let (short, long, end) = text_types(&connection.driver);
        let column = |(name, ty, required): &(&str, Type, bool)| {
            let ty = match ty {
                // There the key is the row's own number under this name alone, and under any other an index beside the table.
                Type::Number if matches!(connection.driver, Driver::Sqlite(_)) => "INTEGER",
                Type::Number => "BIGINT",
                Type::Short => short,
                Type::Long => long,
            };
            format!("{name} {ty}{}", if *required { " NOT NULL" } else { "" })
        };
        let columns = COLUMNS.iter().map(column).collect::<Vec<_>>().join(", ");
        let sql = format!("CREATE TABLE {} ({columns}, PRIMARY KEY (seq)){end}", self.sql);
        connection.execute(&sql).await.map_err(|error| connection.refused(doing, &error))
    }

    /// Adds a row of `step`; `and_commit` ends the transaction that it stands in.
    pub(super) async fn append(&self, connection: &mut Connection, step: &Step, record: &Record<'_>, and_commit: bool) -> sqlx::Result<()> {
        let (ended_at, loses) = (now(), step.down_loses.join("\n"));
        connection.insert(&self.with_columns(), &record.seq.to_string(), &record.values(step, &ended_at, &loses), and_commit).await
    }

    /// What adds a row of `step` on SQLite, for a message that holds the step's statements as well: it ends when this runs, and began when
    /// the step before it ended where it `follows` one in that message.
    pub(super) fn at_its_end(&self, step: &Step, record: &Record<'_>, follows: bool) -> String {
        let loses = step.down_loses.join("\n");
        let values = record.values(step, "", &loses);
        let literals = COLUMNS[1..].iter().zip(values).map(|((name, ..), value)| match *name {
            "started_at" if follows => format!("(SELECT ended_at FROM {} WHERE seq = {})", self.sql, record.seq - 1),
            "ended_at" => String::from("strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"),
            _ => sqlite::literal(value),
        });
        format!("INSERT INTO {} VALUES ({}, {})", self.with_columns(), record.seq, literals.collect::<Vec<_>>().join(", "))
    }

    fn with_columns(&self) -> String {
        format!("{} ({})", self.sql, COLUMNS.map(|(name, ..)| name).join(", "))
    }
}

impl Record<'_> {
    /// All but the first column.
    fn values<'v>(&'v self, step: &'v Step, ended_at: &'v str, loses: &'v str) -> [Option<&'v str>; COLUMNS.len() - 1] {
        [
            Some(step.version.as_str()),
            Some(&step.name),
            Some(step.direction.name()),
            Some(self.outcome.name()),
            Some(self.started_at),
            Some(ended_at),
            Some(&self.who.actor),
            Some(&self.who.host),
            Some(env!("CARGO_PKG_VERSION")),
            Some(step.verdict.name()),
            Some(step.loss.name()),
            Some(&step.up_sha256),
            step.up_text.as_deref(),
            step.down_sha256.as_deref(),
            step.down_text.as_deref(),
            Some(loses).filter(|loses| !loses.is_empty()),
            self.pin.as_deref(),
            step.attestation.as_deref(),
            step.reason.as_deref(),
            self.note,
        ]
    }
}

/// A row as a value, or what is wrong with it.
fn applied(row: Vec<Option<String>>) -> Result<Applied, String> {
    let strange = |column: &str| {
        let cell = |name: &str| COLUMNS.iter().zip(&row).find(|((column, ..), _)| *column == name).and_then(|(_, cell)| cell.as_deref()).unwrap_or_default();
        format!("in row {}, version {}, the {column} is {:?}, which this program never writes", cell("seq"), cell("version"), cell(column))
    };
    if let Some(((column, ..), _)) = COLUMNS.iter().zip(&row).find(|((_, _, required), cell)| *required && cell.is_none()) {
        return Err(strange(column));
    }
    let direction = [Direction::Up, Direction::Down].into_iter().find(|way| row[3].as_deref() == Some(way.name())).ok_or_else(|| strange("direction"))?;
    let outcome = row[4].as_deref().and_then(Outcome::from_name).ok_or_else(|| strange("outcome"))?;
    let seq = row[0].as_ref().and_then(|seq| seq.parse().ok()).ok_or_else(|| strange("seq"))?;
    let [
        _seq,
        version,
        name,
        _direction,
        _outcome,
        started_at,
        at,
        actor,
        host,
        tool_version,
        verdict,
        loss,
        up_sha256,
        up_text,
        down_sha256,
        down_text,
        down_loses,
        pin,
        attestation,
        reason,
        note,
    ] = <[Option<String>; 21]>::try_from(row).map_err(|row| format!("a row has {} columns", row.len()))?;
    let text = Option::unwrap_or_default;
    Ok(Applied {
        seq,
        version: text(version),
        name: text(name),
        direction,
        outcome,
        started_at: text(started_at),
        at: text(at),
        actor: text(actor),
        host: text(host),
        tool_version: text(tool_version),
        verdict: text(verdict),
        loss: text(loss),
        up_sha256: text(up_sha256),
        up_text,
        down_sha256,
        down_text,
        down_loses: down_loses.map(|loses| loses.lines().map(str::to_owned).collect()).unwrap_or_default(),
        pin,
        attestation,
        reason,
        note,
    })
}

/// Reads `table` or `schema.table`. The name ends up in SQL, in lock names and in error texts, so it must be plain words.
fn plain(name: &str, engine: Engine) -> Result<(Option<String>, String), RunError> {
    let word = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
            && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
            && part.len() <= 63 - journal::SUFFIX.len()
    };
    let (schema, table) = name.split_once('.').map_or((None, name), |(schema, table)| (Some(schema), table));
    if !word(table) || !schema.is_none_or(word) {
        return Err(RunError::Usage(format!(
            "{name:?} is no name for the history table: write letters, digits and `_`, with the schema and a dot before it or not"
        )));
    }
    if engine == Engine::Sqlite && schema.is_some_and(|schema| !schema.eq_ignore_ascii_case("main")) {
        return Err(RunError::Usage(format!("{name:?} is no name for the history table: SQLite keeps it in the database itself, so leave out the schema")));
    }
    // Unquoted names mean lower case to PostgreSQL, and a reader would write it unquoted.
    let fold = |part: &str| if engine == Engine::Mysql || engine == Engine::Mariadb { part.to_owned() } else { part.to_ascii_lowercase() };
    Ok((schema.map(fold), fold(table)))
}

/// Who runs this program and where, as the operating system says.
pub(super) fn person() -> (String, String) {
    let or_unknown = |name: whoami::Result<String>| name.unwrap_or_else(|_| String::from("unknown"));
    (or_unknown(whoami::username()), or_unknown(whoami::hostname()))
}

/// Who runs this: the database's user, then the operating system's; short enough for the columns.
pub(super) async fn who(connection: &mut Connection) -> sqlx::Result<Who> {
    let (user, host) = person();
    let actor = connection.user().await?.map_or_else(|| user.clone(), |database| format!("{database}, {user}"));
    let short = |text: String| text.chars().take(255).collect();
    Ok(Who { actor: short(actor), host: short(host) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        for (name, engine, means) in [
            ("migrate_history", Engine::Sqlite, Some((None, "migrate_history"))),
            ("Ops.History", Engine::Postgres, Some((Some("ops"), "history"))),
            ("Ops.History", Engine::Mariadb, Some((Some("Ops"), "History"))),
            ("main.h", Engine::Sqlite, Some((Some("main"), "h"))),
            ("other.h", Engine::Sqlite, None),
            ("", Engine::Postgres, None),
            ("a.b.c", Engine::Postgres, None),
            ("h; DROP TABLE t", Engine::Postgres, None),
            ("h\"", Engine::Postgres, None),
            ("1h", Engine::Mysql, None),
            (".h", Engine::Mysql, None),
        ] {
            let found = plain(name, engine).ok();
            assert_eq!(found.as_ref().map(|(schema, table)| (schema.as_deref(), table.as_str())), means, "{name}");
        }
    }
}
