//! What leans on a column: views, keys of other tables, policies, columns that are computed from it. In: a column that goes. Out: what
//! is in its way, and what goes along.

use super::Refusal;
use crate::engine::Engine;
use crate::parse::action::{Class, Name, Rule};
use crate::schema::catalog::{Catalog, Entry, HeldColumn, Key, Leaning, Object};
use crate::schema::naming::{rule_columns, words};
use std::collections::BTreeSet;
use std::rc::Rc;

impl Catalog {
    /// PostgreSQL changes no type under a view, nor under a trigger that names the column (manual, ALTER TABLE).
    pub(super) fn type_may_change(&self, table: &str, column: &str) -> Result<(), Refusal> {
        if self.engine != Engine::Postgres || !self.judging_down {
            return Ok(());
        }
        for who in self.leaning(table).iter() {
            let (what, key) = match who {
                Leaning::User(user) => ("view", Key::clone(user)),
                Leaning::Part(Class::Trigger, name) => ("trigger", Key::Object(Class::Trigger, name.clone(), Some(table.to_owned()))),
                Leaning::Part(..) | Leaning::Table(_) | Leaning::Attribute(_) => continue,
            };
            let Some(Entry::Object(object)) = self.get(&key) else { continue };
            let definition = object.definition.as_deref().unwrap_or_default();
            let uses = match (&key, what) {
                (Key::Object(Class::View | Class::MaterializedView, ..), "view") => {
                    is_of_one_table(definition, self.engine) && words(definition, self.engine).any(|w| w == column)
                }
                (_, "trigger") => words(definition.split(" execute ").next().unwrap_or_default(), self.engine).any(|w| w == column),
                _ => false,
            };
            if uses {
                return Err(Refusal::new(format!("{what} {} uses column {table}.{column}", key.name())));
            }
        }
        Ok(())
    }

    /// What PostgreSQL drops with a column: statistics on it, and with CASCADE what else uses it. Without CASCADE it refuses, so nothing
    /// else is left by then.
    pub(super) fn take_along(&mut self, table: &str, column: &str) -> Result<(), Refusal> {
        for who in self.leaning(table).iter() {
            match who {
                Leaning::User(user) => {
                    if let (Key::Object(class, view, on), Some(Entry::Object(object))) = (&**user, self.get(user))
                        && object.definition.as_ref().is_some_and(|d| speaks_of(d, column, self.engine))
                    {
                        self.drop_object(*class, view, on.as_ref(), true, true)?;
                    }
                }
                Leaning::Part(class @ (Class::Policy | Class::Rule | Class::Trigger | Class::Other), name) => {
                    if self.part_speaks_of(table, *class, name, column) {
                        self.drop_part(table, *class, name);
                    }
                }
                Leaning::Table(other) => {
                    let points = |c: &Option<Rule>| matches!(c, Some(Rule::ForeignKey { target, target_columns, .. }) if target == table && target_columns.iter().any(|c| c == column));
                    if self.table(other).is_some_and(|t| t.constraints.iter().any(|c| points(&c.rule))) {
                        let _ = self.change_table(other, |t| t.constraints.retain(|c| !points(&c.rule)));
                    }
                }
                Leaning::Attribute(right) => {
                    // A right on columns.
                    if right.starts_with("grant ") && right.contains('(') && words(right, self.engine).any(|w| w == column) {
                        self.put_attribute(table, right, None);
                    }
                }
                Leaning::Part(..) => {}
            }
        }
        let computed = |c: &HeldColumn| c.def.generated.as_ref().is_some_and(|g| words(g, Engine::Postgres).any(|w| w == column));
        let along: Vec<Name> = self.table(table).map(|t| t.columns.iter().filter(|c| computed(c)).map(|c| c.def.name.clone()).collect()).unwrap_or_default();
        for computed in along {
            self.drop_column(table, &computed, true, true)?;
        }
        Ok(())
    }

    /// Whether what hangs on a table names its column; a publication and the function behind a trigger are looked at by nobody.
    fn part_speaks_of(&self, table: &str, class: Class, name: &str, column: &str) -> bool {
        [None, Some(table.to_owned())].into_iter().any(|on| match self.get(&Key::Object(class, name.to_owned(), on)) {
            Some(Entry::Object(object)) => object.definition.as_ref().is_some_and(|d| {
                let text = match class {
                    Class::Policy => d.split_once(" using").map_or(d.as_str(), |(_, rest)| rest),
                    Class::Trigger => d.split_once(" on ").map_or("", |(head, _)| head.split_once(" update of ").map_or("", |(_, columns)| columns)),
                    Class::Other if !d.starts_with("create statistics ") => "",
                    _ => d,
                };
                words(text, self.engine).any(|w| w == column)
            }),
            _ => false,
        })
    }

    /// SQLite takes a name in double quotes for a text where no column has that name, and writes that into the views over the table
    /// when the column goes (manual, "Quirks", section 8).
    pub(super) fn name_becomes_text(&mut self, table: &str, column: &str) {
        for who in self.leaning(table).iter() {
            let Leaning::User(user) = who else { continue };
            let Some(Entry::Object(view)) = self.get(user).cloned() else { continue };
            let Some(definition) = &view.definition else { continue };
            let quoted = definition.split('"').skip(1).step_by(2).any(|word| word.eq_ignore_ascii_case(column));
            if quoted || speaks_of(definition, column, self.engine) {
                let changed = Object { definition: Some(format!("{definition} with '{column}' for {column}")), made: view.made };
                self.set((**user).clone(), Some(Entry::Object(Rc::new(changed))));
            }
        }
    }

    /// SQLite reads the whole schema anew when it renames or drops, and refuses while a view speaks of a table that is gone
    /// (manual, "ALTER TABLE", section 2).
    pub(super) fn views_hold(&self) -> Result<(), Refusal> {
        if self.engine != Engine::Sqlite || !self.judging_down {
            return Ok(());
        }
        // In order, so that equal migrations give equal messages.
        for name in self.touched_tables().collect::<BTreeSet<&Name>>() {
            for who in self.leaning(name).iter() {
                let Leaning::User(user) = who else { continue };
                let (Key::Object(Class::View, view, _), Some(Entry::Object(object))) = (&**user, self.get(user)) else { continue };
                if self.table(name).is_none() && self.get(&Key::Object(Class::View, name.clone(), None)).is_none() {
                    return Err(Refusal::new(format!("view {view} speaks of table {name}, which is gone")));
                }
                if let Some(column) = object.definition.as_ref().and_then(|d| self.column_gone(name, d)) {
                    return Err(Refusal::new(format!("view {view} speaks of column {name}.{column}, which is gone")));
                }
            }
        }
        Ok(())
    }

    /// A column that a view over `table` speaks of, that stood before the migration, and that is not there now.
    pub(super) fn column_gone(&self, table: &str, definition: &str) -> Option<Name> {
        let now = self.table(table)?;
        let before = self.before(table, now.made)?;
        let gone = |c: &&HeldColumn| now.column(&c.def.name).is_none() && speaks_of(definition, &c.def.name, self.engine);
        before.columns.iter().find(gone).map(|c| c.def.name.clone())
    }

    /// Refuses to drop a column on which something leans that the engine does not take along.
    pub(super) fn column_may_go(&mut self, table: &str, column: &str, cascade: bool) -> Result<(), Refusal> {
        let Some(held) = self.table(table).map(Rc::clone) else { return Ok(()) };
        let named = |what: &str, name: &str| Err(Refusal::new(format!("{what} {} uses column {table}.{column}", name.trim_start_matches('\0'))));
        if self.engine == Engine::Sqlite {
            for index in &held.indexes {
                if index.def.as_ref().is_some_and(|d| d.columns.iter().chain([&d.rest]).any(|c| words(c, self.engine).any(|w| w == column))) {
                    return named("index", &index.name);
                }
            }
            for constraint in &held.constraints {
                match &constraint.rule {
                    // A CHECK or REFERENCES beside the column goes with it.
                    Some(Rule::Check(_)) | None => {}
                    Some(Rule::ForeignKey { columns, .. }) if columns.len() == 1 && constraint.generated => {}
                    Some(rule) if rule_columns(rule, self.engine).iter().any(|c| c == column) => return named("constraint", &constraint.name),
                    Some(_) => {}
                }
            }
        }
        if !self.engine.is_mysql_like() && !cascade {
            for who in self.leaning(table).iter() {
                if let Leaning::User(user) = who
                    && let Key::Object(Class::View, view, _) = &**user
                    && let Some(Entry::Object(object)) = self.get(user)
                    && object.definition.as_ref().is_some_and(|d| is_of_one_table(d, self.engine) && speaks_of(d, column, self.engine))
                {
                    return named("view", view);
                }
            }
        }
        if self.engine.is_mysql_like() {
            for constraint in &held.constraints {
                if matches!(&constraint.rule, Some(Rule::ForeignKey { columns, .. }) if columns.iter().any(|c| c == column)) {
                    return named("foreign key", &constraint.name);
                }
            }
        }
        if self.engine == Engine::Sqlite || self.engine == Engine::Postgres && !cascade {
            let computed = |c: &&HeldColumn| c.def.name != column && c.def.generated.as_ref().is_some_and(|g| words(g, self.engine).any(|w| w == column));
            if let Some(computed) = held.columns.iter().find(computed) {
                return named("column", &computed.def.name);
            }
        }
        if self.engine == Engine::Postgres && !cascade {
            for who in self.leaning(table).iter() {
                if let Leaning::Part(class @ (Class::Policy | Class::Rule | Class::Trigger), name) = who
                    && self.part_speaks_of(table, *class, name, column)
                {
                    return named(class.word(), name);
                }
                if let Leaning::Table(other) = who
                    && other != table
                    && let Some(other_table) = self.table(other)
                {
                    let points = |c: &Option<Rule>| matches!(c, Some(Rule::ForeignKey { target, target_columns, .. }) if target == table && target_columns.iter().any(|c| c == column));
                    if let Some(constraint) = other_table.constraints.iter().find(|c| points(&c.rule)) {
                        return named(&format!("foreign key of {other}"), &constraint.name);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Whether a view over one table uses its column; in a join the word may be another table's.
fn speaks_of(definition: &str, column: &str, engine: Engine) -> bool {
    words(definition, engine).filter(|w| w == "from").count() == 1 && !definition.contains(" join ") && words(definition, engine).any(|w| w == column)
}

/// Whether a view reads one table, so that a word in it is no other table's column.
fn is_of_one_table(definition: &str, engine: Engine) -> bool {
    words(definition, engine).filter(|w| w == "from").count() == 1 && !definition.contains(" join ")
}
