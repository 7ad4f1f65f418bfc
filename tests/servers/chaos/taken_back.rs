//! SIGKILL of the client while it takes back what stands of a run that stopped part-way. In: a trigger on the journal that holds one row back
//! after the other. Out: with however many starts, the schema and the rows that stood before that run.

use super::case::Case;
use super::held::{Holder, Row};
use super::trial::picture;
use unmigrate::engine::Engine;

const BASE: (&str, &str) = (
    "V1_Base.sql",
    "-- UP\nCREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, n INTEGER DEFAULT 7);\nCREATE TABLE u (id INTEGER NOT NULL PRIMARY KEY);\n-- DOWN\nDROP TABLE u;\nDROP TABLE t;\n",
);

/// Several statements take back one; the last one fails.
const MARIADB: &str = "-- UP
RENAME TABLE t TO t_old, u TO u_old;
ALTER TABLE t_old ADD COLUMN a INTEGER, ADD COLUMN b INTEGER, ALTER COLUMN n SET DEFAULT 8, ADD INDEX t_a (a);
INSERT INTO u_old VALUES (1), (2);
ALTER TABLE nowhere ADD COLUMN c INTEGER;
-- DOWN
DROP TABLE nowhere;
";

const POSTGRES: &str = "-- migrate: no-transaction
-- UP
ALTER TABLE t ADD COLUMN a INTEGER, ALTER COLUMN n SET DEFAULT 8;
INSERT INTO u VALUES (1), (2);
CREATE INDEX CONCURRENTLY t_a ON t (a);
ALTER TABLE nowhere ADD COLUMN c INTEGER;
-- DOWN
DROP TABLE nowhere;
";

/// Kills the first start before its row number `first` stands, each later one a row later, until one comes to its end. Gives how many were
/// killed; `None` where there is no server.
fn taken_back(engine: Engine, text: &str, first: usize) -> Option<usize> {
    let case = Case::new(engine, &[BASE, ("V2_More.sql", text)])?;
    case.run(&["up", "--to", "1"]).expect(0, &[]);
    let before = picture(&case.database);
    case.run(&["up"]).expect(6, &["nowhere", "stand; `--finish`"]);
    assert!(picture(&case.database) != before, "something stands");
    let mut holder = Holder::of(&case.database);
    for kills in 0.. {
        let last = case.database.query("SELECT CONCAT(MAX(entry)) FROM migrate_history_journal").remove(0);
        let entry = last.parse::<usize>().expect("a number") + first + kills;
        holder.hold(&Row { table: "migrate_history_journal", is: format!("NEW.entry = {entry}") });
        let mut child = case.start(&["up", "--compensate", "--accept-loss", "all"]);
        let held = child.reads_until(|| !holder.held().is_empty());
        let ended = if held { child.kill() } else { child.end() };
        holder.let_go();
        if !held {
            ended.expect(0, &["nothing else was run"]);
            assert_eq!(picture(&case.database), before, "{engine}: killed {kills} times from row {first} on");
            return Some(kills);
        }
    }
    None
}

/// From each row on, as far as there are rows.
fn goes_on(engine: Engine, text: &str, rows: usize) {
    let first_without = (1..).find_map(|first| match taken_back(engine, text, first) {
        Some(0) => Some(first),
        Some(_) => None,
        None => Some(rows + 1),
    });
    assert_eq!(first_without, Some(rows + 1), "{engine}: a start has {rows} rows");
}

/// What was found; two for each of the six statements that take back.
#[test]
fn mariadb_goes_on_with_what_takes_back() {
    goes_on(Engine::Mariadb, MARIADB, 13);
}

/// What was found; one in each transaction that takes a statement back.
#[test]
fn postgres_goes_on_with_what_takes_back() {
    goes_on(Engine::Postgres, POSTGRES, 4);
}
