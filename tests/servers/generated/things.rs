//! Everything that has a name and a definition and is neither table nor column: sequences, types, policies, roles and their like.
//! It is made, dropped, made again.

use super::grammar::{Change, Kind, On, change};
use super::world::{Thing, World, pick};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("create-thing", 60, On::Postgres, create),
    ("drop-thing", 56, On::Postgres, drop),
    ("replace-thing", 4, On::Postgres, replace),
    ("create-thing", 8, On::Sqlite, create),
    ("drop-thing", 2, On::Sqlite, drop),
    ("create-thing", 30, On::Mariadb, create),
    ("drop-thing", 30, On::Mariadb, drop),
    ("use-sequence", 14, On::Postgres, use_sequence),
    ("use-type", 6, On::Postgres, use_type),
    ("database", 6, On::Servers, database),
];

/// The setting that says that a foreign server stands.
pub(super) const FAR: &str = "far";

/// A class: the engine that has it, the words behind CREATE, whether it hangs on a table, and definitions of it with `@` for the
/// name and `#` for the table.
type Template = (Engine, &'static str, bool, &'static [&'static str]);

use Engine::{Mariadb, Postgres, Sqlite};

const TEMPLATES: &[Template] = &[
    (Sqlite, "TABLE", false, &["VIRTUAL TABLE @ USING fts5(title, body)", "VIRTUAL TABLE @ USING rtree(id, low, high)"]),
    (Postgres, "SEQUENCE", false, &["SEQUENCE @", "SEQUENCE @ INCREMENT BY 2 START WITH 10", "SEQUENCE @ AS smallint MAXVALUE 99 CYCLE", "SEQUENCE @ CACHE 5"]),
    (Postgres, "DOMAIN", false, &["DOMAIN @ AS integer CHECK (VALUE > -9)", "DOMAIN @ AS varchar(40) DEFAULT 'x' NOT NULL", "DOMAIN @ AS numeric(6,2)"]),
    (
        Postgres,
        "TYPE",
        false,
        &["TYPE @ AS (a integer, b text)", "TYPE @ AS (a bigint, b text)", "TYPE @ AS RANGE (SUBTYPE = float8)", "TYPE @ AS ENUM ('x', 'y z', 'it''s')"],
    ),
    (Postgres, "SCHEMA", false, &["SCHEMA @", "SCHEMA @ AUTHORIZATION pg_monitor"]),
    (Postgres, "EXTENSION", false, &["EXTENSION citext", "EXTENSION hstore", "EXTENSION pg_trgm", "EXTENSION hstore VERSION '1.6'"]),
    (Postgres, "ROLE", false, &["ROLE @", "ROLE @ LOGIN CREATEDB", "ROLE @ NOINHERIT"]),
    (Postgres, "PUBLICATION", true, &["PUBLICATION @ FOR TABLE #", "PUBLICATION @ FOR ALL TABLES"]),
    (Postgres, "STATISTICS", true, &["STATISTICS @ (dependencies) ON id, (id + 1) FROM #", "STATISTICS @ ON (id / 2) FROM #"]),
    (Postgres, "AGGREGATE", false, &["AGGREGATE @(integer) (SFUNC = int4pl, STYPE = integer, INITCOND = '0')"]),
    (Postgres, "COLLATION", false, &["COLLATION @ (LC_COLLATE = 'C', LC_CTYPE = 'C')"]),
    (Postgres, "TEXT SEARCH CONFIGURATION", false, &["TEXT SEARCH CONFIGURATION @ (COPY = simple)"]),
    (Postgres, "SERVER", false, &["FOREIGN DATA WRAPPER @"]),
    (Postgres, "FOREIGN TABLE", false, &["FOREIGN TABLE @ (id integer, note text) SERVER far"]),
    (Postgres, "FOREIGN TABLE", false, &["FOREIGN TABLE @ (id integer) SERVER far OPTIONS (path 'people')"]),
    (
        Postgres,
        "SUBSCRIPTION",
        false,
        &["SUBSCRIPTION @ CONNECTION 'host=primary.example dbname=app' PUBLICATION people WITH (connect = false, slot_name = NONE)"],
    ),
    (
        Postgres,
        "MATERIALIZED VIEW",
        true,
        &["MATERIALIZED VIEW @ AS SELECT id FROM #", "MATERIALIZED VIEW @ AS SELECT id, id + 1 AS n FROM # WHERE id > 1 WITH NO DATA"],
    ),
    (Postgres, "PROCEDURE", true, &["PROCEDURE @(n integer) LANGUAGE sql AS 'DELETE FROM # WHERE id = n'"]),
    (Postgres, "POLICY", true, &["POLICY @ ON # USING (id > 0)", "POLICY @ ON # AS RESTRICTIVE FOR UPDATE TO PUBLIC USING (id > 0) WITH CHECK (id < 9999)"]),
    (Postgres, "RULE", true, &["RULE @ AS ON DELETE TO # DO ALSO NOTHING", "RULE @ AS ON UPDATE TO # WHERE old.id < 0 DO INSTEAD NOTHING"]),
    (Mariadb, "SEQUENCE", false, &["SEQUENCE @", "SEQUENCE @ INCREMENT BY 2 START WITH 10", "SEQUENCE @ NOCACHE"]),
    (Mariadb, "PROCEDURE", true, &["PROCEDURE @(IN n integer) DELETE FROM # WHERE id = n"]),
    (Mariadb, "FUNCTION", false, &["FUNCTION @(n integer) RETURNS integer DETERMINISTIC RETURN n + 1"]),
    (Mariadb, "EVENT", true, &["EVENT @ ON SCHEDULE EVERY 1 DAY STARTS '2037-01-01 00:00:00' DO DELETE FROM # WHERE id < 0"]),
    (Mariadb, "ROLE", false, &["ROLE @"]),
];

/// What a class is called in DROP, and what must stand behind the name there.
fn drop_words(class: &'static str, create: &str, name: &str, table: &str) -> String {
    match class {
        "POLICY" | "RULE" => format!("DROP {class} {name} ON {table}"),
        "AGGREGATE" => format!("DROP AGGREGATE {name}(integer)"),
        "SERVER" => format!("DROP FOREIGN DATA WRAPPER {name}"),
        "PROCEDURE" if create.contains("LANGUAGE") && name.len().is_multiple_of(2) => format!("DROP PROCEDURE {name}(integer)"),
        _ => format!("DROP {class} {name}"),
    }
}

/// Something that does not stand yet, and is not put into the world.
pub(super) fn a_thing(world: &mut World, rng: &mut Rng) -> Option<Thing> {
    let fits: Vec<&Template> = TEMPLATES.iter().filter(|t| t.0 == world.engine).collect();
    let (_, class, hangs, definitions) = **pick(rng, &fits)?;
    let (table, template) = (world.tables[world.table(rng)?].name.clone(), *pick(rng, definitions)?);
    if class == "FOREIGN TABLE" && !world.settings.iter().any(|(key, _)| key == FAR) {
        return None;
    }
    let mut name = world.fresh(match class {
        "ROLE" => "migrate_case_r",
        _ => "o",
    });
    if class == "EXTENSION" {
        template.split(' ').nth(1)?.clone_into(&mut name);
        if world.things.iter().any(|t| t.name == name) {
            return None;
        }
    }
    if world.quoted && rng.u8(..4) == 0 && !matches!(class, "ROLE" | "EXTENSION") {
        name = world.quote(&format!("Odd {name}"));
    }
    let create = format!("CREATE {}", template.replace('@', &name).replace('#', &table));
    let drop = drop_words(class, &create, &name, &table);
    // Extensions, roles and wrappers belong to more than one schema.
    Some(Thing { class, name, table: hangs.then_some(table), create, drop })
}

fn create(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let thing = a_thing(world, rng)?;
    let mut up = thing.create.clone();
    if rng.u8(..6) == 0 {
        match thing.class {
            "SEQUENCE" | "SCHEMA" | "EXTENSION" | "COLLATION" | "STATISTICS" | "MATERIALIZED VIEW" | "EVENT" | "TABLE" => {
                up = up.replacen(&format!("{} ", thing.class), &format!("{} IF NOT EXISTS ", thing.class), 1);
            }
            "PROCEDURE" | "AGGREGATE" | "RULE" => up = up.replacen("CREATE ", "CREATE OR REPLACE ", 1),
            _ => {}
        }
    }
    let made = change(up, thing.drop.clone());
    world.things.push(thing);
    made
}

/// Classes that are dropped by a statement of their own, and of which little stands.
const SELDOM: &[&str] = &["EXTENSION", "PUBLICATION", "ROLE", "SCHEMA", "SEQUENCE", "SUBSCRIPTION"];

fn drop(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let seldom: Vec<usize> = (0..world.things.len()).filter(|&at| SELDOM.contains(&world.things[at].class)).collect();
    let at = match pick(rng, &seldom) {
        Some(&at) if rng.bool() => at,
        _ if world.things.is_empty() => return None,
        _ => rng.usize(..world.things.len()),
    };
    let thing = world.things.swap_remove(at);
    change(thing.drop, thing.create)
}

/// It is dropped and made otherwise, and the way back the other way round.
fn replace(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.things.is_empty() {
        return None;
    }
    let at = rng.usize(..world.things.len());
    let old = world.things[at].clone();
    let definitions: Vec<&'static str> =
        TEMPLATES.iter().filter(|t| t.0 == world.engine && t.1 == old.class && old.class != "EXTENSION").flat_map(|t| t.3).copied().collect();
    let template = pick(rng, &definitions)?;
    let create = format!("CREATE {}", template.replace('@', &old.name).replace('#', old.table.as_deref()?));
    world.things[at].create.clone_from(&create);
    Some(Change { up: vec![old.drop.clone(), create], down: vec![old.drop, old.create], alone: false })
}

/// A column takes its numbers from a sequence, or the sequence goes with the column.
fn use_sequence(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &world.tables[table];
    let fits: Vec<&Thing> = world.things.iter().filter(|t| t.class == "SEQUENCE").collect();
    let sequence = pick(rng, &fits)?;
    let place = format!("ALTER TABLE {} ALTER COLUMN {}", held.name, held.columns[at].name);
    match rng.u8(..3) {
        0 => change(
            format!("ALTER SEQUENCE {} OWNED BY {}.{}", sequence.name, held.name, held.columns[at].name),
            format!("ALTER SEQUENCE {} OWNED BY NONE", sequence.name),
        ),
        1 => change(format!("SELECT setval('{}', 40)", sequence.name), format!("SELECT setval('{}', 1, false)", sequence.name)),
        _ => {
            let old = held.columns[at].default.clone().map_or_else(|| format!("{place} DROP DEFAULT"), |d| format!("{place} SET DEFAULT {d}"));
            change(format!("{place} SET DEFAULT nextval('{}')", sequence.name), old)
        }
    }
}

/// A new column of a made type; or what is said of the type changes.
fn use_type(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let fits: Vec<Thing> = world.things.iter().filter(|t| matches!(t.class, "TYPE" | "DOMAIN")).cloned().collect();
    let made = pick(rng, &fits)?.clone();
    let column = world.fresh("c");
    let table = &world.tables[world.table(rng)?].name;
    let array = if rng.u8(..4) == 0 { "[]" } else { "" };
    change(format!("ALTER TABLE {table} ADD COLUMN {column} {}{array}", made.name), format!("ALTER TABLE {table} DROP COLUMN {column}"))
}

/// A database of its own, which no transaction can hold; now and then it goes at once.
fn database(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let name = world.fresh("migrate_case_d");
    let (create, drop) = (format!("CREATE DATABASE {name}"), format!("DROP DATABASE {name}"));
    let made = if rng.bool() { change(create, drop) } else { Some(Change { up: vec![create, drop], down: Vec::new(), alone: false }) };
    made.map(|made| Change { alone: true, ..made })
}
