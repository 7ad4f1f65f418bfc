//! The exit codes, one sentence each. In: what happened. Out: a number that scripts can rely on.

/// How a run of `migrate` ended, as its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing forbidden found.
    Done = 0,
    /// `check` found something that the policy forbids.
    Forbidden = 1,
    /// Bad usage, configuration or input file; nothing was touched.
    Usage = 2,
    /// An attestation or a consent is missing or does not fit, or a wall is in the way; nothing was touched.
    Blocked = 3,
    /// The database or its history is not what the files say.
    Drift = 4,
    /// Another runner holds the lock.
    Locked = 5,
    /// Failed part-way; the message says which statements stand, and what to do.
    PartWay = 6,
    /// The database could not be reached.
    Unreachable = 7,
    /// Ctrl-C (SIGINT) ended it; the message says which statements stand.
    Interrupted = 130,
    /// SIGTERM ended it; the message says which statements stand.
    Terminated = 143,
}

impl Exit {
    /// The number that the process ends with.
    pub fn code(self) -> u8 {
        self as u8
    }
}
