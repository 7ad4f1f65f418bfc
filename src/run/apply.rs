//! Runs one step and records it. In: a cleared step on a locked connection. Out: its history rows, or what is left of it.
//!
//! What one transaction can hold is one transaction, history row included. Else the run is cut into segments, and the journal
//! tells after each which statements stand: rows and their journal row commit together, and for what commits by itself the journal
//! says first that it is about to run, and what the catalog shows of it.

use super::connection::{Cancelled, Connection, Driver, Home, said};
use super::error::{Failure, Stands};
use super::history::{HistoryTable, Record, Who, now};
use super::journal::Journal;
use super::patience::Pauses;
use super::secret::shown;
use super::segment::{Segment, segments, touched_by};
use super::stop::Stop;
use super::{Event, RunError, look, mysql, postgres, sqlite};
use crate::gate::{Course, Inverse, Resume, Sql, Step};
use crate::observed::{Next, Outcome};
use crate::parse::manner::Manner;
use std::ops::Range;

const COMMIT: &str = "COMMIT";

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
                return Err(RunError::PartWay(Box::new(self.failure(&stop, None))));
            }
        }
        *self.seq += 1;
        Ok(())
    }

    /// Waits before the next try; gives back what stopped it where there is to be none.
    async fn pause(&mut self, stop: Stop, pauses: &mut Pauses, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
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
    async fn as_one(&mut self, range: Range<usize>, commit: Commit<'_>, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let first = range.start;
        let (begin, unchecked) = match self.connection.driver {
            Driver::Sqlite(_) => (String::from("BEGIN IMMEDIATE"), sqlite::Unchecked::of(&self.step.statements, &range)),
            // Between the segments of one script its settings hold; between two scripts they do not.
            Driver::Postgres(_) if matches!(commit, Commit::History(_)) => {
                (format!("{}; BEGIN", postgres::settle(&self.connection.patience)), sqlite::Unchecked::default())
            }
            Driver::Postgres(_) | Driver::Mysql(_) => (String::from("BEGIN"), sqlite::Unchecked::default()),
        };
        if unchecked.off {
            self.own(first, "PRAGMA foreign_keys = OFF").await?;
        }
        let ran = match self.connection.execute(&begin).await.map_err(|error| Stop::at(first, &error).doing("BEGIN")) {
            Ok(()) => self.inside(range, &unchecked, commit, progress).await,
            Err(stop) => Err(stop),
        };
        let ran = match ran {
            // Where that fails the connection is of no more use, and the server rolls back when it ends.
            Err(stop) if !self.rolled_back().await => Err(Stop { lost: true, again: false, ..stop }),
            other => other,
        };
        if unchecked.off {
            // Not part of the outcome: the transaction is over, and the next step would fail here too.
            let _ = self.connection.execute("PRAGMA foreign_keys = ON").await;
        }
        ran
    }

    /// Rolls back, and tells whether that is done.
    async fn rolled_back(&mut self) -> bool {
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
        unchecked: &sqlite::Unchecked,
        commit: Commit<'_>,
        progress: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Stop> {
        let children = match self.connection.driver {
            Driver::Sqlite(_) => sqlite::Children::count(self.connection, &self.step.statements, &range).await,
            Driver::Postgres(_) | Driver::Mysql(_) => None,
        };
        if unchecked.begins {
            self.dangling = sqlite::dangling(self.connection).await;
        }
        self.statements(range.clone(), progress).await?;
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
                self.append(Outcome::Done, started_at, self.step.note.as_deref())
                    .await
                    .map_err(|error| Stop::at(last, &error).doing("adding the row to the history table"))?;
            }
            Commit::Journal(journal) => {
                let done = journal.done_within(self.connection, self.step, range.end).await;
                done.map_err(|error| Stop::at(last, &error).doing("adding the row to the journal"))?;
            }
        }
        self.own(last, COMMIT).await
    }

    /// Segment by segment, with a history row at the beginning and one at the end.
    async fn journalled(&mut self, segments: &[Segment], progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let started = now();
        let (run, mut stands) = match &self.step.course {
            Course::Finish(resume) => (resume.run, resume.stands),
            Course::Whole | Course::Compensate(..) | Course::Settle(_) => {
                if let Err(stop) = self.recorded(Outcome::Started, &started, progress).await {
                    return Err(RunError::PartWay(Box::new(self.failure(&stop, None))));
                }
                (*self.seq - 1, 0)
            }
        };
        let mut journal = match self.journal(run, stands).await {
            Ok(journal) => journal,
            Err(stop) => return Err(RunError::PartWay(Box::new(self.record(&stop, &started, run, stands).await))),
        };
        let mut ran = match &self.step.course {
            Course::Finish(resume) => self.again(resume, &mut journal, progress).await,
            Course::Whole | Course::Compensate(..) | Course::Settle(_) => Ok(()),
        };
        for segment in segments {
            let segment = match segment {
                Segment::Together(range) if range.end > stands => Segment::Together(range.start.max(stands)..range.end),
                Segment::Alone(range) if range.end > stands => Segment::Alone(range.clone()),
                Segment::Said(at) if *at >= stands => Segment::Said(*at),
                Segment::Together(_) | Segment::Alone(_) | Segment::Said(_) => continue,
            };
            if ran.is_ok() {
                ran = self.segment(&segment, &mut stands, &mut journal, progress).await;
            }
            if ran.is_err() {
                break;
            }
        }
        let ended = match ran {
            Ok(()) => self.settle().await.map_err(|error| Stop::at(self.step.statements.len(), &error).doing("ending the script's session settings")),
            Err(stop) => Err(stop),
        };
        let ended = match ended {
            // All statements stand by now, and the journal says so: should this fail, the next start adds the row.
            Ok(()) => self.recorded(Outcome::Done, &started, progress).await,
            Err(stop) => Err(stop),
        };
        match ended {
            Ok(()) => Ok(()),
            Err(stop) => Err(RunError::PartWay(Box::new(self.record(&stop, &started, run, stands).await))),
        }
    }

    /// Takes back what stands, the last statement first; the journal counts down.
    async fn compensate(&mut self, resume: &Resume, inverses: &[Inverse], progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let started = now();
        let mut stands = resume.stands;
        let mut journal = match self.journal(resume.run, stands).await {
            Ok(journal) => journal,
            Err(stop) => return Err(RunError::PartWay(Box::new(self.record(&stop, &started, resume.run, stands).await))),
        };
        let mut ran = self.again(resume, &mut journal, progress).await;
        for inverse in inverses {
            if ran.is_ok() {
                ran = self.take_back(inverse, &mut journal, progress).await;
            }
            if ran.is_err() {
                break;
            }
            stands = inverse.statement - 1;
        }
        let ended = match ran {
            Ok(()) => self.settle().await.map_err(|error| Stop::at(stands, &error).doing("ending the script's session settings")),
            Err(stop) => Err(stop),
        };
        let ended = match ended {
            Ok(()) => self.recorded(Outcome::Undone, &started, progress).await,
            Err(stop) => Err(stop),
        };
        match ended {
            Ok(()) => Ok(()),
            Err(stop) => Err(RunError::PartWay(Box::new(self.record(&stop, &started, resume.run, stands).await))),
        }
    }

    async fn take_back(&mut self, inverse: &Inverse, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let at = inverse.statement - 1;
        let in_journal = |error: &sqlx::Error| Stop::at(at, error).doing("adding the row to the journal");
        for sql in &inverse.sql {
            progress(Event::Statement { step: self.step, at: inverse.statement, sql });
            self.trace(inverse.statement, sql);
            let touched = sql.touched.as_deref().unwrap_or_default();
            let looked = look::before(self.connection, touched).await.map_err(|error| Stop::at(at, &error).doing("looking at the catalog"))?;
            journal.begun(self.connection, self.step, at, Some(&looked)).await.map_err(|error| in_journal(&error))?;
            self.connection.run(&sql.text).await.map_err(|ended| Stop::ended(at, &ended).doing("taking the statement back"))?;
        }
        self.done(at, journal, progress).await
    }

    /// Says in the journal what was found to stand, says again what an earlier session was told, and takes away what it left half-done.
    async fn again(&mut self, resume: &Resume, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        // The next look, should it come to one, begins here; what this one found may not be seen any more by then.
        self.done(resume.stands, journal, progress).await?;
        for (at, sql) in self.step.statements.iter().enumerate().take(resume.stands).filter(|(_, sql)| sql.manner == Manner::Session) {
            self.connection.run(&sql.text).await.map_err(|ended| Stop::ended(at, &ended))?;
        }
        let Some(cleanup) = &resume.cleanup else { return Ok(()) };
        self.connection.run(cleanup).await.map_err(|ended| Stop::ended(resume.stands, &ended).doing("taking away what the statement left half-done"))
    }

    /// Runs a segment; `stands` grows with what stands of it.
    async fn segment(&mut self, segment: &Segment, stands: &mut usize, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        for part in self.parts(segment).await? {
            let mut pauses = Pauses::new(&self.connection.patience);
            loop {
                let tried = match &part {
                    Segment::Said(at) => self.statements(*at..at + 1, progress).await,
                    Segment::Together(range) => self.together(range, journal, progress).await,
                    Segment::Alone(range) => self.alone(range, journal, progress).await,
                };
                let Err(stop) = tried else { break };
                self.pause(stop, &mut pauses, progress).await?;
            }
            if let Segment::Together(range) | Segment::Alone(range) = part {
                *stands = range.end;
            }
        }
        Ok(())
    }

    /// What touches tables that know no transactions goes one by one, so that it is one statement at most whose fate nobody knows.
    async fn parts(&mut self, segment: &Segment) -> Result<Vec<Segment>, Stop> {
        if let (Segment::Together(range), Driver::Mysql(_)) = (segment, &self.connection.driver)
            && range.len() > 1
            && !self.look(range).await?.is_some_and(|looked| looked.all_transactional())
        {
            return Ok(range.clone().map(|at| Segment::Together(at..at + 1)).collect());
        }
        Ok(vec![segment.clone()])
    }

    /// Rows, or whatever else comes and goes with a transaction, and their journal row.
    async fn together(&mut self, range: &Range<usize>, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let Driver::Mysql(_) = self.connection.driver else {
            return self.as_one(range.clone(), Commit::Journal(journal), progress).await;
        };
        // Some tables of these databases keep what a transaction gave up; the next start looks whether these do.
        let looked = self.look(range).await?;
        self.begun(range, looked.as_ref(), journal).await?;
        self.as_one(range.clone(), Commit::Journal(journal), progress).await
    }

    async fn alone(&mut self, range: &Range<usize>, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let looked = self.look(range).await?;
        self.begun(range, looked.as_ref(), journal).await?;
        let waits_long = self.waits_long(range);
        if waits_long {
            self.own(range.start, "SET lock_timeout = 0").await?;
        }
        let ran = self.statements(range.clone(), progress).await;
        if waits_long && ran.is_ok() {
            let limit = self.connection.patience.lock.map_or(0, |limit| limit.as_millis());
            let set = self.connection.execute(&format!("SET lock_timeout = {limit}")).await;
            set.map_err(|error| Stop::at(range.start, &error).doing("SET lock_timeout"))?;
        }
        if let Err(stop) = ran {
            return Err(self.failed_alone(stop, range, looked.as_ref(), journal).await);
        }
        if range.len() > 1 {
            self.own(range.end - 1, "UNLOCK TABLES").await?;
        }
        self.done(range.end, journal, progress).await
    }

    /// Whether it waits for the transactions of others by its nature, as CREATE INDEX CONCURRENTLY does, and holds nobody up by that. A
    /// script that sets a limit means it.
    fn waits_long(&self, range: &Range<usize>) -> bool {
        let says = |sql: &Sql, word: &str| sql.text.to_ascii_lowercase().contains(word);
        matches!(self.connection.driver, Driver::Postgres(_))
            && self.step.statements[range.clone()].iter().any(|sql| says(sql, "concurrently"))
            && !self.step.statements.iter().any(|sql| says(sql, "lock_timeout"))
    }

    /// What is known after a statement that commits by itself has failed: the database's refusal is certain where the connection holds.
    async fn failed_alone(&mut self, stop: Stop, range: &Range<usize>, looked: Option<&look::Look>, journal: &mut Journal) -> Stop {
        if stop.lost || range.len() > 1 {
            return stop;
        }
        match look::after(self.connection, looked).await {
            // CREATE INDEX CONCURRENTLY that gave up leaves an index that nobody uses and that bars the next try.
            Ok(Some(Next::Cleanup(cleanup))) if stop.again => match self.connection.run(&cleanup).await {
                Ok(()) => stop,
                Err(ended) => Stop { again: false, ..Stop::ended(range.start, &ended).doing("taking away what the statement left half-done") },
            },
            // The next start takes it away.
            Ok(Some(Next::Cleanup(_))) => stop,
            // As before it: DDL of one object is atomic. Should this row fail, the next start looks at the catalog.
            Ok(Some(Next::Due)) => {
                let _ = journal.refused(self.connection, self.step, range.end).await;
                stop
            }
            // A procedure may have done a part of its work, so it is not done again unasked.
            Ok(_) | Err(_) => Stop { again: false, ..stop },
        }
    }

    /// Says in the journal that the first `count` statements stand. They ran, so only the row is tried again where somebody is in the way.
    async fn done(&mut self, count: usize, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let mut pauses = Pauses::new(&self.connection.patience);
        while let Err(error) = journal.done(self.connection, self.step, count).await {
            let stop = Stop::at(count.saturating_sub(1), &error).doing("adding the row to the journal");
            self.pause(stop, &mut pauses, progress).await.map_err(|stop| Stop { again: false, ..stop })?;
        }
        Ok(())
    }

    async fn journal(&mut self, run: i64, stands: usize) -> Result<Journal, Stop> {
        let opened = Journal::open(self.connection, self.table, run).await;
        opened.map_err(|error| Stop::at(stands, &error).doing("opening the journal"))
    }

    /// What the catalog shows of what is about to run.
    async fn look(&mut self, range: &Range<usize>) -> Result<Option<look::Look>, Stop> {
        let Some(touched) = touched_by(&self.step.statements[range.clone()]) else { return Ok(None) };
        let looked = look::before(self.connection, &touched).await;
        looked.map(Some).map_err(|error| Stop::at(range.start, &error).doing("looking at the catalog"))
    }

    /// Says in the journal what is about to run.
    async fn begun(&mut self, range: &Range<usize>, looked: Option<&look::Look>, journal: &mut Journal) -> Result<(), Stop> {
        let begun = journal.begun(self.connection, self.step, range.end, looked).await;
        begun.map_err(|error| Stop::at(range.start, &error).doing("adding the row to the journal"))
    }

    async fn statements(&mut self, range: Range<usize>, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        for at in range {
            let sql = &self.step.statements[at];
            progress(Event::Statement { step: self.step, at: at + 1, sql });
            self.trace(at + 1, sql);
            self.connection.run(&sql.text).await.map_err(|ended| Stop::ended(at, &ended))?;
        }
        Ok(())
    }

    fn trace(&self, at: usize, sql: &Sql) {
        tracing::info!(
            "{} {} {}: statement {at} of {}, {}:{}: {}",
            self.step.direction.name(),
            self.step.version,
            self.step.name,
            self.step.statements.len(),
            sql.path,
            sql.line,
            self.connection.secrets.mask(&shown(&sql.text))
        );
    }

    /// Adds the history row, which commits by itself.
    async fn recorded(&mut self, outcome: Outcome, started_at: &str, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let mut pauses = Pauses::new(&self.connection.patience);
        let at = if outcome == Outcome::Started { 0 } else { self.step.statements.len() };
        while let Err(error) = self.append(outcome, started_at, self.step.note.as_deref()).await {
            let stop = Stop::at(at, &error).doing("adding a row to the history table");
            self.pause(stop, &mut pauses, progress).await?;
        }
        *self.seq += 1;
        Ok(())
    }

    async fn append(&mut self, outcome: Outcome, started_at: &str, note: Option<&str>) -> sqlx::Result<()> {
        let record = Record { seq: *self.seq, outcome, started_at, who: self.who, note };
        self.table.append(self.connection, self.step, &record).await
    }

    /// Ends what the script set for its session.
    async fn settle(&mut self) -> sqlx::Result<()> {
        match (&self.connection.driver, &self.connection.home) {
            (Driver::Sqlite(_), _) => self.connection.execute("PRAGMA foreign_keys = ON").await?,
            (Driver::Postgres(_), _) => self.connection.execute(&postgres::settle(&self.connection.patience)).await?,
            (Driver::Mysql(_), Home::Server(database)) => {
                for sql in mysql::settle(database, &self.connection.patience) {
                    self.connection.execute(&sql).await?;
                }
            }
            (Driver::Mysql(_), Home::File(_) | Home::Memory) => {}
        }
        Ok(())
    }

    /// Runs a statement of ours beside the script's statement number `at`.
    async fn own(&mut self, at: usize, sql: &'static str) -> Result<(), Stop> {
        self.connection.execute(sql).await.map_err(|error| Stop::at(at, &error).doing(sql))
    }

    /// What is left; `run` is the history row of a run that is not one transaction.
    fn failure(&self, stop: &Stop, run: Option<i64>) -> Failure {
        let nowhere = Sql { text: String::new(), path: format!("{} {}", self.step.version, self.step.name), line: 1, manner: Manner::Inside, touched: None };
        let statements = &self.step.statements;
        let sql = statements.get(stop.at).or(statements.last()).unwrap_or(&nowhere);
        let mut failure = Failure::new(self.step, (stop.at + 1).min(statements.len()), sql, &stop.message, &self.connection.secrets);
        if let Some(doing) = stop.doing {
            failure.statement = format!("({doing}, not a statement of the script)");
        }
        if stop.lost && stop.doing == Some(COMMIT) && run.is_none() {
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
    async fn record(&mut self, stop: &Stop, started: &str, run: i64, stands: usize) -> Failure {
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

/// What ends a transaction.
enum Commit<'a> {
    /// The step's history row, begun at this time.
    History(&'a str),
    /// A journal row.
    Journal(&'a mut Journal),
}
