//! Views, types, routines and all else that is held as its definition: dropped, made again, renamed back.

use super::{Inverse, Step, Unknown, in_order, unknown};
use crate::engine::Engine;
use crate::parse::action::{Class, Name};
use crate::schema::apply::object::{labels, loses_columns, whole_of};
use crate::schema::catalog::{Entry, Key, Object};
use crate::schema::naming::words;

/// Objects of no class of their own whose DROP takes the name alone.
const OTHERS: &[&str] =
    &["event trigger", "publication", "collation", "conversion", "text search configuration", "text search dictionary", "statistics", "aggregate"];

/// What a sequence that PostgreSQL made by itself has in place of a definition.
const OF_COLUMN: &str = "made for a column";

/// One object that differs.
#[derive(Clone, Copy)]
struct Differing<'a> {
    class: Class,
    name: &'a Name,
    on: Option<&'a Name>,
    old: Option<&'a Object>,
    new: Option<&'a Object>,
}

impl<'a> Inverse<'a> {
    pub(super) fn objects(&mut self) -> Result<(), Unknown> {
        let before = self.before;
        let mut differing: Vec<Differing<'a>> = Vec::new();
        for (key, old) in in_order(before) {
            let Key::Object(class, name, on) = key else { continue };
            let old = if let Some(Entry::Object(old)) = old { Some(&**old) } else { None };
            let new = self.object_now(key).map(|new| &**new);
            let own = [old, new].into_iter().flatten().any(|o| o.definition.as_deref() == Some(OF_COLUMN));
            let same = matches!((old, new), (Some(old), Some(new)) if old.definition == new.definition && (old.definition.is_some() || old.made == new.made));
            if !own && !same && (old.is_some() || new.is_some()) {
                differing.push(Differing { class: *class, name, on: on.as_ref(), old, new });
            }
        }
        differing.iter().filter(|d| d.old.is_some()).for_each(|d| {
            self.restored.insert(d.name.split('(').next().unwrap_or(d.name).to_owned());
        });
        self.rename_objects(&mut differing)?;
        for one in differing {
            match (one.old, one.new) {
                (None, Some(new)) => self.drop_left(one, new)?,
                (Some(old), None) => self.restore(one, old)?,
                (Some(old), Some(new)) => self.replace(one, old, new)?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// What was made at one moment is one object, whatever it is called.
    fn rename_objects(&mut self, differing: &mut Vec<Differing<'a>>) -> Result<(), Unknown> {
        while let Some((gone, left)) = differing.iter().enumerate().find_map(|(gone, one)| {
            let (old, None) = (one.old?, one.new) else { return None };
            let left = differing.iter().position(|d| d.old.is_none() && d.class == one.class && old.made != 0 && d.new.is_some_and(|n| n.made == old.made))?;
            Some((gone, left))
        }) {
            let (was, is) = (differing[gone], differing[left]);
            differing.retain(|d| !std::ptr::eq(d.name, was.name) && !std::ptr::eq(d.name, is.name));
            let on = is.on.map(|on| self.old_name(on).to_owned());
            if on.as_ref() != was.on {
                return unknown(format!("{} {} stands on another table", was.class.word(), was.name));
            }
            if was.name == is.name {
                continue;
            }
            let bare = |name: &str| name.split('(').next().unwrap_or(name).to_owned();
            let Some(words) = self.words(was.class, was.old).filter(|_| self.engine == Engine::Postgres) else {
                return unknown(format!("{} {} has another name", was.class.word(), was.name));
            };
            let of = on.map(|on| format!(" ON {}", self.names.name(&on))).unwrap_or_default();
            let to = bare(was.name);
            let sql = format!("ALTER {words} {}{of} RENAME TO {}", self.signature(is.class, is.name), self.names.part(to.rsplit('.').next().unwrap_or(&to)));
            self.step(Step::Rename, 1, sql);
        }
        Ok(())
    }

    fn drop_left(&mut self, one: Differing<'_>, new: &Object) -> Result<(), Unknown> {
        let hangs_on = one.on.cloned().or_else(|| new.definition.as_deref().and_then(|d| whole_of(one.class, None, d, self.engine)));
        if hangs_on.is_some_and(|on| self.goes_along(&on)) {
            return Ok(());
        }
        let sql = self.drop_sql(one, Some(new))?;
        // A routine whose arguments are rows of a table is in the table's way.
        let head = new.definition.as_deref().unwrap_or_default().split(" as ").next().unwrap_or_default();
        let of_table = one.class == Class::Routine && words(head, self.engine).any(|word| self.left.iter().any(|table| table.name == word));
        let step = if Self::is_user(one.class) || of_table { Step::DropUsers } else { Step::DropThings };
        self.step(step, -(new.made as i64), sql);
        Ok(())
    }

    fn restore(&mut self, one: Differing<'_>, old: &Object) -> Result<(), Unknown> {
        match one.class {
            Class::Sequence => return unknown(format!("the position of sequence {} is gone with UP", one.name)),
            Class::Role => return unknown(format!("the password and the memberships of role {} are gone with UP", one.name)),
            _ => {}
        }
        let sql = self.written(one, old)?;
        let step = if Self::is_user(one.class) || one.on.is_some() { Step::CreateUsers } else { Step::CreateThings };
        self.step(step, old.made as i64, sql);
        Ok(())
    }

    fn replace(&mut self, one: Differing<'_>, old: &Object, new: &Object) -> Result<(), Unknown> {
        if one.class == Class::Type {
            return self.rename_label(one, old, new);
        }
        let sql = self.written(one, old)?;
        let replaceable = match self.engine {
            Engine::Sqlite => false,
            Engine::Postgres => {
                one.class == Class::Routine
                    || one.class == Class::View && !loses_columns(new.definition.as_deref(), old.definition.as_deref().unwrap_or_default())
            }
            Engine::Mysql => one.class == Class::View,
            Engine::Mariadb => matches!(one.class, Class::View | Class::Routine | Class::Trigger | Class::Event),
        };
        let step = if one.class == Class::Routine { Step::CreateThings } else { Step::CreateUsers };
        if replaceable {
            self.step(step, old.made as i64, or_replace(&sql));
        } else if matches!(one.class, Class::View | Class::MaterializedView | Class::Routine | Class::Trigger | Class::Policy | Class::Rule | Class::Event) {
            let drop = self.drop_sql(one, Some(new))?;
            self.step(if one.class == Class::Routine { Step::DropThings } else { Step::DropUsers }, -(new.made as i64), drop);
            self.step(step, old.made as i64, sql);
        } else {
            return unknown(format!("no statement gives {} {} its old definition", one.class.word(), one.name));
        }
        Ok(())
    }

    /// The statement that made `old`, word for word.
    fn written(&self, one: Differing<'_>, old: &Object) -> Result<String, Unknown> {
        let text = old.definition.as_deref().and_then(|d| self.now.written.statement(d));
        match text {
            Some(text) => Ok(text.to_owned()),
            None => unknown(format!("how {} {} was defined before UP is not known", one.class.word(), one.name)),
        }
    }

    /// One label of an enum has another name; a label more than before cannot be taken away.
    fn rename_label(&mut self, one: Differing<'_>, old: &Object, new: &Object) -> Result<(), Unknown> {
        let of = |object: &Object| object.definition.as_deref().and_then(labels).map(|(_, labels)| labels);
        let (Some(old), Some(new)) = (of(old), of(new)) else { return unknown(format!("how type {} was defined before UP is not known", one.name)) };
        if let Some(more) = new.iter().find(|label| !old.contains(label)).filter(|_| new.len() > old.len()) {
            return unknown(format!("no statement takes label {more} out of type {}", one.name));
        }
        if old.len() != new.len() {
            return unknown(format!("type {} loses labels", one.name));
        }
        for (was, is) in old.iter().zip(&new).filter(|(was, is)| was != is) {
            let sql = format!("ALTER TYPE {} RENAME VALUE '{is}' TO '{was}'", self.names.name(one.name));
            self.step(Step::Rename, 2, sql);
        }
        Ok(())
    }

    fn drop_sql(&self, one: Differing<'_>, object: Option<&Object>) -> Result<String, Unknown> {
        let Some(words) = self.words(one.class, object) else {
            return unknown(format!("how {} {} is dropped is not known", one.class.word(), one.name));
        };
        let on = match (one.class, one.on) {
            (Class::Trigger | Class::Policy | Class::Rule, Some(on)) => format!(" ON {}", self.names.name(on)),
            _ => String::new(),
        };
        Ok(format!("DROP {words} {}{on}", self.signature(one.class, one.name)))
    }

    /// A name with the types of its arguments, where it has any.
    pub(super) fn signature(&self, class: Class, name: &str) -> String {
        match name.split_once('(') {
            Some((name, arguments)) if self.engine == Engine::Postgres => format!("{}({arguments}", self.names.name(name)),
            Some((name, _)) if class == Class::Routine => self.names.name(name),
            _ => self.names.name(name),
        }
    }

    /// The words behind DROP and ALTER.
    pub(super) fn words(&self, class: Class, object: Option<&Object>) -> Option<&'static str> {
        let definition = object.and_then(|o| o.definition.as_deref()).unwrap_or_default();
        Some(match class {
            Class::View => "VIEW",
            Class::MaterializedView => "MATERIALIZED VIEW",
            Class::Type => "TYPE",
            Class::Domain => "DOMAIN",
            Class::Sequence => "SEQUENCE",
            Class::Routine => {
                let head = definition.split('(').next().unwrap_or_default();
                ["function", "procedure"]
                    .into_iter()
                    .find(|sort| head.split(' ').any(|word| word == *sort))
                    .map(|s| if s == "function" { "FUNCTION" } else { "PROCEDURE" })?
            }
            Class::Trigger => "TRIGGER",
            Class::Schema if definition.starts_with("create schema") => "SCHEMA",
            Class::Schema if definition.starts_with("create database") && self.engine.is_mysql_like() => "DATABASE",
            Class::Extension => "EXTENSION",
            Class::Policy => "POLICY",
            Class::Event => "EVENT",
            Class::Rule => "RULE",
            Class::Role if self.engine == Engine::Postgres || definition.starts_with("create role") => "ROLE",
            // An account's name has a spelling of its own on MySQL and MariaDB.
            Class::Schema | Class::Role => return None,
            Class::Other => OTHERS.iter().find(|sort| definition.strip_prefix("create ").is_some_and(|d| d.starts_with(*sort)))?,
        })
    }
}

/// `CREATE` made `CREATE OR REPLACE`.
fn or_replace(sql: &str) -> String {
    let rest = sql[sql.len().min("create".len())..].trim_start();
    if rest.get(.."or replace".len()).is_some_and(|words| words.split_whitespace().map(str::to_lowercase).eq(["or", "replace"])) {
        return sql.to_owned();
    }
    format!("CREATE OR REPLACE {rest}")
}
