-- FILE V04_Index.sql
-- UP
CREATE INDEX orders_amount ON orders (amount);
ALTER TABLE users ADD UNIQUE INDEX users_email (email);
-- DOWN
ALTER TABLE users DROP INDEX users_email;
DROP INDEX orders_amount ON orders;

-- FILE V09_Trigger.sql
-- UP
CREATE TABLE audit (what VARCHAR(40) NOT NULL, at_id INTEGER);
CREATE TRIGGER orders_ai AFTER INSERT ON orders FOR EACH ROW INSERT INTO audit VALUES ('insert', NEW.id);
CREATE TRIGGER orders_au AFTER UPDATE ON orders FOR EACH ROW INSERT INTO audit VALUES ('update', NEW.id);
INSERT INTO orders VALUES (50, 1, 5), (51, 2, 6);
-- DOWN
DELETE FROM orders WHERE id IN (50, 51);
DROP TRIGGER orders_au;
DROP TRIGGER orders_ai;
DROP TABLE audit;

-- FILE V10_Routine.sql
-- UP
DELIMITER //
CREATE FUNCTION doubled(x INTEGER) RETURNS INTEGER DETERMINISTIC
BEGIN
    RETURN x * 2;
END//
CREATE PROCEDURE nothing_much()
BEGIN
    SELECT 1;
END//
DELIMITER ;
ALTER TABLE orders ADD COLUMN twice INTEGER;
UPDATE orders SET twice = doubled(amount);
-- DOWN
ALTER TABLE orders DROP COLUMN twice;
DROP PROCEDURE nothing_much;
DROP FUNCTION doubled;

-- FILE V11_Truncate.sql
-- UP
CREATE TABLE scratch (id INTEGER NOT NULL);
INSERT INTO scratch SELECT n FROM numbers;
TRUNCATE TABLE scratch;
INSERT INTO scratch VALUES (1), (2);
-- DOWN
DROP TABLE scratch;

-- FILE V12_Rename_Table.sql
-- UP
RENAME TABLE totals TO sums;
CREATE TABLE grand_total AS SELECT sum(amount) AS amount FROM sums;
-- DOWN
DROP TABLE grand_total;
RENAME TABLE sums TO totals;

-- FILE V14_Drop_Two.sql
-- UP
CREATE TABLE left_hand (id INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE right_hand (id INTEGER NOT NULL PRIMARY KEY);
INSERT INTO left_hand VALUES (1);
DROP TABLE left_hand, right_hand;
CREATE TABLE hands (id INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE fingers (id INTEGER NOT NULL PRIMARY KEY);
-- DOWN
DROP TABLE fingers, hands;

-- FILE V15_Many_Parts.sql
-- UP
ALTER TABLE items ADD COLUMN colour VARCHAR(20), ADD COLUMN weight INTEGER NOT NULL DEFAULT 7, ADD INDEX items_weight (weight), ADD INDEX (colour);
UPDATE items SET weight = weight + id;
-- DOWN
ALTER TABLE items DROP INDEX colour, DROP INDEX items_weight, DROP COLUMN weight, DROP COLUMN colour;

-- FILE V16_Widen.sql
-- UP
ALTER TABLE users MODIFY email VARCHAR(200) NOT NULL;
ALTER TABLE users ADD INDEX (plan);
ALTER TABLE users ADD INDEX (plan, email);
-- DOWN
ALTER TABLE users DROP INDEX plan_2;
ALTER TABLE users DROP INDEX plan;
ALTER TABLE users MODIFY email VARCHAR(120) NOT NULL;

-- FILE V17_Optimize.sql
-- UP
ANALYZE TABLE numbers;
OPTIMIZE TABLE numbers;
CREATE TABLE optimized (id INTEGER);
-- DOWN
DROP TABLE optimized;

-- FILE V18_Child_First.sql
-- UP
SET foreign_key_checks = 0;
CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, parent_id INTEGER, CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id));
INSERT INTO child VALUES (1, 1), (2, 2);
CREATE TABLE parent (id INTEGER NOT NULL PRIMARY KEY);
INSERT INTO parent VALUES (1), (2);
SET foreign_key_checks = 1;
-- DOWN
SET foreign_key_checks = 0;
DROP TABLE parent;
DROP TABLE child;
SET foreign_key_checks = 1;

-- FILE V19_Sequence.sql
-- UP
CREATE SEQUENCE tickets START WITH 5;
CREATE TABLE ticket_holders (id INTEGER NOT NULL PRIMARY KEY AUTO_INCREMENT, name VARCHAR(20));
-- Keys are given: those that a rolled-back INSERT drew do not come back, whoever runs it.
INSERT INTO ticket_holders (id, name) VALUES (1, 'one'), (2, 'two');
INSERT INTO ticket_holders (id, name) SELECT id + 2, name FROM ticket_holders;
-- DOWN
DROP TABLE ticket_holders;
DROP SEQUENCE tickets;

-- FILE V21_Swap.sql
-- UP
-- Two tables alike: which is which, no definition shows.
CREATE TABLE stage_a (id INTEGER NOT NULL, v INTEGER);
CREATE TABLE stage_b (id INTEGER NOT NULL, v INTEGER);
INSERT INTO stage_a VALUES (1, 1);
RENAME TABLE stage_a TO stage_tmp, stage_b TO stage_a, stage_tmp TO stage_b;
INSERT INTO stage_b VALUES (2, 2);
-- DOWN
DROP TABLE stage_a;
DROP TABLE stage_b;

-- FILE V23_Event.sql
-- UP
CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' DISABLE DO DELETE FROM scratch;
CREATE OR REPLACE VIEW cheap AS SELECT id FROM items WHERE price < 6;
CREATE OR REPLACE VIEW cheap AS SELECT id, price FROM items WHERE price < 6;
-- DOWN
DROP VIEW cheap;
DROP EVENT nightly;

-- FILE V24_Check.sql
-- UP
ALTER TABLE scratch ADD CONSTRAINT positive CHECK (id > 0);
-- DOWN
ALTER TABLE scratch DROP CONSTRAINT positive;

-- FILE V25_Foreign_Key.sql
-- UP
CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY, item_id INTEGER);
INSERT INTO tags VALUES (1, 1), (2, 3);
ALTER TABLE tags ADD CONSTRAINT tags_item FOREIGN KEY (item_id) REFERENCES items (id);
-- DOWN
ALTER TABLE tags DROP FOREIGN KEY tags_item;
DROP TABLE tags;

-- FILE V27_Settings.sql
-- UP
SET SESSION sql_mode = '';
SET time_zone = '+02:00';
CREATE TABLE moments (at DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', stamp TIMESTAMP NOT NULL DEFAULT '2024-01-01 00:00:00');
INSERT INTO moments VALUES ('0000-00-00 00:00:00', '2024-06-01 12:00:00');
INSERT INTO moments (stamp) VALUES ('2024-06-02 12:00:00');
-- DOWN
DROP TABLE moments;

-- FILE V28_If_Exists.sql
-- UP
DROP TABLE IF EXISTS never_there;
CREATE TABLE IF NOT EXISTS now_there (id INTEGER);
CREATE TABLE IF NOT EXISTS now_there (id INTEGER);
INSERT INTO now_there VALUES (1);
-- DOWN
DROP TABLE IF EXISTS now_there;
DROP TABLE IF EXISTS now_there;

-- FILE V30_Last.sql
-- UP
ALTER TABLE shops ADD COLUMN opened DATE NULL;
ALTER TABLE shops ADD INDEX (opened);
INSERT INTO shops (id, title, opened) VALUES (9, 'east', '2024-01-01');
-- DOWN
DELETE FROM shops WHERE id = 9;
ALTER TABLE shops DROP INDEX opened;
ALTER TABLE shops DROP COLUMN opened;
