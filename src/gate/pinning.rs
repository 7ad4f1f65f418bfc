//! What is recorded of a database just before a migration. In: `[pin]` of `migrate.toml`, an assessment. Out: a [`Pinning`], or none.

use crate::assess::Assessment;
use crate::gate::policy::Policy;
use crate::pin::Destroys;
use crate::table::{Loss, Verdict};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

/// `[pin]` of `migrate.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Before which migrations.
    pub when: When,
    /// Where copies of a SQLite database go; `<database>.migrate-snapshots` beside it where none is named.
    pub directory: Option<PathBuf>,
    /// How long rows may be counted, on a server.
    #[serde(with = "humantime_serde")]
    pub scan_limit: Duration,
    /// How long to wait until the log up to there is archived.
    #[serde(with = "humantime_serde")]
    pub archive_timeout: Duration,
    /// Where no point-in-time recovery is possible, the migration does not begin.
    pub required: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { when: When::default(), directory: None, scan_limit: Duration::from_secs(2), archive_timeout: Duration::from_secs(30), required: false }
    }
}

/// Before which migrations to record where the database stands. It always holds rows then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Those that are not reversible because UP destroys data, or may.
    #[default]
    NotReversible,
    /// Every one.
    Every,
    /// None; on SQLite, what destroys data is refused then.
    Never,
}

/// What to record just before a step.
#[derive(Clone, Debug)]
pub struct Pinning {
    /// A copy of the whole database stands in place of an attestation.
    pub copy_is_enough: bool,
    /// Where copies go, how long to count and to wait, and whether it must lead back.
    pub settings: Settings,
    /// What the step destroys.
    pub destroys: Vec<Destroys>,
}

impl Settings {
    /// For the UP that `assessment` is of; `destroys` is what it destroys.
    pub fn pinning(&self, assessment: &Assessment, policy: &Policy, destroys: impl FnOnce() -> Vec<Destroys>) -> Option<Pinning> {
        let loses = assessment.verdict != Verdict::Reversible && assessment.loss >= Loss::Possible;
        let wanted = match self.when {
            When::NotReversible => loses,
            When::Every => true,
            When::Never => false,
        };
        wanted.then(|| Pinning { copy_is_enough: !policy.forbids_loss(&assessment.findings), settings: self.clone(), destroys: destroys() })
    }
}
