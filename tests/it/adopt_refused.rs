//! What `adopt` refuses, and what it says then. Each begins with a database that another tool left in order.

use super::adopt::{project, query, run};
use std::fs;

type Case = (&'static str, &'static str, &'static str, &'static [&'static str]);

/// What is wrong, the tool, what is done to its database, and to its files: `path` is removed, `path = text` is written.
#[rustfmt::skip]
const WRONG: [(Case, &[&str]); 16] = [
    (("sqlx left one half-applied",      "sqlx",           "UPDATE _sqlx_migrations SET success = 0 WHERE version = 20240117120000", &[]), &[]),
    (("golang-migrate is dirty",         "golang-migrate", "UPDATE schema_migrations SET dirty = 1", &[]), &[]),
    (("Flyway failed",                   "flyway",         "UPDATE flyway_schema_history SET success = 0 WHERE installed_rank = 5", &[]), &[]),
    (("Prisma did not finish",           "prisma",         "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%notes'", &[]), &[]),
    (("a file was edited, sqlx",         "sqlx",           "", &["20240117120000_create_notes.up.sql = CREATE TABLE notes (id INTEGER);"]), &[]),
    (("a file was edited, refinery",     "refinery",       "", &["V1__create_users.sql = SELECT 1;", "V3__create_notes.sql = SELECT 1;"]), &["--layout", "refinery"]),
    (("a file was edited, Flyway",       "flyway",         "", &["V3__create_notes.sql = CREATE TABLE notes (id INTEGER);"]), &[]),
    (("a file was edited, Prisma",       "prisma",         "", &["20240117120000_create_notes/migration.sql = SELECT 1;"]), &[]),
    (("a file is gone",                  "dbmate",         "", &["20240116110000_drop_nickname.sql"]), &[]),
    (("two histories",                   "goose",          "CREATE TABLE old_versions (version TEXT PRIMARY KEY, run_on TEXT)", &[]), &[]),
    (("no history",                      "goose",          "DROP TABLE goose_db_version", &[]), &[]),
    (("not that tool's",                 "goose",          "", &[]), &["--from", "sqlx"]),
    (("no tool",                         "goose",          "", &[]), &["--from", "liquibase"]),
    (("another layout",                  "refinery",       "", &[]), &["--layout", "flyway"]),
    (("a baseline that no file has",     "goose",          "DROP TABLE goose_db_version", &[]), &["--baseline", "7"]),
    (("a baseline of an empty database", "goose",          "DROP TABLE goose_db_version; DROP TABLE users; DROP TABLE notes", &[]), &["--baseline", "00003"]),
];

#[test]
fn what_does_not_fit_is_refused_and_nothing_is_written() {
    let mut told = String::new();
    for ((what, tool, sql, files), arguments) in WRONG {
        let folder = project(tool);
        query(folder.path(), sql);
        for file in files {
            let path = |name: &str| folder.path().join("migrations").join(name);
            match file.split_once(" = ") {
                Some((name, text)) => fs::write(path(name), text).unwrap(),
                None => fs::remove_file(path(file)).unwrap(),
            }
        }
        let ran = run(folder.path(), &[&["adopt"], arguments].concat());
        assert_eq!(ran.out, "", "{what}");
        assert_eq!(query(folder.path(), "SELECT name FROM sqlite_schema WHERE name LIKE 'migrate%'"), Vec::<String>::new(), "{what}");
        told.push_str(&format!("# {what}\n{}exit {}\n\n", ran.err, ran.code));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn of_two_histories_one_is_chosen_by_tool_or_by_table() {
    for choice in [&["--from", "goose"], &["--table", "GOOSE_DB_VERSION"]] {
        let folder = project("goose");
        query(folder.path(), "CREATE TABLE old_versions (version TEXT PRIMARY KEY, run_on TEXT)");
        let ran = run(folder.path(), &[&["adopt"], &choice[..]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

#[test]
fn what_has_run_with_migrate_is_no_others_any_more() {
    let folder = project("goose");
    assert_eq!(run(folder.path(), &["adopt"]).code, 0);
    query(folder.path(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, 1)");
    let ran = run(folder.path(), &["adopt"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, ""));
    assert!(ran.err.starts_with("error: migrate_history holds a history already, and 00004 index_notes does not stand in it"), "{}", ran.err);
}

#[test]
fn what_is_left_out_or_late_is_named() {
    let folder = project("goose");
    query(folder.path(), "DELETE FROM goose_db_version WHERE version_id = 2; INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1)");
    fs::write(folder.path().join("migrations/00005_fill.go"), "package migrations\n").unwrap();
    let ran = run(folder.path(), &["adopt", "-q"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "quiet");
    let folder = project("flyway");
    query(
        folder.path(),
        "INSERT INTO flyway_schema_history VALUES (6, NULL, 'view', 'SQL', 'R__view.sql', 7, '', '2024-01-20', 3, 1); \
         DELETE FROM flyway_schema_history WHERE version = '2'",
    );
    let ran = run(folder.path(), &["adopt"]);
    let expected = "warning: 1 row of repeatable scripts is left out: they are not run here\n\
                    warning: V2__drop_nickname.sql has not run, and a later one has; `up` runs it with `--out-of-order`\n";
    assert_eq!((ran.code, ran.err.as_str()), (0, expected));
    assert_eq!(run(folder.path(), &["up"]).code, 4, "it is out of order");
}

#[test]
fn below_flyways_baseline_everything_stands() {
    let folder = project("flyway");
    query(
        folder.path(),
        "DELETE FROM flyway_schema_history; INSERT INTO flyway_schema_history VALUES (1, '2', 'base', 'BASELINE', 'base', NULL, '', '2024-01-20', 3, 1)",
    );
    let ran = run(folder.path(), &["adopt"]);
    assert!(ran.code == 0 && ran.out.contains("\n2 migrations recorded in migrate_history"), "{}{}", ran.out, ran.err);
}

#[test]
fn all_of_it_is_recorded_or_nothing() {
    let folder = project("sqlx");
    assert_eq!(run(folder.path(), &["adopt"]).code, 0);
    let full = "CREATE TRIGGER full BEFORE INSERT ON migrate_history WHEN new.seq = 3 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END";
    query(folder.path(), &format!("DELETE FROM migrate_history; {full}"));
    let ran = run(folder.path(), &["adopt", "-q"]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "error: recording what stands: the disk is full\n"));
    assert_eq!(query(folder.path(), "SELECT version FROM migrate_history"), Vec::<String>::new());
}
