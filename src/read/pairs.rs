//! One file a direction: `N_name.up.sql` and `N_name.down.sql`. In: a folder's files. Out: migrations, of each version the
//! files that fit the engine.

use super::ReadError;
use super::choose::{Candidate, Chosen, choose};
use super::flat::{self, Naming, Split};
use super::names::{Fit, split_direction, sql_stem};
use super::reader::{Reader, migration};
use crate::migration::{Direction, Migration, Script};

/// What sets a tool that keeps pairs apart.
pub(super) struct Pairs {
    /// `N_name.sql` is a migration without DOWN.
    pub(super) plain: bool,
    /// Whether the file's own text says that it must not run inside a transaction.
    pub(super) no_transaction: fn(&Script) -> bool,
}

fn candidates(reader: &mut Reader, pairs: &Pairs) -> Result<Vec<Candidate>, ReadError> {
    let (files, mut found) = (std::mem::take(&mut reader.folder.files), Vec::new());
    for file in &files {
        let sql = sql_stem(file);
        let Some(stem) = sql.or_else(|| file.rsplit_once('.').map(|(stem, _)| stem)) else { continue };
        let (stem, said) = split_direction(stem);
        let Some(direction) = said.or((sql.is_some() && pairs.plain).then_some(Direction::Up)) else {
            if sql.is_some() {
                reader.ignored(file, "it is neither `.up.sql` nor `.down.sql`");
            }
            continue;
        };
        // Some projects write a V before the number.
        let number = stem.strip_prefix(['V', 'v']).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(stem);
        match flat::split(number, Naming::Digits) {
            Split::Version(version, after) => {
                let mut candidate = Candidate { direction, ..flat::candidate(file, version, after, reader.engine) };
                if sql.is_none() {
                    candidate.fit = Fit::Code;
                    reader.code(file);
                }
                found.push(candidate);
            }
            _ if sql.is_none() => {}
            Split::None if said.is_none() => reader.ignored(file, "its name has no version"),
            Split::None | Split::NotNumber(_) => {
                return Err(ReadError::VersionNotNumber { path: file.clone(), version: stem.split('_').next().unwrap_or(stem).to_owned() });
            }
        }
    }
    reader.folder.files = files;
    Ok(found)
}

pub(super) fn read(reader: &mut Reader, pairs: &Pairs) -> Result<Vec<Migration>, ReadError> {
    let found = candidates(reader, pairs)?;
    let mut migrations = Vec::with_capacity(found.len() / 2);
    for Chosen { up: up_file, down: down_file, up_elsewhere } in choose(reader, found)? {
        let whole = |reader: &mut Reader, file: &Candidate| {
            reader.whole(&file.path, file.direction).map(|mut part| {
                part.script.no_transaction |= file.autocommit || (pairs.no_transaction)(&part.script);
                part
            })
        };
        let up = whole(reader, &up_file)?;
        // An empty file for one engine, or beside those for others, is meant.
        if !up_elsewhere && up_file.fit == Fit::General {
            reader.note_empty(&up_file.path, &up.script);
        }
        let down = match down_file {
            Some(file) => Some((whole(reader, &file)?, file.path)),
            None => None,
        };
        migrations.push(migration(up_file.version, up_file.name, up_file.path, up, down.map(|(part, path)| (Some(path), part))));
    }
    Ok(migrations)
}
