//! Where PostgreSQL stands, inside of a migration's transaction. In: what the migration changes and destroys. Out: a restore point and its
//! place in the write-ahead log, with the tables locked before it, so that every commit that wrote them is before it and nothing stands between it
//! and the first statement.

use super::connection::{Connection, said};
use super::pin::counted;
use super::postgres::literal;
use super::shape::{Table, postgres_table, with_what_goes_along};
use super::stop::Stop;
use crate::gate::Step;
use crate::parse::manner::Touchable;
use crate::pin::{Column, Destroyed, Destroys, PLAIN, Wal, What, quoted};
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// The name of a restore point has at most 63 bytes; the time takes some.
const LONGEST_VERSION: usize = 30;

/// How often the archiver is asked.
const POLL: Duration = Duration::from_millis(200);

fn says(error: &sqlx::Error) -> Stop {
    Stop::at(0, error)
}

/// Locks what `step` changes, looks at what it `destroys` for at most `scan_limit`, and makes a restore point. The server's clock comes with it.
pub(super) async fn pin(
    connection: &mut Connection,
    step: &Step,
    destroys: &[Destroys],
    scan_limit: Duration,
    now: DateTime<Utc>,
) -> Result<(String, Wal, Vec<Destroyed>), Stop> {
    let destroys = with_what_goes_along(connection, destroys).await.map_err(|error| says(&error))?;
    lock(connection, step, &destroys).await?;
    let destroyed = destroyed(connection, &destroys, scan_limit).await.map_err(|error| says(&error))?;
    let (clock, wal) = place(connection, &step.version, now).await.map_err(|error| says(&error))?;
    Ok((clock, wal, destroyed))
}

/// Takes the locks that the statements will need, before anything else: a lock that grows later would deadlock with those who read first and
/// write then. What only writes rows keeps no reader out.
async fn lock(connection: &mut Connection, step: &Step, destroys: &[Destroys]) -> Result<(), Stop> {
    let mut tables: BTreeMap<&str, bool> = BTreeMap::new();
    for touched in step.statements.iter().filter_map(|sql| sql.touched.as_ref()).flatten() {
        match touched.class {
            Touchable::Table | Touchable::Replaced => *tables.entry(&touched.name).or_default() = true,
            Touchable::Rows => *tables.entry(&touched.name).or_default() |= false,
            _ => {}
        }
    }
    for one in destroys {
        *tables.entry(&one.table).or_default() |= matches!(one.what, What::Table | What::Columns);
    }
    for (table, alone) in tables {
        let sql = format!("SELECT relkind::text, oid::regclass::text FROM pg_catalog.pg_class WHERE oid = {}", postgres_table(table));
        let found = connection.rows(&sql).await.map_err(|error| says(&error))?;
        // What is not there yet is the migration's own, and a view has no rows.
        if let Some([Some(kind), Some(name)]) = found.first().map(Vec::as_slice)
            && ["r", "p"].contains(&kind.as_str())
        {
            let mode = if alone { "ACCESS EXCLUSIVE" } else { "SHARE ROW EXCLUSIVE" };
            connection.run(&format!("LOCK TABLE {name} IN {mode} MODE")).await.map_err(|ended| Stop::ended(0, &ended))?;
        }
    }
    Ok(())
}

/// What stands of what is destroyed.
async fn destroyed(connection: &mut Connection, destroys: &[Destroys], scan_limit: Duration) -> sqlx::Result<Vec<Destroyed>> {
    let started = Instant::now();
    let mut all = Vec::new();
    for one in destroys {
        let Some(table) = table(connection, &one.table).await? else { continue };
        let Some(mut seen) = table.destroyed(one, destroys, |folded, name| folded == name, "public") else { continue };
        if let Some([rows, checksum]) = count(connection, &seen, scan_limit.saturating_sub(started.elapsed())).await? {
            (seen.rows, seen.estimated, seen.checksum) = (rows.parse().unwrap_or_default(), false, Some(checksum));
        }
        all.push(seen);
    }
    Ok(all)
}

/// The table of this folded name, if it is there.
pub(super) async fn table(connection: &mut Connection, folded: &str) -> sqlx::Result<Option<Table>> {
    let found = connection
        .rows(&format!(
            "SELECT c.oid::text, n.nspname, c.relname, greatest(c.reltuples, 0)::bigint::text, coalesce(i.indnkeyatts, 0)::text FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary \
             WHERE c.oid = {} AND c.relkind IN ('r', 'p')",
            postgres_table(folded)
        ))
        .await?;
    let found = found.into_iter().next().and_then(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok());
    let Some([oid, schema, name, rows, in_key]): Option<[String; 5]> = found else { return Ok(None) };
    // A type has its schema with its name, whatever search path reads it later.
    connection.execute("SAVEPOINT migrate_pin; SET LOCAL search_path = pg_catalog").await?;
    let columns = connection
        .rows(&format!(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod), array_position(i.indkey::int2[], a.attnum)::text \
             FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary \
             WHERE a.attrelid = {oid} AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum"
        ))
        .await?;
    connection.execute("ROLLBACK TO SAVEPOINT migrate_pin; RELEASE SAVEPOINT migrate_pin").await?;
    let number = |text: String| text.parse().unwrap_or_default();
    let in_key = number(in_key);
    let columns = columns.into_iter().filter_map(|row| {
        let [name, ty, place] = <[Option<String>; 3]>::try_from(row).ok()?;
        // The array counts from 0, and holds the columns that are only included after those of the key.
        let place = place.and_then(|place| place.parse().ok()).filter(|place| u64::from(*place) < in_key);
        Some((Column { name: name?, ty: ty? }, place))
    });
    Ok(Some(Table { schema, name, rows: number(rows), columns: columns.collect(), in_key: usize::try_from(in_key).unwrap_or_default() }))
}

/// Counts and sums, unless that takes longer than `limit`.
async fn count(connection: &mut Connection, of: &Destroyed, limit: Duration) -> sqlx::Result<Option<[String; 2]>> {
    if limit.is_zero() {
        return Ok(None);
    }
    connection.execute("SAVEPOINT migrate_pin").await?;
    let plain = PLAIN.iter().map(|(name, value)| format!("SET LOCAL {name} = '{value}'; ")).collect::<String>();
    let rows = async {
        connection.execute(&format!("{plain}SET LOCAL row_security = off; SET LOCAL statement_timeout = {}", limit.as_millis().max(1))).await?;
        connection.rows(&of.counted(&of.sql(quoted))).await
    };
    let rows = rows.await;
    // It only read; and so its settings end with it.
    connection.execute("ROLLBACK TO SAVEPOINT migrate_pin; RELEASE SAVEPOINT migrate_pin").await?;
    counted(rows, of)
}

/// Makes the restore point, where this user may, and reads its place. The server's clock comes first.
async fn place(connection: &mut Connection, version: &str, now: DateTime<Utc>) -> sqlx::Result<(String, Wal)> {
    let asked = "SELECT current_setting('wal_level'), current_setting('archive_mode'), \
                 coalesce(current_setting('archive_command', true), '') || coalesce(current_setting('archive_library', true), ''), \
                 has_function_privilege('pg_create_restore_point(text)', 'execute')::text, has_function_privilege('pg_control_system()', 'execute')::text, \
                 current_database()::text, (SELECT setting FROM pg_catalog.pg_settings WHERE name = 'data_directory'), current_setting('port'), \
                 current_setting('server_version')";
    let row = connection.rows(asked).await?.into_iter().next().and_then(|row| <[Option<String>; 9]>::try_from(row).ok()).unwrap_or_default();
    let [wal_level, archive_mode, command, may, may_ask, database, data_directory, port, server_version] = row;
    let text = Option::unwrap_or_default;
    // In a statement of its own: without the right it would end the migration's transaction.
    let system_identifier = match may_ask.as_deref() {
        Some("true" | "t") => connection.cell("SELECT system_identifier::text FROM pg_control_system()").await?,
        _ => None,
    };
    let impossible = match &system_identifier {
        None => Some("this user may not ask which cluster this is (pg_control_system)"),
        Some(_) => unarchived(wal_level.as_deref(), archive_mode.as_deref(), command.as_deref()),
    };
    let version: String = version.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).take(LONGEST_VERSION).collect();
    let name = format!("migrate_{version}_{}", now.format("%Y%m%dT%H%M%S%.3fZ"));
    let restore_point = Some(name).filter(|_| matches!(may.as_deref(), Some("true" | "t")) && wal_level.as_deref() != Some("minimal"));
    // What it returns is the end of its own record; where the log is written to, pg_current_wal_lsn(), lags behind that.
    let lsn = match &restore_point {
        Some(name) => format!("pg_create_restore_point({})", literal(Some(name))),
        None => String::from("pg_current_wal_insert_lsn()"),
    };
    let lsn = text(connection.cell(&format!("SELECT {lsn}::text")).await?);
    let place = format!(
        "SELECT pg_walfile_name('{lsn}'), pg_current_xact_id()::text, to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    );
    let row = connection.rows(&place).await?.into_iter().next().and_then(|row| <[Option<String>; 3]>::try_from(row).ok()).unwrap_or_default();
    let [wal_file, xid, clock] = row.map(text);
    let wal = Wal {
        restore_point,
        lsn,
        timeline: wal_file.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok()).unwrap_or_default(),
        wal_file,
        system_identifier: text(system_identifier),
        xid,
        database: text(database),
        data_directory,
        port: text(port),
        server_version: text(server_version),
        impossible: impossible.map(str::to_owned),
    };
    Ok((clock, wal))
}

/// Why the log leads nowhere, by the server's settings.
pub(super) fn unarchived(wal_level: Option<&str>, archive_mode: Option<&str>, command: Option<&str>) -> Option<&'static str> {
    match (wal_level, archive_mode, command) {
        (Some("minimal"), ..) => Some("wal_level is minimal"),
        (_, Some("off"), _) => Some("archive_mode is off"),
        (_, _, Some("" | "(disabled)")) => Some("archive_command is empty, and so is archive_library"),
        _ => None,
    }
}

/// Ships the segment that holds the pin, and waits until it is archived. What stands in the way is told.
pub(super) async fn archived(connection: &mut Connection, wal: &Wal, limit: Duration) -> Result<(), String> {
    let started = Instant::now();
    let words = |error: &sqlx::Error| format!("the segment {} was not shipped: {}", wal.wal_file, said(error));
    connection.rows("SELECT pg_switch_wal()").await.map_err(|error| words(&error))?;
    let asked = format!("SELECT left(last_archived_wal, 24) >= '{}' FROM pg_stat_archiver WHERE last_archived_wal ~ '^[0-9A-F]{{24}}'", wal.wal_file);
    loop {
        if let Some("true" | "t") = connection.cell(&asked).await.map_err(|error| words(&error))?.as_deref() {
            return Ok(());
        }
        if started.elapsed() >= limit {
            return Err(format!("the segment {} was not archived within {} s", wal.wal_file, limit.as_secs()));
        }
        if let Some(signal) = connection.interrupt.raised() {
            return Err(format!("{} came before the segment {} was archived", signal.name(), wal.wal_file));
        }
        tokio::time::sleep(POLL.min(limit)).await;
    }
}
