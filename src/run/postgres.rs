//! PostgreSQL. In: a URL. Out: a connection, what stands in the database, an advisory lock.

use super::connection::{Connection, Driver, Home, said};
use super::history::HistoryTable;
use super::secret::Secrets;
use super::tables::{Rows, Table};
use super::{POLL, RunError};
use crate::engine::Engine;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Connects as application `migrate`.
pub(super) async fn open(url: &str, read_only: bool) -> Result<Connection, RunError> {
    let mut secrets = Secrets::of_url(url)?;
    if let Ok(password) = std::env::var("PGPASSWORD") {
        secrets.add(&password);
    }
    let mut options = PgConnectOptions::from_str(url)
        .map_err(|error| RunError::Usage(format!("this is no PostgreSQL database URL: {}", secrets.mask(&said(&error)))))?
        .application_name("migrate")
        .disable_statement_logging();
    if read_only {
        options = options.options([("default_transaction_read_only", "on")]);
    }
    let host = options.get_socket().map_or_else(|| format!("{}:{}", options.get_host(), options.get_port()), |socket| socket.display().to_string());
    let place =
        secrets.mask(&format!("postgres {host}, database {}, user {}", options.get_database().unwrap_or(options.get_username()), options.get_username()));
    let home = Home::Server(options.get_database().unwrap_or(options.get_username()).to_owned());
    match options.connect().await {
        Ok(link) => Ok(Connection { driver: Driver::Postgres(link), engine: Engine::Postgres, place, secrets, read_only, home }),
        Err(error) => Err(RunError::Unreachable { place, message: secrets.mask(&said(&error)) }),
    }
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
    let key = i64::from_be_bytes(*table.fingerprint().first_chunk().expect("a SHA-256 has 32 bytes"));
    let started = Instant::now();
    loop {
        let taken = connection.cell(&format!("SELECT pg_try_advisory_lock({key})")).await;
        if taken.map_err(|error| connection.refused(doing, &error))?.as_deref() == Some("t") {
            return Ok(());
        }
        if started.elapsed() >= timeout {
            break;
        }
        tokio::time::sleep(POLL.min(timeout)).await;
    }
    let (high, low) = ((key >> 32) as u32, key as u32);
    let holder = connection
        .cell(&format!(
            "SELECT 'process ' || l.pid || coalesce(', application ' || nullif(a.application_name, ''), '') || coalesce(', user ' || a.usename, '') \
             || coalesce(', from ' || host(a.client_addr), ', on the server itself') FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid) \
             WHERE l.locktype = 'advisory' AND l.granted AND l.classid = {high} AND l.objid = {low} AND l.objsubid = 1 \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ))
        .await;
    let holder = holder.map_err(|error| connection.refused(doing, &error))?;
    Err(RunError::Locked { holder: holder.unwrap_or_else(|| String::from("it went away just now")) })
}

/// Ends what a script may have set for its session, so that neither the history row nor the next migration runs under it.
pub(super) const SETTLE: &[&str] = &["RESET SESSION AUTHORIZATION", "RESET ALL"];
