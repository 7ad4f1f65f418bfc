//! Records where the database stands just before a step. In: a step whose policy wants that, in the transaction that begins it. Out: a
//! [`Pin`] for its history row, or what stops the step before its first statement.

use super::apply::Run;
use super::connection::{COMMIT, Cells, Driver, lost, said};
use super::patience::Pauses;
use super::stop::Stop;
use super::{Event, RunError, binlog, snapshot, wal};
use crate::gate::{Course, Pinning};
use crate::observed::Outcome;
use crate::pin::{Binlog, Destroyed, Pin, Place, SCHEMA, Wal};
use chrono::{SecondsFormat, Utc};
use std::fs;

/// What is being done, where that stops the step.
pub(super) const PIN: &str = "recording where the database stands";

/// Rows and checksum of `of`, as the database gave them; nothing where it refused to count in time.
pub(super) fn counted(rows: sqlx::Result<Vec<Cells>>, of: &Destroyed) -> sqlx::Result<Option<[String; 2]>> {
    match rows {
        Ok(rows) => Ok(rows.into_iter().next().and_then(|row| row.into_iter().collect::<Option<Vec<_>>>()?.try_into().ok())),
        Err(error) if lost(&error) => Err(error),
        Err(error) => {
            tracing::info!("{} is not counted: {}", of.object(), said(&error));
            Ok(None)
        }
    }
}

impl Run<'_> {
    /// What to record before this step; nothing where an earlier run began it.
    pub(super) fn pinning(&self) -> Option<&Pinning> {
        self.step.pin.as_ref().filter(|_| self.step.course == Course::Whole)
    }

    /// Records it. `exact`: the transaction that this stands in holds the step's first statement too.
    pub(super) async fn pin(&mut self, exact: bool) -> Result<(), Stop> {
        let step = self.step;
        let Some(pinning) = step.pin.as_ref().filter(|_| step.course == Course::Whole) else { return Ok(()) };
        let now = Utc::now();
        let (at, place, destroys) = match self.connection.driver {
            Driver::Sqlite(_) => {
                let taken = snapshot::take(self.connection, pinning.settings.directory.as_deref(), &step.version, now).await;
                (now.to_rfc3339_opts(SecondsFormat::Millis, true), Place::Snapshot(taken.map_err(|stop| stop.doing(PIN))?), Vec::new())
            }
            Driver::Postgres(_) => {
                let pinned = wal::pin(self.connection, step, &pinning.destroys, pinning.settings.scan_limit, now).await;
                let (clock, wal, destroyed) = pinned.map_err(|stop| stop.doing(PIN))?;
                (clock, Place::Wal(wal), destroyed)
            }
            Driver::Mysql(_) => {
                let pinned = binlog::pin(self.connection, step, &pinning.destroys, pinning.settings.scan_limit).await;
                let (clock, binlog, destroyed) = pinned.map_err(|stop| stop.doing(PIN))?;
                (clock, Place::Binlog(binlog), destroyed)
            }
        };
        let impossible = match &place {
            Place::Wal(Wal { impossible, .. }) | Place::Binlog(Binlog { impossible, .. }) => impossible.as_ref(),
            Place::Snapshot(_) => None,
        };
        if let Some(why) = impossible.filter(|_| pinning.settings.required) {
            let message = format!("no point-in-time recovery is possible: {why}");
            return Err(Stop { at: 0, doing: Some(PIN), message, lost: false, again: false, by: None });
        }
        self.pin = Some(Pin { schema: SCHEMA, at, exact, place, destroys });
        Ok(())
    }

    /// The history row that tells of the beginning of a step which one transaction cannot hold, with what is recorded before it.
    pub(super) async fn begun_at_pin(&mut self, started_at: &str, progress: &mut dyn FnMut(Event<'_>)) -> Result<(), Stop> {
        if self.pinning().is_none() {
            return self.recorded(Outcome::Started, started_at, progress).await;
        }
        let mut pauses = Pauses::new(&self.connection.patience);
        loop {
            let begun = self.row_at_pin(started_at).await;
            let Err(stop) = self.or_back(begun).await else { break };
            if !stop.lost {
                self.unpin();
            }
            self.pause(stop, &mut pauses, progress).await?;
        }
        *self.seq += 1;
        Ok(())
    }

    async fn row_at_pin(&mut self, started_at: &str) -> Result<(), Stop> {
        self.own(0, self.begin()).await?;
        self.pin(false).await?;
        let added = self.append(Outcome::Started, started_at, self.step.note.as_deref()).await;
        added.map_err(|error| Stop::at(0, &error).doing("adding a row to the history table"))?;
        self.own(0, COMMIT).await
    }

    /// Tells what was recorded, once the row that holds it stands.
    pub(super) fn tell_pin(&self, progress: &mut dyn FnMut(Event<'_>)) {
        if let Some(pin) = &self.pin {
            progress(Event::Pinned { step: self.step, pin });
        }
    }

    /// Waits until PostgreSQL's log up to there is archived, and tells where that does not come about.
    pub(super) async fn prove_pin(&mut self, progress: &mut dyn FnMut(Event<'_>)) {
        let (Some(Pin { place: Place::Wal(wal), .. }), Some(pinning)) = (&self.pin, &self.step.pin) else { return };
        if wal.impossible.is_some() {
            return;
        }
        if let Err(why) = wal::archived(self.connection, wal, pinning.settings.archive_timeout).await {
            progress(Event::Unproved { step: self.step, why: &why });
        }
    }

    /// The step does not begin without it.
    pub(super) fn unpinned(&self, stop: &Stop) -> RunError {
        let (migration, message) = (format!("{} {}", self.step.version, self.step.name), self.connection.secrets.mask(&stop.message));
        RunError::Unpinned { migration, message, finished: 0, lost: stop.lost }
    }

    /// Takes away what was recorded for a try that came to nothing.
    pub(super) fn unpin(&mut self) {
        if let Some(Pin { place: Place::Snapshot(snapshot), .. }) = self.pin.take() {
            // Should it stay, it is a copy that no history row names.
            let _ = fs::remove_file(snapshot.file);
        }
    }
}
