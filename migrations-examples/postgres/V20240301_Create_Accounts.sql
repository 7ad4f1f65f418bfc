-- Migration: Create_Accounts

-- UP
CREATE TABLE accounts (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email text NOT NULL UNIQUE,
    login varchar(20) NOT NULL,
    country varchar(2),
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE payments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts (id),
    amount numeric(12, 2) NOT NULL,
    batch_code text,
    paid_at timestamptz NOT NULL DEFAULT now()
);

-- DOWN
DROP TABLE payments;
DROP TABLE accounts;
