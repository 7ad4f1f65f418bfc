//! No password, nor a part of one, is ever printed.

use crate::runner::{apply, opening, step};
use crate::support::{alone_on_the_server, database, each_engine, wait};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use unmigrate::engine::Engine;
use unmigrate::exit::Exit;
use unmigrate::migration::Direction;
use unmigrate::run::{self, Opening};

/// `p@ss:w/ör#d%` and the pieces that a careless parser would make of it.
const ENCODED: &str = "p%40ss%3Aw%2F%C3%B6r%23d%25";
const PLAIN: &str = "p@ss:w/ör#d%";
const PIECES: [&str; 7] = [ENCODED, PLAIN, "p@ss", "ss:w", "ör#d", "%C3%B6r", "p%40ss"];

fn assert_silent(text: &str) {
    for piece in PIECES {
        assert!(!text.contains(piece), "{piece} stands in: {text}");
    }
}

#[test]
fn a_wrong_or_malformed_password_is_not_repeated() {
    each_engine(|database| {
        if database.engine == Engine::Sqlite {
            return;
        }
        let name = database.engine.name();
        for (url, exit) in [
            (database.url_as("root", ENCODED), Exit::Unreachable),
            (format!("{name}://root:{ENCODED}@127.0.0.1:1/d"), Exit::Unreachable),
            (format!("{name}://root:{ENCODED}@no-such-host.invalid/d"), Exit::Unreachable),
            (format!("{name}://root:{PLAIN}@127.0.0.1:1/d"), Exit::Usage),
            (format!("{name}://root:{PLAIN}"), Exit::Usage),
            (format!("{name}:root:{PLAIN}@h"), Exit::Usage),
            (format!("{name}://root:{ENCODED}@127.0.0.1:1/d?sslmode={ENCODED}"), Exit::Usage),
        ] {
            let error = wait(run::connect(database.engine, &url, &Opening { read_only: true, ..opening() })).err().unwrap_or_else(|| panic!("{url} connects"));
            assert_eq!(error.exit(), exit, "{url}: {error}");
            assert_silent(&format!("{error}\n{error:?}"));
        }
    });
}

#[test]
fn a_right_password_of_special_characters_works_and_its_statement_stays_silent() {
    each_engine(|database| {
        let (create, broken) = match database.engine {
            Engine::Sqlite => return,
            Engine::Postgres => (format!("CREATE ROLE special LOGIN PASSWORD '{PLAIN}'"), format!("CREATE ROLE other\nLOGIN PASSWORD '{PLAIN}' '{PLAIN}'")),
            _ => (format!("CREATE USER special@localhost IDENTIFIED BY '{PLAIN}'"), format!("CREATE USER other IDENTIFIED BY '{PLAIN}' '{PLAIN}'")),
        };
        database.execute(&create);
        if database.engine.is_mysql_like() {
            database.execute("GRANT ALL ON *.* TO special@localhost");
        }
        let url = database.url_as("special", ENCODED);
        let step = step(database, "1", Direction::Up, &[&broken]);
        wait(async {
            let looking = Opening { read_only: true, ..opening() };
            run::connect(database.engine, &url, &looking).await.unwrap_or_else(|error| panic!("{error}")).close().await;
        });
        let error = apply(database, vec![step]).expect_err("broken");
        assert_eq!(error.exit(), Exit::PartWay);
        assert_silent(&format!("{error}\n{error:?}"));
    });
}

/// Exit code and standard error of `migrate status` on the database at `url`, with a password file that holds `line`.
fn status(url: &str, line: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("V1_x.sql"), "-- UP\nSELECT 1;\n-- DOWN\nSELECT 1;\n").expect("a file");
    let passwords = folder.path().join("passwords");
    std::fs::write(&passwords, line).expect("a file");
    std::fs::set_permissions(&passwords, std::fs::Permissions::from_mode(0o600)).expect("ours");
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.arg("status").arg("--dir").arg(folder.path()).env("DATABASE_URL", url).env("PGPASSFILE", &passwords).env_remove("PGPASSWORD");
    let output = command.output().expect("it runs");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

#[test]
fn postgres_takes_a_password_from_the_users_file() {
    let Some(database) = database(Engine::Postgres) else { return };
    let _alone = alone_on_the_server(Engine::Postgres);
    let (plain, escaped) = (r"p@ss:w\ör#d%", r"p@ss\:w\\ör#d%");
    database.execute(&format!("CREATE ROLE filed LOGIN PASSWORD '{plain}'"));
    let url = database.url_as("filed", "x").replacen(":x@", "@", 1);
    let name = database.name();
    assert_eq!(status(&url, &format!("# a comment\n*:*:other:filed:wrong\n*:*:{name}:filed:{escaped}\n")), (Some(0), String::new()));
    for line in ["", &format!("*:*:other:filed:{escaped}\n"), &format!("*:*:*:*:p@ss:{escaped}\n")] {
        let (code, told) = status(&url, line);
        assert_eq!(code, Some(7), "{line}: {told}");
        assert_silent(&told);
    }
}

/// The PostgreSQL of these tests speaks no TLS; who insists on it gets no connection without.
#[test]
fn tls_that_the_url_asks_for_is_not_done_without() {
    let Some(database) = database(Engine::Postgres) else { return };
    for (mode, expected) in [("require", 7), ("verify-ca", 7), ("verify-full", 7), ("prefer", 0), ("disable", 0)] {
        let (code, told) = status(&format!("{}&sslmode={mode}", database.url), "");
        assert_eq!(code, Some(expected), "{mode}: {told}");
        let words = "no TLS connection: server does not support TLS; the database URL's sslmode";
        assert_eq!(told.contains(words), expected == 7, "{mode}: {told}");
    }
}
