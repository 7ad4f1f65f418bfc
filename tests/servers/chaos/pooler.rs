//! PgBouncer between the runner and PostgreSQL. Out: it is refused where it shares server processes, and leaves no lock behind.

use super::case::Case;
use super::child::run;
use crate::support::{guarded, missing};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};
use unmigrate::engine::Engine;

/// How long it may take to start.
const START: Duration = Duration::from_secs(60);

const FILE: (&str, &str) = ("V1_First.sql", "-- UP\nCREATE TABLE t (id INTEGER);\n-- DOWN\nDROP TABLE t;\n");

/// A pool in front of a case's server, in a folder of its own.
struct Pool {
    folder: PathBuf,
    _guard: Child,
}

impl Pool {
    fn start(program: &Path, case: &Case, settings: &str) -> Pool {
        let server = case.database.url.split("host=").nth(1).expect("a server on a socket");
        let folder = tempfile::Builder::new().prefix("migrate-pool-").tempdir_in("/tmp").expect("a folder").keep();
        let place = folder.display();
        let config = format!(
            "[databases]\n* = host={server}\n[pgbouncer]\nlisten_addr =\nunix_socket_dir = {place}\nauth_type = scram-sha-256\nauth_file = {place}/users\n\
             logfile = {place}/pool.log\n{settings}\n"
        );
        fs::write(folder.join("config"), config).expect("a file");
        fs::write(folder.join("users"), "\"root\" \"throw-away\"\n").expect("a file");
        let guard = guarded(&folder, &format!("exec {} \"$folder/config\"", program.display()), &[]);
        let (started, socket) = (Instant::now(), folder.join(".s.PGSQL.6432"));
        while !socket.exists() {
            assert!(started.elapsed() < START, "PgBouncer does not start: {:?}", fs::read_to_string(folder.join("pool.log")));
            std::thread::sleep(Duration::from_millis(20));
        }
        Pool { folder, _guard: guard }
    }

    /// The case's database, by way of the pool.
    fn url(&self, case: &Case) -> String {
        format!("postgres://root:throw-away@localhost:6432/{}?host={}", case.database.name(), self.folder.display())
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).map(|folder| folder.join("pgbouncer")).find(|file| file.exists());
    if found.is_none() {
        missing("PgBouncer", "the tests with a pooler");
    }
    found
}

/// What PgBouncer is told, and what becomes of a run through it.
const POOLS: [(&str, i32, &str); 4] = [
    // As it comes, it takes none of the settings that a session begins with.
    ("pool_mode = transaction", 2, "connect directly"),
    ("pool_mode = transaction\nignore_startup_parameters = options", 2, "connect directly"),
    ("pool_mode = statement\nignore_startup_parameters = options", 2, "connect directly"),
    ("pool_mode = session\nignore_startup_parameters = options", 0, "1 migration applied"),
];

#[test]
fn a_pool_that_shares_server_processes_is_refused() {
    let Some(program) = program() else { return };
    for (settings, code, words) in POOLS {
        let Some(case) = Case::new(Engine::Postgres, &[FILE]) else { return };
        let pool = Pool::start(&program, &case, settings);
        run(case.command_on(&pool.url(&case), &["up"])).expect(code, &[words]);
        let tables = case.database.query("SELECT relname::text FROM pg_class WHERE relname IN ('t', 'migrate_history')");
        assert_eq!(tables.is_empty(), code != 0, "{settings}: {tables:?}");
        // The pool's server processes live on, and none of them may keep the lock.
        case.run(&["up", "--lock-timeout", "0s"]).expect(0, &[]);
    }
}

#[test]
fn doctor_tells_of_such_a_pool() {
    let Some(program) = program() else { return };
    let Some(case) = Case::new(Engine::Postgres, &[FILE]) else { return };
    case.run(&["up"]).expect(0, &[]);
    for (mode, told) in [("transaction", true), ("session", false)] {
        let pool = Pool::start(&program, &case, &format!("pool_mode = {mode}\nignore_startup_parameters = options"));
        let ran = case.command_on(&pool.url(&case), &["doctor"]).output().expect("it starts");
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!((ran.status.code(), said.contains("this connection leads to a pooler")), (Some(0), told), "{mode}: {said}");
    }
}

/// What blocks a run before it comes to the pooler leaves no lock there either.
#[test]
fn a_blocked_run_through_a_pool_leaves_no_lock() {
    let Some(program) = program() else { return };
    let Some(case) = Case::new(Engine::Postgres, &[FILE]) else { return };
    case.run(&["up"]).expect(0, &[]);
    case.database.execute("INSERT INTO t VALUES (1)");
    let pool = Pool::start(&program, &case, "pool_mode = transaction\nignore_startup_parameters = options");
    run(case.command_on(&pool.url(&case), &["down", "--steps", "1"])).expect(3, &["undoing 1 First loses all that stands in table t"]);
    case.run(&["up", "--lock-timeout", "0s"]).expect(0, &["nothing to do"]);
}
