//! What stops a command before anything was touched: exit code 2, what is wrong and where, and what to do next.

use super::support::{folder, migrate};

/// Files, arguments, what stands on stderr.
type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str], &'static str);

const SQLITE: &[&str] = &["check", "--engine", "sqlite"];

#[rustfmt::skip]
const CASES: [Case; 19] = [
    ("no folder", &[], &["check"],
"error: migrations: no such folder
  = help: name the folder of migrations with `--dir`, or make the first migration with `migrate new NAME`
"),
    ("an empty folder", &[("migrations/.keep", "")], &["check"],
"error: migrations: holds no migrations; it is empty
  = help: make the first migration with `migrate new NAME`, or name another folder with `--dir`
"),
    ("a folder that does not say its engine", &[("migrations/V1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n")], &["check"],
"error: which engine are the migrations in migrations for?
  = help: say `--engine ENGINE` (sqlite, postgres, mysql, mariadb), or `engine = \"…\"` in migrate.toml
"),
    ("files of two engines", &[("migrations/1_a.mysql.up.sql", "SELECT 1;"), ("migrations/1_a.postgres.up.sql", "SELECT 1;")], &["check"],
"error: the migrations in migrations are for more than one engine: postgres, mysql
  = help: say `--engine ENGINE` (sqlite, postgres, mysql, mariadb), or `engine = \"…\"` in migrate.toml
"),
    ("an unknown engine", &[], &["check", "--engine", "oracle"],
"error: invalid value 'oracle' for '--engine <ENGINE[@RELEASE]>': the engines are sqlite, postgres, mysql, mariadb

For more information, try '--help'.
"),
    ("an unknown layout", &[], &["check", "--layout", "rails"],
"error: `rails` is not a layout
  = help: the layouts are native, sqlx, golang-migrate, diesel, dbmate, goose, sql-migrate, refinery, flyway, sqitch, prisma
"),
    ("DOWN without UP", &[("migrations/1_a.up.sql", "SELECT 1;"), ("migrations/2_b.down.sql", "SELECT 1;")], SQLITE,
"error: 2_b.down.sql: DOWN of version 2, but there is no UP of that version
  = help: add the UP file of that version, or delete the DOWN file
"),
    ("an unknown directive", &[("migrations/V1_a.sql", "-- UP\n-- migrate: alow drop-column \"x\"\nSELECT 1;\n-- DOWN\n")], SQLITE,
"error: V1_a.sql:2: unknown directive `migrate: alow`; known are `-- migrate: no-transaction` and `-- migrate: allow RULE \"reason\"`
  = help: use one of those; a comment that is no directive must not begin with `migrate:` (write `-- note: migrate …`)
"),
    ("an allow without a reason", &[("migrations/V1_a.sql", "-- migrate: allow drop-column\n-- UP\nSELECT 1;\n-- DOWN\n")], SQLITE,
"error: V1_a.sql:1: `allow` needs a rule and a reason in double quotes
  = help: write `-- migrate: allow drop-column \"why it is all right\"`
"),
    ("an allow of no rule", &[("migrations/V1_a.sql", "-- migrate: allow drop-colum \"x\"\n-- UP\nSELECT 1;\n-- DOWN\n")], SQLITE,
"error: V1_a.sql:1: `drop-colum` is not a rule
  = help: `migrate rules` lists codes and names
"),
    ("two migrations of one version, to run", &[("migrations/V1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n"), ("migrations/V1_b.sql", "-- UP\nSELECT 1;\n-- DOWN\n")],
        &["up", "--database", "sqlite:never.db"],
"error: V1_a.sql and V1_b.sql have the same version, 1
  = help: give one of them a version of its own, the one that no database has run yet
"),
    ("a setting that is none", &[("migrate.toml", "dir = \"migrations\"\negnine = \"sqlite\"\n")], &["check"],
"error: migrate.toml:2: unknown field `egnine`, expected one of `dir`, `engine`, `version`, `layout`, `history-table`, `schema`, `gate`, `attestation`, `pin`, `run`
  = help: the README lists the settings and the values that they take
"),
    ("a level that is none", &[("migrate.toml", "[gate]\n\nloss = \"no\"\n")], &["check"],
"error: migrate.toml:3: unknown variant `no`, expected one of `deny`, `require-attestation`, `warn`, `allow`
  = help: the README lists the settings and the values that they take
"),
    ("a rule that is none", &[("migrate.toml", "[gate.rules]\nfoo = \"deny\"\n")], &["check"],
"error: migrate.toml: `foo` in [gate.rules] is not a rule
  = help: `migrate rules` lists codes and names
"),
    ("settings that are not there", &[], &["check", "--config", "else.toml"],
"error: cannot read else.toml: No such file or directory (os error 2)
  = help: name the settings' file with `--config FILE`, or leave that out
"),
    ("no database", &[("migrations/V1_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n")], &["status"],
"error: which database?
  = help: give `--database URL` or set DATABASE_URL; `sqlite:FILE` needs no server
"),
    ("a URL without an engine", &[], &["status", "--database", "shop.db"],
"error: the database's URL has no scheme that names an engine
  = help: begin it with one of sqlite, postgres, mysql, mariadb, and a colon
"),
    ("a rule to explain that is none", &[], &["explain", "drop-colum"],
"error: `drop-colum` is neither a rule nor a topic
  = help: `migrate rules` lists codes and names; the topics are history, half-done, recover, attestation and adopt
"),
    ("a name that is none", &[], &["new", "a/b"],
"error: `a/b` cannot be part of a file's name
  = help: use letters, digits, `_` and `-`
"),
];

#[test]
fn errors_say_what_where_and_what_to_do() {
    for (what, files, arguments, expected) in CASES {
        let folder = folder(files);
        let ran = migrate(folder.path(), arguments);
        assert_eq!((ran.err.as_str(), ran.out.as_str(), ran.code), (expected, "", 2), "{what}");
        assert!(!folder.path().join("never.db").exists(), "{what}: nothing was touched");
    }
}
