//! Statements of MariaDB (and, but for a few words of its own, MySQL) that sqlparser refuses or leaves to their words. Behind ` -- ` stands what each does: the kinds by name,
//! each with its object.

pub(super) const CASES: &str = r##"
ALTER TABLE t MODIFY a VARCHAR(10) BINARY -- redefine-column t.a
ALTER TABLE t ADD COLUMN (a INT, b INT) -- add-column t.a; add-column t.b
ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT -- add-column t.a
ALTER TABLE t DROP FOREIGN KEY IF EXISTS f -- drop-constraint t.f
ALTER TABLE t DROP KEY i -- drop-index i
ALTER TABLE t DROP INDEX IF EXISTS i -- drop-index i
ALTER TABLE t DROP CHECK c -- drop-constraint t.c
ALTER TABLE t RENAME INDEX a TO b -- rename-index a
ALTER TABLE t RENAME KEY a TO b -- rename-index a
ALTER TABLE t RENAME u -- rename-table t
ALTER TABLE t ALTER INDEX i INVISIBLE -- index-option t.i
ALTER TABLE t ALTER CHECK c NOT ENFORCED -- alter-constraint t.c
ALTER TABLE t ENGINE=InnoDB -- table-option t
ALTER TABLE t ROW_FORMAT=DYNAMIC -- table-option t
ALTER TABLE t COMMENT='x' -- comment t
ALTER TABLE t COMMENT 'x' -- comment t
ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci -- convert-charset t
ALTER TABLE t DEFAULT CHARACTER SET utf8mb4 -- table-option t
ALTER TABLE t CHARACTER SET = utf8mb4, COLLATE = x -- table-option t; table-option t
ALTER TABLE t ORDER BY a -- maintenance t
ALTER TABLE t FORCE -- maintenance t
ALTER TABLE t DISABLE KEYS -- table-option t
ALTER TABLE t ENABLE KEYS -- table-option t
ALTER TABLE t ADD PARTITION (PARTITION p1 VALUES LESS THAN (10)) -- attach-partition t.p1
ALTER TABLE t DROP PARTITION p1 -- drop-partition t.p1
ALTER TABLE t TRUNCATE PARTITION p1 -- drop-partition t.p1
ALTER TABLE t PARTITION BY HASH(a) PARTITIONS 4 -- partition-scheme t
ALTER TABLE t REMOVE PARTITIONING -- partition-scheme t
ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u -- partition-scheme t.p
ALTER TABLE t REORGANIZE PARTITION p INTO (PARTITION a VALUES LESS THAN (1)) -- partition-scheme t
ALTER TABLE t DISCARD TABLESPACE -- truncate-table t
ALTER ONLINE TABLE t ADD a INT -- add-column t.a
ALTER IGNORE TABLE t ADD UNIQUE (a) -- add-unique t
CREATE FULLTEXT INDEX i ON t (a) WITH PARSER ngram -- create-index i
CREATE SPATIAL INDEX i ON t (a) -- create-index i
DROP INDEX i ON t ALGORITHM=INPLACE LOCK=NONE -- drop-index i
CREATE TABLE t (a INT) PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE) -- create-table t
CREATE TABLE t (a INT) TYPE=MyISAM -- create-table t
CREATE TABLE t (a INT) WITH SYSTEM VERSIONING -- create-table t
CREATE VIEW v AS SELECT 1 WITH CASCADED CHECK OPTION -- create-view v
CREATE DEFINER=`root`@`%` TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 1 -- create-trigger tr
CREATE TRIGGER tr AFTER UPDATE ON t FOR EACH ROW FOLLOWS other BEGIN DECLARE x INT; SET x = 1; END -- create-trigger tr
CREATE TRIGGER IF NOT EXISTS tr BEFORE DELETE ON t FOR EACH ROW DELETE FROM u WHERE id = OLD.id -- create-trigger tr
CREATE PROCEDURE p(IN a INT) BEGIN SELECT 1; END -- create-routine p
CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC RETURN a + 1 -- create-routine f
CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t -- create-object e
DROP EVENT IF EXISTS e -- drop-object e
SET @a := 1 -- session-setting @a
PREPARE s FROM @s -- dynamic-code s
PREPARE s FROM 'SELECT 1' -- dynamic-code s
UPDATE t, u SET t.a = u.a WHERE t.id = u.id -- update-rows t
LOAD DATA INFILE 'x' INTO TABLE t -- load-rows t
OPTIMIZE TABLE t -- maintenance t
CHECK TABLE t -- maintenance t
REPAIR TABLE t -- maintenance t
ALTER DATABASE d CHARACTER SET utf8mb4 -- alter-schema d
CREATE USER 'a'@'localhost' IDENTIFIED BY 'x' -- create-role a@localhost
ALTER USER 'a'@'localhost' IDENTIFIED BY 'y' -- alter-role a@localhost
DROP USER 'a'@'localhost' -- drop-role a@localhost
DO SLEEP(1) -- query
HANDLER t OPEN -- query
XA START 'x' -- transaction
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'x' -- query
ALTER TABLE t ADD PERIOD FOR SYSTEM_TIME (a, b) -- table-option t
ALTER TABLE t WAIT 10 ADD COLUMN a INT -- add-column t.a
CREATE TABLE t (a INT UNSIGNED ZEROFILL, b DOUBLE PRECISION, c YEAR, d BIT(1), e MEDIUMTEXT, f UUID, g INET6) -- create-table t
*!40101 SET NAMES utf8 */ -- session-setting
*!50003 CREATE*/ /*!50017 DEFINER=`r`@`l`*/ /*!50003 TRIGGER t1 BEFORE INSERT ON t FOR EACH ROW SET NEW.a=1 */ -- create-trigger t1
CREATE OR REPLACE VIEW v AS SELECT 1 -- replace-view v
ALTER VIEW v AS SELECT 2 -- alter-view v
CREATE ALGORITHM=UNDEFINED DEFINER=`root`@`localhost` SQL SECURITY DEFINER VIEW v AS SELECT 1 -- create-view v
CREATE OR REPLACE DEFINER = 'r'@'%' PROCEDURE p() SELECT 1 -- replace-routine p
DROP TRIGGER IF EXISTS tr -- drop-trigger tr
DROP FUNCTION IF EXISTS f -- drop-routine f
DROP VIEW v -- drop-view v
CREATE SEQUENCE s START WITH 1 -- create-sequence s
DROP SEQUENCE s -- drop-sequence s
CREATE DATABASE IF NOT EXISTS d CHARACTER SET utf8 -- create-database d
DROP DATABASE d -- drop-database d
ALTER EVENT e DISABLE -- alter-object e
RENAME TABLE a TO b, c TO d -- rename-table a; rename-table c
RENAME USER a TO b -- alter-role a
GRANT SELECT ON db.* TO 'bob'@'%' -- grant db.*
REVOKE ALL PRIVILEGES, GRANT OPTION FROM bob -- revoke all; revoke grant option
CREATE USER a, 'b'@'%' IDENTIFIED BY 'x' -- create-role a; create-role b@%
SET PASSWORD FOR bob = 'x' -- alter-role password
SET foreign_key_checks = 0 -- disable-checks foreign_key_checks
SET FOREIGN_KEY_CHECKS=1 -- session-setting foreign_key_checks
SET @@session.unique_checks = OFF -- disable-checks unique_checks
SET sql_mode = '' -- disable-checks sql_mode
SET sql_mode = 'STRICT_TRANS_TABLES' -- session-setting sql_mode
SET @OLD=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' -- disable-checks sql_mode
SET SQL_MODE=@OLD_SQL_MODE -- session-setting sql_mode
SET GLOBAL max_connections = 10 -- database-setting max_connections
SET @@global.event_scheduler = ON -- database-setting event_scheduler
SET NAMES utf8mb4 -- session-setting
SET STATEMENT max_statement_time = 1 FOR DELETE FROM t -- delete-rows t
LOCK TABLES t WRITE -- transaction
UNLOCK TABLES -- transaction
USE d -- session-setting d
CALL p() -- call p
EXECUTE s -- dynamic-code s
DEALLOCATE PREPARE s -- session-setting s
FLUSH TABLES -- maintenance
PURGE BINARY LOGS TO 'x' -- purge-logs x
RESET MASTER -- purge-logs
LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t -- replace-rows t
INSERT LOW_PRIORITY IGNORE INTO t (a) VALUES (1) -- insert-or-ignore t
REPLACE DELAYED INTO t VALUES (1) -- replace-rows t
UPDATE LOW_PRIORITY IGNORE t SET a = 1 -- update-rows t
UPDATE t x JOIN (SELECT 1) y SET x.a = 1 -- update-rows t
TRUNCATE t -- truncate-table t
ALTER TABLE t DROP SYSTEM VERSIONING -- system-versioning t
ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC COMMENT 'x' -- table-option t; table-option t; comment t
ALTER TABLE t ADD COLUMN a INT, ALGORITHM=INPLACE, LOCK=NONE -- add-column t.a
ALTER TABLE t ADD INDEX IF NOT EXISTS i (a), ADD UNIQUE KEY u (b DESC), DROP INDEX IF EXISTS k -- create-index i; add-unique t.u; drop-index k
ALTER TABLE t DROP COLUMN IF EXISTS a, CHANGE COLUMN IF EXISTS b c INT NOT NULL DEFAULT 1 COMMENT 'x' AFTER d -- drop-column t.a; redefine-column t.b
ALTER TABLE t DROP PARTITION p1, p2 -- drop-partition t.p1; drop-partition t.p2
ALTER TABLE t MODIFY a ENUM('x', 'y') CHARACTER SET utf8 COLLATE utf8_bin NOT NULL DEFAULT 'x' -- redefine-column t.a
ALTER TABLE t AUTO_INCREMENT = 100 -- set-sequence t
CREATE INDEX i ON t (a(10) DESC) COMMENT 'x' ALGORITHM=INPLACE -- create-index i
CREATE OR REPLACE TABLE t (a INT WITHOUT SYSTEM VERSIONING, b TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, FULLTEXT KEY k (a), PERIOD FOR SYSTEM_TIME (x, y)) WITH SYSTEM VERSIONING -- create-table t
CREATE TEMPORARY TABLE t (a INT) TYPE=HEAP -- create-temporary-table t
BEGIN NOT ATOMIC SELECT 1; END -- dynamic-code
SHOW TABLES -- query
DO f(1) -- call f
SELECT 1 INTO OUTFILE 'x' -- call
INSTALL PLUGIN x SONAME 'y' -- create-extension x
START SLAVE -- replication
foo bar baz -- not-understood
ALTER TABLE t ADD COLUMN a INT b INT -- not-understood
VACUUM -- not-understood
CREATE EXTENSION x -- not-understood
CALL -- not-understood
SET GLOBAL -- not-understood
CREATE TABLE t IGNORE SELECT a FROM u -- create-table-as t
CREATE TABLE t ENGINE = InnoDB SELECT a FROM u -- create-table-as t
SHUTDOWN -- call
ALTER TABLE t ALTER KEY IF EXISTS i NOT IGNORED -- index-option t.i
ALTER TABLE t ADD SYSTEM VERSIONING -- table-option t
ALTER TABLE t ADD PERIOD IF NOT EXISTS FOR p (a, b) -- add-not-null t.a; add-not-null t.b; table-option t
ALTER TABLE t ADD COLUMN s TIMESTAMP(6) GENERATED ALWAYS AS ROW START -- add-column t.s
CREATE TABLE t (a INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END INVISIBLE, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING -- create-table t
CREATE OR REPLACE UNIQUE INDEX i ON t (a) NOWAIT -- drop-index i; create-unique-index i
CREATE VECTOR INDEX i ON t (v) M=8 DISTANCE=cosine -- create-index i
CREATE INDEX IF NOT EXISTS i ON t (a) WAIT 5 -- create-index i
CREATE OR REPLACE SEQUENCE s -- drop-sequence s; create-sequence s
CREATE OR REPLACE DATABASE d -- drop-database d; create-database d
CREATE OR REPLACE ROLE r -- drop-role r; create-role r
CREATE OR REPLACE USER a IDENTIFIED BY 'x' -- drop-role a; create-role a
SELECT NEXT VALUE FOR s -- set-sequence s
ANALYZE UPDATE t SET a = 1 -- update-rows t
ANALYZE FORMAT=JSON DELETE FROM t -- delete-rows t
ANALYZE TABLE t PERSISTENT FOR ALL -- maintenance t
EXPLAIN DELETE FROM t -- query
START ALL SLAVES -- replication
CHECK VIEW v -- maintenance v
REPAIR VIEW v FROM MYSQL -- maintenance v
DROP TABLESPACE ts ENGINE = InnoDB -- drop-object ts
"##;
