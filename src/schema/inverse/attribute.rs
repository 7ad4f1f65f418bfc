//! What is set on objects that stand: comments, rights, row security, the state of triggers, storage.

use super::define::quoted;
use super::{Inverse, Step, Unknown, in_order, unknown};
use crate::engine::Engine;
use crate::parse::action::Class;
use crate::schema::catalog::{Catalog, Entry, Journal, Key};

/// Parameters of a table, an index or a view that RESET takes back (PostgreSQL manual, CREATE TABLE, CREATE INDEX, CREATE VIEW).
fn is_parameter(attribute: &str) -> bool {
    matches!(attribute, "fillfactor" | "parallel_workers" | "security_barrier" | "security_invoker" | "check_option" | "fastupdate")
        || attribute.starts_with("autovacuum_")
        || attribute.starts_with("toast.")
}

impl Inverse<'_> {
    pub(super) fn attributes(&mut self) -> Result<(), Unknown> {
        let (before, now) = (self.before, self.now);
        for (key, old) in in_order(before) {
            let Key::Attribute(object, attribute) = key else { continue };
            let text = |entry: Option<&Entry>| if let Some(Entry::Text(text)) = entry { Some(text.to_string()) } else { None };
            let (old, new) = (text(old), text(now.get(key)));
            if old == new
                || attribute == "signatures"
                || self.goes_along(object)
                || self.left_behind(object)
                || self.moved(object, attribute, old.as_deref(), new.as_deref())
            {
                continue;
            }
            let Some(sql) = self.attribute(object, attribute, old.as_deref(), new.as_deref()) else {
                return unknown(format!("what the {attribute} of {object} was before UP is not known"));
            };
            // A right is taken away while the role still stands.
            self.step(if old.is_none() { Step::TakeAttributes } else { Step::GiveAttributes }, 0, sql);
        }
        Ok(())
    }

    /// It went with a table or column that bears another name now, and comes back with it.
    fn moved(&self, object: &str, attribute: &str, old: Option<&str>, new: Option<&str>) -> bool {
        let text = |entry: Option<&Entry>| if let Some(Entry::Text(text)) = entry { Some(text.to_string()) } else { None };
        match (old, new) {
            (None, Some(new)) => {
                let name = self.name_before(object);
                let found = self.before.get(&Key::Attribute(name.clone(), attribute.to_owned())).and_then(Option::as_ref);
                name != object && text(found).as_deref() == Some(new)
            }
            (Some(old), None) => self.before.keys().any(|key| match key {
                Key::Attribute(name, other) if other == attribute && name != object => {
                    self.name_before(name) == object && text(self.now.get(key)).as_deref() == Some(old)
                }
                _ => false,
            }),
            _ => false,
        }
    }

    /// The name that `object` had before: a table's, a column's, a constraint's.
    fn name_before(&self, object: &str) -> String {
        if let Some(name) = self.renamed.get(object) {
            return name.clone();
        }
        let table = |table: &str| self.renamed.get(table).cloned().unwrap_or_else(|| table.to_owned());
        match (object.split_once(" on "), object.rsplit_once('.')) {
            (Some((constraint, of)), _) => format!("{constraint} on {}", table(of)),
            (None, Some((of, column))) => format!("{}.{column}", table(of)),
            (None, None) => object.to_owned(),
        }
    }

    /// Whether the object itself goes, and what is set on it with it.
    fn left_behind(&self, object: &str) -> bool {
        let stood = |key: &Key| self.before.get(key).is_none_or(Option::is_some);
        let classes = [Class::View, Class::MaterializedView, Class::Sequence, Class::Routine, Class::Type, Class::Domain, Class::Schema];
        if classes.iter().any(|&class| self.before.get(&Key::Object(class, object.to_owned(), None)).is_some_and(Option::is_none)) {
            return true;
        }
        if !stood(&Key::IndexTable(object.to_owned())) {
            return true;
        }
        let (table, column) = match (object.split_once(" on "), object.rsplit_once('.')) {
            (Some((constraint, table)), _) => (table, Err(constraint)),
            (None, Some((table, column))) => (table, Ok(column)),
            (None, None) => return false,
        };
        let (Some(Some(Entry::Table(old))), Some(new)) = (self.before.get(&Key::Table(table.to_owned())), self.now.table(table)) else { return false };
        match column {
            Ok(column) => old.column(column).is_none() && new.column(column).is_some(),
            Err(constraint) => !old.constraints.iter().any(|c| c.name == constraint),
        }
    }

    fn attribute(&self, object: &str, attribute: &str, old: Option<&str>, new: Option<&str>) -> Option<String> {
        if attribute == "comment" {
            let text = old.map_or_else(|| "NULL".to_owned(), |old| if old.starts_with('\'') { old.to_owned() } else { quoted(old) });
            return match self.engine {
                Engine::Postgres => Some(format!("COMMENT ON {} IS {text}", self.described(object)?)),
                // The catalog holds a comment's even text, which is the comment itself only between quotes.
                Engine::Mysql | Engine::Mariadb if old.is_none() && self.now.table(object).is_some() => {
                    Some(format!("ALTER TABLE {} COMMENT = ''", self.names.name(object)))
                }
                _ => None,
            };
        }
        if let Some((right, roles)) = attribute.strip_prefix("grant ").and_then(|a| a.rsplit_once(" to ")) {
            return self.right(object, right, roles, old, new);
        }
        match self.engine {
            Engine::Sqlite => None,
            // One that was dropped, or has taken another one's name: which type it had is not held.
            Engine::Postgres if attribute.starts_with("attribute ") && new.is_some_and(|new| new == "dropped" || new.starts_with("was ")) => None,
            Engine::Postgres => self.of_postgres(object, attribute, old),
            Engine::Mysql | Engine::Mariadb => self.of_mysql(object, attribute, old, new),
        }
    }

    fn of_postgres(&self, object: &str, attribute: &str, old: Option<&str>) -> Option<String> {
        let table = || self.now.table(object).map(|_| format!("ALTER TABLE {}", self.names.name(object)));
        let part = || object.rsplit_once('.').map(|(table, part)| (format!("ALTER TABLE {}", self.names.name(table)), self.names.part(part), table, part));
        if let Some(partition) = attribute.strip_prefix("partition ") {
            return old.is_none().then(|| Some(format!("{} DETACH PARTITION {}", table()?, self.names.name(partition))))?;
        }
        if let Some(member) = attribute.strip_prefix("attribute ") {
            return old.is_none().then(|| format!("ALTER TYPE {} DROP ATTRIBUTE {}", self.names.name(object), self.names.part(member)));
        }
        match (attribute, old) {
            ("row security", None) => Some(format!("{} DISABLE ROW LEVEL SECURITY", table()?)),
            ("row security", Some(_)) => Some(format!("{} ENABLE ROW LEVEL SECURITY", table()?)),
            ("forced row security", None) => Some(format!("{} NO FORCE ROW LEVEL SECURITY", table()?)),
            ("forced row security", Some(_)) => Some(format!("{} FORCE ROW LEVEL SECURITY", table()?)),
            ("unlogged", None) => Some(format!("{} SET LOGGED", table()?)),
            ("unlogged", Some(_)) => Some(format!("{} SET UNLOGGED", table()?)),
            ("trigger state", state) => {
                let state = match state {
                    None => "ENABLE",
                    Some("disabled") => "DISABLE",
                    Some("always") => "ENABLE ALWAYS",
                    Some("replica") => "ENABLE REPLICA",
                    Some(_) => return None,
                };
                let (table, trigger, ..) = part()?;
                // Of all of them, or of the users' own, which are words and no names.
                let trigger = if ["\"all\"", "\"user\""].contains(&trigger.as_str()) { trigger.trim_matches('"').to_uppercase() } else { trigger };
                Some(format!("{table} {state} TRIGGER {trigger}"))
            }
            ("statistics", old) => {
                let (table, column, ..) = part()?;
                Some(format!("{table} ALTER COLUMN {column} SET STATISTICS {}", old.unwrap_or("-1")))
            }
            ("increment", old) if self.is(Class::Sequence, object) => {
                Some(format!("ALTER SEQUENCE {} INCREMENT BY {}", self.names.name(object), old.unwrap_or("1")))
            }
            ("default", None) if self.is(Class::Domain, object) => Some(format!("ALTER DOMAIN {} DROP DEFAULT", self.names.name(object))),
            ("default", Some(text)) if self.is(Class::Domain, object) => Some(format!("ALTER DOMAIN {} SET DEFAULT {text}", self.names.name(object))),
            (option, None) if is_parameter(option) => Some(format!("ALTER {} RESET ({option})", self.described(object)?)),
            (option, Some(value)) if is_parameter(option) => Some(format!("ALTER {} SET ({option} = {value})", self.described(object)?)),
            _ => None,
        }
    }

    fn of_mysql(&self, object: &str, attribute: &str, old: Option<&str>, new: Option<&str>) -> Option<String> {
        let table = || self.now.table(object).map(|_| format!("ALTER TABLE {}", self.names.name(object)));
        if let (Some(partition), None) = (attribute.strip_prefix("partition "), old) {
            return Some(format!("{} DROP PARTITION {}", table()?, self.names.part(partition)));
        }
        match (attribute, old) {
            // A scheme that CREATE TABLE wrote is held with the table's options.
            ("partitioning", None) if !self.now.table(object)?.options.contains("partition") => Some(format!("{} REMOVE PARTITIONING", table()?)),
            ("increment", old) if self.is(Class::Sequence, object) => {
                Some(format!("ALTER SEQUENCE {} INCREMENT BY {}", self.names.name(object), old.unwrap_or("1")))
            }
            ("visibility", None) => {
                let (table, index) = object.rsplit_once('.')?;
                let word = if new == Some("ignored") { "NOT IGNORED" } else { "VISIBLE" };
                Some(format!("ALTER TABLE {} ALTER INDEX {} {word}", self.names.name(table), self.names.part(index)))
            }
            _ => None,
        }
    }

    fn is(&self, class: Class, object: &str) -> bool {
        self.now.get(&Key::Object(class, object.to_owned(), None)).is_some()
    }

    fn right(&self, object: &str, right: &str, roles: &str, old: Option<&str>, new: Option<&str>) -> Option<String> {
        // Every routine is everybody's to call until that is revoked.
        let (old, new) = if (right, roles) == ("execute", "public") { (new, old) } else { (old, new) };
        let by_default = object.strip_prefix("default privileges");
        let (prefix, on) = match by_default {
            Some(of) => (format!("ALTER DEFAULT PRIVILEGES{of} "), String::new()),
            // What each of them had before is not known.
            None if object.starts_with("all ") => return None,
            None if self.engine == Engine::Postgres && object == right => (String::new(), String::new()),
            None if self.engine == Engine::Postgres => {
                (String::new(), format!(" ON {}", self.described(object)?.replacen("MATERIALIZED VIEW ", "", 1).replacen("VIEW ", "", 1)))
            }
            None => (String::new(), format!(" ON {}", self.now.table(object).map(|_| self.names.name(object))?)),
        };
        // A role that is granted is a name, and keeps its case.
        let right = if on.is_empty() && by_default.is_none() { right.to_owned() } else { right.to_uppercase() };
        match (old, new) {
            (None, Some(_)) => Some(format!("{prefix}REVOKE {right}{on} FROM {roles}")),
            (Some(value), None) => {
                let option = if value.starts_with("with ") { format!(" {}", value.to_uppercase()) } else { String::new() };
                Some(format!("{prefix}GRANT {right}{on} TO {roles}{option}"))
            }
            _ => None,
        }
    }

    /// An object with the word for what it is, as COMMENT ON and GRANT take it.
    fn described(&self, object: &str) -> Option<String> {
        let (before, now): (&Journal, &Catalog) = (self.before, self.now);
        let stands = |key: &Key| now.get(key).or_else(|| before.get(key).and_then(Option::as_ref)).is_some();
        if let Some((constraint, table)) = object.split_once(" on ") {
            return Some(format!("CONSTRAINT {} ON {}", self.names.part(constraint), self.names.name(table)));
        }
        if stands(&Key::Table(object.to_owned())) {
            return Some(format!("TABLE {}", self.names.name(object)));
        }
        for class in [Class::View, Class::MaterializedView, Class::Sequence, Class::Routine, Class::Type, Class::Domain, Class::Schema, Class::Extension] {
            let key = Key::Object(class, object.to_owned(), None);
            if stands(&key) {
                let held = now.get(&key).or_else(|| before.get(&key).and_then(Option::as_ref));
                let held = if let Some(Entry::Object(held)) = held { Some(&**held) } else { None };
                return Some(format!("{} {}", self.words(class, held)?, self.signature(class, object)));
            }
        }
        if stands(&Key::IndexTable(object.to_owned())) {
            return Some(format!("INDEX {}", self.names.name(object)));
        }
        let (table, column) = object.rsplit_once('.')?;
        let known = now.table(table)?.column(column).is_some();
        known.then(|| format!("COLUMN {}.{}", self.names.name(table), self.names.part(column)))
    }
}
