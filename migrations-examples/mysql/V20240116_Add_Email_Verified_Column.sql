-- Migration: Add_Email_Verified_Column
-- =====================================================

-- UP (forward migration)
-- =====================================================
ALTER TABLE users
    ADD COLUMN email_verified BOOLEAN NOT NULL DEFAULT FALSE AFTER email;

UPDATE users SET email_verified = TRUE WHERE email_verified_at IS NOT NULL;

-- DOWN (rollback)
-- =====================================================
-- email_verified goes; email_verified_at, from which it was filled, stays.
ALTER TABLE users
    DROP COLUMN email_verified;
