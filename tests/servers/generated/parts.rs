//! Changes of constraints and indexes.

use super::grammar::{Change, Kind, On, change};
use super::world::{Part, World, pick};
use fastrand::Rng;

pub(super) const KINDS: &[Kind] = &[
    ("add-check", 5, On::Postgres, add_check),
    ("add-unique", 4, On::Postgres, add_unique),
    ("add-foreign-key", 3, On::Postgres, add_foreign_key),
    ("drop-constraint", 1, On::Postgres, drop_constraint),
    ("rename-constraint", 4, On::Postgres, rename_constraint),
    ("create-index", 5, On::Both, create_index),
    ("create-unique-index", 4, On::Both, create_unique_index),
    ("create-partial-index", 4, On::Both, create_partial_index),
    ("drop-index", 4, On::Both, |w, r| drop_index(w, r, false)),
    ("drop-unique-index", 1, On::Both, |w, r| drop_index(w, r, true)),
    ("rename-index", 4, On::Postgres, rename_index),
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
    let text = world.a_check(&world.tables[table].columns[at])?;
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
    let action = ["", " ON DELETE CASCADE", " NOT VALID"][rng.usize(..3)];
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
    let made = change(held.create_index(&part), format!("DROP INDEX {}", part.name));
    held.indexes.push(part);
    made
}

fn create_index(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let column = &world.tables[table].columns[at];
    let text = match rng.u8(..3) {
        0 if column.is_text() => format!("(lower({}))", column.name),
        1 => format!("({} DESC, id)", column.name),
        _ => format!("({})", column.name),
    };
    create(world, table, false, text)
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
    change(format!("DROP INDEX {}", part.name), held.create_index(&part))
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
    change(format!("ALTER INDEX {old} RENAME TO {new}"), format!("ALTER INDEX {new} RENAME TO {old}"))
}
