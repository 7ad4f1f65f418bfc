//! Changes of keys, exclusion constraints and partitions.

use super::grammar::{Change, Kind, On, change};
use super::world::{Part, World, pick};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("add-primary-key", 16, On::Servers, add_primary_key),
    ("drop-primary-key", 7, On::Servers, drop_primary_key),
    ("add-exclusion", 8, On::Postgres, add_exclusion),
    ("add-and-validate", 8, On::Postgres, add_and_validate),
    ("key-from-index", 4, On::Postgres, key_from_index),
    ("attach-partition", 10, On::Servers, attach),
    ("detach-partition", 10, On::Servers, detach),
    ("partition-scheme", 6, On::Mariadb, scheme),
    ("empty-partition", 2, On::Mariadb, empty_partition),
    ("move-table", 8, On::Postgres, move_table),
];

fn add_primary_key(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let bare: Vec<usize> = (0..world.tables.len()).filter(|&at| world.tables[at].id.as_deref() == Some("integer NOT NULL")).collect();
    let at = *pick(rng, &bare)?;
    let name = world.fresh("pk_");
    let held = &mut world.tables[at];
    if held.constraints.iter().any(|c| c.text.starts_with("PRIMARY")) {
        return None;
    }
    let second = pick(rng, &held.columns).map_or("id", |c| &c.name).to_owned();
    let columns = if rng.u8(..4) == 0 && second != "id" { format!("id, {second}") } else { String::from("id") };
    let text = format!("PRIMARY KEY ({columns})");
    let (up, down) = match world.engine {
        Engine::Mariadb => (format!("ALTER TABLE {} ADD {text}", held.name), format!("ALTER TABLE {} DROP PRIMARY KEY", held.name)),
        _ => (format!("ALTER TABLE {} ADD CONSTRAINT {name} {text}", held.name), format!("ALTER TABLE {} DROP CONSTRAINT {name}", held.name)),
    };
    held.constraints.push(Part { name, generated: false, unique: false, text });
    change(up, down)
}

fn drop_primary_key(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let at = world.table(rng)?;
    let held = &mut world.tables[at];
    let written = held.constraints.iter().position(|c| c.text.starts_with("PRIMARY"));
    let simple = held.id.is_none() && !held.name.contains(['"', '`', '.']);
    let (name, text) = match written {
        Some(at) => {
            let part = held.constraints.remove(at);
            (part.name, part.text)
        }
        None if simple => {
            held.id = Some("integer NOT NULL".into());
            (format!("{}_pkey", held.name), String::from("PRIMARY KEY (id)"))
        }
        None => return None,
    };
    let table = &held.name;
    match world.engine {
        Engine::Mariadb => change(format!("ALTER TABLE {table} DROP PRIMARY KEY"), format!("ALTER TABLE {table} ADD {text}")),
        _ if written.is_none() && rng.bool() => change(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"), format!("ALTER TABLE {table} ADD {text}")),
        _ => change(format!("ALTER TABLE {table} DROP CONSTRAINT {name}"), format!("ALTER TABLE {table} ADD CONSTRAINT {name} {text}")),
    }
}

fn add(world: &mut World, table: usize, text: String, prefix: &str) -> (String, String) {
    let part = Part { name: world.fresh(prefix), generated: false, unique: false, text };
    let held = &mut world.tables[table];
    let made =
        (format!("ALTER TABLE {} ADD CONSTRAINT {} {}", held.name, part.name, part.text), format!("ALTER TABLE {} DROP CONSTRAINT {}", held.name, part.name));
    held.constraints.push(part);
    made
}

fn add_exclusion(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let column = world.tables[table].columns[at].name.clone();
    let text =
        [format!("EXCLUDE USING btree (id WITH =, {column} WITH =)"), format!("EXCLUDE (id WITH =) WHERE ({column} IS NOT NULL)")][rng.usize(..2)].clone();
    let (up, down) = add(world, table, text, "ex_");
    change(up, down)
}

/// A rule that first looks away from the rows that stand.
fn add_and_validate(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &world.tables[table];
    if let (Some(later), true) = (held.constraints.iter().position(|c| c.text.ends_with("NOT VALID")), rng.bool()) {
        let held = &mut world.tables[table];
        let part = &mut held.constraints[later];
        part.text = part.text.replace(" NOT VALID", "");
        return change(format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", held.name, part.name), "SELECT 1");
    }
    let text = world.a_check(&world.tables[table].columns[at].clone(), rng)?;
    let (up, down) = add(world, table, format!("{text} NOT VALID"), "ck_");
    let held = &mut world.tables[table];
    let part = held.constraints.last_mut()?;
    part.text = text;
    let validate = format!("ALTER TABLE {} VALIDATE CONSTRAINT {}", held.name, part.name);
    Some(Change { up: vec![up, validate], down: vec![down], alone: false })
}

/// An index becomes the constraint's own, and goes with it.
fn key_from_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let name = world.fresh("uq_");
    let held = &mut world.tables[table];
    let column = held.columns[at].name.clone();
    let up = vec![
        format!("CREATE UNIQUE INDEX {name} ON {} (id, {column})", held.name),
        format!("ALTER TABLE {} ADD CONSTRAINT {name} UNIQUE USING INDEX {name}", held.name),
    ];
    let down = vec![format!("ALTER TABLE {} DROP CONSTRAINT {name}", held.name)];
    held.constraints.push(Part { name, generated: false, unique: true, text: format!("UNIQUE (id, {column})") });
    Some(Change { up, down, alone: false })
}

/// The table that is kept in parts, which only these changes speak of. What it starts with.
pub(super) fn parted(engine: Engine) -> Vec<String> {
    let sql: &[&str] = match engine {
        Engine::Postgres => &[
            "CREATE TABLE logs (id integer NOT NULL, year integer NOT NULL) PARTITION BY RANGE (year)",
            "CREATE TABLE logs_2023 PARTITION OF logs FOR VALUES FROM (2023) TO (2024)",
            "CREATE TABLE logs_2024 (id integer NOT NULL, year integer NOT NULL)",
            "INSERT INTO logs (id, year) VALUES (1, 2023), (2, 2023)",
            "INSERT INTO logs_2024 (id, year) VALUES (3, 2024)",
        ],
        Engine::Sqlite => &[],
        Engine::Mysql | Engine::Mariadb => &[
            "CREATE TABLE logs (id integer NOT NULL, year integer NOT NULL) PARTITION BY RANGE (year) (PARTITION p2023 VALUES LESS THAN (2024), PARTITION p2024 VALUES LESS THAN (2025))",
            "INSERT INTO logs (id, year) VALUES (1, 2023), (2, 2024)",
        ],
    };
    sql.iter().map(|sql| (*sql).to_owned()).collect()
}

/// The setting that says what became of it.
pub(super) const PARTED: &str = "parted";

fn attach(world: &mut World, _: &mut Rng) -> Option<Change> {
    if world.set(PARTED, Some("attached".into())).as_deref() != Some("start") {
        return None;
    }
    match world.engine {
        Engine::Postgres => {
            change("ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM (2024) TO (2025)", "ALTER TABLE logs DETACH PARTITION logs_2024")
        }
        _ => change("ALTER TABLE logs ADD PARTITION (PARTITION p2025 VALUES LESS THAN (2026))", "ALTER TABLE logs DROP PARTITION p2025"),
    }
}

fn detach(world: &mut World, _: &mut Rng) -> Option<Change> {
    if world.set(PARTED, Some("detached".into())).as_deref() != Some("start") {
        return None;
    }
    match world.engine {
        Engine::Postgres => {
            change("ALTER TABLE logs DETACH PARTITION logs_2023", "ALTER TABLE logs ATTACH PARTITION logs_2023 FOR VALUES FROM (2023) TO (2024)")
        }
        _ => change(
            "ALTER TABLE logs CONVERT PARTITION p2024 TO TABLE logs_2024",
            "ALTER TABLE logs CONVERT TABLE logs_2024 TO PARTITION p2024 VALUES LESS THAN (2025)",
        ),
    }
}

fn scheme(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.set(PARTED, Some("anew".into())).as_deref() != Some("start") {
        return None;
    }
    let old = "ALTER TABLE logs PARTITION BY RANGE (year) (PARTITION p2023 VALUES LESS THAN (2024), PARTITION p2024 VALUES LESS THAN (2025))";
    change(["ALTER TABLE logs REMOVE PARTITIONING", "ALTER TABLE logs PARTITION BY HASH (id) PARTITIONS 4"][rng.usize(..2)], old)
}

fn empty_partition(world: &mut World, rng: &mut Rng) -> Option<Change> {
    if world.set(PARTED, Some("emptied".into())).as_deref() != Some("start") {
        return None;
    }
    let up = ["ALTER TABLE logs TRUNCATE PARTITION p2024", "ALTER TABLE logs DROP PARTITION p2024"][rng.usize(..2)];
    change(up, if rng.bool() { "SELECT 1" } else { "ALTER TABLE logs ADD PARTITION (PARTITION p2024 VALUES LESS THAN (2025))" })
}

/// To the other schema and back.
fn move_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let at = if world.quoted { world.table(rng)? } else { return None };
    let old = world.tables[at].name.clone();
    let (new, up, down) = match old.strip_prefix("app.") {
        Some(name) => (name.to_owned(), "public", "app"),
        None => (format!("app.{old}"), "app", "public"),
    };
    world.tables[at].name.clone_from(&new);
    world.rename_table(&old, &new);
    change(format!("ALTER TABLE {old} SET SCHEMA {up}"), format!("ALTER TABLE {new} SET SCHEMA {down}"))
}
