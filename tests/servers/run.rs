//! Up, down, the lock, failures: the same on every database where it is the same.

use crate::runner::{apply, clear, connect, hurried, in_force, locked, observe, opening, step};
use crate::support::{Database, database, each_engine, wait};
use std::time::Duration;
use unmigrate::engine::Engine;
use unmigrate::exit::Exit;
use unmigrate::gate::{self, Consents, Course, Resume, Step};
use unmigrate::migration::Direction::{Down, Up};
use unmigrate::observed::{Next, Outcome};
use unmigrate::run::{self, Event, HISTORY_TABLE, Opening, RunError, Stands};
use unmigrate::table::{Loss, Verdict};

fn failure(result: Result<usize, RunError>) -> (Exit, run::Failure) {
    match result {
        Err(error) => match (error.exit(), error) {
            (exit, RunError::PartWay(failure)) => (exit, *failure),
            (_, other) => panic!("not part-way: {other}"),
        },
        Ok(done) => panic!("{done} steps went through"),
    }
}

#[test]
fn up_and_down_leave_their_rows() {
    each_engine(|database| {
        let before = observe(database);
        assert!(before.history.is_empty() && !before.user_tables && !before.holds_rows, "{before:?}");
        assert_eq!(before.engine, database.engine);

        let create = step(database, "1", Up, &["CREATE TABLE t (id int)"]);
        let insert = step(database, "2", Up, &["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"]);
        assert_eq!(apply(database, vec![create.clone()]).unwrap(), 1);
        let empty = observe(database);
        assert!(empty.user_tables && !empty.holds_rows, "{empty:?}");
        assert_eq!(apply(database, vec![insert]).unwrap(), 1);
        assert_eq!(apply(database, vec![step(database, "2", Down, &["DELETE FROM t WHERE id = 2"])]).unwrap(), 1);

        let after = observe(database);
        assert_eq!((after.identity == before.identity, after.user_tables, after.holds_rows), (true, true, true));
        assert_eq!(in_force(&after), ["1"]);
        let rows = after.history.iter().map(|row| (row.seq, row.version.as_str(), row.direction, row.outcome)).collect::<Vec<_>>();
        let (started, done) = (Outcome::Started, Outcome::Done);
        if database.engine.is_mysql_like() {
            let both = [(1, "1", Up, started), (2, "1", Up, done), (3, "2", Up, started), (4, "2", Up, done), (5, "2", Down, started), (6, "2", Down, done)];
            assert_eq!(rows, both);
        } else {
            assert_eq!(rows, [(1, "1", Up, done), (2, "2", Up, done), (3, "2", Down, done)]);
        }
        let first = &after.history[0];
        assert_eq!(first.down_text, create.down_text);
        assert_eq!((first.up_sha256.as_str(), first.down_sha256.as_deref(), first.note.as_deref()), ("aa", Some("bb"), None));
        assert_eq!((first.verdict.as_str(), first.loss.as_str()), ("reversible", "written-since"));
        assert!(first.at.ends_with('Z') && !first.actor.is_empty() && !first.host.is_empty(), "{first:?}");
        assert_eq!((first.up_text.as_deref(), &first.down_loses), (create.up_text.as_deref(), &create.down_loses));
        assert_eq!(database.query("SELECT version FROM migrate_history WHERE direction = 'down' AND outcome = 'done'"), ["2"]);
    });
}

#[test]
fn the_history_is_read_without_a_lock() {
    each_engine(|database| {
        apply(database, vec![step(database, "1", Up, &["CREATE TABLE t (id int)"])]).unwrap();
        wait(async {
            let holder = locked(database).await;
            let mut session = connect(database, &Opening { read_only: true, ..opening() }).await;
            assert_eq!(session.history(HISTORY_TABLE).await.expect("history").last().expect("a row").outcome, Outcome::Done);
            assert_eq!(session.history("another_table").await.expect("no table").len(), 0);
            session.close().await;
            holder.release().await;
        });
    });
}

#[test]
fn a_second_runner_is_refused_and_told_who_is_first() {
    each_engine(|database| {
        wait(async {
            let first = locked(database).await;
            let error = connect(database, &hurried()).await.lock(HISTORY_TABLE).await.err().expect("refused");
            assert_eq!(error.exit(), Exit::Locked);
            let names = match database.engine {
                Engine::Sqlite => format!("process {} of ", std::process::id()),
                Engine::Postgres => String::from("application migrate, user root, on the server itself, connected since 20"),
                _ => String::from("connection "),
            };
            assert!(error.to_string().contains(&names), "{error}");

            let other = connect(database, &hurried()).await.lock("other_history").await;
            assert_eq!(other.is_ok(), database.engine != Engine::Sqlite, "one lock a history on servers, one a file on SQLite");
            first.release().await;

            locked(database).await.release().await;
        });
    });
}

/// Two statements that work and one that does not, after a migration that works.
fn fail(database: &Database, in_transaction: bool) -> run::Failure {
    let good = step(database, "1", Up, &["CREATE TABLE a (id int)"]);
    let bad = step(database, "2", Up, &["CREATE TABLE b (id int)", "INSERT INTO b VALUES (1)", "INSERT INTO missing\nVALUES (1)", "DROP TABLE a"]);
    let (exit, failure) = failure(apply(database, vec![good, Step { in_transaction, ..bad }]));
    assert_eq!((exit, failure.line, failure.at, failure.of, failure.finished), (Exit::PartWay, 3, 3, 4, 1));
    assert_eq!((failure.path.as_str(), failure.statement.as_str()), ("V2_x.sql", "INSERT INTO missing"));
    assert!(failure.message.contains("missing"), "{failure}");
    assert_eq!(in_force(&observe(database)), ["1"]);
    failure
}

#[test]
fn a_failing_statement_rolls_back_where_ddl_does() {
    each_engine(|database| {
        if !database.engine.facts().transactional_ddl {
            return;
        }
        let failure = fail(database, true);
        assert_eq!((failure.stands, failure.run), (Stands::Nothing, None));
        let observed = observe(database);
        assert_eq!((observed.history.len(), observed.holds_rows), (1, false));
        assert_eq!(apply(database, vec![step(database, "2", Up, &["CREATE TABLE b (id int)"])]).unwrap(), 1);
    });
}

#[test]
fn a_failing_statement_outside_of_a_transaction_is_recorded_until_settled() {
    each_engine(|database| {
        // MariaDB has no choice, whatever the step asks for.
        let failure = fail(database, database.engine.is_mysql_like());
        // There, rows that stand side by side are one transaction, so the row of line 2 went with the failure of line 3.
        let (run, stands, words) = if database.engine.is_mysql_like() { (3, vec![1], "line 1") } else { (2, vec![1, 2], "lines 1, 2") };
        assert_eq!((&failure.stands, failure.run), (&Stands::Lines(stands.clone()), Some(run)));
        assert!(failure.to_string().contains(&format!("the statements on {words} stand; `--finish`")), "{failure}");
        let half = observe(database).half_done.expect("it stopped part-way");
        assert_eq!((half.row.seq, half.stands, &half.next), (run, stands.len(), &Next::Due));
        assert_eq!(half.note, Some(format!("failed: statement 3 of 4, line 3; the statements on {words} stand")));
        let other = step(database, "3", Up, &["CREATE TABLE c (id int)"]);
        assert!(gate::clear(vec![other], &observe(database), &[], &Consents::default()).is_err(), "nothing runs before it is settled");

        // The failing statement is mended; the rest runs, and what stands does not run again.
        let mended = step(database, "2", Up, &["CREATE TABLE b (id int)", "INSERT INTO b VALUES (1)", "INSERT INTO b VALUES (2)", "DROP TABLE a"]);
        assert_eq!(mended.prefix_sha256(half.stands), half.prefix_sha256);
        let resume = Resume { run, stands: half.stands, taken_back: 0, cleanup: None };
        assert_eq!(apply(database, vec![Step { in_transaction: database.engine.is_mysql_like(), course: Course::Finish(resume), ..mended }]).unwrap(), 1);
        assert_eq!(database.query("SELECT id FROM b ORDER BY id"), ["1", "2"]);
        assert_eq!((in_force(&observe(database)), observe(database).half_done), (vec!["1", "2"], None));
    });
}

#[test]
fn a_constraint_that_fails_at_commit_rolls_back() {
    each_engine(|database| {
        if !database.engine.facts().transactional_ddl {
            return;
        }
        let base = ["CREATE TABLE p (id int PRIMARY KEY)", "CREATE TABLE c (p int REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)"];
        apply(database, vec![step(database, "1", Up, &base)]).unwrap();
        let failure = failure(apply(database, vec![step(database, "2", Up, &["INSERT INTO c VALUES (1)"])])).1;
        assert_eq!((&failure.stands, failure.run), (&Stands::Nothing, None));
        assert!(failure.statement.contains("COMMIT"), "{failure}");
        assert_eq!(database.query("SELECT count(*) FROM c"), ["0"]);
        assert_eq!(in_force(&observe(database)), ["1"]);
    });
}

#[test]
fn a_connection_that_breaks_leaves_words_on_what_stands() {
    each_engine(|database| {
        let end = match database.engine {
            Engine::Sqlite => return,
            Engine::Postgres => "SELECT pg_terminate_backend(pg_backend_pid())",
            _ => "KILL CONNECTION_ID()",
        };
        let step = Step { in_transaction: false, ..step(database, "1", Up, &["CREATE TABLE a (id int)", end]) };
        let (exit, failure) = failure(apply(database, vec![step]));
        assert_eq!((exit, failure.run), (Exit::PartWay, Some(1)));
        assert!(matches!(&failure.stands, Stands::Lines(lines) | Stands::Unknown(lines) if lines == &[1]), "{failure:?}");
        let half = observe(database).half_done.expect("the journal tells");
        assert_eq!(half.stands, 1);
    });
}

#[test]
fn what_was_cleared_for_another_history_or_database_does_not_run() {
    each_engine(|database| {
        let elsewhere = crate::support::database(database.engine).expect("it runs");
        wait(async {
            let mut first = locked(database).await;
            let before = first.observe().await.expect("observed");
            let cleared = || clear(vec![step(database, "1", Up, &["CREATE TABLE t (id int)"])], &before);
            let (now, late) = (cleared(), cleared());
            assert_eq!(first.apply(now, &mut |_| {}).await.expect("applied"), 1);
            let error = first.apply(late, &mut |_| {}).await.expect_err("the history has a row more");
            assert_eq!(error.exit(), Exit::Drift, "{error}");
            first.release().await;

            let mut other = locked(&elsewhere).await;
            let error = other.apply(cleared(), &mut |_| {}).await.expect_err("another database");
            assert_eq!(error.exit(), Exit::Drift, "{error}");
            assert!(other.observe().await.expect("observed").history.is_empty());
            other.release().await;
        });
    });
}

#[test]
fn a_scripts_session_settings_end_with_it() {
    each_engine(|database| {
        let (settings, ask): (&[&str], _) = match database.engine {
            Engine::Sqlite => (&["PRAGMA foreign_keys = OFF"], None),
            Engine::Postgres => (
                &["CREATE ROLE weak", "SET search_path = ''", "SET lock_timeout = '1s'", "SET ROLE weak"],
                Some("SELECT 1 / (current_setting('lock_timeout') = '5s')::int"),
            ),
            _ => (&["SET autocommit = 0", "CREATE TABLE t (id int)", "LOCK TABLES t WRITE", "INSERT INTO t VALUES (1)", "SET foreign_key_checks = 0"], None),
        };
        let next = step(database, "2", Up, &[ask.unwrap_or("SELECT 1"), "CREATE TABLE u (id int)"]);
        assert_eq!(apply(database, vec![step(database, "1", Up, settings), next]).unwrap(), 2);
        assert_eq!(in_force(&observe(database)), ["1", "2"]);
        if database.engine.is_mysql_like() {
            assert_eq!(database.query("SELECT id FROM t"), ["1"]);
        }
    });
}

#[test]
fn progress_is_told_in_order() {
    each_engine(|database| {
        let mut told = Vec::new();
        wait(async {
            let mut locked = locked(database).await;
            let observed = locked.observe().await.expect("observed");
            let cleared = clear(vec![step(database, "1", Up, &["SELECT 1", "SELECT 2"])], &observed);
            let mut tell = |event: Event<'_>| match event {
                Event::Started { step } => told.push(format!("start {}", step.version)),
                Event::Statement { at, sql, .. } => told.push(format!("{at} {}", sql.text)),
                Event::Retrying { .. } => told.push(String::from("again")),
                Event::Finished { step } => told.push(format!("end {}", step.version)),
                Event::Pinned { step, .. } => told.push(format!("pin {}", step.version)),
                Event::Unproved { step, .. } => told.push(format!("unproved {}", step.version)),
            };
            locked.apply(cleared, &mut tell).await.expect("applied");
            locked.release().await;
        });
        assert_eq!(told, ["start 1", "1 SELECT 1", "2 SELECT 2", "end 1"]);
    });
}

#[test]
fn postgres_builds_an_index_concurrently_under_the_lock() {
    let Some(database) = database(Engine::Postgres) else { return };
    let concurrently = |statements: &[&str]| step(&database, "2", Up, statements);
    apply(&database, vec![step(&database, "1", Up, &["CREATE TABLE t (id int)", "INSERT INTO t VALUES (1), (1)"])]).unwrap();
    std::thread::scope(|scope| {
        let (tell, told) = std::sync::mpsc::channel();
        let waiting = scope.spawn({
            let database = &database;
            move || {
                told.recv().expect("the first runner holds the lock");
                wait(async { locked(database).await.release().await });
            }
        });
        wait(async {
            let mut holder = locked(&database).await;
            let observed = holder.observe().await.expect("observed");
            let cleared = clear(vec![concurrently(&["CREATE INDEX CONCURRENTLY i ON t (id)"])], &observed);
            tell.send(()).expect("the second runner listens");
            tokio::time::sleep(Duration::from_millis(300)).await;
            let done = tokio::time::timeout(Duration::from_secs(60), holder.apply(cleared, &mut |_| {})).await.expect("no deadlock");
            assert_eq!(done.expect("applied"), 1);
            holder.release().await;
        });
        waiting.join().expect("the second runner ends well");
    });
    assert_eq!(database.query("SELECT indisvalid::text FROM pg_index WHERE indexrelid = 'i'::regclass"), ["true"]);

    let unique = concurrently(&["CREATE TABLE u (id int)", "CREATE UNIQUE INDEX CONCURRENTLY j ON t (id)"]);
    let (_, failure) = failure(apply(&database, vec![Step { version: "3".into(), ..unique }]));
    assert_eq!((failure.stands, failure.run), (Stands::Lines(vec![1]), Some(4)));
    let half = observe(&database).half_done.expect("it stopped part-way");
    assert_eq!((half.stands, half.next), (1, Next::Cleanup(String::from("DROP INDEX CONCURRENTLY public.j"))), "the broken index bars the next try");
}

#[test]
fn sqlite_rebuilds_a_table_that_others_point_at() {
    let rebuild = [
        "PRAGMA foreign_keys=OFF",
        "CREATE TABLE new_p (id INTEGER PRIMARY KEY, c TEXT)",
        "INSERT INTO new_p (id) SELECT id FROM p",
        "DROP TABLE p",
        "ALTER TABLE new_p RENAME TO p",
        "PRAGMA foreign_keys=ON",
    ];
    let lossy = [rebuild[0], rebuild[1], rebuild[3], rebuild[4], rebuild[5]];
    let broken = Some("1 row(s) now point at nothing: row 7 of c at p");
    let cascading = Some("rebuilding the table that c points at changed its 1 row(s) to 0");
    for (script, in_transaction, says) in [
        (&rebuild[..], true, None),
        (&lossy[..], true, broken),
        // One statement a transaction: foreign keys stay off from one to the next, and what dangles is seen when they come on again.
        (&rebuild[..], false, None),
        (&lossy[..], false, broken),
        (&rebuild[1..5], true, cascading),
        (&rebuild[1..5], false, cascading),
    ] {
        let database = database(Engine::Sqlite).expect("it is linked in");
        let base = [
            "CREATE TABLE p (id INTEGER PRIMARY KEY)",
            "CREATE TABLE c (id INTEGER PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)",
            "INSERT INTO p VALUES (3)",
            "INSERT INTO c VALUES (7, 3)",
        ];
        apply(&database, vec![step(&database, "1", Up, &base)]).unwrap();
        let done = apply(&database, vec![Step { in_transaction, ..step(&database, "2", Up, script) }]);
        assert_eq!(database.query("SELECT count(*) FROM c"), ["1"], "the rows that point at it stay");
        let half_done = match says {
            None => {
                assert_eq!(done.unwrap(), 1);
                false
            }
            Some(says) => {
                let failure = failure(done).1;
                assert!(failure.message.contains(says), "{failure}");
                failure.stands != Stands::Nothing
            }
        };
        assert_eq!(half_done, says.is_some() && !in_transaction);
        if !half_done {
            assert_eq!(database.query("SELECT count(*) FROM p"), ["1"]);
            let orphan = failure(apply(&database, vec![step(&database, "3", Up, &["INSERT INTO c VALUES (8, 99)"])])).1;
            assert!(orphan.message.contains("FOREIGN KEY"), "foreign keys are on again: {orphan}");
        }
    }
}

#[test]
fn what_was_opened_to_read_only_runs_nothing() {
    each_engine(|database| {
        apply(database, vec![step(database, "1", Up, &["CREATE TABLE t (id int)"])]).unwrap();
        wait(async {
            let mut locked = connect(database, &Opening { read_only: true, ..opening() }).await.lock(HISTORY_TABLE).await.expect("the lock");
            let observed = locked.observe().await.expect("observed");
            let cleared = clear(vec![step(database, "2", Up, &["CREATE TABLE u (id int)"])], &observed);
            assert_eq!(locked.apply(cleared, &mut |_| {}).await.expect_err("read only").exit(), Exit::Usage);
            locked.release().await;
        });
    });
}

#[test]
fn losses_are_refused_where_rows_stand() {
    each_engine(|database| {
        let losing = Step { verdict: Verdict::Irreversible, loss: Loss::Certain, needs_attestation: true, ..step(database, "2", Up, &["DROP TABLE t"]) };
        for (script, refused) in [("CREATE TABLE t (id int)", false), ("INSERT INTO t VALUES (1)", true)] {
            apply(database, vec![step(database, "1", Up, &[script])]).unwrap();
            let cleared = gate::clear(vec![losing.clone()], &observe(database), &[], &Consents::default());
            assert_eq!(cleared.is_err(), refused, "after {script}");
        }
    });
}

#[test]
fn tables_that_this_user_cannot_read_count_as_full() {
    let Some(database) = database(Engine::Postgres) else { return };
    for sql in ["CREATE SCHEMA hidden", "CREATE TABLE hidden.t AS SELECT 1 AS id", "CREATE ROLE looker LOGIN PASSWORD 'looking'"] {
        database.execute(sql);
    }
    let url = database.url_as("looker", "looking");
    wait(async {
        let looking = Opening { read_only: true, ..opening() };
        let session = run::connect(Engine::Postgres, &url, &looking).await.expect("a connection");
        let mut locked = session.lock(HISTORY_TABLE).await.expect("the lock");
        let observed = locked.observe().await.expect("observed");
        assert!(observed.user_tables && observed.holds_rows, "{observed:?}");
        locked.release().await;
    });
}
