//! SQLite, from the copy that `up` made.

use super::{bash, migrated, script};
use crate::support::{Database, database, missing};
use std::path::Path;
use unmigrate::engine::Engine;

const MAKE: &str = "-- UP
CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT, \"odd 'name\" TEXT);
CREATE TABLE gone (code TEXT, part INTEGER, n INTEGER, PRIMARY KEY (code, part)) WITHOUT ROWID;
CREATE INDEX gone_n ON gone (n);
CREATE TABLE prices (id INTEGER PRIMARY KEY, amount NUMERIC);
CREATE TABLE log (line TEXT);
CREATE TRIGGER users_log AFTER UPDATE ON users BEGIN INSERT INTO log VALUES ('changed ' || new.id); END;
-- DOWN
DROP TABLE log; DROP TABLE prices; DROP TABLE gone; DROP TABLE users;
";

/// A dropped column, a dropped table, a lossy type change, deleted rows.
const DESTROY: &str = "-- UP
ALTER TABLE users DROP COLUMN fax;
ALTER TABLE users DROP COLUMN \"odd 'name\";
DROP TABLE gone;
CREATE TABLE prices_new (id INTEGER PRIMARY KEY, amount INTEGER);
INSERT INTO prices_new SELECT id, CAST(amount AS INTEGER) FROM prices WHERE id < 4;
DROP TABLE prices;
ALTER TABLE prices_new RENAME TO prices;
-- DOWN
-- IRREVERSIBLE: gone
";

/// A database that lost something, with what was written since; `None` where there is no shell for it.
fn damaged() -> Option<(tempfile::TempDir, Database)> {
    if std::process::Command::new("sqlite3").arg("-version").output().is_err() {
        missing("sqlite3", "the proofs of `recover` on SQLite");
        return None;
    }
    let (folder, database) = (tempfile::tempdir().expect("a folder"), database(Engine::Sqlite).expect("it is linked in"));
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("migrations/V1_make.sql"), MAKE).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    for sql in [
        "PRAGMA journal_mode = WAL",
        "INSERT INTO users VALUES (1, 'ann', '111', 'a'), (2, 'bob', '222', 'b'), (3, 'cleo', NULL, 'c')",
        "INSERT INTO gone VALUES ('x', 1, 10), ('x', 2, 20), ('it''s', 1, NULL)",
        "INSERT INTO prices VALUES (1, 1.25), (2, 2.5), (3, 3), (4, 4.75)",
    ] {
        database.execute(sql);
    }
    std::fs::write(folder.path().join("migrations/V2_destroy.sql"), DESTROY).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    for sql in [
        "INSERT INTO users VALUES (4, 'dora')",
        "UPDATE users SET name = 'anna' WHERE id = 1",
        "DELETE FROM users WHERE id = 2",
        "UPDATE prices SET amount = 77 WHERE id = 2",
        "INSERT INTO prices VALUES (9, 9)",
    ] {
        database.execute(sql);
    }
    Some((folder, database))
}

/// What a repair without a loss leaves.
fn assert_repaired(database: &Database) {
    let users = "SELECT id || name || ifnull(fax, '-') || ifnull(\"odd 'name\", '-') FROM users ORDER BY id";
    assert_eq!(database.query(users), ["1anna111a", "3cleo-c", "4dora--"], "the old values, the new rows, and no row that was deleted since");
    assert_eq!(database.query("SELECT code || part || ifnull(n, '-') FROM gone ORDER BY 1"), ["it's1-", "x110", "x220"]);
    let prices = "SELECT id || ':' || amount || ':' || ifnull(amount__before_2, '-') FROM prices ORDER BY id";
    assert_eq!(database.query(prices), ["1:1:1.25", "2:77:2.5", "3:3:-", "4:4.75:-", "9:9:-"], "no newer value is written over");
    assert_eq!(database.query("SELECT line FROM log"), ["changed 1"], "the repair is no application");
    assert_eq!(database.query("SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY name"), ["gone_n", "users_log"]);
}

#[test]
fn the_printed_repair_brings_back_what_is_lost_and_loses_nothing() {
    let Some((folder, database)) = damaged() else { return };
    let runbook = migrated(folder.path(), &database.url, &["recover", "2", "--format", "markdown"]);
    assert!(!runbook.contains("unproved"), "{runbook}");
    let all = script(&runbook, "Clean-up");
    let ran = bash(folder.path(), &all);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    for line in ["column users.fax: 2 of 2 found", "table gone: 3 of 3 found", "values prices.amount: 2 of 2 found", "rows prices: 4 of 4 found", "sound"] {
        let line = line.replace("column users.fax: 2 of 2", "column users.fax: 1 of 1");
        assert!(ran.out.lines().any(|out| out == line), "{line}: {}", ran.out);
    }
    assert_repaired(&database);
    assert_ne!(bash(folder.path(), &all).code, 0, "a second run is refused");
    assert_repaired(&database);
}

#[test]
fn the_repair_that_is_executed_is_the_same() {
    let Some((folder, database)) = damaged() else { return };
    let said = migrated(folder.path(), &database.url, &["recover", "2", "--execute"]);
    assert!(said.contains("table gone: 3 brought back;") && said.ends_with("write a migration that says what stands now\n"), "{said}");
    assert_repaired(&database);
    let said = migrated(folder.path(), &database.url, &["recover", "2", "--execute"]);
    assert!(said.starts_with("nothing of ") && said.ends_with(" is missing in the database\n"), "{said}");
}

/// A comparison of nothing with nothing is no proof: without the repair, no verification goes through.
#[test]
fn verification_fails_where_nothing_came_back() {
    let Some((folder, database)) = damaged() else { return };
    let runbook = migrated(folder.path(), &database.url, &["recover", "2", "--format", "markdown"]);
    let (_, verification) = runbook.split_once("\n## Verification\n").expect("the section");
    let blocks = verification.split_once("\n## Clean-up\n").expect("the section").0.split("```sh\n").skip(1);
    let (mut failed, mut went) = (0, 0);
    for block in blocks.map(|rest| rest.split_once("\n```\n").expect("the block's end").0) {
        match bash(folder.path(), &format!("set -euo pipefail\n{block}")).code {
            0 => went += 1,
            _ => failed += 1,
        }
    }
    assert_eq!((failed, went), (5, 1), "only `the database is sound` holds");
}

#[test]
fn the_whole_comes_back_as_it_stood_and_the_damaged_one_is_kept() {
    let Some((folder, database)) = damaged() else { return };
    let file = database.url.strip_prefix("sqlite:").unwrap().to_owned();
    let runbook = migrated(folder.path(), &database.url, &["recover", "2", "--route", "whole", "--format", "markdown"]);
    // An application that has not gone leaves a -wal beside the file, which must not be played over what is restored.
    let script = script(&runbook, "Clean-up");
    let held = format!("exec 3> >(sqlite3 {file} >/dev/null); echo 'PRAGMA wal_autocheckpoint = 0; INSERT INTO users VALUES (5, 5);' >&3; sleep 0.5\n{script}");
    let ran = bash(folder.path(), &held);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert_eq!(database.query("SELECT id || name || ifnull(fax, '-') FROM users ORDER BY id"), ["1ann111", "2bob222", "3cleo-"], "to exactly the pin");
    assert_eq!(database.query("SELECT amount FROM prices ORDER BY id"), ["1.25", "2.5", "3", "4.75"]);
    let kept = Database::at(Engine::Sqlite, format!("{}.damaged-2", database.url));
    assert_eq!(kept.query("SELECT name FROM users WHERE id IN (4, 5) ORDER BY id"), ["dora", "5"], "what was written since is kept beside");
    assert!(migrated(folder.path(), &database.url, &["status"]).contains("1 applied, 1 pending"));
}

/// Rows and values that foreign keys take with them come back as well; where a key is written over, no old row is taken for another one's.
#[test]
fn what_goes_along_comes_back_and_a_key_that_is_written_over_leads_nowhere() {
    let Some((folder, database)) = damaged() else { return };
    let make = "-- UP
CREATE TABLE owners (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE pets (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owners (id) ON DELETE CASCADE);
CREATE TABLE toys (id INTEGER PRIMARY KEY, pet INTEGER REFERENCES pets (id) ON DELETE CASCADE);
CREATE TABLE visits (id INTEGER PRIMARY KEY, owner INTEGER REFERENCES owners (id) ON DELETE SET NULL);
CREATE TABLE shifts (id INTEGER PRIMARY KEY, who TEXT);
CREATE TABLE slots (id INTEGER PRIMARY KEY, what TEXT);
-- DOWN
DROP TABLE slots; DROP TABLE shifts; DROP TABLE visits; DROP TABLE toys; DROP TABLE pets; DROP TABLE owners;
";
    std::fs::write(folder.path().join("migrations/V3_make.sql"), make).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    for sql in [
        "INSERT INTO owners VALUES (1, 'a'), (2, 'b'), (3, 'c')",
        "INSERT INTO pets VALUES (10, 1), (11, 2), (12, 3)",
        "INSERT INTO toys VALUES (100, 10), (101, 12)",
        "INSERT INTO visits VALUES (1, 1), (2, 3)",
        "INSERT INTO shifts VALUES (1, 'x'), (2, 'y'), (3, 'z')",
        "INSERT INTO slots VALUES (1, 'i'), (2, 'j')",
    ] {
        database.execute(sql);
    }
    let destroy = "-- UP\nDELETE FROM owners WHERE id < 3;\nUPDATE shifts SET id = id - 1;\nCREATE TABLE slots_new (id INTEGER PRIMARY KEY, what TEXT);\n\
                   INSERT INTO slots_new SELECT id + 1, what FROM slots;\nDROP TABLE slots;\nALTER TABLE slots_new RENAME TO slots;\n-- DOWN\n-- IRREVERSIBLE: gone\n";
    std::fs::write(folder.path().join("migrations/V4_destroy.sql"), destroy).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    assert_eq!(database.query("SELECT id FROM pets UNION ALL SELECT id FROM toys"), ["12", "101"], "they went along");
    database.execute("INSERT INTO owners VALUES (2, 'newer')");
    let runbook = migrated(folder.path(), &database.url, &["recover", "4", "--format", "markdown"]);
    assert!(!runbook.contains("unproved"), "{runbook}");
    let ran = bash(folder.path(), &script(&runbook, "Clean-up"));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{runbook}{}", ran.out);
    assert_eq!(database.query("SELECT id || name || ifnull(name__before_4, '-') FROM owners ORDER BY id"), ["1a-", "2newerb", "3c-"]);
    assert_eq!(database.query("SELECT id || ':' || owner FROM pets ORDER BY id"), ["10:1", "11:2", "12:3"]);
    assert_eq!(database.query("SELECT id || ':' || pet FROM toys ORDER BY id"), ["100:10", "101:12"]);
    let visits = "SELECT id || ':' || ifnull(owner, '-') || ':' || ifnull(owner__before_4, '-') FROM visits ORDER BY id";
    assert_eq!(database.query(visits), ["1:-:1", "2:3:-"]);
    assert_eq!(database.query("SELECT id || who FROM shifts ORDER BY id"), ["0x", "1y", "2z"], "nothing is filled in by such a key");
    assert_eq!(database.query("SELECT id || who FROM shifts__before_4 ORDER BY id"), ["1x", "2y", "3z"], "the old rows stand beside");
    assert_eq!(database.query("SELECT id || what FROM slots ORDER BY id"), ["2i", "3j"], "nor by one that a rebuild wrote over");
    assert_eq!(database.query("SELECT id || what FROM slots__before_4 ORDER BY id"), ["1i", "2j"]);
    assert_eq!(database.query("PRAGMA foreign_key_check"), [] as [&str; 0]);
}

/// What a later migration took away on purpose stays away, and so does what belongs to a full-text index.
#[test]
fn what_went_later_is_not_brought_back() {
    let Some((folder, database)) = damaged() else { return };
    let later = "-- UP\nALTER TABLE users DROP COLUMN name;\nDROP TABLE log;\nDROP TABLE words;\nALTER TABLE prices DROP COLUMN amount;\n-- DOWN\n-- IRREVERSIBLE: gone\n";
    database.execute("DROP TRIGGER users_log");
    std::fs::write(folder.path().join("migrations/V3_words.sql"), "-- UP\nCREATE VIRTUAL TABLE words USING fts5(word);\nDELETE FROM users WHERE id = 3;\n")
        .unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    std::fs::write(folder.path().join("migrations/V4_later.sql"), later).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    for (version, expected) in [("2", &["column users.fax", "column users.odd 'name", "table gone", "rows prices"][..]), ("3", &["rows users"])] {
        let runbook = migrated(folder.path(), &database.url, &["recover", version, "--format", "json"]);
        let runbook: serde_json::Value = serde_json::from_str(&runbook).expect("JSON");
        let facts = runbook["facts"].as_array().unwrap().iter().filter(|fact| fact["what"] == "lost");
        let lost: Vec<&str> = facts.map(|fact| fact["value"].as_str().unwrap().split(':').next().unwrap()).collect();
        assert_eq!(lost, expected, "{version}");
    }
    migrated(folder.path(), &database.url, &["recover", "2", "--execute"]);
    assert_eq!(database.query("SELECT name FROM pragma_table_info('users')"), ["id", "fax", "odd 'name"]);
    assert_eq!(database.query("SELECT name FROM sqlite_schema WHERE name IN ('log', 'words') OR name LIKE 'words%'"), [] as [&str; 0]);
}

/// Where DOWN brings back all that UP took, it is the first way that leads there; the whole is restored only where that is asked for.
#[test]
fn down_is_the_first_way_back() {
    let Some((folder, database)) = damaged() else { return };
    std::fs::write(folder.path().join("migrate.toml"), "[pin]\nwhen = \"every\"\n").unwrap();
    let add = "-- UP\nALTER TABLE users ADD COLUMN mail TEXT;\n-- DOWN\nALTER TABLE users DROP COLUMN mail;\n";
    std::fs::write(folder.path().join("migrations/V3_add.sql"), add).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    let whole = migrated(folder.path(), &database.url, &["recover", "3", "--route", "whole"]);
    assert!(whole.contains("\n  > restore the whole: ") && whole.contains("\n# Commands\n"), "{whole}");
    let runbook = migrated(folder.path(), &database.url, &["recover", "3", "--format", "markdown"]);
    let program = Path::new(env!("CARGO_BIN_EXE_migrate")).parent().unwrap().display().to_string();
    let paths = format!("export PATH={program}:\"$PATH\" DATABASE_URL={}\n", database.url);
    let ran = bash(folder.path(), &format!("{paths}{}", script(&runbook, "Clean-up")));
    assert_eq!((ran.code, ran.out.lines().last()), (0, Some("1 migration undone")), "{runbook}\n{}{}", ran.out, ran.err);
    assert_eq!(database.query("SELECT name FROM pragma_table_info('users')"), ["id", "name"]);
    let undone = migrated(folder.path(), &database.url, &["recover", "3"]);
    assert!(undone.contains("\n  - DOWN: it is undone already\n"), "{undone}");
    // What is lost is not what DOWN brings back.
    let lost = migrated(folder.path(), &database.url, &["recover", "2"]);
    assert!(lost.contains("\n  > selective repair: ") && lost.contains("\n  - DOWN: 2 destroy cannot be undone without loss of data"), "{lost}");
}

#[test]
fn a_copy_that_was_altered_is_refused() {
    let Some((folder, database)) = damaged() else { return };
    let file = database.url.strip_prefix("sqlite:").unwrap();
    let copy = std::fs::read_dir(Path::new(&format!("{file}.migrate-snapshots"))).unwrap().next().unwrap().unwrap().path();
    let whole = std::fs::read(&copy).unwrap();
    let mut altered = whole.clone();
    let at = altered.windows(3).position(|three| three == b"111").expect("the number stands in it");
    altered[at] = b'9';
    for (what, bytes) in [("a value changed", Some(&altered[..])), ("cut", Some(&whole[..whole.len() / 2])), ("empty", Some(&[])), ("gone", None)] {
        match bytes {
            Some(bytes) => std::fs::write(&copy, bytes).unwrap(),
            None => std::fs::remove_file(&copy).unwrap(),
        }
        for arguments in [&["recover", "2"][..], &["recover", "2", "--execute"]] {
            let ran = super::migrate(folder.path(), &database.url, arguments);
            assert_eq!(ran.code, 4, "{what}: {}{}", ran.out, ran.err);
        }
        assert_eq!(database.query("SELECT name FROM pragma_table_info('users')"), ["id", "name"], "{what}: nothing was touched");
    }
}
