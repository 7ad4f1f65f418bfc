-- Migration: Remove_Legacy_Column
-- =====================================================

-- UP (forward migration)
-- =====================================================
ALTER TABLE users
    DROP COLUMN legacy_field;

-- DOWN (rollback)
-- =====================================================
-- IRREVERSIBLE: the values of users.legacy_field are gone
-- To restore:
--   1. load the last backup from before this migration beside this database
--   2. ALTER TABLE users ADD COLUMN legacy_field VARCHAR(64) NULL AFTER email_verified_at;
--   3. copy legacy_field over from the backup, row by row, by users.id
