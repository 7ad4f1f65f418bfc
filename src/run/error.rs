//! Why a run stopped. In: what the database or the file system said. Out: a message with the place and the way on, and an
//! exit code.

use super::interrupt::Signal;
use super::secret::{Secrets, shown};
use crate::exit::Exit;
use crate::gate::{Sql, Step};

/// Why talking to a database stopped.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The URL, the history table's name or the way the session was opened does not admit what was asked.
    #[error("{0}")]
    Usage(String),
    /// No connection, or one that broke while nothing was being changed.
    #[error("the database cannot be reached ({place}): {message}; check host, port, user and password, and that the server runs")]
    Unreachable {
        /// Where, without the password.
        place: String,
        /// The driver's words.
        message: String,
    },
    /// There is no file of that path (SQLite).
    #[error("the database {0} does not exist; nothing was made; is its path right? Only `migrate up` makes a new one")]
    NoDatabase(String),
    /// Another runner is at work.
    #[error("another runner holds the lock on this database ({holder}); nothing was touched; wait for it, or give more time to wait")]
    Locked {
        /// Who, as far as the database can tell.
        holder: String,
    },
    /// The database is not the one, or not in the state, that was expected.
    #[error("{0}")]
    Drift(String),
    /// The database refused something while no migration ran.
    #[error("{doing}: {message}")]
    Refused {
        /// What was being done.
        doing: &'static str,
        /// The driver's words.
        message: String,
    },
    /// Where the database stands could not be recorded before a step that must not begin without it.
    #[error("{migration} did not begin, for nothing would bring back what it destroys: {message}{}", before(*finished))]
    Unpinned {
        /// The migration's version and name.
        migration: String,
        /// Why not.
        message: String,
        /// Migrations that this run finished before.
        finished: usize,
        /// The connection broke.
        lost: bool,
    },
    /// A statement failed.
    #[error("{0}")]
    PartWay(Box<Failure>),
    /// A signal came while nothing was being changed.
    #[error("interrupted by {} while no statement of a migration ran", .0.name())]
    Interrupted(Signal),
}

impl RunError {
    /// A stable name for machines.
    pub fn code(&self) -> &'static str {
        match self {
            RunError::Usage(_) => "bad-usage",
            RunError::Unreachable { .. } => "unreachable",
            RunError::NoDatabase(_) => "no-database",
            RunError::Locked { .. } => "locked",
            RunError::Drift(_) => "drift",
            RunError::Refused { .. } => "refused",
            RunError::Unpinned { .. } => "unpinned",
            RunError::PartWay(_) => "part-way",
            RunError::Interrupted(_) => "interrupted",
        }
    }

    /// The exit code that this means.
    pub fn exit(&self) -> Exit {
        match self {
            RunError::Usage(_) | RunError::Refused { .. } => Exit::Usage,
            RunError::Unreachable { .. } | RunError::NoDatabase(_) | RunError::Unpinned { lost: true, .. } => Exit::Unreachable,
            RunError::Locked { .. } => Exit::Locked,
            RunError::Unpinned { lost: false, .. } => Exit::Blocked,
            RunError::Drift(_) => Exit::Drift,
            RunError::PartWay(failure) => failure.by.map_or(Exit::PartWay, Signal::exit),
            RunError::Interrupted(signal) => signal.exit(),
        }
    }
}

/// What is left of a migration whose run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// Nothing: the transaction rolled back.
    Nothing,
    /// All of it or nothing: the connection broke while the transaction was being committed.
    Undecided,
    /// The statements that start on these lines.
    Lines(Vec<u32>),
    /// The connection broke, so the outcome of the failing statement is unknown too; these ran before it.
    Unknown(Vec<u32>),
}

/// A failed statement and what it left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The migration's version and name.
    pub migration: String,
    /// The file.
    pub path: String,
    /// The failing statement's line.
    pub line: u32,
    /// Its first line, passwords masked.
    pub statement: String,
    /// The driver's words, passwords masked.
    pub message: String,
    /// Which statement it was, from 1.
    pub at: usize,
    /// How many there are.
    pub of: usize,
    /// What stands.
    pub stands: Stands,
    /// The history row that tells of the beginning of a run which is not one transaction.
    pub run: Option<i64>,
    /// The signal that ended it.
    pub by: Option<Signal>,
    /// The history table, as SQL names it.
    pub table: String,
    /// Migrations that this run finished before.
    pub finished: usize,
}

impl Failure {
    pub(super) fn new(step: &Step, at: usize, sql: &Sql, message: &str, secrets: &Secrets) -> Failure {
        Failure {
            migration: format!("{} {}", step.version, step.name),
            path: sql.path.clone(),
            line: sql.line,
            statement: shown(&sql.text),
            message: secrets.mask_for(&sql.text, message),
            at,
            of: step.statements.len(),
            stands: Stands::Nothing,
            run: None,
            by: None,
            table: String::new(),
            finished: 0,
        }
    }

    /// What goes into the history row: `failed: statement 2 of 3, line 7; lines 3 stand`.
    pub(super) fn note(&self) -> String {
        let stands = match &self.stands {
            Stands::Nothing => String::from("nothing stands"),
            Stands::Undecided => String::from("all or nothing stands"),
            Stands::Lines(lines) | Stands::Unknown(lines) if lines.is_empty() => String::from("no statement before it"),
            Stands::Lines(lines) | Stands::Unknown(lines) => format!("the statements on {} stand", list(lines)),
        };
        format!("failed: statement {} of {}, line {}; {stands}", self.at, self.of, self.line)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}:{}: statement {} of {} of {} failed: {}", self.path, self.line, self.at, self.of, self.migration, self.message)?;
        writeln!(f, "  {}", self.statement)?;
        match &self.stands {
            Stands::Nothing => write!(
                f,
                "the migration was rolled back, no statement of it stands; {}",
                if self.by.is_some() { "run again" } else { "mend it and run again" }
            )?,
            Stands::Undecided => write!(f, "the connection broke at COMMIT: the migration stands whole where {} has its row, else not at all", self.table)?,
            Stands::Lines(lines) | Stands::Unknown(lines) => {
                match lines.as_slice() {
                    [] => write!(f, "no statement before it ran")?,
                    lines => write!(f, "the statements on {} stand", list(lines))?,
                }
                match &self.stands {
                    Stands::Unknown(_) => write!(f, "; the connection broke, and the next start looks what became of this one")?,
                    _ => write!(f, "; {WAYS_ON}")?,
                }
            }
        }
        f.write_str(&before(self.finished))
    }
}

/// What this run finished before it stopped, as a line after the others; nothing where that is nothing.
fn before(finished: usize) -> String {
    match finished {
        0 => String::new(),
        1 => String::from("\n1 migration of this run was finished before and stands"),
        n => format!("\n{n} migrations of this run were finished before and stand"),
    }
}

/// `line 3`, `lines 3, 5`.
pub fn list(lines: &[u32]) -> String {
    let numbers = lines.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    if lines.len() == 1 { format!("line {numbers}") } else { format!("lines {numbers}") }
}

/// The ways on from a run that stopped part-way.
pub const WAYS_ON: &str = "`--finish` goes on from there, with the rest mended where it failed; `--compensate` takes back what stands";
