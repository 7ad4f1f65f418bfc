//! The way back as SQL. In: what stood before, and the catalog as it is now. Out: the statements that lead back, in an order that
//! the database takes; or why nobody can know them.
//!
//! The statements are computed from the two states and not from the statements between them: what was made and dropped again
//! needs none. Whether they do lead back is for the judgement to prove.

mod attribute;
mod define;
mod names;
mod object;
mod rebuild;
mod table;

use super::catalog::{Catalog, Entry, Journal, Key, Object, Table};
use crate::engine::Engine;
use crate::parse::Statement;
use crate::parse::action::{Class, Name, Rule};
pub(crate) use define::ty as column_type;
use names::Names;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// Why there is no way back that is known exactly, in a few words: `the values of users.email are gone with UP`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown(pub String);

fn unknown<T>(why: impl Into<String>) -> Result<T, Unknown> {
    Err(Unknown(why.into()))
}

/// What is done when. What uses a thing goes before it, and comes back after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    TakeAttributes,
    DropUsers,
    DropKeys,
    DropTables,
    DeleteRows,
    DropIndexes,
    DropConstraints,
    AlterColumns,
    DropColumns,
    DropThings,
    Rename,
    CreateThings,
    AlterColumnsToThings,
    AddColumns,
    AddConstraints,
    CreateIndexes,
    AddKeys,
    CreateUsers,
    GiveAttributes,
}

/// The statements that turn `now` back into what `before` found. `up` is where names are looked for as they were written.
///
/// # Errors
/// [`Unknown`], where data is gone, a definition is not known, or the engine has no statement for it.
pub fn inverse(before: &Journal, now: &Catalog, up: &[Statement]) -> Result<Vec<String>, Unknown> {
    let mut inverse = Inverse::new(before, now, up)?;
    inverse.objects()?;
    inverse.tables()?;
    inverse.attributes()?;
    // Stable, so that within a step and a place the order of finding holds.
    inverse.steps.sort_by_key(|(step, place, _)| (*step, *place));
    Ok(inverse.steps.into_iter().map(|(_, _, sql)| sql).collect())
}

/// What gives a folded name as SQL: as `statement` writes it where it names it.
pub fn namer<'a>(now: &'a Catalog, statement: &Statement) -> impl Fn(&str) -> String + 'a {
    let names = Names::new(now, std::slice::from_ref(statement));
    move |name| names.name(name)
}

/// Two states of one table.
struct Pair<'a> {
    old: &'a Table,
    new: &'a Table,
}

struct Inverse<'a> {
    before: &'a Journal,
    now: &'a Catalog,
    engine: Engine,
    names: Names<'a>,
    pairs: Vec<Pair<'a>>,
    /// Tables that must go.
    left: Vec<&'a Table>,
    /// What tables (`people`) and columns (`people.mail`) that bear another name now were called before.
    renamed: HashMap<String, String>,
    /// Names of objects that come back, for columns whose type or default they are.
    restored: HashSet<String>,
    /// A change of a table at hand that SQLite's ALTER TABLE cannot take back.
    needs_rebuild: bool,
    /// Step, place within it, statement.
    steps: Vec<(Step, i64, String)>,
}

/// Keys in their order, so that equal migrations give equal statements.
fn in_order(journal: &Journal) -> Vec<(&Key, Option<&Entry>)> {
    let mut found: Vec<_> = journal.iter().map(|(key, entry)| (key, entry.as_ref())).collect();
    found.sort_unstable_by_key(|(key, _)| *key);
    found
}

impl<'a> Inverse<'a> {
    fn new(before: &'a Journal, now: &'a Catalog, up: &[Statement]) -> Result<Self, Unknown> {
        let names = Names::new(now, up);
        let mut inverse = Inverse {
            before,
            now,
            engine: now.engine,
            names,
            pairs: Vec::new(),
            left: Vec::new(),
            renamed: HashMap::new(),
            restored: HashSet::new(),
            needs_rebuild: false,
            steps: Vec::new(),
        };
        inverse.pair()?;
        Ok(inverse)
    }

    fn step(&mut self, step: Step, place: i64, sql: String) {
        self.steps.push((step, place, sql));
    }

    /// Finds each old table again: under its name, or by the number that it was made under or that its rows have.
    fn pair(&mut self) -> Result<(), Unknown> {
        let (mut wanted, mut found): (Vec<&'a Table>, Vec<&'a Table>) = Default::default();
        for (key, old) in in_order(self.before) {
            let Key::Table(name) = key else { continue };
            let old: Option<&'a Table> = if let Some(Entry::Table(old)) = old { Some(old) } else { None };
            let new: Option<&'a Table> = self.now.table(name).map(|t| &**t);
            match (old, new) {
                (Some(old), Some(new)) if old.made == new.made || old.rows == new.rows => self.pairs.push(Pair { old, new }),
                (old, new) => {
                    wanted.extend(old);
                    found.extend(new);
                }
            }
        }
        for old in wanted {
            let Some(at) = found.iter().position(|new| new.made == old.made).or_else(|| found.iter().position(|new| new.rows == old.rows)) else {
                return unknown(format!("the rows of {} are gone with UP", old.name));
            };
            let new = found.swap_remove(at);
            self.renamed.insert(new.name.clone(), old.name.clone());
            self.pairs.push(Pair { old, new });
        }
        self.left = found;
        Ok(())
    }

    fn tables(&mut self) -> Result<(), Unknown> {
        self.drop_tables();
        self.rename_tables()?;
        for Pair { old, new } in std::mem::take(&mut self.pairs) {
            if *old != *new {
                self.alter_table(old, new)?;
            }
        }
        Ok(())
    }

    /// Tables go newest first, but never one at which a foreign key of another points that is still there.
    fn drop_tables(&mut self) {
        let points = |from: &Table, to: &Table| {
            from.name != to.name && from.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::ForeignKey { target, .. }) if *target == to.name))
        };
        let mut left = self.left.clone();
        left.sort_by_key(|table| std::cmp::Reverse(table.made));
        let mut place = i64::MIN;
        while !left.is_empty() {
            let free = left.iter().position(|table| !left.iter().any(|other| points(other, table)));
            let table = left.remove(free.unwrap_or(0));
            if free.is_none() && self.engine != Engine::Sqlite {
                // They point at each other: one must let go first.
                for other in left.iter().filter(|other| points(other, table)) {
                    for key in other.constraints.iter().filter(|c| matches!(&c.rule, Some(Rule::ForeignKey { target, .. }) if *target == table.name)) {
                        let sql = self.drop_constraint_sql(&other.name, key);
                        self.steps.push((Step::DropKeys, 0, sql));
                    }
                }
            }
            // A table that another's key held back goes right behind it.
            place = place.max(-(table.made as i64));
            let foreign = if table.options.split(' ').any(|word| word == "foreign") { "FOREIGN " } else { "" };
            let sql = format!("DROP {foreign}TABLE {}", self.names.name(&table.name));
            self.step(Step::DropTables, place, sql);
        }
    }

    /// A name is taken back once it is free.
    fn rename_tables(&mut self) -> Result<(), Unknown> {
        let mut todo: Vec<(Name, Name)> = self.pairs.iter().filter(|p| p.old.name != p.new.name).map(|p| (p.new.name.clone(), p.old.name.clone())).collect();
        while !todo.is_empty() {
            let Some(at) = todo.iter().position(|(_, to)| !todo.iter().any(|(from, _)| from == to)) else {
                return unknown("tables swap their names");
            };
            let (from, to) = todo.remove(at);
            let schema = |name: &str| name.rsplit_once('.').map(|(schema, _)| schema.to_owned());
            if schema(&from) != schema(&to) {
                return unknown(format!("{to} moves to another schema"));
            }
            let new = if self.engine == Engine::Postgres { self.names.part(to.rsplit('.').next().unwrap_or(&to)) } else { self.names.name(&to) };
            let sql = format!("ALTER TABLE {} RENAME TO {new}", self.names.name(&from));
            self.step(Step::Rename, 0, sql);
        }
        Ok(())
    }

    /// The name that a table had before, by its name now.
    fn old_name<'n>(&'n self, new: &'n str) -> &'n str {
        self.renamed.get(new).map_or(new, String::as_str)
    }

    /// Whether `object` goes with a table that goes.
    fn goes_along(&self, object: &str) -> bool {
        let of = |table: &&Table| object == table.name || object.strip_prefix(table.name.as_str()).is_some_and(|rest| rest.starts_with('.'));
        self.left.iter().any(|table| of(table) || object.split_once(" on ").is_some_and(|(_, on)| on == table.name))
    }

    fn object_now(&self, key: &Key) -> Option<&'a Rc<Object>> {
        match self.now.get(key) {
            Some(Entry::Object(object)) => Some(object),
            _ => None,
        }
    }

    /// Whether it is used by nothing but people and applications, so that it goes first and comes back last.
    fn is_user(class: Class) -> bool {
        matches!(class, Class::View | Class::MaterializedView | Class::Trigger | Class::Policy | Class::Rule | Class::Event)
    }
}
