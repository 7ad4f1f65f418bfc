//! PostgreSQL. In: a URL. Out: a connection, what stands in the database, an advisory lock.

use super::connection::{Canceller, Connection, Driver, Home, Opening, said};
use super::history::HistoryTable;
use super::secret::Secrets;
use super::tables::{Rows, Table};
use super::{POLL, RunError, pooler};
use crate::engine::Engine;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Connects as application `migrate`.
pub(super) async fn open(url: &str, opening: &Opening) -> Result<Connection, RunError> {
    let mut secrets = Secrets::of_url(url)?;
    if let Ok(password) = std::env::var("PGPASSWORD") {
        secrets.add(&password);
    }
    let mut options = PgConnectOptions::from_str(url)
        .map_err(|error| RunError::Usage(format!("this is no PostgreSQL database URL: {}", secrets.mask(&said(&error)))))?
        .application_name("migrate")
        // Poolers take no such setting, and we read no numbers that it is about.
        .extra_float_digits(None)
        .disable_statement_logging();
    if opening.read_only {
        options = options.options([("default_transaction_read_only", "on")]);
    }
    if let Some(limit) = opening.patience.lock {
        // As an option of the start, so that it holds again when a script's own settings are reset.
        options = options.options([("lock_timeout", limit.as_millis().to_string())]);
    }
    let host = options.get_socket().map_or_else(|| format!("{}:{}", options.get_host(), options.get_port()), |socket| socket.display().to_string());
    let place =
        secrets.mask(&format!("postgres {host}, database {}, user {}", options.get_database().unwrap_or(options.get_username()), options.get_username()));
    // One folder holds the sockets of many servers, told apart by the port.
    let address = secrets.mask(&options.get_socket().map_or_else(|| host.clone(), |socket| format!("{}:{}", socket.display(), options.get_port())));
    let home = Home::Server(options.get_database().unwrap_or(options.get_username()).to_owned());
    let unreachable = |error: sqlx::Error| match secrets.mask(&said(&error)) {
        // PgBouncer's words for what a session begins with.
        message if message.contains("unsupported startup parameter") => RunError::Usage(pooler::refusal(&place, &message)),
        message => RunError::Unreachable { place: place.clone(), message },
    };
    let mut connection = Connection {
        driver: Driver::Postgres(options.connect().await.map_err(unreachable)?),
        canceller: Canceller::Postgres(Box::new(options), String::new()),
        interrupt: opening.interrupt.clone(),
        patience: opening.patience,
        engine: Engine::Postgres,
        place: place.clone(),
        address,
        secrets: secrets.clone(),
        read_only: opening.read_only,
        home,
        own_settings: Vec::new(),
    };
    let number = connection.cell("SELECT pg_backend_pid()").await.map_err(unreachable)?;
    if let (Canceller::Postgres(_, held), Some(number)) = (&mut connection.canceller, number) {
        *held = number;
    }
    Ok(connection)
}

/// Which database this is: the cluster's number where this user may read it, and the database in it.
pub(super) async fn identity(connection: &mut Connection) -> sqlx::Result<String> {
    let cluster = connection.cell("SELECT system_identifier FROM pg_control_system()").await;
    let cluster = match cluster {
        Ok(Some(number)) => number,
        Ok(None) | Err(sqlx::Error::Database(_)) => connection.place.clone(),
        Err(error) => return Err(error),
    };
    let database = connection.cell("SELECT oid || ' ' || datname FROM pg_database WHERE datname = current_database()").await?;
    Ok(format!("postgres {cluster} {}", database.unwrap_or_default()))
}

/// The history table's schema: where a table of that name is found, else where a new one would go.
pub(super) async fn home(connection: &mut Connection, name: &str) -> sqlx::Result<Option<String>> {
    let found = format!("SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass('\"{name}\"')");
    match connection.cell(&found).await? {
        Some(schema) => Ok(Some(schema)),
        None => connection.cell("SELECT current_schema()").await,
    }
}

/// Every table that is no part of the system or of an extension. Tables of size 0 hold no row and are not asked; a table
/// with row security may hide its rows from a question, and one on another server is not asked.
pub(super) async fn tables(connection: &mut Connection) -> sqlx::Result<Vec<Table>> {
    let rows = connection
        .rows(
            "SELECT n.nspname, c.relname, CASE WHEN c.relkind = 'f' THEN 'taken' WHEN c.relkind = 'p' OR pg_relation_size(c.oid) = 0 THEN 'none' \
             WHEN c.relrowsecurity THEN 'taken' ELSE 'ask' END \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' \
             AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')",
        )
        .await?;
    let table = |row: Vec<Option<String>>| {
        let [Some(schema), Some(name), Some(rows)] = <[Option<String>; 3]>::try_from(row).ok()? else { return None };
        let mut table = Table::to_probe(&schema, &name, '"', "");
        match rows.as_str() {
            "none" => table.rows = Rows::None,
            "taken" => table.rows = Rows::Taken,
            _ => {}
        }
        Some(table)
    };
    Ok(rows.into_iter().filter_map(table).collect())
}

/// An advisory lock of the session. It is asked for again and again, never waited for: a session that waits inside of a
/// statement holds a snapshot, and CREATE INDEX CONCURRENTLY of the runner at work would wait for it in turn.
pub(super) async fn lock(connection: &mut Connection, table: &HistoryTable, timeout: Duration) -> Result<(), RunError> {
    let doing = "asking for the lock";
    let key = key(table);
    let started = Instant::now();
    loop {
        let taken = connection.cell(&format!("SELECT pg_try_advisory_lock({key})")).await;
        if taken.map_err(|error| connection.refused(doing, &error))?.as_deref() == Some("t") {
            return Ok(());
        }
        if let Some(signal) = connection.interrupt.raised() {
            return Err(RunError::Interrupted(signal));
        }
        if started.elapsed() >= timeout {
            break;
        }
        tokio::time::sleep(POLL.min(timeout)).await;
    }
    let holder = connection
        .cell(&format!(
            "SELECT 'process ' || l.pid || coalesce(', application ' || nullif(a.application_name, ''), '') || coalesce(', user ' || a.usename, '') \
             || coalesce(', from ' || host(a.client_addr), ', on the server itself') \
             || coalesce(', connected since ' || to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS UTC'), '') FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) \
             WHERE {}",
            held(key)
        ))
        .await;
    let holder = holder.map_err(|error| connection.refused(doing, &error))?;
    Err(RunError::Locked { holder: holder.unwrap_or_else(|| String::from("it went away just now")) })
}

/// The lock's number.
pub(super) fn key(table: &HistoryTable) -> i64 {
    i64::from_be_bytes(*table.fingerprint().first_chunk().expect("a SHA-256 has 32 bytes"))
}

/// The condition that the row `l` of `pg_locks` is this lock, held (PostgreSQL manual, "pg_locks": how an advisory lock's number is shown).
fn held(key: i64) -> String {
    let (high, low) = ((key >> 32) as u32, key as u32);
    format!(
        "l.locktype = 'advisory' AND l.granted AND l.classid = {high} AND l.objid = {low} AND l.objsubid = 1 \
         AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

/// Asks, in one statement, for the own server process and whether it holds the lock.
pub(super) fn own_process_holds(table: &HistoryTable) -> String {
    format!("SELECT pg_backend_pid(), EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND {})", held(key(table)))
}

/// Gives the lock back, and tells whether this process had it.
pub(super) fn unlock(table: &HistoryTable) -> String {
    format!("SELECT pg_advisory_unlock({})", key(table))
}

/// Gives a session back its own user and settings.
pub(super) const RESET: &str = "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL";

/// Ends what a script may have set for its session, so that the next migration does not run under it.
pub(super) fn settle(connection: &Connection) -> String {
    let mut sql = RESET.to_owned();
    for (name, value) in &connection.own_settings {
        sql.push_str(&format!("; SET {name} = {}", literal(Some(value))));
    }
    // A pooler may have left out what the session was to begin with.
    if let Some(limit) = connection.patience.lock {
        sql.push_str(&format!("; SET lock_timeout = {}", limit.as_millis()));
    }
    sql
}

/// The settings that the driver makes when it connects, in which a script would mean something else than in `psql`: casts of times without a
/// zone, the order of day and month.
const BY_THE_DRIVER: [(&str, &str); 2] = [("TimeZone", "UTC"), ("DateStyle", "ISO, MDY")];

/// What they are without the driver: the user's own in this database, the user's, the database's, everybody's (PostgreSQL manual, "Parameter
/// Interaction via the Configuration File", and "ALTER ROLE": which of them wins), or the configuration file's.
pub(super) async fn own_settings(connection: &mut Connection) -> sqlx::Result<Vec<(&'static str, String)>> {
    let mut own = Vec::new();
    for (name, by_the_driver) in BY_THE_DRIVER {
        let stored = connection
            .cell(&format!(
                "SELECT substr(c, strpos(c, '=') + 1) FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c WHERE c ILIKE '{name}=%' \
                 AND s.setdatabase IN (0, (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())) \
                 AND s.setrole IN (0, (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = session_user)) ORDER BY s.setrole = 0, s.setdatabase = 0 LIMIT 1"
            ))
            .await?;
        let value = match stored {
            Some(value) => Some(value),
            None => in_the_file(connection, name).await?,
        };
        own.extend(value.filter(|value| !value.eq_ignore_ascii_case(by_the_driver)).map(|value| (name, value)));
    }
    Ok(own)
}

/// What the configuration file says. Who may not read it is told the zone of the server's log, which a new server shares with its sessions.
async fn in_the_file(connection: &mut Connection, name: &str) -> sqlx::Result<Option<String>> {
    let file = format!("SELECT setting FROM pg_catalog.pg_file_settings WHERE name ILIKE '{name}' AND error IS NULL ORDER BY seqno DESC LIMIT 1");
    match connection.cell(&file).await {
        Err(sqlx::Error::Database(_)) if name == "TimeZone" => connection.cell("SHOW log_timezone").await,
        Err(sqlx::Error::Database(_)) => Ok(None),
        other => other,
    }
}

/// What an INSERT of ours begins with, inside of a script's transaction: a role that the script took may not write here.
pub(super) const AS_OURSELVES: &str = "SET LOCAL SESSION AUTHORIZATION DEFAULT; ";

/// `text` as a literal that means the same whatever a script has set: escapes are on in it, and it is of ASCII letters alone (PostgreSQL
/// manual, "String Constants with C-Style Escapes").
pub(super) fn literal(text: Option<&str>) -> String {
    let Some(text) = text else { return String::from("NULL") };
    let mut out = String::with_capacity(text.len() + 3);
    out.push_str("E'");
    for letter in text.chars() {
        match letter {
            '\'' => out.push_str("''"),
            '\\' => out.push_str("\\\\"),
            letter if letter.is_ascii() => out.push(letter),
            letter => out.push_str(&format!("\\U{:08x}", letter as u32)),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_of_ascii_alone() {
        assert_eq!(literal(None), "NULL");
        assert_eq!(literal(Some("it's a \\ and ü🦀\n")), "E'it''s a \\\\ and \\U000000fc\\U0001f980\n'");
    }
}
