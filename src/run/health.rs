//! Whether a server is fit for what `up` and `recover` need of it. In: a connection. Out: what is not, one sentence each.

use super::connection::{Canceller, Connection, Driver, Home, interruptible, lost, said};
use super::{Locked, RunError, pooler, wal};
use serde::Serialize;

const DOING: &str = "asking what this user may do here";

/// Something that a server lacks, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// A stable word.
    pub code: &'static str,
    /// What is not well.
    pub message: String,
    /// What to do about it.
    pub help: &'static str,
}

impl Locked {
    /// What is not as `up`, its pin and `recover` need it.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] or [`RunError::Unreachable`].
    pub async fn health(&mut self) -> Result<Vec<Advice>, RunError> {
        interruptible(&mut self.connection, async |connection| {
            let asked = match connection.driver {
                Driver::Sqlite(_) => Ok(sqlite(connection)),
                Driver::Postgres(_) => postgres(connection).await,
                Driver::Mysql(_) => mysql(connection).await,
            };
            asked.map_err(|error| connection.refused(DOING, &error))
        })
        .await
    }
}

/// A copy before what destroys data needs a place beside the file.
fn sqlite(connection: &Connection) -> Vec<Advice> {
    let Home::File(path) = &connection.home else { return Vec::new() };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    // Whether one may write there shows only where one does.
    match tempfile::tempfile_in(folder) {
        Ok(_) => Vec::new(),
        Err(error) => vec![Advice {
            code: "no-room-for-copies",
            message: format!("{} cannot be written to ({error}), so no copy and no lock can be made there", folder.display()),
            help: "give this user the right to write there, or name another place: `directory` in [pin] of migrate.toml",
        }],
    }
}

async fn postgres(connection: &mut Connection) -> sqlx::Result<Vec<Advice>> {
    let mut all = Vec::new();
    let own = connection.cell("SELECT pg_backend_pid()::text").await?;
    if let Canceller::Postgres(options, _) = &connection.canceller {
        match pooler::second(options).await {
            // What hands its processes from client to client hands out the one that was given back last.
            Ok(second) if second == own => all.push(Advice {
                code: "pooler",
                message: String::from("this connection leads to a pooler that shares server processes between clients, so no lock would hold"),
                help: "connect directly to PostgreSQL, or to a pool in session mode",
            }),
            Ok(_) => {}
            Err(error) if lost(&error) => return Err(error),
            Err(error) => all.push(Advice {
                code: "one-connection",
                message: format!("a second connection, which is needed to cancel statements: {}", connection.secrets.mask(&said(&error))),
                help: "let this user open two connections",
            }),
        }
    }
    let asked = "SELECT current_setting('wal_level'), current_setting('archive_mode'), \
                 coalesce(current_setting('archive_command', true), '') || coalesce(current_setting('archive_library', true), ''), \
                 has_function_privilege('pg_create_restore_point(text)', 'execute')::text, has_function_privilege('pg_switch_wal()', 'execute')::text, \
                 has_function_privilege('pg_control_system()', 'execute')::text, \
                 (SELECT CASE WHEN last_failed_time > coalesce(last_archived_time, '-infinity') THEN last_failed_wal END FROM pg_stat_archiver)";
    let row = connection.rows(asked).await?.into_iter().next().and_then(|row| <[Option<String>; 7]>::try_from(row).ok()).unwrap_or_default();
    let [wal_level, archive_mode, command, restore_point, switch, control, failing] = row;
    if let Some(why) = wal::unarchived(wal_level.as_deref(), archive_mode.as_deref(), command.as_deref()) {
        all.push(Advice {
            code: "no-archive",
            message: format!("no point-in-time recovery is possible: {why}"),
            help: "archive the log (manual, \"Continuous Archiving\"); `[pin] required` refuses to destroy anything without",
        });
    } else if let Some(segment) = failing {
        all.push(Advice {
            code: "archive-fails",
            message: format!("the server fails to archive {segment}, so what is written now cannot be recovered"),
            help: "the server's log says why archive_command fails",
        });
    }
    let may = |cell: Option<String>| matches!(cell.as_deref(), Some("true" | "t"));
    for (allowed, function) in [(may(restore_point), "pg_create_restore_point(text)"), (may(switch), "pg_switch_wal()"), (may(control), "pg_control_system()")]
    {
        if !allowed {
            all.push(Advice {
                code: "no-right",
                message: format!("this user may not call {function}, which a pin needs"),
                help: "GRANT EXECUTE ON FUNCTION … TO the user that runs migrations (`migrate explain recover`)",
            });
        }
    }
    Ok(all)
}

async fn mysql(connection: &mut Connection) -> sqlx::Result<Vec<Advice>> {
    let asked = "SELECT CAST(@@log_bin + 0 AS CHAR), CAST(@@sql_log_bin + 0 AS CHAR), @@binlog_format";
    let row = connection.rows(asked).await?.into_iter().next().and_then(|row| <[Option<String>; 3]>::try_from(row).ok()).unwrap_or_default();
    let [log, own, format] = row;
    let advice = |message: &str, help| vec![Advice { code: "no-log", message: format!("no point-in-time recovery is possible: {message}"), help }];
    if log.as_deref() != Some("1") {
        return Ok(advice("log_bin is off", "start the server with log_bin; `[pin] required` refuses to destroy anything without"));
    }
    if own.as_deref() == Some("0") {
        return Ok(advice("sql_log_bin is off for this user", "leave it on for the user that runs migrations"));
    }
    if format.as_deref() == Some("STATEMENT") {
        return Ok(advice("binlog_format is STATEMENT, whose events may do something else when they are played again", "set binlog_format to ROW or MIXED"));
    }
    // It was renamed in MySQL 8.2, which no longer knows the old words.
    for asked in ["SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"] {
        match connection.rows(asked).await {
            Ok(_) => return Ok(Vec::new()),
            Err(error) if lost(&error) => return Err(error),
            Err(_) => {}
        }
    }
    Ok(vec![Advice {
        code: "no-right",
        message: String::from("this user may not ask where the binary log ends, which a pin needs"),
        help: "GRANT BINLOG MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) ON *.* TO the user that runs migrations",
    }])
}
