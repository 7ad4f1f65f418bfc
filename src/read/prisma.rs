//! Prisma Migrate. In: folders `STAMP_name` with `migration.sql`. Out: migrations that only go forward.

use super::ReadError;
use super::names::split_digits;
use super::reader::{Reader, migration};
use crate::engine::Engine;
use crate::migration::{Direction, Migration, Version};
use std::path::Path;

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    let mut migrations = Vec::new();
    for folder in std::mem::take(&mut reader.folder.folders) {
        let path = format!("{folder}/migration.sql");
        let Some(up) = reader.whole_if_there(&path, Direction::Up)? else { continue };
        let (digits, name) = split_digits(&folder, false);
        let Some(version) = Version::new(digits) else {
            return Err(ReadError::VersionNotNumber { path, version: folder.split('_').next().unwrap_or_default().to_owned() });
        };
        reader.note_empty(&path, &up.script);
        migrations.push(migration(version, name.trim_start_matches('_').to_owned(), path, up, None));
    }
    Ok(migrations)
}

/// The engine that `provider = "postgresql"` names in the file that Prisma keeps beside its folders.
pub(super) fn provider(dir: &Path) -> Option<Engine> {
    let lock: toml::Table = std::fs::read_to_string(dir.join("migration_lock.toml")).ok()?.parse().ok()?;
    Engine::from_word(lock.get("provider")?.as_str()?)
}
