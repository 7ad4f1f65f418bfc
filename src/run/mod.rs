//! Talks to live databases: the only place with async, connections and child processes. In: a URL, then what the gate
//! cleared. Out: what was observed, and a history that says what ran.
//!
//! The order is a type: [`connect`] gives a [`Session`], [`Session::lock`] a [`Locked`], [`Locked::observe`] what the gate
//! judges, and [`Locked::apply`] takes nothing but what the gate cleared. The lock is held by the connection that executes.
//!
#![doc = include_str!("../../fixtures/topics/history.md")]

mod apply;
mod batch;
mod beside;
mod binlog;
mod connection;
mod count;
mod error;
pub mod foreign;
mod half_done;
mod health;
mod history;
mod interrupt;
mod journal;
mod journalled;
mod leftover;
mod live;
mod live_schema;
mod look;
mod mysql;
mod option_file;
mod patience;
mod pin;
mod pooler;
mod postgres;
mod save;
mod secret;
mod segment;
mod shape;
mod site;
mod snapshot;
mod sqlite;
mod stop;
mod tables;
pub mod tool;
mod wal;

pub use beside::{Beside, Find};
pub use connection::Opening;
pub use count::Number;
pub use error::{Failure, RunError, Stands, WAYS_ON, list};
pub use health::Advice;
pub use interrupt::{Interrupt, Signal};
pub use patience::Patience;
pub use secret::shown;

use crate::engine::Engine;
use crate::gate::{Cleared, Sql, Step};
use crate::observed::site::{Binlog, Site};
use crate::observed::{Applied, HalfDone, Observed};
use crate::pin::Pin;
use connection::{Connection, Home, interruptible};
use history::{HistoryTable, Who};
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
    /// Somebody else was in the way, and it is tried again after a pause.
    Retrying {
        /// Which.
        step: &'a Step,
        /// The database's words.
        message: &'a str,
        /// How long the pause is.
        pause: Duration,
    },
    /// Where the database stood before a migration is recorded.
    Pinned {
        /// Before which.
        step: &'a Step,
        /// Where.
        pin: &'a Pin,
    },
    /// It is not proved that the log up to there can be had again.
    Unproved {
        /// Before which migration.
        step: &'a Step,
        /// Why not.
        why: &'a str,
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

/// A connection that holds the lock, or may not write.
pub struct Locked {
    connection: Connection,
    table: HistoryTable,
    /// SQLite's lock, which ends with it.
    _file: Option<File>,
}

/// Connects to `url`.
///
/// # Errors
/// [`RunError::Usage`], [`RunError::NoDatabase`], [`RunError::Unreachable`] or [`RunError::Interrupted`].
pub async fn connect(engine: Engine, url: &str, opening: &Opening) -> Result<Session, RunError> {
    let connection = Connection::open(engine, url, opening).await?;
    tracing::info!("connected to {}{}", connection.place, if opening.read_only { ", to read only" } else { "" });
    Ok(Session { connection })
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

    /// How far a run came that stopped part-way, by the history as [`Session::history`] gave it. Where a runner is at work, that is its run.
    pub async fn half_done(&mut self, history_table: &str, history: &[Applied]) -> Result<Option<HalfDone>, RunError> {
        let table = HistoryTable::find(&mut self.connection, history_table).await?;
        half_done::look(&mut self.connection, &table, history).await
    }

    /// Which server and database this is, and where it stands.
    ///
    /// # Errors
    /// [`RunError::Refused`] where this user may not ask; [`RunError::Unreachable`].
    pub async fn site(&mut self) -> Result<Site, RunError> {
        site::site(&mut self.connection).await
    }

    /// The binary logs that the server still has, oldest first; `None` where it keeps none, or this user may not ask.
    ///
    /// # Errors
    /// [`RunError::Unreachable`].
    pub async fn binlogs(&mut self) -> Result<Option<Vec<String>>, RunError> {
        site::binlogs(&mut self.connection).await
    }

    /// The transactions that MariaDB had when its binary log stood at `place`; `None` where it has no such place, and on other servers.
    ///
    /// # Errors
    /// [`RunError::Refused`] or [`RunError::Unreachable`].
    pub async fn gtid_at(&mut self, place: &Binlog) -> Result<Option<String>, RunError> {
        site::gtid_at(&mut self.connection, place).await
    }

    /// Takes the lock; the connection's [`Patience`] says how long to wait for another runner.
    pub async fn lock(mut self, history_table: &str) -> Result<Locked, RunError> {
        let timeout = self.connection.patience.runner;
        let table = HistoryTable::find(&mut self.connection, history_table).await?;
        let locked = match self.connection.engine {
            Engine::Sqlite => sqlite::lock(&self.connection, timeout).await,
            Engine::Postgres => postgres::lock(&mut self.connection, &table, timeout).await.map(|()| None),
            Engine::Mysql | Engine::Mariadb => mysql::lock(&mut self.connection, &table, timeout).await.map(|()| None),
        };
        tracing::info!("{} the lock of {}", if locked.is_ok() { "holds" } else { "did not get" }, table.sql);
        match locked {
            Ok(file) => Ok(Locked { connection: self.connection, table, _file: file }),
            Err(RunError::Locked { holder }) => Err(RunError::Locked { holder: self.at_work(&table, holder).await }),
            Err(error) => Err(error),
        }
    }

    /// Goes on without the lock, to look alone: this connection was opened to read only, and [`Locked::apply`] refuses it.
    ///
    /// # Errors
    /// [`RunError::Usage`] where it may write, or the history table's name is none; [`RunError::Unreachable`].
    pub async fn to_look(mut self, history_table: &str) -> Result<Locked, RunError> {
        if !self.connection.read_only {
            return Err(RunError::Usage(String::from("what may write takes the lock")));
        }
        let table = HistoryTable::find(&mut self.connection, history_table).await?;
        Ok(Locked { connection: self.connection, table, _file: None })
    }

    /// What the runner at work says of itself in the history, beside what the server says of it.
    async fn at_work(&mut self, table: &HistoryTable, holder: String) -> String {
        let history = table.read(&mut self.connection).await.unwrap_or_default();
        match crate::observed::unfinished(&history) {
            Some(row) => format!("{holder}; {} {} {} since {}, by {} on {}", row.direction.name(), row.version, row.name, row.started_at, row.actor, row.host),
            None => holder,
        }
    }

    /// Ends the connection.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

impl Locked {
    /// What the server turned out to be.
    pub fn engine(&self) -> Engine {
        self.connection.engine
    }

    /// Whether it may not write.
    pub fn is_to_look(&self) -> bool {
        self.connection.read_only
    }

    /// Where the connection leads, for people; without a password.
    pub fn place(&self) -> &str {
        &self.connection.place
    }

    /// Looks at the database.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], [`RunError::Drift`], [`RunError::Refused`] or [`RunError::Unreachable`].
    pub async fn observe(&mut self) -> Result<Observed, RunError> {
        let table = &self.table;
        interruptible(&mut self.connection, async |connection| look_around(connection, table).await).await
    }

    /// Which server and database this is, and where it stands at this moment.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], [`RunError::Refused`] where this user may not ask, or [`RunError::Unreachable`].
    pub async fn site(&mut self) -> Result<Site, RunError> {
        interruptible(&mut self.connection, async |connection| site::site(connection).await).await
    }

    /// The binary logs that the server still has, oldest first; `None` where it keeps none, or this user may not ask.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] or [`RunError::Unreachable`].
    pub async fn binlogs(&mut self) -> Result<Option<Vec<String>>, RunError> {
        interruptible(&mut self.connection, async |connection| site::binlogs(connection).await).await
    }

    /// The transactions that MariaDB had when its binary log stood at `place`; `None` where it has no such place, and on other servers.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], [`RunError::Refused`] or [`RunError::Unreachable`].
    pub async fn gtid_at(&mut self, place: &Binlog) -> Result<Option<String>, RunError> {
        interruptible(&mut self.connection, async |connection| site::gtid_at(connection, place).await).await
    }

    /// Why the server's own archive of its log does not grow, in words; `None` where it does, and on other servers than PostgreSQL.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] or [`RunError::Unreachable`].
    pub async fn archiver_fails(&mut self) -> Result<Option<String>, RunError> {
        interruptible(&mut self.connection, async |connection| site::archiver_fails(connection).await).await
    }

    /// Which of `objects` (`table notes`, `column users.email`, as [`Applied::down_loses`] names them) hold anything now. What cannot be
    /// looked at counts as holding something.
    pub async fn holding<'a>(&mut self, objects: &'a [String]) -> Result<Vec<&'a String>, RunError> {
        let looked = interruptible(&mut self.connection, async |connection| {
            tables::holding(connection, objects).await.map_err(|error| connection.refused("looking at what would be lost", &error))
        });
        looked.await
    }

    /// Runs what was cleared, one migration after the other, and says how many are done. Nothing runs where the database is
    /// another one than it was cleared for, or its history has moved on since.
    ///
    /// # Errors
    /// [`RunError::PartWay`] where a statement failed or was interrupted; else nothing was touched.
    pub async fn apply(&mut self, cleared: Cleared, progress: &mut dyn FnMut(Event<'_>)) -> Result<usize, RunError> {
        let head = self.admit(&cleared).await?;
        if cleared.steps().is_empty() {
            return Ok(0);
        }
        let who = self.prepare().await?;
        let mut seq = head.unwrap_or(0) + 1;
        let (steps, mut finished) = (cleared.steps(), 0);
        while let Some(step) = steps.get(finished) {
            let mut run = apply::Run { connection: &mut self.connection, table: &self.table, step, seq: &mut seq, who: &who, dangling: None, pin: None };
            let came = batch::run(&mut run, &steps[finished..], progress).await;
            finished += came.finished;
            if came.finished > 0 && !came.failed {
                continue;
            }
            let Some(step) = steps.get(finished) else { break };
            let run = apply::Run { step, ..run };
            if let Some(stop) = &came.stop {
                return Err(RunError::PartWay(Box::new(Failure { finished, ..run.failure(stop, None) })));
            }
            if !came.began {
                progress(Event::Started { step });
            }
            match run.complete(progress).await {
                Ok(()) => {
                    progress(Event::Finished { step });
                    finished += 1;
                }
                Err(RunError::PartWay(failure)) => return Err(RunError::PartWay(Box::new(Failure { finished, ..*failure }))),
                Err(RunError::Unpinned { migration, message, lost, .. }) => return Err(RunError::Unpinned { migration, message, finished, lost }),
                Err(error) => return Err(error),
            }
        }
        if let Engine::Postgres = self.connection.engine {
            // The next script would begin so; what follows now is none.
            // All is done and recorded by now, so an error here changes nothing: the session ends with it.
            let _ = self.connection.execute(&postgres::settle(&self.connection)).await;
        }
        Ok(steps.len())
    }

    /// The history's newest row, where the database and its history are those that `cleared` was cleared for.
    async fn admit(&mut self, cleared: &Cleared) -> Result<Option<i64>, RunError> {
        let (identity, history) = (identity(&mut self.connection).await?, self.table.read(&mut self.connection).await?);
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
        Ok(head)
    }

    /// Makes the session and the history table ready to be written to, and says who writes.
    async fn prepare(&mut self) -> Result<Who, RunError> {
        if self.connection.read_only {
            return Err(RunError::Usage(String::from("this connection was opened to read only; nothing was touched")));
        }
        if let Engine::Postgres = self.connection.engine {
            pooler::refuse(&mut self.connection, &self.table).await?;
            let own = postgres::own_settings(&mut self.connection).await;
            self.connection.own_settings = own.map_err(|error| self.connection.refused("asking for the server's own settings", &error))?;
            let settled = self.connection.execute(&postgres::settle(&self.connection)).await;
            settled.map_err(|error| self.connection.refused("setting the lock time-out", &error))?;
        }
        self.table.create(&mut self.connection).await?;
        history::who(&mut self.connection).await.map_err(|error| self.connection.refused("asking for the user", &error))
    }

    /// Gives the lock back and ends the connection.
    pub async fn release(mut self) {
        // A server drops a session's locks with the session, but only some time after the goodbye; the file's lock goes with
        // the file. So an error here changes nothing that matters.
        let _ = match self.connection.engine {
            Engine::Sqlite => Ok(()),
            Engine::Postgres => {
                pooler::unlock(&mut self.connection, &self.table).await;
                Ok(())
            }
            Engine::Mysql | Engine::Mariadb => self.connection.execute("DO RELEASE_ALL_LOCKS()").await,
        };
        self.connection.close().await;
    }
}

async fn look_around(connection: &mut Connection, table: &HistoryTable) -> Result<Observed, RunError> {
    let doing = "looking at the tables";
    let identity = identity(connection).await?;
    let history = table.read(connection).await?;
    let half_done = half_done::look(connection, table, &history).await?;
    let tables = match connection.engine {
        Engine::Sqlite => sqlite::tables(connection).await,
        Engine::Postgres => postgres::tables(connection).await,
        Engine::Mysql | Engine::Mariadb => mysql::tables(connection).await,
    };
    let mut tables = tables.map_err(|error| connection.refused(doing, &error))?;
    tables.retain(|one| !table.is(&one.name));
    let holds_rows = tables::any_row(connection, &tables).await.map_err(|error| connection.refused(doing, &error))?;
    let can_be_copied = matches!(connection.home, Home::File(_));
    Ok(Observed { engine: connection.engine, identity, history, user_tables: !tables.is_empty(), holds_rows, can_be_copied, half_done })
}

async fn identity(connection: &mut Connection) -> Result<String, RunError> {
    let identity = match connection.engine {
        Engine::Sqlite => Ok(sqlite::identity(connection)),
        Engine::Postgres => postgres::identity(connection).await,
        Engine::Mysql | Engine::Mariadb => mysql::identity(connection).await,
    };
    identity.map_err(|error| connection.refused("asking which database this is", &error))
}
