//! Statements of SQLite that sqlparser refuses or leaves to their words. Behind ` -- ` stands what each does: the kinds by name,
//! each with its object.

pub(super) const CASES: &str = r##"
PRAGMA foreign_keys=off -- disable-checks foreign_keys
PRAGMA foreign_keys = OFF -- disable-checks foreign_keys
PRAGMA table_info(t) -- query table_info
PRAGMA legacy_alter_table = ON -- session-setting legacy_alter_table
PRAGMA journal_mode=WAL -- database-setting journal_mode
PRAGMA defer_foreign_keys = true -- session-setting defer_foreign_keys
PRAGMA writable_schema = RESET -- session-setting writable_schema
CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT COLLATE NOCASE NOT NULL DEFAULT 'x', b BLOB, c, d REAL CHECK (d > 0), e INTEGER REFERENCES u(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, UNIQUE (a) ON CONFLICT REPLACE) WITHOUT ROWID, STRICT -- create-table t
CREATE TABLE t (a INT NOT NULL ON CONFLICT FAIL, "b" [weird type] , 'c' TEXT) -- create-table t
CREATE TABLE t (a INT, CONSTRAINT x UNIQUE (a) CONSTRAINT y CHECK (a)) -- create-table t
CREATE TABLE t (a unsigned big int, b varying character(255), c native character(70), d double precision, e long varchar) -- create-table t
CREATE VIRTUAL TABLE t USING fts5(a, b, content='x', tokenize="porter") -- create-virtual-table t
CREATE TRIGGER IF NOT EXISTS tr BEFORE UPDATE OF a, b ON t FOR EACH ROW WHEN NEW.a <> OLD.a BEGIN SELECT RAISE(ABORT, 'no'); END -- create-trigger tr
REINDEX -- maintenance
REINDEX t -- maintenance t
VACUUM INTO 'x.db' -- maintenance x.db
DETACH DATABASE x -- session-setting x
UPDATE t INDEXED BY i SET a = 1 -- update-rows t
SELECT json_extract(a, '$.x'), a ->> '$.y' FROM t WHERE a IS NOT b AND c MATCH 'x' AND d NOTNULL AND e ISNULL -- query
SELECT CASE state WHEN 'a' THEN b & (1 << 0) END FROM t -- query
CREATE VIEW IF NOT EXISTS v AS SELECT 1 -- create-view v
DROP VIEW IF EXISTS v -- drop-view v
DROP TRIGGER tr -- drop-trigger tr
PRAGMA user_version = 3 -- database-setting user_version
PRAGMA user_version -- query user_version
PRAGMA main.application_id(7) -- database-setting application_id
PRAGMA writable_schema = ON -- disable-checks writable_schema
PRAGMA ignore_check_constraints = 1 -- disable-checks ignore_check_constraints
PRAGMA foreign_keys = 1 -- session-setting foreign_keys
PRAGMA foreign_key_check -- query foreign_key_check
PRAGMA busy_timeout = 5000 -- session-setting busy_timeout
PRAGMA optimize -- maintenance optimize
ATTACH DATABASE 'x' AS y -- session-setting x
ANALYZE -- maintenance
CREATE VIRTUAL TABLE r USING rtree(id, x1, x2) -- create-virtual-table r
CREATE TEMP TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END -- session-setting tr
SAVEPOINT x -- transaction
CREATE TABLE t (a INT, CONSTRAINT x UNIQUE (a) FOREIGN KEY (a) REFERENCES u (b) CHECK (a)) -- create-table t
CREATE TABLE t (a INT FOREIGN KEY (a) REFERENCES u (b)) -- not-understood
foo -- not-understood
CREATE TYPE t AS ENUM ('a') -- not-understood
SET x = 1 -- not-understood
ALTER TABLE t ENGINE=InnoDB -- not-understood
GRANT SELECT ON t TO bob -- not-understood
CREATE TABLE temp.t (a) -- create-temporary-table temp.t
INSERT INTO words (words) VALUES ('rebuild') -- call words
INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1 ON CONFLICT DO NOTHING -- upsert-rows t
"##;
