//! May this migration be merged? In: its assessment, the policy, the author's own words in the file. Out: the severity of
//! each finding, and whether the gate stays shut.

use super::policy::{Level, Policy, is_rule, names};
use crate::assess::Assessment;
use crate::migration::{Allow, Migration};
use crate::table::{Loss, Verdict, check};
use serde::Serialize;

/// How loud a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The gate stays shut.
    Error,
    /// Worth knowing.
    Warning,
    /// In passing.
    Note,
}

/// How a backup attestation stands with a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttestationStatus {
    /// No data is lost.
    NoneNeeded,
    /// None is at hand.
    Missing,
    /// One fits, as far as that shows without the database.
    Valid,
    /// One is at hand, and none that is fits.
    Invalid,
}

/// Whether an attestation is needed, and how it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// Data is lost or may be.
    pub required: bool,
    /// How it stands.
    pub status: AttestationStatus,
}

/// What the gate says of one migration.
#[derive(Clone, Debug)]
pub struct Merge {
    /// One severity a finding, in their order.
    pub severities: Vec<Severity>,
    /// The gate stays shut.
    pub blocked: bool,
    /// The `allow` directives that opened it for a rule.
    pub allowed: Vec<Allow>,
    /// The attestation.
    pub attestation: Attestation,
}

/// An `allow` that names no rule.
#[derive(Debug, thiserror::Error)]
#[error("{path}:{line}: `{rule}` is not a rule")]
pub struct UnknownRule {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u32,
    /// What was written.
    pub rule: String,
}

/// Checks that each `allow` of `migration` names a rule.
///
/// # Errors
/// [`UnknownRule`] for the first that does not.
pub fn known_rules(migration: &Migration) -> Result<(), UnknownRule> {
    match migration.allows.iter().find(|allow| !is_rule(&allow.rule)) {
        Some(allow) => Err(UnknownRule { path: migration.path.clone(), line: allow.line, rule: allow.rule.clone() }),
        None => Ok(()),
    }
}

/// Weighs `assessment` by `policy`; `has_downs` is false for a layout that has no DOWN at all.
pub fn merge(migration: &Migration, assessment: &Assessment, policy: &Policy, has_downs: bool) -> Merge {
    let required = assessment.verdict == Verdict::Irreversible && assessment.loss >= Loss::Possible;
    let mut merge = Merge {
        severities: Vec::new(),
        blocked: false,
        allowed: Vec::new(),
        attestation: Attestation { required, status: if required { AttestationStatus::Missing } else { AttestationStatus::NoneNeeded } },
    };
    // Who declares that there is no way back from a loss has said all there is to say of DOWN: the loss itself is what needs consent.
    let declared = migration.irreversible.is_some() && assessment.findings.iter().any(|f| f.verdict == Verdict::Irreversible && f.loss >= Loss::Possible);
    for finding in &assessment.findings {
        let allow = migration.allows.iter().find(|allow| names(&allow.rule, finding));
        let severity = match policy.level(finding, has_downs) {
            _ if declared && finding.code == check::NO_DOWN.code && !policy.rules.keys().any(|rule| names(rule, finding)) => Severity::Note,
            Level::Deny | Level::RequireAttestation => match allow {
                Some(allow) => {
                    if !merge.allowed.contains(allow) {
                        merge.allowed.push(allow.clone());
                    }
                    Severity::Note
                }
                None => Severity::Error,
            },
            Level::Warn => Severity::Warning,
            Level::Allow => Severity::Note,
        };
        merge.blocked |= severity == Severity::Error;
        merge.severities.push(severity);
    }
    merge
}

impl Merge {
    /// Takes into account what is at hand: one that fits opens the gate for what the policy wants an attestation for, and for nothing else.
    pub fn attested(&mut self, assessment: &Assessment, policy: &Policy, has_downs: bool, status: AttestationStatus) {
        if !self.attestation.required {
            return;
        }
        self.attestation.status = status;
        if status != AttestationStatus::Valid {
            return;
        }
        for (finding, severity) in assessment.findings.iter().zip(&mut self.severities) {
            if policy.level(finding, has_downs) == Level::RequireAttestation {
                *severity = Severity::Note;
            }
        }
        self.blocked = self.severities.contains(&Severity::Error);
    }
}
