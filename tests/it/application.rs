//! Whether the application before UP works on the schema after it. In: one migration after another through the front door. Out: the word,
//! and the finding that names the statement.

use super::support::{folder, migrate};

const BEFORE: &str = "CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE users (id integer PRIMARY KEY, email varchar(50), age integer, city text DEFAULT 'Ulm', rank integer NOT NULL DEFAULT 1, mood mood);
CREATE VIEW named AS SELECT id, email FROM users;
GRANT SELECT ON users TO app;
CREATE FUNCTION gross(net integer) RETURNS integer LANGUAGE sql AS $$ SELECT net * 2 $$;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
";

/// UP, the word, and what the finding says; none where it is safe.
type Case = (&'static str, &'static str, &'static str);

#[rustfmt::skip]
const CASES: [Case; 37] = [
    ("ALTER TABLE users ADD COLUMN note text;",                                 "safe",    ""),
    ("ALTER TABLE users ADD COLUMN note text NOT NULL DEFAULT '';",             "safe",    ""),
    ("ALTER TABLE users ADD COLUMN code text UNIQUE;",                          "safe",    ""),
    ("ALTER TABLE users ALTER COLUMN rank DROP NOT NULL;",                      "safe",    ""),
    ("CREATE TABLE notes (id integer PRIMARY KEY, note text NOT NULL);",        "safe",    ""),
    ("CREATE INDEX users_email ON users (email);",                              "safe",    ""),
    ("COMMENT ON TABLE users IS 'people';",                                     "safe",    ""),
    ("CREATE VIEW aged AS SELECT age FROM users;",                              "safe",    ""),
    ("ALTER TABLE users DROP COLUMN age;",                                      "breaks",  "users.age is gone"),
    ("ALTER TABLE users RENAME COLUMN age TO years;",                           "breaks",  "users.age is gone"),
    ("ALTER TABLE users RENAME TO people;",                                     "breaks",  "users is gone"),
    ("DROP VIEW named; DROP TABLE users;",                                      "breaks",  "users is gone"),
    ("ALTER TABLE users SET SCHEMA archive;",                                   "breaks",  "users is gone"),
    ("ALTER TABLE users ADD COLUMN note text NOT NULL;",                        "breaks",  "users.note is demanded of each new row"),
    ("ALTER TABLE users ALTER COLUMN rank DROP DEFAULT;",                       "breaks",  "users.rank is demanded of each new row"),
    ("ALTER TABLE users ALTER COLUMN age SET NOT NULL;",                        "breaks",  "users.age is demanded of each new row"),
    ("ALTER TABLE users ALTER COLUMN city SET NOT NULL;",                       "breaks",  "users.city takes no NULL"),
    ("ALTER TABLE users ALTER COLUMN email TYPE varchar(10);",                  "breaks",  "users.email is character varying(10) now, and refuses or cuts what it held"),
    ("DROP FUNCTION gross(integer);",                                           "breaks",  "routine gross(integer) is gone"),
    ("DROP FUNCTION gross(integer); CREATE FUNCTION gross(net integer, tax integer) RETURNS integer LANGUAGE sql AS $$ SELECT net $$;", "breaks", "routine gross(integer) is gone"),
    ("ALTER FUNCTION gross(integer) RENAME TO total;",                          "breaks",  "routine gross(integer) is gone"),
    ("DROP VIEW named;",                                                        "breaks",  "view named is gone"),
    ("DROP VIEW named; CREATE VIEW named AS SELECT id FROM users;",             "breaks",  "view named has fewer columns"),
    ("ALTER TYPE mood RENAME VALUE 'sad' TO 'blue';",                           "breaks",  "type mood has lost a label"),
    ("ALTER TYPE mood ADD VALUE 'fine';",                                       "unknown", "type mood has another definition"),
    ("CREATE OR REPLACE VIEW named AS SELECT id, lower(email) AS email FROM users;", "unknown", "view named has another definition"),
    ("CREATE OR REPLACE FUNCTION gross(net integer) RETURNS integer LANGUAGE sql AS $$ SELECT net * 3 $$;", "unknown", "routine gross(integer) has another definition"),
    ("ALTER TABLE users ALTER COLUMN age TYPE bigint;",                         "unknown", "users.age is bigint now"),
    ("ALTER TABLE users ALTER COLUMN city DROP DEFAULT;",                       "unknown", "users.city has lost its default"),
    ("CREATE UNIQUE INDEX users_email ON users (email);",                       "unknown", "index users_email refuses what is written twice"),
    ("ALTER TABLE users ADD CONSTRAINT one_email UNIQUE (email);",              "unknown", "constraint one_email on users is asked of what is written"),
    ("ALTER TABLE users ADD CONSTRAINT grown CHECK (age > 17);",                "unknown", "constraint grown on users is asked of what is written"),
    ("ALTER TABLE users ADD COLUMN lot integer NOT NULL DEFAULT 1 UNIQUE;",     "unknown", "constraint users_lot_key on users is asked of what is written"),
    ("REVOKE SELECT ON users FROM app;",                                        "unknown", "users is without its right select to app"),
    ("ALTER TABLE users ENABLE ROW LEVEL SECURITY;",                            "unknown", "users has row security, which hides rows"),
    ("CREATE TRIGGER touched BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();", "unknown", "trigger touched works on what is written"),
    ("DO $$ BEGIN EXECUTE 'DROP TABLE ' || 'users'; END $$;",                   "unknown", ""),
];

#[test]
fn what_the_application_before_meets_is_named_with_its_statement() {
    for (up, word, what) in CASES {
        let folder = folder(&[("V1_a.sql", BEFORE), ("V2_b.sql", &format!("-- UP\n\n{up}\n"))]);
        let ran = migrate(folder.path(), &["check", "--dir", ".", "--engine", "postgres", "--format", "json", "V2_b.sql"]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{up}: {e}: {}", ran.out));
        let migration = &report["migrations"][0];
        assert_eq!(migration["app_rollback"], word, "{up}");
        let found: Vec<_> = migration["findings"].as_array().unwrap().iter().filter(|f| f["name"] == "old-application").collect();
        if what.is_empty() {
            assert!(found.is_empty(), "{up}: {found:?}");
            continue;
        }
        let sure = if word == "breaks" { "does not work" } else { "may not work" };
        let message = format!("the application before UP {sure}: {what}");
        let named = found.iter().find(|f| f["message"] == message.as_str()).unwrap_or_else(|| panic!("{up}: {found:?}"));
        assert_eq!((&named["direction"], &named["line"], &named["severity"]), (&"up".into(), &3.into(), &"note".into()), "{up}");
    }
}

#[test]
fn the_policy_decides_what_is_done_about_the_old_application() {
    let folder = folder(&[
        ("V1_a.sql", "-- UP\nCREATE TABLE users (id integer, email text);\n-- DOWN\nDROP TABLE users;\n"),
        ("V2_b.sql", "-- UP\nALTER TABLE users RENAME COLUMN email TO mail;\n-- DOWN\nALTER TABLE users RENAME COLUMN mail TO email;\n"),
    ]);
    let check = || migrate(folder.path(), &["check", "--dir", ".", "--engine", "sqlite"]);
    assert_eq!(check().code, 0);
    std::fs::write(folder.path().join("migrate.toml"), "[gate.rules]\nold-application = \"deny\"\n").unwrap();
    let denied = check();
    assert_eq!(denied.code, 1);
    assert!(denied.out.contains("error[R10 old-application]: the application before UP does not work: users.email"), "{}", denied.out);
}
