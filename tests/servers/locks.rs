//! The lock table against real servers. On PostgreSQL each statement runs in a transaction, which then shows its strongest lock
//! on the table, whether the table has another file, and whether every row was read. MariaDB and MySQL are asked for the gentlest
//! algorithm that they do not refuse.

use super::support::{Database, database};
use unmigrate::assess::{self, Judged};
use unmigrate::engine::Engine;
use unmigrate::migration::{Direction, Migration, Script, Version};
use unmigrate::parse;
use unmigrate::schema::catalog::Catalog;
use unmigrate::target::{Release, Target};

/// What is said of `up`'s last action, after `before`.
fn said(target: Target, before: &str, up: &str) -> Judged {
    let engine = target.engine;
    let mut catalog = Catalog::new(target);
    assess::follow(&mut catalog, &parse::script(&Script::whole(before), engine));
    let up = Script::whole(up);
    let parsed = parse::script(&up, engine);
    let migration = Migration {
        version: Version::new("2").expect("a version"),
        name: "case".into(),
        path: "case.sql".into(),
        down_path: None,
        up,
        down: None,
        irreversible: None,
        allows: Vec::new(),
    };
    let found = assess::migration(&mut catalog, &migration, &parsed, None);
    found.statements.into_iter().rfind(|s| s.direction == Direction::Up).expect("a statement")
}

/// What stands before each case; `t` is the table that locks are looked for on, where the case names no other relation.
const POSTGRES_BEFORE: &str = "
CREATE TABLE target (id integer PRIMARY KEY);
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN positive AS integer CHECK (value > 0);
CREATE DOMAIN anything AS integer;
CREATE TABLE holder (a anything);
INSERT INTO holder (a) VALUES (1);
CREATE TABLE t (id integer PRIMARY KEY, n integer, v varchar(20), x text, d numeric(10,2), ts timestamp(3), s integer NOT NULL, proved integer, tz timestamptz,
    m mood, CONSTRAINT proved CHECK (proved IS NOT NULL), CONSTRAINT old_check CHECK (n < 1000));
CREATE INDEX idx_n ON t (n);
CREATE UNIQUE INDEX uniq_s ON t (s);
CREATE UNIQUE INDEX uniq_n ON t (n);
CREATE TABLE pointing (id integer, target integer, CONSTRAINT points FOREIGN KEY (target) REFERENCES target (id));
INSERT INTO t (id, n, v, x, d, ts, s, proved, tz, m) SELECT g, g, 'v', 'x', 1, now(), g, g, now(), 'sad' FROM generate_series(1, 100) g;
ALTER TABLE t ADD CONSTRAINT late CHECK (id > 0) NOT VALID;
CREATE FUNCTION noop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE TRIGGER trg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION noop();
CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;
CREATE VIEW vw AS SELECT id FROM t;
CREATE RULE quiet_one AS ON UPDATE TO t DO ALSO NOTHING;
CREATE TABLE parted (id integer) PARTITION BY LIST (id);
CREATE TABLE part1 PARTITION OF parted FOR VALUES IN (1);
CREATE TABLE part2 (id integer);
";

/// What is measured: the strongest lock on the relation, another file, every row read.
type Measured = (&'static str, bool, bool);

#[rustfmt::skip]
const POSTGRES: &[(&str, &str, Measured)] = &[
    // relation, statement,                                                         lock,                   rewrite, scan
    ("t",  "ALTER TABLE t ADD COLUMN c integer",                                    ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer NOT NULL DEFAULT 7",                 ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c timestamptz DEFAULT now()",                  ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c varchar(20) DEFAULT 'a(b)'",                 ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c jsonb DEFAULT '{}'::jsonb",                  ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c timestamptz DEFAULT clock_timestamp()",      ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c uuid DEFAULT gen_random_uuid()",             ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c double precision DEFAULT random()",          ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c serial",                                     ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer GENERATED ALWAYS AS IDENTITY",       ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer GENERATED ALWAYS AS (n * 2) STORED", ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c positive",                                   ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD COLUMN c anything",                                   ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer UNIQUE",                             ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer CHECK (c > 0)",                      ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD COLUMN c integer REFERENCES target (id)",             ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t DROP COLUMN v",                                           ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t RENAME COLUMN v TO w",                                    ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t RENAME TO u",                                             ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN n SET DEFAULT 1",                            ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN n SET NOT NULL",                             ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ALTER COLUMN proved SET NOT NULL",                        ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN s DROP NOT NULL",                            ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN s ADD GENERATED ALWAYS AS IDENTITY",         ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN n SET STATISTICS 200",                       ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN x SET STORAGE external",                     ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN s TYPE bigint",                              ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN v TYPE varchar(40)",                         ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN v TYPE text",                                ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN x TYPE varchar",                             ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN x TYPE varchar(40)",                         ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN v TYPE varchar(10)",                         ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN v TYPE text USING lower(v)",                 ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN v TYPE text USING v::text",                  ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN d TYPE numeric(12,2)",                       ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN d TYPE numeric",                             ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN d TYPE numeric(12,4)",                       ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN ts TYPE timestamp(6)",                       ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN ts TYPE timestamp(0)",                       ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN ts TYPE date",                               ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ALTER COLUMN m TYPE text",                                ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t ADD CONSTRAINT k UNIQUE (s)",                             ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX uniq_s",              ("ACCESS EXCLUSIVE",       false, false)),
    ("target", "ALTER TABLE target DROP CONSTRAINT target_pkey CASCADE",            ("ACCESS EXCLUSIVE",       false, false)),
    ("pointing", "ALTER TABLE pointing ADD PRIMARY KEY (id)",                       ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD CONSTRAINT e EXCLUDE USING btree (s WITH =)",         ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0)",                          ("ACCESS EXCLUSIVE",       false, true)),
    ("t",  "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID",                ("ACCESS EXCLUSIVE",       false, false)),
    ("pointing", "ALTER TABLE pointing ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES target (id)",
                                                                                    ("SHARE ROW EXCLUSIVE",    false, true)),
    ("pointing", "ALTER TABLE pointing ADD CONSTRAINT f FOREIGN KEY (id) REFERENCES target (id) NOT VALID",
                                                                                    ("SHARE ROW EXCLUSIVE",    false, false)),
    ("holder", "ALTER DOMAIN anything ADD CONSTRAINT small CHECK (value < 10)",     ("SHARE",                  false, true)),
    ("holder", "ALTER DOMAIN anything SET NOT NULL",                                ("SHARE",                  false, true)),
    ("t",  "ALTER TABLE t VALIDATE CONSTRAINT late",                                ("SHARE UPDATE EXCLUSIVE", false, true)),
    ("t",  "ALTER TABLE t DROP CONSTRAINT old_check",                               ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t RENAME CONSTRAINT old_check TO new_check",                ("ACCESS EXCLUSIVE",       false, false)),
    ("pointing", "ALTER TABLE pointing DROP CONSTRAINT points",                     ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "CREATE INDEX idx_v ON t (v)",                                           ("SHARE",                  false, true)),
    ("t",  "CREATE UNIQUE INDEX idx_s ON t (s)",                                    ("SHARE",                  false, true)),
    ("t",  "DROP INDEX idx_n",                                                      ("ACCESS EXCLUSIVE",       false, false)),
    ("idx_n", "ALTER INDEX idx_n RENAME TO idx_other",                              ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("idx_n", "ALTER INDEX idx_n SET (fillfactor = 70)",                            ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "REINDEX TABLE t",                                                       ("SHARE",                  false, true)),
    ("t",  "DROP TABLE t CASCADE",                                                  ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t SET (fillfactor = 70)",                                   ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "ALTER TABLE t SET UNLOGGED",                                            ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ALTER TABLE t REPLICA IDENTITY FULL",                                   ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t ENABLE ROW LEVEL SECURITY",                               ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t OWNER TO CURRENT_USER",                                   ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "CREATE POLICY p ON t USING (true)",                                     ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noop()", ("SHARE ROW EXCLUSIVE", false, false)),
    ("t",  "ALTER TABLE t DISABLE TRIGGER trg",                                     ("SHARE ROW EXCLUSIVE",    false, false)),
    ("t",  "DROP TRIGGER trg ON t",                                                 ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "COMMENT ON TABLE t IS 'words'",                                         ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "CLUSTER t USING t_pkey",                                                ("ACCESS EXCLUSIVE",       true,  true)),
    ("t",  "ANALYZE t",                                                             ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "INSERT INTO t (id, s, proved) VALUES (101, 101, 1)",                    ("ROW EXCLUSIVE",          false, false)),
    ("t",  "UPDATE t SET x = 'y' WHERE id = 1",                                     ("ROW EXCLUSIVE",          false, false)),
    ("t",  "DELETE FROM t WHERE id = 1",                                            ("ROW EXCLUSIVE",          false, false)),
    ("mv", "REFRESH MATERIALIZED VIEW mv",                                          ("ACCESS EXCLUSIVE",       true,  true)),
    ("mv", "DROP MATERIALIZED VIEW mv",                                             ("ACCESS EXCLUSIVE",       false, false)),
    ("vw", "CREATE OR REPLACE VIEW vw AS SELECT id FROM t WHERE id > 0",            ("ACCESS EXCLUSIVE",       false, false)),
    ("parted", "ALTER TABLE parted ATTACH PARTITION part2 FOR VALUES IN (2)",       ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("parted", "ALTER TABLE parted DETACH PARTITION part1",                         ("ACCESS EXCLUSIVE",       false, false)),
    ("parted", "CREATE TABLE part3 PARTITION OF parted FOR VALUES IN (3)",          ("ACCESS EXCLUSIVE",       false, false)),
    ("target", "CREATE TABLE newer (t integer REFERENCES target (id))",             ("SHARE ROW EXCLUSIVE",    false, false)),
    ("t",  "CREATE TABLE kid () INHERITS (t)",                                      ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("pointing", "ALTER TABLE pointing ALTER CONSTRAINT points DEFERRABLE",         ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TRIGGER trg ON t RENAME TO other",                                ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "CREATE PUBLICATION told FOR TABLE t",                                   ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "CREATE STATISTICS both_of_them ON n, s FROM t",                         ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "CREATE RULE quiet AS ON DELETE TO t DO INSTEAD NOTHING",                ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "GRANT SELECT ON t TO PUBLIC",                                           ("none",                   false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN n SET (n_distinct = 5)",                     ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "ALTER TABLE t CLUSTER ON idx_n",                                        ("SHARE UPDATE EXCLUSIVE", false, false)),
    ("t",  "ALTER TABLE t ALTER COLUMN s DROP DEFAULT",                             ("ACCESS EXCLUSIVE",       false, false)),
    ("t",  "ALTER TABLE t DISABLE RULE quiet_one",                                  ("ACCESS EXCLUSIVE",       false, false)),
];

/// PostgreSQL's modes, the weakest first, as `pg_locks` and as the manual spell them; but for that of a query, for which no write waits.
const MODES: &[(&str, &str)] = &[
    ("RowShareLock", "ROW SHARE"),
    ("RowExclusiveLock", "ROW EXCLUSIVE"),
    ("ShareUpdateExclusiveLock", "SHARE UPDATE EXCLUSIVE"),
    ("ShareLock", "SHARE"),
    ("ShareRowExclusiveLock", "SHARE ROW EXCLUSIVE"),
    ("ExclusiveLock", "EXCLUSIVE"),
    ("AccessExclusiveLock", "ACCESS EXCLUSIVE"),
];

/// Runs `statement` in a transaction that is rolled back, and measures it on `relation`. Who names rows by a key must not read all
/// of a small table: a scan shall mean that it cannot be helped.
fn measure(database: &Database, relation: &str, statement: &str) -> (&'static str, bool, bool) {
    let rows = database.query(&format!(
        "BEGIN; SET LOCAL enable_seqscan = off; SELECT set_config('seen.oid', '{relation}'::regclass::oid::text, true);
         SELECT set_config('seen.file', coalesce(pg_relation_filenode('{relation}')::text, ''), true);
         {statement};
         SELECT 'lock ' || mode FROM pg_locks WHERE relation = current_setting('seen.oid')::oid AND pid = pg_backend_pid();
         SELECT 'rewritten' FROM pg_class WHERE oid = current_setting('seen.oid')::oid AND pg_relation_filenode(oid)::text <> current_setting('seen.file');
         SELECT 'scanned' FROM pg_stat_xact_all_tables WHERE relid = current_setting('seen.oid')::oid AND seq_scan > 0;
         ROLLBACK"
    ));
    let held = |mode: &str| rows.iter().any(|row| row.strip_prefix("lock ") == Some(mode));
    let strongest = MODES.iter().rfind(|(mode, _)| held(mode)).map_or("none", |(_, name)| name);
    let has = |word: &str| rows.iter().any(|row| row == word);
    (strongest, has("rewritten"), has("rewritten") || has("scanned"))
}

#[test]
fn postgres_locks_rewrites_and_scans_as_the_lock_table_says() {
    let Some(database) = database(Engine::Postgres) else { return };
    database.execute(POSTGRES_BEFORE);
    let mut wrong = Vec::new();
    for &(relation, statement, expected) in POSTGRES {
        let measured = measure(&database, relation, statement);
        let said = said(Engine::Postgres.into(), POSTGRES_BEFORE, &format!("{statement};"));
        let said = (said.lock.as_deref().unwrap_or("unknown"), said.rewrite, said.scan);
        if measured != expected || said != (expected.0, Some(expected.1), Some(expected.2)) {
            wrong.push(format!("{statement}\n    expected {expected:?}, measured {measured:?}, said {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), POSTGRES.len(), wrong.join("\n"));
}

const MYSQL_LIKE_BEFORE: &str = "
CREATE TABLE target (id integer PRIMARY KEY) ENGINE=InnoDB;
INSERT INTO target (id) VALUES (1), (2);
CREATE TABLE t (id integer PRIMARY KEY, n integer, s integer NOT NULL, v varchar(20), w varchar(300), e enum('a','b'), x text, p integer,
    CONSTRAINT old_check CHECK (n < 1000), CONSTRAINT points FOREIGN KEY (p) REFERENCES target (id), KEY idx_s (s)) ENGINE=InnoDB CHARSET=utf8mb4;
INSERT INTO t (id, s, n) VALUES (1, 1, 1), (2, 2, 2);
";

#[rustfmt::skip]
const MARIADB: &[(&str, &str, bool)] = &[
    // action of ALTER TABLE t,                                 lock,                      rewrite
    ("ADD COLUMN c integer",                                    "INSTANT",                 false),
    ("ADD COLUMN c integer NOT NULL DEFAULT 7",                 "INSTANT",                 false),
    ("ADD COLUMN c timestamp DEFAULT CURRENT_TIMESTAMP",        "INSTANT",                 false),
    ("ADD COLUMN c double DEFAULT (rand())",                    "INSTANT",                 false),
    ("ADD COLUMN c integer AS (n + 1) VIRTUAL",                 "INSTANT",                 false),
    ("ADD COLUMN c integer AS (n + 1) STORED",                  "COPY, writes blocked",    true),
    ("ADD COLUMN c integer UNIQUE",                             "INPLACE",                 true),
    ("DROP COLUMN v",                                           "INSTANT",                 false),
    ("RENAME COLUMN v TO u",                                    "INSTANT",                 false),
    ("ALTER COLUMN s SET DEFAULT 1",                            "INSTANT",                 false),
    ("MODIFY n bigint",                                         "COPY, writes blocked",    true),
    ("MODIFY n integer NOT NULL",                               "INPLACE",                 true),
    ("MODIFY s integer NULL",                                   "INPLACE",                 true),
    ("MODIFY v varchar(40)",                                    "INSTANT",                 false),
    ("MODIFY w varchar(400)",                                   "INSTANT",                 false),
    ("MODIFY v varchar(10)",                                    "COPY, writes blocked",    true),
    ("MODIFY e enum('a','b','c')",                              "INSTANT",                 false),
    ("MODIFY e enum('b','a')",                                  "COPY, writes blocked",    true),
    ("ADD INDEX i (v)",                                         "INPLACE",                 false),
    ("ADD FULLTEXT INDEX i (x)",                                "INPLACE, writes blocked", true),
    ("DROP INDEX idx_s",                                        "INPLACE",                 false),
    ("RENAME INDEX idx_s TO idx_r",                             "INSTANT",                 false),
    ("ADD UNIQUE (s)",                                          "INPLACE",                 false),
    ("ADD CONSTRAINT c CHECK (s > 0)",                          "COPY, writes blocked",    true),
    ("DROP CONSTRAINT old_check",                               "INSTANT",                 false),
    ("ADD CONSTRAINT f FOREIGN KEY (s) REFERENCES target (id)", "COPY, writes blocked",    true),
    ("DROP FOREIGN KEY points",                                 "INSTANT",                 false),
    ("DROP PRIMARY KEY",                                        "COPY, writes blocked",    true),
    ("COMMENT 'words'",                                         "INSTANT",                 false),
    ("ROW_FORMAT=COMPACT",                                      "INPLACE",                 true),
    ("ENGINE=InnoDB",                                           "INPLACE",                 true),
    ("CONVERT TO CHARACTER SET latin1",                         "COPY, writes blocked",    true),
    ("FORCE",                                                   "INPLACE",                 true),
];

#[rustfmt::skip]
const MYSQL: &[(&str, &str, bool)] = &[
    // action of ALTER TABLE t,                                 lock,                      rewrite
    ("ADD COLUMN c integer",                                    "INSTANT",                 false),
    ("ADD COLUMN c integer AFTER id",                           "INSTANT",                 false),
    ("ADD COLUMN c integer FIRST",                              "INSTANT",                 false),
    ("ADD COLUMN c integer NOT NULL DEFAULT 7",                 "INSTANT",                 false),
    ("ADD COLUMN c timestamp DEFAULT CURRENT_TIMESTAMP",        "INSTANT",                 false),
    ("ADD COLUMN c json DEFAULT (json_array())",                "COPY, writes blocked",    true),
    ("ADD COLUMN c integer DEFAULT (s + 1)",                    "COPY, writes blocked",    true),
    ("ADD COLUMN c integer AS (n + 1) VIRTUAL",                 "INSTANT",                 false),
    ("ADD COLUMN c integer AS (n + 1) STORED",                  "COPY, writes blocked",    true),
    ("ADD COLUMN c integer UNIQUE",                             "INPLACE",                 true),
    ("DROP COLUMN v",                                           "INSTANT",                 false),
    ("RENAME COLUMN v TO u",                                    "INSTANT",                 false),
    ("ALTER COLUMN s SET DEFAULT 1",                            "INSTANT",                 false),
    ("MODIFY n bigint",                                         "COPY, writes blocked",    true),
    ("MODIFY n integer NOT NULL",                               "INPLACE",                 true),
    ("MODIFY s integer NULL",                                   "INPLACE",                 true),
    ("MODIFY v varchar(40)",                                    "INPLACE",                 false),
    ("MODIFY w varchar(400)",                                   "INPLACE",                 false),
    ("MODIFY v varchar(10)",                                    "COPY, writes blocked",    true),
    ("MODIFY e enum('a','b','c')",                              "INSTANT",                 false),
    ("MODIFY e enum('b','a')",                                  "COPY, writes blocked",    true),
    ("ADD INDEX i (v)",                                         "INPLACE",                 false),
    ("ADD FULLTEXT INDEX i (x)",                                "INPLACE, writes blocked", true),
    ("DROP INDEX idx_s",                                        "INPLACE",                 false),
    ("RENAME INDEX idx_s TO idx_r",                             "INPLACE",                 false),
    ("ALTER INDEX idx_s INVISIBLE",                             "INPLACE",                 false),
    ("ADD UNIQUE (s)",                                          "INPLACE",                 false),
    ("ADD CONSTRAINT c CHECK (s > 0)",                          "COPY, writes blocked",    true),
    ("DROP CONSTRAINT old_check",                               "INSTANT",                 false),
    ("ADD CONSTRAINT f FOREIGN KEY (s) REFERENCES target (id)", "COPY, writes blocked",    true),
    ("DROP FOREIGN KEY points",                                 "INPLACE",                 false),
    ("DROP PRIMARY KEY",                                        "COPY, writes blocked",    true),
    ("COMMENT 'words'",                                         "INPLACE",                 false),
    ("ROW_FORMAT=COMPACT",                                      "INPLACE",                 true),
    ("ENGINE=InnoDB",                                           "INPLACE",                 true),
    ("CONVERT TO CHARACTER SET latin1",                         "COPY, writes blocked",    true),
    ("FORCE",                                                   "INPLACE",                 true),
];

/// The gentlest algorithm that the server does not refuse for `action`, on a fresh table each time, and whether it rebuilds.
fn gentlest(database: &Database, action: &str) -> (&'static str, bool) {
    // A rebuilt table has another number (MySQL); MariaDB has a word for what rebuilds none.
    let number = || database.query(&format!("SELECT table_id FROM information_schema.innodb_tables WHERE name = '{}/t'", database.name()));
    let takes = |how: &str| {
        database.execute("SET foreign_key_checks = 0; DROP TABLE IF EXISTS t, target");
        database.execute(MYSQL_LIKE_BEFORE);
        let before = if database.engine == Engine::Mysql { number() } else { Vec::new() };
        let refusal = database.refusal(&format!("ALTER TABLE t {action}{how}"));
        let rebuilt = database.engine == Engine::Mysql && number() != before;
        (refusal, rebuilt)
    };
    if takes(", ALGORITHM=INSTANT").0.is_none() {
        return ("INSTANT", false);
    }
    let rebuilds = |rebuilt: bool| if database.engine == Engine::Mysql { rebuilt } else { takes(", ALGORITHM=NOCOPY").0.is_some() };
    for (how, lock) in [(", ALGORITHM=INPLACE, LOCK=NONE", "INPLACE"), (", ALGORITHM=INPLACE", "INPLACE, writes blocked")] {
        if let (None, rebuilt) = takes(how) {
            return (lock, rebuilds(rebuilt));
        }
    }
    match takes("").0 {
        None => ("COPY, writes blocked", true),
        Some(error) => panic!("ALTER TABLE t {action}: {error}"),
    }
}

fn takes_what_is_said(target: Target, actions: &[(&str, &str, bool)]) {
    let Some(database) = database(target.engine) else { return };
    let mut wrong = Vec::new();
    for &(action, lock, rewrite) in actions {
        let measured = gentlest(&database, action);
        let said = said(target, MYSQL_LIKE_BEFORE, &format!("ALTER TABLE t {action};"));
        let said = (said.lock.as_deref().unwrap_or("unknown"), said.rewrite);
        if measured != (lock, rewrite) || said != (lock, Some(rewrite)) {
            wrong.push(format!("{action}\n    expected {:?}, measured {measured:?}, said {said:?}", (lock, rewrite)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), actions.len(), wrong.join("\n"));
}

#[test]
fn mariadb_takes_the_algorithms_that_the_lock_table_says() {
    takes_what_is_said(Engine::Mariadb.into(), MARIADB);
}

/// Runs where `tests/unstable.sh` gives the server.
#[test]
fn mysql_takes_the_algorithms_that_the_lock_table_says() {
    takes_what_is_said(Target { engine: Engine::Mysql, stated: Some(Release(9, 7, 0)) }, MYSQL);
}
