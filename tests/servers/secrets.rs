//! No password, nor a part of one, is ever printed.

use crate::runner::{apply, opening, step};
use crate::support::{each_engine, wait};
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
