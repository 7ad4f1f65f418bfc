//! How long to wait for what. In: settings, an error. Out: limits, and whether and when to try again.

use sqlx::Error;
use std::time::{Duration, Instant};

/// How long a run waits.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For another runner.
    pub runner: Duration,
    /// For a lock that an application holds, each time; `None` as long as the server has it. DDL that waits makes all who come after it
    /// wait too, so this is short, and what ran into it is tried again.
    pub lock: Option<Duration>,
    /// For one statement.
    pub statement: Option<Duration>,
    /// How long to try again after waits for a lock that were in vain, and deadlocks.
    pub retries: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Patience { runner: Duration::from_secs(30), lock: Some(Duration::from_secs(5)), statement: None, retries: Duration::from_secs(120) }
    }
}

/// Whether an error says no more than that somebody else was in the way.
pub(super) fn in_the_way(error: &Error) -> bool {
    let Error::Database(error) = error else { return false };
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        // ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK.
        return [1205, 1213].contains(&error.number());
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        // SQLITE_BUSY and SQLITE_LOCKED with their extended codes.
        return code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6));
    }
    // PostgreSQL: lock_not_available, deadlock_detected.
    ["55P03", "40P01"].contains(&code.as_ref())
}

/// Pauses between tries: longer each time, and of uneven length, so that two who wait for one another part.
pub(super) struct Pauses {
    until: Instant,
    next: Duration,
}

/// No pause is longer.
const LONGEST: Duration = Duration::from_secs(5);

impl Pauses {
    pub(super) fn new(patience: &Patience) -> Pauses {
        Pauses { until: Instant::now() + patience.retries, next: Duration::from_millis(200) }
    }

    /// The pause before the next try; `None` where it is time to give up.
    pub(super) fn next(&mut self) -> Option<Duration> {
        let pause = self.next.mul_f64(0.5 + fastrand::f64());
        self.next = (self.next * 2).min(LONGEST);
        (Instant::now() + pause < self.until).then_some(pause)
    }
}
