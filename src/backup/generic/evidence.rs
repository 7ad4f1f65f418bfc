//! What a person says of a backup of any other tool. In: one JSON object. Out: [`Evidence`], all of it only claimed.

use crate::backup::{Backup, Claims, Evidence, Level, Log, Part, Refused, Tool, one_key_once, part};
use serde::Deserialize;

/// The part that the object is.
pub const CLAIM: &str = "claim";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Claim {
    #[serde(default)]
    claims: Claims,
    backup: Backup,
    #[serde(default)]
    log: Option<Log>,
}

/// Reads the object.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn read(parts: &[Part]) -> Result<Evidence, Refused> {
    let claim = part(parts, CLAIM)?;
    claim.text()?;
    one_key_once(&claim.bytes).map_err(|error| Refused::new(CLAIM, format!("cannot be read: {error}")))?;
    let Claim { claims, backup, log } = serde_json::from_slice(&claim.bytes).map_err(|error| Refused::new(CLAIM, format!("cannot be read: {error}")))?;
    if backup.tool != Tool::Generic {
        return Err(Refused::new("backup.tool", format!("is {}: say `--tool {}` for that one", backup.tool.name(), backup.tool.name())));
    }
    for (name, value) in [("backup.location", &backup.location), ("backup.label", &backup.label)] {
        if value.trim().is_empty() {
            return Err(Refused::new(name, "is empty"));
        }
    }
    let checks = vec![claim.check("claim", Level::Claimed, "a person says so")];
    Ok(Evidence { claims, backup, log, checks })
}
