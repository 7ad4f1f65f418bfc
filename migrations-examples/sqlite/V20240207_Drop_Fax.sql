-- Migration: Drop_Fax
-- Every fax number goes, and no DOWN can bring one back. The allow lets it be merged; `up` copies the whole database first, where data stands.
-- migrate: allow drop-column "fax was never written: SELECT count(fax) FROM customers gave 0 on 2024-02-05"

-- UP
ALTER TABLE customers DROP COLUMN fax;

-- DOWN
-- IRREVERSIBLE: the values of customers.fax are gone; restore them from a backup from before this migration
