-- Migration: Drop_Batch_Code
-- The way back is missing on purpose. The allow lets it be merged; `up` still refuses it where data stands.
-- migrate: allow drop-column "the bank stopped sending batch codes in 2021; the values are archived in the ledger"

-- UP
ALTER TABLE payments DROP COLUMN batch_code;

-- DOWN
-- IRREVERSIBLE: the values of payments.batch_code are gone; restore them from a backup from before this migration
