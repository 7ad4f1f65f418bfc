//! Runs a step that one transaction cannot hold. In: its segments, or where an earlier run of it stopped. Out: a journal that tells after
//! each segment which statements stand.
//!
//! Rows and their journal row commit together; for what commits by itself the journal says first that it is about to run, and what the
//! catalog shows of it.

use super::apply::{Commit, Run, trace};
use super::connection::{COMMIT, Driver};
use super::history::now;
use super::journal::{Journal, Part};
use super::patience::Pauses;
use super::segment::{Segment, segments, touched_by};
use super::stop::Stop;
use super::{Event, RunError, look};
use crate::gate::{Course, Inverse, Resume, Sql};
use crate::observed::{Next, Outcome};
use crate::parse::manner::Manner;
use std::ops::Range;

impl Run<'_> {
    /// Segment by segment, with a history row at the beginning and one at the end.
    pub(super) async fn journalled(&mut self, segments: &[Segment], progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let started = now();
        let (run, mut stands) = match &self.step.course {
            Course::Finish(resume) => (resume.run, resume.stands),
            Course::Whole | Course::Compensate(..) | Course::Settle(_) => {
                if let Err(stop) = self.begun_at_pin(&started, progress).await {
                    return Err(self.stopped(&stop));
                }
                self.tell_pin(progress);
                (*self.seq - 1, 0)
            }
        };
        let mut journal = match self.journal(run, stands).await {
            Ok(journal) => journal,
            Err(stop) => return Err(RunError::PartWay(Box::new(self.record(&stop, &started, run, stands).await))),
        };
        let mut ran = match &self.step.course {
            Course::Finish(resume) => self.again(resume, None, &mut journal, progress).await,
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
            // Not before the first statement: what others write in between is not in what is recovered.
            Ok(()) => {
                self.prove_pin(progress).await;
                Ok(())
            }
            Err(stop) => Err(RunError::PartWay(Box::new(self.record(&stop, &started, run, stands).await))),
        }
    }

    /// Takes back what stands, the last statement first; the journal counts down.
    pub(super) async fn compensate(&mut self, resume: &Resume, inverses: &[Inverse], progress: &mut dyn FnMut(Event<'_>)) -> Result<(), RunError> {
        let started = now();
        let mut stands = resume.stands;
        let mut journal = match self.journal(resume.run, stands).await {
            Ok(journal) => journal,
            Err(stop) => return Err(RunError::PartWay(Box::new(self.record(&stop, &started, resume.run, stands).await))),
        };
        let part = inverses.first().filter(|_| resume.taken_back > 0).map(|inverse| Part::up_to(resume.taken_back, inverse));
        let mut ran = self.again(resume, part.as_ref(), &mut journal, progress).await;
        for (number, inverse) in inverses.iter().enumerate() {
            if ran.is_ok() {
                ran = self.take_back(inverse, if number == 0 { resume.taken_back } else { 0 }, &mut journal, progress).await;
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

    /// Takes one statement back, by those of `inverse` that come after the first `taken`.
    async fn take_back(&mut self, inverse: &Inverse, taken: usize, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let (at, transactional) = (inverse.statement - 1, self.connection.engine.facts().transactional_ddl);
        for segment in segments(&inverse.sql, true, transactional) {
            let range = match segment {
                Segment::Together(range) | Segment::Alone(range) => range,
                Segment::Said(at) => at..at + 1,
            };
            let range = range.start.max(taken)..range.end;
            let as_one = range.len() < 2 || transactional || self.look_at(at, &inverse.sql[range.clone()]).await?.is_some_and(|look| look.all_transactional());
            // What touches tables that know no transactions goes one by one, as on the way forth.
            let parts = if as_one { vec![range] } else { range.map(|one| one..one + 1).collect() };
            for part in parts.into_iter().filter(|part| !part.is_empty()) {
                self.take_back_part(inverse, part, journal, progress).await?;
            }
        }
        if taken < inverse.sql.len() { Ok(()) } else { self.done(at, None, journal, progress).await }
    }

    /// Runs `range` of the statements that take one statement back, and says in the journal that it did: within their transaction where they
    /// have one.
    async fn take_back_part(&mut self, inverse: &Inverse, range: Range<usize>, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let (at, part, statements) = (inverse.statement - 1, Part::up_to(range.end, inverse), &inverse.sql[range]);
        let stands = if part.is_within() { inverse.statement } else { at };
        let in_transaction = statements.iter().all(|sql| sql.manner == Manner::Inside);
        let in_journal = |error: &sqlx::Error| Stop::at(at, error).doing("adding the row to the journal");
        if !in_transaction || !self.connection.engine.facts().transactional_ddl {
            let looked = self.look_at(at, statements).await?;
            journal.begun(self.connection, self.step, at, looked.as_ref(), Some(&part)).await.map_err(|error| in_journal(&error))?;
        }
        if in_transaction {
            self.own(at, self.begin()).await?;
        }
        let mut ran = Ok(());
        for sql in statements {
            progress(Event::Statement { step: self.step, at: inverse.statement, sql });
            trace(self.step, inverse.statement, sql, &self.connection.secrets);
            ran = self.connection.run(&sql.text).await.map_err(|ended| Stop::ended(at, &ended).doing("taking the statement back"));
            if ran.is_err() {
                break;
            }
        }
        if !in_transaction {
            ran?;
            return self.done(stands, Some(&part), journal, progress).await;
        }
        if ran.is_ok() {
            ran = journal.done_within(self.connection, self.step, stands, Some(&part)).await.map_err(|error| in_journal(&error));
        }
        if ran.is_ok() {
            ran = self.own(at, COMMIT).await;
        }
        self.or_back(ran).await
    }

    /// Says in the journal what was found to stand, says again what an earlier session was told, and takes away what it left half-done.
    async fn again(&mut self, resume: &Resume, part: Option<&Part>, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        // The next look, should it come to one, begins here; what this one found may not be seen any more by then.
        self.done(resume.stands, part, journal, progress).await?;
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
        self.done(range.end, None, journal, progress).await
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

    /// Says in the journal that the first `count` statements stand, the last of them but for this part of what takes it back. They ran, so
    /// only the row is tried again where somebody is in the way.
    async fn done(&mut self, count: usize, part: Option<&Part>, journal: &mut Journal, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        let mut pauses = Pauses::new(&self.connection.patience);
        while let Err(error) = journal.done(self.connection, self.step, count, part).await {
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
        self.look_at(range.start, &self.step.statements[range.clone()]).await
    }

    /// The same of any statements, beside the script's number `at`.
    async fn look_at(&mut self, at: usize, statements: &[Sql]) -> Result<Option<look::Look>, Stop> {
        let Some(touched) = touched_by(statements) else { return Ok(None) };
        let looked = look::before(self.connection, &touched).await;
        looked.map(Some).map_err(|error| Stop::at(at, &error).doing("looking at the catalog"))
    }

    /// Says in the journal what is about to run.
    async fn begun(&mut self, range: &Range<usize>, looked: Option<&look::Look>, journal: &mut Journal) -> Result<(), Stop> {
        let begun = journal.begun(self.connection, self.step, range.end, looked, None).await;
        begun.map_err(|error| Stop::at(range.start, &error).doing("adding the row to the journal"))
    }
}
