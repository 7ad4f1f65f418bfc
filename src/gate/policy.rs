//! The policy: what is done about each kind of finding. In: `[gate]` of `migrate.toml`. Out: a [`Level`] for a finding.

use crate::assess::Finding;
use crate::table::{self, Kind, Loss, Verdict, check};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// `check` exits 1, `up` exits 3.
    Deny,
    /// As `deny`, until an attestation fits.
    RequireAttestation,
    /// It is shown, and nothing is stopped.
    Warn,
    /// It is shown as a note.
    Allow,
}

/// `[gate]` of `migrate.toml`, with the design's defaults.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Older migrations are not judged; they only say what stands.
    pub from: Option<String>,
    /// Irreversible, and data is lost or may be.
    pub loss: Level,
    /// Irreversible without loss of data: DOWN is missing or fails.
    pub no_way_back: Option<Level>,
    /// DOWN leaves another schema than stood before.
    pub down_incomplete: Level,
    /// A statement that nobody understands.
    pub not_understood: Level,
    /// Every other reservation.
    pub partial: Level,
    /// What stops a busy site: locks and rewrites.
    pub busy: Level,
    /// What is done about single rules, by code or name; wins over the lines above.
    pub rules: BTreeMap<String, Level>,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            from: None,
            loss: Level::RequireAttestation,
            no_way_back: None,
            down_incomplete: Level::Deny,
            not_understood: Level::Deny,
            partial: Level::Warn,
            // Who asks whether a migration can be undone must not read first of every index that it is not built CONCURRENTLY: on a
            // small table nobody waits, and no file tells how large a table is. Whoever runs a busy site says so.
            busy: Level::Allow,
            rules: BTreeMap::new(),
        }
    }
}

/// Whether `rule` is the code or the name of some rule.
pub fn is_rule(rule: &str) -> bool {
    table::find(rule).is_some() || table::CHECKS.iter().any(|c| c.code.eq_ignore_ascii_case(rule) || c.name.eq_ignore_ascii_case(rule))
}

/// Whether `rule`, as written by a person, names the rule of `finding`.
pub fn names(rule: &str, finding: &Finding) -> bool {
    rule.eq_ignore_ascii_case(finding.code) || rule.eq_ignore_ascii_case(finding.name)
}

/// Whether `finding` is that data is destroyed for good.
fn losing(finding: &Finding) -> bool {
    finding.verdict == Verdict::Irreversible && finding.loss >= Loss::Possible
}

impl Policy {
    /// Whether a migration with these findings may run on a database that holds rows only with an attestation.
    pub fn needs_attestation(&self, findings: &[Finding]) -> bool {
        findings.iter().any(|f| losing(f) && matches!(self.level(f, true), Level::Deny | Level::RequireAttestation))
    }

    /// Whether a migration with these findings may not run on a database that holds rows, whatever brings its data back.
    pub fn forbids_loss(&self, findings: &[Finding]) -> bool {
        findings.iter().any(|f| losing(f) && self.level(f, true) == Level::Deny)
    }

    /// What is done about `finding`; `has_downs` is false for a layout that has no DOWN at all.
    pub fn level(&self, finding: &Finding, has_downs: bool) -> Level {
        if let Some((_, level)) = self.rules.iter().find(|(rule, _)| names(rule, finding)) {
            return *level;
        }
        if finding.code == check::DUPLICATE.code {
            return Level::Deny;
        }
        if finding.code == check::VOIDS_RECOVERY.code {
            return self.partial;
        }
        if table::CHECKS.iter().any(|check| check.code == finding.code && check.family == table::LOCKS_FAMILY) {
            return self.busy;
        }
        match (finding.verdict, finding.loss) {
            (Verdict::Irreversible, Loss::Certain | Loss::Possible) => self.loss,
            (Verdict::Irreversible, Loss::None | Loss::WrittenSince) => self.no_way_back.unwrap_or(if has_downs { Level::Deny } else { Level::Warn }),
            (Verdict::Partial, _) if finding.code == check::DOWN_INCOMPLETE.code => self.down_incomplete,
            (Verdict::Partial, _) if finding.code == Kind::NotUnderstood.row().code => self.not_understood,
            (Verdict::Partial, _) => self.partial,
            (Verdict::Reversible, _) => Level::Allow,
        }
    }
}
