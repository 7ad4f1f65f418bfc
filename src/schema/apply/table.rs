//! Tables: made, dropped, renamed.

use super::part::PARTITION;
use super::{Applied, Effect, OrMissing, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Constraint, CreateTable, Name, Rule};
use crate::schema::catalog::{Catalog, Entry, HeldColumn, Key, Leaning, Table};
use crate::schema::types::made_type;
use std::rc::Rc;

/// The bounds of a partition, and what else its options say: `partition of logs for values from(2023)to(2024)`.
fn partition_bounds(options: &str) -> Option<(String, String)> {
    let (before, rest) = options.split_once("partition of ")?;
    let at = rest.find("for values").or_else(|| rest.find("default"))?;
    let (bounds, after) = rest[at..].split_at(rest[at..].find(" partition by ").unwrap_or(rest.len() - at));
    Some((bounds.trim().to_owned(), format!("{before}{after}").trim().to_owned()))
}

impl Catalog {
    pub(super) fn create_table(&mut self, create: &CreateTable) -> Applied {
        if create.temporary {
            self.temporary.push(create.name.clone());
        }
        let key = Key::Table(create.name.clone());
        let mut effect = Effect { own: true, ..Effect::default() };
        if let Some(old) = self.table(&create.name).map(Rc::clone) {
            if create.if_not_exists {
                return Ok(Effect { skipped: true, ..Effect::default() });
            }
            if create.or_replace {
                effect = self.drop_table(&create.name, false, true)?;
            } else if self.judging_down {
                return Err(Refusal::new(format!("table {} exists already", create.name)));
            } else {
                // UP ran, so the table did not stand there: something that the catalog did not see dropped it.
                self.forget_names(&old);
                self.forget(&key);
                self.was_assumed(&old);
            }
        } else if create.if_not_exists || create.or_replace {
            effect.conditional = !self.knows(&create.name);
        }
        if let (true, Some((column, why))) = (self.judging_down, create.columns.iter().find_map(|c| c.faulty.as_ref().map(|why| (&c.name, why)))) {
            return Err(Refusal::new(format!("column {}.{column}: {why}", create.name)));
        }
        let made = self.fresh();
        let bounds = create.like.as_deref().and_then(|_| partition_bounds(&create.options));
        let mut table = Table {
            name: create.name.clone(),
            made,
            known: !create.of_query,
            options: bounds.as_ref().map_or_else(|| create.options.clone(), |(_, rest)| rest.clone()),
            rows: self.fresh(),
            empty: !create.of_query,
            ..Table::default()
        };
        if let Some(like) = &create.like {
            match self.table_or_assume(like) {
                Ok(like) => {
                    table.known = like.known && !create.of_query;
                    table.columns = like.columns.iter().map(|c| HeldColumn { values: 0, ..c.clone() }).collect();
                }
                Err(_) => table.known = false,
            }
        }
        for column in &create.columns {
            table.columns.push(HeldColumn { def: Rc::new(column.clone()), assumed: false, values: 0 });
        }
        for column in &mut table.columns {
            column.values = self.fresh();
            self.lean_on_type(&create.name, &column.def.ty);
        }
        self.set(key, Some(Entry::Table(Rc::new(table))));
        if let (Some((bounds, _)), Some(parent)) = (bounds, &create.like) {
            self.set_attribute(parent, &format!("{PARTITION}{}", create.name), Some(&bounds))?;
        }
        if self.engine == Engine::Postgres {
            self.give_default_rights(&create.name, "tables");
            for column in create.columns.iter().filter(|c| c.identity.is_some()) {
                self.make_sequence(&create.name, &column.name);
            }
        }
        // Keys first: on MySQL and MariaDB an index made for a foreign key gives way to a written one.
        for index in &create.indexes {
            self.create_index(index, false)?;
        }
        let is_key = |c: &&Constraint| matches!(c.rule, Rule::ForeignKey { .. });
        for constraint in create.constraints.iter().filter(|c| !is_key(c)).chain(create.constraints.iter().filter(is_key)) {
            self.add_constraint(&create.name, constraint)?;
        }
        Ok(effect)
    }

    /// A column of `table` gets the type `ty`. What leans on a type may be done with it since: who asks looks again.
    pub(super) fn lean_on_type(&mut self, table: &str, ty: &str) {
        if let (Engine::Postgres, Some(made)) = (self.engine, made_type(ty)) {
            self.lean(made, Leaning::Table(table.to_owned()), true);
        }
    }

    /// Forgets where the indexes of `table` stand and what its keys point at.
    pub(super) fn forget_names(&mut self, table: &Table) {
        for index in &table.indexes {
            self.drop_hanging(&index.name);
            self.set(Key::IndexTable(index.name.clone()), None);
        }
        for constraint in &table.constraints {
            if let Some(Rule::ForeignKey { target, .. }) = &constraint.rule {
                self.lean(target, Leaning::Table(table.name.clone()), false);
            }
        }
    }

    pub(super) fn drop_table(&mut self, name: &str, if_exists: bool, cascade: bool) -> Applied {
        if if_exists && self.table(name).is_none() {
            let known = self.knows(name) || self.missing(&Key::Table(name.to_owned())).is_err();
            return Ok(Effect { skipped: known, conditional: !known, ..Effect::default() });
        }
        let table = self.table_or_assume(name).or_missing(|| format!("table {name}"))?;
        let mut along = Vec::new();
        if self.engine == Engine::Sqlite && !self.checks_off {
            // With foreign keys on, DROP TABLE first deletes every row (manual, "SQLite Foreign Key Support", section 5).
            along = self.rows_along(name, true)?;
        }
        for who in self.leaning(name).iter() {
            self.drop_leaning(name, who, self.takes_along(cascade))?;
        }
        // Its partitions go with it.
        for who in self.leaning(name).iter() {
            if let Leaning::Attribute(attribute) = who
                && let Some(part) = attribute.strip_prefix(PARTITION).filter(|_| self.engine == Engine::Postgres)
            {
                along.extend(self.drop_table(part, true, cascade)?.destroyed);
            }
        }
        self.drop_hanging_on_table(&table);
        self.forget_names(&table);
        self.set(Key::Table(name.to_owned()), None);
        let mut effect = Effect { own: !self.stood_before(table.made), ..Effect::default() };
        if self.stood_before(table.made) {
            effect.destroyed.push(table.rows);
            effect.destroyed.extend(table.columns.iter().map(|c| c.values));
            effect.destroyed.retain(|&origin| self.stood_before(origin));
        }
        effect.own &= along.is_empty();
        effect.destroyed.extend(along);
        Ok(effect)
    }

    /// A table goes on which `who` leans.
    fn drop_leaning(&mut self, table: &str, who: &Leaning, cascade: bool) -> Result<(), Refusal> {
        match who {
            // SQLite's keys keep the name, and hold again when a table of that name stands.
            Leaning::Table(_) if self.engine == Engine::Sqlite => Ok(()),
            Leaning::Table(other) if other != table && !self.together.contains(other) => {
                if !cascade || self.engine.is_mysql_like() {
                    return match self.engine {
                        _ if self.checks_off || !self.judging_down => Ok(()),
                        _ => Err(Refusal::new(format!("a foreign key of {other} points at {table}"))),
                    };
                }
                let points = |rule: &Option<Rule>| matches!(rule, Some(Rule::ForeignKey { target, .. }) if target == table);
                let _ = self.change_table(other, |t| t.constraints.retain(|c| !points(&c.rule)));
                Ok(())
            }
            Leaning::User(user) if self.engine == Engine::Postgres => {
                if let Key::Attribute(parent, attribute) = &**user
                    && attribute.starts_with(PARTITION)
                {
                    self.lean(parent, Leaning::Attribute(attribute.clone()), false);
                    self.lean(table, who.clone(), false);
                    self.set((**user).clone(), None);
                }
                let Key::Object(class, view, on) = &**user else { return Ok(()) };
                if !cascade {
                    return Err(Refusal::new(format!("{} {view} leans on {table}", class.word())));
                }
                self.drop_object(*class, view, on.as_ref(), true, true).map(drop)
            }
            Leaning::Table(_) | Leaning::User(_) | Leaning::Part(..) | Leaning::Attribute(_) => Ok(()),
        }
    }

    pub(super) fn rename_table(&mut self, from: &str, to: &str) -> Applied {
        self.views_hold()?;
        let table = self.table_or_assume(from).or_missing(|| format!("table {from}"))?;
        if self.table(to).is_some() {
            if self.judging_down {
                return Err(Refusal::new(format!("table {to} exists already")));
            }
            self.forget(&Key::Table(to.to_owned()));
        }
        let leaning = self.leaning(from);
        let mut renamed = Table::clone(&table);
        renamed.name = to.to_owned();
        for index in &mut renamed.indexes {
            if let Some(def) = &mut Rc::make_mut(index).def {
                def.table = to.to_owned();
            }
            self.set(Key::IndexTable(index.name.clone()), Some(Entry::Text(to.into())));
        }
        let targets: Vec<Name> =
            renamed.constraints.iter().filter_map(|c| if let Some(Rule::ForeignKey { target, .. }) = &c.rule { Some(target.clone()) } else { None }).collect();
        self.set(Key::Table(from.to_owned()), None);
        self.set(Key::Table(to.to_owned()), Some(Entry::Table(Rc::new(renamed))));
        for target in targets {
            self.lean(&target, Leaning::Table(from.to_owned()), false);
            self.lean(&target, Leaning::Table(to.to_owned()), true);
        }
        self.move_hanging(from, to);
        for column in &table.columns {
            self.lean_on_type(to, &column.def.ty);
            self.move_hanging(&format!("{from}.{}", column.def.name), &format!("{to}.{}", column.def.name));
        }
        for who in leaning.iter().filter(|w| matches!(w, Leaning::Table(_) | Leaning::User(_))) {
            self.lean(from, who.clone(), false);
            if let Leaning::User(user) = who
                && let Key::Attribute(parent, attribute) = &**user
                && attribute.starts_with(PARTITION)
                && let Some(Entry::Text(bounds)) = self.get(user).cloned()
            {
                self.set((**user).clone(), None);
                self.lean(parent, Leaning::Attribute(attribute.clone()), false);
                self.set_attribute(parent, &format!("{PARTITION}{to}"), Some(&bounds))?;
                continue;
            }
            let who = if *who == Leaning::Table(from.to_owned()) { Leaning::Table(to.to_owned()) } else { who.clone() };
            if let Leaning::Table(other) = &who {
                let _ = self.change_table(other, |t| {
                    for constraint in &mut t.constraints {
                        if let Some(Rule::ForeignKey { target, .. }) = &mut Rc::make_mut(constraint).rule
                            && target == from
                        {
                            *target = to.to_owned();
                        }
                    }
                });
            }
            self.lean(to, who, true);
        }
        Ok(Effect { own: !self.stood_before(table.made), ..Effect::default() })
    }
}
