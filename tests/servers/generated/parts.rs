//! Changes of constraints and indexes.

use super::grammar::{Change, Kind, On, change};
use super::world::{Part, World, pick};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("add-check", 10, On::Servers, add_check),
    ("add-unique", 8, On::Servers, add_unique),
    ("add-foreign-key", 7, On::Servers, add_foreign_key),
    ("drop-constraint", 4, On::Servers, drop_constraint),
    ("rename-constraint", 8, On::Postgres, rename_constraint),
    ("create-index", 16, On::All, create_index),
    ("create-unique-index", 8, On::All, create_unique_index),
    ("create-partial-index", 8, On::Both, create_partial_index),
    ("drop-index", 8, On::All, |w, r| drop_index(w, r, false)),
    ("drop-unique-index", 9, On::All, |w, r| drop_index(w, r, true)),
    ("rename-index", 8, On::Servers, rename_index),
];

fn add(world: &mut World, table: usize, part: Part) -> Option<Change> {
    let held = &mut world.tables[table];
    let made = change(
        format!("ALTER TABLE {} ADD CONSTRAINT {} {}", held.name, part.name, part.text),
        format!("ALTER TABLE {} DROP CONSTRAINT {}", held.name, part.name),
    );
    held.constraints.push(part);
    made
}

fn add_check(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let text = world.a_check(&world.tables[table].columns[at].clone(), rng)?;
    let part = Part { name: world.fresh("ck_"), generated: false, unique: false, text };
    add(world, table, part)
}

fn add_unique(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let text = format!("UNIQUE (id, {})", world.tables[table].columns[at].name);
    let text = if rng.bool() { text.replace("id, ", "") } else { text };
    let part = Part { name: world.fresh("uq_"), generated: false, unique: true, text };
    add(world, table, part)
}

fn add_foreign_key(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &world.tables[table];
    let target = &pick(rng, &world.tables)?.name;
    let action = ["", " ON DELETE CASCADE", if world.engine == Engine::Postgres { " NOT VALID" } else { "" }][rng.usize(..3)];
    let column = if rng.bool() { "id" } else { &held.columns[at].name };
    let text = format!("FOREIGN KEY ({column}) REFERENCES {target} (id){action}");
    let part = Part { name: world.fresh("fk_"), generated: false, unique: false, text };
    add(world, table, part)
}

fn drop_constraint(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let held = &mut world.tables[table];
    if held.constraints.is_empty() {
        return None;
    }
    let part = held.constraints.remove(rng.usize(..held.constraints.len()));
    change(format!("ALTER TABLE {} DROP CONSTRAINT {}", held.name, part.name), format!("ALTER TABLE {} ADD CONSTRAINT {} {}", held.name, part.name, part.text))
}

fn rename_constraint(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let new = world.fresh("uq_");
    let held = &mut world.tables[table];
    if held.constraints.is_empty() {
        return None;
    }
    let at = rng.usize(..held.constraints.len());
    let part = &mut held.constraints[at];
    let old = std::mem::replace(&mut part.name, new.clone());
    part.generated = false;
    let alter = format!("ALTER TABLE {} RENAME CONSTRAINT", held.name);
    change(format!("{alter} {old} TO {new}"), format!("{alter} {new} TO {old}"))
}

fn create(world: &mut World, table: usize, unique: bool, text: String) -> Option<Change> {
    let part = Part { name: world.fresh("ix_"), generated: false, unique, text };
    let held = &mut world.tables[table];
    let made = change(held.create_index(&part), held.drop_index(&part.name, world.engine));
    held.indexes.push(part);
    made
}

fn create_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let column = &world.tables[table].columns[at];
    let text = match rng.u8(..3) {
        0 if column.is_text() && world.engine != Engine::Mariadb => format!("(lower({}))", column.name),
        1 => format!("({} DESC, id)", column.name),
        _ => format!("({})", column.name),
    };
    let made = create(world, table, false, text)?;
    if world.engine == Engine::Postgres && rng.u8(..8) == 0 {
        let beside = |sql: &String, words: &str| sql.replacen(words, &format!("{words} CONCURRENTLY"), 1);
        return Some(Change { up: vec![beside(&made.up[0], "CREATE INDEX")], down: vec![beside(&made.down[0], "DROP INDEX")], alone: true });
    }
    Some(made)
}

fn create_unique_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let text = format!("({}{})", world.tables[table].columns[at].name, if rng.u8(..3) == 0 { "" } else { ", id" });
    create(world, table, true, text)
}

fn create_partial_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let text = format!("(id) WHERE {} IS NOT NULL", world.tables[table].columns[at].name);
    create(world, table, rng.bool(), text)
}

fn drop_index(world: &mut World, rng: &mut Rng, unique: bool) -> Option<Change> {
    let table = world.table(rng)?;
    let held = &mut world.tables[table];
    let fits: Vec<usize> = (0..held.indexes.len()).filter(|&at| held.indexes[at].unique == unique).collect();
    let part = held.indexes.remove(*pick(rng, &fits)?);
    change(held.drop_index(&part.name, world.engine), held.create_index(&part))
}

fn rename_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let new = world.fresh("ix_");
    let held = &mut world.tables[table];
    if held.indexes.is_empty() {
        return None;
    }
    let at = rng.usize(..held.indexes.len());
    let old = std::mem::replace(&mut held.indexes[at].name, new.clone());
    match world.engine {
        Engine::Mariadb => {
            change(format!("ALTER TABLE {} RENAME INDEX {old} TO {new}", held.name), format!("ALTER TABLE {} RENAME INDEX {new} TO {old}", held.name))
        }
        _ => change(format!("ALTER INDEX {} RENAME TO {new}", held.beside(&old)), format!("ALTER INDEX {} RENAME TO {old}", held.beside(&new))),
    }
}
