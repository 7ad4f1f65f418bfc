//! A few migrations on a database of their own, one of which takes long. In: files. Out: runners on them, and a hold on what takes long.

use super::child::{Child, Ended, PATIENCE, migrate};
use super::set::written;
use super::watch::Watch;
use crate::support::{self, Database};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use unmigrate::engine::Engine;

/// A database with the files for it.
pub(super) struct Case {
    pub(super) database: Database,
    pub(super) folder: TempDir,
}

impl Case {
    /// Those files on a fresh database; `None` where its server is not installed.
    pub(super) fn new(engine: Engine, files: &[(&str, &str)]) -> Option<Case> {
        Some(Case::on(support::database(engine)?, files))
    }

    pub(super) fn on(database: Database, files: &[(&str, &str)]) -> Case {
        // A file is made by the first connection that may.
        Watch::on(&database);
        let folder = written(files);
        // What these tests are about is not what the gate is about.
        fs::write(folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n").expect("a file");
        Case { database, folder }
    }

    /// Nothing is locked before the first statement, for no pin is made.
    pub(super) fn without_pin(&self) {
        fs::write(self.folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n[pin]\nwhen = \"never\"\n").expect("a file");
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        self.command_on(&self.database.url, arguments)
    }

    /// The same on the same database by another URL.
    pub(super) fn command_on(&self, url: &str, arguments: &[&str]) -> Command {
        let mut command = migrate(url, self.folder.path(), arguments);
        command.arg("--config").arg(self.folder.path().join("migrate.toml"));
        command
    }

    pub(super) fn start(&self, arguments: &[&str]) -> Child {
        Child::start(self.command(arguments))
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).end()
    }

    /// A connection beside the runner.
    pub(super) fn watch(&self) -> Watch {
        Watch::on(&self.database)
    }

    /// The server's sessions that run the `slow` query now: not those that ask for it, nor a runner that still writes it into its journal.
    pub(super) fn at_work(&self, watch: &mut Watch) -> Vec<String> {
        let (id, sessions, text, own) = match self.database.engine {
            Engine::Postgres => ("pid", "pg_stat_activity WHERE state = 'active' AND datname", "query", "pg_backend_pid()"),
            _ => ("id", "information_schema.processlist WHERE command = 'Query' AND db", "info", "CONNECTION_ID()"),
        };
        let name = self.database.name();
        watch.query(&format!(
            "SELECT CONCAT({id}) FROM {sessions} = '{name}' AND {text} LIKE '%FROM hold%' AND {text} NOT LIKE '%migrate_history%' AND {id} <> {own}"
        ))
    }
}

/// A query with one number that takes long while a row stands in `hold`, and no time else.
pub(super) fn slow(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => {
            "WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < (SELECT count(*) FROM hold) * 1000000000000) SELECT count(*) FROM c"
        }
        Engine::Postgres => "SELECT length(pg_sleep(600 * count(*))::text) FROM hold",
        // SLEEP would see that its client is gone, and BENCHMARK would not say that it was cut short.
        Engine::Mysql | Engine::Mariadb => "SELECT COUNT(*) FROM hold STRAIGHT_JOIN seq_1_to_1000000000000",
    }
}

/// Makes the table that holds `slow` queries up, with its row.
pub(super) fn hold(database: &Database) {
    database.execute("CREATE TABLE hold (id INTEGER NOT NULL)");
    database.execute("INSERT INTO hold VALUES (1)");
}

/// Takes that row away.
pub(super) fn let_go(database: &Database) {
    database.execute("DELETE FROM hold");
}

/// Looks again and again until `done` is.
pub(super) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} did not come in {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
