//! Attestations: signed statements that a backup exists which covers this database, these migrations and this moment. In: the bytes of one, those of
//! its signature, who may sign. Out: an [`Attestation`], then an [`Accepted`] for one migration on one database, or why not.
//!
#![doc = include_str!("../../../fixtures/topics/attestation.md")]

mod accept;
mod error;
mod policy;
mod signature;
mod signers;
mod statement;

pub use accept::{Accepted, Attestation, Now, Recorded, recorded, says};
pub use error::Unfit;
pub use policy::{LookAgain, Policy};
pub use signature::{KeyError, NAMESPACE, sign};
pub use signers::{Signers, SignersError};
pub use statement::{LIMIT, PREDICATE_TYPE, Predicate, STATEMENT_TYPE, Sha256Digest, Statement, Subject, subjects};
