//! Every layout by its example in `fixtures/layouts`: found by its shape, and read as its tool reads it.

use std::path::{Path, PathBuf};
use unmigrate::engine::Engine;
use unmigrate::migration::{Migration, Script};
use unmigrate::read::{self, Layout};

fn folder(layout: Layout) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/layouts").join(layout.name())
}

/// `line: first statement's line` of each stretch, with `no-tx` where the script runs outside of a transaction.
fn script(script: &Script) -> String {
    let first = |text: &str| text.lines().find(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--")).unwrap_or("-").to_owned();
    let stretches: Vec<_> = script.segments.iter().map(|s| format!("{}: {}", s.first_line, first(&s.text))).collect();
    format!("{}{}", if script.no_transaction { "no-tx " } else { "" }, stretches.join(" + "))
}

fn line(m: &Migration) -> String {
    let mut line = format!("{} {} | {} {}", m.version, m.name, m.path, script(&m.up));
    if let Some(down) = &m.down {
        line += &format!(" | {} {}", m.down_path.as_deref().unwrap_or("same"), script(down));
    }
    line
}

/// Reads the example without naming its layout, and compares migrations and notes (`code path`).
#[track_caller]
fn is(layout: Layout, engine: Engine, migrations: &[&str], notes: &[&str]) -> Vec<Migration> {
    let loaded = read::load(&folder(layout), None, engine).unwrap();
    assert_eq!(loaded.layout, layout);
    assert_eq!(loaded.migrations.iter().map(line).collect::<Vec<_>>(), migrations);
    assert_eq!(loaded.notes.iter().map(|n| format!("{} {}", n.code, n.path.as_deref().unwrap_or("folder"))).collect::<Vec<_>>(), notes);
    loaded.migrations
}

#[test]
fn native() {
    let read = is(
        Layout::Native,
        Engine::Postgres,
        &[
            "20240115 Add_Notes | V20240115_Add_Notes.sql 7: CREATE TABLE notes ( | same 14: DROP TABLE notes;",
            "20240116 Drop_Body | V20240116_Drop_Body.sql 2: ALTER TABLE notes DROP COLUMN body; | same no-tx 7: -",
            "20240117 Add_Function | V20240117_Add_Function.sql 2: CREATE FUNCTION f() RETURNS text AS $$ | same 10: DROP FUNCTION f();",
            "20240118 Add_Index | V20240118_Add_Index.sql 1: CREATE INDEX notes_id ON notes (id);",
        ],
        &["ignored scratch.sql"],
    );
    assert_eq!(
        read[0].up.segments[0].text,
        "CREATE TABLE notes (\n    id INTEGER PRIMARY KEY,\n    body TEXT\n);\n\n-- =====================================\n"
    );
    assert_eq!(read[1].irreversible.as_deref(), Some("the bodies are gone; restore them from the archive"));
    let allows: Vec<_> = read[1].allows.iter().map(|a| (a.rule.as_str(), a.reason.as_str(), a.line)).collect();
    assert_eq!(allows, [("drop-column", "copied to the archive in May", 2)]);
}

#[test]
fn sqlx() {
    let read = is(
        Layout::Sqlx,
        Engine::Postgres,
        &[
            "0001 users | 0001_users.up.sql 1: CREATE TABLE users (id BIGINT PRIMARY KEY); | 0001_users.down.sql 1: DROP TABLE users;",
            "0002 users_idx | 0002_users_idx.up.sql no-tx 1: CREATE INDEX CONCURRENTLY users_idx ON users (id); \
             | 0002_users_idx.down.sql no-tx 1: DROP INDEX CONCURRENTLY users_idx;",
            // A blank before the marker: sqlx does not see it.
            "0003 more | 0003_more.sql 1: ALTER TABLE users ADD COLUMN email TEXT;",
        ],
        &[],
    );
    assert_eq!(read[0].irreversible.as_deref(), Some("nothing, really"));
}

#[test]
fn golang_migrate_with_engines_in_names() {
    let users = "20210410175418000025 users | 20210410175418000025_users.up.sql 1: CREATE TABLE users (id INT); \
                 | 20210410175418000025_users.down.sql 1: DROP TABLE users;";
    let network = |file: &str, ty: &str| {
        format!(
            "20210410175418000026 network | 20210410175418000026_network.{file} 1: ALTER TABLE users ADD COLUMN network {ty}; \
             | 20210410175418000026_network.down.sql 1: ALTER TABLE users DROP COLUMN network;"
        )
    };
    let idx = "20210410175418000027 idx | 20210410175418000027_idx.postgres.autocommit.up.sql no-tx 1: CREATE INDEX CONCURRENTLY idx ON users (network); \
               | 20210410175418000027_idx.down.sql 1: DROP INDEX idx;";
    let more = "20210410175418000028 more | 20210410175418000028_more.mariadb.up.sql 1: ALTER TABLE users ENGINE = InnoDB;";
    let notes = ["code 20210410175418000029_code.up.go", "other-engine folder"];
    is(Layout::GolangMigrate, Engine::Postgres, &[users, &network("up.sql", "UUID"), idx], &notes);
    is(Layout::GolangMigrate, Engine::Sqlite, &[users, &network("sqlite3.up.sql", "TEXT")], &notes);
    is(Layout::GolangMigrate, Engine::Mysql, &[users, &network("mysql.up.sql", "CHAR(36)")], &notes);
    is(Layout::GolangMigrate, Engine::Mariadb, &[users, &network("mysql.up.sql", "CHAR(36)"), more], &notes);
    assert_eq!(read::engines_in_names(&folder(Layout::GolangMigrate)), Engine::ALL);
}

#[test]
fn diesel() {
    is(
        Layout::Diesel,
        Engine::Postgres,
        &[
            "00000000000000 setup | 00000000000000_setup/up.sql 1: SELECT 1;",
            "20231231235959-0000 older | 2023-12-31-235959-0000_older/up.sql 1: SELECT 2; | 2023-12-31-235959-0000_older/down.sql 1: SELECT 3;",
            "20240115120000 users | 2024-01-15-120000_users/up.sql 1: CREATE TABLE users (id INT); | 2024-01-15-120000_users/down.sql 1: DROP TABLE users;",
            "20240115120000-0000 index | 2024-01-15-120000-0000_index/up.sql no-tx 1: CREATE INDEX CONCURRENTLY i ON users (id); \
             | 2024-01-15-120000-0000_index/down.sql no-tx 1: DROP INDEX CONCURRENTLY i;",
            "20240116120000 empty_metadata | 2024-01-16-120000_empty_metadata/up.sql no-tx 1: SELECT 4;",
        ],
        &["ignored dump.sql", "ignored 2024-01-17-120000_nothing"],
    );
}

#[test]
fn dbmate() {
    is(
        Layout::Dbmate,
        Engine::Postgres,
        &[
            "20240115 users | 20240115_users.sql 2: CREATE TABLE users (id INT); | same 5: DROP TABLE users;",
            "20240116 index | 20240116index.sql no-tx 2: CREATE INDEX CONCURRENTLY i ON users (id); + 9: SELECT 1; | same 6: DROP INDEX i;",
        ],
        &[],
    );
}

#[test]
fn goose() {
    is(
        Layout::Goose,
        Engine::Postgres,
        &[
            "00001 users | 00001_users.sql 3: CREATE FUNCTION f() RETURNS void AS $$ | same 12: DROP FUNCTION f();",
            "00002 index | 00002_index.sql no-tx 3: CREATE INDEX CONCURRENTLY i ON users (id); | same no-tx 5: DROP INDEX i;",
        ],
        &["code 00003_code.go"],
    );
}

#[test]
fn sql_migrate() {
    is(
        Layout::SqlMigrate,
        Engine::Postgres,
        &[
            "1746876412  | 1746876412.sql no-tx 2: CREATE TABLE a (id INT); + 6: CREATE TABLE b (id INT); | same 4: DROP TABLE a; + 8: DROP TABLE b;",
            "1746876413 more | 1746876413-more.sql 4: CREATE TABLE c (id INT); | same 2: DROP TABLE c;",
        ],
        &[],
    );
}

#[test]
fn refinery_runs_u_files_forward() {
    is(
        Layout::Refinery,
        Engine::Sqlite,
        &[
            "1 users | V1__users.sql 1: CREATE TABLE users (id INT);",
            "3 index | sub/V3__index.sql 1: CREATE INDEX i ON users (id);",
            "4 free_order | U4__free_order.sql 1: CREATE TABLE late (id INT);",
        ],
        &["code V2__code.rs", "other-engine folder"],
    );
}

#[test]
fn flyway_undoes_with_u_files() {
    let files = |engine: &str, change: &str| {
        vec![
            "1 users | V1__users.sql 1: CREATE TABLE users (id INT); | U1__users.sql 1: DROP TABLE users;".to_owned(),
            "1.2 email | V1.2__email.sql 1: ALTER TABLE users ADD COLUMN email TEXT;".to_owned(),
            "1_10 index | later/V1_10__index.sql no-tx 1: CREATE INDEX CONCURRENTLY i ON users (email);".to_owned(),
            format!("2 engine | {engine}/V2__engine.sql 1: ALTER TABLE users {change};"),
        ]
    };
    for (engine, expected) in [(Engine::Postgres, files("postgresql", "SET LOGGED")), (Engine::Mariadb, files("mysql", "ENGINE = InnoDB"))] {
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        is(Layout::Flyway, engine, &expected, &["baseline B1__base.sql", "repeatable R__view.sql", "ignored V3_one_underscore.sql"]);
    }
}

#[test]
fn sqitch_goes_by_its_plan() {
    is(
        Layout::Sqitch,
        Engine::Postgres,
        &[
            "1 users | deploy/users@v1.sql 1: CREATE TABLE users (id INT); | revert/users@v1.sql 1: DROP TABLE users;",
            "2 roles/admin | deploy/roles/admin.sql 1: CREATE ROLE admin;",
            "3 users | deploy/users.sql 1: CREATE TABLE IF NOT EXISTS users (id INT); | revert/users.sql 1: DROP TABLE IF EXISTS users;",
        ],
        &[],
    );
}

#[test]
fn prisma_only_goes_forward() {
    is(
        Layout::Prisma,
        Engine::Postgres,
        &[
            "0 init | 0_init/migration.sql 1: CREATE TABLE users (id INT);",
            "20240115120000 email | 20240115120000_email/migration.sql 1: ALTER TABLE users ADD COLUMN email TEXT;",
        ],
        &[],
    );
}

#[test]
fn a_named_layout_wins_over_the_shape() {
    let loaded = read::load(&folder(Layout::Dbmate), Some(Layout::Goose), Engine::Postgres).unwrap_err();
    assert_eq!((loaded.code(), loaded.paths()), ("marker-missing", vec!["20240115_users.sql"]));
    let loaded = read::load(&folder(Layout::Refinery), Some(Layout::Flyway), Engine::Sqlite).unwrap_err();
    assert_eq!((loaded.code(), loaded.paths()), ("down-without-up", vec!["U4__free_order.sql"]));
}
