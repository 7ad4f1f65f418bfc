-- FILE V04_Index.sql
-- UP
CREATE INDEX orders_amount ON orders (amount);
CREATE UNIQUE INDEX users_email ON users (email);
-- DOWN
DROP INDEX users_email;
DROP INDEX orders_amount;

-- FILE V09_Trigger.sql
-- UP
CREATE TABLE audit (what VARCHAR(40) NOT NULL, at_id INTEGER);
CREATE TRIGGER orders_ai AFTER INSERT ON orders BEGIN INSERT INTO audit VALUES ('insert', NEW.id); END;
CREATE TRIGGER orders_au AFTER UPDATE ON orders BEGIN INSERT INTO audit VALUES ('update', NEW.id); END;
INSERT INTO orders VALUES (50, 1, 5), (51, 2, 6);
-- DOWN
DELETE FROM orders WHERE id IN (50, 51);
DROP TRIGGER orders_au;
DROP TRIGGER orders_ai;
DROP TABLE audit;

-- FILE V10_Generated.sql
-- UP
ALTER TABLE orders ADD COLUMN twice INTEGER;
UPDATE orders SET twice = amount * 2;
-- DOWN
ALTER TABLE orders DROP COLUMN twice;

-- FILE V11_Empty.sql
-- UP
CREATE TABLE scratch (id INTEGER NOT NULL);
INSERT INTO scratch SELECT n FROM numbers;
DELETE FROM scratch;
INSERT INTO scratch VALUES (1), (2);
-- DOWN
DROP TABLE scratch;

-- FILE V12_Rename_Table.sql
-- UP
ALTER TABLE totals RENAME TO sums;
CREATE TABLE grand_total AS SELECT sum(amount) AS amount FROM sums;
-- DOWN
DROP TABLE grand_total;
ALTER TABLE sums RENAME TO totals;

-- FILE V14_Drop_Two.sql
-- UP
CREATE TABLE left_hand (id INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE right_hand (id INTEGER NOT NULL PRIMARY KEY);
INSERT INTO left_hand VALUES (1);
DROP TABLE left_hand;
DROP TABLE right_hand;
CREATE TABLE hands (id INTEGER NOT NULL PRIMARY KEY);
CREATE TABLE fingers (id INTEGER NOT NULL PRIMARY KEY);
-- DOWN
DROP TABLE fingers;
DROP TABLE hands;

-- FILE V15_Many_Parts.sql
-- UP
ALTER TABLE items ADD COLUMN colour VARCHAR(20);
ALTER TABLE items ADD COLUMN weight INTEGER NOT NULL DEFAULT 7;
UPDATE items SET weight = weight + id;
-- DOWN
ALTER TABLE items DROP COLUMN weight;
ALTER TABLE items DROP COLUMN colour;

-- FILE V16_Rebuild.sql
-- UP
PRAGMA foreign_keys = OFF;
CREATE TABLE new_shops (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(80), town VARCHAR(40));
INSERT INTO new_shops (id, title, town) SELECT id, title, town FROM shops;
DROP TABLE shops;
ALTER TABLE new_shops RENAME TO shops;
CREATE UNIQUE INDEX shops_name ON shops (title);
PRAGMA foreign_keys = ON;
-- DOWN
PRAGMA foreign_keys = OFF;
CREATE TABLE new_shops (id INTEGER NOT NULL PRIMARY KEY, title VARCHAR(40), town VARCHAR(40));
INSERT INTO new_shops (id, title, town) SELECT id, title, town FROM shops;
DROP TABLE shops;
ALTER TABLE new_shops RENAME TO shops;
CREATE UNIQUE INDEX shops_name ON shops (title);
PRAGMA foreign_keys = ON;

-- FILE V17_Vacuum.sql
-- UP
VACUUM;
CREATE TABLE vacuumed (id INTEGER);
INSERT INTO vacuumed SELECT count(*) FROM numbers;
VACUUM;
INSERT INTO vacuumed SELECT id + 1 FROM vacuumed;
-- DOWN
DROP TABLE vacuumed;

-- FILE V18_Rebuild_Alone.sql
-- migrate: no-transaction
-- UP
CREATE TABLE parent (id INTEGER NOT NULL PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (1, 1), (2, 2);
PRAGMA foreign_keys = OFF;
CREATE TABLE new_parent (id INTEGER NOT NULL PRIMARY KEY, name TEXT, age INTEGER);
INSERT INTO new_parent (id, name) SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;
PRAGMA foreign_keys = ON;
INSERT INTO child VALUES (3, 2);
-- DOWN
DROP TABLE child;
DROP TABLE parent;

-- FILE V19_Autoincrement.sql
-- UP
CREATE TABLE ticket_holders (id INTEGER PRIMARY KEY AUTOINCREMENT, name VARCHAR(20));
INSERT INTO ticket_holders (name) VALUES ('one'), ('two');
INSERT INTO ticket_holders (name) SELECT name FROM ticket_holders;
-- DOWN
DROP TABLE ticket_holders;

-- FILE V21_Swap.sql
-- UP
CREATE TABLE stage_a (id INTEGER NOT NULL, a INTEGER);
CREATE TABLE stage_b (id INTEGER NOT NULL, b INTEGER);
INSERT INTO stage_a VALUES (1, 1);
ALTER TABLE stage_a RENAME TO stage_tmp;
ALTER TABLE stage_b RENAME TO stage_a;
ALTER TABLE stage_tmp RENAME TO stage_b;
INSERT INTO stage_b VALUES (2, 2);
-- DOWN
DROP TABLE stage_a;
DROP TABLE stage_b;

-- FILE V23_Partial_Index.sql
-- UP
CREATE INDEX items_cheap ON items (price) WHERE price < 6;
CREATE VIEW cheap AS SELECT id, price FROM items WHERE price < 6;
-- DOWN
DROP VIEW cheap;
DROP INDEX items_cheap;

-- FILE V24_Journal_Mode.sql
-- UP
PRAGMA defer_foreign_keys = ON;
CREATE TABLE deferred (id INTEGER NOT NULL PRIMARY KEY, user_id INTEGER REFERENCES users (id));
INSERT INTO deferred VALUES (1, 2);
-- DOWN
DROP TABLE deferred;

-- FILE V25_Foreign_Key.sql
-- UP
CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY, item_id INTEGER REFERENCES items (id));
INSERT INTO tags VALUES (1, 1), (2, 3);
-- DOWN
DROP TABLE tags;

-- FILE V27_Temporary.sql
-- UP
CREATE TEMPORARY TABLE passing AS SELECT n FROM numbers WHERE n < 5;
CREATE TABLE kept (n INTEGER);
INSERT INTO kept SELECT n FROM passing;
DROP TABLE passing;
-- DOWN
DROP TABLE kept;

-- FILE V28_No_Transaction.sql
-- migrate: no-transaction
-- UP
CREATE TABLE alone (id INTEGER NOT NULL, n INTEGER NOT NULL DEFAULT 0);
INSERT INTO alone (id) VALUES (1), (2);
UPDATE alone SET n = n + 1;
UPDATE alone SET n = n + 10;
CREATE INDEX alone_n ON alone (n);
-- DOWN
DROP INDEX alone_n;
DROP TABLE alone;

-- FILE V30_Last.sql
-- UP
ALTER TABLE shops ADD COLUMN opened DATE NULL;
CREATE INDEX shops_opened ON shops (opened);
INSERT INTO shops (id, title, opened) VALUES (9, 'east', '2024-01-01');
-- DOWN
DELETE FROM shops WHERE id = 9;
DROP INDEX shops_opened;
ALTER TABLE shops DROP COLUMN opened;
