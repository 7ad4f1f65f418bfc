//! What a catalog holds: keys, and under them tables, objects, attributes and what leans on what. Values only.

use crate::parse::action::{Class, Column, Constraint, Index, NOT_ENFORCED, Name, Rule, Value};
use std::rc::Rc;

/// The number of a set of values or rows.
pub type Origin = u64;

/// What an entry is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A table by name.
    Table(Name),
    /// Another object; the second name is the table it hangs on, where names are unique within a table only.
    Object(Class, Name, Option<Name>),
    /// An attribute of an object.
    Attribute(String, String),
    /// The table that an index stands on, where index names are unique in their schema.
    IndexTable(Name),
    /// Something leans on a table.
    Leans(Name, Leaning),
}

impl Key {
    /// The name of what stands there.
    pub(crate) fn name(&self) -> &str {
        match self {
            Key::Table(name) | Key::Object(_, name, _) | Key::Attribute(name, _) | Key::IndexTable(name) | Key::Leans(name, _) => name,
        }
    }
}

/// The last part of a name, without schema, table or arguments.
pub(super) fn bare(name: &str) -> &str {
    let name = name.split('(').next().unwrap_or(name);
    name.rsplit('.').next().unwrap_or(name)
}

/// What stands under a key. All is `Eq`, so that an entry that is shared is not compared word by word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A table.
    Table(Rc<Table>),
    /// Another object.
    Object(Rc<Object>),
    /// An attribute's value, or a table's name.
    Text(Rc<str>),
    /// It does.
    Leans,
}

/// Something that leans on a table.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Leaning {
    /// A table whose foreign key points at it.
    Table(Name),
    /// Something that uses it, and is in the way when it goes: a view over a table, a trigger that calls a function, a role's right.
    User(Box<Key>),
    /// An object that hangs on it and goes with it: a trigger, a policy, a rule, an index of a materialized view.
    Part(Class, Name),
    /// An attribute that was set on it.
    Attribute(String),
}

/// An object that is held as its definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Even text; `None` where the object is known to exist and no more.
    pub definition: Option<String>,
    /// The number of the migration-wide clock when it was made.
    pub made: Origin,
}

/// A column and whose values it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldColumn {
    /// Its definition.
    pub def: Rc<Column>,
    /// Only its name is known: some statement spoke of it.
    pub assumed: bool,
    /// Whose values it holds.
    pub values: Origin,
}

/// A constraint under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldConstraint {
    /// Its name, written or made as the engine makes it.
    pub name: Name,
    /// The name was made by the engine.
    pub generated: bool,
    /// What it demands; `None` where it is known to exist and no more.
    pub rule: Option<Rule>,
    /// Rows that stood were not looked at.
    pub not_valid: bool,
    /// How it is held, where that is not the default, as [`Constraint::mode`].
    pub mode: String,
}

impl HeldConstraint {
    /// Whether rows that break it are refused.
    pub fn is_enforced(&self) -> bool {
        !self.mode.contains(NOT_ENFORCED)
    }
}

/// An index under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldIndex {
    /// Its name, written or made as the engine makes it.
    pub name: Name,
    /// The name was made by the engine; on MySQL and MariaDB also: the index was made for a foreign key.
    pub generated: bool,
    /// Made for a foreign key, and gone as soon as another index serves it.
    pub for_key: bool,
    /// Its definition; `None` where it is known to exist and no more.
    pub def: Option<Index>,
}

/// Rows that this migration brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brought {
    /// When.
    pub origin: Origin,
    /// Their columns, empty where the statement named none.
    pub columns: Vec<Name>,
    /// The values, where written out.
    pub rows: Option<Vec<Vec<Value>>>,
    /// Rows with the same key may have stood before.
    pub perhaps: bool,
}

/// A table. Each state of it is copied when it changes, so the parts are shared between the states that hold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// When it was made; renaming does not change it.
    pub made: Origin,
    /// Every column of it is known.
    pub known: bool,
    /// Its columns in order.
    pub columns: Vec<HeldColumn>,
    /// Its constraints.
    pub constraints: Vec<Rc<HeldConstraint>>,
    /// Its indexes, but for those that PostgreSQL and SQLite make for a key.
    pub indexes: Vec<Rc<HeldIndex>>,
    /// Storage, engine, partitioning.
    pub options: String,
    /// Whose rows it holds.
    pub rows: Origin,
    /// Nothing was written to it since it was made or emptied.
    pub empty: bool,
    /// What this migration brought.
    pub brought: Vec<Brought>,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&HeldColumn> {
        self.columns.iter().find(|c| c.def.name == name)
    }

    /// The column that is called like `other`, which stands at `place` in another state of this table and mostly here too.
    pub fn column_like(&self, place: usize, other: &HeldColumn) -> Option<&HeldColumn> {
        // A definition that both states share has one name: nothing is to be compared.
        self.columns.get(place).filter(|own| Rc::ptr_eq(&own.def, &other.def)).or_else(|| self.column(&other.def.name))
    }

    /// The primary key's columns.
    pub fn primary_key(&self) -> Option<&[Name]> {
        self.constraints.iter().find_map(|c| match &c.rule {
            Some(Rule::PrimaryKey(columns)) => Some(columns.as_slice()),
            _ => None,
        })
    }

    /// Whether no two rows can hold the same value in `column`.
    pub fn unique_by(&self, column: &str) -> bool {
        let alone = |columns: &[Name]| columns.len() == 1 && columns[0] == column;
        self.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::PrimaryKey(columns) | Rule::Unique(columns)) if alone(columns)))
            || self.indexes.iter().any(|i| i.def.as_ref().is_some_and(|d| d.unique && alone(&d.columns) && d.rest.is_empty()))
    }
}

/// A constraint as it is held.
pub(crate) fn held(constraint: &Constraint, name: Name) -> Rc<HeldConstraint> {
    let Constraint { name: written, rule, not_valid, mode, using_index: _ } = constraint.clone();
    Rc::new(HeldConstraint { generated: written.is_none(), name, rule: Some(rule), not_valid, mode })
}
