//! What became of each table of the copy, by the statements of UP alone. In: UP, the tables before it. Out: names now, what was taken, what may have
//! been deleted or written over, foreign keys included.

use super::{Column, Table, same};
use crate::parse::Statement;
use crate::parse::action::{Action, CreateTable, OnConflict, Op, Rows};

/// What became of a table of the copy, by the statements of UP.
pub(super) struct Fate<'a> {
    pub(super) before: &'a Table,
    /// Its name now; `None` once it was dropped and nothing took its name.
    pub(super) now: Option<String>,
    /// Its columns that go by another name now.
    pub(super) renamed: Vec<(String, String)>,
    /// Its columns that UP took away; nobody can say which where a query made the table anew.
    pub(super) gone: Option<Vec<String>>,
    /// Rows or values of it may have been changed: it was built anew, or written to.
    pub(super) rewritten: bool,
    /// Rows of it may have been deleted.
    pub(super) thinned: bool,
    /// They were, by a statement or by a foreign key.
    pub(super) deleted: bool,
    /// A column of its key was written over, so that no key leads from an old row to a new one.
    pub(super) rekeyed: bool,
}

impl Fate<'_> {
    /// The name before of a column.
    fn before(&self, column: &str) -> String {
        self.renamed.iter().find(|(_, now)| same(now, column)).map_or(column, |(before, _)| before).to_owned()
    }

    /// Values of the column were written over; the name is that of before.
    fn written(&mut self, column: &str) {
        self.rewritten = true;
        self.rekeyed |= self.before.columns.iter().any(|one| one.key > 0 && same(&one.name, column));
    }

    /// Whether `rows` for the columns `names` are copied from it, each under its old key.
    fn keeps_keys(&self, names: &[&String], rows: &Rows) -> bool {
        let Rows::Copied { from, values, .. } = rows else { return false };
        let copied = |key: &Column| {
            let now = self.renamed.iter().find(|(before, _)| same(before, &key.name)).map_or(&key.name, |(_, now)| now);
            names.iter().zip(values).any(|(name, value)| same(name, now) && value.read().is_some_and(|read| same(read, now)))
        };
        self.now.as_deref().is_some_and(|now| same(now, from)) && self.before.columns.iter().filter(|column| column.key > 0).all(copied)
    }

    /// What UP `made` stands in its place, under its `name`.
    fn anew(&mut self, name: &str, made: Option<&CreateTable>) {
        (self.now, self.rewritten, self.thinned) = (Some(name.to_owned()), true, true);
        self.gone = made.filter(|made| !made.of_query).map(|made| {
            let columns = self.before.columns.iter().map(|column| &column.name);
            columns.filter(|name| !made.columns.iter().any(|made| same(&made.name, name))).cloned().collect()
        });
    }

    /// Whether UP took the column away, by its name before.
    pub(super) fn took(&self, column: &str) -> bool {
        self.gone.as_ref().is_none_or(|gone| gone.iter().any(|name| same(name, column)))
    }
}

/// Follows the tables through UP by name.
pub(super) fn fates<'a>(up: &[Statement], before: &'a [Table]) -> Vec<Fate<'a>> {
    let start = |table: &'a Table| Fate {
        before: table,
        now: Some(table.name.clone()),
        renamed: Vec::new(),
        gone: Some(Vec::new()),
        rewritten: false,
        thinned: false,
        deleted: false,
        rekeyed: false,
    };
    let mut fates: Vec<Fate<'a>> = before.iter().map(start).collect();
    let mut made: Vec<&CreateTable> = Vec::new();
    // Tables that UP made and filled, but not by the old keys.
    let mut rekeyed: Vec<&str> = Vec::new();
    for op in up.iter().flat_map(|statement| &statement.actions).map(|action| &action.op) {
        let stands = |fate: &&mut Fate<'a>, name: &str| fate.now.as_deref().is_some_and(|now| same(now, name));
        match op {
            Op::DropTable { name, .. } => fates.iter_mut().filter(|fate| stands(fate, name)).for_each(|fate| fate.now = None),
            Op::RenameTable { from, to } => match fates.iter().position(|fate| fate.now.as_deref().is_some_and(|now| same(now, from))) {
                Some(at) => fates[at].now = Some(to.clone()),
                // A table that UP made takes the place of one that it dropped: a rebuild.
                None => fates.iter_mut().filter(|fate| fate.now.is_none() && same(&fate.before.name, to)).for_each(|fate| {
                    fate.anew(to, made.iter().rev().find(|made| same(&made.name, from)).copied());
                    fate.rekeyed |= rekeyed.iter().any(|table| same(table, from));
                }),
            },
            // A table of that name that is made anew holds none of the old rows by itself.
            Op::CreateTable(table) => {
                made.push(table);
                fates.iter_mut().filter(|fate| fate.now.is_none() && same(&fate.before.name, &table.name)).for_each(|fate| fate.anew(&table.name, Some(table)));
            }
            Op::DropColumn { table, column, .. } => fates.iter_mut().filter(|fate| stands(fate, table)).for_each(|fate| {
                let before = fate.before(column);
                fate.gone.iter_mut().for_each(|gone| gone.push(before.clone()));
            }),
            Op::RenameColumn { table, from, to } => {
                for fate in fates.iter_mut().filter(|fate| stands(fate, table)) {
                    match fate.renamed.iter_mut().find(|(_, now)| same(now, from)) {
                        Some((_, now)) => now.clone_from(to),
                        None => fate.renamed.push((from.clone(), to.clone())),
                    }
                }
            }
            Op::Update { table, set, .. } => fates.iter_mut().filter(|fate| stands(fate, table)).for_each(|fate| {
                fate.rewritten = true;
                for (column, _) in set {
                    let before = fate.before(column);
                    fate.written(&before);
                }
            }),
            Op::Insert { table, columns, rows, .. } if made.iter().any(|made| same(&made.name, table)) => {
                let of = made.iter().rev().find(|made| same(&made.name, table));
                let names: Vec<&String> =
                    if columns.is_empty() { of.iter().flat_map(|made| &made.columns).map(|c| &c.name).collect() } else { columns.iter().collect() };
                if !fates.iter().any(|fate| fate.keeps_keys(&names, rows)) {
                    rekeyed.push(table);
                }
                fates.iter_mut().filter(|fate| stands(fate, table)).for_each(|fate| (fate.rewritten, fate.thinned) = (true, true));
            }
            Op::Insert { table, .. } | Op::Delete { table, .. } | Op::Truncate { table, .. } => {
                let deleted = !matches!(op, Op::Insert { conflict: OnConflict::Fail | OnConflict::Ignore | OnConflict::Update, .. });
                fates.iter_mut().filter(|fate| stands(fate, table)).for_each(|fate| {
                    (fate.rewritten, fate.thinned, fate.deleted) = (true, true, fate.deleted || deleted);
                });
            }
            _ => {}
        }
    }
    let unchecked = |action: &&Action| action.op == Op::DisableChecks && action.object == "foreign_keys";
    if up.iter().flat_map(|statement| &statement.actions).find(unchecked).is_none() {
        go_along(&mut fates);
    }
    fates
}

/// Rows that foreign keys may have taken with those of another table, or changed.
fn go_along(fates: &mut [Fate<'_>]) {
    loop {
        // The rows of a table that is dropped are deleted first. One that is built anew lets nothing go along, or `up` refuses it.
        let of = |fate: &Fate<'_>| (fate.before.name.clone(), fate.deleted || fate.now.is_none(), fate.rekeyed);
        let parents: Vec<(String, bool, bool)> = fates.iter().map(of).collect();
        let mut more = false;
        for fate in fates.iter_mut().filter(|fate| fate.now.is_some()) {
            let was = (fate.deleted, fate.rewritten, fate.rekeyed);
            for key in &fate.before.follows {
                let Some((_, deleted, rekeyed)) = parents.iter().find(|(name, ..)| same(name, &key.table)) else { continue };
                match (key.on_update, key.deleted) {
                    (true, _) if *rekeyed => fate.written(&key.column),
                    (false, true) if *deleted => (fate.deleted, fate.thinned, fate.rewritten) = (true, true, true),
                    (false, false) if *deleted => fate.written(&key.column),
                    _ => {}
                }
            }
            more |= was != (fate.deleted, fate.rewritten, fate.rekeyed);
        }
        if !more {
            return;
        }
    }
}
