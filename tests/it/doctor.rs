//! `doctor` on a SQLite file: what it says of a schema changed by hand, of files that changed or went, and what it records when it is told to.

use super::support::{folder, migrate_with};
use std::path::Path;
use tempfile::TempDir;

const FILES: [(&str, &str); 3] = [
    ("migrations/V1_notes.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n"),
    ("migrations/V3_index.sql", "-- UP\nCREATE INDEX notes_text ON notes (text);\n-- DOWN\nDROP INDEX notes_text;\n"),
    ("migrations/V4_tags.sql", "-- UP\nCREATE TABLE tags (id INTEGER PRIMARY KEY);\n-- DOWN\nDROP TABLE tags;\n"),
];

fn stage() -> TempDir {
    let folder = folder(&FILES);
    assert_eq!(run(folder.path(), &["up", "-q"]).0, 0);
    folder
}

/// Exit code and both outputs, times masked.
fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let ran = migrate_with(folder, arguments, &[("DATABASE_URL", "sqlite:notes.db")]);
    let is_time = |word: &str| chrono::DateTime::parse_from_rfc3339(word.trim_end_matches([',', '"', ':'])).is_ok();
    let masked = |word: &str| if is_time(word.trim()) { word.replace(|c: char| c.is_ascii_digit(), "0") } else { word.to_owned() };
    (ran.code, (ran.out + &ran.err).split_inclusive([' ', '\n', '"']).map(masked).collect())
}

/// A session as a person sees it.
fn session(folder: &Path, commands: &[&[&str]]) -> String {
    let one = |arguments: &&[&str]| {
        let (code, said) = run(folder, arguments);
        format!("$ migrate {}\n{said}exit {code}\n\n", arguments.join(" "))
    };
    commands.iter().map(one).collect()
}

fn by_hand(folder: &Path, sql: &str) {
    let url = format!("sqlite:{}", folder.join("notes.db").display());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        use sqlx::Connection as _;
        let mut link = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut link).await.unwrap();
        link.close().await.unwrap();
    });
}

#[test]
fn what_is_not_well_is_named_with_what_to_do() {
    let folder = stage();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
    by_hand(
        folder.path(),
        "DROP INDEX notes_text; ALTER TABLE notes ADD COLUMN mood TEXT NOT NULL DEFAULT 'good'; CREATE TABLE stray (id INTEGER); \
         CREATE VIEW seen AS SELECT id FROM notes",
    );
    write("V1_notes.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text VARCHAR);\n-- DOWN\nDROP TABLE notes;\n");
    write("V2_late.sql", "-- UP\nCREATE TABLE late (id INTEGER);\n-- DOWN\nDROP TABLE late;\n");
    std::fs::remove_file(folder.path().join("migrations/V4_tags.sql")).unwrap();
    insta::assert_snapshot!(session(folder.path(), &[&["doctor"], &["doctor", "--format", "json"]]));
}

#[test]
fn what_is_recorded_is_what_was_asked_for_by_name() {
    let folder = stage();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
    write("V3_index.sql", "-- UP\nCREATE INDEX notes_text ON notes (text DESC);\n-- DOWN\nDROP INDEX notes_text;\n");
    write("V2_late.sql", "-- UP\nCREATE TABLE late (id INTEGER);\n-- DOWN\nDROP TABLE late;\n");
    by_hand(folder.path(), "DROP INDEX notes_text; CREATE INDEX notes_text ON notes (text DESC); CREATE TABLE late (id INTEGER)");
    insta::assert_snapshot!(session(
        folder.path(),
        &[
            &["up"],
            &["doctor", "--accept-edit", "3"],
            &["doctor", "--accept-edit", "1", "--yes"],
            &["doctor", "--accept-edit", "9", "--yes"],
            &["doctor", "--accept-edit", "3", "--yes", "--reason", "the index was built so by hand"],
            &["doctor", "--record", "2"],
            &["doctor", "--record", "1", "--reason", "none", "--yes"],
            &["doctor", "--record", "2", "--reason", "it stood already", "--yes"],
            &["doctor"],
            &["status"],
            &["up"],
            &["down", "--to", "1", "-q"],
            &["status"],
        ]
    ));
}
