//! `down --save-lost`: what DOWN destroys is copied first, and after a new UP the file puts all of it back, whatever the values.

use crate::recover::{migrate, migrated};
use crate::support::{Database, each_engine};
use std::path::Path;
use tempfile::TempDir;
use unmigrate::engine::Engine;

/// What an engine has of types, and values that are easily lost on the way.
fn odd(engine: Engine) -> (&'static str, &'static [&'static str]) {
    match engine {
        Engine::Sqlite => (
            "a TEXT, b BLOB, c INTEGER, d REAL, e",
            &[
                "'it''s \"odd\" \\ and\nlong;\n-- no comment', X'00FF27', 9223372036854775807, 0.1, 1",
                "NULL, NULL, NULL, NULL, NULL",
                "'', X'', -1, 1e300, 'text'",
                "'ü€😀', X'0A', 0, -1.7976931348623157e308, X'01'",
                "'a' || char(0) || 'b', NULL, NULL, NULL, char(0)",
            ],
        ),
        Engine::Postgres => (
            "a text, b bytea, c numeric(30, 10), d double precision, e timestamptz, f jsonb, g int[], h interval",
            &[
                "'it''s \"odd\" \\ and\nlong;\n-- no comment', '\\x00ff27', 12345678901234567890.0123456789, 0.1, '2024-03-31 02:30:00.123456+01', '{\"a\": [1, null]}', \
                 '{1,NULL,3}', '1 mon 2 days 03:04:05.6'",
                "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
                "'', '', -1, 'Infinity', 'infinity', 'null', '{}', '0'",
                "'ü€😀', '\\x0a', 'NaN', 5e-324, '0001-01-01 00:00:00 BC', '\"x\"', '{{1,2},{3,4}}', '-1 year'",
            ],
        ),
        Engine::Mysql | Engine::Mariadb => (
            "a text CHARACTER SET utf8mb4, b varbinary(20), c decimal(30, 10), d double, e timestamp(6) NULL, f bit(9), g float, h longtext",
            &[
                "'it''s \"odd\" \\\\ and\nlong;\n-- no comment', X'00FF27', 12345678901234567890.0123456789, 0.1, '2024-03-31 02:30:00.123456', b'101000001', 0.1, '{}'",
                "NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL",
                "'', X'', -1, 1e300, '1970-01-02 00:00:00', b'0', 16777216, ''",
                "'ü€😀', X'0A', 0.0000000001, -1.7976931348623157e308, '2038-01-01 00:00:00', b'1', 3.4e38, 'x'",
            ],
        ),
    }
}

fn project(engine: Engine) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    let (columns, _) = odd(engine);
    let own = |text: &str| std::fs::write(folder.path().join("migrations/V2_more.sql"), text).unwrap();
    // To be put back is no change.
    let changed = match engine {
        Engine::Sqlite | Engine::Postgres => "changed timestamp DEFAULT '2020-01-01 00:00:00'",
        Engine::Mysql | Engine::Mariadb => "changed timestamp NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP",
    };
    std::fs::write(
        folder.path().join("migrations/V1_make.sql"),
        format!("-- UP\nCREATE TABLE users (id int, part varchar(10), name varchar(20), {changed}, PRIMARY KEY (part, id));\n-- DOWN\nDROP TABLE users;\n"),
    )
    .unwrap();
    let serial = match engine {
        Engine::Sqlite => "INTEGER PRIMARY KEY",
        Engine::Postgres => "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
        Engine::Mysql | Engine::Mariadb => "bigint PRIMARY KEY AUTO_INCREMENT",
    };
    // To a collation, an X may be an x.
    let collated = match engine {
        Engine::Sqlite => " COLLATE NOCASE",
        Engine::Postgres => "",
        Engine::Mysql | Engine::Mariadb => " CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci",
    };
    own(&format!(
        "-- UP\nCREATE TABLE odd (id int PRIMARY KEY, {columns});\nCREATE TABLE owner (id {serial}, name varchar(20));\n\
         CREATE TABLE pet (id int PRIMARY KEY, owner bigint, FOREIGN KEY (owner) REFERENCES owner (id));\n\
         INSERT INTO odd (id) VALUES (99);\nALTER TABLE users ADD COLUMN mail varchar(50);\nALTER TABLE users ADD COLUMN level int DEFAULT 5;\n\
         ALTER TABLE users ADD COLUMN tone varchar(10){collated} DEFAULT 'x';\n\
         -- DOWN\nALTER TABLE users DROP COLUMN tone;\nALTER TABLE users DROP COLUMN level;\nALTER TABLE users DROP COLUMN mail;\nDROP TABLE pet;\nDROP TABLE owner;\nDROP TABLE odd;\n"
    ));
    folder
}

/// Every cell, as the engine itself writes it.
fn held(database: &Database) -> Vec<String> {
    let count = odd(database.engine).0.split(", ").filter(|column| !column.starts_with(|c: char| c.is_ascii_digit())).count();
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let all = match database.engine {
        Engine::Sqlite => names[..count].iter().map(|name| format!("quote({name})")).collect::<Vec<_>>().join(" || ','  || "),
        Engine::Postgres => String::from("(odd.*)::text"),
        Engine::Mysql | Engine::Mariadb => {
            format!("CONCAT_WS(',', {})", names[..count].iter().map(|name| format!("COALESCE(HEX(CONCAT({name}, '')), '-')")).collect::<Vec<_>>().join(", "))
        }
    };
    let text = if database.engine.is_mysql_like() { "char" } else { "text" };
    let cast = |name: &str| format!("COALESCE(CAST({name} AS {text}), '-')");
    let joined = |names: &[&str]| {
        let cells: Vec<String> = names.iter().map(|name| cast(name)).collect();
        if database.engine.is_mysql_like() { format!("CONCAT_WS(':', {})", cells.join(", ")) } else { cells.join(" || ':' || ") }
    };
    [
        database.query(&format!("SELECT {all} FROM odd ORDER BY id")),
        database.query(&format!("SELECT {} FROM users ORDER BY part, id", joined(&["id", "part", "mail", "level", "tone", "changed"]))),
        database.query(&format!("SELECT {} FROM owner ORDER BY id", joined(&["id", "name"]))),
        database.query(&format!("SELECT {} FROM pet ORDER BY id", joined(&["id", "owner"]))),
    ]
    .concat()
}

/// The plain client, which reads from its standard input and stops at the first error.
pub(crate) fn client(database: &Database) -> std::process::Command {
    let socket = database.url.split("socket=").nth(1).unwrap_or_default();
    let (program, arguments) = match database.engine {
        Engine::Sqlite => ("sqlite3", vec!["-bail".to_owned(), database.url.strip_prefix("sqlite:").unwrap().to_owned()]),
        Engine::Postgres => ("psql", ["-Xq", "-v", "ON_ERROR_STOP=1", &database.url].map(str::to_owned).into()),
        engine => {
            let more = ["--no-defaults", "--user=root", "--default-character-set=utf8mb4"].map(str::to_owned);
            let words = more.into_iter().chain([format!("--socket={socket}"), database.name().to_owned()]);
            (if engine == Engine::Mysql { "mysql" } else { "mariadb" }, words.collect())
        }
    };
    let mut command = std::process::Command::new(program);
    command.args(arguments).env("MYSQL_PWD", crate::support::PASSWORD);
    command
}

fn put_back(database: &Database, file: &Path) {
    let output = client(database).stdin(std::fs::File::open(file).expect("the file")).output().expect("the client starts");
    assert!(output.status.success(), "{}\n{}", String::from_utf8_lossy(&output.stderr), std::fs::read_to_string(file).unwrap());
}

#[test]
fn what_a_down_destroys_comes_back_after_a_new_up() {
    each_engine(|database| {
        let folder = project(database.engine);
        migrated(folder.path(), &database.url, &["up"]);
        for (id, values) in odd(database.engine).1.iter().enumerate() {
            database.execute(&format!("INSERT INTO odd VALUES ({id}, {values})"));
        }
        for sql in [
            "INSERT INTO users (id, part, name, mail, level, tone) VALUES (1, 'x''y', 'ann', 'a@b', 7, 'X'), (1, 'z', 'bob', NULL, NULL, 'x '), (2, 'z', 'cleo', '', 5, 'x')",
            "INSERT INTO owner (name) VALUES ('p'), ('q')",
            "INSERT INTO pet VALUES (1, 2), (2, NULL)",
        ] {
            database.execute(sql);
        }
        let before = held(database);
        let refused = migrate(folder.path(), &database.url, &["down", "--steps", "1"]);
        assert_eq!(refused.code, 3, "{}", refused.err);
        // A folder that holds something is somebody's.
        let lost = folder.path().join("lost");
        std::fs::create_dir(&lost).unwrap();
        std::fs::write(lost.join("mine"), "").unwrap();
        let refused = migrate(folder.path(), &database.url, &["down", "--steps", "1", "--save-lost", "lost"]);
        assert_eq!((refused.code, refused.err.contains("the folder is not empty; nothing was touched")), (2, true), "{}", refused.err);
        assert_eq!(held(database), before);
        std::fs::remove_file(lost.join("mine")).unwrap();
        let said = migrated(folder.path(), &database.url, &["down", "--steps", "1", "--save-lost", "lost"]);
        assert!(said.contains("saved column users.mail: 2 rows\n") && said.contains("saved table odd: "), "{said}");
        assert!(said.contains("lost/put-back.sql puts it back after a new `migrate up`\n") && said.ends_with("1 migration undone\n"), "{said}");
        migrated(folder.path(), &database.url, &["up"]);
        assert_ne!(held(database), before);
        put_back(database, &lost.join("put-back.sql"));
        assert_eq!(held(database), before);
        // It may be said again, and what hands out numbers goes on.
        put_back(database, &lost.join("put-back.sql"));
        assert_eq!(held(database), before);
        database.execute("INSERT INTO owner (name) VALUES ('r')");
        assert_eq!(database.query("SELECT name FROM owner WHERE id = 3"), ["r"]);
    });
}

#[test]
fn where_no_key_leads_back_nothing_is_destroyed() {
    each_engine(|database| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join("migrations").join(name), text).unwrap();
        write("V1_make.sql", "-- UP\nCREATE TABLE log (line varchar(20));\n-- DOWN\nDROP TABLE log;\n");
        write("V2_more.sql", "-- UP\nALTER TABLE log ADD COLUMN level int;\n-- DOWN\nALTER TABLE log DROP COLUMN level;\n");
        migrated(folder.path(), &database.url, &["up"]);
        database.execute("INSERT INTO log VALUES ('a', 1)");
        let refused = migrate(folder.path(), &database.url, &["down", "--steps", "1", "--save-lost", "lost"]);
        assert_eq!((refused.code, refused.err.contains("no primary key leads back to the rows")), (2, true), "{}", refused.err);
        assert_eq!(database.query("SELECT line FROM log WHERE level = 1"), ["a"]);
    });
}
