//! Databases in the hands of other tools, from the first day on: `init`, `check`, `adopt`, `status`, `up`, `down`. Each stands in
//! `fixtures/adopt`, made by the tool itself where that can be had.

use super::support::{Ran, migrate_with, root};
use serde_json::Value;
use sqlx::Connection as _;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// A tool, its history's table, the versions of its files, and whether these have a DOWN.
#[rustfmt::skip]
const TOOLS: [(&str, &str, [&str; 4], bool); 9] = [
    ("sqlx",           "_sqlx_migrations",           STAMPS,                                                              true),
    ("golang-migrate", "schema_migrations",          ["000001", "000002", "000003", "000004"],                            true),
    ("diesel",         "__diesel_schema_migrations", [STAMPS[0], STAMPS[1], "20240117120000-0000", "20240118130000-0000"], true),
    ("dbmate",         "schema_migrations",          STAMPS,                                                              true),
    ("goose",          "goose_db_version",           ["00001", "00002", "00003", "00004"],                                true),
    ("refinery",       "refinery_schema_history",    NUMBERS,                                                             false),
    ("flyway",         "flyway_schema_history",      NUMBERS,                                                             true),
    ("sql-migrate",    "gorp_migrations",            STAMPS,                                                              true),
    ("prisma",         "_prisma_migrations",         STAMPS,                                                              false),
];
const STAMPS: [&str; 4] = ["20240115100000", "20240116110000", "20240117120000", "20240118130000"];
const NUMBERS: [&str; 4] = ["1", "2", "3", "4"];

/// A project with its database, as the tool left them.
pub(crate) fn project(tool: &str) -> TempDir {
    let (from, folder) = (root().join("fixtures/adopt").join(tool), tempfile::tempdir().expect("a folder"));
    for (path, text) in texts(&from.join("migrations")) {
        let path = folder.path().join("migrations").join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    query(folder.path(), &fs::read_to_string(from.join("sqlite.sql")).expect("a dump"));
    folder
}

/// All files below `folder`.
pub(crate) fn texts(folder: &Path) -> BTreeMap<String, String> {
    let (mut texts, mut todo) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                todo.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").display().to_string();
                texts.insert(name, fs::read_to_string(path).expect("text"));
            }
        }
    }
    texts
}

/// Runs SQL on the project's database, and gives the first column of the rows.
pub(crate) fn query(folder: &Path, sql: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("app.db")).create_if_missing(true);
        let mut link = sqlx::SqliteConnection::connect_with(&options).await.expect("a connection");
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut link).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        link.close().await.expect("a goodbye");
        rows.iter().map(|row| sqlx::Row::try_get_unchecked::<Option<String>, _>(row, 0).expect("text").unwrap_or_default()).collect()
    })
}

/// A table with its definition, every cell as a literal.
fn dump(folder: &Path, table: &str) -> Vec<String> {
    let columns = query(folder, &format!("SELECT name FROM pragma_table_info('{table}')"));
    let cells = columns.iter().map(|column| format!("quote(\"{column}\")")).collect::<Vec<_>>().join(" || '|' || ");
    let mut dump = query(folder, &format!("SELECT sql FROM sqlite_schema WHERE tbl_name = '{table}' ORDER BY name"));
    dump.extend(query(folder, &format!("SELECT {cells} FROM \"{table}\" ORDER BY 1")));
    dump
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Ran {
    migrate_with(folder, arguments, &[("DATABASE_URL", "sqlite:app.db")])
}

#[track_caller]
fn done(folder: &Path, arguments: &[&str]) -> String {
    let ran = run(folder, arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.err);
    ran.out
}

#[track_caller]
fn json(folder: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&done(folder, &[arguments, &["--format", "json"]].concat())).expect("JSON")
}

#[test]
fn each_tools_database_is_taken_over() {
    for (tool, table, versions, has_down) in TOOLS {
        let folder = project(tool);
        let folder = folder.path();
        let (files, theirs) = (texts(&folder.join("migrations")), dump(folder, table));
        let rows = theirs.len();
        assert!(rows > 1, "{tool}: {theirs:?}");

        // Of files that look alike, those of the other tool are the more frequent ones.
        let alike = matches!(tool, "golang-migrate" | "refinery");
        let named = ["init", "--layout", tool];
        let init = json(folder, if alike { &named } else { &named[..1] });
        assert_eq!((init["layout"].as_str(), init["from"].as_str()), (Some(tool), Some(versions[2])), "{tool}: {init}");
        assert_eq!(init["summary"]["irreversible"], if has_down { 1 } else { 4 }, "{tool}: {init}");
        let check = json(folder, &["check"]);
        let judged: Vec<&str> = check["migrations"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
        assert_eq!(judged, versions[2..], "{tool}");

        let adopted = json(folder, &["adopt"]);
        let field = |name: &str| adopted["adopted"].as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect::<Vec<_>>();
        assert_eq!(field("version"), versions[..3], "{tool}");
        let keeps_checksums = matches!(tool, "sqlx" | "refinery" | "flyway" | "prisma");
        assert_eq!(field("file"), [if keeps_checksums { "as-it-ran" } else { "no-checksum" }; 3], "{tool}");
        let down = if has_down { "reversible" } else { "irreversible" };
        assert_eq!(field("verdict"), [down, "irreversible", down], "{tool}");
        assert_eq!((adopted["from"]["tool"].as_str(), adopted["from"]["table"].as_str()), (Some(tool), Some(table)));
        assert_eq!(done(folder, &["adopt"]), "nothing to do: migrate_history holds all of it already\n", "{tool}");

        let states = |folder: &Path| -> Vec<String> {
            json(folder, &["status"])["migrations"].as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(states(folder), ["adopted", "adopted", "adopted", "pending"], "{tool}");
        let stored = "SELECT down_text FROM migrate_history ORDER BY seq";
        assert_eq!(query(folder, stored)[2].contains("DROP TABLE notes"), has_down, "{tool}: the way back travels with the database");

        done(folder, &["up"]);
        assert_eq!(states(folder), ["adopted", "adopted", "adopted", "applied"], "{tool}");
        let indexes = "SELECT count(*) FROM sqlite_schema WHERE name = 'notes_user'";
        assert_eq!(query(folder, indexes), ["1"], "{tool}");
        let back = run(folder, &["down", "--steps", "2"]);
        if has_down {
            // What another tool ran goes back as what we ran does.
            assert_eq!(back.code, 0, "{tool}: {}{}", back.out, back.err);
            assert_eq!(states(folder), ["adopted", "adopted", "pending", "pending"], "{tool}");
            done(folder, &["up", "--to", versions[2]]);
            assert_eq!(states(folder), ["adopted", "adopted", "applied", "pending"], "{tool}: that one we ran");
            done(folder, &["down", "--steps", "1"]);
            assert_eq!(query(folder, "SELECT name FROM sqlite_schema WHERE name IN ('users', 'notes', 'notes_user')"), ["users"], "{tool}");
            let wall = run(folder, &["down", "--steps", "1"]);
            assert_eq!(wall.code, 3, "{tool}: {}", wall.out);
            assert!(wall.err.contains("cannot be undone without loss of data"), "{tool}: {}", wall.err);
        } else {
            assert_eq!(back.code, 3, "{tool}: {}", back.out);
            assert!(back.err.contains("has no DOWN"), "{tool}: {}", back.err);
        }
        let ways = query(folder, "SELECT version || ' ' || direction || ' ' || outcome FROM migrate_history ORDER BY seq");
        let up = versions.iter().map(|version| format!("{version} up done"));
        let [_, _, third, fourth] = versions;
        let back = [(fourth, "down"), (third, "down"), (third, "up"), (third, "down")].map(|(version, way)| format!("{version} {way} done"));
        assert_eq!(ways, up.chain(back.into_iter().filter(|_| has_down)).collect::<Vec<_>>(), "{tool}");
        let notes = query(folder, "SELECT coalesce(note, '') FROM migrate_history ORDER BY seq");
        assert!(notes[..3].iter().all(|note| note.starts_with(&format!("adopted from {tool} ({table})"))) && notes[3].is_empty(), "{tool}: {notes:?}");

        assert_eq!(dump(folder, table), theirs, "{tool} finds its own table as it left it");
        assert_eq!(texts(&folder.join("migrations")), files, "{tool}: no old file is edited");
    }
}

#[test]
fn what_it_says_fits_into_eighty_columns_and_machines_get_json() {
    let mut told = String::new();
    for format in ["text", "json"] {
        let folder = project("flyway");
        for arguments in [&["init"][..], &["adopt"]] {
            let out = done(folder.path(), &[arguments, &["--format", format]].concat());
            assert!(format == "json" || out.lines().all(|line| line.chars().count() <= 80), "{out}");
            let out = serde_json::from_str::<Value>(&out).map_or(out, |value| format!("{value:#}\n"));
            told.push_str(&format!("$ migrate {}\n{out}\n", arguments.join(" ")));
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_history_is_known_by_its_columns_not_by_its_name() {
    for (tool, table, versions, _) in TOOLS {
        let folder = project(tool);
        query(folder.path(), &format!("ALTER TABLE \"{table}\" RENAME TO \"the versions\""));
        let adopted = json(folder.path(), &["adopt"]);
        assert_eq!((adopted["from"]["tool"].as_str(), adopted["from"]["table"].as_str()), (Some(tool), Some("the versions")));
        assert_eq!(adopted["adopted"].as_array().unwrap().len(), versions[..3].len(), "{tool}");
    }
}

#[test]
fn what_was_applied_last_is_undone_first_whatever_its_version() {
    let folder = project("sqlx");
    query(folder.path(), "UPDATE _sqlx_migrations SET installed_on = '2020-01-01 00:00:00' WHERE version = 20240117120000");
    let adopted = json(folder.path(), &["adopt"]);
    let versions: Vec<&str> = adopted["adopted"].as_array().unwrap().iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, [STAMPS[2], STAMPS[0], STAMPS[1]]);
    let down = run(folder.path(), &["down", "--steps", "1"]);
    assert!(down.code == 3 && down.err.contains("20240116110000"), "{}", down.err);
}

#[test]
fn a_checkout_with_other_line_ends_is_the_same_file() {
    for tool in ["sqlx", "refinery", "flyway", "prisma"] {
        let folder = project(tool);
        for (path, text) in texts(&folder.path().join("migrations")) {
            fs::write(folder.path().join("migrations").join(path), text.replace('\n', "\r\n")).unwrap();
        }
        let adopted = json(folder.path(), &["adopt", "--layout", tool]);
        // Flyway leaves line ends out of its checksum.
        let expected = if tool == "flyway" { "as-it-ran" } else { "other-line-ends" };
        assert_eq!(adopted["adopted"].as_array().unwrap().iter().map(|one| one["file"].as_str().unwrap()).collect::<Vec<_>>(), [expected; 3], "{tool}");
    }
}

#[test]
fn a_baseline_stands_on_the_users_word() {
    let folder = project("dbmate");
    query(folder.path(), "DROP TABLE schema_migrations");
    let none = run(folder.path(), &["adopt"]);
    assert!(none.code == 2 && none.err.contains("`migrate adopt --baseline VERSION`"), "{}", none.err);
    let said = done(folder.path(), &["adopt", "--baseline", "20240117120000"]);
    assert!(said.contains("a baseline up to 20240117120000; nothing was compared\n") && said.contains("\n3 migrations recorded"), "{said}");
    assert_eq!(done(folder.path(), &["adopt", "--baseline", "20240117120000"]), "nothing to do: migrate_history holds all of it already\n");
    query(folder.path(), "CREATE TABLE old_versions (version TEXT PRIMARY KEY)");
    let other = run(folder.path(), &["adopt", "--baseline", "20240117120000"]);
    assert_eq!((other.code, other.err.as_str()), (0, "warning: old_versions looks like a history of dbmate, and was not asked\n"));
    let more = run(folder.path(), &["adopt", "--baseline", "20240118130000"]);
    assert!(more.code == 4 && more.err.contains("holds a history already"), "{}", more.err);
    done(folder.path(), &["up"]);
    done(folder.path(), &["down", "--steps", "2"]);
}
