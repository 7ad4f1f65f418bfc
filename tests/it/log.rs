//! What is written past the log that a recovery plays is warned of, and changes no verdict.

use super::support::{folder, migrate};
use serde_json::Value;

#[test]
fn what_no_recovery_brings_back_is_warned_of() {
    for (engine, up, down, found) in [
        ("postgres", "CREATE UNLOGGED TABLE t (a int);", "DROP TABLE t;", true),
        ("postgres", "CREATE TABLE t (a int); ALTER TABLE t SET UNLOGGED;", "DROP TABLE t;", true),
        ("postgres", "CREATE TABLE unlogged (a int); ALTER TABLE unlogged SET LOGGED;", "DROP TABLE unlogged;", false),
        ("mariadb", "SET sql_log_bin = 0; CREATE TABLE t (a int);", "DROP TABLE t;", true),
        ("mysql", "SET SESSION sql_log_bin=OFF; CREATE TABLE t (a int);", "DROP TABLE t;", true),
        ("mariadb", "SET sql_log_bin = 1; CREATE TABLE t (a int);", "DROP TABLE t;", false),
    ] {
        let folder = folder(&[("migrations/V1_a.sql", &format!("-- UP\n{up}\n-- DOWN\n{down}\n"))]);
        let ran = migrate(folder.path(), &["check", "--engine", engine, "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).expect("JSON");
        let migration = &report["migrations"][0];
        assert_eq!((ran.code, migration["verdict"].as_str()), (0, Some("reversible")), "{up}: {}", ran.out);
        let findings = migration["findings"].as_array().unwrap();
        let severities: Vec<&str> = findings.iter().filter(|f| f["name"] == "voids-recovery").map(|f| f["severity"].as_str().unwrap()).collect();
        assert_eq!(severities, if found { &["warning"][..] } else { &[] }, "{up}: {}", ran.out);
    }
}
