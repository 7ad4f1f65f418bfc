//! A DOWN as people write it: mostly right, sometimes with a mistake.

use super::world::{World, pick};
use fastrand::Rng;

/// What people change in a definition when they write it again from memory.
const SLIPS: &[(&str, &str)] = &[
    (" NOT NULL", ""),
    ("UNIQUE ", ""),
    (" DEFAULT ", " DEFAULT 1 + "),
    ("varchar(10)", "varchar(40)"),
    ("varchar(40)", "text"),
    ("numeric(10,4)", "numeric(10,2)"),
    ("bigint", "integer"),
    (">= 0", "> 0"),
    (" ON DELETE CASCADE", ""),
    (" WHERE ", " -- "),
    (" DESC", ""),
    ("SELECT ", "SELECT DISTINCT "),
    ("ADD COLUMN ", "ADD COLUMN IF NOT EXISTS "),
    ("DROP SEQUENCE ", "DROP SEQUENCE IF EXISTS x"),
    (" DEFAULT ", " -- DEFAULT "),
    (" COLLATE \"C\"", ""),
    (" COLLATE NOCASE", ""),
    (" STORED", " STORED UNIQUE"),
    (" WITHOUT ROWID", ""),
    (" START WITH 10", ""),
    (" USING (id > 0)", " USING (id > 1)"),
    (" RESTRICTIVE", " PERMISSIVE"),
    ("integer PRIMARY KEY", "integer NOT NULL UNIQUE"),
    ("NOT NULL", "NULL"),
    ("AFTER", "BEFORE"),
    (" ON DELETE CASCADE", " ON DELETE RESTRICT"),
    ("DROP CONSTRAINT ", "DROP CONSTRAINT IF EXISTS x"),
    ("c1", "c2"),
    ("ix_", "ix_again_"),
    ("DROP TABLE ", "DROP TABLE IF EXISTS x"),
    ("DROP COLUMN ", "DROP COLUMN IF EXISTS x"),
    ("DROP INDEX ", "DROP INDEX IF EXISTS x"),
    ("DROP VIEW ", "DROP VIEW IF EXISTS x"),
    (" ON users (", " ON users (id, "),
];

/// Puts a mistake into `down`, or leaves it out; `start` is what stood before UP.
pub(super) fn make(mut down: Vec<String>, start: &World, rng: &mut Rng) -> Option<Vec<String>> {
    let count = down.len();
    let at = if down.is_empty() { 0 } else { rng.usize(..down.len()) };
    match rng.u8(..14) {
        12 | 13 if down.len() > 1 => down.swap(at, (at + 1) % count),
        0 => return None,
        1 => return Some(vec![String::from("-- nothing to undo")]),
        2 | 3 if !down.is_empty() => {
            down.remove(at);
        }
        4 => down.reverse(),
        5 if !down.is_empty() => down.insert(at, down[at].clone()),
        6..=8 => {
            let fits: Vec<(usize, &(&str, &str))> =
                (0..down.len()).flat_map(|at| SLIPS.iter().map(move |slip| (at, slip))).filter(|(at, slip)| down[*at].contains(slip.0)).collect();
            if let Some((at, (right, wrong))) = pick(rng, &fits) {
                down[*at] = down[*at].replacen(right, wrong, 1);
            }
        }
        9 => {
            let table = pick(rng, &start.tables).map_or("users", |t| &t.name);
            let missing = ["DROP INDEX missing", "DROP VIEW missing", "ALTER TABLE missing RENAME TO other", "DROP TABLE missing", "DELETE FROM missing"];
            let column = format!("ALTER TABLE {table} DROP COLUMN missing");
            down.insert(at, if rng.bool() { column } else { (*pick(rng, &missing)?).to_owned() });
        }
        _ => down.insert(at, destruction(start, rng)),
    }
    Some(down)
}

/// A statement that takes away what stood before UP.
fn destruction(start: &World, rng: &mut Rng) -> String {
    let table = &start.tables[rng.usize(..start.tables.len())];
    let column = pick(rng, &table.columns).map_or("id", |c| &c.name);
    let name = &table.name;
    match (rng.u8(..7), pick(rng, &table.indexes), pick(rng, &start.views)) {
        (0, ..) => format!("DELETE FROM {name}"),
        (1, ..) => format!("DELETE FROM {name} WHERE id = 1"),
        (2, ..) => format!("UPDATE {name} SET {column} = NULL"),
        (3, ..) => format!("DROP TABLE IF EXISTS {name}"),
        (4, Some(index), _) => format!("DROP INDEX {}", index.name),
        (5, _, Some(view)) => format!("DROP VIEW IF EXISTS {}", view.name),
        (6, ..) => format!("INSERT INTO {name} ({}) VALUES {}", table.names(), start.row(table, 900, rng)),
        _ => format!("ALTER TABLE {name} DROP COLUMN {column}"),
    }
}
