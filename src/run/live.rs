//! What a live server says for a way back. In: the pin. Out: what the runbook is filled with.

use super::connection::{Canceller, Connection, interruptible};
use super::history::HistoryTable;
use super::{RunError, Session, postgres, site};
use crate::pin::{Binlog, Wal, quoted};
use crate::recover::mariadb::{self, BYTES, SET_BY_CHANGE};
use crate::recover::postgres::{ARCHIVED, Live, conninfo, wal_bytes, written};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::time::{Duration, Instant};

/// How long the rows of one table are counted.
const SCAN: Duration = Duration::from_secs(2);

/// How long those of all tables are: whoever asks stands in an incident.
pub(super) const SCANS: Duration = Duration::from_secs(20);

const DOING: &str = "looking at the database that lost something";

impl Session {
    /// What the database says now.
    ///
    /// # Errors
    /// [`RunError::Drift`] where it is not of the cluster that `wal` is a place of.
    pub async fn live(&mut self, wal: &Wal, history_table: &str) -> Result<Live, RunError> {
        let table = HistoryTable::find(&mut self.connection, history_table).await?;
        interruptible(&mut self.connection, async |connection| {
            let cluster = "SELECT system_identifier || '/' || current_database() FROM pg_control_system()";
            let (cluster, pinned) = (cell(connection, cluster).await?, format!("{}/{}", wal.system_identifier, wal.database));
            if cluster != pinned {
                return Err(RunError::Drift(format!(
                    "the pin is of the cluster and database {pinned}, and this is {cluster}; what is recovered would not fit"
                )));
            }
            look(connection, wal, &table).await
        })
        .await
    }

    /// What the MariaDB of `log` says now.
    ///
    /// # Errors
    /// [`RunError::Drift`] where it is another server or database.
    pub async fn live_mariadb(&mut self, log: &Binlog) -> Result<mariadb::Live, RunError> {
        interruptible(&mut self.connection, async |connection| {
            let here = "SELECT CONCAT(@@hostname, ':', @@port, ' ', @@datadir, ' ', DATABASE())";
            let (here, pinned) = (cell(connection, here).await?, format!("{} {} {}", log.address, log.data_directory, log.database));
            if here != pinned {
                return Err(RunError::Drift(format!("the pin is of the server and database {pinned}, and this is {here}; what is recovered would not fit")));
            }
            let arguments = match &connection.canceller {
                Canceller::Mysql(options, _) => arguments(options),
                Canceller::Flag(_) | Canceller::Postgres(..) => Vec::new(),
            };
            let logs = site::binlogs(connection).await?.unwrap_or_default();
            let columns = connection.rows(SET_BY_CHANGE).await.map_err(|error| connection.refused(DOING, &error))?;
            Ok(mariadb::Live {
                arguments,
                log: format!("{} to {}", logs.first().map_or("nothing", String::as_str), logs.last().map_or("nothing", String::as_str)),
                log_is_there: logs.contains(&log.file),
                lower_case: cell(connection, "SELECT CAST(@@lower_case_table_names AS CHAR)").await?,
                // It may be named from the folder of the data.
                pid_file: cell(connection, "SELECT IF(@@pid_file LIKE '/%', @@pid_file, CONCAT(@@datadir, @@pid_file))").await?,
                bytes: cell(connection, BYTES).await?,
                set_by_change: columns.into_iter().filter_map(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()).collect(),
            })
        })
        .await
    }

    /// Where the connection leads, for people; without a password.
    pub fn place(&self) -> &str {
        &self.connection.place
    }
}

async fn cell(connection: &mut Connection, sql: &str) -> Result<String, RunError> {
    connection.cell(sql).await.map(Option::unwrap_or_default).map_err(|error| connection.refused(DOING, &error))
}

async fn look(connection: &mut Connection, wal: &Wal, history: &HistoryTable) -> Result<Live, RunError> {
    let archived =
        format!("SELECT (left(last_archived_wal, 24) >= '{}')::text FROM pg_stat_archiver WHERE last_archived_wal ~ '^[0-9A-F]{{24}}'", wal.wal_file);
    let known = |text: String| Some(text).filter(|text| !text.is_empty());
    let mut live = Live {
        conninfo: match &connection.canceller {
            Canceller::Postgres(options, _) => reached(options),
            Canceller::Flag(_) | Canceller::Mysql(..) => String::new(),
        },
        user: cell(connection, "SELECT session_user::text").await?,
        superuser: cell(connection, "SELECT rolsuper::text FROM pg_catalog.pg_roles WHERE rolname = session_user").await? == "true",
        // Only for those who may read the server's files.
        programs: connection.cell("SELECT setting FROM pg_config WHERE name = 'BINDIR'").await.ok().flatten(),
        data_directory: known(cell(connection, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'").await?),
        wal_bytes: cell(connection, &wal_bytes(&wal.lsn)).await?,
        timeline: cell(connection, "SELECT timeline_id::text FROM pg_control_checkpoint()").await?,
        archived: cell(connection, ARCHIVED).await?,
        pin_archived: cell(connection, &archived).await? == "true",
        bytes: cell(connection, "SELECT pg_database_size(current_database())::text").await?,
        written: Vec::new(),
    };
    let started = Instant::now();
    for table in postgres::tables(connection).await.map_err(|error| connection.refused(DOING, &error))? {
        if !history.is(&table.name) {
            let name = format!("{}.{}", quoted(&table.name.0), quoted(&table.name.1));
            let limit = SCAN.min(SCANS.saturating_sub(started.elapsed())).as_millis();
            let mut rows = None;
            // No limit at all is what 0 means to the server.
            if limit > 0 {
                connection.execute(&format!("SET statement_timeout = {limit}")).await.map_err(|error| connection.refused(DOING, &error))?;
                rows = connection.cell(&written(&name, &wal.xid)).await.ok().flatten();
            }
            live.written.push((name, rows.and_then(|rows| rows.parse().ok())));
        }
    }
    Ok(live)
}

/// The connection as the client's arguments, without the password.
fn arguments(options: &MySqlConnectOptions) -> Vec<String> {
    let place = match options.get_socket() {
        Some(socket) => vec![format!("--socket={}", socket.display())],
        None => vec![format!("--host={}", options.get_host()), format!("--port={}", options.get_port())],
    };
    place.into_iter().chain([format!("--user={}", options.get_username())]).collect()
}

/// The connection as `psql` takes it, without the password.
fn reached(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |socket| socket.display().to_string());
    let database = options.get_database().unwrap_or(options.get_username());
    let mode = match options.get_ssl_mode() {
        PgSslMode::Disable => "disable",
        PgSslMode::Allow => "allow",
        PgSslMode::Prefer => "prefer",
        PgSslMode::Require => "require",
        PgSslMode::VerifyCa => "verify-ca",
        PgSslMode::VerifyFull => "verify-full",
    };
    format!("host={} port={} user={} dbname={} sslmode={mode}", conninfo(&host), options.get_port(), conninfo(options.get_username()), conninfo(database))
}
