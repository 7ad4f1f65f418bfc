//! Statements of MySQL that MariaDB has not. Behind ` -- ` stands what each does: the kinds by name, each with its object.

pub(super) const CASES: &str = r##"
ALTER TABLE t SECONDARY_LOAD -- maintenance t
ALTER TABLE t ADD COLUMN a INT NOT SECONDARY -- add-column t.a
CREATE OR REPLACE JSON DUALITY VIEW v AS SELECT JSON_DUALITY_OBJECT('_id': id) FROM t -- replace-view v
DROP LOGFILE GROUP g ENGINE NDB -- drop-object g
CREATE SPATIAL REFERENCE SYSTEM 4120 NAME 'x' DEFINITION 'y' -- create-object 4120
DROP SPATIAL REFERENCE SYSTEM IF EXISTS 4120 -- drop-object 4120
ALTER INSTANCE ROTATE INNODB MASTER KEY -- maintenance
ALTER INSTANCE DISABLE INNODB REDO_LOG -- database-setting innodb redo_log
RESTART -- call
CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ export function f() {} $$ -- create-object l
DROP LIBRARY l -- drop-object l
EXPLAIN ANALYZE UPDATE t JOIN u SET a = 1 -- query
ALTER TABLE t ADD COLUMN v VECTOR(3) -- add-column t.v
ALTER TABLE t ADD INDEX i ((CAST(a->'$.x' AS UNSIGNED ARRAY))) -- create-index i
CREATE TABLE t (a INT, b VECTOR(3), c JSON DEFAULT (JSON_ARRAY()), INDEX ((a + 1)), d INT INVISIBLE, CHECK (a > 0) NOT ENFORCED) -- create-table t
ALTER TABLE t ALTER COLUMN a SET INVISIBLE -- column-option t.a
ALTER TABLE t DROP CHECK c -- drop-constraint t.c
CREATE RESOURCE GROUP g TYPE = USER VCPU = 1 -- create-object g
ALTER UNDO TABLESPACE u SET INACTIVE -- alter-object u
INSTALL COMPONENT 'file://x' SET GLOBAL a = 1 -- create-extension file://x
SET PERSIST max_connections = 5 -- database-setting max_connections
ALTER USER a DEFAULT ROLE r -- alter-role a
RESET BINARY LOGS AND GTIDS -- purge-logs
"##;
