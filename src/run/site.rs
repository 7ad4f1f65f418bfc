//! Asks a live server which one it is and where it stands. In: a connection. Out: a [`Site`].

use super::RunError;
use super::connection::{Cells, Connection, Driver, Home};
use super::sqlite;
use crate::engine::Engine;
use crate::observed::site::{Binlog, Server, Site};
use chrono::{DateTime, Utc};

/// Asks.
///
/// # Errors
/// [`RunError::Refused`] where this user may not ask, or the answer is none; [`RunError::Unreachable`].
pub(super) async fn site(connection: &mut Connection) -> Result<Site, RunError> {
    match connection.engine {
        Engine::Sqlite => file(connection).await,
        Engine::Postgres => postgres(connection).await,
        Engine::Mysql | Engine::Mariadb => mysql(connection).await,
    }
}

const DOING: &str = "asking which server this is and where it stands";

async fn rows(connection: &mut Connection, sql: &str) -> Result<Vec<Cells>, RunError> {
    connection.rows(sql).await.map_err(|error| connection.refused(DOING, &error))
}

/// The only row, of `N` cells.
async fn row<const N: usize>(connection: &mut Connection, sql: &str) -> Result<[Option<String>; N], RunError> {
    let row = rows(connection, sql).await?.into_iter().next();
    row.and_then(|row| row.try_into().ok()).ok_or_else(|| strange(&format!("no row of {N} cells")))
}

fn strange(what: &str) -> RunError {
    RunError::Refused { doing: DOING, message: format!("the server answers {what}") }
}

fn told<T: std::str::FromStr>(name: &str, cell: Option<String>) -> Result<T, RunError> {
    cell.as_deref().and_then(|cell| cell.parse().ok()).ok_or_else(|| strange(&format!("{cell:?} where {name} was asked for")))
}

async fn postgres(connection: &mut Connection) -> Result<Site, RunError> {
    let [system_identifier, timeline, lsn, version, database, data_directory, clock] = row(
        connection,
        "SELECT system_identifier::text, substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8), pg_current_wal_insert_lsn()::text, \
         current_setting('server_version'), current_database(), \
         CASE WHEN pg_has_role(session_user, 'pg_read_all_settings', 'USAGE') THEN current_setting('data_directory') END, \
         to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') FROM pg_control_system()",
    )
    .await?;
    let timeline = timeline.as_deref().and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| strange("no timeline"))?;
    let server = Server::Postgres {
        system_identifier: told("system_identifier", system_identifier)?,
        data_directory,
        timeline,
        lsn: told("pg_current_wal_insert_lsn()", lsn)?,
    };
    let (version, database) = (version.unwrap_or_default(), database.unwrap_or_default());
    Ok(Site { engine: connection.engine, version, database, address: connection.address.clone(), clock: told("the time", clock)?, server })
}

async fn mysql(connection: &mut Connection) -> Result<Site, RunError> {
    let mysql = connection.engine == Engine::Mysql;
    let uuid = if mysql { "@@server_uuid" } else { "NULL" };
    let gtid = if mysql { "@@GLOBAL.gtid_executed" } else { "@@GLOBAL.gtid_binlog_pos" };
    let [uuid, server_id, hostname, port, datadir, gtid, log_bin, version, database, clock] = row(
        connection,
        &format!(
            "SELECT {uuid}, CAST(@@server_id AS CHAR), @@hostname, CAST(@@port AS CHAR), @@datadir, {gtid}, CAST(@@log_bin + 0 AS CHAR), VERSION(), DATABASE(), \
             DATE_FORMAT(UTC_TIMESTAMP(6), '%Y-%m-%dT%H:%i:%s.%fZ')"
        ),
    )
    .await?;
    let binlog = if log_bin.as_deref() == Some("1") { binlog(connection).await? } else { None };
    let server = Server::Mysql {
        uuid,
        server_id: told("server_id", server_id)?,
        hostname: hostname.unwrap_or_default(),
        port: told("port", port)?,
        datadir: datadir.unwrap_or_default(),
        binlog,
        gtid: gtid.map(|gtid| gtid.split_whitespace().collect::<String>()).filter(|gtid| !gtid.is_empty()),
    };
    let (version, database) = (version.unwrap_or_default(), database.unwrap_or_default());
    Ok(Site { engine: connection.engine, version, database, address: connection.address.clone(), clock: told("the time", clock)?, server })
}

/// Where the binary log ends; `None` where this user may not ask. The statement's name depends on the release (MySQL manual, "SHOW BINARY LOG
/// STATUS", from 8.2 on).
async fn binlog(connection: &mut Connection) -> Result<Option<Binlog>, RunError> {
    for sql in ["SHOW BINARY LOG STATUS", "SHOW MASTER STATUS"] {
        match connection.rows(sql).await {
            Ok(rows) => {
                let mut cells = rows.into_iter().next().unwrap_or_default().into_iter();
                let (file, position) = (cells.next().flatten(), cells.next().flatten());
                return Ok(file.zip(position.and_then(|position| position.parse().ok())).map(|(file, position)| Binlog { file, position }));
            }
            Err(sqlx::Error::Database(_)) => {}
            Err(error) => return Err(connection.refused(DOING, &error)),
        }
    }
    Ok(None)
}

/// The binary logs that the server still has, oldest first; `None` where it keeps none, or this user may not ask.
pub(super) async fn binlogs(connection: &mut Connection) -> Result<Option<Vec<String>>, RunError> {
    if !matches!(connection.driver, Driver::Mysql(_)) {
        return Ok(None);
    }
    match connection.rows("SHOW BINARY LOGS").await {
        Ok(rows) => Ok(Some(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())),
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(connection.refused(DOING, &error)),
    }
}

/// The transactions that MariaDB had when its binary log stood at `place`; `None` where it has no such place, and on other servers.
pub(super) async fn gtid_at(connection: &mut Connection, place: &Binlog) -> Result<Option<String>, RunError> {
    // The name comes from a file, and a server gives its logs plain ones.
    let plain = place.file.chars().all(|letter| letter.is_ascii_alphanumeric() || "._-".contains(letter));
    if connection.engine != Engine::Mariadb || !plain {
        return Ok(None);
    }
    let [gtid] = row(connection, &format!("SELECT BINLOG_GTID_POS('{}', {})", place.file, place.position)).await?;
    Ok(gtid)
}

/// What PostgreSQL's archiver says of itself: whether its newest try failed, in words; `None` where all is well.
pub(super) async fn archiver_fails(connection: &mut Connection) -> Result<Option<String>, RunError> {
    if !matches!(connection.driver, Driver::Postgres(_)) {
        return Ok(None);
    }
    let [mode, failing] = row(
        connection,
        "SELECT current_setting('archive_mode'), CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') \
         THEN last_failed_wal || ' since ' || last_failed_time END FROM pg_stat_archiver",
    )
    .await?;
    Ok(match (mode.as_deref(), failing) {
        (Some("off"), _) => Some(String::from("archive_mode is off")),
        (_, Some(failing)) => Some(format!("it fails to archive {failing}")),
        _ => None,
    })
}

async fn file(connection: &mut Connection) -> Result<Site, RunError> {
    let [version] = row(connection, "SELECT sqlite_version()").await?;
    let path = match &connection.home {
        Home::File(path) => path.clone(),
        Home::Memory | Home::Server(_) => return Err(strange("that it is in memory alone")),
    };
    let (device, inode) = sqlite::file_number(&path).map_err(|error| strange(&format!("{error} when its file was looked at")))?;
    let clock: DateTime<Utc> = Utc::now();
    let server = Server::Sqlite { path: path.display().to_string(), device, inode };
    Ok(Site { engine: connection.engine, version: version.unwrap_or_default(), database: String::new(), address: String::new(), clock, server })
}
