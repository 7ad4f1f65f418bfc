//! The negative control: the harness that proves the rule pages can fail. A case that says what is not so is reported, and each kind
//! of thing that a state holds makes two states differ.

use crate::link::Link;
use crate::page::{self, Case};
use crate::state;
use crate::support::{Database, alone_on_the_server, each_engine, wait};
use crate::trial;
use Part::{Rows, Schema};
use unmigrate::engine::Engine;

/// Cases that say what is not so, and what must be said of each.
const FALSE_CASES: &[(&str, &str)] = &[
    ("a value does not come back", "something is not as it was"),
    ("a row does not come back", "something is not as it was"),
    ("a column does not come back", "something is not as it was"),
    ("what UP made stays", "something is not as it was"),
    ("DOWN is refused, said to be reversible", "DOWN was refused"),
    ("DOWN is refused, said to be partial", "DOWN was refused"),
    ("everything comes back, said to be lost", "every row is as it was"),
    ("everything comes back, said to have no way back", "everything is as it was"),
    ("UP does nothing that shows", "UP left no trace"),
    ("UP is refused", "UP was refused"),
    ("what stands before is refused", "`before` was refused"),
];

const FALSE_PAGE: &str = r#"# control
## What DOWN cannot bring back
## The way back
## Safer
## Cases
### a value does not come back: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY, name varchar(20));
INSERT INTO t (id, name) VALUES (1, 'a');
```
```sql up
UPDATE t SET name = 'b' WHERE id = 1; -- update-rows
```
```sql down
UPDATE t SET name = 'A' WHERE id = 1;
```
### a row does not come back: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t (id) VALUES (1), (2);
```
```sql up
DELETE FROM t; -- delete-rows
```
```sql down
INSERT INTO t (id) VALUES (1);
```
### a column does not come back: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY, name varchar(20));
```
```sql up
ALTER TABLE t DROP COLUMN name; -- drop-column
```
```sql down
ALTER TABLE t ADD COLUMN name varchar(21);
```
### what UP made stays: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY, name varchar(20));
```
```sql up
CREATE INDEX i ON t (name); -- create-index
```
```sql down
SELECT 1;
```
### DOWN is refused, said to be reversible: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
```
```sql up
ALTER TABLE t ADD COLUMN a integer; -- add-column
```
```sql down
ALTER TABLE t DROP COLUMN b;
```
### DOWN is refused, said to be partial: partial, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
```
```sql up
ALTER TABLE t ADD COLUMN a integer; -- add-column
```
```sql down
ALTER TABLE t DROP COLUMN b;
```
### everything comes back, said to be lost: irreversible, certain
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
INSERT INTO t (id) VALUES (1);
```
```sql up
DELETE FROM t; -- delete-rows
```
```sql down
INSERT INTO t (id) VALUES (1);
```
### everything comes back, said to have no way back: irreversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
```
```sql up
CREATE TABLE u (id integer PRIMARY KEY); -- create-table
```
```sql down
DROP TABLE u;
```
### UP does nothing that shows: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
```
```sql up
UPDATE t SET id = 1; -- update-rows
```
```sql down
SELECT 1;
```
### UP is refused: reversible, none
```sql before
CREATE TABLE t (id integer PRIMARY KEY);
```
```sql up
DROP TABLE u; -- drop-table
```
### what stands before is refused: reversible, none
```sql before
DROP TABLE u;
```
```sql up
CREATE TABLE t (id integer PRIMARY KEY); -- create-table
```
"#;

#[test]
fn a_case_that_says_what_is_not_so_is_reported() {
    let page = page::parse("control", FALSE_PAGE).expect("a page");
    each_engine(|database| {
        let _alone = alone_on_the_server(database.engine);
        for (title, reported) in FALSE_CASES {
            let case = page.cases.iter().find(|case| case.title == *title).unwrap_or_else(|| panic!("no case {title:?}"));
            let what = report(case, database.engine);
            assert!(what.starts_with(reported), "{title}: {what}");
        }
        assert_eq!(page.cases.len(), FALSE_CASES.len());
    });
}

fn report(case: &Case, engine: Engine) -> String {
    let database = crate::support::database(engine).expect("the engine is here");
    wait(trial::holds(case, &database)).expect_err(&case.title)
}

/// What stands before the changes.
fn ground(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite => &[
            "CREATE TABLE t (id integer PRIMARY KEY AUTOINCREMENT, name text, n integer)",
            "INSERT INTO t (name, n) VALUES ('a', 1), (NULL, 2)",
            "CREATE TABLE c (id integer, t)",
            "CREATE VIEW seen AS SELECT id FROM t",
        ],
        Engine::Postgres => &[
            "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(20), n integer, m numeric(8,2))",
            "INSERT INTO t (name, n, m) VALUES ('a', 1, 1.5), (NULL, 2, 2)",
            "CREATE TABLE c (id integer, t integer)",
            "CREATE VIEW seen AS SELECT id FROM t",
            "CREATE SEQUENCE s",
            "CREATE TYPE mood AS ENUM ('a', 'b')",
            "CREATE DOMAIN small AS integer",
            "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
            "CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE ROLE migrate_case_reader",
        ],
        Engine::Mysql | Engine::Mariadb => &[
            "CREATE TABLE t (id integer AUTO_INCREMENT PRIMARY KEY, name varchar(20), n integer, m decimal(8,2), b varbinary(8))",
            "INSERT INTO t (name, n, m, b) VALUES ('a', 1, 1.5, 'a'), (NULL, 2, 2, NULL)",
            "CREATE TABLE c (id integer, t integer)",
            "CREATE VIEW seen AS SELECT id FROM t",
            "CREATE FUNCTION f() RETURNS integer DETERMINISTIC RETURN 1",
            "CREATE PROCEDURE p() SELECT 1",
            "CREATE USER migrate_case_reader",
        ],
    }
}

/// The part of a state that a change is to be seen in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Schema,
    Rows,
}

/// Changes, each a thing that a state must not overlook. They follow one another.
fn changes(engine: Engine) -> Vec<(&'static str, Part, &'static str)> {
    let mut all = vec![
        ("a value", Rows, "UPDATE t SET n = 3 WHERE n = 2"),
        ("a value to the text NULL", Rows, "UPDATE t SET name = 'NULL' WHERE name IS NULL"),
        ("a letter's case", Rows, "UPDATE t SET name = 'A' WHERE name = 'a'"),
        ("a blank at the end", Rows, "UPDATE t SET name = 'A ' WHERE n = 1"),
        ("a row more", Rows, "INSERT INTO t (name, n) VALUES ('A ', 1)"),
        ("a row less", Rows, "DELETE FROM t WHERE n = 3"),
        ("a row without a key", Rows, "INSERT INTO c VALUES (1, NULL)"),
        ("the same row again", Rows, "INSERT INTO c VALUES (1, NULL)"),
        ("no row", Rows, "DELETE FROM c"),
        ("a table", Schema, "CREATE TABLE other (id integer PRIMARY KEY)"),
        ("a column", Schema, "ALTER TABLE other ADD COLUMN added integer"),
        ("a column's name", Schema, "ALTER TABLE other RENAME COLUMN added TO renamed"),
        ("a table's name", Schema, "ALTER TABLE other RENAME TO another"),
        ("an index", Schema, "CREATE INDEX i ON t (n)"),
        ("an index's order", Schema, "CREATE INDEX j ON t (n DESC, name)"),
    ];
    let own: &[(&str, Part, &str)] = match engine {
        Engine::Sqlite => &[
            ("an index's predicate", Schema, "CREATE INDEX k ON t (n) WHERE n > 1"),
            ("a number", Rows, "INSERT INTO c VALUES (1, 1)"),
            ("a number with a point", Rows, "UPDATE c SET t = 1.0"),
            ("a number as text", Rows, "UPDATE c SET t = '1.0'"),
            ("text as bytes", Rows, "UPDATE c SET t = x'312E30'"),
            ("a default", Schema, "ALTER TABLE t ADD COLUMN d integer DEFAULT 4"),
            ("a position", Rows, "UPDATE sqlite_sequence SET seq = 40"),
            ("a view", Schema, "DROP VIEW seen"),
            ("a view's body", Schema, "CREATE VIEW seen AS SELECT id, n FROM t"),
            ("a trigger", Schema, "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END"),
            ("a setting", Schema, "PRAGMA user_version = 3"),
            ("a virtual table", Schema, "CREATE VIRTUAL TABLE words USING fts5(word)"),
        ],
        Engine::Postgres => &[
            ("the scale of a number", Rows, "ALTER TABLE t ALTER COLUMN m TYPE numeric(8,3)"),
            ("a type's length", Schema, "ALTER TABLE t ALTER COLUMN name TYPE varchar(30)"),
            ("a type", Schema, "ALTER TABLE t ALTER COLUMN n TYPE bigint"),
            ("a default", Schema, "ALTER TABLE t ALTER COLUMN n SET DEFAULT 4"),
            ("another default", Schema, "ALTER TABLE t ALTER COLUMN n SET DEFAULT 5"),
            ("NOT NULL", Schema, "ALTER TABLE t ALTER COLUMN n SET NOT NULL"),
            ("a collation", Schema, "ALTER TABLE t ALTER COLUMN name TYPE varchar(30) COLLATE \"C\""),
            ("a generated column", Schema, "ALTER TABLE t ADD COLUMN g integer GENERATED ALWAYS AS (n + 1) STORED"),
            ("an identity's kind", Schema, "ALTER TABLE t ALTER COLUMN id SET GENERATED BY DEFAULT"),
            ("an identity's position", Rows, "ALTER TABLE t ALTER COLUMN id RESTART WITH 90"),
            ("storage", Schema, "ALTER TABLE t ALTER COLUMN name SET STORAGE EXTERNAL"),
            ("statistics of a column", Schema, "ALTER TABLE t ALTER COLUMN name SET STATISTICS 50"),
            ("a table's option", Schema, "ALTER TABLE t SET (fillfactor = 70)"),
            ("an index's predicate", Schema, "CREATE INDEX k ON t (n) WHERE n > 1"),
            ("an index's method", Schema, "CREATE INDEX h ON t USING hash (n)"),
            ("a unique constraint", Schema, "ALTER TABLE c ADD CONSTRAINT one UNIQUE (id)"),
            ("a constraint's name", Schema, "ALTER TABLE c RENAME CONSTRAINT one TO only_one"),
            ("a check", Schema, "ALTER TABLE c ADD CONSTRAINT positive CHECK (id > 0) NOT VALID"),
            ("a validated check", Schema, "ALTER TABLE c VALIDATE CONSTRAINT positive"),
            ("a foreign key", Schema, "ALTER TABLE c ADD CONSTRAINT points FOREIGN KEY (t) REFERENCES t (id)"),
            ("a foreign key that can be deferred", Schema, "ALTER TABLE c ALTER CONSTRAINT points DEFERRABLE"),
            ("a view's body", Schema, "CREATE OR REPLACE VIEW seen AS SELECT id FROM t WHERE n > 1"),
            ("a view's option", Schema, "ALTER VIEW seen SET (security_barrier = true)"),
            ("a sequence's step", Schema, "ALTER SEQUENCE s INCREMENT BY 5"),
            ("a sequence's position", Rows, "SELECT setval('s', 30)"),
            ("an enum's label", Schema, "ALTER TYPE mood ADD VALUE 'c'"),
            ("a domain's check", Schema, "ALTER DOMAIN small ADD CHECK (VALUE < 100)"),
            ("a function's body", Schema, "CREATE OR REPLACE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 2'"),
            ("a function's attribute", Schema, "ALTER FUNCTION f() IMMUTABLE"),
            ("a trigger", Schema, "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION g()"),
            ("a trigger at rest", Schema, "ALTER TABLE t DISABLE TRIGGER tr"),
            ("a rule", Schema, "CREATE RULE nothing AS ON DELETE TO c DO INSTEAD NOTHING"),
            ("row security", Schema, "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
            ("a policy", Schema, "CREATE POLICY mine ON t USING (n = 1)"),
            ("a comment on a table", Schema, "COMMENT ON TABLE t IS 'one'"),
            ("a comment on a column", Schema, "COMMENT ON COLUMN t.n IS 'one'"),
            ("another comment", Schema, "COMMENT ON COLUMN t.n IS 'two'"),
            ("a right on a table", Schema, "GRANT SELECT ON t TO migrate_case_reader"),
            ("a right on a column", Schema, "GRANT UPDATE (n) ON t TO migrate_case_reader"),
            ("a right that can be handed on", Schema, "GRANT SELECT ON t TO migrate_case_reader WITH GRANT OPTION"),
            ("a right on a function", Schema, "REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC"),
            ("rights by default", Schema, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO migrate_case_reader"),
            ("an owner", Schema, "ALTER TABLE c OWNER TO migrate_case_reader"),
            ("a role's attribute", Schema, "ALTER ROLE migrate_case_reader CREATEDB"),
            ("a role's setting", Schema, "ALTER ROLE migrate_case_reader SET work_mem = '5MB'"),
            ("a schema", Schema, "CREATE SCHEMA beside"),
            ("a table's schema", Schema, "ALTER TABLE c SET SCHEMA beside"),
            ("an extension", Schema, "CREATE EXTENSION pg_trgm"),
            ("a publication", Schema, "CREATE PUBLICATION told FOR TABLE t"),
            ("extended statistics", Schema, "CREATE STATISTICS both_of_them ON n, name FROM t"),
            ("a partitioned table", Schema, "CREATE TABLE parts (id integer) PARTITION BY RANGE (id)"),
            ("a partition", Schema, "CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (10)"),
            ("a partition apart", Schema, "ALTER TABLE parts DETACH PARTITION part"),
            ("a replica identity", Schema, "ALTER TABLE t REPLICA IDENTITY FULL"),
            ("a table without log", Schema, "ALTER TABLE beside.c SET UNLOGGED"),
            ("a setting of the server", Schema, "ALTER SYSTEM SET work_mem = '7MB'"),
        ],
        Engine::Mysql | Engine::Mariadb => &[
            ("bytes", Rows, "UPDATE t SET b = 0x00FF WHERE id = 1"),
            ("the scale of a number", Schema, "ALTER TABLE t MODIFY m decimal(8,3)"),
            ("a type's length", Schema, "ALTER TABLE t MODIFY name varchar(30)"),
            ("a default", Schema, "ALTER TABLE t ALTER COLUMN n SET DEFAULT 4"),
            ("another default", Schema, "ALTER TABLE t ALTER COLUMN n SET DEFAULT 5"),
            ("NOT NULL", Schema, "ALTER TABLE t MODIFY n integer NOT NULL DEFAULT 5"),
            ("a comment on a column", Schema, "ALTER TABLE t MODIFY n integer NOT NULL DEFAULT 5 COMMENT 'one'"),
            ("a collation", Schema, "ALTER TABLE t MODIFY name varchar(30) COLLATE utf8mb4_bin"),
            ("a generated column", Schema, "ALTER TABLE t ADD COLUMN g integer AS (n + 1) VIRTUAL"),
            ("a position", Rows, "ALTER TABLE t AUTO_INCREMENT = 90"),
            ("a comment on a table", Schema, "ALTER TABLE t COMMENT = 'one'"),
            ("a row format", Schema, "ALTER TABLE c ROW_FORMAT = COMPACT"),
            ("a set of characters", Schema, "ALTER TABLE c CONVERT TO CHARACTER SET ascii"),
            ("a key", Schema, "ALTER TABLE c ADD PRIMARY KEY (id)"),
            ("a unique constraint", Schema, "ALTER TABLE c ADD CONSTRAINT one UNIQUE (id)"),
            ("an index's name", Schema, "ALTER TABLE c RENAME INDEX one TO only_one"),
            ("a check", Schema, "ALTER TABLE c ADD CONSTRAINT positive CHECK (id > 0)"),
            ("a foreign key", Schema, "ALTER TABLE c ADD CONSTRAINT points FOREIGN KEY (t) REFERENCES t (id)"),
            ("a foreign key less", Schema, "ALTER TABLE c DROP FOREIGN KEY points"),
            ("a foreign key's action", Schema, "ALTER TABLE c ADD CONSTRAINT points FOREIGN KEY (t) REFERENCES t (id) ON DELETE CASCADE"),
            ("a view's body", Schema, "CREATE OR REPLACE VIEW seen AS SELECT id FROM t WHERE n > 1"),
            ("a view's security", Schema, "ALTER SQL SECURITY INVOKER VIEW seen AS SELECT id FROM t WHERE n > 1"),
            ("a function's attribute", Schema, "ALTER FUNCTION f COMMENT 'one'"),
            ("a function less", Schema, "DROP FUNCTION f"),
            ("a function's body", Schema, "CREATE FUNCTION f() RETURNS integer DETERMINISTIC COMMENT 'one' RETURN 2"),
            ("a procedure's parameter", Schema, "CREATE PROCEDURE q(IN x integer) SELECT 1"),
            ("a trigger", Schema, "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.name = 'x'"),
            ("an event", Schema, "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1"),
            ("an event at rest", Schema, "ALTER EVENT e DISABLE"),
            ("a right on a table", Schema, "GRANT SELECT ON t TO migrate_case_reader"),
            ("a right on a column", Schema, "GRANT UPDATE (n) ON t TO migrate_case_reader"),
            ("a right on everything", Schema, "GRANT PROCESS ON *.* TO migrate_case_reader"),
            ("a user's limit", Schema, "ALTER USER migrate_case_reader WITH MAX_QUERIES_PER_HOUR 5"),
            ("a role", Schema, "CREATE ROLE migrate_case_role"),
            ("a member", Schema, "GRANT migrate_case_role TO migrate_case_reader"),
            ("a schema", Schema, "CREATE DATABASE migrate_case_beside"),
            ("a schema's collation", Schema, "ALTER DATABASE migrate_case_beside COLLATE utf8mb4_bin"),
            ("partitions", Schema, "CREATE TABLE parts (id integer) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10))"),
            ("a partition", Schema, "ALTER TABLE parts ADD PARTITION (PARTITION p1 VALUES LESS THAN (20))"),
            ("a global variable", Schema, "SET GLOBAL long_query_time = 7"),
            ("a global variable back", Schema, "SET GLOBAL long_query_time = 10"),
        ],
    };
    all.extend(own);
    all.extend(match engine {
        Engine::Mysql => vec![
            ("an index out of sight", Schema, "ALTER TABLE t ALTER INDEX i INVISIBLE"),
            ("a column out of sight", Schema, "ALTER TABLE t ALTER COLUMN m SET INVISIBLE"),
            ("a check at rest", Schema, "ALTER TABLE c ALTER CHECK positive NOT ENFORCED"),
        ],
        Engine::Mariadb => vec![
            ("an index out of use", Schema, "ALTER TABLE t ALTER INDEX i IGNORED"),
            ("a sequence", Schema, "CREATE SEQUENCE s"),
            ("a sequence's step", Schema, "ALTER SEQUENCE s INCREMENT BY 5"),
            ("a sequence's position", Rows, "SELECT SETVAL(s, 30)"),
            ("system versioning", Schema, "ALTER TABLE c ADD SYSTEM VERSIONING"),
            ("a row", Rows, "INSERT INTO c VALUES (1, NULL)"),
            ("a row of the past", Rows, "DELETE FROM c"),
        ],
        Engine::Sqlite | Engine::Postgres => Vec::new(),
    });
    all
}

#[test]
fn each_kind_of_change_makes_two_states_differ() {
    each_engine(|database| {
        let _alone = alone_on_the_server(database.engine);
        wait(changes_show(database));
    });
}

async fn changes_show(database: &Database) {
    let engine = database.engine;
    let mut link = Link::open(database).await.expect("a connection");
    for sql in ground(engine) {
        link.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }
    let mut before = state::dump(&mut link, database, state::Scope::Server).await;
    assert_eq!(state::dump(&mut link, database, state::Scope::Server).await, before, "{engine}: nothing changed");
    let mut overlooked = Vec::new();
    for (what, part, sql) in changes(engine) {
        link.execute(sql).await.unwrap_or_else(|error| panic!("{what}: {sql}: {error}"));
        let after = state::dump(&mut link, database, state::Scope::Server).await;
        let (old, new) = if part == Part::Rows { (&before.rows, &after.rows) } else { (&before.schema, &after.schema) };
        if old == new {
            overlooked.push(format!("{what}: {sql}"));
        }
        before = after;
    }
    link.close().await;
    state::clean(database).await;
    assert!(overlooked.is_empty(), "on {engine}, a state overlooks:\n{}", overlooked.join("\n"));
}
