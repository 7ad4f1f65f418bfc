//! What a script finds in its session: what the server gives everybody, and nothing that another script left.

use crate::support::{Database, alone_on_the_server, database, each_engine};
use std::process::Command;
use unmigrate::engine::Engine;

/// Runs `migrate up` with one file for each of `scripts`, as the user of `url`.
fn up(database: &Database, url: &str, scripts: &[&str]) {
    let folder = tempfile::tempdir().expect("a folder");
    for (script, version) in scripts.iter().zip(1..) {
        std::fs::write(folder.path().join(format!("V{version}_x.sql")), format!("-- UP\n{script}\n-- DOWN\nSELECT 1;\n")).expect("a file");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    let output = command.arg("up").arg("--dir").arg(folder.path()).env("DATABASE_URL", url).output().expect("it runs");
    assert!(output.status.success(), "{}: {}", database.engine, String::from_utf8_lossy(&output.stderr));
}

/// The driver begins a session with another time zone and order of day and month than `psql` does.
#[test]
fn postgres_gives_its_own_time_zone_and_date_style() {
    let Some(database) = database(Engine::Postgres) else { return };
    let _alone = alone_on_the_server(Engine::Postgres);
    let name = database.name();
    for sql in [
        "CREATE ROLE tokyo LOGIN PASSWORD 'tokyo'",
        &format!("ALTER DATABASE {name} SET TimeZone = 'America/New_York'"),
        &format!("ALTER DATABASE {name} SET datestyle = 'ISO, DMY'"),
        "CREATE TABLE seen (by text, at timestamptz, day date, zone text)",
        "CREATE SCHEMA tokyo AUTHORIZATION tokyo",
        "ALTER ROLE tokyo SET search_path = tokyo",
        "GRANT INSERT, SELECT ON seen TO tokyo",
    ] {
        database.execute(sql);
    }
    let look = "INSERT INTO seen VALUES (session_user, '2024-01-15 12:00', '02/01/2024', current_setting('TimeZone'));";
    let otherwise = format!("SET TimeZone = 'Asia/Kolkata'; SET DateStyle = 'ISO, YMD'; {}", look.replace("02/01/2024", "24/01/02"));
    let apart = format!("-- migrate: no-transaction\n{look}");
    up(&database, &database.url, &[look, &otherwise, look, &apart]);
    let seen = || database.query("SELECT concat_ws(' ', by, at AT TIME ZONE 'UTC', day, zone) FROM seen");
    let (own, other) = ("root 2024-01-15 17:00:00 2024-01-02 America/New_York", "root 2024-01-15 06:30:00 2024-01-02 Asia/Kolkata");
    assert_eq!(seen(), [own, other, own, own]);

    // The role's own wins, and the role's in this database over that; this role may not read the server's files.
    for (set, utc, zone) in [
        ("ALTER ROLE tokyo SET TimeZone = 'Asia/Tokyo'", "03:00", "Asia/Tokyo"),
        (&format!("ALTER ROLE tokyo IN DATABASE {name} SET TimeZone = 'Europe/Berlin'"), "11:00", "Europe/Berlin"),
    ] {
        database.execute("DELETE FROM seen");
        database.execute("DROP TABLE IF EXISTS tokyo.migrate_history");
        database.execute(set);
        up(&database, &database.url_as("tokyo", "tokyo"), &[&look.replace("INTO seen", "INTO public.seen")]);
        assert_eq!(seen(), [format!("tokyo 2024-01-15 {utc}:00 2024-01-02 {zone}")]);
    }
}

/// A temporary table hides the real one of its name.
#[test]
fn temporary_tables_end_with_their_script() {
    each_engine(|database| {
        let temporary = "CREATE TEMPORARY TABLE notes (id integer);";
        let block = "DO $$ BEGIN CREATE TEMPORARY TABLE notes (id integer); END $$;";
        let insert = "INSERT INTO notes VALUES ('kept');";
        let mut scripts = vec![temporary, "CREATE TABLE notes (text varchar(9));", insert, temporary, insert];
        if database.engine == Engine::Postgres {
            scripts.extend([block, insert, "-- migrate: no-transaction\nCREATE TEMPORARY TABLE notes (id integer);", insert]);
        }
        up(database, &database.url, &scripts);
        let inserted = scripts.iter().filter(|script| **script == insert).count();
        assert_eq!(database.query("SELECT text FROM notes"), vec!["kept"; inserted]);
    });
}

#[test]
fn variables_end_with_their_script() {
    each_engine(|database| {
        if !database.engine.is_mysql_like() {
            return;
        }
        let look = "SELECT CONCAT_WS(' ', @@sql_log_bin, @@foreign_key_checks, @@unique_checks, @@sql_mode, @@autocommit, @@time_zone, @@max_allowed_packet, \
                    @@group_concat_max_len, @@lock_wait_timeout, @x IS NULL)";
        database.execute("CREATE TABLE seen (at integer auto_increment primary key, what text)");
        let seen = format!("INSERT INTO seen (what) {look};");
        let set = "SET sql_log_bin = 0;\nSET SESSION foreign_key_checks = 0, unique_checks = 0;\nSET sql_mode = 'ANSI_QUOTES', @@session.group_concat_max_len = 5;\n\
                   SET @x := 1;\nSET time_zone = '+05:00';\nSET LOCAL lock_wait_timeout = 77;\nSET autocommit = 0;";
        up(database, &database.url, &[&seen, set, &seen]);
        let seen = database.query("SELECT what FROM seen ORDER BY at");
        assert_eq!(seen[0], seen[1]);
    });
}

/// A procedure that ends transactions by itself is refused inside of one.
#[test]
fn postgres_calls_outside_of_a_transaction_where_the_script_says_so() {
    let Some(database) = database(Engine::Postgres) else { return };
    let create = "CREATE TABLE seen (n integer);\nCREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (1); COMMIT; END $$;";
    let call = "-- migrate: no-transaction\nCALL fill();\nDO $$ BEGIN INSERT INTO seen VALUES (2); COMMIT; END $$;";
    up(&database, &database.url, &[create, call]);
    assert_eq!(database.query("SELECT n::text FROM seen"), ["1", "2"]);
}
