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

#[test]
fn nothing_to_do_is_told_truly() {
    let folder = folder(&[NOTES, ("migrations/V2_more.sql", "-- UP\nCREATE TABLE more (id INTEGER);\n-- DOWN\nDROP TABLE more;\n")]);
    let run = |arguments: &[&str]| {
        let ran = migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:notes.db")]);
        (ran.code, ran.out, ran.err)
    };
    let said = |code: i32, text: &str| (code, text.to_owned(), String::new());
    assert_eq!(run(&["up", "-q", "--to", "1", "--statement-timeout", "0"]).0, 0, "0 is no limit");
    assert_eq!(run(&["up", "--to", "1"]), said(0, "nothing to do: all migrations up to 1 are applied; 1 after it is not\n"));
    assert_eq!(run(&["up", "-q"]).0, 0);
    for arguments in [&["up"][..], &["up", "--to", "1"], &["up", "--to", "2"]] {
        assert_eq!(run(arguments), said(0, "nothing to do: all 2 migrations are applied\n"), "{arguments:?}");
    }
    assert_eq!(run(&["down", "-q", "--steps", "2"]).0, 0);
    assert_eq!(run(&["down"]), said(0, "nothing to undo: no migration is applied\n"));
    let plan = "{\n  \"schema\": 1,\n  \"engine\": \"sqlite\",\n  \"database\": \"notes.db\",\n  \"command\": \"migrate down --steps 1\",\n  \"steps\": [],\n  \
                \"losses\": [],\n  \"blocked\": null\n}\n";
    assert_eq!(run(&["down", "--format", "json"]), said(0, plan));
    assert_eq!(run(&["down", "--compensate"]).0, 2, "nothing is half-done");
    assert_eq!(run(&["down", "--save-lost", "lost"]).0, 2, "how far back?");
}

/// Short migrations share a message to SQLite; one of them that fails takes none of the others along.
#[test]
fn what_fails_among_many_leaves_those_before_it_and_begins_none_after_it() {
    let named = |version: usize, up: &str| (format!("migrations/V{version}_a.sql"), format!("-- UP\n{up}\n-- DOWN\nDROP TABLE t{version};\n"));
    let mut files: Vec<(String, String)> = (1..=6).map(|n| named(n, &format!("CREATE TABLE t{n} (id INTEGER); -- a comment at the end"))).collect();
    files[3] = named(4, "CREATE TABLE t4 (id INTEGER);\nINSERT INTO t4 VALUES (1);\nINSERT INTO nowhere VALUES (1);");
    let folder = folder(&files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>());
    let run = |arguments: &[&str]| migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:many.db")]);
    let history = |run: &dyn Fn(&[&str]) -> super::support::Ran| -> Vec<(String, String, String)> {
        let json: serde_json::Value = serde_json::from_str(&run(&["history", "--format", "json"]).out).expect("JSON");
        let text = |row: &serde_json::Value, key: &str| row[key].as_str().expect("text").to_owned();
        json["history"].as_array().expect("rows").iter().map(|row| (text(row, "version"), text(row, "started_at"), text(row, "ended_at"))).collect()
    };

    let failed = run(&["up"]);
    assert_eq!(failed.code, 6, "{}", failed.err);
    assert!(failed.err.contains("V4_a.sql:4") && failed.err.contains("no such table: nowhere"), "{}", failed.err);
    assert!(failed.err.contains("3 migrations of this run were finished before and stand"), "{}", failed.err);
    let lines: Vec<&str> = failed.out.lines().filter_map(|line| line.split(" (").next()).collect();
    assert_eq!(lines, ["up 1 a", "up 2 a", "up 3 a"]);
    let rows = history(&run);
    assert_eq!(rows.iter().map(|(version, ..)| version.as_str()).collect::<Vec<_>>(), ["1", "2", "3"]);
    assert!(rows.windows(2).all(|pair| pair[0].2 == pair[1].1), "each began when the one before it ended: {rows:?}");

    std::fs::write(folder.path().join("migrations/V4_a.sql"), "-- UP\nCREATE TABLE t4 (id INTEGER);\n-- DOWN\nDROP TABLE t4;\n").expect("a file");
    assert_eq!(run(&["up", "-q"]).code, 0);
    assert_eq!(history(&run).len(), 6);
    assert_eq!(run(&["down", "-q", "--steps", "6"]).code, 0);
    assert_eq!(history(&run).len(), 12);
}

/// Each script finds what it would find if it ran alone.
#[test]
fn what_a_script_sets_or_attaches_ends_with_it() {
    let files = |last: &'static str| {
        let set = "PRAGMA recursive_triggers = ON;\nPRAGMA main.ignore_check_constraints(1);\nPRAGMA case_sensitive_like = 'on';\nATTACH 'beside.db' AS beside;\n\
                   CREATE TEMP TRIGGER refuse BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 'no'); END;";
        folder(&[
            ("migrations/V1_a.sql", "-- UP\nCREATE TABLE t (a INT CHECK (a > 0), b TEXT);\n-- DOWN\nDROP TABLE t;\n"),
            ("migrations/V2_b.sql", &format!("-- UP\n{set}\n-- DOWN\nSELECT 1;\n")),
            (
                "migrations/V3_c.sql",
                "-- UP\nATTACH 'beside.db' AS beside;\nINSERT INTO t VALUES (1, 'A');\nDELETE FROM t WHERE b LIKE 'a';\n-- DOWN\nSELECT 1;\n",
            ),
            ("migrations/V4_d.sql", &format!("-- UP\n{last};\n-- DOWN\nSELECT 1;\n")),
        ])
    };
    let up = |last| migrate_with(files(last).path(), &["up"], &[("DATABASE_URL", "sqlite:notes.db")]);
    let kept = up("INSERT INTO t SELECT 2, 'B' WHERE NOT EXISTS (SELECT 1 FROM t) AND (SELECT recursive_triggers FROM pragma_recursive_triggers) = 0");
    assert_eq!(kept.code, 0, "{}", kept.err);
    let refused = up("INSERT INTO t VALUES (-1, 'C')");
    assert!(refused.code == 6 && refused.err.contains("CHECK constraint failed"), "{} {}", refused.code, refused.err);
}
