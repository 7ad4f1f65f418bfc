//! What statements on rows do to the numbers of values and rows.

use super::mapped::follows_from;
use super::part::{ALL_TABLES, PUBLICATION};
use super::{Applied, Effect, OrMissing, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Filter, Name, OnConflict, Rows, Rule, Value};
use crate::schema::catalog::{Brought, Catalog, Entry, Key, Leaning, Origin, Table};
use crate::schema::naming::words;
use crate::schema::types::{Conversion, written_cast};
use crate::table::Loss;
use std::collections::HashSet;
use std::rc::Rc;

/// How the rows that DOWN deletes compare with those that UP brought.
enum Picked {
    /// Exactly those, or a part of them: what is left of each lot.
    Brought(Vec<Brought>),
    /// Perhaps those, perhaps others.
    Unclear,
    /// Others, for certain.
    Others,
}

impl Catalog {
    /// The number of what `value` writes, read from a row of `source`; `None` for something new.
    fn origin_of(&mut self, source: &Name, value: &Value, target_type: Option<&str>) -> Option<Origin> {
        let (column, cast) = match value {
            Value::Column(column) => (column, None),
            Value::Cast(column, ty) => (column, Some(ty.as_str())),
            Value::Literal(_) | Value::Computed(_) => return None,
        };
        let held = self.column_or_assume(source, column).ok()?;
        // Back in the type that they came from, values that came through unchanged still fit.
        let back = |ty: &str| self.judging_down && self.original_type(held.values).is_none_or(|original| original == ty);
        if self.engine == Engine::Sqlite {
            let cut = cast.is_some_and(|ty| !sqlite_cast_is_exact(ty) || !sqlite_cast_keeps(&held.def.ty, ty) && !back(ty));
            return if cut { None } else { Some(held.values) };
        }
        for ty in [cast, target_type].into_iter().flatten() {
            // Assigned, a text loses no more than blanks at its end; that is not whole either.
            let fits = match written_cast(&held.def.ty, ty, self.engine) {
                Conversion::Same | Conversion::Widens => true,
                Conversion::Refuses => !self.judging_down || back(ty),
                Conversion::Cuts => back(ty),
                // PostgreSQL reads a text as another type only where a cast is written.
                Conversion::Unknown => back(ty) && (cast.is_some() || self.engine != Engine::Postgres),
            };
            if !fits && !held.def.ty.is_empty() {
                return None;
            }
        }
        Some(held.values)
    }

    /// Whether SQLite may spell the value anew on its way into a column of another affinity.
    fn respelt(&self, source: &str, value: &Value, target_type: Option<&str>) -> bool {
        let (Value::Column(column) | Value::Cast(column, _)) = value else { return false };
        let from = self.table(source).and_then(|t| t.column(column)).filter(|c| !c.assumed);
        matches!((from, target_type), (Some(from), Some(to)) if respells(Affinity::of(&from.def.ty), Affinity::of(to)))
    }

    /// Whether it is certain that a column is not there: it stood before, or the migration made it, and it is gone.
    fn column_is_gone(&self, table: &Table, column: &str) -> bool {
        table.known && table.column(column).is_none() && self.states_of(&table.name).any(|state| state.column(column).is_some())
    }

    /// A refusal where DOWN writes what the table does not take.
    fn may_write(&self, table: &Table, column: &str, value: Option<&Value>) -> Result<(), Refusal> {
        if !self.judging_down {
            return Ok(());
        }
        let named = |column: &str| format!("column {}.{column}", table.name);
        if let Some(missing) = value.and_then(Value::read).into_iter().chain([column]).find(|c| self.column_is_gone(table, c)) {
            return Err(Refusal::new(format!("{} does not exist", named(missing))));
        }
        let Some(held) = table.column(column).filter(|c| !c.assumed) else { return Ok(()) };
        match value {
            Some(Value::Computed(text)) if text == "default" => Ok(()),
            _ if held.def.generated.is_some() => Err(Refusal::new(format!("{} is computed, and nobody writes it", named(column)))),
            Some(Value::Literal(literal)) if literal == "null" && held.def.not_null && !self.holds_none(table) => {
                Err(Refusal::new(format!("{} is NOT NULL, and DOWN writes NULL", named(column))))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn insert(&mut self, table: &str, columns: &[Name], rows: &Rows, conflict: OnConflict) -> Applied {
        let target = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        if self.judging_down && !columns.is_empty() {
            let counts = match rows {
                Rows::Written(rows) => rows.iter().all(|row| row.len() == columns.len()),
                Rows::Copied { values, .. } => values.len() == columns.len() || values.contains(&Value::Column("*".into())),
                Rows::Unknown => true,
            };
            if !counts {
                return Err(Refusal::new(format!("INSERT into {table} names {} columns and brings another number of values", columns.len())));
            }
        }
        self.parents_stand(&target)?;
        for column in columns {
            self.may_write(&target, column, None)?;
            if self.judging_down && target.known && target.column(column).is_none() && self.knows(table) {
                return Err(Refusal::new(format!("column {table}.{column} does not exist")));
            }
        }
        let stood = self.stood_before(target.made);
        let mut effect = Effect { own: !stood, ..Effect::default() };
        if let (Rows::Copied { from, values, whole }, true) = (rows, self.holds_none(&target)) {
            let source = self.table_or_assume(from).or_missing(|| format!("table {from}"))?;
            let names: Vec<Name> = if columns.is_empty() { target.columns.iter().map(|c| c.def.name.clone()).collect() } else { columns.to_vec() };
            let values: Vec<Value> = values
                .iter()
                .flat_map(|v| {
                    if *v == Value::Column("*".into()) { source.columns.iter().map(|c| Value::Column(c.def.name.clone())).collect() } else { vec![v.clone()] }
                })
                .collect();
            let mut copied = Table::clone(&target);
            for (name, value) in names.iter().zip(&values) {
                if self.engine == Engine::Sqlite && self.respelt(from, value, target.column(name).map(|c| c.def.ty.as_str())) {
                    effect.conversion = Some(Conversion::Unknown);
                }
                let ty = target.column(name).map(|c| c.def.ty.clone());
                let origin = self.origin_of(from, value, ty.as_deref());
                if let (Some(column), Some(origin)) = (copied.columns.iter_mut().find(|c| c.def.name == *name), origin) {
                    column.values = origin;
                }
            }
            let source_rows = self.table(from).map_or(source.rows, |t| t.rows);
            let rows = if *whole && conflict != OnConflict::Ignore { source_rows } else { self.fresh() };
            (copied.rows, copied.empty) = (rows, false);
            // What the migration brought comes along.
            copied.brought = source.brought.iter().filter(|b| !self.stood_before(b.origin)).cloned().collect();
            self.change_table(table, |t| *t = copied).or_missing(|| format!("table {table}"))?;
            return Ok(effect);
        }
        if matches!(conflict, OnConflict::Update | OnConflict::Replace) && stood {
            effect.destroyed.push(target.rows);
            effect.perhaps = true;
        }
        if let (true, Rows::Written(rows), Some((old, picks))) = (self.judging_down, rows, self.deleted.get(&target.rows).cloned())
            && writes_back(&target, columns, rows, &picks)
        {
            self.change_table(table, |t| t.rows = old).or_missing(|| format!("table {table}"))?;
            return Ok(Effect { mapped_back: true, ..effect });
        }
        let origin = self.fresh();
        let lost = !effect.destroyed.is_empty();
        let replaced = if lost { Some(self.fresh()) } else { None };
        let brought = Brought {
            origin,
            columns: columns.to_vec(),
            rows: match rows {
                Rows::Written(rows) => Some(rows.clone()),
                Rows::Copied { .. } | Rows::Unknown => None,
            },
            perhaps: conflict == OnConflict::Ignore,
        };
        // What earlier migrations brought stands first.
        let earlier = target.brought.iter().position(|b| !self.stood_before(b.origin)).unwrap_or(target.brought.len());
        // Held twice, the table would be copied for each of many statements.
        drop(target);
        self.change_table(table, |t| {
            t.brought.drain(..earlier);
            t.brought.push(brought);
            t.empty = false;
            if let Some(rows) = replaced {
                t.rows = rows;
            }
        })
        .or_missing(|| format!("table {table}"))?;
        Ok(effect)
    }

    /// SQLite looks for the table that a key points at when rows are written (manual, "SQLite Foreign Key Support", section 3).
    fn parents_stand(&self, child: &Table) -> Result<(), Refusal> {
        if self.engine != Engine::Sqlite || !self.judging_down || self.checks_off {
            return Ok(());
        }
        for constraint in &child.constraints {
            if let Some(Rule::ForeignKey { target, .. }) = &constraint.rule
                && self.table(target).is_none()
                && (self.knows(target) || self.touched(&Key::Table(target.clone())))
            {
                return Err(Refusal::new(format!("a foreign key of {} points at table {target}, which is not there", child.name)));
            }
        }
        Ok(())
    }

    /// Whether a value may be NULL: what a query gives, and what stands in a column that the migration brought and that admits NULL.
    fn may_be_null(&self, table: &Table, value: &Value) -> bool {
        match value {
            Value::Computed(text) => words(text, self.engine).any(|word| word == "select"),
            Value::Column(name) => table.column(name).is_some_and(|column| !column.def.not_null && !self.stood_before(column.values)),
            _ => false,
        }
    }

    pub(super) fn update(&mut self, table: &str, set: &[(Name, Value)], filter: &Filter) -> Applied {
        let target = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        self.may_change_rows(&target)?;
        let mut effect = Effect { own: true, ..Effect::default() };
        if self.picks_none(&target, filter) {
            return Ok(effect);
        }
        // Every value is read before the first is written; MySQL and MariaDB go from left to right.
        let left_to_right = self.engine.is_mysql_like();
        let mut changes: Vec<(Name, Origin)> = Vec::new();
        for (column, value) in set {
            let old = self.column_or_assume(table, column).or_missing(|| format!("column {table}.{column}"))?;
            self.may_write(&target, column, Some(value))?;
            effect.may_meet_null |= self.judging_down && old.def.not_null && self.may_be_null(&target, value);
            let copied = match filter {
                Filter::All => {
                    let earlier = match value {
                        Value::Column(name) if left_to_right => changes.iter().find(|(c, _)| c == name).map(|(_, o)| *o),
                        _ => None,
                    };
                    // Text in a column of numbers is spelt as a number from then on.
                    let respelt = self.engine == Engine::Sqlite && !self.judging_down && self.respelt(table, value, Some(&old.def.ty));
                    earlier.or_else(|| if respelt { None } else { self.origin_of(&table.to_owned(), value, Some(&old.def.ty)) })
                }
                Filter::Literals(_) | Filter::AnyNull(_) | Filter::Other(_) => None,
            };
            let mapped = self.mapping_back(column, value, filter, old.values);
            effect.mapped_back |= mapped.is_some();
            let new = match copied.or(mapped) {
                Some(origin) => origin,
                // Which rows DOWN picks depends on what was written since; the judgement weighs it.
                None if self.judging_down && *filter != Filter::All && self.stood_before(old.values) => {
                    effect.foreign_rows = Some(Loss::Possible);
                    old.values
                }
                None => {
                    let new = self.fresh();
                    self.note_mapping(new, column, value, filter, old.values);
                    new
                }
            };
            if new != old.values && self.stood_before(old.values) {
                effect.destroyed.push(old.values);
                effect.perhaps |= *filter != Filter::All || follows_from(value, column, self.engine);
                effect.own = false;
            }
            changes.push((column.clone(), new));
        }
        if !self.stood_before(target.made) {
            effect.own = true;
        }
        self.change_table(table, |t| {
            for column in &mut t.columns {
                if let Some((_, origin)) = changes.iter().rev().find(|(name, _)| *name == column.def.name) {
                    column.values = *origin;
                }
            }
        })
        .or_missing(|| format!("table {table}"))?;
        Ok(effect)
    }

    /// PostgreSQL tells no subscriber of a row that changes or goes where nothing tells rows apart, and refuses (manual, "Publication").
    fn may_change_rows(&self, table: &Table) -> Result<(), Refusal> {
        if self.engine != Engine::Postgres || !self.judging_down {
            return Ok(());
        }
        let published = |name: &str| {
            self.leaning(name).iter().any(|who| {
                let Leaning::Part(class, name) = who else { return false };
                matches!(self.get(&Key::Object(*class, name.clone(), None)), Some(Entry::Object(o)) if o.definition.as_ref().is_some_and(|d| d.starts_with(PUBLICATION)))
            })
        };
        let bare = |t: &Table| {
            let identity = Key::Attribute(t.name.clone(), "replica identity".to_owned());
            t.known && t.primary_key().is_none() && self.get(&identity).is_none() && (published(ALL_TABLES) || published(&t.name))
        };
        let follows = |t: &Table| {
            t.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::ForeignKey { target, actions, .. }) if *target == table.name && !actions.is_empty()))
        };
        let along = self.leaning(&table.name);
        let children = along.iter().filter_map(|who| if let Leaning::Table(other) = who { self.table(other) } else { None }).filter(|t| follows(t));
        match std::iter::once(table).chain(children.map(|t| &**t)).find(|t| bare(t)) {
            Some(bare) => Err(Refusal::new(format!("table {} is published, and has no key by which a subscriber could tell its rows", bare.name))),
            None => Ok(()),
        }
    }

    pub(super) fn delete(&mut self, table: &str, filter: &Filter) -> Applied {
        let target = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        self.may_change_rows(&target)?;
        if !self.stood_before(target.made) {
            // What it copied from an older table still stands there, or its loss was counted there.
            let rows = self.fresh();
            self.change_table(table, |t| t.rows = rows).or_missing(|| format!("table {table}"))?;
            return Ok(Effect { own: true, ..Effect::default() });
        }
        if self.picks_none(&target, filter) {
            return Ok(Effect { own: true, ..Effect::default() });
        }
        match self.picked(&target, filter) {
            Picked::Brought(left) => {
                let perhaps = target.brought.iter().any(|b| b.perhaps);
                self.change_table(table, |t| t.brought = left).or_missing(|| format!("table {table}"))?;
                let pointed_at_by = if self.judging_down { self.restricting(table) } else { Vec::new() };
                Ok(Effect { own: true, mapped_back: perhaps, pointed_at_by, ..Effect::default() })
            }
            Picked::Unclear => {
                self.change_table(table, |t| t.brought.clear()).or_missing(|| format!("table {table}"))?;
                Ok(Effect { mapped_back: true, ..Effect::default() })
            }
            Picked::Others if self.judging_down && *filter != Filter::All => {
                // Literals name rows; what an expression picks may be none.
                let loss = if matches!(filter, Filter::Literals(_)) { Loss::Certain } else { Loss::Possible };
                Ok(Effect { foreign_rows: Some(loss), ..Effect::default() })
            }
            Picked::Others => {
                let mut effect = Effect::default();
                if self.stood_before(target.rows) {
                    effect.destroyed.push(target.rows);
                    effect.perhaps = *filter != Filter::All;
                }
                let along = self.rows_along(table, *filter == Filter::All)?;
                effect.destroyed.extend(along);
                let rows = self.fresh();
                if let Filter::Literals(picks) = filter {
                    self.deleted.insert(rows, (target.rows, picks.clone()));
                }
                let all = *filter == Filter::All;
                self.change_table(table, |t| (t.rows, t.empty) = (rows, all)).or_missing(|| format!("table {table}"))?;
                Ok(effect)
            }
        }
    }

    /// The rows of `table` that stood before go: what their foreign keys do to the rows of other tables. Numbers of the rows
    /// and values that go along; a refusal where DOWN would delete rows at which older ones point.
    pub(super) fn rows_along(&mut self, table: &str, all: bool) -> Result<Vec<Origin>, Refusal> {
        let mut gone = Vec::new();
        let Some(rows) = self.table(table).map(|t| t.rows).filter(|&rows| self.stood_before(rows)) else { return Ok(gone) };
        for who in self.leaning(table).iter() {
            let Leaning::Table(other) = who else { continue };
            let Some(child) = self.table(other).map(Rc::clone).filter(|c| c.name != table && self.stood_before(c.rows) && c.rows != rows) else { continue };
            for constraint in &child.constraints {
                let Some(Rule::ForeignKey { target, columns, actions, .. }) = &constraint.rule else { continue };
                if target != table {
                    continue;
                }
                if actions.contains("on delete cascade") {
                    gone.push(child.rows);
                    let fresh = self.fresh();
                    let _ = self.change_table(other, |t| t.rows = fresh);
                } else if actions.contains("on delete set") {
                    for column in columns {
                        gone.extend(child.column(column).map(|c| c.values).filter(|&v| self.stood_before(v)));
                        let fresh = self.fresh();
                        let _ = self.change_table(other, |t| t.columns.iter_mut().filter(|c| c.def.name == *column).for_each(|c| c.values = fresh));
                    }
                } else if self.judging_down && all {
                    return Err(Refusal::new(format!("rows of {other} point at rows of {table}")));
                }
            }
        }
        Ok(gone)
    }

    /// Tables whose foreign key stands in the way when a row of `table` goes.
    fn restricting(&self, table: &str) -> Vec<Name> {
        let stops = |rule: &Option<Rule>| matches!(rule, Some(Rule::ForeignKey { target, actions, .. }) if target == table && !actions.contains("on delete cascade") && !actions.contains("on delete set"));
        let leaning = self.leaning(table);
        let tables = leaning.iter().filter_map(|who| if let Leaning::Table(other) = who { Some(other) } else { None });
        tables.filter(|other| self.table(other).is_some_and(|t| t.constraints.iter().any(|c| stops(&c.rule)))).cloned().collect()
    }

    /// Whether no row can be picked: the columns that must be null never are, or never were before UP.
    fn picks_none(&self, target: &Table, filter: &Filter) -> bool {
        let Filter::AnyNull(columns) = filter else { return false };
        let before = if self.judging_down { self.before(&target.name, target.made) } else { None };
        columns.iter().all(|name| {
            let Some(now) = target.column(name).filter(|c| !c.assumed) else { return false };
            let was = before.and_then(|t| t.columns.iter().find(|c| c.values == now.values));
            now.def.not_null || was.is_some_and(|c| c.def.not_null)
        })
    }

    /// Which rows a DELETE picks, in the light of what the migration brought.
    fn picked(&self, target: &Table, filter: &Filter) -> Picked {
        let brought: Vec<&Brought> = target.brought.iter().filter(|b| !self.stood_before(b.origin)).collect();
        if brought.is_empty() || *filter == Filter::All {
            return Picked::Others;
        }
        let Filter::Literals(picks) = filter else { return Picked::Unclear };
        let mut left = Vec::new();
        let mut hit = false;
        let mut found: HashSet<String> = HashSet::new();
        for lot in brought {
            let Some(rows) = &lot.rows else {
                left.push(lot.clone());
                continue;
            };
            let names: Vec<&str> = if lot.columns.is_empty() {
                target.columns.iter().map(|c| c.def.name.as_str()).collect()
            } else {
                lot.columns.iter().map(String::as_str).collect()
            };
            let matches = |row: &Vec<Value>| {
                picks.iter().all(|(column, values)| {
                    let at = names.iter().position(|n| n == column);
                    matches!(at.and_then(|at| row.get(at)), Some(Value::Literal(v)) if values.iter().any(|w| same_literal(v, w)))
                })
            };
            let stay: Vec<Vec<Value>> = rows.iter().filter(|row| !matches(row)).cloned().collect();
            hit |= stay.len() < rows.len();
            found.extend(
                rows.iter()
                    .filter(|row| matches(row))
                    .flat_map(|row| row.iter().filter_map(|v| if let Value::Literal(v) = v { Some(v.trim_matches('\'').to_owned()) } else { None })),
            );
            if !stay.is_empty() {
                left.push(Brought { rows: Some(stay), ..lot.clone() });
            }
        }
        match () {
            () if !hit => Picked::Others,
            // A literal that no brought row holds names another row.
            () if picks.iter().flat_map(|(_, values)| values).any(|v| !found.contains(v.trim_matches('\''))) => Picked::Others,
            // A key holds each value once, so no other row can be picked.
            () if picks.iter().any(|(column, _)| target.unique_by(column)) || covers_key(target, picks) => Picked::Brought(left),
            () => Picked::Unclear,
        }
    }

    pub(super) fn truncate(&mut self, table: &str, cascade: bool) -> Applied {
        let target = self.table_or_assume(table).or_missing(|| format!("table {table}"))?;
        let mut effect = Effect { own: !self.stood_before(target.made), ..Effect::default() };
        let mut all: Vec<Rc<Table>> = vec![target];
        if cascade {
            for who in self.leaning(table).iter() {
                if let Leaning::Table(other) = who {
                    all.extend(self.table(other).map(Rc::clone));
                }
            }
        }
        for one in all {
            if self.stood_before(one.rows) {
                effect.destroyed.push(one.rows);
                effect.own = false;
            }
            let rows = self.fresh();
            self.change_table(&one.name, |t| {
                (t.rows, t.empty) = (rows, true);
                t.brought.clear();
            })
            .or_missing(|| format!("table {}", one.name))?;
        }
        Ok(effect)
    }
}

/// How a column of SQLite spells what is written to it (manual, "Datatypes in SQLite", section 3).
#[derive(Clone, Copy, PartialEq)]
enum Affinity {
    Blob,
    Integer,
    /// Of no other affinity, and meant for days and times, which are kept as they are written.
    Time,
    Numeric,
    Real,
    Text,
}

impl Affinity {
    fn of(ty: &str) -> Affinity {
        let has = |words: &[&str]| words.iter().any(|w| ty.contains(w));
        match () {
            () if has(&["int"]) => Affinity::Integer,
            () if has(&["char", "clob", "text"]) => Affinity::Text,
            () if ty.is_empty() || has(&["blob"]) => Affinity::Blob,
            () if has(&["real", "floa", "doub"]) => Affinity::Real,
            () if has(&["date", "time"]) => Affinity::Time,
            () => Affinity::Numeric,
        }
    }
}

/// Whether a value may change on its way: text that looks like a number becomes one, a number with many digits is cut when it becomes
/// a text or a float.
fn respells(from: Affinity, to: Affinity) -> bool {
    use Affinity::{Blob, Integer, Numeric, Real, Text, Time};
    match (from, to) {
        (Text | Blob, Integer | Numeric | Real | Time) => true,
        (Integer | Numeric, Real) => true,
        (Real | Numeric, Text) => true,
        (Blob | Text | Integer | Numeric | Real | Time, _) => false,
    }
}

/// Whether SQLite's CAST leaves every value of a column as it was, or as a text that reads back as the same: it cuts without a
/// word (manual, "CAST expressions").
fn sqlite_cast_keeps(from: &str, to: &str) -> bool {
    let whole = |ty: &str| ty.contains("int");
    from == to || from.is_empty() || to == "text" && whole(from) || whole(from) && whole(to)
}

/// Whether CAST to this type leaves its own values alone: not one like `date`, whose columns hold texts that CAST makes numbers.
fn sqlite_cast_is_exact(ty: &str) -> bool {
    ["int", "char", "clob", "text", "blob", "real", "floa", "doub", "numeric", "decimal"].iter().any(|word| ty.contains(word))
}

/// Whether `rows` write again exactly the rows that the literals picked.
fn writes_back(target: &Table, columns: &[Name], rows: &[Vec<Value>], picks: &[(Name, Vec<String>)]) -> bool {
    let names: Vec<&str> =
        if columns.is_empty() { target.columns.iter().map(|c| c.def.name.as_str()).collect() } else { columns.iter().map(String::as_str).collect() };
    let picked = |row: &Vec<Value>| {
        picks.iter().all(|(column, values)| {
            let value = names.iter().position(|n| n == column).and_then(|at| row.get(at));
            matches!(value, Some(Value::Literal(v)) if values.iter().any(|w| same_literal(v, w)))
        })
    };
    let count: usize = picks.iter().map(|(_, values)| values.len()).product();
    rows.len() == count && rows.iter().all(picked)
}

/// `'1'` and `1` pick the same row.
fn same_literal(a: &str, b: &str) -> bool {
    a == b || a.trim_matches('\'') == b.trim_matches('\'')
}

/// Whether the literals pin down every column of some key.
fn covers_key(target: &Table, picks: &[(Name, Vec<String>)]) -> bool {
    let covered = |columns: &[Name]| !columns.is_empty() && columns.iter().all(|c| picks.iter().any(|(p, _)| p == c));
    target.primary_key().is_some_and(covered)
        || target.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::Unique(columns)) if covered(columns)))
        || target.indexes.iter().any(|i| i.def.as_ref().is_some_and(|d| d.unique && d.rest.is_empty() && covered(&d.columns)))
}
