//! How two states of the catalog differ. In: what a journal found and what stands now. Out: one sentence a difference, with
//! the object's name; and what follows from a difference for rows written since and for the application before.

use super::catalog::{Catalog, Entry, HeldColumn, HeldConstraint, HeldIndex, Journal, Key, Table};
use super::types::{Conversion, conversion};
use crate::engine::Engine;
use crate::parse::action::Rule;
use serde::Serialize;
use std::rc::Rc;

/// What kind of thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A definition.
    Schema,
    /// Rows or values.
    Values,
    /// A definition that was not known before, so nothing can be compared.
    Unproved,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What differs: `users.email`, `idx_users_email`.
    pub object: String,
    /// What kind of thing differs.
    pub kind: Part,
    /// How: `is not restored`, `is left behind`, `comes back without its default 0`.
    pub what: String,
    /// False for what no application sees: the order of columns, names that the engine makes.
    pub matters: bool,
}

struct Differences(Vec<Difference>);

impl Differences {
    fn add(&mut self, object: impl Into<String>, kind: Part, what: impl Into<String>) {
        self.0.push(Difference { object: object.into(), kind, what: what.into(), matters: true });
    }

    fn cosmetic(&mut self, object: impl Into<String>, what: impl Into<String>) {
        self.0.push(Difference { object: object.into(), kind: Part::Schema, what: what.into(), matters: false });
    }
}

/// The first state of both journals, `first` having been written before `second`.
pub fn merged(mut first: Journal, second: &Journal) -> Journal {
    for (key, entry) in second {
        if !first.contains_key(key) {
            first.insert(key.clone(), entry.clone());
        }
    }
    first
}

/// What `journal` found, in the order of its keys.
fn in_order(journal: &Journal) -> Vec<(&Key, &Option<Entry>)> {
    let mut found: Vec<_> = journal.iter().filter(|(key, _)| !matches!(key, Key::Leans(..))).collect();
    found.sort_unstable_by_key(|(key, _)| *key);
    found
}

/// Every difference between what `before` found and what stands in `catalog`.
pub fn differences(before: &Journal, catalog: &Catalog) -> Vec<Difference> {
    let mut found = Differences(Vec::new());
    for (key, old) in in_order(before) {
        entry(&mut found, key, old.as_ref(), catalog);
    }
    found.0
}

/// Whether there is any that matters.
pub fn differs(before: &Journal, catalog: &Catalog) -> bool {
    let mut found = Differences(Vec::new());
    before.iter().any(|(key, old)| {
        entry(&mut found, key, old.as_ref(), catalog);
        found.0.iter().any(|difference| difference.matters)
    })
}

/// Every definition that stands otherwise in `live`, which was read from a database, than in `model`, which scripts left behind. Values and rows
/// are of no account: these catalogs know nothing of each other's.
pub fn apart(model: &Catalog, live: &Catalog) -> Vec<Difference> {
    let stands = model.everything().map(|key| {
        let entry = model.get(&key).cloned();
        (key, entry)
    });
    let journal: Journal = live.everything().map(|key| (key, None)).chain(stands).collect();
    let mut found = differences(&journal, live);
    found.retain(|difference| difference.kind == Part::Schema && difference.matters);
    found
}

fn entry(found: &mut Differences, key: &Key, old: Option<&Entry>, catalog: &Catalog) {
    let new = catalog.get(key);
    if old == new {
        return;
    }
    match (key, old, new) {
        (Key::Leans(..), ..) => {}
        (Key::Table(name), Some(Entry::Table(old)), Some(Entry::Table(new))) => table(found, name, old, new, catalog),
        (Key::Table(name), Some(_), _) => {
            found.add(name, Part::Schema, "is not restored");
            found.add(name, Part::Values, "its rows are not restored");
        }
        (Key::Table(name), None, _) => found.add(name, Part::Schema, "is left behind"),
        (Key::IndexTable(name), Some(Entry::Text(table)), new) if &**table == super::apply::key::UNKNOWN_TABLE => match new {
            Some(_) => found.add(name, Part::Unproved, "its definition before UP is not known"),
            None => found.add(name, Part::Schema, "is not restored"),
        },
        // The tables themselves tell the rest.
        (Key::IndexTable(_), ..) => {}
        (Key::Object(class, name, _), old, new) => {
            let object = format!("{} {name}", class.word());
            match (old, new) {
                (Some(Entry::Object(old)), Some(Entry::Object(new))) => match (&old.definition, &new.definition) {
                    (Some(a), Some(b)) if a == b => {}
                    (None, None) if old.made == new.made => {}
                    (Some(_), Some(_)) => found.add(object, Part::Schema, "comes back with another definition"),
                    _ => found.add(object, Part::Unproved, "its definition before UP is not known"),
                },
                (Some(_), _) => found.add(object, Part::Schema, "is not restored"),
                (None, _) => found.add(object, Part::Schema, "is left behind"),
            }
        }
        (Key::Attribute(_, attribute), ..) if attribute == "signatures" => {}
        (Key::Attribute(object, attribute), old, _) => {
            found.add(object, Part::Schema, if old.is_some() { format!("its {attribute} is not restored") } else { format!("its {attribute} stays") });
        }
    }
}

fn table(found: &mut Differences, name: &str, old: &Table, new: &Table, catalog: &Catalog) {
    if old.rows != new.rows {
        found.add(name, Part::Values, "its rows are not restored");
    } else if new.brought.iter().any(|b| !catalog.stood_before(b.origin)) {
        found.add(name, Part::Values, "rows that UP brought stay");
    }
    for (place, column) in old.columns.iter().enumerate() {
        let now = new.column_like(place, column);
        if now == Some(column) {
            continue;
        }
        let object = format!("{name}.{}", column.def.name);
        match now {
            None => {
                found.add(&object, Part::Schema, "is not restored");
                found.add(&object, Part::Values, "its values are not restored");
            }
            Some(now) => columns(found, &object, column, now),
        }
    }
    for (_, column) in new.columns.iter().enumerate().filter(|(place, c)| old.column_like(*place, c).is_none()) {
        found.add(format!("{name}.{}", column.def.name), Part::Schema, "is left behind");
    }
    fn shared<'a>(t: &'a Table, other: &Table) -> impl Iterator<Item = &'a String> {
        t.columns.iter().enumerate().filter(|(place, c)| other.column_like(*place, c).is_some()).map(|(_, c)| &c.def.name)
    }
    if !shared(old, new).eq(shared(new, old)) {
        found.cosmetic(name, "its columns come back in another order");
    }
    if old.options != new.options {
        found.add(name, Part::Schema, format!("comes back with `{}` instead of `{}`", new.options, old.options));
    }
    if old.constraints != new.constraints {
        constraints(found, name, old, new);
    }
    if old.indexes != new.indexes {
        indexes(found, old, new);
    }
}

fn columns(found: &mut Differences, object: &str, old: &HeldColumn, new: &HeldColumn) {
    // A generated column's values follow from its expression.
    let derived = old.def.generated.is_some() && old.def.generated == new.def.generated;
    if old.values != new.values && !derived {
        found.add(object, Part::Values, "its values are not restored");
    }
    if old.assumed || new.assumed {
        if old.def != new.def && old.values == new.values {
            found.add(object, Part::Unproved, "its definition before UP is not known");
        }
        return;
    }
    let (a, b) = (&old.def, &new.def);
    if a.ty != b.ty {
        found.add(object, Part::Schema, format!("comes back as {} instead of {}", b.ty, a.ty));
    }
    if a.not_null != b.not_null {
        found.add(object, Part::Schema, if a.not_null { "comes back without NOT NULL" } else { "comes back NOT NULL" });
    }
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "none".into());
    for (what, a, b) in [
        ("default", &a.default, &b.default),
        ("expression", &a.generated, &b.generated),
        ("identity", &a.identity, &b.identity),
        ("collation", &a.collation, &b.collation),
        ("comment", &a.comment, &b.comment),
    ] {
        if a != b {
            found.add(object, Part::Schema, format!("comes back with {what} {} instead of {}", text(b), text(a)));
        }
    }
    if a.other != b.other {
        found.add(object, Part::Schema, format!("comes back with `{}` instead of `{}`", b.other.join(" "), a.other.join(" ")));
    }
}

fn constraints(found: &mut Differences, table: &str, old: &Table, new: &Table) {
    let label = |c: &HeldConstraint| match (&c.rule, c.name.starts_with('\0')) {
        (_, false) => format!("constraint {} on {table}", c.name),
        (Some(rule), true) => format!("{} on {table}", rule_words(rule)),
        (None, true) => format!("a constraint on {table}"),
    };
    // Names that the engine made are matched by what the constraint demands, and each constraint stands for one other.
    let mut left: Vec<&Rc<HeldConstraint>> = new.constraints.iter().collect();
    let mut take = |fits: &dyn Fn(&HeldConstraint) -> bool| left.iter().position(|o| fits(o)).map(|at| left.remove(at));
    let by_name: Vec<_> = old.constraints.iter().map(|c| (c, take(&|o| o.name == c.name && (!c.generated || o.rule == c.rule)))).collect();
    let pairs: Vec<_> = by_name.into_iter().map(|(c, now)| (c, now.or_else(|| take(&|o| o.rule == c.rule && c.rule.is_some())))).collect();
    for (constraint, now) in pairs {
        match now {
            None => found.add(label(constraint), Part::Schema, "is not restored"),
            Some(now) if now.rule == constraint.rule && now.mode != constraint.mode => {
                let what = if now.mode.is_empty() { format!("comes back without `{}`", constraint.mode) } else { format!("comes back as `{}`", now.mode) };
                found.add(label(constraint), Part::Schema, what);
            }
            Some(now) if now.rule == constraint.rule && now.not_valid && !constraint.not_valid => {
                found.add(label(constraint), Part::Schema, "comes back NOT VALID")
            }
            Some(now) if now.name != constraint.name && now.generated && constraint.generated => {
                if !now.name.starts_with('\0') {
                    found.cosmetic(label(constraint), format!("comes back as {}", now.name));
                }
            }
            Some(now) if now.name != constraint.name => found.add(label(constraint), Part::Schema, format!("comes back as {}", now.name)),
            Some(now) if now.rule == constraint.rule && now.not_valid == constraint.not_valid => {}
            // Nothing makes a constraint NOT VALID again but to drop and add it; no row is the worse for it.
            Some(now) if now.rule == constraint.rule => found.cosmetic(label(constraint), "stays validated"),
            Some(_) if constraint.rule.is_none() => found.add(label(constraint), Part::Unproved, "its definition before UP is not known"),
            Some(_) => found.add(label(constraint), Part::Schema, "comes back with another definition"),
        }
    }
    for constraint in left {
        found.add(label(constraint), Part::Schema, "is left behind");
    }
}

/// A constraint without a name, in words.
fn rule_words(rule: &Rule) -> String {
    match rule {
        Rule::PrimaryKey(columns) => format!("the primary key ({})", columns.join(", ")),
        Rule::Unique(columns) => format!("the unique constraint ({})", columns.join(", ")),
        Rule::ForeignKey { columns, target, .. } => format!("the foreign key ({}) to {target}", columns.join(", ")),
        Rule::Check(expr) => format!("the check ({expr})"),
        Rule::Exclude(_) => "the exclusion constraint".into(),
    }
}

fn indexes(found: &mut Differences, old: &Table, new: &Table) {
    let same = |a: &HeldIndex, b: &HeldIndex| match (&a.def, &b.def) {
        (Some(a), Some(b)) => (a.unique, &a.columns, &a.rest) == (b.unique, &b.columns, &b.rest),
        (None, None) => true,
        _ => false,
    };
    // Names that the engine made; one made for a foreign key is another thing than one that was asked for.
    let twins = |a: &HeldIndex, b: &HeldIndex| same(a, b) && a.def.is_some() && a.generated && b.generated && a.for_key == b.for_key;
    let shared = |indexes: &[Rc<HeldIndex>], index: &Rc<HeldIndex>| indexes.iter().any(|other| Rc::ptr_eq(other, index));
    for index in old.indexes.iter().filter(|index| !shared(&new.indexes, index)) {
        let now = new.indexes.iter().find(|i| i.name == index.name);
        if now.is_some_and(|now| same(index, now)) {
            continue;
        }
        let object = format!("index {}", index.name);
        match now {
            Some(_) if index.def.is_none() => found.add(object, Part::Unproved, "its definition before UP is not known"),
            Some(_) => found.add(object, Part::Schema, "comes back with another definition"),
            None => match new.indexes.iter().find(|i| twins(index, i)) {
                Some(now) => found.cosmetic(object, format!("comes back as {}", now.name)),
                None => found.add(object, Part::Schema, "is not restored"),
            },
        }
    }
    for index in new.indexes.iter().filter(|index| !shared(&old.indexes, index)) {
        let renamed = |i: &Rc<HeldIndex>| twins(index, i) && !new.indexes.iter().any(|n| n.name == i.name);
        let known = old.indexes.iter().any(|i| i.name == index.name || renamed(i));
        if !known {
            found.add(format!("index {}", index.name), Part::Schema, "is left behind");
        }
    }
}

/// Something that DOWN demands of rows, and the schema after UP does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The table, or the type, whose rows it is about.
    pub of: String,
    /// The row that breaks it: `users.email holds a NULL`.
    pub broken_by: String,
}

/// What DOWN demands of rows that stood with the schema after UP: each may be broken by a row written since. `before` found
/// the state after UP.
pub fn demands(before: &Journal, catalog: &Catalog) -> Vec<Demand> {
    let mut found = Vec::new();
    for (key, old) in in_order(before) {
        match (old, catalog.get(key)) {
            (Some(Entry::Table(old)), Some(Entry::Table(new))) if !catalog.holds_none(new) && old.rows == new.rows => {
                tightened(&mut found, old, new, catalog.engine)
            }
            (Some(Entry::Object(old)), Some(Entry::Object(new))) if old.definition != new.definition => {
                let labels = |d: &Option<String>| {
                    d.as_ref().and_then(|d| d.split_once("enum(")).map(|(_, l)| l.trim_end_matches(')').split(',').map(str::to_owned).collect::<Vec<_>>())
                };
                if let (Key::Object(_, name, _), Some(old), Some(new)) = (key, labels(&old.definition), labels(&new.definition)) {
                    let fewer = new.len() < old.len();
                    let gone: Vec<_> = old.into_iter().filter(|l| !new.contains(l)).collect();
                    if fewer {
                        found.push(Demand { of: name.clone(), broken_by: format!("a row holds label {} of type {name}", gone.join(", ")) });
                    }
                }
            }
            (old, new) if old.is_none() != new.is_none() => {
                // A rule that is written again, or looked at again.
                if let Key::Attribute(object, rule) = key
                    && (rule.starts_with("constraint ") && new.is_some() || rule == "enforcement" && new.is_none())
                {
                    found.push(Demand { of: object.clone(), broken_by: format!("a value of {object} breaks {rule}") });
                }
            }
            _ => {}
        }
    }
    found
}

fn tightened(found: &mut Vec<Demand>, old: &Table, new: &Table, engine: Engine) {
    let mut demand = |broken_by: String| found.push(Demand { of: new.name.clone(), broken_by });
    for (place, column) in new.columns.iter().enumerate() {
        let Some(was) = old.column_like(place, column) else { continue };
        // All that is asked of a column is asked of its definition.
        if Rc::ptr_eq(&column.def, &was.def) {
            continue;
        }
        let object = format!("{}.{}", new.name, column.def.name);
        if column.def.not_null && !was.def.not_null && !was.assumed {
            demand(format!("{object} holds a NULL"));
        }
        match conversion(&was.def.ty, &column.def.ty, engine) {
            Conversion::Same | Conversion::Widens => {}
            Conversion::Refuses | Conversion::Cuts => demand(format!("{object} holds a value that {} cannot", column.def.ty)),
            Conversion::Unknown if was.assumed || column.assumed => {}
            Conversion::Unknown => demand(format!("{object} holds a value that does not convert to {}", column.def.ty)),
        }
    }
    for constraint in &new.constraints {
        let Some(rule) = &constraint.rule else { continue };
        let kept = match rule {
            Rule::PrimaryKey(columns) | Rule::Unique(columns) => keeps_unique(old, columns),
            // What happens on DELETE or UPDATE says nothing of the rows that stand.
            Rule::ForeignKey { columns, target, target_columns, .. } => old.constraints.iter().any(|c| {
                matches!(&c.rule, Some(Rule::ForeignKey { columns: a, target: b, target_columns: d, .. }) if (a, b, d) == (columns, target, target_columns))
            }),
            Rule::Check(_) | Rule::Exclude(_) => old.constraints.iter().any(|c| c.rule.as_ref() == Some(rule)),
        };
        let enforced_anew = constraint.is_enforced() && old.constraints.iter().any(|c| c.rule.as_ref() == Some(rule) && !c.is_enforced());
        if !kept || enforced_anew {
            demand(format!("a row of {} breaks {}", new.name, rule_words(rule)));
        }
    }
    for index in new.indexes.iter().filter_map(|i| i.def.as_ref()) {
        let had = old.indexes.iter().filter_map(|i| i.def.as_ref()).any(|d| d.columns == index.columns);
        if let Some(column) = index.columns.iter().find(|c| !had && may_refuse(c)) {
            demand(format!("{column} refuses the values of a row of {}", new.name));
        }
    }
    for index in new.indexes.iter().filter_map(|i| i.def.as_ref()).filter(|d| d.unique) {
        let had = old.indexes.iter().filter_map(|i| i.def.as_ref()).any(|d| d.unique && d.columns == index.columns && d.rest == index.rest);
        if !had && !keeps_unique(old, &index.columns) {
            demand(format!("rows of {} are alike in ({})", new.name, index.columns.join(", ")));
        }
    }
}

/// Functions that give a result for every value.
const TOTAL: &[&str] = &["abs", "btrim", "coalesce", "date", "date_trunc", "ifnull", "length", "lower", "ltrim", "md5", "nullif", "rtrim", "trim", "upper"];

/// Whether an index column calls a function that may refuse a value.
fn may_refuse(column: &str) -> bool {
    column.match_indices('(').any(|(at, _)| {
        let name: String = column[..at].chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let name: String = name.chars().rev().collect();
        !name.is_empty() && !TOTAL.contains(&name.as_str())
    })
}

/// Whether `table` keeps rows apart by `columns`, or by some of them.
fn keeps_unique(table: &Table, columns: &[String]) -> bool {
    let within = |key: &[String]| !key.is_empty() && key.iter().all(|c| columns.contains(c));
    table.constraints.iter().any(|c| matches!(&c.rule, Some(Rule::PrimaryKey(key) | Rule::Unique(key)) if within(key)))
        || table.indexes.iter().filter_map(|i| i.def.as_ref()).any(|d| d.unique && d.rest.is_empty() && within(&d.columns))
}
