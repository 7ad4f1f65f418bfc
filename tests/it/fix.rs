//! `migrate check --fix` as a user runs it: what it shows, what it writes, and what it leaves alone.

use super::support::{folder, migrate};
use std::path::Path;

const TABLE: &str = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n";
const INDEX: &str = "CREATE INDEX idx_notes_text ON notes (text);\n";

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
}

#[test]
fn fix_shows_the_difference_and_writes_nothing_unless_told() {
    let files = [
        ("V1_a.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n"),
        ("V2_b.sql", "-- UP\nALTER TABLE notes DROP COLUMN text;\n-- DOWN\n"),
    ];
    let folder = folder(&files);
    let shown = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--fix"]);
    insta::assert_snapshot!(format!("exit {}\n{}{}", shown.code, shown.out, shown.err));
    for (name, text) in files {
        assert_eq!(read(folder.path(), name), text);
    }
    let written = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--fix", "--yes"]);
    insta::assert_snapshot!(format!("exit {}\n{}{}", written.code, written.out, written.err));
    assert_eq!(read(folder.path(), "V1_a.sql"), format!("{}-- DOWN\nDROP TABLE notes;\n", files[0].1));
    assert_eq!(read(folder.path(), "V2_b.sql"), files[1].1);
    let again = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--fix", "--yes", "V1_a.sql"]);
    assert_eq!((again.code, again.out.lines().next()), (0, Some("no DOWN was written")));
}

#[test]
fn yes_without_fix_is_a_mistake() {
    let folder = folder(&[("V1_a.sql", TABLE)]);
    assert_eq!(migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--yes"]).code, 2);
}

/// Layout, files, and the file with DOWN as it is then.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str, &'static str);

#[test]
fn each_layout_gets_down_where_it_has_it() {
    #[rustfmt::skip]
    const CASES: [Case; 12] = [
        ("native",         &[("V1_a.sql", TABLE)], "V1_a.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n"),
        ("native",         &[("V1_a.sql", "-- UP\r\nCREATE TABLE t (a INT);\r\n-- DOWN\r\n-- none yet\r\n")], "V1_a.sql",
                           "-- UP\r\nCREATE TABLE t (a INT);\r\n-- DOWN\r\n-- none yet\r\nDROP TABLE t;\r\n"),
        ("native",         &[("V1_a.sql", "\u{feff}-- UP\nCREATE TABLE t (a INT);")], "V1_a.sql", "\u{feff}-- UP\nCREATE TABLE t (a INT);\n-- DOWN\nDROP TABLE t;"),
        ("sqlx",           &[("1_a.up.sql", TABLE)], "1_a.down.sql", "DROP TABLE notes;\n"),
        ("golang-migrate", &[("1_a.up.sql", TABLE), ("1_a.down.sql", "")], "1_a.down.sql", "DROP TABLE notes;\n"),
        ("diesel",         &[("2024-01-15-120000_a/up.sql", TABLE), ("2024-01-15-120000_a/down.sql", "-- This file should undo anything in `up.sql`\n")],
                           "2024-01-15-120000_a/down.sql", "-- This file should undo anything in `up.sql`\nDROP TABLE notes;\n"),
        ("dbmate",         &[("1_a.sql", "-- migrate:up\nCREATE TABLE t (a INT);\n\n-- migrate:down\n\n")], "1_a.sql",
                           "-- migrate:up\nCREATE TABLE t (a INT);\n\n-- migrate:down\nDROP TABLE t;\n"),
        ("goose",          &[("1_a.sql", "-- +goose Up\nCREATE TABLE t (a INT);\n")], "1_a.sql", "-- +goose Up\nCREATE TABLE t (a INT);\n-- +goose Down\nDROP TABLE t;\n"),
        ("goose",          &[("1_a.sql", "-- +goose Up\nCREATE TABLE t (a INT);\n-- +goose StatementBegin\nCREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 1; END;\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE t;\n"),
                             ("2_b.sql", "-- +goose Up\nDROP TRIGGER g;\n-- +goose Down\n")], "2_b.sql",
                           "-- +goose Up\nDROP TRIGGER g;\n-- +goose Down\n-- +goose StatementBegin\nCREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = 1; END;\n-- +goose StatementEnd\n"),
        ("sql-migrate",    &[("1_a.sql", "-- +migrate Up\nCREATE TABLE t (a INT);\n")], "1_a.sql", "-- +migrate Up\nCREATE TABLE t (a INT);\n-- +migrate Down\nDROP TABLE t;\n"),
        ("flyway",         &[("V1__a.sql", TABLE)], "U1__a.sql", "DROP TABLE notes;\n"),
        ("sqitch",         &[("sqitch.plan", "%project=x\n\na 2024-01-15T12:00:00Z n <n@x>\n"), ("deploy/a.sql", TABLE)], "revert/a.sql", "DROP TABLE notes;\n"),
    ];
    for (layout, files, down, expected) in CASES {
        let folder = folder(files);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--layout", layout, "--fix", "--yes"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{layout}: {}", ran.out);
        assert_eq!(read(folder.path(), down), expected, "{layout}");
        for (name, text) in files.iter().filter(|(name, _)| *name != down) {
            assert_eq!(read(folder.path(), name), *text, "{layout}: {name}");
        }
    }
}

#[test]
fn what_cannot_be_written_is_left_alone_with_the_reason() {
    #[rustfmt::skip]
    const CASES: [Case; 7] = [
        ("prisma", &[("20240115120000_a/migration.sql", TABLE)], "20240115120000_a/migration.sql", "migrations of prisma have no DOWN"),
        ("sqlx",   &[("1_a.sql", TABLE)], "1_a.sql", "a file of sqlx by the name of 1_a.sql has no DOWN; name it `….up.sql`"),
        ("native", &[("V1_a.sql", "-- UP\nCREATE TABLE t (a INT);\n-- DOWN\n-- IRREVERSIBLE: it is small\n")], "V1_a.sql", "it is declared irreversible: it is small"),
        ("native", &[("V1_a.sql", "-- UP\nALTER TABLE t DROP COLUMN a;\n")], "V1_a.sql", "the values of t.a are gone with UP"),
        ("native", &[("V1_a.sql", "-- UP\nDROP VIEW v;\n")], "V1_a.sql", "how v stood before UP is not known"),
        ("native", &[("V1_a.sql", "-- UP\nALTER TABLE t ADD COLUMN a INT;\nCREATE TABLE IF NOT EXISTS u (a INT);\n")], "V1_a.sql", "whether u stood before UP is not known"),
        ("native", &[("V1_a.sql", "-- UP\nINSERT INTO t (a) VALUES (1);\n")], "V1_a.sql", "the rows that UP brings to t have no key that is written out"),
    ];
    for (layout, files, file, reason) in CASES {
        let folder = folder(files);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--layout", layout, "--fix", "--yes"]);
        assert!(ran.out.starts_with(&format!("{file}: DOWN is left as it is: {reason}\n\nno DOWN was written\n")), "{reason}: {}", ran.out);
        for (name, text) in files {
            assert_eq!(read(folder.path(), name), *text, "{name}");
        }
    }
}

#[test]
fn a_file_that_is_no_utf_8_is_left_alone() {
    let folder = folder(&[]);
    let text = b"-- UP\n-- caf\xe9\nCREATE TABLE t (a INT);\n";
    std::fs::write(folder.path().join("V1_a.sql"), text).unwrap();
    let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--fix", "--yes"]);
    assert!(ran.out.starts_with("V1_a.sql: DOWN is left as it is: V1_a.sql holds bytes that are no UTF-8\n"), "{}", ran.out);
    assert_eq!(std::fs::read(folder.path().join("V1_a.sql")).unwrap(), text);
}

#[test]
fn a_down_of_the_authors_own_is_completed_where_that_proves() {
    #[rustfmt::skip]
    const CASES: [(&str, &str, &str); 3] = [
        ("at its end", "CREATE TABLE a (b INT);\nCREATE TABLE c (d INT);\n-- DOWN\nDROP TABLE a;\n", "DROP TABLE a;\nDROP TABLE c;\n"),
        ("statements without an end", "CREATE TABLE a (b INT);\nCREATE TABLE c (d INT);\n-- DOWN\nDROP TABLE a", "DROP TABLE a;\nDROP TABLE c;"),
        ("what it does too much stays", "CREATE TABLE a (b INT);\n-- DOWN\nDROP TABLE a;\nCREATE TABLE e (f INT);\n", "DROP TABLE a;\nCREATE TABLE e (f INT);\nDROP TABLE e;\n"),
    ];
    for (what, text, expected) in CASES {
        let folder = folder(&[("V1_a.sql", &format!("-- UP\n{text}"))]);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "postgres", "--fix", "--yes"]);
        assert_eq!(ran.code, 0, "{what}: {}", ran.out);
        assert!(read(folder.path(), "V1_a.sql").ends_with(&format!("-- DOWN\n{expected}")), "{what}: {}", read(folder.path(), "V1_a.sql"));
    }
}

#[test]
fn only_what_is_judged_is_written() {
    let files = [("V1_a.sql", TABLE), ("V2_b.sql", INDEX), ("V3_c.sql", "DROP INDEX idx_notes_text;\n")];
    let folder = folder(&files);
    let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite", "--fix", "--yes", "V3_c.sql"]);
    assert_eq!(ran.code, 0, "{}", ran.out);
    for (name, text) in &files[..2] {
        assert_eq!(read(folder.path(), name), *text);
    }
    assert_eq!(read(folder.path(), "V3_c.sql"), "-- UP\nDROP INDEX idx_notes_text;\n-- DOWN\nCREATE INDEX idx_notes_text ON notes (text);\n");
    std::fs::write(folder.path().join("migrate.toml"), "engine = \"sqlite\"\ndir = \".\"\n[gate]\nfrom = \"2\"\n").unwrap();
    assert_eq!(migrate(folder.path(), &["check", "--fix", "--yes"]).code, 0);
    assert_eq!(read(folder.path(), "V1_a.sql"), TABLE);
    assert_eq!(read(folder.path(), "V2_b.sql"), format!("-- UP\n{INDEX}-- DOWN\nDROP INDEX idx_notes_text;\n"));
}

#[test]
fn each_engine_gets_its_own_words() {
    const BEFORE: &str = "CREATE TABLE Users (id INT PRIMARY KEY, email VARCHAR(50) NOT NULL, \"key\" INT);\nCREATE VIEW v AS\n  SELECT id FROM Users; -- all\nCREATE UNIQUE INDEX by_email ON Users (email);\n";
    const UP: &str = "ALTER TABLE Users ADD COLUMN boss INT REFERENCES Users (id);\nDROP VIEW v;\nDROP INDEX by_email;\nINSERT INTO Users (id, email) VALUES (1, 'a'), (2, 'b');\n";
    let mysql = |text: &str| {
        text.replace('"', "`")
            .replace("DROP INDEX by_email", "DROP INDEX by_email ON Users")
            .replace("ADD COLUMN boss INT REFERENCES Users (id)", "ADD COLUMN boss INT, ADD CONSTRAINT b FOREIGN KEY (boss) REFERENCES Users (id)")
    };
    #[rustfmt::skip]
    let cases = [
        ("sqlite", BEFORE.to_owned(), UP.to_owned(), "DELETE FROM Users WHERE id IN (1, 2);\nALTER TABLE Users DROP COLUMN boss;\nCREATE UNIQUE INDEX by_email ON Users (email);\nCREATE VIEW v AS\n  SELECT id FROM Users;\n"),
        ("postgres", BEFORE.to_owned(), UP.to_owned(), "DELETE FROM users WHERE id IN (1, 2);\nALTER TABLE users DROP COLUMN boss;\nCREATE UNIQUE INDEX by_email ON users (email);\nCREATE VIEW v AS\n  SELECT id FROM Users;\n"),
        ("mysql", mysql(BEFORE), mysql(UP), "ALTER TABLE Users DROP FOREIGN KEY b;\nDELETE FROM Users WHERE id IN (1, 2);\nALTER TABLE Users DROP COLUMN boss;\nCREATE UNIQUE INDEX by_email ON Users (email);\nCREATE VIEW v AS\n  SELECT id FROM Users;\n"),
    ];
    for (engine, before, up, expected) in cases {
        let folder = folder(&[("V1_a.sql", &before), ("V2_b.sql", &format!("-- UP\n{up}"))]);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", engine, "--fix", "--yes", "V2_b.sql"]);
        assert_eq!(read(folder.path(), "V2_b.sql"), format!("-- UP\n{up}-- DOWN\n{expected}"), "{engine}: {}", ran.out);
    }
}

#[test]
fn json_tells_of_each_fix_and_only_when_asked() {
    let folder = folder(&[("V1_a.sql", TABLE), ("V2_b.sql", "-- UP\nSELECT 1;\n"), ("V3_c.sql", "-- UP\nDROP TABLE notes;\n")]);
    let run = |arguments: &[&str]| {
        let ran = migrate(folder.path(), &[&["check", "--dir", ".", "--engine", "sqlite", "--format", "json"], arguments].concat());
        serde_json::from_str::<serde_json::Value>(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out))
    };
    assert!(run(&[])["migrations"][0].get("fix").is_none());
    let offered = run(&["--fix"]);
    let diff =
        "--- a/V1_a.sql\n+++ b/V1_a.sql\n@@ -1 +1,4 @@\n+-- UP\n CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n+-- DOWN\n+DROP TABLE notes;\n";
    let reason = "nobody said yes: `--fix --yes` writes it";
    assert_eq!(offered["migrations"][0]["fix"], serde_json::json!({"path": "V1_a.sql", "diff": diff, "written": false, "reason": reason}));
    assert_eq!(offered["migrations"][0]["verdict"], "irreversible");
    assert!(offered["migrations"][1].get("fix").is_none());
    assert_eq!(
        offered["migrations"][2]["fix"],
        serde_json::json!({"path": null, "diff": null, "written": false, "reason": "the rows of notes are gone with UP"})
    );
    let written = run(&["--fix", "--yes"]);
    assert_eq!(written["migrations"][0]["fix"], serde_json::json!({"path": "V1_a.sql", "diff": diff, "written": true, "reason": null}));
    assert_eq!(written["migrations"][0]["verdict"], "reversible");
    assert_eq!(run(&["--fix"])["migrations"][0].get("fix"), None);
}

/// The SQL of a finding's help, as (UP, DOWN).
fn recipe(help: &str) -> (String, String) {
    let (_, sql) = help.split_once('\n').expect("SQL behind the prose");
    let (up, down) = sql.split_once("-- DOWN:\n").expect("both directions");
    (up.split_once('\n').expect("a comment first").1.to_owned(), down.to_owned())
}

#[test]
fn what_would_have_kept_the_values_can_be_pasted_and_is_judged_so() {
    const BEFORE: &str = "CREATE TABLE Users (id INT PRIMARY KEY, email VARCHAR(50));\n";
    #[rustfmt::skip]
    const CASES: [(&str, &str, bool, &[&str]); 5] = [
        ("drop-column",    "ALTER TABLE Users DROP COLUMN email;",    true,  &["sqlite", "postgres", "mysql", "mariadb"]),
        ("drop-table",     "DROP TABLE Users;",                       true,  &["sqlite", "postgres", "mysql", "mariadb"]),
        ("truncate-table", "TRUNCATE TABLE Users;",                   false, &["postgres", "mysql", "mariadb"]),
        ("delete-rows",    "DELETE FROM Users;",                      false, &["sqlite", "postgres", "mysql", "mariadb"]),
        ("update-rows",    "UPDATE Users SET email = lower(email);",  false, &["sqlite", "postgres", "mysql", "mariadb"]),
    ];
    for (rule, up, in_its_place, engines) in CASES {
        for engine in engines {
            let check = |text: &str| {
                let folder = folder(&[("V1_a.sql", BEFORE), ("V2_b.sql", text)]);
                let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", engine, "--format", "json", "V2_b.sql"]);
                let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}", ran.out));
                report["migrations"][0].clone()
            };
            let lost = check(&format!("-- UP\n{up}\n"));
            let help =
                lost["findings"].as_array().unwrap().iter().find(|f| f["name"] == rule).unwrap_or_else(|| panic!("{rule} on {engine}: {lost}"))["help"].clone();
            let (before, down) = recipe(help.as_str().unwrap());
            let kept = check(&format!("-- UP\n{before}{}\n-- DOWN\n{down}\n", if in_its_place { "" } else { up }));
            assert_ne!(kept["verdict"], "irreversible", "{rule} on {engine}: {kept}");
            assert_ne!(kept["loss"], "certain", "{rule} on {engine}: {kept}");
        }
    }
}

#[test]
fn no_password_of_an_older_file_is_shown_or_written() {
    for (made, up) in [
        ("CREATE SUBSCRIPTION s CONNECTION 'host=h password=geheim' PUBLICATION p;", "DROP SUBSCRIPTION s;"),
        ("CREATE ROLE r LOGIN PASSWORD 'geheim';", "DROP ROLE r;"),
        ("CREATE USER MAPPING FOR r SERVER f OPTIONS (password 'geheim');", "DROP USER MAPPING FOR r SERVER f;"),
    ] {
        let folder = folder(&[("V1_a.sql", made), ("V2_b.sql", up)]);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "postgres", "--fix", "--yes", "-v", "V2_b.sql"]);
        assert!(!ran.out.contains("geheim") && ran.code < 2, "{up}: {}{}", ran.out, ran.err);
        assert_eq!(read(folder.path(), "V2_b.sql"), up);
    }
}
