//! Which file runs for a version and direction. In: every file with a version, and whom it is for. Out: one UP and at most
//! one DOWN a version.

use super::names::Fit;
use super::reader::Reader;
use super::{Note, ReadError};
use crate::migration::{Direction, Version};
use std::collections::{BTreeMap, BTreeSet};

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
pub(super) fn choose(reader: &mut Reader, mut candidates: Vec<Candidate>) -> Result<Vec<Chosen>, ReadError> {
    candidates.sort_by(|a, b| a.version.cmp(&b.version));
    let (mut chosen, mut elsewhere) = (Vec::with_capacity(candidates.len()), 0);
    let mut candidates = candidates.into_iter().peekable();
    while let Some(first) = candidates.next() {
        let version = first.version.clone();
        let mut files = vec![first];
        files.extend(std::iter::from_fn(|| candidates.next_if(|next| next.version == version)));
        for files in if reader.twins { twins(files) } else { vec![files] } {
            let Slot { up, down, up_elsewhere } = fill(files)?;
            match (up, down) {
                (Some(up), down) => chosen.push(Chosen { up, down, up_elsewhere }),
                (None, Some(down)) if !up_elsewhere => return Err(ReadError::DownWithoutUp { path: down.path, version: version.to_string() }),
                (None, Some(down)) if down.fit > Fit::General => reader.ignored(&down.path, "its version has no UP for this engine"),
                (None, _) => elsewhere += 1,
            }
        }
    }
    if elsewhere > 0 {
        let message = format!("versions that have no UP in SQL for {} and are left out: {elsewhere}", reader.engine);
        reader.notes.push(Note { code: "other-engine", path: None, line: None, message });
    }
    Ok(chosen)
}

/// The files of one version by their names, where two names have an UP that fits equally well; else all together, since the
/// two directions of a migration need not have one name.
fn twins(files: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    let best = files.iter().filter(|file| file.direction == Direction::Up).map(|file| file.fit).max();
    let names: BTreeSet<String> = files.iter().filter(|file| file.direction == Direction::Up && Some(file.fit) == best).map(|file| file.name.clone()).collect();
    if names.len() < 2 {
        return vec![files];
    }
    let mut named: BTreeMap<String, Vec<Candidate>> = BTreeMap::new();
    for file in files {
        named.entry(file.name.clone()).or_default().push(file);
    }
    named.into_values().collect()
}

/// The files of one version that fit best.
fn fill(files: Vec<Candidate>) -> Result<Slot, ReadError> {
    let mut slot = Slot::default();
    for candidate in files {
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
    Ok(slot)
}
