//! Why an attestation does not open the gate, one sentence each.

use super::statement::PREDICATE_TYPE;
use crate::backup::{Level, Refused};
use chrono::{DateTime, TimeDelta, Utc};

/// Why an attestation does not open the gate.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It holds more than one ever does.
    #[error("the attestation is larger than 1 MiB")]
    TooLarge,
    /// It is not of this form.
    #[error("the attestation cannot be read: {0}")]
    Malformed(String),
    /// It is another kind of statement, or one of a later form.
    #[error("the attestation's {field} is {found:?}; this program knows {PREDICATE_TYPE} in {known}")]
    UnknownType {
        /// `_type` or `predicateType`.
        field: &'static str,
        /// What stands there.
        found: String,
        /// What should.
        known: &'static str,
    },
    /// There is none, or it is no SSH signature.
    #[error("the signature cannot be read: {0}")]
    NoSignature(String),
    /// It was made for something else.
    #[error("the signature is for the namespace {0:?}, and not for backup attestations")]
    Namespace(String),
    /// Nobody is allowed to sign with that key in that name.
    #[error("the key {key} may not sign for {issuer}: {why}")]
    Signer {
        /// Its fingerprint.
        key: String,
        /// In whose name it signed.
        issuer: String,
        /// Why not.
        why: String,
    },
    /// The bytes are not those that were signed.
    #[error("the signature does not match: the attestation was changed after it was signed, or signed with another key")]
    Changed,
    /// It is for other migrations.
    #[error("the attestation is not for {migration}: {why}")]
    OtherMigration {
        /// Version and name.
        migration: String,
        /// What is different.
        why: String,
    },
    /// It is for another server or database, or for an earlier life of this one.
    #[error("the attestation is for another database: {0}")]
    OtherDatabase(Refused),
    /// It is not valid yet.
    #[error("the attestation was issued at {issued}, and the clock says {now}: it lies in the future")]
    NotYet {
        /// When it was issued.
        issued: DateTime<Utc>,
        /// The database's clock; offline this computer's.
        now: DateTime<Utc>,
    },
    /// It is not valid any more.
    #[error("the attestation expired at {expired}, and the clock says {now}")]
    Expired {
        /// When it did.
        expired: DateTime<Utc>,
        /// The database's clock; offline this computer's.
        now: DateTime<Utc>,
    },
    /// The backup was taken too long ago.
    #[error("the backup is {} old, and [attestation] {setting} allows {}", minutes(.age), minutes(.limit))]
    TooOld {
        /// The backup's age.
        age: TimeDelta,
        /// How old it may be.
        limit: TimeDelta,
        /// `max-age`, or `max-gap` for a dump.
        setting: &'static str,
    },
    /// It is known less well than it must be.
    #[error("the backup is {}, and [attestation] min-level wants {}", found.name(), wanted.name())]
    Level {
        /// How well it is known.
        found: Level,
        /// How well it must be.
        wanted: Level,
    },
    /// The backup does not cover this moment.
    #[error("the backup does not cover this: {0}")]
    Backup(#[from] Refused),
    /// Its number was used before.
    #[error("the attestation's nonce was used by another one, for {migration} in row {row} of the history")]
    Nonce {
        /// Version and name.
        migration: String,
        /// The history row.
        row: i64,
    },
}

fn minutes(time: &TimeDelta) -> String {
    let minutes = time.num_minutes();
    match minutes {
        ..120 => format!("{minutes} minutes"),
        120..2880 => format!("{} hours", time.num_hours()),
        _ => format!("{} days", time.num_days()),
    }
}
