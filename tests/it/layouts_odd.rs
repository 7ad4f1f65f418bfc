//! Odd folders and odd files: each has a clear answer, a typed error with its place or a note.

use std::path::Path;
use tempfile::TempDir;
use unmigrate::engine::Engine;
use unmigrate::migration::Script;
use unmigrate::read::{self, Layout, Loaded, ReadError};

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    dir
}

fn load(files: &[(&str, &[u8])]) -> Result<Loaded, ReadError> {
    read::load(folder(files).path(), None, Engine::Postgres)
}

/// The error's code, paths and line.
#[track_caller]
fn fails(files: &[(&str, &str)], code: &str, paths: &[&str], line: Option<u32>) -> ReadError {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let error = load(&files).unwrap_err();
    assert_eq!((error.code(), error.paths(), error.line()), (code, paths.to_vec(), line), "{error}");
    for path in paths {
        assert!(error.to_string().contains(path), "{error}");
    }
    assert!(!error.help().is_empty());
    error
}

const TABLE: &str = "CREATE TABLE a (id INT);\n";

#[test]
fn no_folder_and_nothing_in_a_folder() {
    let error = read::load(Path::new("does/not/exist"), None, Engine::Sqlite).unwrap_err();
    assert_eq!((error.code(), error.to_string().as_str()), ("no-folder", "does/not/exist: no such folder"));
    let dir = folder(&[("a.sql", b""), ("b/1_x.up.sql", b"")]);
    let error = read::load(&dir.path().join("a.sql"), None, Engine::Sqlite).unwrap_err();
    assert!(matches!(error, ReadError::NoFolder { is_file: true, .. }), "{error}");

    let error = read::load(dir.path(), None, Engine::Sqlite).unwrap_err();
    assert!(matches!(error, ReadError::NoMigrations { .. }), "{error}");
    assert!(error.help().ends_with("`--dir`: b"), "{}", error.help());
    let error = load(&[]).unwrap_err();
    assert!(error.to_string().ends_with("holds no migrations; it is empty"), "{error}");
    let error = load(&[("1_x.mysql.up.sql", b""), ("1_x.sqlite.up.sql", b"")]).unwrap_err();
    assert!(error.to_string().ends_with(": versions that have no UP in SQL for postgres and are left out: 1"), "{error}");
}

#[test]
fn two_migrations_with_one_version() {
    fails(&[("V1_a.sql", TABLE), ("V01_b.sql", TABLE)], "duplicate-version", &["V01_b.sql", "V1_a.sql"], None);
    fails(&[("1_a.up.sql", TABLE), ("1_a.sql", TABLE)], "duplicate-version", &["1_a.sql", "1_a.up.sql"], None);
    fails(&[("V1__a.sql", TABLE), ("x/V1.0__b.sql", TABLE)], "duplicate-version", &["V1__a.sql", "x/V1.0__b.sql"], None);
    fails(&[("20240101_a/up.sql", TABLE), ("2024-01-01_b/up.sql", TABLE)], "duplicate-version", &["2024-01-01_b/up.sql", "20240101_a/up.sql"], None);
}

#[test]
fn a_survey_gives_both_migrations_of_one_version() {
    let dir =
        folder(&[("1_a.up.sql", b"1"), ("1_a.down.sql", b"2"), ("1_b.up.sql", b"3"), ("1_b.down.sql", b"4"), ("2_c.up.sql", b"5"), ("2_d.down.sql", b"6")]);
    assert_eq!(read::load(dir.path(), None, Engine::Postgres).unwrap_err().code(), "duplicate-version");
    let loaded = read::survey(dir.path(), None, Engine::Postgres).unwrap();
    let pairs: Vec<_> = loaded.migrations.iter().map(|m| (m.path.as_str(), m.down_path.as_deref())).collect();
    assert_eq!(pairs, [("1_a.up.sql", Some("1_a.down.sql")), ("1_b.up.sql", Some("1_b.down.sql")), ("2_c.up.sql", Some("2_d.down.sql"))]);
    assert_eq!(loaded.notes.iter().map(|n| (n.code, n.path.as_deref())).collect::<Vec<_>>(), [("duplicate-version", Some("1_b.up.sql"))]);
}

#[test]
fn a_down_without_its_up() {
    fails(&[("1_a.up.sql", TABLE), ("2_b.down.sql", TABLE)], "down-without-up", &["2_b.down.sql"], None);
    fails(&[("20240101_a/down.sql", TABLE)], "down-without-up", &["20240101_a/down.sql"], None);
    fails(&[("V1__a.sql", TABLE), ("V2__a.sql", TABLE), ("U3__a.sql", TABLE)], "undo-or-forward", &["U3__a.sql"], None);
}

#[test]
fn versions_that_are_no_numbers() {
    fails(&[("1_a.up.sql", TABLE), ("next_b.up.sql", TABLE)], "version-no-number", &["next_b.up.sql"], None);
    fails(&[("V1_a.sql", TABLE), ("V2O24_b.sql", TABLE)], "version-no-number", &["V2O24_b.sql"], None);
    fails(&[("V1__a.sql", TABLE), ("V2a__b.sql", TABLE)], "version-no-number", &["V2a__b.sql"], None);
    fails(&[("1_a/up.sql", TABLE), ("old_b/up.sql", TABLE)], "version-no-number", &["old_b"], None);
}

#[test]
fn directives_with_mistakes() {
    let error = fails(&[("V1_a.sql", "-- UP\nSELECT 1;\n\n-- migrate: alow drop-table \"x\"\n")], "unknown-directive", &["V1_a.sql"], Some(4));
    assert!(error.to_string().contains("`migrate: alow`; known are `-- migrate: no-transaction` and `-- migrate: allow RULE"), "{error}");
    fails(&[("1_a.up.sql", "SELECT 1; -- migrate: allow drop-table\n")], "allow-without-reason", &["1_a.up.sql"], Some(1));
    fails(&[("1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:no-transaction\n")], "unknown-directive", &["1_a.sql"], Some(3));
}

#[test]
fn markers_out_of_place_in_native_files() {
    let out = |text: &str, line: u32| fails(&[("V1_a.sql", "-- UP\n"), ("V2_b.sql", text)], "marker-out-of-place", &["V2_b.sql"], Some(line));
    out("-- DOWN\nDROP TABLE a;\n-- UP\nCREATE TABLE a (id INT);\n", 1);
    out("CREATE TABLE a (id INT);\n-- DOWN\nDROP TABLE a;\n", 2);
    out("-- first\n\nSELECT 1;\n-- UP\nSELECT 2;\n", 3);
    out("-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n-- UP\nSELECT 3;\n", 5);
    // The prose took the marker's place: what stands between would be undone without being done.
    out("-- UP\nSELECT 1;\n-- DOWN TIME EXPECTED\nSELECT 2;\n-- DOWN\nSELECT 3;\n", 5);
    fails(&[("V1_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:dwon\nSELECT 2;\n")], "unknown-marker", &["V1_a.sql"], Some(3));
}

#[test]
fn prose_in_native_files_stays_prose() {
    let text =
        b"-- UP\n-- Up to now: nothing\nSELECT 1;\n-- UP\nSELECT 2; -- DOWN\n-- DOWN\n-- Down: the rows are lost\nSELECT 3;\n-- UP TO HERE\n-- down the road\n";
    let loaded = load(&[("V1_a.sql", text)]).unwrap();
    let m = &loaded.migrations[0];
    let stretches = |script: &Script| script.segments.iter().map(|s| (s.first_line, s.text.clone())).collect::<Vec<_>>();
    assert_eq!(stretches(&m.up), [(2, "-- Up to now: nothing\nSELECT 1;\n-- UP\nSELECT 2; -- DOWN\n".to_owned())]);
    let down = stretches(m.down.as_ref().unwrap());
    assert_eq!(down, [(7, "-- Down: the rows are lost\nSELECT 3;\n-- UP TO HERE\n-- down the road\n".to_owned())]);
}

#[test]
fn markers_missing_or_out_of_place_in_other_tools_files() {
    fails(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n"), ("2_b.sql", "SELECT 1;\n")], "marker-missing", &["2_b.sql"], None);
    fails(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Dwon\n")], "unknown-marker", &["1_a.sql"], Some(3));
    fails(&[("1_a.sql", "-- +goose Down\nSELECT 1;\n-- +goose Up\n")], "marker-out-of-place", &["1_a.sql"], Some(1));
    fails(&[("1_a.sql", "-- +goose Up\n-- +goose StatementBegin\nSELECT 1;\n")], "marker-out-of-place", &["1_a.sql"], Some(2));
    fails(&[("1_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose StatementEnd\n")], "marker-out-of-place", &["1_a.sql"], Some(3));
    fails(&[("1_a.sql", "SELECT 1;\n-- +migrate Up\nSELECT 1;\n")], "marker-out-of-place", &["1_a.sql"], Some(1));
    fails(&[("1_a.sql", "-- migrate:up\nSELECT 1;\n"), ("2_b.sql", "")], "marker-missing", &["2_b.sql"], None);
}

#[test]
fn odd_bytes() {
    let crlf = load(&[("V1_a.sql", b"\xEF\xBB\xBF-- UP\r\nSELECT 1;\r\n-- DOWN\r\nSELECT 2;\r\n")]).unwrap();
    assert_eq!(crlf.migrations[0].up.text(), "SELECT 1;\r\n");
    assert_eq!(crlf.migrations[0].down.as_ref().map(|d| (d.text(), d.segments[0].first_line)), Some(("SELECT 2;\r\n".into(), 4)));
    assert_eq!(crlf.notes, []);

    let latin1 = load(&[("1_a.up.sql", b"SELECT 1;\nSELECT 'caf\xE9';\n")]).unwrap();
    assert_eq!(latin1.migrations[0].up.text(), "SELECT 1;\nSELECT 'caf\u{e9}';\n");
    assert_eq!(latin1.notes.iter().map(|n| (n.code, n.path.as_deref(), n.line)).collect::<Vec<_>>(), [("not-utf-8", Some("1_a.up.sql"), Some(2))]);

    assert_eq!(load(&[("1_a.up.sql", b"\xFF\xFES\0")]).unwrap_err().code(), "utf-16");
}

#[test]
fn an_empty_file_is_a_migration_that_does_nothing() {
    let loaded = load(&[("V1_a.sql", b"-- UP\nSELECT 1;\n"), ("V2_b.sql", b"")]).unwrap();
    assert_eq!((loaded.migrations[1].up.text().as_str(), loaded.migrations[1].down.is_some()), ("", false));
    assert_eq!(loaded.notes.iter().map(|n| (n.code, n.path.as_deref())).collect::<Vec<_>>(), [("empty-file", Some("V2_b.sql"))]);
    // Beside a file for another engine it says that this engine has nothing to do.
    let loaded = load(&[("1_a.mysql.up.sql", b"SELECT 1;"), ("1_a.up.sql", b"")]).unwrap();
    assert_eq!((loaded.migrations.len(), loaded.notes.len()), (1, 0));
}

#[test]
fn a_marker_that_is_text_is_noted_where_down_is_missing() {
    let loaded = load(&[("V1_a.sql", b"-- UP\nSELECT 'it''s\n-- DOWN\nSELECT 2;\n")]).unwrap();
    assert!(loaded.migrations[0].down.is_none());
    assert_eq!(loaded.notes.iter().map(|n| (n.code, n.line)).collect::<Vec<_>>(), [("marker-in-text", Some(3))]);
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read() {
    let dir = folder(&[("1_a.up.sql", b"")]);
    std::os::unix::fs::symlink("nowhere", dir.path().join("2_b.up.sql")).unwrap();
    let error = read::load(dir.path(), None, Engine::Postgres).unwrap_err();
    assert_eq!((error.code(), error.paths()), ("unreadable-file", vec!["2_b.up.sql"]));
}

#[test]
fn a_plan_or_metadata_that_is_wrong() {
    fails(&[("sqitch.plan", "%project=x\n\na 2024\n")], "bad-plan", &["sqitch.plan"], Some(3));
    fails(&[("1_a/up.sql", ""), ("1_a/metadata.toml", "run_in_transaction = maybe\n")], "bad-plan", &["1_a/metadata.toml"], None);
}

#[test]
fn shapes_that_look_alike() {
    for (files, expected) in [
        (vec![("1_a.sql", TABLE)], Layout::Sqlx),
        (vec![("V1_a.sql", TABLE)], Layout::Native),
        (vec![("V1__a.sql", TABLE)], Layout::Flyway),
        (vec![("V1__a.sql", TABLE), ("V2__b.rs", "")], Layout::Refinery),
        (vec![("db/V1__a.sql", TABLE)], Layout::Flyway),
        (vec![("V1__a.sql", "-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n")], Layout::Native),
        (vec![("1_a.sql", "-- Up\nSELECT 1;\n-- Down\nSELECT 2;\n")], Layout::Native),
        (vec![("1_a.sql", "SELECT 1;\n-- Up to here\n-- Down: nothing\n")], Layout::Sqlx),
        (vec![("1_a.sql", "-- migrate:up\nSELECT 1;\n")], Layout::Dbmate),
        (vec![("V1_a.sql", "-- migrate:up\nSELECT 1;\n")], Layout::Native),
        (vec![("1_a.up.sql", TABLE), ("2_b.sql", TABLE)], Layout::Sqlx),
        (vec![("1_a.up.sql", TABLE), ("2_b.up.go", "")], Layout::GolangMigrate),
        (vec![("20210410175418000026_a.up.sql", TABLE)], Layout::GolangMigrate),
        (vec![("1_a.pg.up.sql", TABLE)], Layout::GolangMigrate),
        (vec![("1_a/up.sql", TABLE), ("dump.sql", TABLE)], Layout::Diesel),
    ] {
        let bytes: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
        assert_eq!(load(&bytes).unwrap().layout, expected, "{files:?}");
    }
}

#[test]
fn pairs_may_begin_with_a_v_and_part_the_name_by_a_dot() {
    let loaded = load(&[("V0002.Add_B.up.sql", b"SELECT 2;"), ("V0001.First.down.sql", b""), ("V0001.First.up.sql", TABLE.as_bytes())]).unwrap();
    let read: Vec<_> = loaded.migrations.iter().map(|m| (m.version.as_str(), m.name.as_str(), m.down.is_some())).collect();
    assert_eq!(read, [("0001", "First", true), ("0002", "Add_B", false)]);
}

#[test]
fn sql_migrate_versions_where_names_do_not_begin_with_digits() {
    let up = b"-- +migrate Up\nSELECT 1;\n".as_slice();
    let versions = |files: &[(&str, &[u8])]| load(files).unwrap().migrations.iter().map(|m| (m.version.to_string(), m.path.clone())).collect::<Vec<_>>();
    let word = versions(&[("app_0010_a.sql", up), ("app_0002_b.sql", up), ("schema.sql", b"SELECT 1;")]);
    assert_eq!(word, [("0002".into(), "app_0002_b.sql".into()), ("0010".into(), "app_0010_a.sql".into())]);
    let place = versions(&[("users.sql", up), ("accounts.sql", up), ("10_x.sql", up), ("9_x.sql", up)]);
    assert_eq!(place.iter().map(|(v, p)| format!("{v} {p}")).collect::<Vec<_>>(), ["1 9_x.sql", "2 10_x.sql", "3 accounts.sql", "4 users.sql"]);
}

#[test]
fn engines_stand_in_the_names_of_folders_and_files() {
    let dir = folder(&[("postgresql/1_a.mysql.up.sql", b""), ("my-sqlite3/sub/1_a.up.sql", b""), ("x/y/1_a.mysql.up.sql", b""), ("x/y/2_b.pg.down.sql", b"")]);
    for (path, expected) in [
        ("postgresql", vec![Engine::Postgres]),
        ("my-sqlite3", vec![Engine::Sqlite]),
        ("my-sqlite3/sub", vec![Engine::Sqlite]),
        ("x/y", vec![Engine::Postgres, Engine::Mysql]),
        ("x", vec![]),
    ] {
        assert_eq!(read::engines_in_names(&dir.path().join(path)), expected, "{path}");
    }
}
