//! What may run. In: the steps that the gate let through and the database it judged them for. Out: a [`Cleared`], which is
//! all that `run` takes.

use super::pinning::Pinning;
use crate::migration::Direction;
use crate::observed::{Observed, Outcome};
use crate::parse::manner::{Manner, Touched};
use crate::table::{Loss, Verdict};
use sha2::{Digest, Sha256};

/// One statement with its place in its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql {
    /// The text that the server gets, exactly so.
    pub text: String,
    /// The file, relative to the migrations' folder.
    pub path: String,
    /// The file's line that the text starts on, from 1.
    pub line: u32,
    /// How it meets a transaction.
    pub manner: Manner,
    /// Where the database's catalog shows whether it took effect; `None` where it does not.
    pub touched: Option<Vec<Touched>>,
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
    /// Whether the statements that a transaction takes share one, where the database has that for them. What cannot stand in one is
    /// split out either way.
    pub in_transaction: bool,
    /// From the beginning, or on from where a run stopped part-way.
    pub course: Course,
    /// The verdict to record.
    pub verdict: Verdict,
    /// The loss to record.
    pub loss: Loss,
    /// The policy lets it destroy data on a database that holds rows only with an attestation.
    pub needs_attestation: bool,
    /// The policy forbids it on such a database, whatever is attested.
    pub forbidden: bool,
    /// What to record of the database just before it, where its policy wants that.
    pub pin: Option<Pinning>,
    /// The checksum of UP.
    pub up_sha256: String,
    /// UP's text, where it is not very long.
    pub up_text: Option<String>,
    /// The checksum of DOWN, where there is one.
    pub down_sha256: Option<String>,
    /// DOWN's text.
    pub down_text: Option<String>,
    /// What DOWN takes away with all that was written since UP.
    pub down_loses: Vec<String>,
    /// The attestation that let it run, to record; the gate sets it.
    pub attestation: Option<String>,
    /// Why it runs, where somebody had to say.
    pub reason: Option<String>,
    /// What else to record.
    pub note: Option<String>,
}

/// Which way through a step's statements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Course {
    /// All of them, from the first on.
    Whole,
    /// Those that a run which stopped part-way has left.
    Finish(Resume),
    /// Takes back those that stand of such a run, the last one first.
    Compensate(Resume, Vec<Inverse>),
    /// None: a person has brought such a run to this end, or another tool has run it, and that is only recorded.
    Settle(Outcome),
}

/// Where a run stopped part-way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// The history row that tells of its beginning.
    pub run: i64,
    /// How many statements stand.
    pub stands: usize,
    /// How many statements of what takes back the last of these have run.
    pub taken_back: usize,
    /// A statement that takes away what the next one left half-done.
    pub cleanup: Option<String>,
}

/// What takes back one statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inverse {
    /// The statement's number, from 1; all before it stand when it is taken back.
    pub statement: usize,
    /// What to run.
    pub sql: Vec<Sql>,
}

impl Step {
    /// Whether statements of its script are to run, rather than what takes them back.
    pub fn goes_on(&self) -> bool {
        matches!(self.course, Course::Whole | Course::Finish(_))
    }

    /// Whether it takes away what was made, and with it all that was written there since.
    pub fn takes_back(&self) -> bool {
        match self.course {
            Course::Whole => self.direction == Direction::Down,
            Course::Compensate(..) => true,
            Course::Finish(_) | Course::Settle(_) => false,
        }
    }

    /// SHA-256 over the texts of the first `count` statements, in lower-case hexadecimal: equal where what stands is what these are.
    pub fn prefix_sha256(&self, count: usize) -> String {
        sha256(self.statements.iter().take(count))
    }
}

impl Inverse {
    /// The same over the first `count` statements of what takes back.
    pub fn prefix_sha256(&self, count: usize) -> String {
        sha256(self.sql.iter().take(count))
    }
}

fn sha256<'a>(statements: impl Iterator<Item = &'a Sql>) -> String {
    let mut hash = Sha256::new();
    for sql in statements {
        hash.update(&sql.text);
        hash.update([0]);
    }
    hex::encode(hash.finalize())
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
