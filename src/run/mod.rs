//! Talks to live databases: the only place with async, connections and child processes. In: a URL, then what the gate
//! cleared. Out: what was observed, and a history that says what ran.
//!
//! The order is a type: [`connect`] gives a [`Session`], [`Session::lock`] a [`Locked`], [`Locked::observe`] what the gate
//! judges, and [`Locked::apply`] takes nothing but what the gate cleared. The lock is held by the connection that executes.
//!
//! # The history table
//!
//! By default `migrate_history`, made by the first migration that runs. Rows are only ever added: a DOWN adds one, it erases
//! none. What is in force follows from them ([`crate::observed::in_force`]).
//!
//! | column | what it holds |
//! |---|---|
//! | `seq` | the row's number, from 1 |
//! | `version`, `name` | the migration's, as written in its file's name |
//! | `direction` | `up` or `down` |
//! | `outcome` | `done`; `failed`: it stopped part-way and what stands must be settled first; `undone`: somebody took back by hand what stood |
//! | `applied_at` | when the run ended, RFC 3339 in UTC |
//! | `actor` | the database's user, then user and host of the operating system |
//! | `tool_version` | the version of this program |
//! | `verdict`, `loss` | what it judged, in the words of its reports |
//! | `up_sha256`, `down_sha256` | checksums of the two scripts |
//! | `down_text` | DOWN itself, so that the way back travels with the database |
//! | `note` | what else is worth knowing: `failed: statement 2 of 3, line 7; …` |

mod apply;
mod connection;
mod error;
mod history;
mod mysql;
mod postgres;
mod secret;
mod sqlite;
mod tables;

pub use error::{Failure, RunError, Stands};

use crate::engine::Engine;
use crate::gate::{Cleared, Sql, Step};
use crate::observed::{self, Applied, Observed};
use connection::Connection;
use history::HistoryTable;
use std::fs::File;
use std::time::Duration;

/// The history table's name where nobody gave another.
pub const HISTORY_TABLE: &str = "migrate_history";

/// How often a lock is asked for.
const POLL: Duration = Duration::from_millis(100);

/// What [`Locked::apply`] tells while it works.
#[derive(Debug)]
pub enum Event<'a> {
    /// A migration begins.
    Started {
        /// Which.
        step: &'a Step,
    },
    /// A statement is about to run.
    Statement {
        /// Of which migration.
        step: &'a Step,
        /// Its number, from 1.
        at: usize,
        /// The statement.
        sql: &'a Sql,
    },
    /// A migration is done and recorded.
    Finished {
        /// Which.
        step: &'a Step,
    },
}

/// A connection that may look.
pub struct Session {
    connection: Connection,
}

/// A connection that holds the lock.
pub struct Locked {
    connection: Connection,
    table: HistoryTable,
    /// SQLite's lock, which ends with it.
    _file: Option<File>,
}

/// Connects to `url`. A SQLite file that is missing is made, but with `read_only` it reads as empty and stays missing.
pub async fn connect(engine: Engine, url: &str, read_only: bool) -> Result<Session, RunError> {
    Ok(Session { connection: Connection::open(engine, url, read_only).await? })
}

impl Session {
    /// What the server turned out to be: `mysql://` reaches MariaDB too.
    pub fn engine(&self) -> Engine {
        self.connection.engine
    }

    /// The history as it stands, without a lock; empty where there is no table yet.
    pub async fn history(&mut self, history_table: &str) -> Result<Vec<Applied>, RunError> {
        HistoryTable::find(&mut self.connection, history_table).await?.read(&mut self.connection).await
    }

    /// Takes the lock, for at most `timeout`.
    pub async fn lock(mut self, history_table: &str, timeout: Duration) -> Result<Locked, RunError> {
        let table = HistoryTable::find(&mut self.connection, history_table).await?;
        let file = match self.connection.engine {
            Engine::Sqlite => sqlite::lock(&self.connection, timeout).await?,
            Engine::Postgres => postgres::lock(&mut self.connection, &table, timeout).await.map(|()| None)?,
            Engine::Mysql | Engine::Mariadb => mysql::lock(&mut self.connection, &table, timeout).await.map(|()| None)?,
        };
        Ok(Locked { connection: self.connection, table, _file: file })
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

impl Locked {
    /// Looks at the database.
    pub async fn observe(&mut self) -> Result<Observed, RunError> {
        let doing = "looking at the tables";
        let identity = self.identity().await?;
        let history = self.table.read(&mut self.connection).await?;
        let tables = match self.connection.engine {
            Engine::Sqlite => sqlite::tables(&mut self.connection).await,
            Engine::Postgres => postgres::tables(&mut self.connection).await,
            Engine::Mysql | Engine::Mariadb => mysql::tables(&mut self.connection).await,
        };
        let mut tables = tables.map_err(|error| self.connection.refused(doing, &error))?;
        tables.retain(|table| !self.table.is(&table.name));
        let holds_rows = tables::any_row(&mut self.connection, &tables).await.map_err(|error| self.connection.refused(doing, &error))?;
        Ok(Observed { engine: self.connection.engine, identity, history, user_tables: !tables.is_empty(), holds_rows })
    }

    /// The error that stands in the way of any run where an earlier one stopped part-way and nobody has settled it.
    pub fn unfinished(&self, observed: &Observed) -> Option<RunError> {
        observed.unfinished().map(|row| self.refusal(row))
    }

    /// Runs what was cleared, one migration after the other, and says how many are done. Nothing runs where the database is
    /// another one than it was cleared for, or its history has moved on since.
    pub async fn apply(&mut self, cleared: Cleared, progress: &mut dyn FnMut(Event<'_>)) -> Result<usize, RunError> {
        let (identity, history) = (self.identity().await?, self.table.read(&mut self.connection).await?);
        if let Some(row) = observed::unfinished(&history) {
            return Err(self.refusal(row));
        }
        let head = history.last().map(|row| row.seq);
        if identity != cleared.identity() {
            return Err(RunError::Drift(format!("this was planned for {}, but the connection leads to {identity}; plan again", cleared.identity())));
        }
        if head != cleared.head() {
            let row = |seq: Option<i64>| seq.map_or_else(|| String::from("no row"), |seq| format!("row {seq}"));
            let (planned, now) = (row(cleared.head()), row(head));
            return Err(RunError::Drift(format!(
                "{} has moved on since this was planned, from {planned} to {now} as the newest; nothing was touched, plan again",
                self.table.sql
            )));
        }
        if cleared.steps().is_empty() {
            return Ok(0);
        }
        if self.connection.read_only {
            return Err(RunError::Usage(String::from("this connection was opened to read only; nothing was touched")));
        }
        self.table.create(&mut self.connection).await?;
        let actor = history::actor(&mut self.connection).await.map_err(|error| self.connection.refused("asking for the user", &error))?;
        for ((finished, step), seq) in cleared.steps().iter().enumerate().zip(head.unwrap_or(0) + 1..) {
            progress(Event::Started { step });
            let run = apply::Run { connection: &mut self.connection, table: &self.table, step, seq, actor: &actor };
            if let Err(mut failure) = run.complete(progress).await {
                failure.finished = finished;
                return Err(RunError::PartWay(failure));
            }
            progress(Event::Finished { step });
        }
        Ok(cleared.steps().len())
    }

    /// Gives the lock back and ends the connection.
    pub async fn release(mut self) {
        // A server drops a session's locks with the session, but only some time after the goodbye; the file's lock goes with
        // the file. So an error here changes nothing that matters.
        let _ = match self.connection.engine {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => self.connection.execute("SELECT pg_advisory_unlock_all()").await,
            Engine::Mysql | Engine::Mariadb => self.connection.execute("DO RELEASE_ALL_LOCKS()").await,
        };
        self.connection.close().await;
    }

    async fn identity(&mut self) -> Result<String, RunError> {
        let identity = match self.connection.engine {
            Engine::Sqlite => Ok(sqlite::identity(&self.connection)),
            Engine::Postgres => postgres::identity(&mut self.connection).await,
            Engine::Mysql | Engine::Mariadb => mysql::identity(&mut self.connection).await,
        };
        identity.map_err(|error| self.connection.refused("asking which database this is", &error))
    }

    fn refusal(&self, row: &Applied) -> RunError {
        RunError::Unfinished { row: Box::new(row.clone()), table: self.table.sql.clone() }
    }
}
