-- Migration: Index_Orders
-- An index holds no data of its own: reversible, nothing lost.

-- UP
CREATE INDEX idx_orders_customer ON orders (customer_id);

-- DOWN
DROP INDEX idx_orders_customer;
