//! Ctrl-C and SIGTERM while a statement takes long. Out: it ends on the server too, what can be rolled back is, the lock is free, and
//! the message says what stands.

use super::case::{Case, hold, let_go, slow, until};
use nix::pty::openpty;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::io::Read;
use std::process::Stdio;
use unmigrate::engine::Engine;

/// A migration whose third statement takes long.
fn case(engine: Engine) -> Option<Case> {
    let text = format!(
        "-- UP\nCREATE TABLE t (id INTEGER NOT NULL);\nINSERT INTO t VALUES (1);\nINSERT INTO t {};\nINSERT INTO t VALUES (3);\n-- DOWN\nDROP TABLE t;\n",
        slow(engine)
    );
    let case = Case::new(engine, &[("V1_First.sql", "-- UP\nCREATE TABLE first (id INTEGER);\n-- DOWN\nDROP TABLE first;\n"), ("V2_Long.sql", &text)])?;
    hold(&case.database);
    Some(case)
}

fn interrupted(engine: Engine, signal: Signal, code: i32) {
    let Some(case) = case(engine) else { return };
    let mut child = case.start(&["up", "-v"]);
    child.until_said("up 2 Long: statement 3 of 4");
    if engine != Engine::Sqlite {
        let mut watch = case.watch();
        assert!(child.reads_until(|| !case.at_work(&mut watch).is_empty()));
    }
    child.signal(signal);
    let said = format!("statement 3 of 4 of 2 Long failed: interrupted by {}", signal.as_str());
    let stands = if engine == Engine::Mariadb { "the statements on line 2 stand; `--finish`" } else { "was rolled back, no statement of it stands; run again" };
    child.end().expect(code, &[&said, stands, "V2_Long.sql:4", "1 migration of this run was finished before and stands"]);
    if engine != Engine::Sqlite {
        let mut watch = case.watch();
        until("the statement's end on the server", || case.at_work(&mut watch).is_empty());
    }
    let_go(&case.database);
    // At once: the lock is free.
    let again = case.run(&["up", "--lock-timeout", "0s"]);
    if engine == Engine::Mariadb {
        again.expect(6, &["1 of 4 statements stand (line 2)", "--finish"]);
        case.run(&["up", "--finish"]).expect(0, &[]);
    } else {
        again.expect(0, &[]);
    }
    assert_eq!(case.database.query("SELECT count(*) FROM t"), ["3"]);
}

#[test]
fn sqlite_ends_a_statement_on_ctrl_c() {
    interrupted(Engine::Sqlite, Signal::SIGINT, 130);
}

#[test]
fn sqlite_ends_a_statement_on_sigterm() {
    interrupted(Engine::Sqlite, Signal::SIGTERM, 143);
}

#[test]
fn postgres_ends_a_statement_on_ctrl_c() {
    interrupted(Engine::Postgres, Signal::SIGINT, 130);
}

#[test]
fn postgres_ends_a_statement_on_sigterm() {
    interrupted(Engine::Postgres, Signal::SIGTERM, 143);
}

#[test]
fn mariadb_ends_a_statement_on_ctrl_c() {
    interrupted(Engine::Mariadb, Signal::SIGINT, 130);
}

#[test]
fn mariadb_ends_a_statement_on_sigterm() {
    interrupted(Engine::Mariadb, Signal::SIGTERM, 143);
}

/// CREATE INDEX CONCURRENTLY waits for older transactions; when it is cancelled, it leaves an index that nobody uses.
#[test]
fn postgres_takes_away_what_an_interrupted_index_left() {
    let index = "-- UP\nCREATE INDEX CONCURRENTLY t_id ON t (id);\n-- DOWN\nDROP INDEX CONCURRENTLY t_id;\n";
    let first = "-- UP\nCREATE TABLE t (id INTEGER);\n-- DOWN\nDROP TABLE t;\n";
    let Some(case) = Case::new(Engine::Postgres, &[("V1_First.sql", first), ("V2_Index.sql", index)]) else { return };
    case.run(&["up", "--to", "1"]).expect(0, &[]);
    let mut older = case.watch();
    older.execute("BEGIN");
    older.execute("INSERT INTO t VALUES (1)");
    let mut child = case.start(&["up", "-v", "--db-lock-timeout", "0s"]);
    child.until_said("statement 1 of 1");
    let mut watch = case.watch();
    assert!(child.reads_until(|| watch.query("SELECT 1::text FROM pg_stat_progress_create_index") == ["1"]));
    child.signal(Signal::SIGINT);
    child.end().expect(130, &["interrupted by SIGINT", "no statement before it ran"]);
    older.execute("COMMIT");
    case.run(&["up"]).expect(6, &["the next one left something half-done, which `DROP INDEX CONCURRENTLY public.t_id` takes away", "--finish"]);
    case.run(&["up", "--finish"]).expect(0, &[]);
    assert_eq!(watch.query("SELECT indisvalid::text FROM pg_index WHERE indexrelid = 't_id'::regclass"), ["true"]);
}

#[test]
fn a_signal_ends_the_wait_for_another_runner() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::Mariadb] {
        let Some(case) = case(engine) else { continue };
        let mut first = case.start(&["up", "-v"]);
        first.until_said("up 2 Long: statement 3 of 4");
        let second = case.start(&["up", "--lock-timeout", "10min"]);
        // It may not have come to its wait yet; wherever it is, it ends.
        second.signal(Signal::SIGTERM);
        second.end().expect(143, &[]);
        first.signal(Signal::SIGINT);
        first.end().expect(130, &[]);
    }
}

/// A question on a terminal holds the lock, and waits for a person.
#[test]
fn a_signal_ends_the_wait_for_an_answer() {
    for engine in [Engine::Sqlite, Engine::Postgres, Engine::Mariadb] {
        for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
            let Some(case) = case(engine) else { continue };
            case.run(&["up", "--to", "1"]).expect(0, &[]);
            case.database.execute("INSERT INTO first VALUES (1)");
            let terminal = openpty(None, None).expect("a terminal");
            let mut command = case.command(&["down", "--steps", "1"]);
            let end = || Stdio::from(terminal.slave.try_clone().expect("a handle"));
            let mut child = command.stdin(end()).stderr(end()).spawn().expect("the binary starts");
            let (mut screen, mut shown) = (File::from(terminal.master), String::new());
            while !shown.contains("type yes to go on: ") {
                let mut piece = [0; 4096];
                let size = screen.read(&mut piece).expect("a readable terminal");
                shown.push_str(&String::from_utf8_lossy(&piece[..size]));
            }
            kill(Pid::from_raw(child.id().try_into().expect("a process number")), signal).expect("our child");
            assert_eq!(child.wait().expect("our child").code(), Some(code), "{engine}: {shown}");
            case.run(&["down", "--steps", "1", "--lock-timeout", "0s", "--accept-loss", "all"]).expect(0, &["1 migration undone"]);
        }
    }
}

/// Before anything runs, tables are asked for rows; an application may hold one of them.
#[test]
fn a_signal_ends_a_look_at_a_table() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let Some(case) = case(engine) else { continue };
        let (mut application, mut watch) = (case.watch(), case.watch());
        let (lock, waits) = match engine {
            Engine::Postgres => (
                "LOCK TABLE hold IN ACCESS EXCLUSIVE MODE",
                "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
            ),
            _ => (
                "LOCK TABLES hold WRITE",
                "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock'",
            ),
        };
        if engine == Engine::Postgres {
            application.execute("BEGIN");
        }
        application.execute(lock);
        let mut child = case.start(&["up", "--to", "1", "--db-lock-timeout", "10min"]);
        assert!(child.reads_until(|| !watch.query(waits).is_empty()), "it waits for the table");
        child.signal(Signal::SIGINT);
        child.end().expect(130, &["interrupted by SIGINT while no statement of a migration ran"]);
        assert_eq!(watch.query(waits), [""; 0], "not on the server either");
        application.execute(if engine == Engine::Postgres { "COMMIT" } else { "UNLOCK TABLES" });
        case.run(&["up", "--to", "1", "--lock-timeout", "0s"]).expect(0, &[]);
    }
}
