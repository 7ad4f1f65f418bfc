//! No room on the disk, and no right to write. Out: nothing half-done, and words that say why.

use super::case::Case;
use super::child::run;
use std::process::Command;
use unmigrate::engine::Engine;

const FIRST: (&str, &str) =
    ("V1_First.sql", "-- UP\nCREATE TABLE t (id INTEGER NOT NULL, filler TEXT);\nINSERT INTO t VALUES (1, 'a');\n-- DOWN\nDROP TABLE t;\n");

/// Some four megabytes, after a statement that fits.
const MUCH: &str = "INSERT INTO t VALUES (2, 'b');\n\
     INSERT INTO t WITH RECURSIVE c (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM c WHERE n < 4000) SELECT n, printf('%01000d', n) FROM c;\n\
     -- DOWN\nDELETE FROM t WHERE id > 1;\n";

/// The command in a shell that gives its files no more than a megabyte each.
fn cramped(case: &Case, arguments: &[&str]) -> Command {
    let command = case.command(arguments);
    let mut shell = Command::new("/bin/sh");
    // The signal that a file is too large would end it; without, the write fails as it does on a full disk. The unit is 512 bytes.
    shell.args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"]).arg(command.get_program()).args(command.get_args());
    shell
}

#[test]
fn a_full_disk_leaves_nothing_half_done() {
    for (head, stands) in [("-- UP\n", "no statement of it stands"), ("-- migrate: no-transaction\n-- UP\n", "the statements on line 3 stand")] {
        let text = format!("{head}{MUCH}");
        let case = Case::new(Engine::Sqlite, &[FIRST, ("V2_Much.sql", &text)]).expect("it is linked in");
        let ended = run(cramped(&case, &["up"])).expect(6, &["statement 2 of 2 of 2 Much failed", stands]);
        assert!(["full", "I/O"].iter().any(|word| ended.stderr.contains(word)), "{ended:?}");
        assert_eq!(case.database.query("PRAGMA integrity_check"), ["ok"]);
        case.run(&["up", "--finish"]).expect(0, &["up 2 Much"]);
        assert_eq!(case.database.query("SELECT count(*) || ' ' || count(DISTINCT id) FROM t"), ["4000 4000"], "each once");
    }
}

/// A user that may read alone, before anything ran and after.
#[test]
fn a_user_that_may_only_read_changes_nothing() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let Some(case) = Case::new(engine, &[FIRST, ("V2_More.sql", "-- UP\nCREATE TABLE u (id INTEGER);\n-- DOWN\nDROP TABLE u;\n")]) else { continue };
        let (name, user) = (case.database.name(), format!("reader_of_{}", case.database.name()));
        case.database.execute("CREATE TABLE application (id INTEGER)");
        if engine == Engine::Postgres {
            case.database.execute(&format!("CREATE ROLE {user} LOGIN PASSWORD 'reads'"));
            case.database.execute(&format!("GRANT pg_read_all_data TO {user}"));
        } else {
            case.database.execute(&format!("CREATE USER {user}@localhost IDENTIFIED BY 'reads'"));
            case.database.execute(&format!("GRANT SELECT ON {name}.* TO {user}@localhost"));
        }
        let url = case.database.url_as(&user, "reads");
        let reader = |arguments: &[&str]| run(case.command_on(&url, arguments));
        reader(&["up"]).expect(2, &["creating the history table", "denied"]);
        case.run(&["up", "--to", "1"]).expect(0, &[]);
        reader(&["status"]).expect(0, &[]);
        reader(&["up"]).expect(6, &["denied", "no statement of it stands"]);
        reader(&["down", "--steps", "1", "--accept-loss", "all"]).expect(6, &["no statement of it stands"]);
        assert_eq!(case.database.query("SELECT id FROM t"), ["1"]);
        case.run(&["up"]).expect(0, &["1 migration applied"]);
    }
}

#[test]
fn a_file_that_may_only_be_read_changes_nothing() {
    let case = Case::new(Engine::Sqlite, &[FIRST]).expect("it is linked in");
    case.database.execute("CREATE TABLE application (id INTEGER)");
    run(case.command_on(&format!("{}?mode=ro", case.database.url), &["up"])).expect(2, &["readonly database"]);
    case.run(&["up"]).expect(0, &["1 migration applied"]);
}
