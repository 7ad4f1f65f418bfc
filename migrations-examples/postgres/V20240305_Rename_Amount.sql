-- Migration: Rename_Amount
-- No value is lost, but every application that says `amount` must move at the same moment, both ways: partial.

-- UP
ALTER TABLE payments RENAME COLUMN amount TO amount_eur;

-- DOWN
ALTER TABLE payments RENAME COLUMN amount_eur TO amount;
