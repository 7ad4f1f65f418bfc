-- Migration: Payment_State
-- A type, and a column of that type.

-- UP
CREATE TYPE payment_state AS ENUM ('pending', 'settled', 'refused');
ALTER TABLE payments ADD COLUMN state payment_state NOT NULL DEFAULT 'pending';

-- DOWN
ALTER TABLE payments DROP COLUMN state;
DROP TYPE payment_state;
