-- Migration: Index_Payments
-- CONCURRENTLY does not block writers, and cannot run inside a transaction.
-- migrate: no-transaction

-- UP
CREATE INDEX CONCURRENTLY idx_payments_account ON payments (account_id);

-- DOWN
DROP INDEX CONCURRENTLY idx_payments_account;
