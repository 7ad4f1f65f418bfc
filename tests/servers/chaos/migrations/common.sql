-- FILE V01_Users.sql
-- UP
CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, email VARCHAR(120) NOT NULL, plan VARCHAR(20));
INSERT INTO users (id, email, plan) VALUES (1, 'ada@example.org', 'trial'), (2, 'bob@example.org', 'paid');
INSERT INTO users (id, email, plan) VALUES (3, 'cleo@example.org', NULL);
-- DOWN
DROP TABLE users;

-- FILE V02_Orders.sql
-- UP
CREATE TABLE orders (id INTEGER NOT NULL PRIMARY KEY, user_id INTEGER NOT NULL, amount INTEGER NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id));
INSERT INTO orders VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30);
INSERT INTO orders VALUES (4, 3, 40);
-- DOWN
DROP TABLE orders;

-- FILE V03_Visits.sql
-- UP
ALTER TABLE users ADD COLUMN visits INTEGER NOT NULL DEFAULT 0;
UPDATE users SET visits = visits + 1;
UPDATE users SET visits = visits + 10 WHERE id < 3;
UPDATE users SET visits = visits * 2;
-- DOWN
ALTER TABLE users DROP COLUMN visits;

-- FILE V05_Totals.sql
-- UP
CREATE TABLE totals (user_id INTEGER NOT NULL, amount INTEGER NOT NULL);
INSERT INTO totals (user_id, amount) SELECT user_id, sum(amount) FROM orders GROUP BY user_id;
INSERT INTO totals (user_id, amount) SELECT user_id, amount FROM totals;
-- DOWN
DROP TABLE totals;

-- FILE V06_Numbers.sql
-- UP
CREATE TABLE digits (d INTEGER NOT NULL);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE numbers (n INTEGER NOT NULL, square INTEGER);
INSERT INTO numbers (n) SELECT a.d * 100 + b.d * 10 + c.d FROM digits a, digits b, digits c;
UPDATE numbers SET square = n * n;
-- DOWN
DROP TABLE numbers;
DROP TABLE digits;

-- FILE V07_Shop.sql
-- UP
CREATE TABLE shops (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40));
CREATE TABLE items (id INTEGER NOT NULL PRIMARY KEY, shop_id INTEGER, price INTEGER, FOREIGN KEY (shop_id) REFERENCES shops (id));
INSERT INTO shops VALUES (1, 'north'), (2, 'south');
INSERT INTO items VALUES (1, 1, 5), (2, 1, 6), (3, 2, 7);
CREATE INDEX items_price ON items (price);
CREATE UNIQUE INDEX shops_name ON shops (name);
-- DOWN
DROP TABLE items;
DROP TABLE shops;

-- FILE V08_View.sql
-- UP
CREATE VIEW spent AS SELECT user_id, sum(amount) AS amount FROM orders GROUP BY user_id;
CREATE VIEW big_spenders AS SELECT user_id FROM spent WHERE amount > 25;
-- DOWN
DROP VIEW big_spenders;
DROP VIEW spent;

-- FILE V13_Rename_Column.sql
-- UP
ALTER TABLE shops RENAME COLUMN name TO title;
ALTER TABLE shops ADD COLUMN town VARCHAR(40);
UPDATE shops SET town = title;
-- DOWN
ALTER TABLE shops DROP COLUMN town;
ALTER TABLE shops RENAME COLUMN title TO name;

-- FILE V20_Copy.sql
-- UP
CREATE TABLE even_numbers AS SELECT n, square FROM numbers WHERE n % 2 = 0;
ALTER TABLE even_numbers ADD COLUMN half INTEGER;
UPDATE even_numbers SET half = n / 2;
-- DOWN
DROP TABLE even_numbers;

-- FILE V22_More_Users.sql
-- UP
INSERT INTO users (id, email, plan) VALUES (11, 'dora@example.org', 'paid'), (12, 'egon@example.org', 'trial');
INSERT INTO users (id, email, plan) VALUES (13, 'fay@example.org', NULL);
-- DOWN
DELETE FROM users WHERE id IN (11, 12);
DELETE FROM users WHERE id = 13;

-- FILE V26_Nothing.sql
-- UP
-- Only a comment: a migration without a statement is one all the same.
SELECT 1;
-- DOWN
SELECT 1;

-- FILE V29_Ledger.sql
-- UP
CREATE TABLE ledger (id INTEGER NOT NULL PRIMARY KEY, amount INTEGER NOT NULL);
INSERT INTO ledger SELECT n, 0 FROM numbers WHERE n < 200;
UPDATE ledger SET amount = amount + 1;
UPDATE ledger SET amount = amount + (SELECT count(*) FROM orders);
INSERT INTO ledger SELECT n, 1000 FROM numbers WHERE n BETWEEN 200 AND 300;
-- DOWN
DROP TABLE ledger;
