//! Constraints and indexes.

use super::{Applied, Effect, OrMissing, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Class, Constraint, Dropped, Index, Name, Rule};
use crate::parse::even;
use crate::schema::catalog::{Catalog, Entry, HeldConstraint, HeldIndex, Key, Leaning, Table, held};
use crate::schema::naming;
use crate::table::Kind;
use std::rc::Rc;

/// What stands for the table of an index of which only the name is known.
pub(crate) const UNKNOWN_TABLE: &str = "?";

/// Whether an index over `columns` serves a foreign key on `key`. On MariaDB it does so in whatever order it sorts; MySQL keeps the
/// key's own index beside one that sorts down.
fn serves(columns: &[String], key: &[Name], engine: Engine) -> bool {
    let unsorted = |c: &String| c.strip_suffix(" asc").or(c.strip_suffix(" desc").filter(|_| engine != Engine::Mysql)).map(str::to_owned);
    columns.len() >= key.len() && key.iter().zip(columns).all(|(k, c)| k == c || unsorted(c).as_ref() == Some(k))
}

impl Table {
    /// Whether some key or index other than `but` serves a foreign key on `key`.
    fn key_is_served(&self, key: &[Name], but: Option<&str>, engine: Engine) -> bool {
        self.indexes.iter().any(|i| Some(i.name.as_str()) != but && i.def.as_ref().is_some_and(|d| serves(&d.columns, key, engine)))
            || self.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::PrimaryKey(columns) | Rule::Unique(columns)) if serves(columns, key, engine)))
    }
}

impl Catalog {
    pub(super) fn add_constraint(&mut self, table: &str, constraint: &Constraint) -> Applied {
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let mut constraint = constraint.clone();
        let mysql = self.engine.is_mysql_like();
        if let Some(index) = constraint.using_index.take() {
            // An index stands in its table's schema.
            let index = match table.rsplit_once('.') {
                Some((schema, _)) if !index.contains('.') => format!("{schema}.{index}"),
                _ => index,
            };
            let taken = held_table.indexes.iter().find(|i| i.name == index).and_then(|i| i.def.clone());
            let Some(Index { columns, rest, .. }) = taken else {
                return self.take_unknown_index(table, constraint, &index);
            };
            constraint.name.get_or_insert_with(|| index.clone());
            constraint.mode = even::joined([&*rest, &*constraint.mode]);
            match &mut constraint.rule {
                Rule::PrimaryKey(own) | Rule::Unique(own) => *own = columns,
                Rule::ForeignKey { .. } | Rule::Check(_) | Rule::Exclude(_) => {}
            }
            let _ = self.change_table(table, |t| t.indexes.retain(|i| i.name != index));
            self.set(Key::IndexTable(index), None);
        }
        // On MySQL and MariaDB a unique constraint is a unique index, and nothing else.
        if let (true, Rule::Unique(columns)) = (mysql, &constraint.rule) {
            let index = Index { name: constraint.name.clone(), table: table.to_owned(), unique: true, columns: columns.clone(), rest: String::new() };
            return self.create_index(&index, false);
        }
        if self.judging_down && held_table.known {
            let columns: &[Name] = match &constraint.rule {
                Rule::PrimaryKey(columns) | Rule::Unique(columns) | Rule::ForeignKey { columns, .. } => columns,
                Rule::Check(_) | Rule::Exclude(_) => &[],
            };
            if let Some(missing) = columns.iter().find(|c| plain(c) && held_table.column(c).is_none()) {
                return Err(Refusal::new(format!("column {table}.{missing} does not exist")));
            }
        }
        if let Rule::ForeignKey { columns, target, target_columns, .. } = &mut constraint.rule {
            let parent = if target == table { held_table.clone() } else { self.parent(target)? };
            if target_columns.is_empty() {
                *target_columns = parent.primary_key().map(<[Name]>::to_vec).unwrap_or_default();
            }
            let (columns, target) = (columns.clone(), target.clone());
            if mysql && !held_table.key_is_served(&columns, None, self.engine) {
                let name = constraint.name.clone().unwrap_or_else(|| naming::index(&held_table, &columns, self.engine));
                let def = Index { name: Some(name.clone()), table: table.to_owned(), unique: false, columns, rest: String::new() };
                let _ = self.change_table(table, |t| t.indexes.push(Rc::new(HeldIndex { name, generated: true, for_key: true, def: Some(def) })));
            }
            self.lean(&target, Leaning::Table(table.to_owned()), true);
        }
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let name = match (&constraint.name, &constraint.rule) {
            (_, Rule::PrimaryKey(_)) if mysql => "primary".into(),
            (Some(name), _) => name.clone(),
            (None, rule) => naming::constraint(&held_table, rule, self.engine),
        };
        let twice = |c: &HeldConstraint| c.name == name || matches!((&c.rule, &constraint.rule), (Some(Rule::PrimaryKey(_)), Rule::PrimaryKey(_)));
        if held_table.constraints.iter().any(|c| twice(c)) && self.judging_down {
            return Err(Refusal::new(format!("constraint {name} on {table} exists already")));
        }
        let not_null = match &constraint.rule {
            Rule::PrimaryKey(columns) if self.engine != Engine::Sqlite => columns.clone(),
            _ => Vec::new(),
        };
        let new = held(&constraint, name);
        self.change_table(table, |t| {
            t.constraints.retain(|c| c.name != new.name);
            t.constraints.push(new);
            for column in t.columns.iter_mut().filter(|c| not_null.contains(&c.def.name)) {
                Rc::make_mut(&mut column.def).not_null = true;
            }
        })
        .or_missing(|| format!("table {table}"))?;
        Ok(Effect { own: !self.stood_before(held_table.made), ..Effect::default() })
    }

    /// A key that takes over an index of which only the name is known.
    fn take_unknown_index(&mut self, table: &str, constraint: Constraint, index: &str) -> Applied {
        if self.judging_down && self.knows(index) {
            return Err(Refusal::new(format!("index {index} does not exist")));
        }
        let name = constraint.name.unwrap_or_else(|| index.to_owned());
        self.change_table(table, |t| t.constraints.push(Rc::new(HeldConstraint { name, generated: false, rule: None, not_valid: false, mode: String::new() })))
            .or_missing(|| format!("table {table}"))?;
        Ok(Effect { blind: true, ..Effect::default() })
    }

    /// The table that a foreign key points at. SQLite asks for it only when rows are written.
    fn parent(&mut self, target: &str) -> Result<Rc<Table>, Refusal> {
        if self.engine == Engine::Sqlite && self.table(target).is_none() {
            return Ok(Rc::default());
        }
        self.table_or_assume(target).or_missing(|| format!("table {target}"))
    }

    pub(super) fn drop_constraint(&mut self, table: &str, which: &Dropped, if_exists: bool, cascade: bool) -> Applied {
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let matches = |c: &HeldConstraint| match which {
            Dropped::Named(name) => c.name == *name,
            Dropped::PrimaryKey => matches!(c.rule, Some(Rule::PrimaryKey(_))),
            Dropped::ForeignKey(name) => c.name == *name && matches!(c.rule, Some(Rule::ForeignKey { .. }) | None),
        };
        let Some(found) = held_table.constraints.iter().find(|c| matches(c)).cloned() else {
            if let (true, Dropped::Named(name)) = (self.engine.is_mysql_like(), which)
                && let Some(index) = held_table.indexes.iter().find(|i| i.name == *name)
            {
                // A key over whole long values is a hash there, and no constraint (MariaDB 10.11 showed it).
                let long = |c: &Name| held_table.column(c).is_some_and(|c| c.def.ty.ends_with("blob") || c.def.ty.ends_with("text"));
                if self.judging_down && self.engine == Engine::Mariadb && index.def.as_ref().is_some_and(|d| d.columns.iter().any(long)) {
                    return Err(Refusal::new(format!("{name} on {table} is an index over long values, which only DROP INDEX drops")));
                }
                return self.drop_index(Some(&table.to_owned()), name, if_exists);
            }
            let name = match which {
                Dropped::Named(name) | Dropped::ForeignKey(name) => name.clone(),
                Dropped::PrimaryKey => "primary".into(),
            };
            if let Some(effect) = self.drop_named_not_null(table, &name) {
                return Ok(effect);
            }
            if if_exists && held_table.known {
                return Ok(Effect { skipped: true, ..Effect::default() });
            }
            let had = |t: &Rc<Table>| t.constraints.iter().any(|c| matches(c));
            if !self.stood_before(held_table.made) || self.judging_down && held_table.known || self.before(table, held_table.made).is_some_and(had) {
                return Err(Refusal::new(format!("constraint {name} on {table} does not exist")));
            }
            // It stood there, and nobody knows what it demanded.
            let unknown = Rc::new(HeldConstraint { name: name.clone(), generated: false, rule: None, not_valid: false, mode: String::new() });
            self.assume_in_table(table, |t| {
                if !t.constraints.iter().any(|c| c.name == unknown.name) {
                    t.constraints.push(unknown.clone());
                }
            });
            let _ = self.change_table(table, |t| t.constraints.retain(|c| c.name != name));
            return Ok(Effect { blind: true, conditional: if_exists, ..Effect::default() });
        };
        self.key_may_go(table, &found, self.takes_along(cascade))?;
        if let Some(Rule::ForeignKey { target, .. }) = &found.rule {
            let others = |c: &HeldConstraint| c.name != found.name && matches!(&c.rule, Some(Rule::ForeignKey { target: t, .. }) if t == target);
            if !held_table.constraints.iter().any(|c| others(c)) {
                self.lean(target, Leaning::Table(table.to_owned()), false);
            }
        }
        self.drop_hanging(&format!("{} on {table}", found.name));
        self.drop_mode(table, &found.name);
        let _ = self.change_table(table, |t| t.constraints.retain(|c| c.name != found.name));
        let was_primary = matches!(found.rule, Some(Rule::PrimaryKey(_)));
        Ok(Effect { blind: found.rule.is_none(), was_primary, own: !self.stood_before(held_table.made), ..Effect::default() })
    }

    /// PostgreSQL does not drop a key at which a foreign key points.
    fn key_may_go(&mut self, table: &str, key: &HeldConstraint, cascade: bool) -> Result<(), Refusal> {
        let (Engine::Postgres, Some(Rule::PrimaryKey(columns) | Rule::Unique(columns))) = (self.engine, &key.rule) else { return Ok(()) };
        let points =
            |c: &HeldConstraint| matches!(&c.rule, Some(Rule::ForeignKey { target, target_columns, .. }) if target == table && target_columns == columns);
        for who in self.leaning(table).iter() {
            let Leaning::Table(other) = who else { continue };
            if !self.table(other).is_some_and(|t| t.constraints.iter().any(|c| points(c))) {
                continue;
            }
            if !cascade {
                return Err(Refusal::new(format!("a foreign key of {other} points at constraint {} of {table}", key.name)));
            }
            let _ = self.change_table(other, |t| t.constraints.retain(|c| !points(c)));
        }
        Ok(())
    }

    pub(super) fn validate_constraint(&mut self, table: &str, name: &str) -> Applied {
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let validated = held_table.constraints.iter().any(|c| c.name == name && c.not_valid);
        let before = self.before(table, held_table.made).is_none_or(|t| t.constraints.iter().any(|c| c.name == name));
        if validated {
            let _ = self.change_table(table, |t| t.constraints.iter_mut().filter(|c| c.name == name).for_each(|c| Rc::make_mut(c).not_valid = false));
        }
        Ok(Effect { validated: validated && before && self.stood_before(held_table.made), ..Effect::default() })
    }

    pub(super) fn rename_constraint(&mut self, table: &str, from: &str, to: &str) -> Applied {
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        if !held_table.constraints.iter().any(|c| c.name == from) {
            if let Some(effect) = self.rename_not_null(table, from, to) {
                return Ok(effect);
            }
            if self.judging_down && held_table.known {
                return Err(Refusal::new(format!("constraint {from} on {table} does not exist")));
            }
            let unknown = Rc::new(HeldConstraint { name: from.to_owned(), generated: false, rule: None, not_valid: false, mode: String::new() });
            self.assume_in_table(table, |t| t.constraints.push(unknown.clone()));
        }
        let _ = self.change_table(table, |t| {
            for constraint in t.constraints.iter_mut().filter(|c| c.name == from) {
                let constraint = Rc::make_mut(constraint);
                (constraint.name, constraint.generated) = (to.to_owned(), false);
            }
        });
        Ok(Effect { own: !self.stood_before(held_table.made), ..Effect::default() })
    }

    pub(super) fn create_index(&mut self, index: &Index, if_not_exists: bool) -> Applied {
        let table = &index.table;
        let object = Key::Object(Class::MaterializedView, table.clone(), None);
        if self.table(table).is_none() && self.get(&object).is_some() {
            let name = index.name.clone().unwrap_or_default();
            if self.judging_down && self.get(&Key::IndexTable(name.clone())).is_some() {
                return Err(Refusal::new(format!("index {name} exists already")));
            }
            let definition = format!("{} {} {}", if index.unique { "unique" } else { "" }, index.columns.join(","), index.rest);
            self.set(Key::IndexTable(name.clone()), Some(Entry::Text(table.as_str().into())));
            return self.create_object(Class::Other, &name, Some(table), &definition, false, if_not_exists);
        }
        let held_table = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let name = index.name.clone().unwrap_or_else(|| naming::index(&held_table, &index.columns, self.engine));
        let own_names = !self.engine.is_mysql_like();
        let stands =
            if own_names { self.get(&Key::IndexTable(name.clone())).is_some() } else { held_table.indexes.iter().any(|i| i.name == name && !i.for_key) };
        if stands {
            if if_not_exists {
                return Ok(Effect { skipped: true, ..Effect::default() });
            }
            if self.judging_down {
                return Err(Refusal::new(format!("index {name} exists already")));
            }
        }
        if self.judging_down
            && held_table.known
            && let Some(missing) = index.columns.iter().find(|c| plain(c) && held_table.column(c).is_none())
        {
            return Err(Refusal::new(format!("column {table}.{missing} does not exist")));
        }
        let def_name = name.clone();
        let def = Index { name: Some(name.clone()), ..index.clone() };
        let new = Rc::new(HeldIndex { name: name.clone(), generated: index.name.is_none(), for_key: false, def: Some(def) });
        let engine = self.engine;
        self.change_table(table, |t| {
            // An index that was made for a foreign key goes when a written one serves the key as well.
            t.indexes.retain(|i| i.name != name && !(i.for_key && i.def.as_ref().is_some_and(|d| serves(&index.columns, &d.columns, engine))));
            t.indexes.push(new);
        })
        .or_missing(|| format!("table {table}"))?;
        if own_names {
            self.set(Key::IndexTable(name), Some(Entry::Text(table.as_str().into())));
        }
        let conditional = if_not_exists && !self.knows(&def_name);
        Ok(Effect { own: !self.stood_before(held_table.made), conditional, ..Effect::default() })
    }

    pub(super) fn drop_index(&mut self, table: Option<&Name>, name: &str, if_exists: bool) -> Applied {
        let mysql = self.engine.is_mysql_like();
        let table = match (mysql, table) {
            (true, Some(table)) => table.clone(),
            (true, None) => return Err(Refusal::new(format!("DROP INDEX {name} needs ON and its table"))),
            (false, Some(_)) => return Err(Refusal::new(format!("DROP INDEX {name} takes no ON here"))),
            (false, None) => {
                let key = Key::IndexTable(name.to_owned());
                match self.get(&key) {
                    Some(Entry::Text(table)) => table.to_string(),
                    _ => {
                        if if_exists {
                            let known = self.knows(name) || self.missing(&key).is_err();
                            return Ok(Effect { skipped: known, conditional: !known, ..Effect::default() });
                        }
                        self.missing(&key).or_missing(|| format!("index {name}"))?;
                        self.assume(key.clone(), Entry::Text(UNKNOWN_TABLE.into()));
                        self.set(key, None);
                        return Ok(Effect { blind: true, ..Effect::default() });
                    }
                }
            }
        };
        if self.table(&table).is_none() && !mysql {
            // The index of a materialized view, or one of which only the name is known.
            let known = self.get(&Key::Object(Class::Other, name.to_owned(), Some(table.clone()))).is_some();
            self.drop_part(&table, Class::Other, name);
            return Ok(Effect { blind: !known, ..Effect::default() });
        }
        let held_table = self.table_or_assume(&table).or_missing(|| format!("table {table}"))?;
        let Some(found) = held_table.indexes.iter().find(|i| i.name == name).cloned() else {
            if if_exists && held_table.known {
                return Ok(Effect { skipped: true, ..Effect::default() });
            }
            let had = self.before(&table, held_table.made).is_some_and(|t| t.indexes.iter().any(|i| i.name == name));
            if had || self.judging_down && held_table.known || !self.stood_before(held_table.made) {
                return Err(Refusal::new(format!("index {name} on {table} does not exist")));
            }
            let unknown = Rc::new(HeldIndex { name: name.to_owned(), generated: false, for_key: false, def: None });
            self.assume_in_table(&table, |t| t.indexes.push(unknown.clone()));
            let _ = self.change_table(&table, |t| t.indexes.retain(|i| i.name != name));
            return Ok(Effect { blind: true, conditional: if_exists, ..Effect::default() });
        };
        if mysql && self.judging_down && !self.checks_off {
            for constraint in &held_table.constraints {
                if let Some(Rule::ForeignKey { columns, .. }) = &constraint.rule
                    && found.def.as_ref().is_some_and(|d| serves(&d.columns, columns, self.engine))
                    && !held_table.key_is_served(columns, Some(name), self.engine)
                {
                    return Err(Refusal::new(format!("foreign key {} needs index {name} on {table}", constraint.name)));
                }
            }
        }
        let _ = self.change_table(&table, |t| t.indexes.retain(|i| i.name != name));
        self.drop_index_attributes(&table, name);
        if !mysql {
            self.set(Key::IndexTable(name.to_owned()), None);
        }
        Ok(Effect {
            blind: found.def.is_none(),
            was_unique: found.def.as_ref().is_some_and(|d| d.unique),
            own: !self.stood_before(held_table.made),
            ..Effect::default()
        })
    }

    pub(super) fn rename_index(&mut self, table: Option<&Name>, from: &str, to: &str) -> Applied {
        let mysql = self.engine.is_mysql_like();
        let table = match (table, self.get(&Key::IndexTable(from.to_owned()))) {
            (Some(table), _) => table.clone(),
            (None, Some(Entry::Text(table))) => table.to_string(),
            (None, _) => return self.rename_constraint_index(from, to),
        };
        let renamed = self
            .change_table(&table, |t| {
                let mut found = false;
                for index in t.indexes.iter_mut().filter(|i| i.name == from) {
                    let index = Rc::make_mut(index);
                    (index.name, index.generated, found) = (to.to_owned(), false, true);
                    if let Some(def) = &mut index.def {
                        def.name = Some(to.to_owned());
                    }
                }
                found
            })
            .or_missing(|| format!("table {table}"))?;
        if !renamed && self.judging_down && self.table(&table).is_some_and(|t| t.known) {
            return Err(Refusal::new(format!("index {from} on {table} does not exist")));
        }
        if !mysql {
            self.move_hanging(from, to);
            self.set(Key::IndexTable(from.to_owned()), None);
            self.set(Key::IndexTable(to.to_owned()), Some(Entry::Text(table.as_str().into())));
        }
        Ok(Effect::default())
    }

    /// ALTER INDEX … RENAME on the index of a key renames the constraint with it (PostgreSQL).
    fn rename_constraint_index(&mut self, from: &str, to: &str) -> Applied {
        let table = self.tables().find(|t| t.constraints.iter().any(|c| c.name == from)).map(|t| t.name.clone());
        match table {
            Some(table) => self.rename_constraint(&table, from, to),
            None => {
                self.missing(&Key::IndexTable(from.to_owned())).or_missing(|| format!("index {from}"))?;
                self.assume(Key::IndexTable(from.to_owned()), Entry::Text(UNKNOWN_TABLE.into()));
                self.set(Key::IndexTable(from.to_owned()), None);
                self.set(Key::IndexTable(to.to_owned()), Some(Entry::Text(UNKNOWN_TABLE.into())));
                Ok(Effect { blind: false, ..Effect::default() })
            }
        }
    }
}

/// Whether an index column is a plain name.
fn plain(column: &str) -> bool {
    column.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && column.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !matches!(column, "true" | "false" | "null")
}

/// Which line of the table a dropped constraint or index belongs to, now that it is known what it was.
pub(crate) fn dropped_kind(kind: Kind, effect: &Effect) -> Kind {
    match kind {
        Kind::DropIndex if effect.was_unique => Kind::DropUniqueIndex,
        Kind::DropConstraint if effect.was_primary => Kind::DropPrimaryKey,
        kind => kind,
    }
}
