//! Names with a kind, a version and two underscores, in folders of any depth. In: `V1.2__add_users.sql`. Out: its parts.

use super::ReadError;
use super::choose::Candidate;
use super::names::{Fit, fit, names_an_engine, rest, sql_stem};
use super::reader::Reader;
use crate::engine::Engine;
use crate::migration::{Direction, Version};

/// A name taken apart.
#[derive(Clone, Copy)]
pub(super) struct Versioned<'a> {
    /// `V`, `U`, `R` or `B`.
    pub(super) kind: char,
    /// What stands between the kind and the underscores.
    pub(super) version: &'a str,
    /// What stands after them, without the extension.
    pub(super) name: &'a str,
}

/// Takes a path's last part apart; `None` where it has another form.
pub(super) fn parse(path: &str) -> Option<Versioned<'_>> {
    let file = path.rsplit('/').next()?;
    let stem = sql_stem(file).or_else(|| file.strip_suffix(".rs"))?;
    let kind = stem.chars().next().filter(|kind| "VURB".contains(*kind))?;
    let (version, name) = stem[1..].split_once("__")?;
    // `Views__all.sql` is a word, not a version.
    let fits = if kind == 'R' { version.is_empty() } else { !version.starts_with(|c: char| c.is_ascii_alphabetic()) };
    fits.then_some(Versioned { kind, version, name })
}

impl Versioned<'_> {
    pub(super) fn number(&self, path: &str) -> Result<Version, ReadError> {
        Version::new(self.version).ok_or_else(|| ReadError::VersionNotNumber { path: path.to_owned(), version: self.version.to_owned() })
    }

    pub(super) fn candidate(&self, path: &str, direction: Direction, engine: Engine) -> Result<Candidate, ReadError> {
        let rest = rest(self.name, engine);
        // Flyway's `{vendor}` puts the engine into a folder's name.
        let folders: Vec<_> = path.split('/').rev().skip(1).filter(|folder| names_an_engine(folder)).collect();
        let fit = match rest.fit {
            Fit::General => fit(folders.into_iter(), engine),
            named => named,
        };
        Ok(Candidate { version: self.number(path)?, name: rest.name, direction, path: path.to_owned(), fit, autocommit: rest.autocommit })
    }
}

/// Notes an SQL file without such a name.
pub(super) fn note_other(reader: &mut Reader, path: &str) {
    if sql_stem(path).is_some() {
        reader.ignored(path, "its name is not of the form `V1__name.sql`, with two underscores");
    }
}
