//! `plan … --script`: run by the plain client, the script leaves the database and the history as our own run does, and stops where the history is
//! not what it was.

use crate::recover::{Ran, migrate, migrated};
use crate::save_lost::client;
use crate::support::{Database, database, engines};
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;
use unmigrate::engine::Engine;

fn project(engine: Engine) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    let write = |name: &str, up: &str, down: &str| {
        std::fs::write(folder.path().join(format!("migrations/{name}.sql")), format!("-- UP\n{up}\n-- DOWN\n{down}\n")).unwrap()
    };
    write(
        "V1_make",
        "CREATE TABLE users (id int PRIMARY KEY, name varchar(40)); -- it's a comment; with a semicolon\nINSERT INTO users VALUES (1, 'it''s \\ odd;'), (2, NULL);",
        "DROP TABLE users;",
    );
    write("V2_more", "ALTER TABLE users ADD COLUMN level int DEFAULT 3;\nUPDATE users SET level = 4 WHERE id = 1;", "ALTER TABLE users DROP COLUMN level;");
    let (up, down) = match engine {
        Engine::Sqlite => (
            "PRAGMA foreign_keys = OFF;\nCREATE TABLE n (id int PRIMARY KEY, name varchar(40) NOT NULL DEFAULT 'x', level int DEFAULT 3);\n\
             INSERT INTO n SELECT id, coalesce(name, '-'), level FROM users;\nDROP TABLE users;\nALTER TABLE n RENAME TO users;\nPRAGMA foreign_keys = ON;\n\
             CREATE TRIGGER touch AFTER UPDATE ON users BEGIN UPDATE users SET level = 1 WHERE id = 1; DELETE FROM users WHERE id = 99; END;",
            "DROP TRIGGER touch;",
        ),
        Engine::Postgres => (
            "CREATE INDEX CONCURRENTLY users_name ON users (name);\nCREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;",
            "DROP FUNCTION f;\nDROP INDEX users_name;",
        ),
        Engine::Mysql | Engine::Mariadb => (
            "CREATE INDEX users_name ON users (name);\nINSERT INTO users (id, name) VALUES (7, 'seven');\nDELIMITER //\nCREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END//\nDELIMITER ;",
            "DROP PROCEDURE p;\nDELETE FROM users WHERE id = 7;\nDROP INDEX users_name ON users;",
        ),
    };
    write("V3_own", up, down);
    folder
}

/// What must be the same: the history but for who, where and when; what the journal says to stand; the rows.
fn held(database: &Database) -> Vec<String> {
    let text = |name: &str| {
        if database.engine.is_mysql_like() { format!("COALESCE(CAST({name} AS CHAR), '-')") } else { format!("COALESCE(CAST({name} AS TEXT), '-')") }
    };
    let joined = |names: &[&str]| {
        let cells: Vec<String> = names.iter().map(|name| text(name)).collect();
        if database.engine.is_mysql_like() { format!("CONCAT_WS('|', {})", cells.join(", ")) } else { cells.join(" || '|' || ") }
    };
    let history = [
        "seq",
        "version",
        "name",
        "direction",
        "outcome",
        "tool_version",
        "verdict",
        "loss",
        "up_sha256",
        "up_text",
        "down_sha256",
        "down_text",
        "down_loses",
        "pin",
        "attestation",
        "reason",
        "note",
    ];
    let mut all = database.query(&format!("SELECT {} FROM migrate_history ORDER BY seq", joined(&history)));
    all.extend(database.query(&format!("SELECT {} FROM users ORDER BY id", joined(&["id", "name"]))));
    if database.engine != Engine::Sqlite {
        all.extend(database.query(&format!(
            "SELECT {} FROM migrate_history_journal WHERE phase = 'done' ORDER BY run, entry",
            joined(&["run", "statements", "prefix_sha256"])
        )));
    }
    all
}

fn assert_same(scripted: &Database, own: &Database) {
    let (scripted, own) = (held(scripted), held(own));
    scripted.iter().zip(&own).for_each(|(scripted, own)| assert_eq!(scripted, own));
    assert_eq!(scripted.len(), own.len());
}

/// Runs the script by the plain client.
fn play(database: &Database, file: &Path) -> Ran {
    let output = client(database).stdin(Stdio::from(std::fs::File::open(file).expect("the script"))).output().expect("the client starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ran { code: output.status.code().expect("it ends by itself"), out: text(&output.stdout), err: text(&output.stderr) }
}

#[test]
fn the_script_does_what_our_own_run_does() {
    for engine in engines() {
        let (Some(own), Some(scripted)) = (database(engine), database(engine)) else { continue };
        let folder = project(engine);
        let script = |name: &str, arguments: &[&str]| {
            let said = migrated(folder.path(), &scripted.url, &[&["plan"], arguments, &["--script", name]].concat());
            assert!(said.contains("; nothing was done\n"), "{said}");
            folder.path().join(name)
        };
        migrated(folder.path(), &own.url, &["up"]);
        let up = script("up.sql", &["up"]);
        let ran = play(&scripted, &up);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{engine}: {}\n{}", ran.out, std::fs::read_to_string(&up).unwrap());
        assert_same(&scripted, &own);
        assert!(migrated(folder.path(), &scripted.url, &["status"]).contains("3 applied, 0 pending"));
        let doctor = migrate(folder.path(), &scripted.url, &["doctor"]);
        assert_eq!(doctor.code, 0, "{engine}: {}{}", doctor.out, doctor.err);
        // Said again, it finds that the history has moved on, and changes nothing.
        let before = held(&scripted);
        let again = play(&scripted, &up);
        assert_ne!(again.code, 0, "{engine}: {}", again.out);
        assert_eq!(held(&scripted), before, "{engine}");
        // What goes back is the same path.
        if engine != Engine::Sqlite {
            let down = script("down.sql", &["down", "--steps", "2", "--accept-loss", "all"]);
            migrated(folder.path(), &own.url, &["down", "--steps", "2", "--accept-loss", "all"]);
            let ran = play(&scripted, &down);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{engine}: {}\n{}", ran.out, std::fs::read_to_string(&down).unwrap());
            assert_same(&scripted, &own);
        }
        // A file that is there is somebody's.
        std::fs::write(folder.path().join("migrations/V4_last.sql"), "-- UP\nCREATE TABLE last (id int);\n-- DOWN\nDROP TABLE last;\n").unwrap();
        let refused = migrate(folder.path(), &scripted.url, &["plan", "up", "--script", "up.sql"]);
        assert_eq!((refused.code, refused.err.contains("name a new file")), (2, true), "{}", refused.err);
        // What only a copy or a pin makes good cannot be a script.
        std::fs::write(folder.path().join("migrations/V4_last.sql"), "-- UP\nDROP TABLE users;\n-- DOWN\n-- IRREVERSIBLE: gone\n").unwrap();
        std::fs::write(folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n").unwrap();
        let refused = migrate(folder.path(), &scripted.url, &["plan", "goto", "4", "--script", "last.sql"]);
        assert_eq!((refused.code, refused.err.contains("cannot be a script")), (2, true), "{}{}", refused.out, refused.err);
    }
}

/// What one step sets for its session, the next one does not find.
#[test]
fn each_step_of_a_script_finds_its_own_session() {
    for engine in engines() {
        let Some(database) = database(engine) else { continue };
        let folder = tempfile::tempdir().expect("a folder");
        let (set, look) = match engine {
            Engine::Sqlite => ("PRAGMA recursive_triggers = ON;", "SELECT recursive_triggers FROM pragma_recursive_triggers"),
            Engine::Postgres => (
                "SET search_path = pg_catalog;\nCREATE TEMPORARY TABLE seen (what text);",
                "SELECT CASE WHEN current_setting('search_path') LIKE '%public%' THEN 0 ELSE 1 END",
            ),
            Engine::Mysql | Engine::Mariadb => (
                "SET SESSION sql_mode = 'ANSI_QUOTES', foreign_key_checks = 0;\nSET @x = 1;\nCREATE TEMPORARY TABLE seen (what text);",
                "SELECT (@@sql_mode LIKE '%ANSI%') + (@@foreign_key_checks = 0) + (@x IS NOT NULL)",
            ),
        };
        let files = [("V1_make", "CREATE TABLE seen (what text);"), ("V2_set", set), ("V3_look", &format!("INSERT INTO seen {look};"))];
        for (name, up) in files {
            std::fs::write(folder.path().join(format!("{name}.sql")), format!("-- UP\n{up}\n-- DOWN\nSELECT 1;\n")).unwrap();
        }
        let file = folder.path().join("up.script");
        let plan = ["plan", "up", "--dir", ".", "--script", "up.script"];
        migrated(folder.path(), &database.url, &plan);
        let ran = play(&database, &file);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{engine}: {}\n{}", ran.out, std::fs::read_to_string(&file).unwrap());
        assert_eq!(database.query("SELECT what FROM seen"), ["0"], "{engine}");
        // What SQLite would have to look up to end it.
        if engine == Engine::Sqlite {
            for (name, up) in [("V4_temporary", "CREATE TEMPORARY TABLE x (a int);"), ("V5_after", "CREATE TABLE x (a int);")] {
                std::fs::write(folder.path().join(format!("{name}.sql")), format!("-- UP\n{up}\n-- DOWN\nSELECT 1;\n")).unwrap();
            }
            let refused = migrate(folder.path(), &database.url, &["plan", "up", "--dir", ".", "--script", "more.script"]);
            assert_eq!((refused.code, refused.err.contains("4 temporary cannot be a script")), (2, true), "{}", refused.err);
        }
    }
}
