//! A release that the user states: what hangs on it, from the flag and from `migrate.toml`.

use super::support::{folder, migrate};
use serde_json::Value;

/// What is said of UP's last statement, and the names of the findings.
fn judged(settings: &str, up: &str, down: &str, arguments: &[&str]) -> (Value, Vec<String>) {
    let before = "-- UP\nCREATE TABLE users (id integer PRIMARY KEY, name varchar(20));\n-- DOWN\nDROP TABLE users;\n";
    let after = format!("-- UP\n{up}\n-- DOWN\n{down}\n");
    let folder = folder(&[("migrate.toml", settings), ("migrations/V1_users.sql", before), ("migrations/V2_more.sql", &after)]);
    let ran = migrate(folder.path(), &[&["check", "--format", "json"], arguments].concat());
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {} {}", ran.out, ran.err));
    let last = &report["migrations"][1];
    let statement = last["statements"].as_array().unwrap().iter().rfind(|s| s["direction"] == "up").unwrap().clone();
    (statement, last["findings"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn locks_are_those_of_the_stated_release_or_of_the_oldest_supported_one() {
    let lock = |settings: &str, up: &str, arguments: &[&str]| judged(settings, up, "SELECT 1;", arguments).0["lock"].as_str().unwrap().to_owned();
    let drop = "ALTER TABLE users DROP COLUMN name;";
    assert_eq!(lock("engine = \"mysql\"", drop, &[]), "INPLACE");
    assert_eq!(lock("engine = \"mysql\"\nversion = \"8.0.28\"", drop, &[]), "INPLACE");
    assert_eq!(lock("engine = \"mysql\"\nversion = \"8.0.29\"", drop, &[]), "INSTANT");
    assert_eq!(lock("", drop, &["--engine", "mysql@8.4"]), "INSTANT");
    let add = "ALTER TABLE users ADD COLUMN age integer;";
    assert_eq!(lock("", add, &["--engine", "mysql"]), "INPLACE");
    assert_eq!(lock("", add, &["--engine", "mysql@8.0.12"]), "INSTANT");
    assert_eq!(lock("", "ALTER TABLE users ADD COLUMN age integer AFTER id;", &["--engine", "mysql@8.0.28"]), "INPLACE");
    assert_eq!(lock("", add, &["--engine", "mariadb"]), "INSTANT");
    // What the file says of another engine does not hold for the one that the flag names.
    assert_eq!(lock("engine = \"postgres\"\nversion = \"15\"", drop, &["--engine", "mysql"]), "INPLACE");
}

#[test]
fn an_old_release_computes_a_default_for_every_row() {
    let add = |engine: &str| judged("", "ALTER TABLE users ADD COLUMN age integer DEFAULT 0;", "ALTER TABLE users DROP COLUMN age;", &["--engine", engine]);
    assert_eq!(add("postgres").0["rewrite"], false);
    assert_eq!(add("postgres@10").0["rewrite"], true);
    assert!(add("postgres@10").1.contains(&"rewriting-column".to_owned()));
}

#[test]
fn what_the_stated_release_does_not_have_is_found_in_both_parts() {
    let (up, down) = ("ALTER TABLE users ADD CONSTRAINT named UNIQUE NULLS NOT DISTINCT (name);", "ALTER TABLE users DROP CONSTRAINT named;");
    let findings = |engine: &str, up: &str, down: &str| judged("", up, down, &["--engine", engine]).1;
    assert!(findings("postgres@14", up, down).contains(&"newer-server".to_owned()));
    assert!(!findings("postgres@15", up, down).contains(&"newer-server".to_owned()));
    assert!(!findings("postgres", up, down).contains(&"newer-server".to_owned()));
    assert!(findings("postgres@14", "ALTER TABLE users DROP COLUMN name;", up).contains(&"down-fails".to_owned()));
}

#[test]
fn a_release_that_is_none_is_refused() {
    let folder = folder(&[("migrations/V1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n")]);
    let ran = migrate(folder.path(), &["check", "--engine", "postgres@new"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`new` is no release"), "{}", ran.err);
    std::fs::write(folder.path().join("migrate.toml"), "engine = \"postgres\"\nversion = \"x\"\n").unwrap();
    let ran = migrate(folder.path(), &["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("migrate.toml:2: `x` is no release"), "{}", ran.err);
}
