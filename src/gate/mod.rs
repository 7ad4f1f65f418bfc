//! The two consents. In: assessment, policy, evidence. Out: what may be merged (`merge`), what may run (`cleared`).

pub mod merge;
pub mod policy;
