-- Migration: Check_Order_Total
-- SQLite adds a CHECK by a rebuild: a new table, the rows copied, the old one dropped, the new one renamed. It is judged by
-- what it changes in the end, and not by its DROP TABLE.

-- UP
CREATE TABLE orders_new (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    total_cents INTEGER NOT NULL CHECK (total_cents >= 0),
    state TEXT NOT NULL DEFAULT 'open',
    note TEXT,
    currency TEXT NOT NULL DEFAULT 'EUR'
);
INSERT INTO orders_new (id, customer_id, total_cents, state, note, currency)
    SELECT id, customer_id, total_cents, state, note, currency FROM orders;
DROP TABLE orders;
ALTER TABLE orders_new RENAME TO orders;
CREATE INDEX idx_orders_customer ON orders (customer_id);

-- DOWN
CREATE TABLE orders_old (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    total_cents INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open',
    note TEXT,
    currency TEXT NOT NULL DEFAULT 'EUR'
);
INSERT INTO orders_old (id, customer_id, total_cents, state, note, currency)
    SELECT id, customer_id, total_cents, state, note, currency FROM orders;
DROP TABLE orders;
ALTER TABLE orders_old RENAME TO orders;
CREATE INDEX idx_orders_customer ON orders (customer_id);
