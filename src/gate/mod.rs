//! What may run on a live database. In: steps with their verdicts and what was observed. Out: [`Cleared`] or [`Blocked`].

mod cleared;

pub use cleared::{Cleared, Sql, Step};

use crate::observed::Observed;
use crate::table::{Loss, Verdict};

/// A step that must not run as things stand.
#[derive(Debug, thiserror::Error)]
#[error("{version} {name} is irreversible and loses data (loss: {}), and this database holds rows", loss.name())]
pub struct Blocked {
    /// The migration's version.
    pub version: String,
    /// The migration's name.
    pub name: String,
    /// What data would go.
    pub loss: Loss,
}

/// Lets `steps` through where none destroys data on a database that holds any.
pub fn clear(steps: Vec<Step>, observed: &Observed) -> Result<Cleared, Blocked> {
    let losing = |step: &&Step| step.verdict == Verdict::Irreversible && step.loss >= Loss::Possible;
    match steps.iter().find(losing) {
        Some(step) if observed.holds_rows => Err(Blocked { version: step.version.clone(), name: step.name.clone(), loss: step.loss }),
        _ => Ok(Cleared::new(steps, observed)),
    }
}
