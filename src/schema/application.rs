//! What the application before UP meets on the schema after it. In: what UP found, and what stands now. Out: each thing that is gone,
//! forbidden or changed for it, with the object's name.

use super::apply::object::{labels, loses_columns};
use super::catalog::{Catalog, Entry, HeldColumn, HeldConstraint, HeldIndex, Journal, Key, Object, Table};
use super::naming::rule_columns;
use super::types::{Conversion, conversion};
use crate::engine::Engine;
use crate::parse::action::{Class, Rule};
use serde::Serialize;
use std::borrow::Cow;
use std::rc::Rc;

/// Whether the application before UP works on the schema after it. Worst wins, so the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Application {
    /// It works as before.
    Safe,
    /// Nobody can tell from the schema.
    Unknown,
    /// Something that it reads or writes is gone or forbidden.
    Breaks,
}

/// One thing that the application before UP meets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Meets {
    /// What it is: `users.email`, `view reachable`.
    pub object: String,
    /// What became of it: `is gone`.
    pub what: String,
    /// Whether that stops it.
    pub how: Application,
}

struct Met(Vec<Meets>);

impl Met {
    fn breaks(&mut self, object: impl Into<String>, what: impl Into<String>) {
        self.0.push(Meets { object: object.into(), what: what.into(), how: Application::Breaks });
    }

    fn unknown(&mut self, object: impl Into<String>, what: impl Into<String>) {
        self.0.push(Meets { object: object.into(), what: what.into(), how: Application::Unknown });
    }
}

/// All that the application before UP meets; `before` found the state before UP.
pub fn application(before: &Journal, catalog: &Catalog) -> Vec<Meets> {
    let mut met = Met(Vec::new());
    for (key, old) in before {
        let now = catalog.get(key);
        match (key, old, now) {
            (Key::Table(name), Some(_), None) => met.breaks(name, "is gone"),
            (Key::Table(_), Some(Entry::Table(old)), Some(Entry::Table(new))) => table(&mut met, old, new, catalog.engine),
            (Key::Object(class, name, on), old, now) => {
                let of = |entry: Option<&Entry>| if let Some(Entry::Object(object)) = entry { Some(Rc::clone(object)) } else { None };
                let stood = |on: &String| before.get(&Key::Table(on.clone())).is_none_or(Option::is_some);
                object(&mut met, *class, name, [of(old.as_ref()).as_deref(), of(now).as_deref()], on.as_ref().is_some_and(stood));
            }
            (Key::Attribute(object, attribute), Some(_), None) if attribute.starts_with("grant ") => {
                met.unknown(object, format!("is without its right {}", &attribute["grant ".len()..]));
            }
            (Key::Attribute(object, attribute), None, Some(_)) if attribute.ends_with("row security") => {
                met.unknown(object, format!("has {attribute}, which hides rows"));
            }
            _ => {}
        }
    }
    met.0.sort_unstable();
    met.0
}

fn object(met: &mut Met, class: Class, name: &str, [old, new]: [Option<&Object>; 2], on_old_table: bool) {
    let label = || format!("{} {name}", class.word());
    // What nobody names, but what works on each row that is written.
    let works = matches!(class, Class::Trigger | Class::Policy | Class::Rule | Class::Event);
    match (old, new) {
        (Some(_), None) if works => met.unknown(label(), "no longer works"),
        (Some(_), None) => met.breaks(label(), "is gone"),
        (None, Some(_)) if works && on_old_table => met.unknown(label(), "works on what is written"),
        (Some(old), Some(new)) if old.definition != new.definition => {
            let labels = |object: &Object| object.definition.as_deref().and_then(labels).map(|(_, labels)| labels);
            match (labels(old), labels(new)) {
                (Some(old), Some(new)) if old.iter().any(|label| !new.contains(label)) => met.breaks(label(), "has lost a label"),
                _ if class == Class::View && loses_columns(old.definition.as_deref(), new.definition.as_deref().unwrap_or_default()) => {
                    met.breaks(label(), "has fewer columns");
                }
                _ => met.unknown(label(), "has another definition"),
            }
        }
        _ => {}
    }
}

fn table(met: &mut Met, old: &Table, new: &Table, engine: Engine) {
    for (_, column) in old.columns.iter().enumerate().filter(|(place, c)| new.column_like(*place, c).is_none()) {
        met.breaks(format!("{}.{}", old.name, column.def.name), "is gone");
    }
    for (place, column) in new.columns.iter().enumerate() {
        let was = old.column_like(place, column);
        if was.is_some_and(|was| Rc::ptr_eq(&was.def, &column.def) && !was.def.ty.is_empty()) {
            continue;
        }
        self::column(met, &format!("{}.{}", new.name, column.def.name), was, column, engine);
    }
    let stood =
        |place: usize, c: &Rc<HeldConstraint>| old.constraints.get(place).is_some_and(|o| Rc::ptr_eq(o, c)) || old.constraints.iter().any(|o| o.rule == c.rule);
    for (_, constraint) in new.constraints.iter().enumerate().filter(|(place, c)| !stood(*place, c)) {
        let columns = constraint.rule.as_ref().map(|rule| rule_columns(rule, engine)).unwrap_or_default();
        let filled = |column: &Cow<'_, str>| new.column(column).is_some_and(|c| c.def.default.is_some() || c.def.not_null);
        let fresh = !columns.is_empty() && columns.iter().all(|c| old.column(c).is_none());
        let unique = matches!(constraint.rule, Some(Rule::Unique(_) | Rule::PrimaryKey(_)));
        // Each row of the old application leaves a new column as its default has it.
        if !fresh || unique && columns.iter().all(filled) {
            met.unknown(constraint_label(constraint, new), "is asked of what is written");
        }
    }
    let had = |index: &HeldIndex| old.indexes.iter().any(|o| o.name == index.name || o.def.as_ref().is_some_and(|d| d.unique) && same_columns(o, index));
    for index in new.indexes.iter().filter(|i| i.def.as_ref().is_some_and(|d| d.unique) && !had(i)) {
        let of_old = index.def.as_ref().is_some_and(|d| d.columns.iter().any(|c| old.column(c).is_some() || new.column(c).is_none()));
        if of_old {
            met.unknown(format!("index {}", index.name), "refuses what is written twice");
        }
    }
}

fn same_columns(one: &HeldIndex, other: &HeldIndex) -> bool {
    matches!((&one.def, &other.def), (Some(a), Some(b)) if a.columns == b.columns && a.rest == b.rest)
}

fn constraint_label(constraint: &HeldConstraint, table: &Table) -> String {
    if constraint.name.starts_with('\0') { format!("a constraint on {}", table.name) } else { format!("constraint {} on {}", constraint.name, table.name) }
}

fn column(met: &mut Met, label: &str, was: Option<&HeldColumn>, now: &HeldColumn, engine: Engine) {
    let free = |c: &HeldColumn| !c.def.not_null || c.def.default.is_some() || c.def.identity.is_some() || c.def.generated.is_some();
    let Some(was) = was else {
        if !free(now) {
            met.breaks(label, "is demanded of each new row");
        }
        return;
    };
    if !free(now) && free(was) && !was.assumed {
        met.breaks(label, "is demanded of each new row");
    } else if now.def.not_null && !was.def.not_null {
        met.breaks(label, "takes no NULL");
    } else if was.def.default.is_some() && now.def.default.is_none() && now.def.identity.is_none() {
        met.unknown(label, "has lost its default");
    }
    if now.def.generated.is_some() && was.def.generated.is_none() && !was.assumed {
        met.breaks(label, "is computed, and cannot be written");
    }
    if now.def.identity.as_deref() == Some("identity always") && was.def.identity.as_deref() != Some("identity always") {
        met.unknown(label, "is numbered by the database, and refuses numbers of others");
    }
    match conversion(&was.def.ty, &now.def.ty, engine) {
        Conversion::Same => {}
        Conversion::Widens | Conversion::Unknown => met.unknown(label, format!("is {} now", shown(&now.def.ty))),
        Conversion::Refuses | Conversion::Cuts => met.breaks(label, format!("is {} now, and refuses or cuts what it held", shown(&now.def.ty))),
    }
}

fn shown(ty: &str) -> &str {
    if ty.is_empty() { "without a type" } else { ty }
}
