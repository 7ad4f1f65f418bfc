-- Migration: Widen_Login
-- Reversible until somebody has a login of more than 20 characters: from then on DOWN fails. Partial, and it decays.

-- UP
ALTER TABLE accounts ALTER COLUMN login TYPE varchar(60);

-- DOWN
ALTER TABLE accounts ALTER COLUMN login TYPE varchar(20);
