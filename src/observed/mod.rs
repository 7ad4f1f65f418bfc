//! What a live database was seen to be. In: values that `run` read. Out: the questions that later stages ask of them.

pub mod site;

use crate::engine::Engine;
use crate::migration::{Direction, Version};

/// How the run ended that a history row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// A run that is not one transaction began; the journal tells how far it came.
    Started,
    /// Every statement ran.
    Done,
    /// A statement of a run that is not one transaction failed, or was interrupted.
    Failed,
    /// What stood of such a run was taken back.
    Undone,
}

impl Outcome {
    /// The word in the history table.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Started => "started",
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Undone => "undone",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Outcome> {
        [Outcome::Started, Outcome::Done, Outcome::Failed, Outcome::Undone].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// The note of what ran on a database without user tables: nothing could be lost there.
pub const EXEMPT: &str = "started on a database without user tables";

/// What the note of a row begins with that `adopt` wrote.
pub const ADOPTED: &str = "adopted ";

/// One row of the history table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its place in the history, from 1.
    pub seq: i64,
    /// The migration's version, as written.
    pub version: String,
    /// The migration's name.
    pub name: String,
    /// Which way it ran.
    pub direction: Direction,
    /// How that ended.
    pub outcome: Outcome,
    /// When it began: RFC 3339, UTC.
    pub started_at: String,
    /// When it ended: RFC 3339, UTC; of a run that only began, when that was.
    pub at: String,
    /// Who ran it: the database's user and the operating system's, as far as known.
    pub actor: String,
    /// The computer that it ran on.
    pub host: String,
    /// The version of this program.
    pub tool_version: String,
    /// The verdict at that time.
    pub verdict: String,
    /// The loss at that time.
    pub loss: String,
    /// The checksum of UP.
    pub up_sha256: String,
    /// UP's text, where it is not very long.
    pub up_text: Option<String>,
    /// The checksum of DOWN, where there is one.
    pub down_sha256: Option<String>,
    /// DOWN's text, so that the way back travels with the database.
    pub down_text: Option<String>,
    /// What DOWN takes away with all that was written since UP: `table notes`, `column users.email`.
    pub down_loses: Vec<String>,
    /// Where the database stood just before it, as [`crate::pin::Pin`] writes it.
    pub pin: Option<String>,
    /// The attestation that let it run, its bytes as they were signed.
    pub attestation: Option<String>,
    /// Why it ran, where somebody had to say.
    pub reason: Option<String>,
    /// What else is worth knowing, such as which statements stand after a failure.
    pub note: Option<String>,
}

impl Applied {
    /// Whether this program only took the row over: its times are those of that moment, and the note says what ran it and when.
    pub fn is_adopted(&self) -> bool {
        self.note.as_deref().is_some_and(|note| note.starts_with(ADOPTED))
    }
}

/// A run that is not one transaction and has not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfDone {
    /// The history row that tells of its beginning.
    pub row: Applied,
    /// How many statements stand, from the first on.
    pub stands: usize,
    /// SHA-256 over those statements' texts.
    pub prefix_sha256: String,
    /// How far the last of these is taken back.
    pub taken_back: TakenBack,
    /// How many would stand if what began last took effect: one more, or several that began as one; one less where that takes one back.
    pub would_stand: usize,
    /// How far the last of those would be taken back then.
    pub would_take_back: TakenBack,
    /// What became of what began after these.
    pub next: Next,
    /// The note of its newest failure.
    pub note: Option<String>,
}

/// How much of the statements that take back one statement has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// How many; 0 where nothing of the kind began.
    pub statements: usize,
    /// SHA-256 over their texts.
    pub sha256: String,
}

/// What became of the statement after the last one that is known to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// It did not take effect, or it may be said again without harm.
    Due,
    /// It left something that must go before it is said again, by this statement.
    Cleanup(String),
    /// Nobody can tell; the words say what to look at.
    Undecided(String),
    /// The journal is not what this program wrote, so nobody can tell how many statements stand; the words say why.
    Lost(String),
}

/// A database as it was seen at one moment under the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What the server says it is, which a URL's scheme may hide: `mysql://` reaches MariaDB too.
    pub engine: Engine,
    /// Which database this is; equal for two connections to the same one.
    pub identity: String,
    /// The whole history, oldest first.
    pub history: Vec<Applied>,
    /// Any table stands besides the history table.
    pub user_tables: bool,
    /// Any row stands in such a table, or may stand where this user cannot look.
    pub holds_rows: bool,
    /// The whole can be copied to a file beside it, which brings it back as it was: a SQLite file, but none in memory.
    pub can_be_copied: bool,
    /// The run that stopped part-way and that nobody has settled since.
    pub half_done: Option<HalfDone>,
}

impl Observed {
    /// The newest history row's number; `None` where nothing was ever recorded.
    pub fn head(&self) -> Option<i64> {
        self.history.last().map(|row| row.seq)
    }

    /// The UP rows that no DOWN took back, in the order they were applied.
    pub fn in_force(&self) -> Vec<&Applied> {
        in_force(&self.history)
    }
}

/// How the note begins of a row that says of an applied migration what its file says now, on somebody's word.
pub const ACCEPTED: &str = "edit accepted: ";

/// The UP rows of `history` that no DOWN took back, in the order they were applied.
pub fn in_force(history: &[Applied]) -> Vec<&Applied> {
    let mut standing: Vec<&Applied> = Vec::new();
    for row in history.iter().filter(|row| row.outcome == Outcome::Done) {
        match row.direction {
            // A second one of that version is an edit that somebody accepted.
            Direction::Up => match standing.iter().position(|up| same_version(&up.version, &row.version)) {
                Some(at) => standing[at] = row,
                None => standing.push(row),
            },
            Direction::Down => {
                if let Some(at) = standing.iter().rposition(|up| same_version(&up.version, &row.version)) {
                    standing.remove(at);
                }
            }
        }
    }
    standing
}

/// The row of `history` that tells of the beginning of a run which has come to no end.
pub fn unfinished(history: &[Applied]) -> Option<&Applied> {
    let last = history.iter().rfind(|row| row.outcome != Outcome::Failed)?;
    (last.outcome == Outcome::Started).then_some(last)
}

fn same_version(a: &str, b: &str) -> bool {
    match (Version::new(a), Version::new(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(seq: i64, version: &str, direction: Direction, outcome: Outcome) -> Applied {
        Applied {
            seq,
            version: version.into(),
            name: "n".into(),
            direction,
            outcome,
            started_at: "2024-01-15T00:00:00Z".into(),
            at: "2024-01-15T00:00:00Z".into(),
            actor: "a".into(),
            host: "h".into(),
            tool_version: "0".into(),
            verdict: "reversible".into(),
            loss: "none".into(),
            up_sha256: "u".into(),
            up_text: None,
            down_sha256: None,
            down_text: None,
            down_loses: Vec::new(),
            pin: None,
            attestation: None,
            reason: None,
            note: None,
        }
    }

    #[test]
    fn what_is_in_force_follows_from_the_rows() {
        use Direction::{Down, Up};
        use Outcome::{Done, Failed, Started, Undone};
        type Case<'a> = (&'a [(&'a str, Direction, Outcome)], &'a [i64], Option<i64>);
        let cases: &[Case<'_>] = &[
            (&[], &[], None),
            (&[("1", Up, Done), ("2", Up, Done)], &[1, 2], None),
            (&[("1", Up, Done), ("2", Up, Done), ("1", Down, Done)], &[2], None),
            (&[("1", Up, Done), ("1", Down, Done), ("1", Up, Done)], &[3], None),
            (&[("1", Up, Done), ("1.0", Down, Done)], &[], None),
            (&[("1", Up, Started)], &[], Some(1)),
            (&[("1", Up, Started), ("1", Up, Failed)], &[], Some(1)),
            (&[("1", Up, Started), ("1", Up, Failed), ("1", Up, Done)], &[3], None),
            (&[("1", Up, Started), ("1", Up, Undone), ("1", Up, Done)], &[3], None),
            (&[("1", Up, Done), ("1", Down, Started), ("1", Down, Failed)], &[1], Some(2)),
        ];
        for (rows, in_force, unfinished) in cases {
            let history: Vec<Applied> = rows.iter().zip(1..).map(|((version, direction, outcome), seq)| row(seq, version, *direction, *outcome)).collect();
            assert_eq!(super::in_force(&history).iter().map(|row| row.seq).collect::<Vec<_>>(), *in_force, "{rows:?}");
            assert_eq!(super::unfinished(&history).map(|row| row.seq), *unfinished, "{rows:?}");
        }
    }
}
