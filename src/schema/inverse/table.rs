//! Tables that stand before and after: their columns, keys, indexes, and the rows that UP brought.

use super::define;
use super::{Inverse, Step, Unknown, unknown};
use crate::engine::Engine;
use crate::parse::action::{Column, Name, Rule, Value};
use crate::schema::catalog::{Brought, HeldColumn, HeldConstraint, HeldIndex, Table};
use crate::schema::naming::{rename_word, rule_columns, words};
use crate::schema::types::{Conversion, conversion, made_type};
use std::borrow::Cow;
use std::collections::HashSet;
use std::rc::Rc;

/// More rows than this are no list that somebody reads.
const MAX_ROWS: usize = 200;

impl Inverse<'_> {
    pub(super) fn alter_table(&mut self, old: &Table, new: &Table) -> Result<(), Unknown> {
        if old.rows != new.rows {
            return unknown(format!("rows of {} are changed or gone with UP", old.name));
        }
        if old.options != new.options {
            return unknown(format!("no statement gives {} its old options", old.name));
        }
        for brought in new.brought.iter().filter(|b| !self.now.stood_before(b.origin)) {
            self.delete(new, brought)?;
        }
        let renamed = renamed_columns(old, new);
        if self.engine == Engine::Sqlite {
            // ALTER TABLE first; where it cannot, all that it would have said is left out.
            let so_far = self.steps.len();
            let altered = self.alter(old, new, &renamed);
            if !std::mem::take(&mut self.needs_rebuild) {
                return altered;
            }
            self.steps.truncate(so_far);
            return self.rebuild(old, new, &renamed);
        }
        self.alter(old, new, &renamed)
    }

    fn alter(&mut self, old: &Table, new: &Table, renamed: &[(Name, Name)]) -> Result<(), Unknown> {
        self.rename_columns(old, new, renamed);
        let gone = self.columns(old, new, renamed)?;
        // Compared as they will stand once tables and columns have their old names.
        let aligned = self.aligned(new, renamed);
        self.constraints(old, new, &aligned, &gone)?;
        self.indexes(old, new, &aligned, &gone)
    }

    /// DELETE by the keys that were written out.
    fn delete(&mut self, table: &Table, brought: &Brought) -> Result<(), Unknown> {
        let rows = brought.rows.as_ref().filter(|rows| rows.len() <= MAX_ROWS && !brought.perhaps);
        let columns: Vec<Name> = if brought.columns.is_empty() { table.columns.iter().map(|c| c.def.name.clone()).collect() } else { brought.columns.clone() };
        let literal = |row: &Vec<Value>, at: usize| match row.get(at) {
            Some(Value::Literal(text)) if text != "null" => Some(text.clone()),
            _ => None,
        };
        let primary = table.primary_key().filter(|key| key.iter().all(|c| columns.contains(c))).map(<[Name]>::to_vec);
        let key = primary.or_else(|| columns.iter().find(|c| table.unique_by(c)).map(|c| vec![c.clone()]));
        let values: Option<Vec<Vec<String>>> = rows.zip(key.as_ref()).and_then(|(rows, key)| {
            let places: Vec<usize> = key.iter().filter_map(|c| columns.iter().position(|name| name == c)).collect();
            rows.iter().map(|row| places.iter().map(|&at| literal(row, at)).collect()).collect()
        });
        let (Some(key), Some(values)) = (key, values) else {
            return unknown(format!("the rows that UP brings to {} have no key that is written out", table.name));
        };
        let head = format!("DELETE FROM {} WHERE", self.names.name(&table.name));
        let place = -(brought.origin as i64);
        if let [column] = &key[..] {
            let list = values.concat().join(", ");
            let sql = if values.len() == 1 {
                format!("{head} {} = {list}", self.names.part(column))
            } else {
                format!("{head} {} IN ({list})", self.names.part(column))
            };
            self.step(Step::DeleteRows, place, sql);
        } else {
            for row in values {
                let each: Vec<String> = key.iter().zip(row).map(|(column, value)| format!("{} = {value}", self.names.part(column))).collect();
                self.step(Step::DeleteRows, place, format!("{head} {}", each.join(" AND ")));
            }
        }
        Ok(())
    }

    fn rename_columns(&mut self, old: &Table, new: &Table, renamed: &[(Name, Name)]) {
        for (now, before) in renamed {
            self.renamed.insert(format!("{}.{now}", new.name), format!("{}.{before}", old.name));
            let sql = format!("ALTER TABLE {} RENAME COLUMN {} TO {}", self.names.name(&old.name), self.names.part(now), self.names.part(before));
            self.step(Step::Rename, 1, sql);
        }
    }

    /// Columns left behind, changed and gone. Gives the names of those that DOWN drops.
    fn columns(&mut self, old: &Table, new: &Table, renamed: &[(Name, Name)]) -> Result<HashSet<Name>, Unknown> {
        let before = |now: &Name| renamed.iter().find(|(n, _)| n == now).map_or(now, |(_, before)| before).clone();
        let mut gone = HashSet::new();
        for column in &new.columns {
            match old.column(&before(&column.def.name)) {
                None => {
                    gone.insert(column.def.name.clone());
                    let sql = format!("ALTER TABLE {} DROP COLUMN {}", self.names.name(&new.name), self.names.part(&column.def.name));
                    // What is computed from another column goes before it.
                    self.step(Step::DropColumns, i64::from(column.def.generated.is_none()), sql);
                }
                Some(was) => self.column(old, new, was, column, renamed)?,
            }
        }
        for column in &old.columns {
            let stands = new.columns.iter().any(|c| before(&c.def.name) == column.def.name);
            if stands {
                continue;
            }
            if column.def.generated.is_none() || column.assumed {
                return unknown(format!("the values of {}.{} are gone with UP", old.name, column.def.name));
            }
            let sql = format!("ALTER TABLE {} ADD COLUMN {}", self.names.name(&old.name), define::column(&column.def, &self.names, self.engine));
            self.step(Step::AddColumns, 0, sql);
        }
        Ok(gone)
    }

    fn column(&mut self, old_table: &Table, new_table: &Table, old: &HeldColumn, new: &HeldColumn, renamed: &[(Name, Name)]) -> Result<(), Unknown> {
        let label = format!("{}.{}", old_table.name, old.def.name);
        let generated = new.def.generated.as_ref().map(|text| rename_all(text, renamed, self.engine));
        if old.values != new.values && (old.def.generated.is_none() || old.def.generated != generated) {
            return unknown(format!("the values of {label} are changed by UP, and what they were is not kept"));
        }
        let named = Column { name: old.def.name.clone(), generated, ..Column::clone(&new.def) };
        if named == *old.def {
            return Ok(());
        }
        if old.assumed || new.assumed {
            return unknown(format!("how {label} was defined before UP is not known"));
        }
        let late = made_type(&old.def.ty).is_some_and(|ty| self.restored.contains(ty))
            || old.def.default.as_deref().is_some_and(|text| words(text, self.engine).any(|word| self.restored.contains(&*word)));
        let step = if late { Step::AlterColumnsToThings } else { Step::AlterColumns };
        let (table, column) = if late { (&old_table.name, &old.def.name) } else { (&new_table.name, &new.def.name) };
        let head = format!("ALTER TABLE {}", self.names.name(table));
        let changes = match self.engine {
            Engine::Sqlite => return self.only_by_rebuild(&label),
            Engine::Postgres => {
                let in_expression = |index: &HeldIndex| {
                    index
                        .def
                        .as_ref()
                        .is_some_and(|d| d.columns.iter().chain([&d.rest]).any(|c| *c != new.def.name && words(c, self.engine).any(|w| w == new.def.name)))
                };
                if old.def.ty != named.ty && new_table.indexes.iter().any(|index| in_expression(index)) {
                    return unknown(format!("an index computes something of {label}, and PostgreSQL writes casts into it that stay"));
                }
                let changes = self.postgres_changes(&old.def, &named, &label)?;
                changes.into_iter().map(|change| format!("{head} ALTER COLUMN {} {change}", self.names.part(column))).collect()
            }
            Engine::Mysql | Engine::Mariadb => {
                let whole = Column { name: column.clone(), ..Column::clone(&old.def) };
                vec![format!("{head} MODIFY COLUMN {}", define::column(&whole, &self.names, self.engine))]
            }
        };
        for change in changes {
            self.step(step, 0, change);
        }
        Ok(())
    }

    /// What ALTER COLUMN says to make `old` of `new`.
    fn postgres_changes(&self, old: &Column, new: &Column, label: &str) -> Result<Vec<String>, Unknown> {
        if old.generated != new.generated || (&old.comment, &old.other) != (&new.comment, &new.other) {
            return unknown(format!("no statement gives {label} its old definition"));
        }
        let mut changes = Vec::new();
        match (old.identity.as_deref(), new.identity.as_deref()) {
            (old, new) if old == new => {}
            (None, Some("identity always" | "identity by default")) => changes.push("DROP IDENTITY".to_owned()),
            (Some(old @ ("identity always" | "identity by default")), Some("identity always" | "identity by default")) => {
                changes.push(format!("SET GENERATED {}", old.trim_start_matches("identity ").to_uppercase()));
            }
            _ => return unknown(format!("the position of the sequence behind {label} is not kept")),
        }
        let mut default = new.default.as_ref();
        if old.ty != new.ty || old.collation != new.collation {
            // A default that does not convert is in the way.
            if default.take().is_some() {
                changes.push("DROP DEFAULT".to_owned());
            }
            let collation = old.collation.as_ref().map(|c| format!(" COLLATE {}", self.names.name(c))).unwrap_or_default();
            let ty = define::ty(&old.ty, self.engine);
            let using = match conversion(&new.ty, &old.ty, self.engine) {
                Conversion::Unknown if !casts(&new.ty, &old.ty) => return unknown(format!("no cast of {label} from {} to {} is known", new.ty, old.ty)),
                Conversion::Unknown => format!(" USING {}::{ty}", self.names.part(&new.name)),
                _ => String::new(),
            };
            changes.push(format!("TYPE {ty}{collation}{using}"));
        }
        if old.default.as_ref() != default {
            changes.push(match &old.default {
                Some(text) => format!("SET DEFAULT {}", define::default(text, self.engine)),
                None => "DROP DEFAULT".to_owned(),
            });
        }
        if old.not_null != new.not_null {
            changes.push(if old.not_null { "SET NOT NULL".to_owned() } else { "DROP NOT NULL".to_owned() });
        }
        Ok(changes)
    }

    /// `new` with the names of before.
    fn aligned(&self, new: &Table, renamed: &[(Name, Name)]) -> Table {
        let mut table = Table::clone(new);
        for constraint in &mut table.constraints {
            match &mut Rc::make_mut(constraint).rule {
                Some(Rule::PrimaryKey(columns) | Rule::Unique(columns)) => columns.iter_mut().for_each(|c| *c = rename_all(c, renamed, self.engine)),
                Some(Rule::ForeignKey { columns, target, target_columns, .. }) => {
                    columns.iter_mut().for_each(|c| *c = rename_all(c, renamed, self.engine));
                    for column in target_columns {
                        let there = self.renamed.get(&format!("{target}.{column}")).and_then(|name| name.rsplit_once('.'));
                        *column = there.map_or(column.clone(), |(_, name)| name.to_owned());
                    }
                    *target = self.old_name(target).to_owned();
                }
                Some(Rule::Check(text) | Rule::Exclude(text)) => *text = rename_all(text, renamed, self.engine),
                None => {}
            }
        }
        for def in table.indexes.iter_mut().filter_map(|i| Rc::make_mut(i).def.as_mut()) {
            def.columns.iter_mut().for_each(|c| *c = rename_all(c, renamed, self.engine));
            def.rest = rename_all(&def.rest, renamed, self.engine);
        }
        table
    }

    fn constraints(&mut self, old: &Table, new: &Table, aligned: &Table, gone: &HashSet<Name>) -> Result<(), Unknown> {
        let held_alike = |a: &HeldConstraint, b: &HeldConstraint| (a.not_valid, &a.mode) == (b.not_valid, &b.mode);
        let twin = |c: &HeldConstraint, others: &Table| -> Option<Rc<HeldConstraint>> {
            let by_name = others.constraints.iter().find(|o| o.name == c.name && o.rule == c.rule && held_alike(o, c));
            let by_rule = || others.constraints.iter().find(|o| o.rule == c.rule && c.rule.is_some() && held_alike(o, c));
            by_name.or_else(by_rule).map(Rc::clone)
        };
        // Only a foreign key's can be changed in its place (PostgreSQL manual, ALTER TABLE, ALTER CONSTRAINT).
        let in_place = |a: &HeldConstraint, b: &HeldConstraint| {
            let alike = a.name == b.name && a.rule == b.rule && a.not_valid == b.not_valid && a.is_enforced() && b.is_enforced();
            self.engine == Engine::Postgres && alike && matches!(a.rule, Some(Rule::ForeignKey { .. })) && a.mode != b.mode
        };
        let changed: Vec<_> = old.constraints.iter().filter(|c| aligned.constraints.iter().any(|now| in_place(c, now))).collect();
        for constraint in &changed {
            let mode = if constraint.mode.is_empty() { String::from("NOT DEFERRABLE") } else { constraint.mode.to_uppercase() };
            let sql = format!("ALTER TABLE {} ALTER CONSTRAINT {} {mode}", self.names.name(&old.name), self.names.part(&constraint.name));
            self.step(Step::AddKeys, 0, sql);
        }
        let changed = |constraint: &HeldConstraint| changed.iter().any(|c| c.name == constraint.name);
        for (constraint, written) in aligned.constraints.iter().zip(&new.constraints).filter(|(constraint, _)| !changed(constraint)) {
            match twin(constraint, old) {
                Some(was) if was.name == constraint.name => {}
                Some(was) if self.engine == Engine::Postgres => {
                    let (table, now) = (self.names.name(&old.name), self.names.part(&constraint.name));
                    self.step(Step::Rename, 2, format!("ALTER TABLE {table} RENAME CONSTRAINT {now} TO {}", self.names.part(&was.name)));
                }
                // Names that the engine made, which nobody needs back.
                Some(was) if was.generated && constraint.generated => {}
                _ => self.drop_constraint(new, written, gone)?,
            }
        }
        for constraint in old.constraints.iter().filter(|constraint| !changed(constraint)) {
            let stands = twin(constraint, aligned)
                .is_some_and(|now| now.name == constraint.name || self.engine == Engine::Postgres || now.generated && constraint.generated);
            if !stands {
                self.add_constraint(old, constraint)?;
            }
        }
        Ok(())
    }

    fn drop_constraint(&mut self, table: &Table, constraint: &HeldConstraint, gone: &HashSet<Name>) -> Result<(), Unknown> {
        let columns = constraint.rule.as_ref().map(|rule| rule_columns(rule, self.engine)).unwrap_or_default();
        let is_key = matches!(constraint.rule, Some(Rule::ForeignKey { .. }));
        let of_gone = |column: &Cow<'_, str>| gone.contains(&**column);
        let goes_along = match self.engine {
            Engine::Postgres => columns.iter().any(of_gone),
            Engine::Sqlite => columns.iter().all(of_gone) && !columns.is_empty(),
            Engine::Mysql | Engine::Mariadb => !is_key && columns.iter().any(of_gone) && columns.iter().filter(|c| table.column(c).is_some()).all(of_gone),
        };
        if goes_along {
            return Ok(());
        }
        if self.engine == Engine::Sqlite {
            return self.only_by_rebuild(&table.name);
        }
        if self.engine == Engine::Mariadb && constraint.generated && matches!(constraint.rule, Some(Rule::Check(_))) {
            // One beside a column has no name at all.
            return unknown(format!("a check on {} was given no name", table.name));
        }
        let sql = self.drop_constraint_sql(&table.name, constraint);
        self.step(if is_key { Step::DropKeys } else { Step::DropConstraints }, 0, sql);
        Ok(())
    }

    pub(super) fn drop_constraint_sql(&self, table: &str, constraint: &HeldConstraint) -> String {
        let (table, name) = (self.names.name(table), self.names.part(&constraint.name));
        match constraint.rule {
            Some(Rule::ForeignKey { .. }) if self.engine.is_mysql_like() => format!("ALTER TABLE {table} DROP FOREIGN KEY {name}"),
            Some(Rule::PrimaryKey(_)) if self.engine.is_mysql_like() => format!("ALTER TABLE {table} DROP PRIMARY KEY"),
            _ => format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        }
    }

    fn add_constraint(&mut self, table: &Table, constraint: &HeldConstraint) -> Result<(), Unknown> {
        let Some(rule) = &constraint.rule else {
            return unknown(format!("how constraint {} on {} was defined before UP is not known", constraint.name, table.name));
        };
        if self.engine == Engine::Sqlite {
            return self.only_by_rebuild(&table.name);
        }
        let name = match rule {
            Rule::PrimaryKey(_) if self.engine.is_mysql_like() => String::new(),
            _ => format!("CONSTRAINT {} ", self.names.part(&constraint.name)),
        };
        let not_valid = if constraint.not_valid { " NOT VALID" } else { "" };
        let (nulls, mode) = constraint.mode.strip_prefix("nulls not distinct").map_or(("", &*constraint.mode), |rest| (" NULLS NOT DISTINCT", rest));
        if mode.contains('(') {
            return unknown(format!("how the index behind {} was defined before UP is not known", constraint.name));
        }
        let demand = define::rule(rule, &self.names).replacen("UNIQUE", &format!("UNIQUE{nulls}"), 1);
        let mode = if mode.is_empty() { String::new() } else { format!(" {}", mode.trim_start().to_uppercase()) };
        let sql = format!("ALTER TABLE {} ADD {name}{demand}{mode}{not_valid}", self.names.name(&table.name));
        self.step(if matches!(rule, Rule::ForeignKey { .. }) { Step::AddKeys } else { Step::AddConstraints }, 0, sql);
        Ok(())
    }

    fn indexes(&mut self, old: &Table, new: &Table, aligned: &Table, gone: &HashSet<Name>) -> Result<(), Unknown> {
        let same = |a: &HeldIndex, b: &HeldIndex| match (&a.def, &b.def) {
            (Some(a), Some(b)) => (a.unique, &a.columns, &a.rest) == (b.unique, &b.columns, &b.rest),
            (None, None) => a.name == b.name,
            _ => false,
        };
        let mut twins: HashSet<&str> = HashSet::new();
        for (index, written) in aligned.indexes.iter().zip(&new.indexes) {
            let was = old.indexes.iter().find(|o| o.name == index.name && same(o, index)).or_else(|| {
                // One under another name, where none stands under both.
                old.indexes
                    .iter()
                    .find(|o| same(o, index) && o.def.is_some() && o.for_key == index.for_key && !aligned.indexes.iter().any(|n| n.name == o.name))
            });
            match was {
                Some(was) if was.name == index.name => {}
                Some(was) if was.generated && index.generated && self.engine != Engine::Postgres => {}
                Some(was) if self.engine != Engine::Sqlite => {
                    let (now, before) = (self.names.name(&index.name), self.names.part(was.name.rsplit('.').next().unwrap_or(&was.name)));
                    let sql = match self.engine {
                        Engine::Postgres => format!("ALTER INDEX {now} RENAME TO {before}"),
                        _ => format!("ALTER TABLE {} RENAME INDEX {now} TO {before}", self.names.name(&old.name)),
                    };
                    self.step(Step::Rename, 2, sql);
                }
                _ => {
                    self.drop_index(new, written, gone);
                    continue;
                }
            }
            twins.extend(was.map(|was| was.name.as_str()));
        }
        for index in old.indexes.iter().filter(|index| !twins.contains(index.name.as_str()) && !index.for_key) {
            let sql = index.def.as_ref().and_then(|def| define::index(def, &index.name, old, &self.names, self.engine));
            match sql {
                Some(sql) => self.step(Step::CreateIndexes, 0, sql),
                None => return unknown(format!("how index {} was defined before UP is not known", index.name)),
            }
        }
        Ok(())
    }

    fn drop_index(&mut self, table: &Table, index: &HeldIndex, gone: &HashSet<Name>) {
        let of_gone = |column: &String| words(column, self.engine).any(|word| gone.contains(&*word));
        let columns = index.def.as_ref().map(|def| def.columns.as_slice()).unwrap_or_default();
        let goes_along = match self.engine {
            Engine::Postgres => columns.iter().any(of_gone) || index.def.as_ref().is_some_and(|def| of_gone(&def.rest)),
            Engine::Mysql | Engine::Mariadb => columns.iter().all(of_gone) && !columns.is_empty(),
            Engine::Sqlite => false,
        };
        if goes_along {
            return;
        }
        let on = if self.engine.is_mysql_like() { format!(" ON {}", self.names.name(&table.name)) } else { String::new() };
        let sql = format!("DROP INDEX {}{on}", self.names.name(&index.name));
        self.step(Step::DropIndexes, 0, sql);
    }
}

/// Whether PostgreSQL has a cast between two types: each can be written as text and read from it, and so can moments among themselves.
fn casts(from: &str, to: &str) -> bool {
    let is = |ty: &str, starts: &[&str]| starts.iter().any(|start| ty.starts_with(start)) && !ty.ends_with("[]");
    const TEXTS: &[&str] = &["text", "character", "citext"];
    const MOMENTS: &[&str] = &["timestamp", "date"];
    is(from, TEXTS) || is(to, TEXTS) || is(from, MOMENTS) && is(to, MOMENTS) || is(from, &["time "]) && is(to, &["time "])
}

/// Columns whose values stand under another name, as (now, before).
fn renamed_columns(old: &Table, new: &Table) -> Vec<(Name, Name)> {
    let gone = old.columns.iter().filter(|c| new.column(&c.def.name).is_none());
    let now = |was: &HeldColumn| new.columns.iter().find(|c| c.values == was.values && old.column(&c.def.name).is_none());
    gone.filter_map(|was| Some((now(was)?.def.name.clone(), was.def.name.clone()))).collect()
}

/// `text` with each name of now as it was before.
fn rename_all(text: &str, renamed: &[(Name, Name)], engine: Engine) -> String {
    renamed.iter().fold(text.to_owned(), |text, (now, before)| rename_word(&text, now, before, engine))
}
