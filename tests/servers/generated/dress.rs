//! One thing said in several ways. In: a statement. Out: the same with other letters and quotes around names, with conditions and CASCADE
//! where people put them, which may change what it does.

use super::world::World;
use fastrand::Rng;
use unmigrate::engine::Engine;

/// Words that people add: what stands there, what they write instead, and where the engine has that.
const CONDITIONS: &[(&str, &str, &[Engine])] = &[
    ("DROP TABLE ", "DROP TABLE IF EXISTS ", &Engine::ALL),
    ("DROP VIEW ", "DROP VIEW IF EXISTS ", &Engine::ALL),
    ("DROP TRIGGER ", "DROP TRIGGER IF EXISTS ", &Engine::ALL),
    ("DROP INDEX ", "DROP INDEX IF EXISTS ", &Engine::ALL),
    ("CREATE TABLE ", "CREATE TABLE IF NOT EXISTS ", &Engine::ALL),
    ("CREATE INDEX ", "CREATE INDEX IF NOT EXISTS ", &Engine::ALL),
    ("CREATE VIEW ", "CREATE OR REPLACE VIEW ", &[Engine::Postgres, Engine::Mariadb]),
    ("CREATE TRIGGER ", "CREATE OR REPLACE TRIGGER ", &[Engine::Postgres, Engine::Mariadb]),
    ("ADD COLUMN ", "ADD COLUMN IF NOT EXISTS ", &[Engine::Postgres, Engine::Mariadb]),
    ("DROP COLUMN ", "DROP COLUMN IF EXISTS ", &[Engine::Postgres, Engine::Mariadb]),
    ("ADD COLUMN ", "ADD ", &Engine::ALL),
    ("DROP CONSTRAINT ", "DROP CONSTRAINT IF EXISTS ", &[Engine::Postgres, Engine::Mariadb]),
    ("ALTER TABLE ", "ALTER TABLE IF EXISTS ", &[Engine::Postgres, Engine::Mariadb]),
    ("ALTER TABLE ", "ALTER TABLE ONLY ", &[Engine::Postgres]),
    (" TYPE ", " SET DATA TYPE ", &[Engine::Postgres]),
    ("DROP SEQUENCE ", "DROP SEQUENCE IF EXISTS ", &[Engine::Postgres, Engine::Mariadb]),
    ("DROP TYPE ", "DROP TYPE IF EXISTS ", &[Engine::Postgres]),
    ("DROP POLICY ", "DROP POLICY IF EXISTS ", &[Engine::Postgres]),
];

/// Words that CASCADE may follow.
const CASCADES: &[&str] = &[
    "DROP TABLE ",
    "DROP COLUMN ",
    "DROP CONSTRAINT ",
    "DROP VIEW ",
    "DROP TYPE ",
    "DROP DOMAIN ",
    "DROP FUNCTION ",
    "DROP INDEX ",
    "DROP SCHEMA ",
    "DROP SEQUENCE ",
];

/// `sql` in other words.
pub(super) fn dress(sql: String, world: &World, rng: &mut Rng) -> String {
    match rng.u8(..24) {
        0..=2 => {
            let fits: Vec<_> = CONDITIONS
                .iter()
                .filter(|(plain, _, on)| sql.starts_with(plain) && on.contains(&world.engine) || plain.starts_with(['A', ' ', 'D']) && sql.contains(plain))
                .collect();
            match super::world::pick(rng, &fits) {
                Some((plain, dressed, on)) if on.contains(&world.engine) => sql.replacen(plain, dressed, 1),
                _ => sql,
            }
        }
        3 if world.engine == Engine::Postgres && CASCADES.iter().any(|words| sql.contains(words)) && !sql.contains(" CASCADE") => format!("{sql} CASCADE"),
        4 | 5 => spelt(&sql, world, rng),
        6 => format!("-- what follows\n{sql} /* as agreed; in March */"),
        7 if world.engine == Engine::Postgres && sql.contains(" users ") => sql.replacen(" users ", " public.users ", 1),
        _ => sql,
    }
}

/// One of the names in other letters, or in quotes, which means the same where the engine folds names.
fn spelt(sql: &str, world: &World, rng: &mut Rng) -> String {
    let tables = world.tables.iter().map(|t| &t.name);
    let columns = world.tables.iter().flat_map(|t| t.columns.iter().map(|c| &c.name));
    let names: Vec<&String> = tables.chain(columns).filter(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')).collect();
    let Some(name) = super::world::pick(rng, &names) else { return sql.to_owned() };
    let table_on_mariadb = world.engine == Engine::Mariadb && world.tables.iter().any(|t| &t.name == *name);
    let other = if rng.bool() || table_on_mariadb { world.quote(name) } else { name.to_uppercase() };
    // What stands in quotes or dollars is left alone.
    sql.split('\'')
        .enumerate()
        .map(|(at, part)| if at % 2 == 0 && !sql.contains('$') { super::world::reword(part, name, &other) } else { part.to_owned() })
        .collect::<Vec<_>>()
        .join("'")
}
