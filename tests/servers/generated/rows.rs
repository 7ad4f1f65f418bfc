//! Changes of rows.

use super::grammar::{Change, Kind, On, change};
use super::world::World;
use fastrand::Rng;
use unmigrate::engine::Engine;

pub(super) const KINDS: &[Kind] = &[
    ("insert-rows", 10, On::All, insert),
    ("insert-select", 2, On::All, insert_select),
    ("insert-or-ignore", 4, On::All, insert_or_ignore),
    ("upsert-rows", 4, On::All, upsert),
    ("update-all", 2, On::All, update_all),
    ("update-where", 2, On::All, update_where),
    ("delete-rows", 2, On::All, delete),
    ("delete-and-insert-back", 2, On::All, delete_and_insert_back),
    ("merge-rows", 4, On::Postgres, merge),
    ("truncate", 3, On::Servers, truncate),
];

/// INSERT, its table, and the ids of its rows.
fn rows(world: &World, rng: &mut Rng, first: usize) -> Option<(String, String, Vec<usize>)> {
    let table = &world.tables[world.table(rng)?];
    let ids: Vec<usize> = (first..first + rng.usize(1..3)).collect();
    let rows: Vec<String> = ids.iter().map(|&id| world.row(table, id, rng)).collect();
    let columns = if rng.u8(..4) == 0 { String::new() } else { format!(" ({})", table.names()) };
    Some((format!("INSERT INTO {}{columns} VALUES {}", table.name, rows.join(", ")), table.name.clone(), ids))
}

fn delete_ids(table: &str, ids: &[usize], rng: &mut Rng) -> String {
    match (ids, rng.bool()) {
        ([id], true) => format!("DELETE FROM {table} WHERE id = {id}"),
        _ => format!("DELETE FROM {table} WHERE id IN ({})", ids.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn insert(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let first = 100 + 10 * rng.usize(..50);
    let (sql, table, ids) = rows(world, rng, first)?;
    let down = match rng.u8(..8) {
        0 => format!("DELETE FROM {table} WHERE id >= {first}"),
        1 => format!("DELETE FROM {table} WHERE id <> 1"),
        2 => delete_ids(&table, &[first - 1, first], rng),
        _ => delete_ids(&table, &ids, rng),
    };
    change(sql, down)
}

fn insert_select(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = &world.tables[world.table(rng)?];
    let values: Vec<&str> = table.written().map(|c| c.name.as_str()).collect();
    let list = std::iter::once("id + 1000").chain(values).collect::<Vec<_>>().join(", ");
    let filter = if rng.bool() { " WHERE id > 1" } else { "" };
    let (name, names) = (&table.name, table.names());
    change(format!("INSERT INTO {name} ({names}) SELECT {list} FROM {name}{filter}"), format!("DELETE FROM {name} WHERE id > 1000"))
}

fn insert_or_ignore(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let first = [1, 2, 500][rng.usize(..3)];
    let (sql, table, ids) = rows(world, rng, first)?;
    let sql = match world.engine {
        Engine::Mysql | Engine::Mariadb => sql.replacen("INSERT", "INSERT IGNORE", 1),
        Engine::Sqlite if rng.bool() => sql.replacen("INSERT", "INSERT OR IGNORE", 1),
        Engine::Sqlite | Engine::Postgres => format!("{sql} ON CONFLICT DO NOTHING"),
    };
    change(sql, delete_ids(&table, &ids, rng))
}

fn upsert(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let first = [1, 2, 600][rng.usize(..3)];
    let (sql, table, ids) = rows(world, rng, first)?;
    let column = world.tables.iter().find(|t| t.name == table)?.columns.first()?.name.clone();
    let sql = match (world.engine, rng.u8(..4)) {
        (Engine::Mysql | Engine::Mariadb, 0 | 1) | (Engine::Sqlite, 0) => sql.replacen("INSERT", "REPLACE", 1),
        (Engine::Mysql | Engine::Mariadb, _) => format!("{sql} ON DUPLICATE KEY UPDATE {column} = VALUES({column})"),
        (Engine::Sqlite, 1) => sql.replacen("INSERT", "INSERT OR REPLACE", 1),
        (Engine::Sqlite | Engine::Postgres, _) => format!("{sql} ON CONFLICT (id) DO UPDATE SET {column} = excluded.{column}"),
    };
    change(sql, delete_ids(&table, &ids, rng))
}

fn update_all(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let (name, column) = (&world.tables[table].name, &world.tables[table].columns[at]);
    let c = &column.name;
    let (new, old) = match () {
        () if column.is_text() && rng.bool() => (format!("lower({c})"), format!("upper({c})")),
        () if column.is_number() => (format!("{c} + 1"), format!("{c} - 1")),
        () if !column.not_null && rng.bool() => (String::from("NULL"), world.literal(&column.ty, 1, rng)),
        () => (c.clone(), c.clone()),
    };
    change(format!("UPDATE {name} SET {c} = {new}"), format!("UPDATE {name} SET {c} = {old}"))
}

fn update_where(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let (name, column) = (&world.tables[table].name, &world.tables[table].columns[at]);
    let (a, b, c) = (world.literal(&column.ty, 1, rng), world.literal(&column.ty, [2, 5][rng.usize(..2)], rng), &column.name);
    match rng.u8(..4) {
        0 => change(format!("UPDATE {name} SET {c} = {a} WHERE id = 1"), format!("UPDATE {name} SET {c} = {b} WHERE id = 1")),
        1 => change(format!("UPDATE {name} SET {c} = {a} WHERE {c} IS NULL"), format!("UPDATE {name} SET {c} = NULL WHERE {c} = {a}")),
        _ => change(format!("UPDATE {name} SET {c} = {b} WHERE {c} = {a}"), format!("UPDATE {name} SET {c} = {a} WHERE {c} = {b}")),
    }
}

fn delete(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let (name, column) = (&world.tables[table].name, &world.tables[table].columns[at].name);
    let filter = match rng.u8(..5) {
        0 => String::new(),
        1 => format!(" WHERE {column} IS NULL"),
        2 => String::from(" WHERE id = 777"),
        3 => format!(" WHERE {column} IS NOT NULL AND id > 1"),
        _ => String::from(" WHERE id = 2"),
    };
    let row = world.row(&world.tables[table], 2, rng);
    change(format!("DELETE FROM {name}{filter}"), format!("INSERT INTO {name} ({}) VALUES {row}", world.tables[table].names()))
}

/// A row that UP deletes by its key, and DOWN writes again as somebody thinks that it was.
fn delete_and_insert_back(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = &world.tables[world.table(rng)?];
    let (names, row) = if rng.bool() { (table.names(), world.row(table, 1, rng)) } else { (String::from("id"), String::from("(1)")) };
    change(format!("DELETE FROM {} WHERE id = 1", table.name), format!("INSERT INTO {} ({names}) VALUES {row}", table.name))
}

fn truncate(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = &world.tables[world.table(rng)?];
    let row = world.row(table, 1, rng);
    let cascade = if rng.bool() && world.engine == Engine::Postgres { " CASCADE" } else { "" };
    change(format!("TRUNCATE {}{cascade}", table.name), format!("INSERT INTO {} ({}) VALUES {row}", table.name, table.names()))
}

fn merge(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let (name, column) = (&world.tables[table].name, &world.tables[table].columns[at]);
    let value = world.literal(&column.ty, 6, rng);
    let action = [format!("UPDATE SET {} = {value}", column.name), String::from("DELETE")][rng.usize(..2)].clone();
    let id = [1, 888][rng.usize(..2)];
    change(format!("MERGE INTO {name} m USING (VALUES ({id})) v (key) ON m.id = v.key WHEN MATCHED THEN {action}"), "SELECT 1")
}
