//! The form of an attestation: an in-toto Statement v1 about the migrations, with a predicate about the backup. In: bytes. Out: values, or what is
//! wrong with the bytes.
//!
//! in-toto lets readers pass over fields that they do not know. Here an unknown field is refused: it may restrict what somebody signed. A form with
//! more fields has another `predicateType`.

use super::error::Unfit;
use crate::backup::{Backup, Check, Level, Log, Tool, one_key_once};
use crate::observed::site::Site;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// `_type` of every statement (in-toto attestation framework, "Statement layer specification").
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// `predicateType` of this form.
pub const PREDICATE_TYPE: &str = "urn:unmigrate:backup-attestation:v1";

/// No attestation is longer, in bytes.
pub const LIMIT: u64 = 1 << 20;

/// The whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// The migrations: UP and DOWN of each.
    pub subject: Vec<Subject>,
    /// [`PREDICATE_TYPE`].
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: Predicate,
}

/// One direction of one migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Version, name and direction: `20240117_Remove_Legacy_Column.up`.
    pub name: String,
    /// Of its text.
    pub digest: Sha256Digest,
}

/// SHA-256 of a text with its line ends made `\n`, in lower-case hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sha256Digest {
    /// The digits.
    pub sha256: String,
}

/// What is said of the backup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predicate {
    /// The database when this was written.
    pub database: Site,
    /// The backup.
    pub backup: Backup,
    /// What leads on from it; `null` for a dump.
    pub log: Option<Log>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Who says it: a principal of `allowed_signers`.
    pub issuer: String,
    /// When, by the database's clock.
    pub issued_at: DateTime<Utc>,
    /// Until when it may be used.
    pub expires_at: DateTime<Utc>,
    /// A number used once.
    pub nonce: String,
}

impl Predicate {
    /// How well the backup is known. No program looks at one of a tool that is not known here, whatever the checks say; a restore from before
    /// `restored_since` tells nothing of today's.
    pub fn level(&self, restored_since: DateTime<Utc>) -> Level {
        let counts = |check: &&Check| match check.level {
            Level::RestoreTested => check.at >= restored_since,
            _ => self.backup.tool != Tool::Generic,
        };
        self.checks.iter().filter(counts).map(|check| check.level).max().unwrap_or(Level::Claimed)
    }
}

/// The subjects of one migration.
pub fn subjects(version: &str, name: &str, up_sha256: &str, down_sha256: Option<&str>) -> Vec<Subject> {
    let of = |way: &str, sha256: &str| Subject { name: format!("{version}_{name}.{way}"), digest: Sha256Digest { sha256: sha256.to_owned() } };
    [Some(of("up", up_sha256)), down_sha256.map(|sha256| of("down", sha256))].into_iter().flatten().collect()
}

impl Statement {
    /// Reads a statement. Nothing is believed by that: who signed it is another question.
    ///
    /// # Errors
    /// [`Unfit::TooLarge`], [`Unfit::Malformed`] or [`Unfit::UnknownType`].
    pub fn read(bytes: &[u8]) -> Result<Statement, Unfit> {
        #[derive(Deserialize)]
        struct Head {
            #[serde(rename = "_type")]
            kind: String,
            #[serde(rename = "predicateType")]
            predicate_type: String,
        }
        if bytes.len() as u64 > LIMIT {
            return Err(Unfit::TooLarge);
        }
        let malformed = |error: &dyn std::fmt::Display| Unfit::Malformed(error.to_string());
        one_key_once(bytes).map_err(|error| malformed(&error))?;
        // A later form may hold what this one does not know: say that it is one.
        let head: Head = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        if head.kind != STATEMENT_TYPE {
            return Err(Unfit::UnknownType { field: "_type", found: head.kind, known: STATEMENT_TYPE });
        }
        if head.predicate_type != PREDICATE_TYPE {
            return Err(Unfit::UnknownType { field: "predicateType", found: head.predicate_type, known: STATEMENT_TYPE });
        }
        let statement: Statement = serde_json::from_slice(bytes).map_err(|error| malformed(&error))?;
        let Predicate { nonce, issuer, issued_at, expires_at, .. } = &statement.predicate;
        if nonce.len() < 16 {
            return Err(Unfit::Malformed(String::from("the nonce has fewer than 16 characters")));
        }
        if issuer.trim().is_empty() {
            return Err(Unfit::Malformed(String::from("the issuer is empty")));
        }
        if expires_at <= issued_at {
            return Err(Unfit::Malformed(String::from("it expires before it was issued")));
        }
        Ok(statement)
    }
}
