//! The commands that run, on a SQLite file: what they print, and what they leave beside it.

use super::support::{folder, migrate_with};

const NOTES: (&str, &str) = ("migrations/V1_notes.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n");

/// A typing error in the path is no fresh database.
#[test]
fn only_up_makes_a_database() {
    let folder = folder(&[NOTES]);
    let names = || {
        let entries = std::fs::read_dir(folder.path()).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect::<Vec<_>>()
    };
    let run = |arguments: &[&str]| migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:nots.db")]);
    for arguments in [&["status"][..], &["history"], &["down"], &["down", "--steps", "1"], &["goto", "1"], &["redo"]] {
        let ran = run(arguments);
        let expected = "error: the database nots.db does not exist; nothing was made; is its path right? Only `migrate up` makes a new one\n";
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (7, "", expected), "{arguments:?}");
        assert_eq!(names(), ["migrations"], "{arguments:?}");
    }
    assert_eq!(run(&["up"]).code, 0);
    assert_eq!(run(&["status"]).code, 0);
}
