//! Attributes of what is held by name: owner, comment, options, state, rights. In: an object, an attribute and its value. Out: the
//! catalog with it, and with what the database changes along: rights that overlap, a partition's keys, triggers by the dozen.

use super::part::{CLASSES, DEFAULT_RIGHTS, PARTITION};
use super::{Applied, Effect, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Class, Constraint, Index, NOT_ENFORCED, Rule};
use crate::parse::{even, policy};
use crate::schema::catalog::{Catalog, Entry, Key, Leaning, Object, Table};
use crate::schema::naming::words;
use std::borrow::Cow;
use std::rc::Rc;

/// What holds where nothing was said, so that saying it is saying nothing (PostgreSQL and MariaDB manuals, CREATE SEQUENCE,
/// ALTER TABLE; MySQL manual, ALTER TABLE; SQLite manual, "Pragma statements": `user_version` and `application_id` are 0 in a new file).
const DEFAULTS: &[(&str, &str)] = &[
    ("increment", "1"),
    ("type", "bigint"),
    ("statistics", "-1"),
    ("statistics", "default"),
    ("storage", "default"),
    ("compression", "default"),
    ("replica identity", "default"),
    ("pragma", "0"),
    ("visibility", "visible"),
    ("visibility", "not ignored"),
    ("enforcement", "enforced"),
    ("volatility", "volatile"),
    ("cost", "100"),
    ("publish", "'insert, update, delete, truncate'"),
];

/// Attributes that a constraint has beside its rule, under `TABLE.NAME`, and the words of each that are not the default; in the order in
/// which a constraint that is written with all of them has them.
const OF_CONSTRAINT: [(&str, &[&str]); 3] =
    [("mode", &["deferrable initially deferred", "deferrable"]), ("inheritance", &["no inherit"]), ("enforcement", &[NOT_ENFORCED])];

/// Whether PostgreSQL compresses values of this type and stores them apart where nothing is said (`pg_type.typstorage`).
fn is_stored_extended(ty: &str) -> bool {
    ty.ends_with("[]") || matches!(ty.split('(').next().unwrap_or(ty), "bytea" | "character" | "character varying" | "json" | "jsonb" | "text")
}

/// `grant RIGHT[ on tables] to ROLES` as right, sort of objects and roles.
pub(super) fn right(attribute: &str) -> Option<(&str, &str, &str)> {
    let (right, roles) = attribute.strip_prefix("grant ")?.rsplit_once(" to ")?;
    let (right, of) = right.split_once(" on ").unwrap_or((right, ""));
    Some((right, of, roles))
}

impl Catalog {
    /// The value of an attribute that the statement which made `object` gave it, or that the engine gives where none is said.
    fn initial(&self, object: &str, attribute: &str) -> Option<String> {
        let text = match self.table(object) {
            Some(table) => table.options.clone(),
            None => self.definition_of(object).unwrap_or_default(),
        };
        if attribute == "state" {
            // Of an event.
            return text.split(' ').any(|word| word == "disable").then(|| "disable".to_owned());
        }
        if attribute.starts_with("set ") {
            // Which of its words are values is not looked at.
            return text.contains(attribute).then(|| "as it was made".to_owned());
        }
        if matches!(attribute, "volatility" | "cost") {
            return self.initial_of_routine(&text, attribute);
        }
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

    /// How a routine was made to be called. Its body stands in a string, and is not read.
    fn initial_of_routine(&self, text: &str, attribute: &str) -> Option<String> {
        let said: Vec<Cow<'_, str>> = text.split("$$").step_by(2).flat_map(|part| words(part, self.engine)).collect();
        let after = |word: &str| said.iter().skip_while(|one| *one != word).nth(1).map(|next| next.to_string());
        if attribute == "volatility" {
            return said.iter().find(|word| matches!(&***word, "immutable" | "stable")).map(|word| word.to_string());
        }
        // Where nothing is said, what is not written in C costs the default.
        let of_language = || after("language").filter(|language| matches!(&**language, "c" | "internal")).map(|_| String::from("1"));
        after("cost").or_else(of_language).filter(|cost| cost != "100")
    }

    pub(super) fn set_attribute(&mut self, object: &str, attribute: &str, value: Option<&str>) -> Applied {
        let object = &self.signature(object);
        let (attribute, if_exists) = attribute.strip_prefix("if exists ").map_or((attribute, false), |rest| (rest, true));
        if self.judging_down && self.is_gone(object) {
            return Err(Refusal::new(format!("{object} does not exist")));
        }
        if let Some(effect) = self.hold_constraint(object, attribute, value).or_else(|| self.alter_policy(object, attribute, value?)) {
            return Ok(effect);
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
            if value.is_some() {
                self.take_keys(object, part);
            }
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
        let value = value.map(even::text).filter(|value| !DEFAULTS.contains(&(attribute, value)) && !self.holds_unsaid(object, attribute, value));
        // Everybody may call a routine until somebody says no (PostgreSQL manual, "Privileges").
        let value = match (attribute, value) {
            ("grant execute to public", None) => Some("revoked".to_owned()),
            ("grant execute to public", Some(_)) => None,
            (_, value) => value,
        };
        // What the definition names, and is gone, or has its name again.
        let value = match value {
            Some(value) if self.was_renamed_from(object, attribute, &value) => None,
            None if attribute.starts_with("attribute ") && self.get(&key).is_none() && self.definition_of(object).is_some() => Some("dropped".to_owned()),
            value => value,
        };
        if value.is_none() {
            self.revoke_along(object, attribute);
        }
        if let ("owner", Some(owner)) = (attribute, &value) {
            self.merge_rights(object, owner);
        }
        if attribute == "trigger state" {
            self.set_each_trigger(object, value.as_deref());
        }
        self.put_attribute(object, attribute, value);
        // Values of a type stand only where the type did.
        let made = match self.get(&Key::Object(Class::Type, object.to_owned(), None)) {
            Some(Entry::Object(ty)) if attribute.starts_with("attribute ") => Some(ty.made),
            _ => None,
        };
        Ok(Effect { blind: !known, own: made.is_some_and(|made| !self.stood_before(made)), ..Effect::default() })
    }

    /// Whether the attribute has that value where nothing was said of it, by what `object` is.
    fn holds_unsaid(&self, object: &str, attribute: &str, value: &str) -> bool {
        match attribute {
            "owner" => matches!(value, "current_user" | "current_role" | "session_user") && self.is_of_oneself(object),
            "storage" => {
                let column = object.rsplit_once('.').and_then(|(table, column)| self.table(table)?.column(column));
                value == "extended" && column.is_some_and(|c| is_stored_extended(&c.def.ty))
            }
            _ => false,
        }
    }

    /// Whether `value` says that a part of `object` gets back the name that it had.
    fn was_renamed_from(&self, object: &str, attribute: &str, value: &str) -> bool {
        let (Some(other), Some((sort, name))) = (value.strip_prefix("was "), attribute.split_once(' ')) else { return false };
        let held = self.get(&Key::Attribute(object.to_owned(), format!("{sort} {other}")));
        matches!(held, Some(Entry::Text(text)) if text.strip_prefix("was ") == Some(name))
    }

    /// ALTER CONSTRAINT changes how a constraint is held; `None` where that one is not known.
    fn hold_constraint(&mut self, object: &str, attribute: &str, value: Option<&str>) -> Option<Effect> {
        let changed = OF_CONSTRAINT.iter().position(|(one, _)| *one == attribute)?;
        let (table, name) = object.rsplit_once('.')?;
        let mut rest = self.table(table)?.constraints.iter().find(|c| c.name == name && c.rule.is_some())?.mode.clone();
        let mut held = OF_CONSTRAINT.map(|(_, words)| match words.iter().find(|one| rest.contains(**one)) {
            Some(one) => {
                rest = rest.replace(one, "");
                *one
            }
            None => "",
        });
        let words = OF_CONSTRAINT[changed].1;
        held[changed] = match value {
            // What is deferred at first is deferrable.
            Some(value) if value.contains("initially deferred") => words[0],
            Some(value) => words.iter().find(|one| value.starts_with(**one)).copied().unwrap_or_default(),
            None => "",
        };
        let mode = even::joined(rest.split_whitespace().chain(held));
        let hold = |t: &mut Table| t.constraints.iter_mut().filter(|c| c.name == name).for_each(|c| Rc::make_mut(c).mode.clone_from(&mode));
        self.change_table(table, hold).ok()?;
        Some(Effect::default())
    }

    /// ALTER POLICY says a clause of the definition anew; `None` where that one is not known.
    fn alter_policy(&mut self, object: &str, clause: &str, value: &str) -> Option<Effect> {
        let (table, name) = object.rsplit_once('.').filter(|_| policy::CLAUSES.contains(&clause))?;
        let key = Key::Object(Class::Policy, name.to_owned(), Some(table.to_owned()));
        let Some(Entry::Object(held)) = self.get(&key) else { return None };
        let changed = Object { definition: Some(policy::altered(held.definition.as_ref()?, clause, value)?), made: held.made };
        let own = !self.stood_before(held.made);
        self.set(key, Some(Entry::Object(Rc::new(changed))));
        Some(Effect { own, ..Effect::default() })
    }

    /// Refuses what DOWN sets on a table, or grants to a role, that it has dropped before.
    pub(super) fn attribute_may_be_set(&self, object: &str, attribute: &str) -> Result<(), Refusal> {
        let gone = |key: &Key| self.touched(key) && self.get(key).is_none();
        let view = |name: &str| [Class::View, Class::MaterializedView].iter().any(|&view| self.get(&Key::Object(view, name.to_owned(), None)).is_some());
        if !self.judging_down {
            return Ok(());
        }
        let table = object.split_once(" on ").map_or(object, |(_, table)| table);
        for name in [Some(table), table.rsplit_once('.').map(|(table, _)| table)].into_iter().flatten() {
            if gone(&Key::Table(name.to_owned())) && !view(name) {
                return Err(Refusal::new(format!("table {name} does not exist")));
            }
        }
        match attribute.strip_prefix("grant ").and_then(|right| right.rsplit_once(" to ")) {
            Some((_, role)) if gone(&Key::Object(Class::Role, role.to_owned(), None)) => Err(Refusal::new(format!("role {role} does not exist"))),
            _ => Ok(()),
        }
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
                let dropped_column = self.states_of(whole).any(|t| t.made == table.made && t.column(part).is_some());
                table.column(part).is_none() && keys(object).all(|key| self.get(&key).is_none()) && (dropped_part || dropped_column)
            }
        }
    }

    /// Sets the value, and what leans on it.
    pub(super) fn put_attribute(&mut self, object: &str, attribute: &str, value: Option<String>) {
        let key = Key::Attribute(object.to_owned(), attribute.to_owned());
        if attribute == "owned by" {
            if let Some(Entry::Text(old)) = self.get(&key).cloned() {
                self.lean(&old, Leaning::Part(Class::Sequence, object.to_owned()), false);
            }
            if let Some(new) = &value {
                self.lean(new, Leaning::Part(Class::Sequence, object.to_owned()), true);
            }
        }
        if let Some((_, _, role)) = right(attribute) {
            self.lean(role, Leaning::User(Box::new(key.clone())), value.is_some());
        }
        let entry = value.map(|v| Entry::Text(v.into()));
        if self.get(&key) != entry.as_ref() {
            self.lean(object, Leaning::Attribute(attribute.to_owned()), entry.is_some());
            self.set(key, entry);
        }
    }

    /// What a REVOKE takes beside the right that it names: all rights with ALL, one of them from ALL, those on columns with that on
    /// their table, and the same on each table of a schema.
    fn revoke_along(&mut self, object: &str, attribute: &str) {
        let Some((taken, of, roles)) = right(attribute) else { return };
        let every = object == "all" && taken == "all";
        let schema = object.strip_prefix("all ").and_then(|rest| rest.split_once(" in schema ")).map(|(_, schema)| schema.to_owned());
        let within = |name: &str, schema: &str| name.rsplit_once('.').map_or("public", |(schema, _)| schema) == schema;
        let found: Vec<(String, String)> = if every || schema.is_some() {
            let chosen = |name: &str| every || schema.as_deref().is_some_and(|schema| within(name, schema));
            self.keys()
                .filter_map(|key| if let Key::Attribute(o, a) = key { Some((o, a)) } else { None })
                .filter(|(o, _)| chosen(o))
                .map(|(o, a)| (o.clone(), a.clone()))
                .collect()
        } else {
            let attribute = |who: &Leaning| if let Leaning::Attribute(a) = who { Some((object.to_owned(), a.clone())) } else { None };
            self.leaning(object).iter().filter_map(attribute).collect()
        };
        for (holder, other) in found {
            let Some((held, held_of, held_by)) = right(&other) else { continue };
            if held_by != roles || held_of != of || holder == object && other == attribute {
                continue;
            }
            let key = Key::Attribute(holder.clone(), other.clone());
            let Some(Entry::Text(value)) = self.get(&key).cloned() else { continue };
            // ALL is all but the right to hand rights on (MySQL manual, REVOKE); PostgreSQL holds that with each right.
            if taken == "all" && held == "grant option" && !every {
                continue;
            }
            if taken == "all" || held == taken || held.strip_prefix(taken).is_some_and(|rest| rest.starts_with(['(', ' '])) {
                self.put_attribute(&holder, &other, None);
            } else if held == "all" {
                self.put_attribute(&holder, &other, Some(format!("{value} but {taken}")));
            }
        }
    }

    /// DISABLE TRIGGER ALL and its kin leave no trigger of the table as it was.
    fn set_each_trigger(&mut self, object: &str, state: Option<&str>) {
        let Some(table) = object.strip_suffix(".all").or_else(|| object.strip_suffix(".user")) else { return };
        for who in self.leaning(table).iter() {
            if let Leaning::Part(Class::Trigger, name) = who {
                self.put_attribute(&format!("{table}.{name}"), "trigger state", state.map(str::to_owned));
            }
        }
    }

    /// CREATE OR REPLACE takes back what ALTER gave: all but owner, rights and comment of a routine, the options of a view.
    pub(super) fn reset_attributes(&mut self, class: Class, name: &str) {
        for who in self.leaning(name).iter() {
            let Leaning::Attribute(attribute) = who else { continue };
            let reset = match class {
                Class::Routine => right(attribute).is_none() && !matches!(attribute.as_str(), "owner" | "comment" | "security label"),
                Class::View => matches!(attribute.as_str(), "security_barrier" | "security_invoker" | "check_option"),
                _ => false,
            };
            if reset {
                self.put_attribute(name, attribute, None);
            }
        }
    }

    /// A constraint goes, and how it was held.
    pub(super) fn drop_mode(&mut self, table: &str, constraint: &str) {
        for (attribute, _) in OF_CONSTRAINT {
            self.put_attribute(&format!("{table}.{constraint}"), attribute, None);
        }
    }

    /// An index goes, with its options, its comment, and what the table did by it.
    pub(super) fn drop_index_attributes(&mut self, table: &str, index: &str) {
        if self.engine.is_mysql_like() {
            if self.table(table).is_some_and(|t| t.column(index).is_none()) {
                self.put_attribute(&format!("{table}.{index}"), "visibility", None);
            }
            return;
        }
        self.drop_hanging(index);
        for (attribute, value) in [("cluster", index.to_owned()), ("replica identity", format!("using index {index}"))] {
            let by_it = matches!(self.get(&Key::Attribute(table.to_owned(), attribute.to_owned())), Some(Entry::Text(text)) if **text == *value);
            if by_it {
                self.put_attribute(table, attribute, None);
            }
        }
    }

    /// A table that becomes a part of `whole` gets each key and index that the whole has and it lacks, and keeps them when it leaves
    /// (PostgreSQL manual, ALTER TABLE, ATTACH PARTITION and DETACH PARTITION).
    fn take_keys(&mut self, whole: &str, part: &str) {
        let (Some(whole), Ok(held)) = (self.table(whole).map(Rc::clone), self.table_or_assume(part)) else { return };
        for index in whole.indexes.iter().filter_map(|index| index.def.as_ref()) {
            let like = |d: &Index| (&d.columns, d.unique, &d.rest) == (&index.columns, index.unique, &index.rest);
            if !held.indexes.iter().any(|i| i.def.as_ref().is_some_and(like)) {
                let _ = self.create_index(&Index { name: None, table: part.to_owned(), ..index.clone() }, false);
            }
        }
        for (rule, mode) in whole.constraints.iter().filter_map(|constraint| Some((constraint.rule.as_ref()?, &constraint.mode))) {
            if !matches!(rule, Rule::Check(_)) && !held.constraints.iter().any(|c| c.rule.as_ref() == Some(rule)) {
                let _ = self.add_constraint(part, &Constraint { name: None, rule: rule.clone(), not_valid: false, using_index: None, mode: mode.clone() });
            }
        }
    }
}
