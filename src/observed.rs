//! What a live database was seen to be. In: values that `run` read. Out: the questions that later stages ask of them.

use crate::engine::Engine;
use crate::migration::{Direction, Version};

/// How the run ended that a history row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every statement ran.
    Done,
    /// It stopped part-way, outside of a transaction: the statements before the failing one stand.
    Failed,
    /// It stopped part-way, and somebody took back by hand what stood.
    Undone,
}

impl Outcome {
    /// The word in the history table.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Undone => "undone",
        }
    }

    /// The outcome of that name.
    pub fn from_name(name: &str) -> Option<Outcome> {
        [Outcome::Done, Outcome::Failed, Outcome::Undone].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// The note of what ran on a database without user tables: nothing could be lost there.
pub const EXEMPT: &str = "started on a database without user tables";

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
    /// When it ended: RFC 3339, UTC.
    pub at: String,
    /// Who ran it: database user, then user and host of the operating system, as far as known.
    pub actor: String,
    /// The version of this program.
    pub tool_version: String,
    /// The verdict at that time.
    pub verdict: String,
    /// The loss at that time.
    pub loss: String,
    /// The checksum of UP.
    pub up_sha256: String,
    /// The checksum of DOWN, where there is one.
    pub down_sha256: Option<String>,
    /// DOWN's text, so that the way back travels with the database.
    pub down_text: Option<String>,
    /// What else is worth knowing, such as which statements stand after a failure.
    pub note: Option<String>,
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

    /// The run that stopped part-way and that nobody has settled since.
    pub fn unfinished(&self) -> Option<&Applied> {
        unfinished(&self.history)
    }
}

/// The UP rows of `history` that no DOWN took back, in the order they were applied.
pub fn in_force(history: &[Applied]) -> Vec<&Applied> {
    let mut standing: Vec<&Applied> = Vec::new();
    for row in history.iter().filter(|row| row.outcome == Outcome::Done) {
        match row.direction {
            Direction::Up => standing.push(row),
            Direction::Down => {
                if let Some(at) = standing.iter().rposition(|up| same_version(&up.version, &row.version)) {
                    standing.remove(at);
                }
            }
        }
    }
    standing
}

/// The oldest row of `history` that stopped part-way and that nobody has settled since.
pub fn unfinished(history: &[Applied]) -> Option<&Applied> {
    history.iter().find(|row| row.outcome == Outcome::Failed)
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
            at: "2024-01-15T00:00:00Z".into(),
            actor: "a".into(),
            tool_version: "0".into(),
            verdict: "reversible".into(),
            loss: "none".into(),
            up_sha256: "u".into(),
            down_sha256: None,
            down_text: None,
            note: None,
        }
    }

    #[test]
    fn what_is_in_force_follows_from_the_rows() {
        use Direction::{Down, Up};
        use Outcome::{Done, Failed, Undone};
        type Case<'a> = (&'a [(&'a str, Direction, Outcome)], &'a [i64], Option<i64>);
        let cases: &[Case<'_>] = &[
            (&[], &[], None),
            (&[("1", Up, Done), ("2", Up, Done)], &[1, 2], None),
            (&[("1", Up, Done), ("2", Up, Done), ("1", Down, Done)], &[2], None),
            (&[("1", Up, Done), ("1", Down, Done), ("1", Up, Done)], &[3], None),
            (&[("1", Up, Done), ("1.0", Down, Done)], &[], None),
            (&[("1", Up, Failed)], &[], Some(1)),
            (&[("1", Up, Undone), ("1", Up, Done)], &[2], None),
            (&[("1", Up, Done), ("1", Down, Failed)], &[1], Some(2)),
        ];
        for (rows, in_force, unfinished) in cases {
            let history = rows.iter().zip(1..).map(|((version, direction, outcome), seq)| row(seq, version, *direction, *outcome)).collect();
            let seen = Observed { engine: Engine::Sqlite, identity: "d".into(), history, user_tables: false, holds_rows: false };
            assert_eq!(seen.in_force().iter().map(|row| row.seq).collect::<Vec<_>>(), *in_force, "{rows:?}");
            assert_eq!(seen.unfinished().map(|row| row.seq), *unfinished, "{rows:?}");
        }
    }
}
