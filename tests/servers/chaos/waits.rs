//! An application is in the way. Out: the runner waits a little, tries again, and gives up in time; a statement may be given a limit.

use super::case::{Case, hold, let_go, slow};
use super::watch::Watch;
use nix::sys::signal::Signal;
use unmigrate::engine::Engine;

const ENGINES: [Engine; 3] = [Engine::Sqlite, Engine::Postgres, Engine::Mariadb];

const FIRST: &str = "-- UP\nCREATE TABLE t (id INTEGER NOT NULL, n INTEGER);\nINSERT INTO t VALUES (1, 0);\n-- DOWN\nDROP TABLE t;\n";
const ALTER: &str =
    "-- UP\nINSERT INTO t VALUES (2, 0);\nALTER TABLE t ADD COLUMN c INTEGER;\nUPDATE t SET n = n + 1;\n-- DOWN\nALTER TABLE t DROP COLUMN c;\n";

/// A table that the second migration alters, and an application that holds it.
fn held_by_an_application(engine: Engine) -> Option<(Case, Watch)> {
    let case = Case::new(engine, &[("V1_First.sql", FIRST), ("V2_Alter.sql", ALTER)])?;
    case.run(&["up", "--to", "1"]).expect(0, &[]);
    let mut application = case.watch();
    match engine {
        Engine::Sqlite => application.execute("BEGIN IMMEDIATE"),
        Engine::Postgres => {
            application.execute("BEGIN");
            application.execute("SELECT * FROM t");
        }
        Engine::Mysql | Engine::Mariadb => {
            application.execute("BEGIN");
            // `query` reads rows, and by that takes the table's lock.
            application.query("SELECT id FROM t");
        }
    }
    Some((case, application))
}

/// The server counts in whole seconds there.
fn patience(engine: Engine) -> &'static str {
    if engine == Engine::Mariadb { "1s" } else { "100ms" }
}

#[test]
fn what_waited_for_an_application_in_vain_is_tried_again() {
    for engine in ENGINES {
        let Some((case, mut application)) = held_by_an_application(engine) else { continue };
        let mut child = case.start(&["up", "--db-lock-timeout", patience(engine), "--retry-for", "10min"]);
        let said = child.until_said("trying again in");
        assert!(said.starts_with("up 2 Alter: "), "{said}");
        child.until_said("trying again in");
        application.execute("COMMIT");
        child.end().expect(0, &["1 migration applied"]);
        assert_eq!(case.database.query("SELECT n FROM t ORDER BY id"), ["1", "1"], "once");
        assert_eq!(case.database.query("SELECT count(*) FROM migrate_history WHERE version = '2' AND outcome = 'done'"), ["1"]);
    }
}

#[test]
fn it_gives_up_in_time() {
    for engine in ENGINES {
        let Some((case, mut application)) = held_by_an_application(engine) else { continue };
        let said = match engine {
            Engine::Sqlite => ["database is locked", "no statement of it stands"],
            Engine::Postgres => ["canceling statement due to lock timeout", "no statement of it stands"],
            Engine::Mysql | Engine::Mariadb => ["Lock wait timeout exceeded", "no statement of it stands"],
        };
        // The tables are locked for the pin, before the first statement; without one, the first statements stand by then.
        case.run(&["up", "--db-lock-timeout", patience(engine), "--retry-for", "0s"]).expect(6, &said);
        if engine == Engine::Mariadb {
            case.without_pin();
            case.run(&["up", "--db-lock-timeout", patience(engine), "--retry-for", "0s"]).expect(6, &[said[0], "the statements on line 2 stand"]);
        }
        application.execute("COMMIT");
        case.run(&["up", "--finish"]).expect(0, &[]);
        assert_eq!(case.database.query("SELECT n FROM t ORDER BY id"), ["1", "1"], "once");
    }
}

/// The locks of a pin are waited for on the server; a signal ends that, and nothing was touched.
#[test]
fn a_signal_ends_the_wait_for_a_pin() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let Some((case, mut application)) = held_by_an_application(engine) else { continue };
        let mut child = case.start(&["up", "-v", "--db-lock-timeout", "10min"]);
        let mut watch = case.watch();
        let held = || match engine {
            Engine::Postgres => waiting(engine, &case, &mut watch),
            _ => waits(&mut watch),
        };
        assert!(child.reads_until(held), "it waits for the application");
        child.signal(Signal::SIGINT);
        child.end().expect(130, &["interrupted by SIGINT while no statement of a migration ran"]);
        application.execute("COMMIT");
        assert_eq!(case.database.query("SELECT count(*) FROM migrate_history WHERE version = '2'"), ["0"]);
        case.run(&["up"]).expect(0, &["1 migration applied"]);
    }
}

/// The strongest lock is taken first. A weaker one that grows later would deadlock with who has read the table and then writes it.
#[test]
fn who_has_read_a_table_may_write_it_while_a_pin_waits() {
    let Some((case, mut application)) = held_by_an_application(Engine::Postgres) else { return };
    let mut child = case.start(&["up", "-v", "--db-lock-timeout", "10min"]);
    let mut watch = case.watch();
    assert!(child.reads_until(|| waiting(Engine::Postgres, &case, &mut watch)), "it waits for the application");
    application.execute("UPDATE t SET n = n + 10");
    application.execute("COMMIT");
    child.end().expect(0, &["1 migration applied"]);
    assert_eq!(case.database.query("SELECT n::text FROM t ORDER BY id"), ["11", "1"]);
    let pin = case.database.query("SELECT pin FROM migrate_history WHERE version = '2'").remove(0);
    assert!(pin.contains(r#""rows":1,"estimated":false"#), "what it wrote is before the pin: {pin}");
}

/// The statement took effect, and somebody keeps the journal from saying so: the statement must not run again.
#[test]
fn only_the_journal_is_tried_again_where_only_the_journal_was_in_the_way() {
    let two = "-- UP\nALTER TABLE t ADD INDEX (n);\n-- DOWN\nALTER TABLE t DROP INDEX n;\n";
    let Some(case) = Case::new(Engine::Mariadb, &[("V1_First.sql", FIRST), ("V2_Index.sql", two)]) else { return };
    case.run(&["up", "--to", "1"]).expect(0, &[]);
    let (mut application, mut backup) = (case.watch(), case.watch());
    application.execute("BEGIN");
    application.query("SELECT id FROM t");
    let mut child = case.start(&["up", "-v", "--db-lock-timeout", "3s", "--retry-for", "10min"]);
    child.until_said("statement 1 of 1");
    let mut watch = case.watch();
    assert!(child.reads_until(|| watch.query("SHOW PROCESSLIST").len() > 2 && waits(&mut watch)), "it waits for the application");
    backup.execute("LOCK TABLES migrate_history_journal READ");
    application.execute("COMMIT");
    child.until_said("trying again in");
    backup.execute("UNLOCK TABLES");
    child.end().expect(0, &[]);
    assert_eq!(watch.query("SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 't'"), ["n"]);
}

fn waits(watch: &mut Watch) -> bool {
    !watch.query("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND state LIKE 'Waiting for table metadata lock'").is_empty()
}

/// Two that wait for one another: the database ends one of them, and the runner comes again.
#[test]
fn a_deadlock_is_tried_again() {
    for engine in [Engine::Postgres, Engine::Mariadb] {
        let first = "-- UP\nCREATE TABLE a (id INTEGER NOT NULL PRIMARY KEY, n INTEGER);\nCREATE TABLE b (id INTEGER NOT NULL PRIMARY KEY, n INTEGER);\n\
                     INSERT INTO a VALUES (1, 0);\nINSERT INTO b VALUES (1, 0);\n-- DOWN\nDROP TABLE a;\nDROP TABLE b;\n";
        let second = "-- UP\nUPDATE a SET n = n + 1;\nUPDATE b SET n = n + 1;\n-- DOWN\nUPDATE a SET n = n - 1;\n";
        let Some(case) = Case::new(engine, &[("V1_First.sql", first), ("V2_Both.sql", second)]) else { continue };
        case.run(&["up", "--to", "1"]).expect(0, &[]);
        // The locks of a pin are taken in one order, before any statement.
        case.without_pin();
        let (mut application, mut watch) = (case.watch(), case.watch());
        match engine {
            // Who looks for deadlocks first, and finds one, gives way.
            Engine::Postgres => {
                application.execute("SET deadlock_timeout = '10min'");
                case.database.execute(&format!("ALTER DATABASE {} SET deadlock_timeout = '2s'", case.database.name()));
            }
            // Who has written less gives way.
            _ => {
                application.execute("CREATE TABLE much (n INTEGER)");
                application.execute("BEGIN");
                application.execute("INSERT INTO much SELECT seq FROM seq_1_to_1000");
                application.execute("COMMIT");
            }
        }
        application.execute("BEGIN");
        if engine == Engine::Mariadb {
            application.execute("UPDATE much SET n = n + 1");
        }
        application.execute("UPDATE b SET n = n + 10");
        let mut child = case.start(&["up", "-v", "--db-lock-timeout", "10min"]);
        child.until_said("up 2 Both: statement 2 of 2");
        assert!(child.reads_until(|| waiting(engine, &case, &mut watch)), "it waits for the row of b");
        application.execute("UPDATE a SET n = n + 10");
        child.until_said("trying again in");
        application.execute("COMMIT");
        child.end().expect(0, &[]);
        assert_eq!(case.database.query("SELECT n FROM a UNION ALL SELECT n FROM b"), ["11", "11"], "both, once each");
    }
}

/// Whether a session waits for a row.
fn waiting(engine: Engine, case: &Case, watch: &mut Watch) -> bool {
    let rows = match engine {
        Engine::Postgres => {
            watch.query(&format!("SELECT pid::text FROM pg_stat_activity WHERE datname = '{}' AND wait_event_type = 'Lock'", case.database.name()))
        }
        _ => {
            // The server shows what it showed last to whoever asks again within a tenth of a second.
            std::thread::sleep(std::time::Duration::from_millis(200));
            watch.query("SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
        }
    };
    !rows.is_empty()
}

#[test]
fn a_statement_may_be_given_a_limit() {
    for engine in ENGINES {
        let text = format!("-- UP\nCREATE TABLE t (id INTEGER);\nINSERT INTO t {};\n-- DOWN\nDROP TABLE t;\n", slow(engine));
        let Some(case) = Case::new(engine, &[("V1_Long.sql", &text)]) else { continue };
        hold(&case.database);
        let stands = if engine == Engine::Mariadb { "the statements on line 2 stand" } else { "no statement of it stands" };
        let limit = "it took longer than 0.5 s (--statement-timeout), and was cancelled";
        case.run(&["up", "--statement-timeout", "500ms"]).expect(6, &["V1_Long.sql:3: statement 2 of 2 of 1 Long failed", limit, stands]);
        let_go(&case.database);
        case.run(&["up", "--statement-timeout", "10min", "--finish"]).expect(0, &[]);
        assert_eq!(case.database.query("SELECT count(*) FROM t"), ["1"]);
    }
}
