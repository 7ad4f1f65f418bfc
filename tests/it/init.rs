//! The first day: a project's settings from what stands there.

use super::adopt::texts;
use super::support::{folder, migrate, root};
use std::fs;
use unmigrate::read::Layout;

const ADD: &str = "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n";
const DROP: &str = "-- UP\nALTER TABLE notes DROP COLUMN text;\n-- DOWN\n";

#[test]
fn in_every_layout_check_is_green_at_once_and_no_file_is_edited() {
    for (layout, name) in Layout::ALL {
        let project = tempfile::tempdir().unwrap();
        let files = texts(&root().join("fixtures/layouts").join(name));
        for (path, text) in &files {
            let path = project.path().join("migrations").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let ran = migrate(project.path(), &["init", "--engine", "postgres@15"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
        let settings = fs::read_to_string(project.path().join("migrate.toml")).unwrap();
        assert!(settings.starts_with("dir = \"migrations\"\nengine = \"postgres\"\nversion = \"15\"\n"), "{settings}");
        assert!(settings.contains(&format!("\nlayout = \"{}\"\n", layout.name())), "{name}: {settings}");
        let check = migrate(project.path(), &["check"]);
        assert_eq!((check.code, check.err.as_str()), (0, ""), "{name}: {settings}{}", check.out);
        assert_eq!(texts(&project.path().join("migrations")), files, "{name}");
    }
}

#[test]
fn what_it_found_fits_into_ten_lines() {
    let project = folder(&[("migrations/V1_a.sql", ADD), ("migrations/V2_b.sql", DROP), ("migrations/V3_c.sql", "-- UP\nCREATE TABLE t (a TEXT);\n")]);
    let ran = migrate(project.path(), &["init", "--engine", "sqlite"]);
    insta::assert_snapshot!(format!("{}{}", ran.out, fs::read_to_string(project.path().join("migrate.toml")).unwrap()));
    // The newest one is red, so a version that is not there yet is the first to be judged.
    fs::write(project.path().join("migrations/V4_d.sql"), DROP).unwrap();
    assert_eq!(migrate(project.path(), &["check"]).code, 1);
}

#[test]
fn a_project_without_migrations_gets_its_first_steps() {
    let project = folder(&[]);
    let ran = migrate(project.path(), &["init", "--engine", "sqlite"]);
    insta::assert_snapshot!(format!("{}{}{}", ran.out, ran.err, fs::read_to_string(project.path().join("migrate.toml")).unwrap()));
    assert_eq!(migrate(project.path(), &["new", "create_users"]).code, 0);
    let check = migrate(project.path(), &["check"]);
    assert_eq!((check.code, check.err.as_str()), (0, ""), "{}", check.out);
}

#[test]
fn folders_and_engines_are_found_where_tools_have_them() {
    let sqlx = "SELECT 1;";
    #[rustfmt::skip]
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("sql/20240101_a.sqlite.sql", sqlx)], "dir = \"sql\"\nengine = \"sqlite\"\n"),
        (&[("sql/20240101_a.sqlite.sql", sqlx), ("migrations/20240101_a.pg.sql", sqlx)], "dir = \"migrations\"\nengine = \"postgres\"\n"),
        (&[("db/migrations/20240101_a.mysql.up.sql", sqlx), ("db/migrations/20240101_a.mysql.down.sql", sqlx)], "dir = \"db/migrations\"\nengine = \"mysql\"\n"),
        (&[("prisma/migrations/20240101000000_a/migration.sql", sqlx), ("prisma/migrations/migration_lock.toml", "provider = \"postgresql\"\n")], "dir = \"prisma/migrations\"\nengine = \"postgres\"\nlayout = \"prisma\"\n"),
        (&[("src/main/resources/db/migration/postgresql/V1__a.sql", sqlx)], ""),
        (&[("migrations/V1_a.sql", ADD), ("db/migrations/V1_a.sql", ADD)], ""),
    ];
    let mut told = String::new();
    for (files, expected) in cases {
        let project = folder(files);
        let ran = migrate(project.path(), &["init"]);
        if expected.is_empty() {
            told.push_str(&format!("{}exit {}\n", ran.err, ran.code));
            assert!(!project.path().join("migrate.toml").exists());
        } else {
            assert_eq!((ran.code, ran.err.as_str()), (0, ""));
            let settings = fs::read_to_string(project.path().join("migrate.toml")).unwrap();
            assert!(settings.starts_with(expected), "{settings}");
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn settings_that_stand_are_left_alone() {
    let project = folder(&[("migrate.toml", "engine = \"sqlite\"\n"), ("app/migrations/V1_a.sql", ADD)]);
    for below in ["", "app"] {
        let ran = migrate(&project.path().join(below), &["init", "--engine", "postgres"]);
        assert!(ran.code == 2 && ran.err.contains("migrate.toml is there already"), "{}", ran.err);
    }
    assert_eq!(fs::read_to_string(project.path().join("migrate.toml")).unwrap(), "engine = \"sqlite\"\n");
    assert!(!project.path().join("app/migrate.toml").exists());
}

#[test]
fn sqitch_keeps_its_plan_in_the_projects_folder() {
    let project = tempfile::tempdir().unwrap();
    for (path, text) in texts(&root().join("fixtures/layouts/sqitch")) {
        let path = project.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let ran = migrate(project.path(), &["init", "--engine", "sqlite"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(fs::read_to_string(project.path().join("migrate.toml")).unwrap().starts_with("dir = \".\"\nengine = \"sqlite\"\nlayout = \"sqitch\"\n"));
    assert_eq!(migrate(project.path(), &["check"]).code, 0);
}
