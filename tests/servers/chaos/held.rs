//! SIGKILL of the client after a statement took effect and before our own tables say so. In: a trigger on these tables that holds one row
//! back after the other. Out: what a start makes of each such moment, in one run from end to end.

use super::child::{Child, migrate};
use super::trial::{Undisturbed, drop_database, words};
use super::watch::Watch;
use super::{report, set, share};
use crate::support::{self, Database};
use std::path::Path;
use unmigrate::engine::Engine;
use unmigrate::migration::Direction;

/// The first migrations, which make the tables that the trigger stands on.
const FIRST: &str = "4";

/// A row that is to be held back: its table, and the condition that it is the one.
pub(super) struct Row {
    pub(super) table: &'static str,
    pub(super) is: String,
}

/// The rows that come after something took effect, in the order of an undisturbed run: a history row, the journal of its run, the next one.
/// `after` is the last history row that is not to be held back.
fn rows(undisturbed: &Database, direction: Direction, after: i64) -> Vec<Row> {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let seqs = format!("SELECT seq FROM migrate_history WHERE direction = '{}' AND seq > {after}", direction.name());
    let mut rows = Vec::new();
    for seq in undisturbed.query(&seqs) {
        rows.push((number(&seq), 0, Row { table: "migrate_history", is: format!("NEW.seq = {seq}") }));
    }
    let journal = format!("FROM migrate_history_journal WHERE phase = 'done' AND run IN ({seqs}) ORDER BY run, entry");
    let statements = undisturbed.query(&format!("SELECT statements {journal}"));
    for (run, statements) in undisturbed.query(&format!("SELECT run {journal}")).into_iter().zip(statements) {
        let is = format!("NEW.phase = 'done' AND NEW.run = {run} AND NEW.statements = {statements}");
        rows.push((number(&run), number(&statements), Row { table: "migrate_history_journal", is }));
    }
    rows.sort_by_key(|(run, statements, _)| (*run, *statements));
    rows.into_iter().map(|(_, _, row)| row).collect()
}

/// Holds rows of a database back.
pub(super) struct Holder<'a> {
    database: &'a Database,
    own: Watch,
    /// The server, where the sessions are seen.
    root: Watch,
}

impl<'a> Holder<'a> {
    pub(super) fn of(database: &'a Database) -> Holder<'a> {
        Holder { database, own: Watch::on(database), root: Watch::on(&database.root().expect("a server")) }
    }

    fn is_postgres(&self) -> bool {
        self.database.engine == Engine::Postgres
    }

    /// Makes the server hold `row` back.
    pub(super) fn hold(&mut self, Row { table, is }: &Row) {
        if self.is_postgres() {
            self.own.execute(&format!(
                "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF {is} THEN PERFORM pg_sleep(600); END IF; RETURN NEW; END $$"
            ));
            self.own.execute(&format!("CREATE TRIGGER hold BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION hold()"));
        } else {
            self.own.execute(&format!("CREATE TRIGGER hold BEFORE INSERT ON {table} FOR EACH ROW BEGIN IF {is} THEN DO SLEEP(600); END IF; END"));
        }
    }

    /// The sessions that are held back.
    pub(super) fn held(&mut self) -> Vec<String> {
        let name = self.database.name();
        self.root.query(&if self.is_postgres() {
            format!("SELECT pid::text FROM pg_stat_activity WHERE datname = '{name}' AND wait_event = 'PgSleep'")
        } else {
            format!("SELECT id FROM information_schema.processlist WHERE db = '{name}' AND state = 'User sleep'")
        })
    }

    /// Ends the sessions that are held back, and holds no more.
    pub(super) fn let_go(&mut self) {
        let postgres = self.is_postgres();
        for number in self.held() {
            // It may be gone by itself: the server notices that its client is.
            let _ = self.root.attempt(&if postgres { format!("SELECT pg_terminate_backend({number})") } else { format!("KILL {number}") });
        }
        self.own.execute(if postgres { "DROP FUNCTION hold() CASCADE" } else { "DROP TRIGGER hold" });
    }
}

/// Holds a run of `direction` back at each of `rows`, and kills it there.
fn hold_back(database: &Database, folder: &Path, direction: Direction, rows: &[Row]) {
    let mut holder = Holder::of(database);
    let child = || {
        let mut command = migrate(&database.url, folder, words(direction));
        command.arg("--finish");
        Child::start(command)
    };
    for row in rows {
        holder.hold(row);
        let mut child = child();
        assert!(child.reads_until(|| !holder.held().is_empty()), "it was to be held back at {}: {:?}", row.is, child.end());
        child.kill();
        holder.let_go();
    }
    child().end().expect(0, &[]);
    report(&format!("{} {}: one run killed {} times, each time with a row of our own tables held back", database.engine, direction.name(), rows.len()));
}

fn killed(engine: Engine) {
    let folder = set::folder(engine);
    let folder = folder.path();
    let Some((undisturbed, first)) = Undisturbed::new(engine, folder) else { return };
    let database = support::database(engine).expect("it runs");
    Child::start(migrate(&database.url, folder, &["up", "--to", FIRST])).end().expect(0, &[]);
    let after = database.query("SELECT max(seq) FROM migrate_history")[0].parse().expect("a number");
    for (direction, after) in [(Direction::Up, after), (Direction::Down, 0)] {
        hold_back(&database, folder, direction, &share(rows(&first, direction, after)));
        undisturbed.compare(&database, direction, "held back and killed at rows of our own tables");
    }
    drop_database(database);
    drop_database(first);
}

#[test]
fn postgres_knows_what_took_effect() {
    killed(Engine::Postgres);
}

#[test]
fn mariadb_knows_what_took_effect() {
    killed(Engine::Mariadb);
}
