//! The copy of a SQLite database that `up` makes before it destroys data: it is what stood just before, or nothing runs.

use super::support::{Ran, folder, migrate_with};
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::{Connection, Row, SqliteConnection};
use std::path::Path;
use tempfile::TempDir;

const MAKE: (&str, &str) = (
    "migrations/V1_make.sql",
    "-- UP\nCREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\nCREATE TABLE gone (code TEXT PRIMARY KEY, n INTEGER);\n\
     -- DOWN\nDROP TABLE gone;\nDROP TABLE users;\n",
);
const DESTROY: (&str, &str) = ("migrations/V2_destroy.sql", "-- UP\nALTER TABLE users DROP COLUMN fax;\nDROP TABLE gone;\n-- DOWN\n-- IRREVERSIBLE: gone\n");

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:shop.db")])
}

/// Asks the file, on a connection that stays open until `then` has run.
fn with(file: &Path, sql: &str, then: impl FnOnce()) -> Vec<String> {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(async {
        let mut link = SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.expect("a connection");
        let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch_all(&mut link).await.expect("rows");
        then();
        link.close().await.expect("closed");
        rows.iter().map(|row| row.try_get_unchecked(0).expect("text")).collect()
    })
}

fn ask(file: &Path, sql: &str) -> Vec<String> {
    with(file, sql, || ())
}

/// A database with rows, before the migration that destroys some; `more` is in `migrate.toml`.
fn filled(more: &str, last: (&str, &str)) -> TempDir {
    let folder = folder(&[MAKE, ("migrate.toml", more)]);
    assert_eq!(run(&folder, &["up"]).code, 0);
    ask(
        &folder.path().join("shop.db"),
        "PRAGMA user_version = 7; INSERT INTO users VALUES (1, 'ann', '111'), (2, 'bob', NULL); INSERT INTO gone VALUES ('x', 3); SELECT 'done'",
    );
    std::fs::write(folder.path().join(last.0), last.1).expect("a file");
    folder
}

fn copies(folder: &Path) -> Vec<std::path::PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect()
}

/// The pins in the history, oldest first, by version and outcome.
fn pins(folder: &TempDir) -> Vec<(String, Value)> {
    let history: Value = serde_json::from_str(&run(folder, &["history", "--format", "json"]).out).expect("JSON");
    let rows = history["history"].as_array().expect("rows").iter().filter(|row| !row["pin"].is_null());
    rows.map(|row| (format!("{} {}", row["version"].as_str().unwrap(), row["outcome"].as_str().unwrap()), row["pin"].clone())).collect()
}

#[test]
fn the_copy_is_what_stood_before() {
    let folder = filled("", DESTROY);
    let database = folder.path().join("shop.db");
    // What was written last stands in the WAL alone: whoever copies the file misses it.
    let ran = std::cell::OnceCell::new();
    with(&database, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; INSERT INTO users VALUES (3, 'cleo', '333'); SELECT 'done'", || {
        ran.set(run(&folder, &["up"])).ok().expect("once");
    });
    let ran = ran.into_inner().expect("it ran");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let [(row, pin)] = &pins(&folder)[..] else { panic!("one pin") };
    let place = &pin["place"];
    let file = Path::new(place["file"].as_str().unwrap());
    assert_eq!(row, "2 done");
    assert!(ran.out.starts_with(&format!("pin 2 destroy: {} ({} bytes)\n", file.display(), place["bytes"])), "{}", ran.out);
    assert_eq!(copies(&folder.path().join("shop.db.migrate-snapshots")), [file.to_owned()], "and nothing beside it");

    let bytes = std::fs::read(file).unwrap();
    assert_eq!((pin["exact"].as_bool(), pin["schema"].as_u64(), place["kind"].as_str()), (Some(true), Some(1), Some("snapshot")));
    assert_eq!(place["sha256"].as_str().unwrap(), hex::encode(Sha256::digest(&bytes)));
    assert_eq!(place["bytes"].as_u64().unwrap(), bytes.len() as u64);
    assert_eq!(place["user_version"].as_i64(), Some(7));
    assert_eq!(place["tables"], serde_json::json!({"gone": 1, "migrate_history": 1, "users": 3}));
    assert_eq!(ask(file, "SELECT id || name || ifnull(fax, '-') FROM users ORDER BY id"), ["1ann111", "2bob-", "3cleo333"]);
    assert_eq!(ask(file, "SELECT code || n FROM gone"), ["x3"]);
    assert_eq!(ask(&database, "SELECT name FROM pragma_table_info('users')"), ["id", "name"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(file), mode(file.parent().unwrap())), (0o600, 0o700), "it holds what the database holds");
    }
}

#[test]
fn without_a_copy_nothing_runs() {
    for (what, settings, blocker, says) in [
        ("no room for its folder", "[pin]\ndirectory = \"taken\"\n", "taken", "2 destroy did not begin, for nothing would bring back what it destroys: "),
        ("no copies wanted", "[pin]\nwhen = \"never\"\n", "", "irreversible and loses data"),
        ("the policy forbids the loss", "[gate]\nloss = \"deny\"\n", "", "irreversible and loses data"),
    ] {
        let folder = filled(settings, DESTROY);
        if !blocker.is_empty() {
            std::fs::write(folder.path().join(blocker), "a file, and no folder").unwrap();
        }
        let database = folder.path().join("shop.db");
        let before = std::fs::read(&database).unwrap();
        let ran = run(&folder, &["up"]);
        assert_eq!(ran.code, 3, "{what}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{what}: {}", ran.err);
        assert_eq!(ask(&database, "SELECT fax FROM users WHERE id = 1"), ["111"], "{what}");
        assert!(before == std::fs::read(&database).unwrap(), "{what}: not a byte was touched");
        assert!(!folder.path().join("shop.db.migrate-snapshots").exists(), "{what}");
    }
}

#[test]
fn a_migration_that_fails_leaves_no_copy() {
    let folder = filled("", ("migrations/V2_destroy.sql", "-- UP\nDROP TABLE gone;\nDROP TABLE nothing;\n-- DOWN\n-- IRREVERSIBLE: gone\n"));
    let ran = run(&folder, &["up"]);
    assert_eq!(ran.code, 6, "{}", ran.err);
    assert_eq!(copies(&folder.path().join("shop.db.migrate-snapshots")), [""; 0].map(std::path::PathBuf::from));
    assert_eq!(pins(&folder).len(), 0);
}

#[test]
fn what_one_transaction_cannot_hold_is_copied_before_its_first_statement() {
    let folder = filled("", ("migrations/V2_destroy.sql", "-- UP\nDROP TABLE gone;\nVACUUM;\n-- DOWN\n-- IRREVERSIBLE: gone\n"));
    let ran = run(&folder, &["up"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let pins = pins(&folder);
    assert_eq!(pins.iter().map(|(row, pin)| (row.as_str(), pin["exact"].as_bool())).collect::<Vec<_>>(), [("2 started", Some(false)), ("2 done", Some(false))]);
    assert_eq!(ask(Path::new(pins[0].1["place"]["file"].as_str().unwrap()), "SELECT code FROM gone"), ["x"]);
}

#[test]
fn what_destroys_nothing_is_not_copied_unless_that_is_wanted() {
    let add = ("migrations/V2_add.sql", "-- UP\nALTER TABLE users ADD COLUMN mail TEXT;\n-- DOWN\nALTER TABLE users DROP COLUMN mail;\n");
    for (settings, count) in [("", 0), ("[pin]\nwhen = \"every\"\n", 1)] {
        let folder = filled(settings, add);
        assert_eq!(run(&folder, &["up"]).code, 0);
        assert_eq!(pins(&folder).len(), count, "{settings}");
    }
}

/// The copy is made before a migration begins; what goes on with one that stopped makes none.
#[test]
fn a_rest_that_was_written_anew_destroys_nothing_without_a_copy() {
    let begun = "-- migrate: no-transaction\n-- UP\nCREATE TABLE a (id INTEGER);\nVACUUM;\n";
    let down = "-- DOWN\nDROP TABLE a;\n";
    let folder = folder(&[
        (
            "migrations/V1_users.sql",
            "-- UP\nCREATE TABLE users (id INTEGER PRIMARY KEY, fax TEXT);\nINSERT INTO users VALUES (1, '1');\n-- DOWN\nDROP TABLE users;\n",
        ),
        ("migrations/V2_more.sql", &format!("{begun}INSERT INTO nowhere VALUES (1);\n{down}")),
    ]);
    let run = |arguments: &[&str]| migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:app.db")]);
    assert_eq!(run(&["up", "-q"]).code, 6);
    std::fs::write(folder.path().join("migrations/V2_more.sql"), format!("{begun}ALTER TABLE users DROP COLUMN fax;\n{down}")).expect("a file");
    let finished = run(&["up", "--finish"]);
    assert_eq!(finished.code, 3, "{}", finished.err);
    assert!(finished.err.contains("irreversible and loses data"), "{}", finished.err);
    assert_eq!(run(&["up", "--compensate"]).code, 0, "the other way on is open");
}

/// What a later part of a script fails at leaves the copy of what an earlier one destroyed.
#[test]
fn the_copy_stays_where_a_later_part_fails() {
    let folder = folder(&[
        ("migrations/V1_gone.sql", "-- UP\nCREATE TABLE gone (id INTEGER PRIMARY KEY);\nINSERT INTO gone VALUES (1);\n-- DOWN\nDROP TABLE gone;\n"),
        ("migrations/V2_drop.sql", "-- UP\nDROP TABLE gone;\nVACUUM;\nINSERT INTO nowhere VALUES (1);\n-- DOWN\n-- IRREVERSIBLE: gone\n"),
    ]);
    let run = |arguments: &[&str]| migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:app.db")]);
    assert_eq!(run(&["up", "-q", "--to", "1"]).code, 0);
    let failed = run(&["up", "-q"]);
    assert_eq!(failed.code, 6, "{}", failed.err);
    let copies = std::fs::read_dir(folder.path().join("app.db.migrate-snapshots")).expect("a folder");
    let copies: Vec<_> = copies.map(|copy| copy.expect("an entry").path()).collect();
    assert_eq!(copies.len(), 1, "{copies:?}");
    assert_eq!(ask(&copies[0], "SELECT count(*) || '' FROM gone"), ["1"]);
}
