//! The two consents. In: assessments, the policy, what was observed of a database. Out: what may be merged ([`merge`]), and
//! what may run on this database ([`Cleared`]).

mod cleared;
pub mod history;
pub mod merge;
pub mod policy;

pub use cleared::{Cleared, Sql, Step};

use crate::observed::Observed;
use crate::table::Loss;

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

/// Lets `steps` through where none destroys data on a database that holds any. No comment in a file lifts that; the policy may.
///
/// # Errors
/// [`Blocked`], with the first step in the way.
pub fn clear(steps: Vec<Step>, observed: &Observed) -> Result<Cleared, Blocked> {
    match steps.iter().find(|step| step.needs_attestation) {
        Some(step) if observed.holds_rows => Err(Blocked { version: step.version.clone(), name: step.name.clone(), loss: step.loss }),
        _ => Ok(Cleared::new(steps, observed)),
    }
}
