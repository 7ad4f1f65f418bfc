//! What hangs on a table, a column or another object: triggers, policies, owned sequences, comments. It goes and moves with it.

use super::object::called_by;
use super::{Applied, Effect, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Class, Name};
use crate::parse::even;
use crate::schema::catalog::{Catalog, Entry, Key, Leaning, Object, Table};
use crate::schema::naming::{self, first_path, words};
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
pub(super) fn whole_of(class: Class, on: Option<&Name>, definition: &str, engine: Engine) -> Option<Name> {
    match class {
        _ if on.is_some() => on.cloned(),
        Class::Trigger => trigger_table(definition, engine),
        Class::Sequence => owner(definition),
        Class::Other if definition.starts_with("create statistics ") => first_path(definition.rsplit_once("from ")?.1, engine),
        _ => None,
    }
}

/// What holds where nothing was said, so that saying it is saying nothing (PostgreSQL and MariaDB manuals, CREATE SEQUENCE;
/// MySQL manual, ALTER TABLE; SQLite manual, "Pragma statements": `user_version` and `application_id` are 0 in a new file).
const DEFAULTS: &[(&str, &str)] = &[
    ("increment", "1"),
    ("statistics", "-1"),
    ("visibility", "visible"),
    ("visibility", "not ignored"),
    ("enforcement", "enforced"),
    ("pragma", "0"),
    ("replica identity", "default"),
];

/// Every class of objects.
const CLASSES: [Class; 14] = [
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
pub(super) const PARTITION: &str = "partition ";

/// How the definition of a publication begins.
pub(super) const PUBLICATION: &str = "create publication ";

/// What a publication of every table hangs on.
pub(super) const ALL_TABLES: &str = "all tables";

/// What the objects of ALTER DEFAULT PRIVILEGES begin with, and what all of them lean on.
const DEFAULT_RIGHTS: &str = "default privileges";

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

    /// A whole table goes: what hangs on it, its columns and its constraints.
    pub(super) fn drop_hanging_on_table(&mut self, table: &Table) {
        self.drop_hanging(&table.name);
        for column in &table.columns {
            self.drop_hanging(&format!("{}.{}", table.name, column.def.name));
        }
        for constraint in &table.constraints {
            self.drop_hanging(&format!("{} on {}", constraint.name, table.name));
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

    /// The value of an attribute that the statement which made `object` gave it, or that the engine gives where none is said.
    fn initial(&self, object: &str, attribute: &str) -> Option<String> {
        let text = match self.table(object) {
            Some(table) => table.options.clone(),
            None => self.definition_of(object).unwrap_or_default(),
        };
        if attribute.starts_with("constraint ") {
            let (_, rest) = text.split_once(&format!("{attribute} "))?;
            return rest.split(" constraint ").next()?.split(" default ").next().map(str::to_owned);
        }
        let padded = format!(" {text}").replace(['(', ')', ',', '='], " ");
        let (_, rest) = padded.split_once(&format!(" {attribute} "))?;
        let rest = rest.trim_start().trim_start_matches("by ").trim_start_matches("with ");
        let written = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split('\'').next(),
            None => rest.split(' ').next(),
        };
        written.filter(|w| !w.is_empty() && !DEFAULTS.contains(&(attribute, w))).map(str::to_owned)
    }

    pub(super) fn set_attribute(&mut self, object: &str, attribute: &str, value: Option<&str>) -> Applied {
        let object = &self.signature(object);
        let (attribute, if_exists) = attribute.strip_prefix("if exists ").map_or((attribute, false), |rest| (rest, true));
        if self.judging_down && self.is_gone(object) {
            return Err(Refusal::new(format!("{object} does not exist")));
        }
        let key = Key::Attribute(object.to_owned(), attribute.to_owned());
        if let Some(part) = attribute.strip_prefix(PARTITION).filter(|_| self.engine == Engine::Postgres) {
            if value.is_none() && self.judging_down && self.get(&key).is_none() && self.touched(&key) {
                return Err(Refusal::new(format!("{part} is no partition of {object}")));
            }
            if value.is_some() && self.judging_down && self.get(&key).is_some() {
                return Err(Refusal::new(format!("{part} is a partition of {object} already")));
            }
            self.lean(part, Leaning::User(Box::new(key.clone())), value.is_some());
        }
        if object.starts_with(DEFAULT_RIGHTS) {
            self.lean(DEFAULT_RIGHTS, Leaning::User(Box::new(key.clone())), value.is_some());
        }
        if !self.touched(&key)
            && self.get(&key).is_none()
            && let Some(initial) = self.initial(object, attribute)
        {
            self.assume_attribute(&key, initial);
        }
        if value.is_none() && !if_exists && self.judging_down && self.get(&key).is_none() && self.definition_lacks(object, attribute) {
            return Err(Refusal::new(format!("{attribute} of {object} does not exist")));
        }
        let known = self.get(&key).is_some() || self.knows(object) || self.table(object.split('.').next().unwrap_or(object)).is_some_and(|t| t.known);
        let value = value.map(even::text).filter(|value| !DEFAULTS.contains(&(attribute, value)));
        // Everybody may call a routine until somebody says no (PostgreSQL manual, "Privileges").
        let value = match (attribute, value) {
            ("grant execute to public", None) => Some("revoked".to_owned()),
            ("grant execute to public", Some(_)) => None,
            (_, value) => value,
        };
        // What the definition names, and is gone.
        let value = match value {
            None if attribute.starts_with("attribute ") && self.get(&key).is_none() && self.definition_of(object).is_some() => Some("dropped".to_owned()),
            value => value,
        };
        if attribute == "owned by" {
            if let Some(Entry::Text(old)) = self.get(&key).cloned() {
                self.lean(&old, Leaning::Part(Class::Sequence, object.to_owned()), false);
            }
            if let Some(new) = &value {
                self.lean(new, Leaning::Part(Class::Sequence, object.to_owned()), true);
            }
        }
        if let Some((_, role)) = attribute.rsplit_once(" to ").filter(|_| attribute.starts_with("grant ")) {
            self.lean(role, Leaning::User(Box::new(key.clone())), value.is_some());
        }
        let entry = value.map(|v| Entry::Text(v.into()));
        if self.get(&key) != entry.as_ref() {
            self.lean(object, Leaning::Attribute(attribute.to_owned()), entry.is_some());
            self.set(key, entry);
        }
        Ok(Effect { blind: !known, ..Effect::default() })
    }

    /// Whether the object's definition is known, and has no such rule (of a domain) or attribute (of a type).
    fn definition_lacks(&self, object: &str, attribute: &str) -> bool {
        let Some((sort @ ("constraint" | "attribute"), name)) = attribute.split_once(' ') else { return false };
        let speaks = |definition: &String| {
            // A rule without a name got one from the server.
            words(definition, self.engine).any(|w| w == name || sort == "constraint" && w == "check" && name.contains("_check"))
        };
        self.definition_of(object).is_some_and(|definition| !speaks(&definition))
    }

    /// Whether it is certain that nothing of that name stands any more: the migration at hand took it away.
    fn is_gone(&self, object: &str) -> bool {
        let keys = |name: &str| {
            let objects = CLASSES.map(|class| Key::Object(class, name.to_owned(), None));
            objects.into_iter().chain([Key::Table(name.to_owned()), Key::IndexTable(name.to_owned())])
        };
        let gone = |name: &str| keys(name).any(|key| self.touched(&key)) && keys(name).all(|key| self.get(&key).is_none());
        if gone(object) {
            return true;
        }
        let Some((whole, part)) = object.rsplit_once('.') else { return false };
        match self.table(whole) {
            None => gone(whole),
            Some(table) => {
                let hung = CLASSES.map(|class| Key::Object(class, part.to_owned(), Some(whole.to_owned())));
                let dropped_part = hung.iter().any(|key| self.touched(key)) && hung.iter().all(|key| self.get(key).is_none());
                let dropped_column = self.before(whole, table.made).is_some_and(|t| t.column(part).is_some());
                table.column(part).is_none() && keys(object).all(|key| self.get(&key).is_none()) && (dropped_part || dropped_column)
            }
        }
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
