//! A copy beside its SQLite database. In: what the history says of the copy. Out: what both hold, and what is lost brought back.

use super::connection::{Connection, Home, interruptible};
use super::live::SCANS;
use super::snapshot::hashed;
use super::sqlite::{dangling, newly_dangling};
use super::tables::quoted;
use super::{Locked, RunError, Session};
use crate::pin::Snapshot;
use crate::recover::sqlite::{Column, Follows, Numbers, Other, Repair, Since, Table, script, since};
use std::time::Instant;

/// What a copy and its database hold.
#[derive(Debug)]
pub struct Beside {
    /// The database's file, without links.
    pub database: String,
    /// What is lost.
    pub repairs: Vec<(Repair, Numbers)>,
    /// What was written since: rows that came, went and are others. What was not counted in time is unknown.
    pub since: Vec<(Since, Option<[u64; 3]>)>,
}

/// Finds what a migration took away, from the tables before it and now.
pub type Find<'a> = &'a dyn Fn(&[Table], &[Table]) -> Vec<Repair>;

const DOING: &str = "looking at the copy beside the database";

impl Session {
    /// Compares the database with `copy`, by what `find` makes of their tables.
    ///
    /// # Errors
    /// [`RunError::Drift`] where the copy is not what was recorded.
    pub async fn beside(&mut self, copy: &Snapshot, find: Find<'_>) -> Result<Beside, RunError> {
        interruptible(&mut self.connection, async |connection| beside(connection, copy, find).await).await
    }
}

impl Locked {
    /// Brings back what `find` finds lost, in one transaction, and gives what that was. Where not all of it is found afterwards, nothing is changed.
    ///
    /// # Errors
    /// [`RunError::Drift`] where the copy is not what was recorded; [`RunError::Refused`] where the database refuses, or something is not found.
    pub async fn repair(&mut self, copy: &Snapshot, find: Find<'_>) -> Result<Vec<(Repair, Numbers)>, RunError> {
        let repaired = interruptible(&mut self.connection, async |connection| {
            let refused = |connection: &Connection, error: &sqlx::Error| connection.refused("bringing back what is lost", error);
            attach(connection, copy).await?;
            connection.execute("PRAGMA foreign_keys = OFF").await.map_err(|error| refused(connection, &error))?;
            connection.execute("BEGIN IMMEDIATE").await.map_err(|error| refused(connection, &error))?;
            let repaired = repair(connection, find).await;
            let end = if repaired.is_ok() { "COMMIT" } else { "ROLLBACK" };
            let ended = connection.execute(end).await.map_err(|error| refused(connection, &error));
            let repaired = repaired?;
            ended.map(|()| repaired)
        });
        let repaired = repaired.await;
        if let Err(RunError::Interrupted(_)) = repaired {
            // SQLite may have rolled back by itself.
            let _ = self.connection.execute("ROLLBACK").await;
        }
        repaired
    }
}

/// The same, inside of its transaction.
async fn repair(connection: &mut Connection, find: Find<'_>) -> Result<Vec<(Repair, Numbers)>, RunError> {
    let refused = |connection: &Connection, error: &sqlx::Error| connection.refused("bringing back what is lost", error);
    let dangled = dangling(connection).await;
    let (before, now) = both(connection).await.map_err(|error| refused(connection, &error))?;
    let lost = measured(connection, find(&before, &now)).await.map_err(|error| refused(connection, &error))?;
    let repairs: Vec<Repair> = lost.iter().map(|(repair, _)| repair.clone()).collect();
    for sql in script(&repairs) {
        connection.execute(&sql).await.map_err(|error| refused(connection, &error))?;
    }
    let not_whole = |message: String| RunError::Refused { doing: "looking whether all is back", message };
    for (repair, numbers) in &lost {
        let found = number(connection, &repair.found).await.map_err(|error| refused(connection, &error))?;
        if found != numbers.goal || found == 0 {
            return Err(not_whole(format!("of {}, {found} of {} are found; nothing was changed", repair.object, numbers.goal)));
        }
    }
    match newly_dangling(dangled, dangling(connection).await) {
        Some(message) => Err(not_whole(format!("{message}; nothing was changed"))),
        None => Ok(lost),
    }
}

async fn beside(connection: &mut Connection, copy: &Snapshot, find: Find<'_>) -> Result<Beside, RunError> {
    attach(connection, copy).await?;
    let refused = |connection: &Connection, error: &sqlx::Error| connection.refused(DOING, error);
    let (before, now) = both(connection).await.map_err(|error| refused(connection, &error))?;
    let repairs = measured(connection, find(&before, &now)).await.map_err(|error| refused(connection, &error))?;
    let mut written = Vec::new();
    let started = Instant::now();
    for one in since(&before, &now) {
        if started.elapsed() > SCANS {
            written.push((one, None));
            continue;
        }
        let mut numbers = [0; 3];
        for (number_of, query) in numbers.iter_mut().zip([&one.inserted, &one.deleted, &one.changed]) {
            *number_of = number(connection, query).await.map_err(|error| refused(connection, &error))?;
        }
        written.push((one, Some(numbers)));
    }
    let database = match &connection.home {
        Home::File(path) => path.display().to_string(),
        Home::Memory | Home::Server(_) => connection.place.clone(),
    };
    Ok(Beside { database, repairs, since: written })
}

/// Attaches `copy` as `pin`, if it is what was recorded.
async fn attach(connection: &mut Connection, copy: &Snapshot) -> Result<(), RunError> {
    let file = copy.file.display().to_string();
    let (bytes, sha256) =
        hashed(connection, &copy.file).await.map_err(|stop| RunError::Drift(format!("the copy made before the migration: {}", stop.message)))?;
    if bytes != copy.bytes || sha256 != copy.sha256 {
        return Err(RunError::Drift(format!(
            "{file} is not the copy that was made before the migration: it has {bytes} bytes and SHA-256 {sha256}, and recorded are {} and {}",
            copy.bytes, copy.sha256
        )));
    }
    connection.execute(&format!("ATTACH {} AS pin", quoted(&file, '\''))).await.map_err(|error| connection.refused(DOING, &error))
}

/// Those of `repairs` that have something to bring back, with the numbers.
async fn measured(connection: &mut Connection, repairs: Vec<Repair>) -> sqlx::Result<Vec<(Repair, Numbers)>> {
    let mut all = Vec::new();
    for repair in repairs {
        let lost = number(connection, &repair.lost).await?;
        if lost > 0 {
            let goal = number(connection, &repair.goal).await?;
            all.push((repair, Numbers { lost, goal }));
        }
    }
    Ok(all)
}

async fn number(connection: &mut Connection, sql: &str) -> sqlx::Result<u64> {
    Ok(connection.cell(sql).await?.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// The tables of the copy and of the database.
async fn both(connection: &mut Connection) -> sqlx::Result<(Vec<Table>, Vec<Table>)> {
    Ok((tables(connection, "pin").await?, tables(connection, "main").await?))
}

/// The tables of one of them; those of SQLite itself and virtual ones are left out.
async fn tables(connection: &mut Connection, of: &str) -> sqlx::Result<Vec<Table>> {
    let rows = connection
        .rows(&format!(
            r"SELECT type, name, tbl_name, sql FROM {of}.sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
              AND type IN ('table', 'index', 'trigger') AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY type = 'trigger', rowid"
        ))
        .await?;
    let rows: Vec<[String; 4]> = rows.into_iter().filter_map(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()).collect();
    let mut tables = Vec::new();
    for [_, name, _, sql] in rows.iter().filter(|row| row[0] == "table") {
        let columns = connection.rows(&format!("SELECT name, type, pk, hidden FROM pragma_table_xinfo({}, '{of}')", quoted(name, '\''))).await?;
        let column = |row: Vec<Option<String>>| {
            let [name, ty, key, hidden] = <[Option<String>; 4]>::try_from(row).ok()?;
            let number = |text: Option<String>| text.and_then(|text| text.parse::<u32>().ok()).unwrap_or_default();
            Some(Column { name: name?, ty: ty.unwrap_or_default(), key: number(key), generated: number(hidden) > 0 })
        };
        let others = rows.iter().filter(|row| row[0] != "table" && row[2] == *name);
        let others = others.map(|[class, name, _, sql]| Other { name: name.clone(), sql: sql.clone(), is_trigger: class == "trigger" }).collect();
        let keys =
            connection.rows(&format!("SELECT \"table\", on_delete, on_update, \"from\" FROM pragma_foreign_key_list({}, '{of}')", quoted(name, '\''))).await?;
        let follows = keys.into_iter().filter_map(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok()).flat_map(follows).collect();
        tables.push(Table { name: name.clone(), sql: sql.clone(), columns: columns.into_iter().filter_map(column).collect(), others, follows });
    }
    Ok(tables)
}

/// What a foreign key does by itself: where it points, on DELETE, on UPDATE, its column.
fn follows([table, on_delete, on_update, column]: [String; 4]) -> Vec<Follows> {
    let acts = |action: &str| matches!(action, "CASCADE" | "SET NULL" | "SET DEFAULT");
    let actions = [(false, on_delete), (true, on_update)].into_iter().filter(|(_, action)| acts(action));
    let one =
        |(on_update, action): (bool, String)| Follows { table: table.clone(), deleted: !on_update && action == "CASCADE", on_update, column: column.clone() };
    actions.map(one).collect()
}
