//! The journal of runs that are not one transaction. In: what is about to run, what has run. Out: rows that tell after any crash
//! which statements stand.
//!
//! A table beside the history table, whose columns [`crate::run`] explains; like that one it only grows.

use super::connection::{Connection, Driver};
use super::history::{HistoryTable, now};
use super::look::Look;
use super::{RunError, tables};
use crate::gate::Step;

/// Where a run stands by its journal.
pub(super) struct Position {
    /// How many statements stand, and the checksum over them.
    pub(super) done: (usize, String),
    /// What began after these and has no end: how many would stand, their checksum, and what was looked at.
    pub(super) begun: Option<(usize, String, Option<Look>)>,
}

/// Writes a run's rows.
pub(super) struct Journal {
    table: String,
    run: i64,
    entry: i64,
}

fn table(history: &HistoryTable) -> String {
    history.beside(SUFFIX)
}

/// What follows the history table's name.
pub(super) const SUFFIX: &str = "_journal";

impl Journal {
    /// The journal of the run that the history row `run` tells of; makes the table where it is missing.
    pub(super) async fn open(connection: &mut Connection, history: &HistoryTable, run: i64) -> sqlx::Result<Journal> {
        let sql = table(history);
        if !history.exists_beside(connection, SUFFIX).await? {
            let (short, long, end) = tables::text_types(&connection.driver);
            let create = format!(
                "CREATE TABLE {sql} (run BIGINT NOT NULL, entry BIGINT NOT NULL, statements BIGINT NOT NULL, phase {short} NOT NULL, at {short} NOT NULL, \
                 prefix_sha256 {short} NOT NULL, looked_at {long}, PRIMARY KEY (run, entry)){end}"
            );
            connection.execute(&create).await?;
        }
        let last = connection.cell(&format!("SELECT max(entry) FROM {sql} WHERE run = {run}")).await?;
        let entry = last.and_then(|n| n.parse().ok()).unwrap_or(0);
        Ok(Journal { table: sql, run, entry })
    }

    /// Says that the statements up to number `count` are about to run.
    pub(super) async fn begun(&mut self, connection: &mut Connection, step: &Step, count: usize, looked: Option<&Look>) -> sqlx::Result<()> {
        let looked = looked.map(|looked| serde_json::to_string(looked).expect("plain values become JSON"));
        self.committed(connection, step, count, "begun", looked.as_deref()).await
    }

    /// Says that the statements up to number `count` stand, in a transaction of its own.
    pub(super) async fn done(&mut self, connection: &mut Connection, step: &Step, count: usize) -> sqlx::Result<()> {
        self.committed(connection, step, count, "done", None).await
    }

    /// Says that the database refused what was about to run: it did nothing, whatever the catalog shows later.
    pub(super) async fn refused(&mut self, connection: &mut Connection, step: &Step, count: usize) -> sqlx::Result<()> {
        self.committed(connection, step, count, "refused", None).await
    }

    /// Says so within the transaction that made them stand.
    pub(super) async fn done_within(&mut self, connection: &mut Connection, step: &Step, count: usize) -> sqlx::Result<()> {
        self.add(connection, step, count, "done", None).await
    }

    async fn committed(&mut self, connection: &mut Connection, step: &Step, count: usize, phase: &str, looked: Option<&str>) -> sqlx::Result<()> {
        self.add(connection, step, count, phase, looked).await?;
        match connection.driver {
            // The script may have turned autocommit off.
            Driver::Mysql(_) => connection.execute("COMMIT").await,
            Driver::Postgres(_) | Driver::Sqlite(_) => Ok(()),
        }
    }

    async fn add(&mut self, connection: &mut Connection, step: &Step, count: usize, phase: &str, looked: Option<&str>) -> sqlx::Result<()> {
        let (sha256, at, entry) = (step.prefix_sha256(count), now(), self.entry + 1);
        let into = format!("{} (run, entry, statements, phase, at, prefix_sha256, looked_at)", self.table);
        connection.insert(&into, &format!("{}, {entry}, {count}", self.run), &[Some(phase), Some(&at), Some(&sha256), looked]).await?;
        self.entry = entry;
        Ok(())
    }
}

/// Where the run stands that the history row `run` tells of.
pub(super) async fn position(connection: &mut Connection, history: &HistoryTable, run: i64) -> Result<Position, RunError> {
    let doing = "reading the journal";
    let mut position = Position { done: (0, String::new()), begun: None };
    if !history.exists_beside(connection, SUFFIX).await.map_err(|error| connection.refused(doing, &error))? {
        return Ok(position);
    }
    let sql = table(history);
    let altered = |what: &str| RunError::Drift(format!("{sql} was altered by hand: in run {run}, {what}"));
    let rows = connection.rows(&format!("SELECT entry, statements, phase, prefix_sha256, looked_at FROM {sql} WHERE run = {run} ORDER BY entry")).await;
    for (row, expected) in rows.map_err(|error| connection.refused(doing, &error))?.into_iter().zip(1..) {
        let [Some(entry), Some(count), Some(phase), Some(sha256), looked] = <[Option<String>; 5]>::try_from(row).unwrap_or_default() else {
            return Err(altered("a row is empty"));
        };
        if entry.parse() != Ok(expected) {
            return Err(altered(&format!("entry {expected} is gone")));
        }
        let strange = || altered(&format!("entry {entry} holds what this program never writes"));
        let count = count.parse().map_err(|_| strange())?;
        match phase.as_str() {
            "begun" => {
                let looked = looked.map(|json| serde_json::from_str(&json)).transpose().map_err(|_| strange())?;
                position.begun = Some((count, sha256, looked));
            }
            "done" => position = Position { done: (count, sha256), begun: None },
            "refused" => position.begun = None,
            _ => return Err(strange()),
        }
    }
    Ok(position)
}
