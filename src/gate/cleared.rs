//! What may run. In: the steps that the gate let through and the database it judged them for. Out: a [`Cleared`], which is
//! all that `run` takes.

use crate::migration::Direction;
use crate::observed::Observed;
use crate::table::{Loss, Verdict};

/// One statement with its place in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The text that the server gets, exactly so.
    pub text: String,
    /// The file, relative to the migrations' folder.
    pub path: String,
    /// The file's line that the text starts on, from 1.
    pub line: u32,
}

/// One migration in one direction, ready to run and to be recorded.
#[derive(Clone, Debug)]
pub struct Step {
    /// The migration's version, as written.
    pub version: String,
    /// The migration's name.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// What to run, in order, without statements that begin or end a transaction.
    pub statements: Vec<Sql>,
    /// Whether all of it and its history row are one transaction, where the database has that.
    pub in_transaction: bool,
    /// The verdict to record.
    pub verdict: Verdict,
    /// The loss to record.
    pub loss: Loss,
    /// The policy lets it destroy data on a database that holds rows only with an attestation.
    pub needs_attestation: bool,
    /// The checksum of UP.
    pub up_sha256: String,
    /// The checksum of DOWN, where there is one.
    pub down_sha256: Option<String>,
    /// DOWN's text.
    pub down_text: Option<String>,
    /// What else to record.
    pub note: Option<String>,
}

/// Steps that may run on one database as long as its history is what it was. Only the gate makes one.
#[derive(Debug)]
pub struct Cleared {
    steps: Vec<Step>,
    identity: String,
    head: Option<i64>,
}

impl Cleared {
    pub(super) fn new(steps: Vec<Step>, observed: &Observed) -> Cleared {
        Cleared { steps, identity: observed.identity.clone(), head: observed.head() }
    }

    /// What may run, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The database that this was cleared for.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// The newest history row at that time.
    pub fn head(&self) -> Option<i64> {
        self.head
    }
}
