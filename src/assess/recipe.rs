//! What would have kept the values, as SQL that can be pasted. In: a statement of UP that destroys values, and what stood before. Out:
//! statements, or none where they would have to be guessed.

use super::statement::Done;
use crate::parse::action::{Filter, Op};
use crate::schema::catalog::{Catalog, Entry, Journal, Key, Table};
use crate::schema::inverse::{column_type, namer};

/// The statements, under comments that say where each belongs.
pub(super) fn recipe(done: &Done<'_>, before: &Journal, catalog: &Catalog) -> Option<String> {
    let called = namer(catalog, done.statement);
    let table = |name: &str| match before.get(&Key::Table(name.to_owned())) {
        Some(Some(Entry::Table(table))) => Some(&**table),
        _ => None,
    };
    let sql = match &done.action.op {
        Op::DropColumn { table, column, .. } => {
            let (table, old, new) = (called(table), called(column), called(&format!("{column}__dropped")));
            format!("-- UP, in its place:\nALTER TABLE {table} RENAME COLUMN {old} TO {new};\n-- DOWN:\nALTER TABLE {table} RENAME COLUMN {new} TO {old};")
        }
        Op::DropTable { name, .. } => {
            let bare = name.rsplit('.').next().unwrap_or(name);
            let schema = name.strip_suffix(bare).unwrap_or_default();
            let (old, new) = (called(bare), called(&format!("{bare}__dropped")));
            let of = |table: &str| if schema.is_empty() { table.to_owned() } else { format!("{}.{table}", called(schema.trim_end_matches('.'))) };
            format!("-- UP, in its place:\nALTER TABLE {} RENAME TO {new};\n-- DOWN:\nALTER TABLE {} RENAME TO {old};", of(&old), of(&new))
        }
        Op::Truncate { table: rows, .. } | Op::Delete { table: rows, filter: Filter::All } => {
            let held = table(rows).filter(|t| t.known)?;
            let (of, kept) = (called(rows), called(&format!("{rows}__kept")));
            let columns = columns(held, catalog, &called)?;
            let names: Vec<String> = held.columns.iter().filter(|c| c.def.generated.is_none()).map(|c| called(&c.def.name)).collect();
            let names = names.join(", ");
            format!(
                "-- UP, before it:\nCREATE TABLE {kept} ({columns});\nINSERT INTO {kept} ({names}) SELECT {names} FROM {of};\n\
                 -- DOWN:\nINSERT INTO {of} ({names}) SELECT {names} FROM {kept};\nDROP TABLE {kept};"
            )
        }
        Op::Update { table: rows, set, .. } => {
            let held = table(rows)?;
            let rows = called(rows);
            let (mut up, mut down, mut gone) = (Vec::new(), Vec::new(), Vec::new());
            for (column, _) in set {
                let def = &held.column(column).filter(|c| !c.assumed)?.def;
                let (old, kept) = (called(column), called(&format!("{column}__before")));
                up.push(format!("ALTER TABLE {rows} ADD COLUMN {kept} {};\nUPDATE {rows} SET {kept} = {old};", column_type(&def.ty, catalog.engine)));
                down.push(format!("UPDATE {rows} SET {old} = {kept};"));
                gone.push(format!("ALTER TABLE {rows} DROP COLUMN {kept};"));
            }
            format!("-- UP, before it:\n{}\n-- DOWN:\n{}\n{}", up.join("\n"), down.join("\n"), gone.join("\n"))
        }
        _ => return None,
    };
    Some(sql)
}

/// The columns of a table that keeps the rows of another.
fn columns(table: &Table, catalog: &Catalog, called: &dyn Fn(&str) -> String) -> Option<String> {
    let stored = table.columns.iter().filter(|c| c.def.generated.is_none());
    let each: Option<Vec<String>> =
        stored.map(|c| (!c.assumed).then(|| format!("{} {}", called(&c.def.name), column_type(&c.def.ty, catalog.engine)).trim_end().to_owned())).collect();
    each.filter(|columns| !columns.is_empty()).map(|columns| columns.join(", "))
}
