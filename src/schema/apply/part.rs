//! What hangs on a table, a column or another object: triggers, policies, owned sequences, comments. It goes and moves with it.

use super::object::called_by;
use crate::engine::Engine;
use crate::parse::action::{Class, Name};
use crate::schema::catalog::{Catalog, Entry, Key, Leaning, Object, Table};
use crate::schema::naming::{self, first_path};
use std::rc::Rc;

/// The column that an even text says a sequence belongs to.
fn owner(text: &str) -> Option<Name> {
    let (_, rest) = text.split_once("owned by ")?;
    let column = rest.split(' ').next()?.replace('"', "");
    let column = column.strip_prefix("public.").unwrap_or(&column);
    (column != "none").then(|| column.to_owned())
}

/// The table of a trigger, where only its definition says it (`… after insert on users for each row …`).
fn trigger_table(definition: &str, engine: Engine) -> Option<Name> {
    let (_, rest) = definition.split_once(" on ").or_else(|| definition.split_once(" on\"")).or_else(|| definition.split_once(" on`"))?;
    let at = definition.len() - rest.len();
    // The quote that ended the search belongs to the name.
    first_path(if definition[..at].ends_with(['"', '`']) { &definition[at - 1..] } else { rest }, engine)
}

/// What an object of `class` hangs on.
pub(crate) fn whole_of(class: Class, on: Option<&Name>, definition: &str, engine: Engine) -> Option<Name> {
    match class {
        _ if on.is_some() => on.cloned(),
        Class::Trigger => trigger_table(definition, engine),
        Class::Sequence => owner(definition),
        Class::Other if definition.starts_with("create statistics ") => first_path(definition.rsplit_once("from ")?.1, engine),
        _ => None,
    }
}

/// Every class of objects.
pub(super) const CLASSES: [Class; 14] = [
    Class::View,
    Class::MaterializedView,
    Class::Type,
    Class::Domain,
    Class::Sequence,
    Class::Routine,
    Class::Trigger,
    Class::Schema,
    Class::Extension,
    Class::Policy,
    Class::Role,
    Class::Event,
    Class::Rule,
    Class::Other,
];

/// The attribute of a table that names a partition of it, and holds its bounds.
pub(in crate::schema) const PARTITION: &str = "partition ";

/// How the definition of a publication begins.
pub(super) const PUBLICATION: &str = "create publication ";

/// What a publication of every table hangs on.
pub(super) const ALL_TABLES: &str = "all tables";

/// What the objects of ALTER DEFAULT PRIVILEGES begin with, and what all of them lean on.
pub(super) const DEFAULT_RIGHTS: &str = "default privileges";

impl Catalog {
    /// `owner` goes, and all that hangs on it.
    pub(super) fn drop_hanging(&mut self, owner: &str) {
        for part in self.leaning(owner).iter() {
            match part {
                Leaning::Part(class, name) => self.drop_part(owner, *class, name),
                Leaning::Attribute(attribute) => {
                    self.set(Key::Attribute(owner.to_owned(), attribute.clone()), None);
                    self.lean(owner, part.clone(), false);
                }
                Leaning::Table(_) | Leaning::User(_) => {}
            }
        }
    }

    /// The part `name` of `owner` goes.
    pub(super) fn drop_part(&mut self, owner: &str, class: Class, name: &str) {
        self.lean(owner, Leaning::Part(class, name.to_owned()), false);
        let key = Key::Object(class, name.to_owned(), None);
        // A publication stays, and no longer speaks of the table.
        if let Some(Entry::Object(object)) = self.get(&key)
            && let Some(definition) = object.definition.as_ref().filter(|d| d.starts_with(PUBLICATION))
        {
            let object = Object { definition: Some(format!("{definition} without {owner}")), made: object.made };
            self.set(key, Some(Entry::Object(Rc::new(object))));
            return;
        }
        for key in [Key::Object(class, name.to_owned(), None), Key::Object(class, name.to_owned(), Some(owner.to_owned()))] {
            let function = match self.get(&key) {
                Some(Entry::Object(object)) => object.definition.as_deref().and_then(|d| called_by(class, d)),
                _ => None,
            };
            if let Some(function) = function {
                self.lean(&function, Leaning::User(Box::new(key)), false);
            }
        }
        for key in [Key::Object(class, name.to_owned(), None), Key::Object(class, name.to_owned(), Some(owner.to_owned())), Key::IndexTable(name.to_owned())] {
            if self.get(&key).is_some() {
                self.set(key, None);
            }
        }
        self.drop_hanging(name);
        self.drop_hanging(&format!("{owner}.{name}"));
    }

    /// A whole table goes: what hangs on it, its columns, its constraints and its indexes.
    pub(super) fn drop_hanging_on_table(&mut self, table: &Table) {
        self.drop_hanging(&table.name);
        for column in &table.columns {
            self.drop_hanging(&format!("{}.{}", table.name, column.def.name));
        }
        for constraint in &table.constraints {
            self.drop_hanging(&format!("{} on {}", constraint.name, table.name));
        }
        // Elsewhere an index has its name within its table alone.
        if !self.engine.is_mysql_like() {
            for index in &table.indexes {
                self.drop_hanging(&index.name);
            }
        }
    }

    /// `from` is called `to`, and all that hangs on it with it.
    pub(super) fn move_hanging(&mut self, from: &str, to: &str) {
        for part in self.leaning(from).iter() {
            match part {
                Leaning::Part(class, name) => {
                    let key = Key::Object(*class, name.clone(), Some(from.to_owned()));
                    if let Some(entry) = self.get(&key).cloned() {
                        self.set(key, None);
                        self.set(Key::Object(*class, name.clone(), Some(to.to_owned())), Some(entry));
                    }
                }
                Leaning::Attribute(attribute) => {
                    let entry = self.get(&Key::Attribute(from.to_owned(), attribute.clone())).cloned();
                    self.set(Key::Attribute(from.to_owned(), attribute.clone()), None);
                    self.set(Key::Attribute(to.to_owned(), attribute.clone()), entry);
                }
                Leaning::Table(_) | Leaning::User(_) => continue,
            }
            self.lean(from, part.clone(), false);
            self.lean(to, part.clone(), true);
        }
    }

    /// PostgreSQL makes a sequence for a column that hands out values, and drops it with the column.
    pub(super) fn make_sequence(&mut self, table: &str, column: &str) {
        let name = naming::sequence(table, column);
        let owner = format!("{table}.{column}");
        let made = self.fresh();
        let object = Object { definition: Some("made for a column".into()), made };
        self.set(Key::Object(Class::Sequence, name.clone(), None), Some(Entry::Object(Rc::new(object))));
        self.lean(&owner, Leaning::Part(Class::Sequence, name), true);
    }

    /// PostgreSQL gives a new object the rights that ALTER DEFAULT PRIVILEGES named before, and keeps them with it.
    pub(super) fn give_default_rights(&mut self, name: &str, sort: &str) {
        let schema = name.rsplit_once('.').map_or("public", |(schema, _)| schema);
        let rights: Vec<String> = self
            .leaning(DEFAULT_RIGHTS)
            .iter()
            .filter_map(|who| match who {
                Leaning::User(key) => match &**key {
                    Key::Attribute(object, right) if object.rsplit_once("in schema ").is_none_or(|(_, only)| only == schema) => Some(right.clone()),
                    _ => None,
                },
                _ => None,
            })
            .filter(|right| right.contains(&format!(" on {sort} to ")))
            .collect();
        if !rights.is_empty() {
            let key = Key::Attribute(name.to_owned(), "default rights".to_owned());
            self.lean(name, Leaning::Attribute("default rights".to_owned()), true);
            self.set(key, Some(Entry::Text(rights.join(", ").into())));
        }
    }
}
