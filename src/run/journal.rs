//! The journal of runs that are not one transaction. In: what is about to run, what has run. Out: rows that tell after any crash
//! which statements stand.
//!
//! A table beside the history table, whose columns [`crate::run`] explains; like that one it only grows.

use super::connection::{COMMIT, Connection, Driver};
use super::history::{HistoryTable, now};
use super::look::Look;
use super::{RunError, tables};
use crate::gate::{Inverse, Step};
use crate::observed::TakenBack;
use serde::{Deserialize, Serialize};

/// Where a run stands by its journal.
#[derive(Default)]
pub(super) struct Position {
    /// How many statements stand, and the checksum over them.
    pub(super) done: (usize, String),
    /// How far the last of these is taken back.
    pub(super) taken_back: TakenBack,
    /// What began after these and has no end.
    pub(super) begun: Option<Begun>,
}

/// What began and has no end.
pub(super) struct Begun {
    /// How many statements stand if it took effect, and the checksum over them.
    pub(super) done: (usize, String),
    /// What was looked at.
    pub(super) looked: Option<Look>,
    /// It is a part of what takes a statement back.
    pub(super) part: Option<Part>,
}

/// A part of the statements that take one statement back: all up to one of them.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Part {
    /// That one's number, from 1.
    pub(super) statement: usize,
    /// How many there are.
    pub(super) of: usize,
    /// SHA-256 over the texts up to that one.
    pub(super) sha256: String,
}

impl Part {
    /// The first `statement` statements of what takes back.
    pub(super) fn up_to(statement: usize, inverse: &Inverse) -> Part {
        Part { statement, of: inverse.sql.len(), sha256: inverse.prefix_sha256(statement) }
    }

    /// Some are to come after it; without them, the statement neither stands nor is taken back.
    pub(super) fn is_within(&self) -> bool {
        self.statement < self.of
    }

    pub(super) fn taken_back(self) -> TakenBack {
        TakenBack { statements: self.statement, sha256: self.sha256 }
    }
}

/// What `looked_at` holds.
#[derive(Default, Serialize, Deserialize)]
struct Noted {
    #[serde(flatten)]
    looked: Option<Look>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    back: Option<Part>,
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

/// What makes the table.
pub(super) fn create_sql(history: &HistoryTable, driver: &Driver) -> String {
    let (short, long, end) = tables::text_types(driver);
    format!(
        "CREATE TABLE {} (run BIGINT NOT NULL, entry BIGINT NOT NULL, statements BIGINT NOT NULL, phase {short} NOT NULL, at {short} NOT NULL, \
         prefix_sha256 {short} NOT NULL, looked_at {long}, PRIMARY KEY (run, entry)){end}",
        table(history)
    )
}

impl Journal {
    /// The journal of the run that the history row `run` tells of; makes the table where it is missing.
    pub(super) async fn open(connection: &mut Connection, history: &HistoryTable, run: i64) -> sqlx::Result<Journal> {
        let sql = table(history);
        if !history.exists_beside(connection, SUFFIX).await? {
            let create = create_sql(history, &connection.driver);
            connection.execute(&create).await?;
        }
        let last = connection.cell(&format!("SELECT max(entry) FROM {sql} WHERE run = {run}")).await?;
        let entry = last.and_then(|n| n.parse().ok()).unwrap_or(0);
        Ok(Journal { table: sql, run, entry })
    }

    /// Says that the statements up to number `count` are about to run; or a part of what takes back the one after it.
    pub(super) async fn begun(
        &mut self,
        connection: &mut Connection,
        step: &Step,
        count: usize,
        looked: Option<&Look>,
        part: Option<&Part>,
    ) -> sqlx::Result<()> {
        self.committed(connection, step, count, "begun", noted(looked, part).as_deref()).await
    }

    /// Says that the statements up to number `count` stand, the last of them but for this part of what takes it back; in a transaction of
    /// its own.
    pub(super) async fn done(&mut self, connection: &mut Connection, step: &Step, count: usize, part: Option<&Part>) -> sqlx::Result<()> {
        let (phase, noted) = ended(part);
        self.committed(connection, step, count, phase, noted.as_deref()).await
    }

    /// Says so within the transaction that made them so.
    pub(super) async fn done_within(&mut self, connection: &mut Connection, step: &Step, count: usize, part: Option<&Part>) -> sqlx::Result<()> {
        let (phase, noted) = ended(part);
        self.add(connection, step, count, phase, noted.as_deref()).await
    }

    /// Says that the database refused what was about to run: it did nothing, whatever the catalog shows later.
    pub(super) async fn refused(&mut self, connection: &mut Connection, step: &Step, count: usize) -> sqlx::Result<()> {
        self.committed(connection, step, count, "refused", None).await
    }

    async fn committed(&mut self, connection: &mut Connection, step: &Step, count: usize, phase: &str, looked: Option<&str>) -> sqlx::Result<()> {
        self.add(connection, step, count, phase, looked).await?;
        match connection.driver {
            // The script may have turned autocommit off.
            Driver::Mysql(_) => connection.execute(COMMIT).await,
            Driver::Postgres(_) | Driver::Sqlite(_) => Ok(()),
        }
    }

    async fn add(&mut self, connection: &mut Connection, step: &Step, count: usize, phase: &str, looked: Option<&str>) -> sqlx::Result<()> {
        let (sha256, at, entry) = (step.prefix_sha256(count), now(), self.entry + 1);
        let into = format!("{} (run, entry, statements, phase, at, prefix_sha256, looked_at)", self.table);
        connection.insert(&into, &format!("{}, {entry}, {count}", self.run), &[Some(phase), Some(&at), Some(&sha256), looked], false).await?;
        self.entry = entry;
        Ok(())
    }
}

fn noted(looked: Option<&Look>, part: Option<&Part>) -> Option<String> {
    let noted = Noted { looked: looked.cloned(), back: part.cloned() };
    (looked.is_some() || part.is_some()).then(|| serde_json::to_string(&noted).expect("plain values become JSON"))
}

/// What to say when the end of `part` has come: with its last one, all of them ran.
fn ended(part: Option<&Part>) -> (&'static str, Option<String>) {
    match part.filter(|part| part.is_within()) {
        Some(part) => ("part", noted(None, Some(part))),
        None => ("done", None),
    }
}

/// Where the run stands that the history row `run` tells of.
pub(super) async fn position(connection: &mut Connection, history: &HistoryTable, run: i64) -> Result<Position, RunError> {
    let doing = "reading the journal";
    let mut position = Position::default();
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
        let Noted { looked, back } = looked.map(|json| serde_json::from_str(&json)).transpose().map_err(|_| strange())?.unwrap_or_default();
        match (phase.as_str(), back) {
            ("begun", part) => position.begun = Some(Begun { done: (count, sha256), looked, part }),
            ("part", Some(part)) => position = Position { done: (count, sha256), taken_back: part.taken_back(), begun: None },
            ("done", _) => position = Position { done: (count, sha256), ..Position::default() },
            ("refused", _) => position.begun = None,
            _ => return Err(strange()),
        }
    }
    Ok(position)
}
