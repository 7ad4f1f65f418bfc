//! Changes that carry values from place to place within one migration.

use super::grammar::{Change, Kind, On};
use super::world::{Column, Table, World, pick};
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("rebuild", 6, On::Sqlite, rebuild),
    ("copy-before-drop", 6, On::All, copy_before_drop),
    ("add-fill-drop", 6, On::All, add_fill_drop),
    ("drop-and-add-back", 2, On::All, drop_and_add_back),
    ("fill-new-column", 8, On::All, fill_new_column),
    ("save-and-update", 6, On::All, save_and_update),
    ("move-to-table", 6, On::All, move_to_table),
    ("split-to-table", 2, On::All, split_to_table),
    ("make-and-unmake", 6, On::All, make_and_unmake),
    ("recreate-table", 2, On::All, recreate_table),
];

/// Another name, made from this one.
fn suffixed(name: &str) -> String {
    match name.strip_suffix('"') {
        Some(open) => format!("{open}_new\""),
        None => format!("{name}_new"),
    }
}

/// The steps of a rebuild from `old` to `new`, which have one name; `carry` are the columns that come along, new and old.
fn steps(old: &Table, new: &Table, carry: &[(String, String)], filter: &str) -> Vec<String> {
    let scratch = Table { name: suffixed(&new.name), ..new.clone() };
    let into: Vec<&str> = carry.iter().map(|c| c.0.as_str()).collect();
    let from: Vec<&str> = carry.iter().map(|c| c.1.as_str()).collect();
    let mut all = vec![
        scratch.create(),
        format!("INSERT INTO {} ({}) SELECT {} FROM {}{filter}", scratch.name, into.join(", "), from.join(", "), old.name),
        format!("DROP TABLE {}", old.name),
        format!("ALTER TABLE {} RENAME TO {}", scratch.name, new.name),
    ];
    all.extend(new.indexes.iter().map(|i| new.create_index(i)));
    all
}

fn same(table: &Table) -> Vec<(String, String)> {
    std::iter::once("id").chain(table.written().map(|c| c.name.as_str())).map(|c| (c.to_owned(), c.to_owned())).collect()
}

fn rebuild(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let old = world.tables[table].clone();
    let mut new = old.clone();
    let (mut forth, mut back) = (same(&old), same(&old));
    match rng.u8(..8) {
        0 => new.columns[at].not_null = !new.columns[at].not_null,
        1 => new.columns[at].ty = world.a_type(rng),
        2 => new.columns[at].default = Some(world.literal(&old.columns[at].ty, 8, rng)),
        3 => {
            new.constraints.pop();
        }
        4 => {
            // The column stays behind.
            let free = *pick(rng, &old.free())?;
            let gone = new.columns.remove(free);
            forth.retain(|(name, _)| *name != gone.name);
            back.retain(|(name, _)| *name != gone.name);
        }
        5 => new.columns.push(world.new_column(rng)),
        6 => {
            // A value is computed on its way.
            let name = &old.columns[at].name;
            forth.iter_mut().find(|(to, _)| to == name)?.1 =
                [format!("coalesce({name}, 'none')"), format!("upper({name})"), format!("CAST({name} AS integer)")][rng.usize(..3)].clone();
        }
        _ => {}
    }
    let filter = [" WHERE id > 0", " WHERE id > 1", " LIMIT 2"];
    let filter = if rng.u8(..8) == 0 { filter[rng.usize(..3)] } else { "" };
    if rng.u8(..10) == 0 && forth.len() > 2 {
        forth.pop();
    }
    let made = Change { up: steps(&old, &new, &forth, filter), down: steps(&new, &old, &back, ""), alone: false };
    world.tables[table] = new;
    Some(made)
}

/// Values go to a new column, and come back; now and then not all of them.
fn copy_before_drop(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let at = *pick(rng, &world.tables[table].free())?;
    let new = world.fresh("c");
    let held = &mut world.tables[table];
    let old = held.columns.remove(at);
    let copy = Column { name: new, ty: old.ty.clone(), ..Column::default() };
    let name = held.name.clone();
    let filter = if rng.u8(..6) == 0 { " WHERE id > 1" } else { "" };
    let what = if rng.u8(..6) == 0 && old.is_text() { format!("lower({})", old.name) } else { old.name.clone() };
    let up = vec![
        format!("ALTER TABLE {name} ADD COLUMN {}", copy.sql()),
        format!("UPDATE {name} SET {} = {what}{filter}", copy.name),
        format!("ALTER TABLE {name} DROP COLUMN {}", old.name),
    ];
    let late = old.not_null && old.default.is_none() && world.engine == Engine::Postgres;
    let mut down = vec![
        format!("ALTER TABLE {name} ADD COLUMN {}", Column { not_null: old.not_null && !late, ..old.clone() }.sql()),
        format!("UPDATE {name} SET {} = {}", old.name, copy.name),
        format!("ALTER TABLE {name} DROP COLUMN {}", copy.name),
    ];
    if late {
        down.push(format!("ALTER TABLE {name} ALTER COLUMN {} SET NOT NULL", old.name));
    }
    held.columns.push(copy);
    Some(Change { up, down, alone: false })
}

/// A column of another type takes the values over.
fn add_fill_drop(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let at = *pick(rng, &world.tables[table].free())?;
    let new = Column { name: world.fresh("c"), ty: world.a_type(rng), ..Column::default() };
    let held = &mut world.tables[table];
    let (old, name) = (held.columns.remove(at), held.name.clone());
    let plain = rng.bool();
    let cast = |column: &str, ty: &str| if plain { column.to_owned() } else { format!("CAST({column} AS {ty})") };
    let up = vec![
        format!("ALTER TABLE {name} ADD COLUMN {}", new.sql()),
        format!("UPDATE {name} SET {} = {}", new.name, cast(&old.name, &new.ty)),
        format!("ALTER TABLE {name} DROP COLUMN {}", old.name),
    ];
    let down = vec![
        format!("ALTER TABLE {name} ADD COLUMN {}", old.sql()),
        format!("UPDATE {name} SET {} = {}", old.name, cast(&new.name, &old.ty)),
        format!("ALTER TABLE {name} DROP COLUMN {}", new.name),
    ];
    held.columns.push(new);
    Some(Change { up, down, alone: false })
}

fn drop_and_add_back(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let held = &world.tables[table];
    let column = &held.columns[*pick(rng, &held.free())?];
    let name = &held.name;
    let up = vec![format!("ALTER TABLE {name} DROP COLUMN {}", column.name), format!("ALTER TABLE {name} ADD COLUMN {}", column.sql())];
    Some(Change { up, down: vec![format!("UPDATE {name} SET id = id")], alone: false })
}

fn fill_new_column(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let mut new = world.new_column(rng);
    new.ty.clone_from(&world.tables[table].columns[at].ty);
    let held = &mut world.tables[table];
    let from = &held.columns[at].name;
    let name = held.name.clone();
    let value = if rng.bool() { from.clone() } else { format!("coalesce({from}, NULL)") };
    let up = vec![format!("ALTER TABLE {name} ADD COLUMN {}", new.sql()), format!("UPDATE {name} SET {} = {value}", new.name)];
    let down = vec![format!("ALTER TABLE {name} DROP COLUMN {}", new.name)];
    held.columns.push(new);
    Some(Change { up, down, alone: false })
}

/// Old values are saved in a column before they are overwritten.
fn save_and_update(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let saved = world.fresh("c");
    let column = world.tables[table].columns[at].clone();
    let new = world.literal(&column.ty, 9, rng);
    let (name, c) = (world.tables[table].name.clone(), &column.name);
    let (only, back) = match rng.u8(..6) {
        0 => (" WHERE id > 1", ""),
        1 => ("", " WHERE id > 1"),
        2 => (" WHERE id > 1", " WHERE id > 1"),
        _ => ("", ""),
    };
    let up = vec![
        format!("ALTER TABLE {name} ADD COLUMN {saved} {}", column.ty),
        format!("UPDATE {name} SET {saved} = {c}{only}"),
        format!("UPDATE {name} SET {c} = {new}{}", if rng.bool() { only } else { "" }),
    ];
    let down = vec![format!("UPDATE {name} SET {c} = {saved}{back}"), format!("ALTER TABLE {name} DROP COLUMN {saved}")];
    world.tables[table].columns.push(Column { name: saved, ty: column.ty, ..Column::default() });
    Some(Change { up, down, alone: false })
}

/// All rows move to a new table, and back.
fn move_to_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let name = world.fresh("t");
    let old = world.tables[table].clone();
    let new = Table { name, constraints: Vec::new(), indexes: Vec::new(), ..old.clone() };
    let (names, some) = (old.names(), if rng.u8(..6) == 0 { " WHERE id > 1" } else { "" });
    let mut up = match rng.u8(..3) {
        0 => vec![format!("CREATE TABLE {} AS SELECT * FROM {}{some}", new.name, old.name)],
        _ => vec![new.create(), format!("INSERT INTO {} ({names}) SELECT {names} FROM {}{some}", new.name, old.name)],
    };
    up.push(format!("DROP TABLE {}", old.name));
    let mut down = vec![old.create(), format!("INSERT INTO {} ({names}) SELECT {names} FROM {}", old.name, new.name)];
    down.extend(old.indexes.iter().map(|i| old.create_index(i)));
    down.push(format!("DROP TABLE {}", new.name));
    world.tables[table] = new;
    Some(Change { up, down, alone: false })
}

/// One column's values move to a table of their own, and back.
fn split_to_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.table(rng)?;
    let at = *pick(rng, &world.tables[table].free())?;
    let side = world.fresh("t");
    let held = &mut world.tables[table];
    let (column, name) = (held.columns.remove(at), held.name.clone());
    let (c, ty) = (&column.name, &column.ty);
    let up = vec![
        format!("CREATE TABLE {side} (id integer PRIMARY KEY, {c} {ty})"),
        format!("INSERT INTO {side} (id, {c}) SELECT id, {c} FROM {name}{}", if rng.bool() { "" } else { " WHERE id > 1" }),
        format!("ALTER TABLE {name} DROP COLUMN {c}"),
    ];
    let down = vec![
        format!("ALTER TABLE {name} ADD COLUMN {}", column.sql()),
        format!("UPDATE {name} SET {c} = (SELECT {c} FROM {side} WHERE {side}.id = {name}.id)"),
        format!("DROP TABLE {side}"),
    ];
    Some(Change { up, down, alone: false })
}

/// What UP makes, it takes away itself.
fn make_and_unmake(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (scratch, id) = (world.fresh("t"), rng.usize(700..800));
    let table = &world.tables[world.table(rng)?];
    let (name, row) = (&table.name, world.row(table, id, rng));
    let up = match rng.u8(..3) {
        0 => vec![format!("CREATE TABLE {scratch} AS SELECT * FROM {name}"), format!("DROP TABLE {scratch}")],
        1 => vec![format!("INSERT INTO {name} ({}) VALUES {row}", table.names()), format!("DELETE FROM {name} WHERE id = {id}")],
        _ => vec![format!("ALTER TABLE {name} ADD COLUMN {scratch} integer DEFAULT 1"), format!("ALTER TABLE {name} DROP COLUMN {scratch}")],
    };
    Some(Change { up, down: Vec::new(), alone: false })
}

/// A table is dropped and made again in one migration.
fn recreate_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = &world.tables[world.table(rng)?];
    let mut up = vec![format!("DROP TABLE {}{}", if rng.bool() { "IF EXISTS " } else { "" }, table.name)];
    up.extend(table.create_all());
    let row = world.row(table, 1, rng);
    Some(Change { up, down: vec![format!("INSERT INTO {} ({}) VALUES {row}", table.name, table.names())], alone: false })
}
