//! Commands as a user runs them: what they print, and with which exit code they end.

use super::support::{folder, migrate, migrate_with, root};
use std::path::Path;
use std::process::Command;

const ADD: &str = "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n";
const FILL: &str = "-- UP\nINSERT INTO notes (id, text) VALUES (1, 'kept');\n-- DOWN\nDELETE FROM notes WHERE id = 1;\n";
const DROP: &str = "-- UP\nALTER TABLE notes DROP COLUMN text;\n-- DOWN\n-- IRREVERSIBLE: the texts are gone\n";

fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    let mut names: Vec<String> = found.iter().map(|p| p.strip_prefix(folder).unwrap().display().to_string()).collect();
    names.sort();
    names
}

/// Digits of a time stamp made `STAMP`.
fn without_stamp(name: &str) -> String {
    let digits = name.find(|c: char| c.is_ascii_digit()).map(|at| (at, name[at..].chars().take_while(char::is_ascii_digit).count()));
    match digits {
        Some((at, 14)) => format!("{}STAMP{}", &name[..at], &name[at + 14..]),
        _ => name.to_owned(),
    }
}

#[test]
fn new_makes_the_files_of_the_folders_layout() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str], &'static [&'static str]);
    #[rustfmt::skip]
    const CASES: [Case; 12] = [
        ("no folder yet",  &[],                                                                         &[], &["VSTAMP_add_x.sql"]),
        ("native",         &[("V0007_a.sql", ADD)],                                                     &[], &["V0008_add_x.sql"]),
        ("sqlx",           &[("0001_a.up.sql", "SELECT 1;"), ("0001_a.down.sql", "")],                  &[], &["0002_add_x.down.sql", "0002_add_x.up.sql"]),
        ("golang-migrate", &[("1_a.mysql.up.sql", "SELECT 1;"), ("1_a.mysql.down.sql", "")],            &[], &["2_add_x.down.sql", "2_add_x.up.sql"]),
        ("diesel",         &[("2024-01-15-120000_a/up.sql", "SELECT 1;"), ("2024-01-15-120000_a/down.sql", "")], &[], &["STAMP_add_x/down.sql", "STAMP_add_x/up.sql"]),
        ("dbmate",         &[("20240115120000_a.sql", "-- migrate:up\nSELECT 1;\n-- migrate:down\n")],  &[], &["STAMP_add_x.sql"]),
        ("goose",          &[("00001_a.sql", "-- +goose Up\nSELECT 1;\n-- +goose Down\n")],             &[], &["00002_add_x.sql"]),
        ("sql-migrate",    &[("1_a.sql", "-- +migrate Up\nSELECT 1;\n-- +migrate Down\n")],             &[], &["2_add_x.sql"]),
        ("flyway",         &[("V1__a.sql", "SELECT 1;")],                                               &[], &["U2__add_x.sql", "V2__add_x.sql"]),
        ("refinery",       &[("V1__a.sql", "SELECT 1;")],                             &["--layout", "refinery"], &["V2__add_x.sql"]),
        ("prisma",         &[("20240115120000_a/migration.sql", "SELECT 1;")],                          &[], &["STAMP_add_x/migration.sql"]),
        ("empty, told",    &[],                                                       &["--layout", "goose"],  &["STAMP_add_x.sql"]),
    ];
    for (what, there, arguments, expected) in CASES {
        let folder = folder(there);
        let ran = migrate(folder.path(), &[&["new", "add x", "--dir", "."], arguments].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{what}");
        let made: Vec<String> = files(folder.path()).iter().filter(|f| !there.iter().any(|(t, _)| t == f)).map(|f| without_stamp(f)).collect();
        assert_eq!(made, expected, "{what}");
        let mut printed: Vec<String> = ran.out.lines().map(|line| without_stamp(line.trim_start_matches("./"))).collect();
        printed.sort();
        assert_eq!(printed, expected, "{what}");
        // What `new` made is a migration of the same layout, without effect yet.
        let again = migrate(folder.path(), &[&["check", "--dir", ".", "--engine", "sqlite"], arguments].concat());
        assert!(again.code < 2, "{what}: {}{}", again.out, again.err);
    }
}

#[test]
fn new_leaves_sqitch_to_its_own_plan() {
    let folder = folder(&[("sqitch.plan", "%project=x\n\na 2024-01-15T12:00:00Z n <n@x>\n"), ("deploy/a.sql", "SELECT 1;"), ("revert/a.sql", "")]);
    let ran = migrate(folder.path(), &["new", "b", "--dir", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (2, "error: sqitch keeps its own plan\n  = help: use `sqitch add`\n"));
}

#[test]
fn explain_prints_the_page_of_a_rule() {
    for (rule, title) in [
        ("drop-column", "# drop-column"),
        ("c02", "# drop-column"),
        ("column-type", "# column-type"),
        ("no-down", "# round-trip"),
        ("R03", "# round-trip"),
        ("history", "# history"),
        ("half-done", "# half-done"),
    ] {
        let ran = migrate(&root(), &["explain", rule]);
        assert_eq!((ran.code, ran.out.lines().next()), (0, Some(title)), "{rule}");
    }
}

#[test]
fn rules_prints_the_table_in_three_formats() {
    let [text, markdown, json] = ["text", "markdown", "json"].map(|format| migrate(&root(), &["rules", "--format", format]).out);
    let rules: serde_json::Value = serde_json::from_str(&json).unwrap();
    let rules = rules["rules"].as_array().unwrap();
    assert!(rules.len() > 100);
    for rule in rules {
        let (code, name) = (rule["code"].as_str().unwrap(), rule["name"].as_str().unwrap());
        let line = markdown.lines().find(|line| line.starts_with(&format!("| {code} | `{name}` | "))).unwrap_or_else(|| panic!("{name}"));
        for (engine, cell) in ["sqlite", "postgres", "mysql", "mariadb"].into_iter().zip(line.split(" | ").skip(2)) {
            assert_eq!(cell.ends_with('✓'), rule["engines"][engine]["proved"].is_string(), "{name} on {engine}: {cell}");
        }
        assert!(text.lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{name}");
    }
    let drop = |format: &str| migrate(&root(), &["rules", "--format", format]).out.lines().find(|line| line.contains("drop-column")).unwrap().to_owned();
    assert_eq!(drop("text"), "C02  drop-column            destroys✓    destroys✓    destroys✓    destroys✓");
    assert_eq!(drop("markdown"), "| C02 | `drop-column` | irreversible✓ | irreversible✓ | irreversible✓ | irreversible✓ | every value of the column |");
    let proved = rules.iter().find(|rule| rule["name"] == "drop-column").unwrap()["engines"]["postgres"]["proved"].as_str().unwrap();
    assert!(proved.starts_with("PostgreSQL "), "{proved}");
    for out in [&text, &markdown] {
        assert!(out.contains(proved), "the versions stand below the table");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn check_judges_the_paths_that_it_is_given() {
    let folder = folder(&[("migrations/V1_a.sql", ADD), ("migrations/V2_b.sql", FILL), ("migrations/V3_c.sql", DROP), ("other.sql", "SELECT 1;")]);
    #[rustfmt::skip]
    let cases: [(&[&str], i32, &str); 5] = [
        (&["migrations/V1_a.sql"],                        0, "1 migration after 2 older ones (native, sqlite): 1 reversible"),
        (&["migrations/V3_c.sql"],                        1, "1 migration after 2 older ones (native, sqlite): 1 irreversible"),
        (&["migrations/V1_a.sql", "migrations/V3_c.sql"], 1, "2 migrations after 1 older one (native, sqlite): 1 reversible, 1 irreversible"),
        (&["migrations"],                                 1, "3 migrations (native, sqlite): 2 reversible, 1 irreversible"),
        (&["other.sql"],                                  0, "no migration to judge: 3 stand in migrations, and none is among those asked for"),
    ];
    for (paths, code, line) in cases {
        let ran = migrate(folder.path(), &[&["check", "--engine", "sqlite"], paths].concat());
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{paths:?}");
        assert!(ran.out.lines().any(|l| l == line), "{paths:?}: {}", ran.out);
    }
}

#[test]
fn check_judges_what_a_branch_changed() {
    let folder = folder(&[("migrations/V1_a.sql", ADD), ("migrations/V2_c.sql", DROP)]);
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=n", "-c", "user.email=n@x", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false"];
        let output = Command::new("git").args(who).args(arguments).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    };
    let check = || {
        let ran = migrate(folder.path(), &["check", "--engine", "sqlite", "--since", "main"]);
        (ran.code, ran.out.lines().find(|l| l.contains("native") || l.contains("no migration")).unwrap_or(&ran.err).to_owned())
    };
    let said = |code: i32, text: &str| (code, text.to_owned());
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    assert_eq!(check(), said(0, "no migration to judge: 2 stand in migrations, and none is among those asked for"));
    std::fs::write(folder.path().join("migrations/V3_d.sql"), "-- UP\nCREATE TABLE t (a TEXT);\n-- DOWN\nDROP TABLE t;\n").unwrap();
    assert_eq!(check(), said(0, "1 migration after 2 older ones (native, sqlite): 1 reversible"), "what git does not know yet");
    git(&["checkout", "-qb", "branch"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "two"]);
    assert_eq!(check(), said(0, "1 migration after 2 older ones (native, sqlite): 1 reversible"), "what the branch committed");
    let ran = migrate(folder.path(), &["check", "--engine", "sqlite", "--since", "nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("is this a git work tree, and the revision fetched"), "{}", ran.err);
}

#[test]
fn up_refuses_to_destroy_data_where_rows_stand_and_only_there() {
    let variables = [("DATABASE_URL", "sqlite:notes.db")];
    // Where a copy of the whole may be made, that brings the data back: sqlite_pin.rs.
    for (what, files, code) in [
        ("rows stand", &[("migrations/V1_a.sql", ADD), ("migrations/V2_b.sql", FILL)][..], 3),
        ("tables stand, without a row", &[("migrations/V1_a.sql", ADD)], 0),
        ("a new database", &[], 0),
    ] {
        let folder = folder(files);
        std::fs::write(folder.path().join("migrate.toml"), "[pin]\nwhen = \"never\"\n").unwrap();
        if !files.is_empty() {
            assert_eq!(migrate_with(folder.path(), &["up"], &variables).code, 0, "{what}");
        }
        for (path, text) in [("migrations/V1_a.sql", ADD), ("migrations/V2_b.sql", FILL), ("migrations/V3_c.sql", DROP)] {
            std::fs::create_dir_all(folder.path().join("migrations")).unwrap();
            std::fs::write(folder.path().join(path), text).unwrap();
        }
        let ran = migrate_with(folder.path(), &["up", "-q"], &variables);
        assert_eq!(ran.code, code, "{what}: {}{}", ran.out, ran.err);
        if code == 3 {
            let expected = "error: 3 c is irreversible and loses data (loss: certain), and this database holds rows\n  = help: no comment in the file lifts this: attest \
                            a backup (`migrate attest 3`, `migrate explain attestation`), or stop before it with `up --to VERSION`\n";
            assert_eq!((ran.err.as_str(), ran.out.as_str()), (expected, ""), "{what}");
            let status = migrate_with(folder.path(), &["status"], &variables).out;
            assert!(status.contains("\n2 applied, 1 pending\n"), "{what}: {status}");
        }
    }
}

#[test]
fn down_shows_first_and_acts_when_told_how_far() {
    let variables = [("DATABASE_URL", "sqlite:notes.db")];
    let folder = folder(&[("migrations/V1_a.sql", ADD), ("migrations/V2_b.sql", FILL)]);
    let run = |arguments: &[&str]| {
        let ran = migrate_with(folder.path(), arguments, &variables);
        (ran.code, without_times(&ran.out), ran.err)
    };
    let said = |code: i32, text: &str| (code, text.to_owned(), String::new());
    assert_eq!(run(&["up"]), said(0, "up 1 a (N ms)\nup 2 b (N ms)\n2 migrations applied; now at 2 (reversible, loss: written-since)\n"));
    let plan = "`migrate down --steps 1` would run 1 migration on notes.db:\n\ndown 2 b\n  reversible, loss: written-since; one transaction\n  applied WHEN:\n      4  DELETE FROM notes WHERE id = 1;\n         -- lock: database writer lock\n\n\
                nothing was done; say how far back: `--steps N` or `--to VERSION`\n";
    assert_eq!(run(&["down"]), said(3, plan));
    assert_eq!(run(&["down"]), said(3, plan), "nothing was done");
    assert_eq!(run(&["down", "--steps", "1"]), said(0, "down 2 b (N ms)\n1 migration undone\n"));
    assert_eq!(run(&["down", "--to", "1"]), said(0, "nothing to do: nothing is applied after that\n"));
    assert_eq!(run(&["up", "-q"]), said(0, "1 migration applied; now at 2 (reversible, loss: written-since)\n"));
    std::fs::remove_dir_all(folder.path().join("migrations")).unwrap();
    let refused = run(&["down", "--steps", "2", "-q"]);
    assert_eq!((refused.0, refused.1.as_str()), (3, ""));
    assert!(refused.2.contains("loses all that stands in table notes") && refused.2.contains("--accept-loss notes"), "{}", refused.2);
    let agreed = run(&["down", "--steps", "2", "-q", "--accept-loss", "notes"]);
    assert_eq!(agreed, said(0, "2 migrations undone\n"), "the history holds every DOWN");
}

/// `text` with the times that differ from run to run made words.
fn without_times(text: &str) -> String {
    let line = |line: &str| match (line.rsplit_once(" ("), line.rsplit_once("applied 20")) {
        (Some((head, tail)), _) if tail.ends_with(" ms)") => format!("{head} (N ms)\n"),
        (_, Some((head, _))) => format!("{head}applied WHEN:\n"),
        _ => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

#[test]
fn colours_only_where_they_are_wanted() {
    for (arguments, variables, coloured) in [
        (&["--color", "always"][..], &[][..], true),
        (&["--color", "never"], &[("CLICOLOR_FORCE", "1")], false),
        (&[], &[], false),
        (&[], &[("NO_COLOR", "1")], false),
    ] {
        let ran = migrate_with(&root(), &[&["check", "--dir", "migrations-examples/mysql"], arguments].concat(), variables);
        assert_eq!(ran.out.contains('\u{1b}'), coloured, "{arguments:?} {variables:?}");
    }
}
