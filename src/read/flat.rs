//! Layouts of one file a migration. In: the files of a folder and how to cut one. Out: migrations.

use super::choose::{Candidate, Chosen, choose};
use super::names::{rest, split_digits, sql_stem};
use super::parts::Cut;
use super::reader::{Reader, migration};
use super::{Layout, ReadError};
use crate::engine::Engine;
use crate::migration::{Direction, Migration, Version};

/// How a name begins.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// `N_name`.
    Digits,
    /// `N` and anything.
    Glued,
    /// `VN_name` or `N_name`; N may have dots.
    Native,
}

/// A name's beginning.
pub(super) enum Split<'a> {
    /// A version, and what follows it.
    Version(Version, &'a str),
    /// No version at all.
    None,
    /// Something that was meant as one.
    NotNumber(&'a str),
}

pub(super) fn split(stem: &str, naming: Naming) -> Split<'_> {
    let bare = if naming == Naming::Native { stem.strip_prefix(['V', 'v']).unwrap_or(stem) } else { stem };
    let (digits, rest) = split_digits(bare, naming == Naming::Native);
    let ends = rest.is_empty() || rest.starts_with(['_', '-', '.']) || naming == Naming::Glued;
    match Version::new(digits) {
        _ if digits.is_empty() => Split::None,
        Some(version) if ends => Split::Version(version, rest),
        // `2fa_notes` is no migration, `V2024O116_x` was meant to be one.
        Some(_) if bare.len() == stem.len() => Split::None,
        _ => Split::NotNumber(bare.split('_').next().unwrap_or(bare)),
    }
}

/// The file as one that may go forward.
pub(super) fn candidate(file: &str, version: Version, after: &str, engine: Engine) -> Candidate {
    let rest = rest(after, engine);
    Candidate { version, name: rest.name, direction: Direction::Up, path: file.to_owned(), fit: rest.fit, autocommit: rest.autocommit }
}

fn candidates(reader: &mut Reader, naming: Naming, layout: Layout) -> Result<Vec<Candidate>, ReadError> {
    let (files, mut found) = (std::mem::take(&mut reader.folder.files), Vec::new());
    for file in &files {
        let Some(stem) = sql_stem(file) else {
            let go = file.strip_suffix(".go").filter(|stem| layout == Layout::Goose && !stem.ends_with("_test"));
            if go.is_some_and(|stem| matches!(split(stem, naming), Split::Version(..))) {
                reader.code(file);
            }
            continue;
        };
        match split(stem, naming) {
            Split::Version(version, after) => found.push(candidate(file, version, after, reader.engine)),
            Split::None => reader.ignored(file, "its name has no version"),
            Split::NotNumber(version) => return Err(ReadError::VersionNotNumber { path: file.clone(), version: version.to_owned() }),
        }
    }
    reader.folder.files = files;
    Ok(found)
}

/// Reads every file that has a version.
pub(super) fn read(
    reader: &mut Reader,
    naming: Naming,
    layout: Layout,
    cut: impl Fn(&str, &str, Engine) -> Result<Cut, ReadError>,
) -> Result<Vec<Migration>, ReadError> {
    let found = candidates(reader, naming, layout)?;
    cut_all(reader, found, cut)
}

/// Reads the candidates that fit the engine.
pub(super) fn cut_all(
    reader: &mut Reader,
    found: Vec<Candidate>,
    cut: impl Fn(&str, &str, Engine) -> Result<Cut, ReadError>,
) -> Result<Vec<Migration>, ReadError> {
    let mut migrations = Vec::with_capacity(found.len());
    for Chosen { up: file, .. } in choose(reader, found)? {
        let text = reader.text(&file.path)?;
        let parts = cut(&file.path, &text, reader.engine)?;
        if let Some(line) = parts.hidden {
            let message = "looks like the line that begins DOWN, but stands in a string, a body or a block comment, and is text".into();
            reader.note("marker-in-text", &file.path, Some(line), message);
        }
        let mut up = parts.up.unwrap_or_default();
        up.script.no_transaction |= file.autocommit;
        reader.note_empty(&file.path, &up.script);
        migrations.push(migration(file.version, file.name, file.path, up, parts.down.map(|part| (None, part))));
    }
    Ok(migrations)
}
