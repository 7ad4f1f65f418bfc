//! Columns: added, dropped, renamed, changed.

use super::{Applied, Effect, OrMissing, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Column, ColumnChange, Constraint, Name, Rule};
use crate::schema::catalog::{Catalog, Entry, HeldColumn, HeldConstraint, Key, Leaning, Table};
use crate::schema::naming::{rename_word, rule_columns, words};
use crate::schema::types::{Conversion, conversion, written_cast};
use std::rc::Rc;

impl Catalog {
    pub(super) fn add_column(&mut self, table: &str, column: &Column, constraints: &[Constraint], if_not_exists: bool) -> Applied {
        if if_not_exists {
            self.column_condition("IF NOT EXISTS")?;
        }
        let held = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let mut conditional = false;
        if let Some(old) = held.column(&column.name) {
            if if_not_exists {
                return Ok(Effect { skipped: true, ..Effect::default() });
            }
            if self.judging_down && !old.assumed {
                return Err(Refusal::new(format!("column {table}.{} exists already", column.name)));
            }
        } else {
            conditional = if_not_exists && !held.known;
        }
        if let (true, Some(why)) = (self.judging_down, &column.faulty) {
            return Err(Refusal::new(format!("column {table}.{}: {why}", column.name)));
        }
        if self.engine == Engine::Sqlite && self.judging_down {
            self.sqlite_may_add(&held, column, constraints)?;
        }
        if self.judging_down
            && column.not_null
            && column.default.is_none()
            && column.identity.is_none()
            && column.generated.is_none()
            && !self.holds_none(&held)
            && !self.engine.is_mysql_like()
        {
            return Err(Refusal::new(format!("column {table}.{} is NOT NULL without a default, and rows stand in {table}", column.name)));
        }
        self.lean_on_type(table, &column.ty);
        let values = self.fresh();
        let new = HeldColumn { def: Rc::new(column.clone()), assumed: false, values };
        self.change_table(table, |t| {
            t.columns.retain(|c| c.def.name != new.def.name);
            t.columns.push(new);
        })
        .or_missing(|| format!("table {table}"))?;
        if self.engine == Engine::Postgres && column.identity.is_some() {
            self.make_sequence(table, &column.name);
        }
        for constraint in constraints {
            self.add_constraint(table, constraint)?;
        }
        Ok(Effect { own: true, conditional, ..Effect::default() })
    }

    /// What SQLite adds by rebuilding the table only (manual, "ALTER TABLE ADD COLUMN").
    fn sqlite_may_add(&self, table: &Table, column: &Column, constraints: &[Constraint]) -> Result<(), Refusal> {
        let refuse = |what: &str| Err(Refusal::new(format!("SQLite adds no column {}.{} {what}", table.name, column.name)));
        let rows = !self.holds_none(table);
        let computed = |default: &String| {
            default.starts_with("current_")
                || words(default, Engine::Sqlite).next().is_some() && default.contains(['(', '+', '*', '|']) && !default.starts_with('\'')
        };
        if column.generated.as_ref().is_some_and(|g| g.ends_with(" stored")) {
            return refuse("that is computed and stored");
        }
        if constraints.iter().any(|c| matches!(c.rule, Rule::PrimaryKey(_) | Rule::Unique(_))) {
            return refuse("with a key");
        }
        if rows && column.default.as_ref().is_some_and(computed) {
            return refuse("whose default is computed, where rows stand");
        }
        if rows && !self.checks_off && column.default.is_some() && constraints.iter().any(|c| matches!(c.rule, Rule::ForeignKey { .. })) {
            return refuse("that points at another table and has a default, where rows stand");
        }
        Ok(())
    }

    pub(super) fn drop_column(&mut self, table: &str, column: &str, if_exists: bool, cascade: bool) -> Applied {
        self.views_hold()?;
        if if_exists {
            self.column_condition("IF EXISTS")?;
        }
        let held = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        if if_exists && held.column(column).is_none() && (held.known || self.judging_down) {
            return Ok(Effect { skipped: held.known, conditional: !held.known, ..Effect::default() });
        }
        let old = self.column_or_assume(table, column).or_missing(|| format!("column {table}.{column}"))?;
        if self.judging_down {
            self.column_may_go(table, column, cascade)?;
        }
        let held = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let mysql = self.engine.is_mysql_like();
        let engine = self.engine;
        let uses = |columns: &[String]| columns.iter().any(|c| words(c, engine).any(|w| w == column));
        let mut gone: Vec<Name> = Vec::new();
        let mut new = Table::clone(&held);
        new.columns.retain(|c| c.def.name != column);
        new.indexes.retain_mut(|index| {
            // MySQL and MariaDB keep a composite index with the columns that are left.
            if mysql
                && index.def.as_ref().is_some_and(|d| uses(&d.columns))
                && let Some(def) = &mut Rc::make_mut(index).def
            {
                def.columns.retain(|c| !words(c, engine).any(|w| w == column));
            }
            let Some(def) = &index.def else { return true };
            let keep = !def.columns.is_empty() && !uses(&def.columns) && !words(&def.rest, engine).any(|w| w == column);
            if !keep {
                gone.push(index.name.clone());
            }
            keep
        });
        new.constraints.retain_mut(|constraint| {
            if mysql && let Some(Rule::PrimaryKey(columns)) = &mut Rc::make_mut(constraint).rule {
                columns.retain(|c| c != column);
                return !columns.is_empty();
            }
            constraint.rule.as_ref().is_none_or(|rule| !rule_columns(rule, engine).iter().any(|c| c == column))
        });
        let targets = |t: &Table| -> Vec<Name> {
            t.constraints.iter().filter_map(|c| if let Some(Rule::ForeignKey { target, .. }) = &c.rule { Some(target.clone()) } else { None }).collect()
        };
        let left = targets(&new);
        for target in targets(&held).into_iter().filter(|t| !left.contains(t)) {
            self.lean(&target, Leaning::Table(table.to_owned()), false);
        }
        self.set(Key::Table(table.to_owned()), Some(Entry::Table(Rc::new(new))));
        for index in gone {
            self.drop_index_attributes(table, &index);
            self.set(Key::IndexTable(index), None);
        }
        self.drop_hanging(&format!("{table}.{column}"));
        match self.engine {
            Engine::Sqlite => self.name_becomes_text(table, column),
            Engine::Postgres => self.take_along(table, column)?,
            Engine::Mysql | Engine::Mariadb => {}
        }
        let before = self.stood_before(old.values);
        Ok(Effect { destroyed: if before { vec![old.values] } else { Vec::new() }, own: !before, ..Effect::default() })
    }

    /// Neither SQLite nor MySQL has the condition in ALTER TABLE.
    fn column_condition(&self, words: &str) -> Result<(), Refusal> {
        match self.engine {
            Engine::Sqlite | Engine::Mysql if self.judging_down => Err(Refusal::new(format!("{} has no {words} for columns", self.engine))),
            _ => Ok(()),
        }
    }

    pub(super) fn rename_column(&mut self, table: &str, from: &str, to: &str) -> Applied {
        self.views_hold()?;
        let old = self.column_or_assume(table, from).or_missing(|| format!("column {table}.{from}"))?;
        if self.judging_down && self.table(table).is_some_and(|t| t.column(to).is_some_and(|c| !c.assumed)) {
            return Err(Refusal::new(format!("column {table}.{to} exists already")));
        }
        let engine = self.engine;
        let swap = |names: &mut Vec<String>| {
            for name in names {
                *name = if name == from { to.to_owned() } else { rename_word(name, from, to, engine) };
            }
        };
        self.change_table(table, |t| {
            t.columns.retain(|c| c.def.name != to);
            for column in &mut t.columns {
                if column.def.name == from {
                    Rc::make_mut(&mut column.def).name = to.to_owned();
                }
                if let Some(generated) = &column.def.generated {
                    let generated = rename_word(generated, from, to, engine);
                    Rc::make_mut(&mut column.def).generated = Some(generated);
                }
            }
            for constraint in &mut t.constraints {
                match &mut Rc::make_mut(constraint).rule {
                    Some(Rule::PrimaryKey(columns) | Rule::Unique(columns) | Rule::ForeignKey { columns, .. }) => swap(columns),
                    Some(Rule::Check(text) | Rule::Exclude(text)) => *text = rename_word(text, from, to, engine),
                    None => {}
                }
            }
            for def in t.indexes.iter_mut().filter_map(|i| Rc::make_mut(i).def.as_mut()) {
                swap(&mut def.columns);
                def.rest = rename_word(&def.rest, from, to, engine);
            }
        })
        .or_missing(|| format!("table {table}"))?;
        self.move_hanging(&format!("{table}.{from}"), &format!("{table}.{to}"));
        let points = |c: &HeldConstraint| matches!(&c.rule, Some(Rule::ForeignKey { target, target_columns, .. }) if target == table && target_columns.iter().any(|c| c == from));
        for who in self.leaning(table).iter() {
            if let Leaning::Table(other) = who
                && self.table(other).is_some_and(|t| t.constraints.iter().any(|c| points(c)))
            {
                let _ = self.change_table(other, |t| {
                    for constraint in &mut t.constraints {
                        if let Some(Rule::ForeignKey { target, target_columns, .. }) = &mut Rc::make_mut(constraint).rule
                            && target == table
                        {
                            swap(target_columns);
                        }
                    }
                });
            }
        }
        Ok(Effect { own: !self.stood_before(old.values), ..Effect::default() })
    }

    pub(super) fn alter_column(&mut self, table: &str, column: &str, change: &ColumnChange) -> Applied {
        let old = self.column_or_assume(table, column).or_missing(|| format!("column {table}.{column}"))?;
        let mut new = Column::clone(&old.def);
        let mut using_given = None;
        match change {
            ColumnChange::SetNotNull => new.not_null = true,
            ColumnChange::DropNotNull => {
                new.not_null = false;
                self.forget_not_null_name(table, column);
            }
            ColumnChange::SetDefault(default) => new.default = Some(default.clone()),
            ColumnChange::DropDefault => new.default = None,
            ColumnChange::SetType { ty, using, collation } => {
                self.type_may_change(table, column)?;
                new.ty.clone_from(ty);
                new.collation.clone_from(collation);
                using_given = using.as_ref();
            }
            ColumnChange::AddIdentity(identity) | ColumnChange::SetIdentity(identity) => {
                new.identity = Some(identity.clone());
                new.not_null = true;
            }
            ColumnChange::DropIdentity { .. } => new.identity = None,
            ColumnChange::DropExpression => new.generated = None,
            ColumnChange::Attribute(name, value) => {
                return self.set_attribute(&format!("{table}.{column}"), name, Some(value.as_str()).filter(|value| !value.is_empty()));
            }
        }
        if self.engine == Engine::Postgres {
            self.identity_changes(table, &old, change)?;
        }
        if self.engine == Engine::Postgres && matches!(change, ColumnChange::SetType { .. }) {
            // The new type's own storage holds, be it the same type (`ATExecAlterColumnType`).
            for attribute in ["storage", "compression"] {
                self.put_attribute(&format!("{table}.{column}"), attribute, None);
            }
        }
        let mut effect = self.change_column(table, &old, new, using_given)?;
        if !matches!(change, ColumnChange::SetType { .. }) {
            effect.conversion = None;
        }
        // The position that the sequence had reached is forgotten.
        if matches!(change, ColumnChange::DropIdentity { .. }) && self.stood_before(old.values) {
            effect.conversion = Some(Conversion::Unknown);
        }
        // The one attribute that changed was not known before.
        effect.blind = old.assumed
            && matches!(
                change,
                ColumnChange::SetDefault(_)
                    | ColumnChange::DropDefault
                    | ColumnChange::AddIdentity(_)
                    | ColumnChange::SetIdentity(_)
                    | ColumnChange::DropIdentity { .. }
                    | ColumnChange::DropExpression
            );
        Ok(effect)
    }

    /// The sequence comes and goes with the identity. PostgreSQL refuses a second identity, and to change or drop none.
    fn identity_changes(&mut self, table: &str, old: &HeldColumn, change: &ColumnChange) -> Result<(), Refusal> {
        let certain = self.judging_down && !old.assumed;
        let stands = old.def.identity.is_some();
        let column = &old.def.name;
        match change {
            ColumnChange::AddIdentity(_) if certain && stands => return Err(Refusal::new(format!("column {table}.{column} is an identity already"))),
            ColumnChange::SetIdentity(_) | ColumnChange::DropIdentity { if_exists: false } if certain && !stands => {
                return Err(Refusal::new(format!("column {table}.{column} is no identity")));
            }
            ColumnChange::AddIdentity(_) => self.make_sequence(table, column),
            ColumnChange::DropIdentity { .. } => self.drop_hanging(&format!("{table}.{column}")),
            _ => {}
        }
        Ok(())
    }

    pub(super) fn redefine_column(&mut self, table: &str, from: &str, column: &Column) -> Applied {
        let old = self.column_or_assume(table, from).or_missing(|| format!("column {table}.{from}"))?;
        if from != column.name {
            self.rename_column(table, from, &column.name)?;
        }
        let mut new = column.clone();
        // A key's column stays NOT NULL though MODIFY does not say so.
        new.not_null |= self.table(table).and_then(|t| t.primary_key()).is_some_and(|key| key.contains(&column.name));
        let held = HeldColumn { def: Rc::new(Column { name: column.name.clone(), ..Column::clone(&old.def) }), ..old };
        let mut effect = self.change_column(table, &held, new, None)?;
        effect.blind = held.assumed;
        Ok(effect)
    }

    /// Gives a column its new definition, and its values the number that they deserve.
    fn change_column(&mut self, table: &str, old: &HeldColumn, new: Column, using: Option<&String>) -> Applied {
        let mut what = conversion(&old.def.ty, &new.ty, self.engine);
        if let Some(using) = using {
            what = match written_cast(&old.def.ty, &new.ty, self.engine) {
                // The plain cast, written out.
                plain if is_plain_cast(using, &new, self.engine) => {
                    if plain == Conversion::Unknown {
                        Conversion::Refuses
                    } else {
                        plain
                    }
                }
                _ if self.judging_down => Conversion::Unknown,
                _ => Conversion::Cuts,
            };
        }
        let mut values = old.values;
        let mapped_by_hand = using.is_some_and(|using| !is_plain_cast(using, &new, self.engine));
        let mut effect = Effect { own: !self.stood_before(old.values), conversion: Some(what), mapped_by_hand, ..Effect::default() };
        // What stood before is weighed with all that DOWN demands at its end; this may be gone by then.
        let of_up = self.judging_down && !self.stood_before(old.values) && !old.assumed;
        effect.may_meet_null = of_up
            && (new.not_null && !old.def.not_null)
            && self.as_found(table).is_some_and(|t| !self.holds_none(t) && t.columns.iter().any(|c| c.values == old.values));
        if what == Conversion::Cuts {
            // Right after UP a value that came from the old type fits the old type.
            let back = self.judging_down && self.first_column(table, &new.name).is_some_and(|c| c.values == old.values && c.def.ty == new.ty);
            if !back {
                values = self.fresh();
                if using.is_some() {
                    self.converted.insert(values, old.values);
                }
                if self.stood_before(old.values) {
                    effect.destroyed.push(old.values);
                    effect.perhaps = true;
                }
            }
        }
        // A conversion written out, and one written out to the type that was: the author maps the values back.
        if let (true, Some(original)) = (self.judging_down && using.is_some(), self.converted.get(&old.values).copied())
            && self.first_column(table, &new.name).is_some_and(|c| c.values == original && c.def.ty == new.ty)
        {
            values = original;
            effect.mapped_back = true;
        }
        self.lean_on_type(table, &new.ty);
        let name = new.name.clone();
        let held = HeldColumn { assumed: false, def: Rc::new(new), values };
        self.change_table(table, |t| {
            if let Some(column) = t.columns.iter_mut().find(|c| c.def.name == name) {
                *column = held;
            }
        })
        .or_missing(|| format!("table {table}"))?;
        Ok(effect)
    }

    /// The column as it was when the migration began.
    fn first_column(&self, table: &str, column: &str) -> Option<HeldColumn> {
        let made = self.table(table)?.made;
        self.before(table, made)?.column(column).cloned()
    }
}

/// `USING c::new_type`, `CAST(c AS new_type)`, or by way of text.
fn is_plain_cast(using: &str, column: &Column, engine: Engine) -> bool {
    let plain = using.replace(['"', '(', ')'], "");
    let mut parts = plain.split("::");
    if parts.next().is_some_and(|c| c.rsplit('.').next() == Some(&column.name)) {
        return parts.all(|ty| {
            let ty = crate::parse::even::ty(ty, engine);
            let bare = |t: &str| t.replace(['(', ')', '"'], "");
            bare(&ty) == bare(&column.ty) || matches!(ty.as_str(), "text" | "character varying")
        });
    }
    using.strip_prefix("cast(").is_some_and(|cast| cast.starts_with(&format!("{} as ", column.name)))
}
