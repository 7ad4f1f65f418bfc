//! The way back. In: what stands on a database, where to go. Out: the migrations to undo, newest first, or the wall in the way.

mod destroys;
mod lost;
pub mod mariadb;
pub mod postgres;
pub mod runbook;
pub mod sqlite;

pub use destroys::destroys;

use crate::engine::Engine;
use crate::migration::{Migration, Script, Version};
use crate::observed::{Applied, EXEMPT, in_force};
use crate::parse;
use crate::table::{Loss, Verdict};
use std::collections::HashMap;

/// How far back to go.
#[derive(Clone, Debug)]
pub enum Target {
    /// Undo so many migrations.
    Steps(usize),
    /// Undo everything that was applied after this version.
    Version(Version),
    /// Undo every later version, whenever it was applied.
    Newer(Version),
    /// Undo all.
    Everything,
}

/// One migration to undo.
#[derive(Debug)]
pub struct Undo<'a> {
    /// What the history says of it.
    pub applied: &'a Applied,
    /// Its file, where it stands on disk.
    pub file: Option<&'a Migration>,
    /// DOWN, from the file or from the history.
    pub down: Script,
    /// Which of the two was chosen, where they differ; for the history.
    pub note: Option<String>,
}

/// Which DOWN to use where the file's is not the one that was stored when UP ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The one in the history.
    Stored,
    /// The one in the file.
    File,
}

/// Why there is no way back by DOWN.
#[derive(Debug, thiserror::Error)]
pub enum Wall {
    /// The target never ran, or was undone.
    #[error("version {version} is not applied")]
    NotApplied {
        /// The target.
        version: String,
    },
    /// A migration in the way has no DOWN.
    #[error("{version} {name} has no DOWN, or one that does nothing{reach}")]
    NoDown {
        /// Its version.
        version: String,
        /// Its name.
        name: String,
        /// How far back one can go, as the end of the sentence.
        reach: String,
    },
    /// A migration in the way destroyed data.
    #[error("{version} {name} cannot be undone without loss of data (loss: {loss}){reach}")]
    Loss {
        /// Its version.
        version: String,
        /// Its name.
        name: String,
        /// What data is gone.
        loss: String,
        /// How far back one can go, as the end of the sentence.
        reach: String,
    },
    /// The file's DOWN is not the one that was stored when UP ran.
    #[error("{path} has another DOWN than the one stored when its UP ran on {at}{reach}")]
    DownEdited {
        /// The file.
        path: String,
        /// When UP ran.
        at: String,
        /// How far back one can go, as the end of the sentence.
        reach: String,
    },
}

impl Wall {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Wall::NotApplied { .. } => "`migrate status` lists what is",
            Wall::NoDown { .. } => "go forward with a new migration, or restore a backup from before it ran",
            Wall::Loss { .. } => {
                "`migrate recover VERSION` prints what brings the lost values back, so far as that was recorded; else a backup from before it ran does"
            }
            Wall::DownEdited { .. } => "choose with `--use stored` or `--use file`; `migrate history --down VERSION` prints the stored one",
        }
    }
}

/// What the history notes of a DOWN that was taken from it, though the file has another one.
pub const BY_THE_STORED: &str = "by the stored DOWN, which is not the file's";

/// Whether `applied` was recorded as irreversible with data at risk, on a database that may have held any.
pub fn loses_data(applied: &Applied) -> bool {
    applied.note.as_deref() != Some(EXEMPT)
        && applied.verdict == Verdict::Irreversible.name()
        && [Loss::Possible.name(), Loss::Certain.name()].contains(&applied.loss.as_str())
}

/// What to undo to reach `target`, newest applied first. The whole path is looked at before the first step.
///
/// # Errors
/// The first [`Wall`] in the way.
pub fn route<'a>(history: &'a [Applied], files: &'a [Migration], target: &Target, source: Option<Source>, engine: Engine) -> Result<Vec<Undo<'a>>, Wall> {
    let standing = in_force(history);
    let chosen: Vec<&Applied> = match target {
        Target::Steps(steps) => standing.into_iter().rev().take(*steps).collect(),
        Target::Version(version) => match standing.iter().rposition(|a| Version::new(&a.version).as_ref() == Some(version)) {
            Some(at) => standing.into_iter().skip(at + 1).rev().collect(),
            None => return Err(Wall::NotApplied { version: version.to_string() }),
        },
        Target::Newer(version) => standing.into_iter().rev().filter(|a| Version::new(&a.version).is_some_and(|v| v > *version)).collect(),
        Target::Everything => standing.into_iter().rev().collect(),
    };
    let by_version: HashMap<String, &Migration> = files.iter().map(|file| (file.version.canonical(), file)).collect();
    let mut undo: Vec<Undo<'a>> = Vec::new();
    for applied in chosen {
        let file = Version::new(&applied.version).and_then(|version| by_version.get(&version.canonical()).copied());
        match step(applied, file, source, engine) {
            Ok(step) => undo.push(step),
            Err(wall) => return Err(wall.after(undo.last())),
        }
    }
    Ok(undo)
}

/// The newest applied migration that DOWN cannot take back, and how many can be undone before it.
pub fn reach(history: &[Applied], files: &[Migration], engine: Engine) -> (usize, Option<Wall>) {
    let by_version: HashMap<String, &Migration> = files.iter().map(|file| (file.version.canonical(), file)).collect();
    for (count, applied) in in_force(history).into_iter().rev().enumerate() {
        let file = Version::new(&applied.version).and_then(|version| by_version.get(&version.canonical()).copied());
        if let Err(wall) = step(applied, file, None, engine) {
            return (count, Some(wall));
        }
    }
    (in_force(history).len(), None)
}

/// How many migrations to undo by DOWN, `applied` being the last of them, where that brings back all that it took; by the history alone.
///
/// # Errors
/// Why it does not.
pub fn by_down(history: &[Applied], applied: &Applied, engine: Engine) -> Result<usize, String> {
    let standing = in_force(history);
    let Some(at) = standing.iter().position(|row| row.seq == applied.seq) else { return Err(String::from("it is undone already")) };
    for row in standing[at..].iter().rev() {
        step(row, None, None, engine).map_err(|wall| wall.to_string())?;
    }
    match applied.loss.as_str() {
        loss if loss == Loss::None.name() || loss == Loss::WrittenSince.name() => Ok(standing.len() - at),
        loss => Err(format!("DOWN does not bring back what is lost (loss: {loss})")),
    }
}

/// How to undo one migration.
fn step<'a>(applied: &'a Applied, file: Option<&'a Migration>, source: Option<Source>, engine: Engine) -> Result<Undo<'a>, Wall> {
    let (version, name, reach) = (applied.version.clone(), applied.name.clone(), String::new());
    if loses_data(applied) {
        return Err(Wall::Loss { version, name, loss: applied.loss.clone(), reach });
    }
    let stored = applied.down_text.as_deref().map(Script::whole);
    let of_file = file.and_then(|file| file.down.clone());
    let differs = of_file
        .as_ref()
        .is_some_and(|down| Some(down.sha256()) != applied.down_sha256 && stored.as_ref().is_none_or(|stored| !parse::same_words(stored, down, engine)));
    let (down, note) = match (of_file, stored, source) {
        (Some(_), _, None) if differs => {
            let path = file.map(|file| file.down_path.clone().unwrap_or_else(|| file.path.clone())).unwrap_or_default();
            return Err(Wall::DownEdited { path, at: applied.at.clone(), reach });
        }
        (Some(down), _, Some(Source::File)) if differs => (Some(down), Some("by the file's DOWN, which is not the stored one")),
        (Some(_), stored, Some(Source::Stored)) if differs => (stored, Some(BY_THE_STORED)),
        (Some(down), ..) => (Some(down), None),
        (None, stored, _) => (stored, file.is_none().then_some("by the stored DOWN: the file is gone")),
    };
    match down {
        // A DOWN of comments alone would change nothing and be recorded as done. One of the file's was never judged.
        Some(down)
            if applied.verdict != Verdict::Irreversible.name() && !(differs && source == Some(Source::File)) || !parse::script(&down, engine).is_empty() =>
        {
            Ok(Undo { applied, file, down, note: note.map(str::to_owned) })
        }
        _ => Err(Wall::NoDown { version, name, reach }),
    }
}

impl Wall {
    /// The same, saying how far back one can go.
    fn after(mut self, last: Option<&Undo<'_>>) -> Wall {
        let Some(last) = last else { return self };
        if let Wall::NoDown { reach, .. } | Wall::Loss { reach, .. } | Wall::DownEdited { reach, .. } = &mut self {
            *reach = format!("; back to before {} is as far as DOWN goes", last.applied.version);
        }
        self
    }
}
