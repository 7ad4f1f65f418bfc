//! The mixed set of thirty migrations. In: an engine. Out: their folder.

use std::fs;
use tempfile::TempDir;
use unmigrate::engine::Engine;

/// What runs on every engine, and what is each one's own.
const COMMON: &str = include_str!("migrations/common.sql");

/// How many there are.
pub(super) const COUNT: usize = 30;

/// The files of `engine`, in a folder of their own.
pub(super) fn folder(engine: Engine) -> TempDir {
    let own = match engine {
        Engine::Sqlite => include_str!("migrations/sqlite.sql"),
        Engine::Postgres => include_str!("migrations/postgres.sql"),
        Engine::Mysql | Engine::Mariadb => include_str!("migrations/mariadb.sql"),
    };
    let files: Vec<(&str, &str)> = [COMMON, own].iter().flat_map(|all| all.split("-- FILE ").skip(1)).filter_map(|file| file.split_once('\n')).collect();
    assert_eq!(files.len(), COUNT, "{engine}");
    written(&files)
}

/// A folder with these files, a name and a text each.
pub(super) fn written(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    folder
}
