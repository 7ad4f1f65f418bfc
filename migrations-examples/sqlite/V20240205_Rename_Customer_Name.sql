-- Migration: Rename_Customer_Name
-- No value is lost, but every application that says `name` must move at the same moment, both ways: partial.

-- UP
ALTER TABLE customers RENAME COLUMN name TO full_name;

-- DOWN
ALTER TABLE customers RENAME COLUMN full_name TO name;
