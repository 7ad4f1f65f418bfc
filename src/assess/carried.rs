//! Values that UP carried to another place before it wrote over or dropped them, and that DOWN carries back. In: what UP and
//! DOWN did. Out: the numbers of the values for which DOWN does so by an expression or a join, which may not bring back each one.

use super::round_trip::Ran;
use super::statement::Done;
use crate::parse::action::{Name, Op};
use crate::schema::catalog::{Entry, Journal, Key, Origin};
use foldhash::HashSet;

fn mentions(done: &Done<'_>, name: &str) -> bool {
    done.statement.says(name.rsplit('.').next().unwrap_or(name))
}

/// The table that a statement of UP carries values into, where UP made the place.
fn place<'a>(done: &'a Done<'_>) -> Option<&'a Name> {
    match &done.action.op {
        Op::Insert { table, .. } | Op::Update { table, .. } if done.effect.own => Some(table),
        Op::CreateTable(create) if create.of_query => Some(&create.name),
        _ => None,
    }
}

/// The columns of which a statement of UP destroys the values, with their table.
fn destroyed<'a>(done: &'a Done<'_>) -> Vec<(&'a Name, &'a Name)> {
    match &done.action.op {
        Op::DropColumn { table, column, .. } => vec![(table, column)],
        Op::Update { table, set, .. } => set.iter().map(|(column, _)| (table, column)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a statement of DOWN writes `column` of `table` with the help of `place`.
fn writes_back(done: &Done<'_>, table: &Name, column: &Name, place: &Name) -> bool {
    match &done.action.op {
        Op::Update { table: written, set, .. } => written == table && set.iter().any(|(c, _)| c == column) && mentions(done, place),
        _ => false,
    }
}

/// Numbers of values that stood before UP, and that DOWN writes back from where UP had carried them.
pub(super) fn back(up: &Ran<'_>, down: &Ran<'_>, before: &Journal) -> HashSet<Origin> {
    let mut found = HashSet::default();
    for (at, done) in up.done.iter().enumerate().filter(|(_, d)| !d.effect.destroyed.is_empty()) {
        for (table, column) in destroyed(done) {
            let Some(Some(Entry::Table(was))) = before.get(&Key::Table(table.clone())) else { continue };
            let Some(values) = was.column(column).map(|c| c.values) else { continue };
            let carried = up.done[..at].iter().filter(|d| mentions(d, column)).filter_map(place);
            if carried.into_iter().any(|place| down.done.iter().any(|d| writes_back(d, table, column, place))) {
                found.insert(values);
            }
        }
    }
    found
}
