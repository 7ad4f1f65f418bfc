-- Migration: Create_Shop
-- A new project's first migration: DOWN removes what UP made, and the rows written since.

-- UP
CREATE TABLE customers (
    id INTEGER PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    fax TEXT
);

CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    customer_id INTEGER NOT NULL REFERENCES customers (id),
    total_cents INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open'
);

-- DOWN
DROP TABLE orders;
DROP TABLE customers;
