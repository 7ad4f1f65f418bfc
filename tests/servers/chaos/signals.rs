//! Ctrl-C and SIGTERM while a statement takes long. Out: it ends on the server too, what can be rolled back is, the lock is free, and
//! the message says what stands.

use super::case::{Case, hold, let_go, slow, until};
use nix::sys::signal::Signal;
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
