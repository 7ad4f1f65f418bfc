//! diesel. In: folders `STAMP_name` with `up.sql`, `down.sql` and `metadata.toml`. Out: migrations.
//!
//! diesel compares versions as text, so of `2026-05-27-120000` and `2025-12-29-110242-0000` the latter comes first, though
//! without the dashes it is the greater number. What follows the fourteen digits of a stamp is therefore kept as a group of
//! its own (`20251229110242-0000`), and versions compare as numbers here too.

use super::ReadError;
use super::names::sql_stem;
use super::reader::{Reader, migration};
use crate::migration::{Direction, Migration, Version};

const STAMP: usize = "20160107082941".len();

fn version(folder: &str) -> Option<Version> {
    let digits = folder.split('_').next().unwrap_or(folder).replace('-', "");
    match digits.split_at_checked(STAMP) {
        Some((stamp, more)) if !more.is_empty() => Version::new(&format!("{stamp}-{more}")),
        _ => Version::new(&digits),
    }
}

/// `run_in_transaction`: true without a file, and, as diesel has it, false in a file that does not mention it.
fn runs_in_transaction(reader: &mut Reader, path: String) -> Result<bool, ReadError> {
    let Some(file) = reader.folder.take_if_there(&path)? else { return Ok(true) };
    match file.text.parse::<toml::Table>() {
        Ok(table) => Ok(table.get("run_in_transaction").and_then(toml::Value::as_bool).unwrap_or(false)),
        Err(error) => Err(ReadError::BadPlan { path, line: None, what: error.message().to_owned() }),
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    for file in reader.folder.files.clone() {
        if sql_stem(&file).is_some() {
            reader.ignored(&file, "migrations of diesel are folders");
        }
    }
    let mut migrations = Vec::new();
    for folder in std::mem::take(&mut reader.folder.folders) {
        let (up_path, down_path) = (format!("{folder}/up.sql"), format!("{folder}/down.sql"));
        let version = version(&folder);
        let not_number = || ReadError::VersionNotNumber { path: folder.clone(), version: folder.split('_').next().unwrap_or_default().to_owned() };
        let Some(mut up) = reader.whole_if_there(&up_path, Direction::Up)? else {
            if reader.folder.has(&down_path) {
                return Err(ReadError::DownWithoutUp { path: down_path, version: version.ok_or_else(not_number)?.to_string() });
            }
            if version.is_some() {
                reader.ignored(&folder, "there is no up.sql in it");
            }
            continue;
        };
        let version = version.ok_or_else(not_number)?;
        let mut down = reader.whole_if_there(&down_path, Direction::Down)?;
        if !runs_in_transaction(reader, format!("{folder}/metadata.toml"))? {
            up.script.no_transaction = true;
            if let Some(down) = &mut down {
                down.script.no_transaction = true;
            }
        }
        reader.note_empty(&up_path, &up.script);
        let name = folder.split_once('_').map_or("", |(_, name)| name).to_owned();
        migrations.push(migration(version, name, up_path, up, down.map(|part| (Some(down_path), part))));
    }
    Ok(migrations)
}
