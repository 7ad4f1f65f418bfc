-- Migration: Check_Country
-- Rules and views hold no data of their own: reversible, nothing lost.

-- UP
ALTER TABLE accounts ADD CONSTRAINT accounts_country_check CHECK (country = upper(country)) NOT VALID;
ALTER TABLE accounts VALIDATE CONSTRAINT accounts_country_check;
CREATE VIEW paying_accounts AS
    SELECT a.id, a.email, sum(p.amount_eur) AS paid
    FROM accounts a
    JOIN payments p ON p.account_id = a.id
    GROUP BY a.id, a.email;

-- DOWN
DROP VIEW paying_accounts;
ALTER TABLE accounts DROP CONSTRAINT accounts_country_check;
