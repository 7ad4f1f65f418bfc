//! The two consents. In: assessments, the policy, what was observed of a database. Out: what may be merged ([`merge`]), and
//! what may run on this database ([`Cleared`]).

pub mod attestation;
mod cleared;
pub mod history;
pub mod merge;
pub mod pinning;
pub mod policy;

pub use cleared::{Cleared, Course, Inverse, Resume, Sql, Step};
pub use pinning::Pinning;

use crate::migration::Direction;
use crate::observed::Observed;
use crate::table::Loss;
use attestation::Accepted;

/// Why steps must not run as things stand.
#[derive(Debug, thiserror::Error)]
pub enum Blocked {
    /// UP destroys data.
    #[error("{version} {name} is irreversible and loses data (loss: {}), and this database holds rows", loss.name())]
    Attestation {
        /// The migration's version.
        version: String,
        /// The migration's name.
        name: String,
        /// What data would go.
        loss: Loss,
    },
    /// UP destroys data, and the policy denies that whatever is attested.
    #[error("{version} {name} is irreversible and loses data (loss: {}), this database holds rows, and the policy denies that", loss.name())]
    Forbidden {
        /// The migration's version.
        version: String,
        /// The migration's name.
        name: String,
        /// What data would go.
        loss: Loss,
    },
    /// DOWN takes away what was written since UP, and nobody has agreed to that.
    #[error("undoing {version} {name} loses all that stands in {}", objects.join(", "))]
    WrittenSince {
        /// The migration's version.
        version: String,
        /// The migration's name.
        name: String,
        /// What is lost: `table notes`, `column users.email`.
        objects: Vec<String>,
    },
    /// A run stopped part-way, and these steps do not begin with a way on from it.
    #[error("{direction} of {version} {name} stopped part-way on this database", direction = direction.name())]
    HalfDone {
        /// Which way it went.
        direction: Direction,
        /// The migration's version.
        version: String,
        /// The migration's name.
        name: String,
    },
}

/// What somebody agreed to.
#[derive(Clone, Debug, Default)]
pub struct Consents {
    /// Objects whose content may be lost by a DOWN, by name (`notes`, `users.email`); `all` stands for any.
    pub accepted_loss: Vec<String>,
    /// The attestations that fit this database.
    pub accepted: Vec<Accepted>,
    /// Why to run without one; only where the policy knows such a word.
    pub overriding: Option<String>,
}

impl Consents {
    /// Whether the loss of `object` (`table notes`, `column users.email`) was agreed to.
    pub fn covers(&self, object: &str) -> bool {
        let name = object.split_once(' ').map_or(object, |(_, name)| name);
        self.accepted_loss.iter().any(|accepted| accepted == "all" || accepted.eq_ignore_ascii_case(name) || accepted.eq_ignore_ascii_case(object))
    }
}

/// Whether `step` may run on this database only with an attestation. A copy of the whole database, made just before, stands in its place;
/// what goes on from where a run stopped makes none.
pub fn wants_attestation(step: &Step, observed: &Observed) -> bool {
    let copied = observed.can_be_copied && step.course == Course::Whole && step.pin.as_ref().is_some_and(|pin| pin.copy_is_enough);
    step.needs_attestation && step.goes_on() && observed.holds_rows && !copied
}

/// Lets `steps` through where none destroys data on a database that holds any, unless a backup of it is attested, and where somebody agreed to
/// what a DOWN takes along. `holding` are the objects of `down_loses` that hold anything. No comment in a file lifts the first; the policy may,
/// and so does a copy of the whole database that is made just before.
///
/// # Errors
/// [`Blocked`], with the first step in the way.
pub fn clear(mut steps: Vec<Step>, observed: &Observed, holding: &[&String], consents: &Consents) -> Result<Cleared, Blocked> {
    if let Some(half) = &observed.half_done
        && steps.first().is_some_and(|step| step.course == Course::Whole || step.version != half.row.version || step.direction != half.row.direction)
    {
        return Err(Blocked::HalfDone { direction: half.row.direction, version: half.row.version.clone(), name: half.row.name.clone() });
    }
    for step in &mut steps {
        let (version, name) = (step.version.clone(), step.name.clone());
        // What a run began with that stopped part-way is what it is gone on with.
        if step.course == Course::Whole {
            step.attestation = None;
        }
        if step.forbidden && step.goes_on() && observed.holds_rows {
            return Err(Blocked::Forbidden { version, name, loss: step.loss });
        }
        if wants_attestation(step, observed) {
            match (consents.accepted.iter().find(|accepted| accepted.covers(&step.version, &step.up_sha256)), &consents.overriding) {
                (Some(accepted), _) => step.attestation = Some(accepted.record().to_owned()),
                (None, Some(reason)) => step.reason = Some(format!("no attestation: {reason}")),
                (None, None) => return Err(Blocked::Attestation { version, name, loss: step.loss }),
            }
        }
        let step = &*step;
        let lost = |object: &&String| step.takes_back() && holding.contains(object) && !consents.covers(object);
        let objects: Vec<String> = step.down_loses.iter().filter(lost).cloned().collect();
        if !objects.is_empty() {
            return Err(Blocked::WrittenSince { version, name, objects });
        }
    }
    if !observed.holds_rows {
        // Nothing stands there that a way back could bring back.
        steps.iter_mut().for_each(|step| step.pin = None);
    }
    Ok(Cleared::new(steps, observed))
}
