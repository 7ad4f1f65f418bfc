//! Runs one step and records it. In: a cleared step on a locked connection. Out: its history rows, or what is left of it.
//!
//! What one transaction can hold is one transaction, history row included.

use super::connection::{COMMIT, Cancelled, Connection, Driver, Ended, Home, said};
use super::error::{Failure, Stands};
use super::history::{HistoryTable, Record, Who, now};
use super::journal::Journal;
use super::patience::Pauses;
use super::pin::PIN;
use super::secret::{Secrets, shown};
use super::segment::{Segment, segments};
use super::stop::Stop;
use super::{Event, RunError, leftover, mysql, postgres, sqlite};
use crate::gate::{Course, Sql, Step};
use crate::observed::Outcome;
use crate::parse::manner::Manner;
use crate::pin::Pin;
use std::ops::Range;

/// Both go as one message.
const RECORD_AND_COMMIT: &str = "adding the row to the history table, and COMMIT";

/// A step on its way.
pub(super) struct Run<'a> {
    pub(super) connection: &'a mut Connection,
    pub(super) table: &'a HistoryTable,
    pub(super) step: &'a Step,
    /// The number of its next history row.
    pub(super) seq: &'a mut i64,
    pub(super) who: &'a Who,
    /// The rows that pointed at nothing when the script turned SQLite's foreign keys off; `None` where nobody looked.
    pub(super) dangling: Option<sqlite::Dangling>,
    /// Where the database stood before it, once that is recorded.
    pub(super) pin: Option<Pin>,
}

impl Run<'_> {
    /// Runs the step to its end, or to the failure.
    pub(super) async fn complete(mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let transactional = self.connection.engine.facts().transactional_ddl;
        let segments = segments(&self.step.statements, self.step.in_transaction, transactional);
        if let (Course::Whole, true, [] | [Segment::Together(_)]) = (&self.step.course, transactional, segments.as_slice()) {
            return self.whole(progress).await;
        }
        // A script before this one may have left settings; one transaction begins by ending them.
        if let Err(error) = self.settle().await {
            let stop = Stop::at(0, &error).doing("ending the session settings of the script before");
            return Err(RunError::PartWay(Box::new(self.failure(&stop, None))));
        }
        match &self.step.course {
            Course::Whole | Course::Finish(_) => self.journalled(&segments, progress).await,
            Course::Compensate(resume, inverses) => self.compensate(resume, inverses, progress).await,
            Course::Settle(outcome) => {
                let recorded = self.recorded(*outcome, &now(), progress).await;
                recorded.map_err(|stop| RunError::PartWay(Box::new(self.failure(&stop, None))))
            }
        }
    }

    /// All of it and its history row in one transaction.
    async fn whole(&mut self, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let started = now();
        let mut pauses = Pauses::new(&self.connection.patience);
        while let Err(stop) = self.as_one(0..self.step.statements.len(), Commit::History(&started), progress).await {
            if let Err(stop) = self.pause(stop, &mut pauses, progress).await {
                return Err(self.stopped(&stop));
            }
            // The next try is to find what this one found.
            let _ = leftover::end(self.connection, &self.step.statements).await;
        }
        *self.seq += 1;
        self.tell_pin(progress);
        self.prove_pin(progress).await;
        leftover::end(self.connection, &self.step.statements)
            .await
            .map_err(|error| self.connection.refused("ending what the script left in its session", &error))
    }

    /// Waits before the next try; gives back what stopped it where there is to be none.
    pub(super) async fn pause(&mut self, stop: Stop, pauses: &mut Pauses, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let Some(pause) = pauses.next().filter(|_| stop.again) else { return Err(stop) };
        let message = self.connection.secrets.mask(&stop.message);
        tracing::info!("{message}; trying again in {pause:?}");
        progress(Event::Retrying { step: self.step, message: &message, pause });
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            signal = self.connection.interrupt.wait() => {
                let message = format!("interrupted by {} before it was tried again ({})", signal.name(), stop.message);
                Err(Stop { message, by: Some(Cancelled::Signal(signal)), ..stop })
            }
        }
    }

    /// Statements and their record in one transaction.
    pub(super) async fn as_one(&mut self, range: Range<usize>, commit: Commit<'_>, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let first = range.start;
        let begin = self.begin();
        let (begin, unchecked) = match self.connection.driver {
            Driver::Sqlite(_) => (begin.to_owned(), sqlite::Unchecked::of(&self.step.statements, &range)),
            // Between the segments of one script its settings hold; between two scripts they do not.
            Driver::Postgres(_) if matches!(commit, Commit::History(_)) => {
                (format!("{}; {begin}", postgres::settle(self.connection)), sqlite::Unchecked::default())
            }
            Driver::Postgres(_) | Driver::Mysql(_) => (begin.to_owned(), sqlite::Unchecked::default()),
        };
        if unchecked.off {
            self.own(first, "PRAGMA foreign_keys = OFF").await?;
        }
        // A script in several parts has its pin in the history by now, and some of it may stand.
        let whole = matches!(commit, Commit::History(_));
        let ran = self.inside(range, &begin, &unchecked, commit, progress).await;
        let ran = self.or_back(ran).await;
        if whole && ran.as_ref().is_err_and(|stop| !stop.lost) {
            self.unpin();
        }
        if unchecked.off {
            // Not part of the outcome: the transaction is over, and the next step would fail here too.
            let _ = self.connection.execute("PRAGMA foreign_keys = ON").await;
        }
        ran
    }

    /// What begins a transaction.
    pub(super) fn begin(&self) -> &'static str {
        if matches!(self.connection.driver, Driver::Sqlite(_)) { "BEGIN IMMEDIATE" } else { "BEGIN" }
    }

    /// Rolls back what failed in a transaction.
    pub(super) async fn or_back(&mut self, ran: Result<(), Stop>) -> Result<(), Stop> {
        match ran {
            // Where that fails the connection is of no more use, and the server rolls back when it ends.
            Err(stop) if !self.rolled_back().await => Err(Stop { lost: true, again: false, ..stop }),
            other => other,
        }
    }

    /// Rolls back, and tells whether that is done.
    pub(super) async fn rolled_back(&mut self) -> bool {
        match (self.connection.execute("ROLLBACK").await, &self.connection.driver) {
            (Ok(()), _) => true,
            // SQLite could not begin, or rolled back by itself, as it does where the disk is full.
            (Err(error), Driver::Sqlite(_)) => said(&error).contains("no transaction is active"),
            (Err(_), Driver::Postgres(_) | Driver::Mysql(_)) => false,
        }
    }

    async fn inside(
        &mut self,
        range: Range<usize>,
        begin: &str,
        unchecked: &sqlite::Unchecked,
        commit: Commit<'_>,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Stop> {
        let statements = &self.step.statements;
        let begin_fails = |error: &sqlx::Error| Stop::at(range.start, error).doing("BEGIN");
        let (mut children, mut with_first) = (None, "");
        match &self.connection.driver {
            Driver::Sqlite(_) => {
                let rebuilt = sqlite::rebuilt(statements, &range);
                if let (Commit::History(started_at), None, false, true) = (&commit, self.pinning(), unchecked.off, rebuilt.is_empty())
                    && statements.iter().map(|sql| sql.text.len()).sum::<usize>() < LONG
                {
                    return self.at_once(begin, started_at, progress).await;
                }
                self.connection.execute(begin).await.map_err(|error| begin_fails(&error))?;
                children = sqlite::Children::count(self.connection, statements, &range, &rebuilt).await;
            }
            Driver::Postgres(_) if self.pinning().is_none() && statements.get(range.start).is_some_and(|first| goes_with_begin(&first.text)) => {
                with_first = begin;
            }
            Driver::Postgres(_) | Driver::Mysql(_) => self.connection.execute(begin).await.map_err(|error| begin_fails(&error))?,
        }
        if let Commit::History(_) = commit {
            self.pin(true).await?;
        }
        if unchecked.begins {
            self.dangling = sqlite::dangling(self.connection).await;
        }
        self.after(with_first, range.clone(), progress).await?;
        let last = range.end.saturating_sub(1);
        let check = |doing, message| Stop { at: last, doing: Some(doing), message, lost: false, again: false, by: None };
        if unchecked.ends
            && let Some(message) = sqlite::newly_dangling(self.dangling.clone(), sqlite::dangling(self.connection).await)
        {
            return Err(check("PRAGMA foreign_key_check", message));
        }
        if let Some(children) = children
            && let Some(message) = children.gone(self.connection).await
        {
            return Err(check("counting the rows that point at a rebuilt table", message));
        }
        match commit {
            Commit::History(started_at) => {
                let record = self.entry(Outcome::Done, started_at, self.step.note.as_deref());
                let added = self.table.append(self.connection, self.step, &record, true).await;
                added.map_err(|error| Stop::at(last, &error).doing(RECORD_AND_COMMIT))
            }
            Commit::Journal(journal) => {
                let done = journal.done_within(self.connection, self.step, range.end, None).await;
                done.map_err(|error| Stop::at(last, &error).doing("adding the row to the journal"))?;
                self.own(last, COMMIT).await
            }
        }
    }

    /// The whole transaction, history row included, in one message: SQLite's thread need not wait for this one between two statements.
    async fn at_once(&mut self, begin: &str, started_at: &str, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let (step, count) = (self.step, self.step.statements.len());
        let row = self.table.at_its_end(step, &self.entry(Outcome::Done, started_at, step.note.as_deref()), false);
        let message = transaction(begin, step, &row);
        let mut begins = |ran: usize, secrets: &Secrets| {
            if let Some(sql) = step.statements.get(ran - 1) {
                progress(Event::Statement { step, at: ran, sql });
                trace(step, ran, sql, secrets);
            }
        };
        self.connection.run_each(&message, count + AROUND, &mut begins).await.map_err(|(ran, ended)| stopped(count, ran, &ended))
    }

    pub(super) async fn statements(&mut self, range: Range<usize>, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        self.after("", range, progress).await
    }

    /// Runs statements of the script, `begin` in one message with the first.
    async fn after(&mut self, begin: &str, range: Range<usize>, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        for at in range.clone() {
            let sql = &self.step.statements[at];
            progress(Event::Statement { step: self.step, at: at + 1, sql });
            trace(self.step, at + 1, sql, &self.connection.secrets);
            let ran = if at == range.start && !begin.is_empty() {
                self.connection.run(&format!("{begin};\n{}", sql.text)).await
            } else {
                self.connection.run(&sql.text).await
            };
            ran.map_err(|ended| Stop::ended(at, &ended))?;
        }
        Ok(())
    }

    /// Adds the history row, which commits by itself.
    pub(super) async fn recorded(&mut self, outcome: Outcome, started_at: &str, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let mut pauses = Pauses::new(&self.connection.patience);
        let at = if outcome == Outcome::Started { 0 } else { self.step.statements.len() };
        while let Err(error) = self.append(outcome, started_at, self.step.note.as_deref()).await {
            let stop = Stop::at(at, &error).doing("adding a row to the history table");
            self.pause(stop, &mut pauses, progress).await?;
        }
        *self.seq += 1;
        Ok(())
    }

    pub(super) async fn append(&mut self, outcome: Outcome, started_at: &str, note: Option<&str>) -> sqlx::Result<()> {
        let record = self.entry(outcome, started_at, note);
        self.table.append(self.connection, self.step, &record, false).await
    }

    fn entry<'r>(&self, outcome: Outcome, started_at: &'r str, note: Option<&'r str>) -> Record<'r>
    where
        Self: 'r,
    {
        Record { seq: *self.seq, outcome, started_at, who: self.who, note, pin: self.pin.as_ref().map(Pin::text) }
    }

    /// Ends what the script set for its session.
    pub(super) async fn settle(&mut self) -> sqlx::Result<()> {
        match (&self.connection.driver, &self.connection.home) {
            (Driver::Sqlite(_), _) => self.connection.execute("PRAGMA foreign_keys = ON").await?,
            (Driver::Postgres(_), _) => self.connection.execute(&postgres::settle(self.connection)).await?,
            (Driver::Mysql(_), Home::Server(database)) => {
                for sql in mysql::settle(database, &self.connection.patience) {
                    self.connection.execute(&sql).await?;
                }
            }
            (Driver::Mysql(_), Home::File(_) | Home::Memory) => {}
        }
        leftover::end(self.connection, &self.step.statements).await
    }

    /// Runs a statement of ours beside the script's statement number `at`.
    pub(super) async fn own(&mut self, at: usize, sql: &'static str) -> Result<(), Stop> {
        self.connection.execute(sql).await.map_err(|error| Stop::at(at, &error).doing(sql))
    }

    /// What stopped a step before anything of it stands.
    pub(super) fn stopped(&self, stop: &Stop) -> RunError {
        match stop.by {
            // Who was in the way was waited for, as for a statement.
            _ if stop.doing != Some(PIN) || stop.again => RunError::PartWay(Box::new(self.failure(stop, None))),
            Some(Cancelled::Signal(signal)) => RunError::Interrupted(signal),
            _ => self.unpinned(stop),
        }
    }

    /// What is left; `run` is the history row of a run that is not one transaction.
    pub(super) fn failure(&self, stop: &Stop, run: Option<i64>) -> Failure {
        let nowhere = Sql { text: String::new(), path: format!("{} {}", self.step.version, self.step.name), line: 1, manner: Manner::Inside, touched: None };
        let statements = &self.step.statements;
        let sql = statements.get(stop.at).or(statements.last()).unwrap_or(&nowhere);
        let mut failure = Failure::new(self.step, (stop.at + 1).min(statements.len()), sql, &stop.message, &self.connection.secrets);
        if let Some(doing) = stop.doing {
            failure.statement = format!("({doing}, not a statement of the script)");
        }
        if stop.lost && stop.doing == Some(RECORD_AND_COMMIT) && run.is_none() {
            failure.stands = Stands::Undecided;
        }
        if let Some(Cancelled::Signal(signal)) = stop.by {
            failure.by = Some(signal);
        }
        failure.run = run;
        failure.table.clone_from(&self.table.sql);
        failure
    }

    /// Records a failure of a run that is not one transaction.
    pub(super) async fn record(&mut self, stop: &Stop, started: &str, run: i64, stands: usize) -> Failure {
        let mut failure = self.failure(stop, Some(run));
        let lines = self.step.statements[..stands].iter().map(|sql| sql.line).collect();
        failure.stands = if stop.lost { Stands::Unknown(lines) } else { Stands::Lines(lines) };
        let note = failure.note();
        if !stop.lost && self.settle().await.is_ok() && self.append(Outcome::Failed, started, Some(&note)).await.is_ok() {
            *self.seq += 1;
        }
        failure
    }
}

/// Statements of ours in a whole transaction: BEGIN, its history row, COMMIT.
pub(super) const AROUND: usize = 3;

/// The whole transaction of `step` and its history row, as one message.
pub(super) fn transaction(begin: &str, step: &Step, row: &str) -> String {
    let texts = step.statements.iter().map(|sql| sql.text.as_str());
    // A statement may end in a comment.
    [begin].into_iter().chain(texts).chain([row, "COMMIT;\n"]).collect::<Vec<_>>().join("\n;\n")
}

/// What stopped a message of BEGIN, `count` statements, the history row and COMMIT, of which `ran` had run.
pub(super) fn stopped(count: usize, ran: usize, ended: &Ended) -> Stop {
    match ran {
        0 => Stop::ended(0, ended).doing("BEGIN"),
        ran if ran <= count => Stop::ended(ran - 1, ended),
        _ => Stop::ended(count.saturating_sub(1), ended).doing(RECORD_AND_COMMIT),
    }
}

/// What is longer is not copied to make one message of several statements.
const LONG: usize = 64 << 10;

/// Whether a statement may be sent to PostgreSQL in one message with what begins its transaction, which saves the wait for an answer. The
/// server reads a whole message before it ends the settings of the script before, by which a backslash or a letter may mean something else.
fn goes_with_begin(text: &str) -> bool {
    text.len() < LONG && text.is_ascii() && !text.contains('\\')
}

/// Says what is about to run, to those who asked.
pub(super) fn trace(step: &Step, at: usize, sql: &Sql, secrets: &Secrets) {
    tracing::info!(
        "{} {} {}: statement {at} of {}, {}:{}: {}",
        step.direction.name(),
        step.version,
        step.name,
        step.statements.len(),
        sql.path,
        sql.line,
        secrets.mask(&shown(&sql.text))
    );
}

/// What ends a transaction.
pub(super) enum Commit<'a> {
    /// The step's history row, begun at this time.
    History(&'a str),
    /// A journal row.
    Journal(&'a mut Journal),
}
