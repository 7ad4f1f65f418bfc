//! What stopped a step on its way. In: what the database said, beside which statement. Out: the words, and whether it may be tried again.

use super::connection::{Cancelled, Ended, lost, said};
use super::patience::in_the_way;

/// What stopped a step: the statement's number from 0, the words, and whether the connection is gone.
pub(super) struct Stop {
    pub(super) at: usize,
    /// What to show in place of the statement, where it was not the script's.
    pub(super) doing: Option<&'static str>,
    pub(super) message: String,
    pub(super) lost: bool,
    /// Somebody else was in the way: it may be tried again.
    pub(super) again: bool,
    pub(super) by: Option<Cancelled>,
}

impl Stop {
    pub(super) fn at(at: usize, error: &sqlx::Error) -> Stop {
        Stop { at, doing: None, message: said(error), lost: lost(error), again: in_the_way(error), by: None }
    }

    pub(super) fn ended(at: usize, ended: &Ended) -> Stop {
        let message = match ended.by {
            Some(Cancelled::Signal(signal)) => format!("interrupted by {}", signal.name()),
            Some(Cancelled::Timeout(limit)) => format!("it took longer than {} s (--statement-timeout), and was cancelled", limit.as_secs_f32()),
            None => return Stop::at(at, &ended.error),
        };
        Stop { message, again: false, lost: false, by: ended.by, ..Stop::at(at, &ended.error) }
    }

    pub(super) fn doing(self, doing: &'static str) -> Stop {
        Stop { doing: Some(doing), ..self }
    }
}
