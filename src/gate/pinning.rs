//! What is recorded of a database just before a migration. In: `[pin]` of `migrate.toml`, an assessment. Out: a [`Pinning`], or none.

use crate::assess::Assessment;
use crate::gate::policy::Policy;
use crate::table::{Loss, Verdict};
use serde::Deserialize;
use std::path::PathBuf;

/// `[pin]` of `migrate.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Before which migrations.
    pub when: When,
    /// Where copies of a SQLite database go; `<database>.migrate-snapshots` beside it where none is named.
    pub directory: Option<PathBuf>,
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
    /// Where copies go.
    pub directory: Option<PathBuf>,
}

impl Settings {
    /// For the UP that `assessment` is of.
    pub fn pinning(&self, assessment: &Assessment, policy: &Policy) -> Option<Pinning> {
        let destroys = assessment.verdict != Verdict::Reversible && assessment.loss >= Loss::Possible;
        let wanted = match self.when {
            When::NotReversible => destroys,
            When::Every => true,
            When::Never => false,
        };
        wanted.then(|| Pinning { copy_is_enough: !policy.forbids_loss(&assessment.findings), directory: self.directory.clone() })
    }
}
