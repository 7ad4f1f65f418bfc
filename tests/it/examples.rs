//! The example libraries come out as their comments and the README say, in text and in JSON, and run on SQLite.

use super::support::{migrate, migrate_with, root};
use serde_json::Value;

/// What is expected of each migration: verdict, loss, decays, blocked.
type Expected = (&'static str, &'static str, &'static str, bool, bool);

#[rustfmt::skip]
const LIBRARIES: [(&str, i32, &[Expected]); 3] = [
    ("sqlite", 0, &[
        ("Create_Shop",               "reversible",   "written-since", false, false),
        ("Index_Orders",              "reversible",   "none",          false, false),
        ("Shipping_Rates",            "reversible",   "written-since", false, false),
        ("Add_Order_Notes",           "reversible",   "written-since", false, false),
        ("Rename_Customer_Name",      "partial",      "none",          false, false),
        ("Check_Order_Total",         "reversible",   "none",          false, false),
        ("Drop_Fax",                  "irreversible", "certain",       false, false),
    ]),
    ("postgres", 0, &[
        ("Create_Accounts",           "reversible",   "written-since", false, false),
        ("Index_Payments",            "reversible",   "none",          false, false),
        ("Widen_Login",               "partial",      "none",          true,  false),
        ("Payment_State",             "reversible",   "written-since", false, false),
        ("Rename_Amount",             "partial",      "none",          false, false),
        ("Check_Country",             "reversible",   "none",          false, false),
        ("Drop_Batch_Code",           "irreversible", "certain",       false, false),
    ]),
    ("mysql", 1, &[
        ("Create_Users",              "reversible",   "written-since", false, false),
        ("Add_User_Preferences",      "reversible",   "written-since", false, false),
        ("Add_Email_Verified_Column", "reversible",   "written-since", false, false),
        ("Remove_Legacy_Column",      "irreversible", "certain",       false, true),
    ]),
];

#[test]
fn verdicts_are_as_expected() {
    for (engine, code, expected) in LIBRARIES {
        let dir = format!("migrations-examples/{engine}");
        let ran = migrate(&root(), &["check", "--dir", &dir, "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let found: Vec<_> = report["migrations"]
            .as_array()
            .unwrap()
            .iter()
            .map(|m| {
                let blocked = m["findings"].as_array().unwrap().iter().any(|f| f["severity"] == "error");
                let text = |key: &str| m[key].as_str().unwrap();
                (text("name"), text("verdict"), text("loss"), m["decays"].as_bool().unwrap(), blocked)
            })
            .collect();
        assert_eq!(found, expected, "{engine}");
        assert_eq!((ran.code, ran.err.as_str()), (code, ""), "{engine}");
    }
}

#[test]
fn mariadb_judges_the_mysql_examples_as_mysql_does() {
    let report = |engine| migrate(&root(), &["check", "--dir", "migrations-examples/mysql", "--engine", engine]).out;
    assert_eq!(report("mariadb"), report("mysql").replace("(native, mysql)", "(native, mariadb)"));
}

#[test]
fn the_text_fits_80_columns_without_colours() {
    for (engine, ..) in LIBRARIES {
        let ran = migrate(&root(), &["check", "--dir", &format!("migrations-examples/{engine}")]);
        for line in ran.out.lines() {
            assert!(line.chars().count() <= 80 && !line.contains('\u{1b}') && line.trim_end() == line, "{engine}: {line}");
        }
        insta::assert_snapshot!(format!("check_{engine}"), ran.out);
    }
}

#[cfg(unix)]
#[test]
fn the_tour_ends_well() {
    let tour = root().join("migrations-examples/tour.sh");
    let output =
        std::process::Command::new("bash").arg(tour).env("MIGRATE", env!("CARGO_BIN_EXE_migrate")).stdin(std::process::Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && err.is_empty(), "{out}{err}");
    for command in ["check", "up --to 20240206", "status", "down", "down --steps 2", "up", "recover 20240207 --execute"] {
        assert!(out.contains(&format!("\n$ migrate {command}\n")), "the tour does not show `{command}`:\n{out}");
    }
}

#[test]
fn the_sqlite_library_goes_up_and_back_and_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let dir = root().join("migrations-examples/sqlite").display().to_string();
    let steps: [(&[&str], &str); 4] = [
        (&["up", "--to", "20240206"], "6 migrations applied; now at 20240206 (reversible, loss: none)"),
        (&["down", "--steps", "6", "--accept-loss", "all"], "6 migrations undone"),
        // All tables are gone, so the last one destroys nothing either.
        (&["up"], "7 migrations applied; now at 20240207 (irreversible, loss: certain)"),
        (&["up"], "nothing to do: all 7 migrations are applied"),
    ];
    for (arguments, last_line) in steps {
        let ran = migrate_with(folder.path(), &[arguments, &["--dir", &dir]].concat(), &[("DATABASE_URL", "sqlite:shop.db")]);
        assert_eq!((ran.code, ran.out.lines().last()), (0, Some(last_line)), "{arguments:?}: {}", ran.err);
    }
}
