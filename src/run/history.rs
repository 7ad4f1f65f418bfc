//! The history table. In: its name, a finished or failed step. Out: its rows; one row more.

use super::connection::{Connection, Driver};
use super::tables::quoted;
use super::{RunError, mysql, postgres};
use crate::engine::Engine;
use crate::gate::Step;
use crate::migration::Direction;
use crate::observed::{Applied, Outcome};
use sha2::{Digest, Sha256};

/// A history table: where it is, and whether it is there.
pub(super) struct HistoryTable {
    schema: String,
    name: String,
    /// Its name in SQL, schema included.
    pub(super) sql: String,
    database: String,
}

const COLUMNS: &str = "seq, version, name, direction, outcome, applied_at, actor, tool_version, verdict, loss, up_sha256, down_sha256, down_text, note";

impl HistoryTable {
    /// Finds the table that `name` means to this connection: `table` or `schema.table`, plain words.
    pub(super) async fn find(connection: &mut Connection, name: &str) -> Result<HistoryTable, RunError> {
        let (schema, table) = plain(name, connection.engine)?;
        let doing = "looking for the history table";
        let schema = match (schema, connection.engine) {
            (Some(schema), _) => Some(schema),
            (None, Engine::Sqlite) => Some(String::from("main")),
            (None, Engine::Postgres) => postgres::home(connection, &table).await.map_err(|error| connection.refused(doing, &error))?,
            (None, Engine::Mysql | Engine::Mariadb) => mysql::home(connection).await.map_err(|error| connection.refused(doing, &error))?,
        };
        let Some(schema) = schema else {
            return Err(RunError::Usage(format!(
                "no schema of the search path exists, so {name} has no place: name the history table with its schema, as public.{name}"
            )));
        };
        let quote = if connection.engine.is_mysql_like() { '`' } else { '"' };
        let sql = format!("{}.{}", quoted(&schema, quote), quoted(&table, quote));
        Ok(HistoryTable { schema, name: table, sql, database: connection.database().to_owned() })
    }

    /// What two runners of one history share and no others do.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(format!("{}\0{}\0{}", self.database, self.schema, self.name)).into()
    }

    /// Whether `(schema, table)` is this one.
    pub(super) fn is(&self, (schema, name): &(String, String)) -> bool {
        // Where case does not count, the database may hold the name in another one.
        schema.eq_ignore_ascii_case(&self.schema) && name.eq_ignore_ascii_case(&self.name)
    }

    async fn exists(&self, connection: &mut Connection) -> sqlx::Result<bool> {
        // The name is plain, but the schema may be the server's answer.
        let (schema, name) = (self.schema.replace('\'', "''"), &self.name);
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
        if !self.exists(connection).await.map_err(|error| connection.refused(doing, &error))? {
            return Ok(Vec::new());
        }
        let rows = connection.rows(&format!("SELECT {COLUMNS} FROM {} ORDER BY seq", self.sql)).await;
        let rows = rows.map_err(|error| connection.refused(doing, &error))?;
        rows.into_iter().map(|row| applied(row).ok_or_else(|| RunError::Drift(format!("a row of {} holds what this program never wrote", self.sql)))).collect()
    }

    /// Makes the table where it is missing.
    pub(super) async fn create(&self, connection: &mut Connection) -> Result<(), RunError> {
        let doing = "creating the history table";
        if self.exists(connection).await.map_err(|error| connection.refused(doing, &error))? {
            return Ok(());
        }
        let (short, long, end) = match connection.driver {
            Driver::Mysql(_) => ("VARCHAR(255)", "LONGTEXT", " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"),
            Driver::Sqlite(_) | Driver::Postgres(_) => ("TEXT", "TEXT", ""),
        };
        let sql = format!(
            "CREATE TABLE {} (seq BIGINT NOT NULL PRIMARY KEY, version {short} NOT NULL, name {short} NOT NULL, direction {short} NOT NULL, \
             outcome {short} NOT NULL, applied_at {short} NOT NULL, actor {short} NOT NULL, tool_version {short} NOT NULL, verdict {short} NOT NULL, \
             loss {short} NOT NULL, up_sha256 {short} NOT NULL, down_sha256 {short}, down_text {long}, note {long}){end}",
            self.sql
        );
        connection.execute(&sql).await.map_err(|error| connection.refused(doing, &error))
    }

    /// Adds the row of `step`. `seq` is given by the runner that holds the lock, so a second one would break the key.
    pub(super) async fn append(
        &self,
        connection: &mut Connection,
        seq: i64,
        step: &Step,
        outcome: Outcome,
        actor: &str,
        note: Option<&str>,
    ) -> sqlx::Result<()> {
        let at = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let values = [
            Some(step.version.as_str()),
            Some(&step.name),
            Some(step.direction.name()),
            Some(outcome.name()),
            Some(&at),
            Some(actor),
            Some(env!("CARGO_PKG_VERSION")),
            Some(step.verdict.name()),
            Some(step.loss.name()),
            Some(&step.up_sha256),
            step.down_sha256.as_deref(),
            step.down_text.as_deref(),
            note,
        ];
        let mark = |at: usize| if connection.engine == Engine::Postgres { format!("${at}") } else { String::from("?") };
        let marks = (1..=values.len()).map(mark).collect::<Vec<_>>().join(", ");
        connection.write(&format!("INSERT INTO {} ({COLUMNS}) VALUES ({seq}, {marks})", self.sql), &values).await
    }
}

fn applied(row: Vec<Option<String>>) -> Option<Applied> {
    let row = <[Option<String>; 14]>::try_from(row).ok()?;
    let [seq, version, name, direction, outcome, at, actor, tool_version, verdict, loss, up_sha256, down_sha256, down_text, note] = row;
    let direction = direction?;
    Some(Applied {
        seq: seq?.parse().ok()?,
        version: version?,
        name: name?,
        direction: [Direction::Up, Direction::Down].into_iter().find(|d| d.name() == direction)?,
        outcome: Outcome::from_name(&outcome?)?,
        at: at?,
        actor: actor?,
        tool_version: tool_version?,
        verdict: verdict?,
        loss: loss?,
        up_sha256: up_sha256?,
        down_sha256,
        down_text,
        note,
    })
}

/// Reads `table` or `schema.table`. The name ends up in SQL, in lock names and in error texts, so it must be plain words.
fn plain(name: &str, engine: Engine) -> Result<(Option<String>, String), RunError> {
    let word = |part: &str| {
        let mut letters = part.chars();
        letters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_') && letters.all(|c| c.is_ascii_alphanumeric() || c == '_') && part.len() <= 63
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

/// Who runs this program, as the operating system says.
pub(super) fn person() -> String {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok()).filter(|value| !value.is_empty());
    let user = variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| String::from("unknown"));
    let host = variable(&["HOSTNAME", "COMPUTERNAME"]).or_else(|| std::fs::read_to_string("/etc/hostname").ok()).unwrap_or_else(|| String::from("unknown"));
    format!("{user}@{}", host.trim())
}

/// Who runs this: the database's user, then the operating system's; short enough for the column.
pub(super) async fn actor(connection: &mut Connection) -> sqlx::Result<String> {
    let user = match connection.driver {
        Driver::Sqlite(_) => None,
        Driver::Postgres(_) => connection.cell("SELECT session_user").await?,
        Driver::Mysql(_) => connection.cell("SELECT CURRENT_USER()").await?,
    };
    let actor = user.map_or_else(person, |user| format!("{user}, {}", person()));
    Ok(actor.chars().take(255).collect())
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
