-- Migration: Shipping_Rates
-- A table with its first rows, written out by key: DOWN drops them with the table.

-- UP
CREATE TABLE shipping_rates (
    country TEXT PRIMARY KEY,
    cents INTEGER NOT NULL
);
INSERT INTO shipping_rates (country, cents) VALUES ('DE', 490), ('FR', 790), ('PT', 990);

-- DOWN
DROP TABLE shipping_rates;
