//! The server is killed and started again, or the connection is cut. Out: the message says what is known, and the next start goes on.

use super::case::{Case, hold, let_go, slow};
use super::trial::{Counts, Undisturbed, recover, words};
use super::{report, seed, set, soak};
use crate::support::OwnServer;
use unmigrate::engine::Engine;
use unmigrate::migration::Direction;

const SERVERS: [Engine; 2] = [Engine::Postgres, Engine::Mariadb];

/// A migration whose third statement takes long, and is DDL.
fn files(engine: Engine) -> [(&'static str, String); 2] {
    let long = format!(
        "-- UP\nCREATE TABLE t (id INTEGER NOT NULL);\nINSERT INTO t VALUES (1);\nCREATE TABLE c AS {};\nINSERT INTO t VALUES (3);\n-- DOWN\nDROP TABLE c;\nDROP TABLE t;\n",
        slow(engine).replacen(" FROM", " AS n FROM", 1)
    );
    [("V1_First.sql", String::from("-- UP\nCREATE TABLE first (id INTEGER);\n-- DOWN\nDROP TABLE first;\n")), ("V2_Long.sql", long)]
}

/// Starts again after the long statement broke off, and looks at what came of it.
fn goes_on(case: &Case) {
    let_go(&case.database);
    if case.database.engine == Engine::Mariadb {
        case.run(&["up"]).expect(6, &["2 of 4 statements stand (lines 2, 3)", "--finish"]);
        case.run(&["up", "--finish"]).expect(0, &[]);
    } else {
        case.run(&["up"]).expect(0, &["1 migration applied"]);
    }
    assert_eq!(case.database.query("SELECT id FROM t ORDER BY id"), ["1", "3"], "once each");
    assert_eq!(case.database.query("SELECT count(*) FROM c"), ["1"]);
    assert_eq!(case.database.query("SELECT version FROM migrate_history WHERE outcome = 'done' ORDER BY seq"), ["1", "2"]);
}

/// What is known when the server went away in the middle.
fn stands(engine: Engine) -> &'static str {
    if engine == Engine::Mariadb { "the statements on lines 2, 3 stand; the connection broke" } else { "was rolled back, no statement of it stands" }
}

#[test]
fn a_server_that_is_killed_while_a_statement_runs() {
    for engine in SERVERS {
        let Some(mut server) = OwnServer::start(engine) else { continue };
        let files = files(engine);
        let case = Case::on(server.database("own"), &files.each_ref().map(|(name, text)| (*name, text.as_str())));
        hold(&case.database);
        let mut child = case.start(&["up", "-v"]);
        child.until_said("up 2 Long: statement 3 of 4");
        server.kill();
        child.end().expect(6, &["V2_Long.sql:4: statement 3 of 4 of 2 Long failed", stands(engine), "1 migration of this run was finished before"]);
        case.run(&["up"]).expect(7, &["the database cannot be reached", "that the server runs"]);
        server.start_again();
        goes_on(&case);
    }
}

#[test]
fn a_connection_that_is_cut_while_a_statement_runs() {
    for engine in SERVERS {
        let files = files(engine);
        let Some(case) = Case::new(engine, &files.each_ref().map(|(name, text)| (*name, text.as_str()))) else { continue };
        hold(&case.database);
        let mut child = case.start(&["up", "-v"]);
        child.until_said("up 2 Long: statement 3 of 4");
        let mut watch = case.watch();
        let mut numbers = Vec::new();
        assert!(child.reads_until(|| {
            numbers = case.at_work(&mut watch);
            !numbers.is_empty()
        }));
        for number in numbers {
            watch.execute(&if engine == Engine::Postgres { format!("SELECT pg_terminate_backend({number})") } else { format!("KILL CONNECTION {number}") });
        }
        child.end().expect(6, &["statement 3 of 4 of 2 Long failed", stands(engine)]);
        goes_on(&case);
    }
}

/// The client is gone, and its statement goes on: until that has ended, nobody else comes in.
#[test]
fn a_killed_client_keeps_others_out_while_its_statement_runs() {
    for engine in SERVERS {
        let files = files(engine);
        let Some(case) = Case::new(engine, &files.each_ref().map(|(name, text)| (*name, text.as_str()))) else { continue };
        hold(&case.database);
        let mut child = case.start(&["up", "-v"]);
        child.until_said("up 2 Long: statement 3 of 4");
        let mut watch = case.watch();
        assert!(child.reads_until(|| !case.at_work(&mut watch).is_empty()));
        child.kill();
        let who = if engine == Engine::Postgres { "application migrate, user root" } else { "user root" };
        case.run(&["up", "--lock-timeout", "1s"]).expect(5, &["another runner holds the lock", who, "nothing was touched"]);
        for number in case.at_work(&mut watch) {
            watch.execute(&if engine == Engine::Postgres { format!("SELECT pg_cancel_backend({number})") } else { format!("KILL QUERY {number}") });
        }
        goes_on(&case);
    }
}

/// An index that was being built beside the application's work, when the server was killed.
#[test]
fn postgres_takes_away_what_a_killed_server_left_of_an_index() {
    let Some(mut server) = OwnServer::start(Engine::Postgres) else { return };
    let first = "-- UP\nCREATE TABLE t (id INTEGER);\nINSERT INTO t VALUES (1);\n-- DOWN\nDROP TABLE t;\n";
    let index = "-- UP\nCREATE INDEX CONCURRENTLY t_id ON t (id);\nINSERT INTO t VALUES (2);\n-- DOWN\nDROP INDEX CONCURRENTLY t_id;\n";
    let case = Case::on(server.database("own"), &[("V1_First.sql", first), ("V2_Index.sql", index)]);
    case.run(&["up", "--to", "1"]).expect(0, &[]);
    let (mut older, mut watch) = (case.watch(), case.watch());
    older.execute("BEGIN");
    older.execute("INSERT INTO t VALUES (3)");
    let mut child = case.start(&["up", "-v", "--db-lock-timeout", "0s"]);
    child.until_said("statement 1 of 2");
    assert!(child.reads_until(|| watch.query("SELECT 1::text FROM pg_stat_progress_create_index") == ["1"]), "it waits for the older transaction");
    server.kill();
    child.end().expect(6, &["no statement before it ran; the connection broke"]);
    server.start_again();
    case.run(&["up"]).expect(6, &["no statement of it stands", "which `DROP INDEX CONCURRENTLY public.t_id` takes away"]);
    case.run(&["up", "--finish"]).expect(0, &[]);
    assert_eq!(case.database.query("SELECT indisvalid::text FROM pg_index WHERE indexrelid = 't_id'::regclass"), ["true"]);
    assert_eq!(case.database.query("SELECT id::text FROM t ORDER BY id"), ["1", "2"]);
}

/// The server is killed at random moments of the mixed set.
fn killed_at_random(engine: Engine) {
    let folder = set::folder(engine);
    let Some((undisturbed, _)) = Undisturbed::new(engine, folder.path()) else { return };
    let mut server = OwnServer::start(engine).expect("it runs elsewhere");
    let (seed, times, mut counts) = (seed(), if soak() { 20 } else { 1 }, Counts::default());
    let mut random = fastrand::Rng::with_seed(seed);
    for number in 0..times {
        let database = server.database(&format!("own_{number}"));
        for direction in [Direction::Up, Direction::Down] {
            let moment = undisturbed.way(direction).time.mul_f64(random.f64());
            let case = super::child::migrate(&database.url, folder.path(), words(direction));
            let mut child = super::child::Child::start(case);
            let until = std::time::Instant::now() + moment;
            child.reads_until(|| std::time::Instant::now() >= until);
            server.kill();
            let ended = child.end();
            assert!([0, 6, 7].contains(&ended.code), "{ended:?}");
            counts.kills += 1;
            counts.late += usize::from(ended.code == 0);
            server.start_again();
            recover(&database, folder.path(), direction, &mut counts);
            undisturbed.compare(&database, direction, &format!("seed {seed}, the server was killed after {moment:?}, time {number}"));
        }
    }
    report(&format!("{engine}: the server killed, MIGRATE_SEED={seed}: {counts}; 0 lost, 0 done twice"));
}

#[test]
fn postgres_may_be_killed_at_any_moment() {
    killed_at_random(Engine::Postgres);
}

#[test]
fn mariadb_may_be_killed_at_any_moment() {
    killed_at_random(Engine::Mariadb);
}
