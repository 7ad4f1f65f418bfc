//! Runs one step and records it. In: a cleared step on a locked connection. Out: its history row, or what is left of it.
//!
//! Where the database has transactional DDL, statements and row are one transaction. Elsewhere, and where a script asks for
//! it, each statement stands by itself: the row comes after the last, and a failure gets a row of its own.

use super::connection::{Connection, Driver, Home, lost, said};
use super::error::{Failure, Stands};
use super::history::HistoryTable;
use super::{Event, mysql, postgres, sqlite};
use crate::gate::{Sql, Step};
use crate::observed::Outcome;

const COMMIT: &str = "COMMIT";

/// A step on its way.
pub(super) struct Run<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) table: &'a HistoryTable,
    pub(super) step: &'a Step,
    /// The number of its history row.
    pub(super) seq: i64,
    pub(super) actor: &'a str,
}

/// What stopped a step: the statement's number from 0, the words, and whether the connection is gone.
struct Stop {
    at: usize,
    /// What to show in place of the statement, where it was not the script's.
    doing: Option<&'static str>,
    message: String,
    lost: bool,
}

impl Stop {
    fn at(at: usize, error: &sqlx::Error) -> Stop {
        Stop { at, doing: None, message: said(error), lost: lost(error) }
    }
}

impl Run<'_> {
    /// Runs the step to its end, or to the failure.
    pub(super) async fn complete(mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Box<Failure>> {
        if self.step.in_transaction && self.connection.engine.facts().transactional_ddl {
            self.as_one(progress).await.map_err(|stop| Box::new(self.failure(&stop)))
        } else {
            match self.one_by_one(progress).await {
                Ok(()) => Ok(()),
                Err(stop) => Err(self.record(stop).await),
            }
        }
    }

    /// Statements and history row in one transaction.
    async fn as_one(&mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let (begin, rebuild) = match self.connection.driver {
            Driver::Sqlite(_) => ("BEGIN IMMEDIATE", sqlite::turns_foreign_keys_off(self.step.statements.iter().map(|sql| sql.text.as_str()))),
            Driver::Postgres(_) | Driver::Mysql(_) => ("BEGIN", false),
        };
        if rebuild {
            self.own(0, "PRAGMA foreign_keys = OFF").await?;
        }
        let ran = match self.own(0, begin).await {
            Ok(()) => self.inside(rebuild, progress).await,
            Err(stop) => Err(stop),
        };
        if ran.is_err() {
            // A connection that is gone was rolled back by the server.
            let _ = self.connection.execute("ROLLBACK").await;
        }
        if let Driver::Sqlite(_) = self.connection.driver {
            // Not part of the outcome: the transaction is over, and the next step would fail here too.
            let _ = self.connection.execute("PRAGMA foreign_keys = ON").await;
        }
        ran
    }

    async fn inside(&mut self, rebuild: bool, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let before = if rebuild { sqlite::dangling(self.connection).await } else { None };
        self.statements(progress).await?;
        let last = self.step.statements.len().saturating_sub(1);
        if rebuild && let Some(message) = sqlite::newly_dangling(before, sqlite::dangling(self.connection).await) {
            return Err(Stop { at: last, doing: Some("PRAGMA foreign_key_check"), message, lost: false });
        }
        self.finish(last).await?;
        self.own(last, COMMIT).await
    }

    async fn one_by_one(&mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        self.statements(progress).await?;
        // All statements stand by now: a failure from here on is that of one after the last.
        self.finish(self.step.statements.len()).await
    }

    async fn statements(&mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        for (at, sql) in self.step.statements.iter().enumerate() {
            progress(Event::Statement { step: self.step, at: at + 1, sql });
            self.connection.execute(&sql.text).await.map_err(|error| Stop::at(at, &error))?;
        }
        Ok(())
    }

    /// Ends what the script set for its session and adds the history row.
    async fn finish(&mut self, at: usize) -> Result<(), Stop> {
        let doing = Some("adding the row to the history table");
        self.settle().await.map_err(|error| Stop { doing: Some("ending the script's session settings"), ..Stop::at(at, &error) })?;
        let added = self.table.append(self.connection, self.seq, self.step, Outcome::Done, self.actor, self.step.note.as_deref()).await;
        added.map_err(|error| Stop { doing, ..Stop::at(at, &error) })
    }

    async fn settle(&mut self) -> sqlx::Result<()> {
        match (&self.connection.driver, &self.connection.home) {
            (Driver::Sqlite(_), _) if self.step.in_transaction => {}
            (Driver::Sqlite(_), _) => self.connection.execute("PRAGMA foreign_keys = ON").await?,
            (Driver::Postgres(_), _) => {
                for sql in postgres::SETTLE {
                    self.connection.execute(sql).await?;
                }
            }
            (Driver::Mysql(_), Home::Server(database)) => {
                for sql in mysql::settle(database) {
                    self.connection.execute(&sql).await?;
                }
            }
            (Driver::Mysql(_), Home::File(_) | Home::Memory) => {}
        }
        Ok(())
    }

    /// Runs a statement of ours beside the script's statement number `at`.
    async fn own(&mut self, at: usize, sql: &'static str) -> Result<(), Stop> {
        self.connection.execute(sql).await.map_err(|error| Stop { doing: Some(sql), ..Stop::at(at, &error) })
    }

    fn failure(&self, stop: &Stop) -> Failure {
        let nowhere = Sql { text: String::new(), path: format!("{} {}", self.step.version, self.step.name), line: 1 };
        let statements = &self.step.statements;
        let sql = statements.get(stop.at).or(statements.last()).unwrap_or(&nowhere);
        let mut failure = Failure::new(self.step, (stop.at + 1).min(statements.len()), sql, &stop.message, &self.connection.secrets);
        if let Some(doing) = stop.doing {
            failure.statement = format!("({doing}, not a statement of the script)");
        }
        if stop.lost && stop.doing == Some(COMMIT) {
            failure.stands = Stands::Undecided;
        }
        failure.table.clone_from(&self.table.sql);
        failure
    }

    /// Records a failure outside of a transaction.
    async fn record(&mut self, stop: Stop) -> Box<Failure> {
        let mut failure = self.failure(&stop);
        let lines = self.step.statements[..stop.at].iter().map(|sql| sql.line).collect();
        failure.stands = if stop.lost { Stands::Unknown(lines) } else { Stands::Lines(lines) };
        let note = match &self.step.note {
            Some(note) => format!("{note}; {}", failure.note()),
            None => failure.note(),
        };
        let written = match self.settle().await {
            Ok(()) => self.table.append(self.connection, self.seq, self.step, Outcome::Failed, self.actor, Some(&note)).await,
            Err(error) => Err(error),
        };
        failure.recorded = written.is_ok().then_some(self.seq);
        Box::new(failure)
    }
}
