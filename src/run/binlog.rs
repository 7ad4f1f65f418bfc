//! Where MySQL and MariaDB stand before a migration. In: what it changes and destroys. Out: a place in the binary log, taken while nobody can
//! write these tables, with what they hold of it.
//!
//! DDL commits by itself and needs tables unlocked that are not named before, so the lock is given up before the first statement: the pin
//! is inexact by what others write in between.

use super::connection::Connection;
use super::pin::counted;
use super::shape::{Table, mysql_table, with_what_goes_along};
use super::site;
use super::stop::Stop;
use super::tables::quoted;
use crate::engine::Engine;
use crate::gate::Step;
use crate::observed::site::Server;
use crate::parse::manner::Touchable;
use crate::pin::{Binlog, Column, Destroyed, Destroys, backquoted};
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

fn says(error: &sqlx::Error) -> Stop {
    Stop::at(0, error)
}

/// Locks what `step` changes, looks at what it `destroys` for at most `scan_limit` and at the log, and lets go. The server's clock comes with it.
pub(super) async fn pin(
    connection: &mut Connection,
    step: &Step,
    destroys: &[Destroys],
    scan_limit: Duration,
) -> Result<(String, Binlog, Vec<Destroyed>), Stop> {
    let destroys = with_what_goes_along(connection, destroys).await.map_err(|error| says(&error))?;
    let tables = there(connection, step, &destroys).await.map_err(|error| says(&error))?;
    let shapes = shapes(connection, &destroys).await.map_err(|error| says(&error))?;
    let mut scan_limit = scan_limit;
    if !tables.is_empty() {
        let all = tables.iter().map(|(schema, table)| format!("{}.{} WRITE", quoted(schema, '`'), quoted(table, '`'))).collect::<Vec<_>>().join(", ");
        if let Err(ended) = connection.run(&format!("LOCK TABLES {all}")).await {
            let stop = Stop::ended(0, &ended);
            if stop.again || stop.lost || stop.by.is_some() {
                return Err(stop);
            }
            // Who may alter a table need not have the right to lock it; what others change meanwhile is not worth counting.
            tracing::info!("the tables are not locked for the pin: {}", stop.message);
            scan_limit = Duration::ZERO;
        }
    }
    let looked = look(connection, shapes, scan_limit).await;
    let unlocked = connection.execute("UNLOCK TABLES").await.map_err(|error| says(&error));
    let looked = looked?;
    unlocked.map(|()| looked)
}

fn named(table: &str) -> String {
    mysql_table(table, "table_schema", "table_name")
}

/// The tables that are there, by the names that the server has for them.
async fn there(connection: &mut Connection, step: &Step, destroys: &[Destroys]) -> sqlx::Result<BTreeSet<(String, String)>> {
    let touched = step.statements.iter().filter_map(|sql| sql.touched.as_ref()).flatten();
    let touched = touched.filter(|touched| [Touchable::Table, Touchable::Replaced, Touchable::Rows].contains(&touched.class)).map(|touched| &touched.name);
    let names: BTreeSet<&String> = touched.chain(destroys.iter().map(|one| &one.table)).collect();
    let mut all = BTreeSet::new();
    for name in names {
        let sql = format!("SELECT table_schema, table_name FROM information_schema.tables WHERE {} AND table_type = 'BASE TABLE'", named(name));
        for row in connection.rows(&sql).await? {
            if let Ok([Some(schema), Some(table)]) = <[Option<String>; 2]>::try_from(row) {
                all.insert((schema, table));
            }
        }
    }
    Ok(all)
}

/// What is destroyed, before anything is counted: the catalogue is not asked under the lock.
async fn shapes(connection: &mut Connection, destroys: &[Destroys]) -> sqlx::Result<Vec<Destroyed>> {
    let mut all = Vec::new();
    for one in destroys {
        let Some(table) = table(connection, &one.table).await? else { continue };
        let home = table.schema.clone();
        all.extend(table.destroyed(one, destroys, str::eq_ignore_ascii_case, &home));
    }
    Ok(all)
}

/// The table of this folded name, if it is there.
pub(super) async fn table(connection: &mut Connection, folded: &str) -> sqlx::Result<Option<Table>> {
    let sql = format!(
        "SELECT table_schema, table_name, CAST(COALESCE(table_rows, 0) AS CHAR) FROM information_schema.tables WHERE {} AND table_type = 'BASE TABLE'",
        named(folded)
    );
    let found = connection.rows(&sql).await?.into_iter().next();
    let found = found.and_then(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok());
    let Some([schema, name, rows]): Option<[String; 3]> = found else { return Ok(None) };
    let sql = format!(
        "SELECT c.column_name, c.column_type, CAST(k.ordinal_position AS CHAR), COALESCE(c.generation_expression, '') FROM information_schema.columns c \
         LEFT JOIN information_schema.key_column_usage k ON k.table_schema = c.table_schema AND k.table_name = c.table_name \
         AND k.column_name = c.column_name AND k.constraint_name = 'PRIMARY' WHERE c.table_schema = {} AND c.table_name = {} \
         ORDER BY c.ordinal_position",
        quoted(&schema, '\''),
        quoted(&name, '\'')
    );
    let (mut columns, mut in_key) = (Vec::new(), 0);
    for row in connection.rows(&sql).await? {
        let [Some(name), Some(ty), place, Some(generated)] = <[Option<String>; 4]>::try_from(row).unwrap_or_default() else { continue };
        in_key += usize::from(place.is_some());
        if generated.is_empty() {
            columns.push((Column { name, ty }, place.and_then(|place| place.parse().ok())));
        }
    }
    Ok(Some(Table { schema, name, rows: rows.parse().unwrap_or_default(), columns, in_key }))
}

/// Counts, and reads where the log ends.
async fn look(connection: &mut Connection, mut shapes: Vec<Destroyed>, scan_limit: Duration) -> Result<(String, Binlog, Vec<Destroyed>), Stop> {
    let started = Instant::now();
    // A moment's text depends on it; the script's own session begins after this.
    connection.execute("SET SESSION time_zone = '+00:00'").await.map_err(|error| says(&error))?;
    for shape in &mut shapes {
        let left = scan_limit.saturating_sub(started.elapsed());
        if let Some([rows, checksum]) = count(connection, shape, left).await.map_err(|error| says(&error))? {
            (shape.rows, shape.estimated, shape.checksum) = (rows.parse().unwrap_or_default(), false, Some(checksum));
        }
    }
    connection.execute("SET SESSION time_zone = DEFAULT").await.map_err(|error| says(&error))?;
    let site = site::site(connection).await.map_err(|error| Stop { at: 0, doing: None, message: error.to_string(), lost: false, again: false, by: None })?;
    let Server::Mysql { uuid, server_id, hostname, port, datadir, binlog, gtid } = site.server else {
        return Err(Stop { at: 0, doing: None, message: String::from("this is no server of MySQL"), lost: false, again: false, by: None });
    };
    let asked = "SELECT CAST(@@log_bin + 0 AS CHAR), CAST(@@sql_log_bin + 0 AS CHAR), @@binlog_format, COALESCE(@@log_bin_basename, '')";
    let row = connection.rows(asked).await.map_err(|error| says(&error))?.into_iter().next();
    let [log, own, format, base] = row.and_then(|row| <[Option<String>; 4]>::try_from(row).ok()).unwrap_or_default();
    let impossible = match (log.as_deref(), own.as_deref(), &binlog, format.as_deref()) {
        (Some("1"), Some("0"), ..) => Some("sql_log_bin is off for this user"),
        (Some("1"), _, Some(_), Some("STATEMENT")) => Some("binlog_format is STATEMENT, whose events may do something else when they are played again"),
        (Some("1"), _, Some(_), _) => None,
        (Some("1"), ..) => Some("this user may not ask where the binary log ends (BINLOG MONITOR, REPLICATION CLIENT)"),
        _ => Some("log_bin is off"),
    };
    let (file, position) = binlog.map(|binlog| (binlog.file, binlog.position)).unwrap_or_default();
    let binlog = Binlog {
        file,
        position,
        gtid,
        basename: base.unwrap_or_default(),
        server_uuid: uuid,
        server_id,
        address: format!("{hostname}:{port}"),
        data_directory: datadir,
        database: site.database,
        server_version: site.version,
        impossible: impossible.map(str::to_owned),
    };
    Ok((site.clock.to_rfc3339_opts(chrono::SecondsFormat::Millis, true), binlog, shapes))
}

/// Counts and sums, unless that takes longer than `limit`.
async fn count(connection: &mut Connection, of: &Destroyed, limit: Duration) -> sqlx::Result<Option<[String; 2]>> {
    if limit.is_zero() {
        return Ok(None);
    }
    let sql = of.counted_mysql(&of.sql(backquoted));
    let sql = match connection.engine {
        Engine::Mysql => sql.replacen("SELECT", &format!("SELECT /*+ MAX_EXECUTION_TIME({}) */", limit.as_millis().max(1)), 1),
        _ => format!("SET STATEMENT max_statement_time = {} FOR {sql}", limit.as_secs_f64()),
    };
    counted(connection.rows(&sql).await, of)
}
