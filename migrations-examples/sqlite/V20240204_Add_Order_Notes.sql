-- Migration: Add_Order_Notes
-- New columns: DOWN removes them, with what was written into them since.

-- UP
ALTER TABLE orders ADD COLUMN note TEXT;
ALTER TABLE orders ADD COLUMN currency TEXT NOT NULL DEFAULT 'EUR';

-- DOWN
ALTER TABLE orders DROP COLUMN currency;
ALTER TABLE orders DROP COLUMN note;
