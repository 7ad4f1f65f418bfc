//! The way back. In: what stands on a database, where to go. Out: the migrations to undo, newest first, or the wall in the way.

use crate::engine::Engine;
use crate::migration::{Migration, Script, Version};
use crate::observed::{Applied, EXEMPT, in_force};
use crate::parse;
use crate::table::{Loss, Verdict};

/// How far back to go.
#[derive(Clone, Debug)]
pub enum Target {
    /// Undo so many migrations.
    Steps(usize),
    /// Undo everything after this version.
    Version(Version),
}

/// One migration to undo.
#[derive(Debug)]
pub struct Undo<'a> {
    /// What the history says of it.
    pub applied: &'a Applied,
    /// Its file, where it stands on disk.
    pub file: Option<&'a Migration>,
    /// DOWN's text, from the file or, where that is gone, from the history.
    pub down: String,
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
    #[error("{path} has another DOWN than the one stored when its UP ran on {at}")]
    DownEdited {
        /// The file.
        path: String,
        /// When UP ran.
        at: String,
    },
}

impl Wall {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Wall::NotApplied { .. } => "`migrate status` lists what is",
            Wall::NoDown { .. } => "go forward with a new migration, or restore a backup from before it ran",
            Wall::Loss { .. } => "restore the lost values from a backup from before it ran; `migrate check` on its file names them",
            Wall::DownEdited { .. } => "put the file's DOWN back as it was when UP ran",
        }
    }
}

/// Whether `applied` was recorded as irreversible with data at risk, on a database that may have held any.
pub fn loses_data(applied: &Applied) -> bool {
    applied.note.as_deref() != Some(EXEMPT)
        && applied.verdict == Verdict::Irreversible.name()
        && [Loss::Possible.name(), Loss::Certain.name()].contains(&applied.loss.as_str())
}

/// What to undo to reach `target`, newest first. The whole path is looked at before the first step.
///
/// # Errors
/// The first [`Wall`] in the way.
pub fn route<'a>(history: &'a [Applied], files: &'a [Migration], target: &Target, engine: Engine) -> Result<Vec<Undo<'a>>, Wall> {
    let standing = in_force(history);
    let steps = match target {
        Target::Steps(steps) => *steps,
        Target::Version(version) => match standing.iter().rposition(|a| Version::new(&a.version).as_ref() == Some(version)) {
            Some(at) => standing.len() - at - 1,
            None => return Err(Wall::NotApplied { version: version.to_string() }),
        },
    };
    let mut undo: Vec<Undo<'a>> = Vec::new();
    for &applied in standing.iter().rev().take(steps) {
        let (version, name) = (applied.version.clone(), applied.name.clone());
        let reach = || match undo.last() {
            Some(last) => format!("; back to before {} is as far as DOWN goes", last.applied.version),
            None => String::new(),
        };
        if loses_data(applied) {
            return Err(Wall::Loss { version, name, loss: applied.loss.clone(), reach: reach() });
        }
        let file = files.iter().find(|m| Version::new(&version).is_some_and(|v| v == m.version));
        let of_file = file.and_then(|m| m.down.as_ref());
        if let (Some(file), Some(down), Some(stored)) = (file, of_file, &applied.down_sha256)
            && down.sha256() != *stored
        {
            return Err(Wall::DownEdited { path: file.down_path.clone().unwrap_or_else(|| file.path.clone()), at: applied.at.clone() });
        }
        let text = of_file.map(|down| down.text()).or_else(|| applied.down_text.clone());
        match text {
            // A DOWN of comments alone would change nothing and be recorded as done.
            Some(down) if applied.verdict != Verdict::Irreversible.name() || !parse::script(&Script::whole(down.as_str()), engine).is_empty() => {
                undo.push(Undo { applied, file, down });
            }
            _ => return Err(Wall::NoDown { version, name, reach: reach() }),
        }
    }
    Ok(undo)
}
