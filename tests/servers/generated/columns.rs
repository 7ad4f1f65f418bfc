//! Changes of columns.

use super::grammar::{Change, Kind, On, change};
use super::world::{Column, World, pick, reword, uses};
use fastrand::Rng;

pub(super) const KINDS: &[Kind] = &[
    ("add-column", 16, On::All, add),
    ("add-column-default", 10, On::All, add_default),
    ("add-column-required", 6, On::All, add_required),
    ("required-in-new-table", 4, On::All, required_in_new_table),
    ("drop-column", 6, On::All, drop),
    ("rename-column", 3, On::All, rename),
    ("widen-type", 2, On::Postgres, |w, r| retype(w, r, WIDER, false)),
    ("narrow-type", 2, On::Postgres, |w, r| retype(w, r, NARROWER, false)),
    ("cut-type", 2, On::Postgres, |w, r| retype(w, r, CUT, false)),
    ("convert-type", 2, On::Postgres, convert),
    ("convert-by-expression", 2, On::Postgres, by_expression),
    ("set-not-null", 10, On::Postgres, set_not_null),
    ("drop-not-null", 5, On::Postgres, drop_not_null),
    ("set-default", 10, On::Servers, set_default),
    ("drop-default", 8, On::Servers, drop_default),
];

const WIDER: &[(&str, &str)] = &[
    ("smallint", "integer"),
    ("integer", "bigint"),
    ("integer", "numeric"),
    ("varchar(10)", "varchar(40)"),
    ("varchar(40)", "text"),
    ("numeric(6,2)", "numeric(8,2)"),
    ("date", "timestamp"),
    ("real", "double precision"),
    ("char(8)", "text"),
];
const NARROWER: &[(&str, &str)] = &[
    ("bigint", "integer"),
    ("integer", "smallint"),
    ("text", "varchar(40)"),
    ("varchar(40)", "varchar(10)"),
    ("text", "varchar(10)"),
    ("numeric(10,4)", "numeric(6,4)"),
];
const CUT: &[(&str, &str)] = &[
    ("numeric(10,4)", "numeric(6,2)"),
    ("numeric(6,2)", "integer"),
    ("numeric(10,4)", "bigint"),
    ("timestamp", "date"),
    ("timestamp", "timestamp(0)"),
    ("timestamptz", "date"),
    ("timestamptz", "timestamp"),
    ("double precision", "real"),
    ("double precision", "integer"),
    ("text", "char(40)"),
    ("real", "integer"),
    ("numeric(10,4)", "numeric(10,2)"),
];
const TYPES: &[&str] = &[
    "integer",
    "bigint",
    "text",
    "varchar(40)",
    "numeric",
    "numeric(6,2)",
    "date",
    "timestamp",
    "boolean",
    "mood",
    "jsonb",
    "char(8)",
    "double precision",
    "real",
];

fn place(column: &Column, table: &str) -> String {
    format!("ALTER TABLE {table} ALTER COLUMN {}", column.name)
}

fn added(world: &mut World, rng: &mut Rng, make: impl Fn(&mut Column, &World, &mut Rng)) -> Option<Change> {
    let table = world.table(rng)?;
    let mut column = world.new_column(rng);
    make(&mut column, world, rng);
    let name = world.tables[table].name.clone();
    let made = change(format!("ALTER TABLE {name} ADD COLUMN {}", column.sql()), format!("ALTER TABLE {name} DROP COLUMN {}", column.name));
    world.tables[table].columns.push(column);
    made
}

fn add(world: &mut World, rng: &mut Rng) -> Option<Change> {
    added(world, rng, |_, _, _| {})
}

fn add_default(world: &mut World, rng: &mut Rng) -> Option<Change> {
    added(world, rng, |column, world, rng| column.default = Some(world.literal(&column.ty, 3, rng)))
}

fn add_required(world: &mut World, rng: &mut Rng) -> Option<Change> {
    added(world, rng, |column, world, rng| {
        column.not_null = true;
        column.default = if rng.u8(..5) == 0 { None } else { Some(world.literal(&column.ty, 3, rng)) };
    })
}

/// Without a default, which only a table without rows takes.
fn required_in_new_table(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let table = world.fresh("t");
    let column = Column { not_null: true, ..world.new_column(rng) };
    let up = vec![format!("CREATE TABLE {table} (id integer PRIMARY KEY)"), format!("ALTER TABLE {table} ADD COLUMN {}", column.sql())];
    Some(Change { up, down: vec![format!("DROP TABLE {table}")], alone: false })
}

fn drop(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, mut at) = world.column(rng)?;
    if rng.u8(..5) > 0 {
        at = *pick(rng, &world.tables[table].free())?;
    }
    let held = &mut world.tables[table];
    let column = held.columns.remove(at);
    let gone: Vec<_> = held.constraints.iter().filter(|c| uses(&c.text, &column.name)).cloned().collect();
    let gone_indexes: Vec<_> = held.indexes.iter().filter(|c| uses(&c.text, &column.name)).cloned().collect();
    held.constraints.retain(|c| !uses(&c.text, &column.name));
    held.indexes.retain(|c| !uses(&c.text, &column.name));
    let mut down = vec![format!("ALTER TABLE {} ADD COLUMN {}", held.name, column.sql())];
    down.extend(gone.iter().map(|c| format!("ALTER TABLE {} ADD CONSTRAINT {} {}", held.name, c.name, c.text)));
    down.extend(gone_indexes.iter().map(|i| held.create_index(i)));
    Some(Change { up: vec![format!("ALTER TABLE {} DROP COLUMN {}", held.name, column.name)], down, alone: false })
}

fn rename(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let new = world.fresh("c");
    let held = &mut world.tables[table];
    let old = std::mem::replace(&mut held.columns[at].name, new.clone());
    for part in held.constraints.iter_mut().chain(&mut held.indexes) {
        part.text = reword(&part.text, &old, &new);
    }
    for column in &mut held.columns {
        column.rest = reword(&column.rest, &old, &new);
    }
    let name = held.name.clone();
    for over in world.views.iter_mut().filter(|o| o.table == name) {
        over.text = reword(&over.text, &old, &new);
    }
    change(format!("ALTER TABLE {name} RENAME COLUMN {old} TO {new}"), format!("ALTER TABLE {name} RENAME COLUMN {new} TO {old}"))
}

fn retype(world: &mut World, rng: &mut Rng, pairs: &[(&str, &str)], using: bool) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &mut world.tables[table];
    let fits: Vec<_> = pairs.iter().filter(|(old, _)| *old == held.columns[at].ty).collect();
    let (old, new) = **pick(rng, &fits)?;
    held.columns[at].ty = new.to_owned();
    let column = &held.columns[at];
    let to = |ty: &str| format!("{} TYPE {ty}{}", place(column, &held.name), if using { format!(" USING {}::{ty}", column.name) } else { String::new() });
    change(to(new), to(old))
}

fn convert(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let pairs: Vec<(&str, &str)> = TYPES.iter().flat_map(|a| TYPES.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b).collect();
    retype(world, rng, &pairs, true)
}

fn by_expression(world: &mut World, rng: &mut Rng) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &mut world.tables[table];
    let column = held.columns[at].clone();
    let (c, old) = (column.name.as_str(), column.ty.as_str());
    let (new, using, back) = match () {
        () if column.is_text() => (old.to_owned(), format!("lower({c})"), format!("upper({c})")),
        () if old == "boolean" => (String::from("integer"), format!("CASE WHEN {c} THEN 1 ELSE 0 END"), format!("{c} = 1")),
        () if column.is_number() => (String::from("numeric"), format!("round({c}::numeric, 1)"), format!("{c}::{old}")),
        () if old == "mood" => (String::from("text"), format!("upper({c}::text)"), format!("lower({c})::mood")),
        () => (String::from("text"), format!("{c}::text || ''"), format!("{c}::{old}")),
    };
    let place = place(&column, &held.name);
    held.columns[at].ty.clone_from(&new);
    change(format!("{place} TYPE {new} USING {using}"), format!("{place} TYPE {old} USING {back}"))
}

fn nullable(world: &mut World, rng: &mut Rng, not_null: bool) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let held = &mut world.tables[table];
    // What it is already now and then: then DOWN does too much.
    if held.columns[at].not_null == not_null && rng.u8(..5) > 0 {
        return None;
    }
    held.columns[at].not_null = not_null;
    let place = place(&held.columns[at], &held.name);
    let (set, dropped) = (format!("{place} SET NOT NULL"), format!("{place} DROP NOT NULL"));
    if not_null { change(set, dropped) } else { change(dropped, set) }
}

fn set_not_null(world: &mut World, rng: &mut Rng) -> Option<Change> {
    nullable(world, rng, true)
}

fn drop_not_null(world: &mut World, rng: &mut Rng) -> Option<Change> {
    nullable(world, rng, false)
}

fn defaulted(world: &mut World, rng: &mut Rng, set: bool) -> Option<Change> {
    let (table, at) = world.column(rng)?;
    let new = if set { Some(world.literal(&world.tables[table].columns[at].ty, 7, rng)) } else { None };
    let held = &mut world.tables[table];
    let old = std::mem::replace(&mut held.columns[at].default, new.clone());
    if old == new && rng.u8(..5) > 0 {
        return None;
    }
    let place = place(&held.columns[at], &held.name);
    let to = |value: Option<String>| value.map_or_else(|| format!("{place} DROP DEFAULT"), |value| format!("{place} SET DEFAULT {value}"));
    change(to(new), to(old))
}

fn set_default(world: &mut World, rng: &mut Rng) -> Option<Change> {
    defaulted(world, rng, true)
}

fn drop_default(world: &mut World, rng: &mut Rng) -> Option<Change> {
    defaulted(world, rng, false)
}
