//! `[attestation]` of `migrate.toml`: whose attestations count, and which.

use crate::backup::Level;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[attestation]`, with the defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Who may sign: a file as `ssh-keygen` takes it. Without it no attestation counts.
    pub allowed_signers: Option<PathBuf>,
    /// Where `check` and `up` look for attestations.
    pub directory: Option<PathBuf>,
    /// How long ago the backup may have ended.
    #[serde(with = "humantime_serde")]
    pub max_age: Duration,
    /// The same for a dump, after which everything written is lost.
    #[serde(with = "humantime_serde")]
    pub max_gap: Duration,
    /// How long ago a backup may have been restored for the last time to count as restore-tested.
    #[serde(with = "humantime_serde")]
    pub restored_within: Duration,
    /// How well the backup must be known.
    pub min_level: Level,
    /// Whether `up` may only go on where it sees the backup again itself.
    pub look_again: LookAgain,
    /// Whether `up --override` exists.
    #[serde(rename = "override")]
    pub may_override: bool,
}

/// Whether the backup's catalogue is looked at again when a migration runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookAgain {
    /// Where this computer can; else a warning says that nobody looked.
    WherePossible,
    /// Or nothing runs.
    Always,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            allowed_signers: None,
            directory: None,
            max_age: Duration::from_secs(7 * 24 * 3600),
            max_gap: Duration::from_secs(15 * 60),
            restored_within: Duration::from_secs(90 * 24 * 3600),
            min_level: Level::Observed,
            look_again: LookAgain::WherePossible,
            may_override: false,
        }
    }
}
