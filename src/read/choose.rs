//! Which file runs for a version and direction. In: every file with a version, and whom it is for. Out: one UP and at most
//! one DOWN a version.

use super::names::Fit;
use super::reader::Reader;
use super::{Note, ReadError};
use crate::migration::{Direction, Version};
use std::collections::BTreeMap;

/// A file that may run.
pub(super) struct Candidate {
    pub(super) version: Version,
    pub(super) name: String,
    pub(super) direction: Direction,
    pub(super) path: String,
    pub(super) fit: Fit,
    pub(super) autocommit: bool,
}

/// What runs for one version.
pub(super) struct Chosen {
    pub(super) up: Candidate,
    pub(super) down: Option<Candidate>,
    /// Other engines have files of their own for UP, so an empty general one is meant.
    pub(super) up_elsewhere: bool,
}

#[derive(Default)]
struct Slot {
    up: Option<Candidate>,
    down: Option<Candidate>,
    up_elsewhere: bool,
}

/// Takes for each version and direction the file that fits the engine best.
pub(super) fn choose(reader: &mut Reader, candidates: Vec<Candidate>) -> Result<Vec<Chosen>, ReadError> {
    let mut slots: BTreeMap<Version, Slot> = BTreeMap::new();
    for candidate in candidates {
        let slot = slots.entry(candidate.version.clone()).or_default();
        if candidate.fit <= Fit::Other {
            slot.up_elsewhere |= candidate.direction == Direction::Up;
            continue;
        }
        let place = match candidate.direction {
            Direction::Up => &mut slot.up,
            Direction::Down => &mut slot.down,
        };
        match place {
            Some(standing) if standing.fit == candidate.fit => {
                return Err(ReadError::DuplicateVersion { version: candidate.version.to_string(), first: standing.path.clone(), second: candidate.path });
            }
            Some(standing) if standing.fit > candidate.fit => {}
            _ => *place = Some(candidate),
        }
    }
    let (mut chosen, mut elsewhere) = (Vec::with_capacity(slots.len()), 0);
    for (version, Slot { up, down, up_elsewhere }) in slots {
        match (up, down) {
            (Some(up), down) => chosen.push(Chosen { up, down, up_elsewhere }),
            (None, Some(down)) if !up_elsewhere => return Err(ReadError::DownWithoutUp { path: down.path, version: version.to_string() }),
            (None, Some(down)) if down.fit > Fit::General => reader.ignored(&down.path, "its version has no UP for this engine"),
            (None, _) => elsewhere += 1,
        }
    }
    if elsewhere > 0 {
        let message = format!("{elsewhere} versions have no UP in SQL for {} and are left out", reader.engine);
        reader.notes.push(Note { code: "other-engine", path: None, line: None, message });
    }
    Ok(chosen)
}
