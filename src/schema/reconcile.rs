//! Takes what was read from a database for what scripts say, wherever both are the same in other words. In: the catalog that scripts leave
//! behind, and one that was read. Out: the second with the first one's words, so that what still differs does differ.
//!
//! Of what a server does not give back as it was said (rights, owners, the options of sequences) nothing is known here, and nothing is said.

use super::apply::part::PARTITION;
use super::catalog::{Catalog, Entry, HeldColumn, HeldConstraint, HeldIndex, Key, Object, Table};
use super::loosely::{same, same_words};
use crate::engine::Engine;
use crate::parse::action::{Class, Column, Index, Rule};
use std::collections::HashSet;
use std::rc::Rc;

/// Gives `live` the words of `model`.
pub fn reconcile(model: &Catalog, live: &mut Catalog) {
    let engine = model.engine;
    let altered = Altered::of(model);
    for key in live.everything().collect::<Vec<_>>() {
        let stood = model.get(&key);
        let word = match (&key, stood, live.get(&key)) {
            (Key::Table(_), Some(Entry::Table(model)), Some(Entry::Table(live))) => Some(Entry::Table(Rc::new(table(model, live, engine, &altered)))),
            (Key::Object(class, ..), Some(Entry::Object(model)), Some(Entry::Object(live)))
                if altered.has(key.name()) || alike(*class, model, live, engine) =>
            {
                Some(Entry::Object(Rc::clone(model)))
            }
            // Comments are read of what has one; of all else nobody asked.
            (Key::Attribute(object, attribute), ..) if READ.contains(&attribute.as_str()) && !of_extension(model, object) => continue,
            (Key::Attribute(..) | Key::IndexTable(_), stood, _) => stood.cloned(),
            (Key::Object(class, ..), stood, _) if !is_read(*class, engine) => stood.cloned(),
            // A column's own sequence, however it was made.
            (Key::Object(Class::Sequence, ..), None, Some(_)) if owned(live, &key) => None,
            _ => continue,
        };
        live.set(key, word);
    }
    for key in model.everything().collect::<Vec<_>>() {
        let silent = match &key {
            Key::Attribute(object, attribute) => !READ.contains(&attribute.as_str()) || engine != Engine::Postgres || of_extension(model, object),
            Key::IndexTable(_) => true,
            Key::Object(class, ..) if !is_read(*class, engine) => true,
            Key::Object(Class::Sequence, ..) => live.get(&key).is_none() && (owned(model, &key) || made_for_a_column(model, &key)),
            Key::Object(..) => false,
            // One of another database.
            Key::Table(name) => engine.is_mysql_like() && name.contains('.'),
            Key::Leans(..) => false,
        };
        if silent {
            live.set(key.clone(), model.get(&key).cloned());
        }
    }
}

/// The attributes that are read from a database (PostgreSQL).
const READ: [&str; 3] = ["comment", "row security", "forced row security"];

/// What some statement altered after it was made: what it says is not its definition alone any more.
struct Altered {
    objects: HashSet<String>,
    /// The tables that are parts of others.
    parts: HashSet<String>,
}

impl Altered {
    fn of(model: &Catalog) -> Altered {
        let attributes = model.everything().filter_map(|key| match key {
            // A right changes no definition, nor does a comment where it is none of a table's options.
            Key::Attribute(object, attribute) if attribute == "comment" => model.engine.is_mysql_like().then_some(object),
            Key::Attribute(object, attribute) => {
                let silent = READ.contains(&attribute.as_str()) || ["owner", "signatures"].contains(&attribute.as_str()) || attribute.contains("right");
                (!silent).then_some(object)
            }
            _ => None,
        });
        let part = |key: Key| match key {
            Key::Attribute(_, attribute) => attribute.strip_prefix(PARTITION).map(str::to_owned),
            _ => None,
        };
        Altered { objects: attributes.map(|object| plain(&object).to_owned()).collect(), parts: model.everything().filter_map(part).collect() }
    }

    fn is_part(&self, table: &str) -> bool {
        self.parts.contains(table)
    }

    fn has(&self, name: &str) -> bool {
        self.objects.contains(plain(name))
    }
}

/// A name without its arguments and the table that it hangs on.
fn plain(object: &str) -> &str {
    let object = object.split(" on ").next().unwrap_or(object);
    object.split('(').next().unwrap_or(object)
}

/// An extension's comment is its own.
fn of_extension(catalog: &Catalog, object: &str) -> bool {
    catalog.get(&Key::Object(Class::Extension, object.to_owned(), None)).is_some()
}

fn made_for_a_column(catalog: &Catalog, key: &Key) -> bool {
    matches!(catalog.get(key), Some(Entry::Object(object)) if object.definition.as_deref() == Some("made for a column"))
}

/// Whether such things are read from a database.
fn is_read(class: Class, engine: Engine) -> bool {
    match class {
        Class::View | Class::Trigger | Class::Routine | Class::Event => true,
        Class::MaterializedView | Class::Type | Class::Domain | Class::Sequence | Class::Policy | Class::Extension => engine == Engine::Postgres,
        Class::Schema | Class::Role | Class::Rule | Class::Other => false,
    }
}

/// Whether some column takes its values from the sequence.
fn owned(catalog: &Catalog, key: &Key) -> bool {
    let name = key.name().rsplit('.').next().unwrap_or_default();
    catalog.tables().any(|table| {
        table.columns.iter().any(|column| {
            let of_default = column.def.default.as_deref().is_some_and(|default| default.contains("nextval") && default.contains(name));
            let own = format!("{}_{}_seq", table.name.rsplit('.').next().unwrap_or_default(), column.def.name);
            of_default || column.def.identity.is_some() && own == name
        })
    })
}

fn alike(class: Class, model: &Object, live: &Object, engine: Engine) -> bool {
    match (class, &model.definition, &live.definition) {
        // Its texts are rewritten only where a name changes.
        (_, Some(model), Some(live)) if engine == Engine::Sqlite => same_words(model, live),
        // Options have defaults that differ by release; and what an extension is, its own scripts say.
        (Class::Sequence | Class::Extension, ..) | (_, None, _) | (_, _, None) => true,
        (Class::Routine | Class::Event, Some(model), Some(live)) => bodies(model) == bodies(live),
        (Class::View | Class::MaterializedView, Some(model), Some(live)) => views(model, live),
        (Class::Domain, Some(model), Some(live)) => same(&without_names(model), &without_names(live)),
        // What it is made of is the server's own to say.
        (Class::Type, Some(model), Some(_)) if model.contains(" as range") => true,
        (Class::Policy, Some(model), Some(live)) => same(&as_usual(model), &as_usual(live)),
        (Class::Trigger, Some(model), Some(live)) => {
            let parts =
                |text: &str| text.split_once(" when(").map_or_else(|| (text.to_owned(), String::new()), |(head, rest)| (head.to_owned(), rest.to_owned()));
            let ((head, rest), (live_head, live_rest)) = (parts(model), parts(live));
            same_words(&head, &live_head) && same(&rest, &live_rest)
        }
        (_, Some(model), Some(live)) => same(model, live),
    }
}

/// A domain without the names of its checks, which the server makes where nobody gives one.
fn without_names(definition: &str) -> String {
    let mut words = definition.split(' ');
    let mut all = Vec::new();
    while let Some(word) = words.next() {
        if word == "constraint" {
            words.next();
        } else {
            all.push(word)
        }
    }
    all.join(" ")
}

/// A policy without what holds where nothing is said.
fn as_usual(definition: &str) -> String {
    ["as permissive", "for all", "to public"].iter().fold(definition.to_owned(), |text, usual| text.replace(usual, ""))
}

/// What stands between the quotes, or after the head, without white space.
fn bodies(definition: &str) -> String {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>();
    let quoted = definition.split_once("$$").and_then(|(_, rest)| rest.rsplit_once("$$")).map(|(body, _)| body);
    let text = || {
        let (_, rest) = definition.rsplit_once("as '").or_else(|| definition.split_once('\''))?;
        rest.rsplit_once('\'').map(|(body, _)| body.replace("''", "'"))
    };
    let block = BODIES.iter().filter_map(|word| definition.find(&format!(" {word} "))).min().map(|at| &definition[at..]);
    match (quoted, block) {
        (Some(body), _) => plain(body),
        (None, Some(block)) => plain(block.trim_end_matches(';')),
        (None, None) => text().map_or_else(|| plain(definition), |body| plain(&body)),
    }
}

/// What a body that stands in no quotes may begin with (MySQL, MariaDB).
const BODIES: [&str; 13] = ["begin", "return", "select", "insert", "update", "delete", "replace", "set", "call", "if", "signal", "truncate", "do"];

/// A server qualifies every column and takes `*` apart: what shows are the literals, and the names that were written.
fn views(model: &str, live: &str) -> bool {
    let words = |text: &str| {
        let plain = text.replace(['(', ')', ',', '.', '"', '`', '=', '<', '>', ';'], " ");
        plain.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>()
    };
    let literals = |text: &str| {
        let mut all: Vec<String> = text.split('\'').skip(1).step_by(2).map(str::to_owned).collect();
        all.sort();
        all
    };
    let live_words = words(live);
    let names = words(model).into_iter().filter(|word| {
        (word.len() > 2 || word.parse::<f64>().is_ok()) && !KEYWORDS.contains(&word.as_str()) && !word.contains(['\'', ':', '*', '-', '+', '/', '|'])
    });
    literals(model) == literals(live) && names.into_iter().all(|name| live_words.contains(&name))
}

/// Words of a query that a server may say otherwise or leave out.
const KEYWORDS: [&str; 43] = [
    "create",
    "replace",
    "view",
    "materialized",
    "select",
    "from",
    "where",
    "inner",
    "outer",
    "left",
    "right",
    "join",
    "cross",
    "using",
    "group",
    "order",
    "case",
    "when",
    "then",
    "else",
    "end",
    "and",
    "not",
    "null",
    "asc",
    "distinct",
    "like",
    "ilike",
    "between",
    "exists",
    "limit",
    "offset",
    "having",
    "union",
    "all",
    "true",
    "false",
    "cast",
    "extract",
    "interval",
    "date",
    "now",
    "current_timestamp",
];

fn table(model: &Table, live: &Table, engine: Engine, altered: &Altered) -> Table {
    let mut table = live.clone();
    if engine == Engine::Sqlite {
        // It keeps what was said, word for word.
        only_what_is_known(&mut table, model);
        return table;
    }
    for column in &mut table.columns {
        if let Some(stood) = model.column(&column.def.name) {
            column.def = Rc::new(self::column(stood, column, engine));
        }
    }
    for constraint in &mut table.constraints {
        if let Some(stood) = model.constraints.iter().find(|stood| holds_the_same(stood, constraint, engine)) {
            *constraint = Rc::clone(stood);
        }
    }
    // Where a type has no place of its own, a check stands in for it.
    let stands_in =
        |constraint: &HeldConstraint| engine == Engine::Mariadb && matches!(&constraint.rule, Some(Rule::Check(text)) if text.starts_with("json_valid("));
    table.constraints.retain(|constraint| !stands_in(constraint) || model.constraints.iter().any(|stood| stood.rule == constraint.rule));
    for index in &mut table.indexes {
        let named = |stood: &&Rc<HeldIndex>| cut(&stood.name, engine) == index.name;
        let unnamed = |stood: &&Rc<HeldIndex>| stood.generated && stood.def.is_some() && indexes_alike(stood, index);
        if let Some(stood) = model
            .indexes
            .iter()
            .find(named)
            .or_else(|| model.indexes.iter().find(unnamed))
            .filter(|stood| altered.has(&stood.name) || indexes_alike(stood, index))
        {
            *index = Rc::clone(stood);
        }
    }
    // A UNIQUE over the primary key's own columns is none of its own (PostgreSQL).
    let key = model.primary_key();
    let merged = |stood: &&Rc<HeldConstraint>| matches!(&stood.rule, Some(Rule::Unique(columns)) if Some(columns.as_slice()) == key);
    let missing: Vec<Rc<HeldConstraint>> =
        model.constraints.iter().filter(merged).filter(|stood| !table.constraints.iter().any(|live| live.name == stood.name)).cloned().collect();
    table.constraints.extend(missing);
    only_what_is_known(&mut table, model);
    if altered.is_part(&model.name) {
        // Those that the whole table's indexes make on each of its parts.
        table.indexes.retain(|index| model.indexes.iter().any(|stood| stood.name == index.name));
    }
    table.options = if altered.has(&model.name) { model.options.clone() } else { options(&model.options, &live.options) };
    table
}

/// Of a table that a query made, or that was made like another one, not all is known.
fn only_what_is_known(table: &mut Table, model: &Table) {
    if !model.known || model.options.contains("including ") {
        table.columns.retain(|column| model.column(&column.def.name).is_some());
        table.constraints.retain(|constraint| model.constraints.iter().any(|stood| stood.name == constraint.name));
        table.indexes.retain(|index| model.indexes.iter().any(|stood| stood.name == index.name));
    }
}

/// A name as the engine keeps it: PostgreSQL cuts what is longer than 63 bytes.
fn cut(name: &str, engine: Engine) -> String {
    let (schema, own) = name.rsplit_once('.').map_or(("", name), |(schema, own)| (schema, own));
    let mut end = if engine == Engine::Postgres { own.len().min(63) } else { own.len() };
    while !own.is_char_boundary(end) {
        end -= 1;
    }
    if schema.is_empty() { own[..end].to_owned() } else { format!("{schema}.{}", &own[..end]) }
}

/// Whether a default that was said is what the server made of it: a number in quotes, a moment in full.
fn evaluated(said: &str, stands: &str) -> bool {
    let bare = |text: &str| text.split("::").next().unwrap_or_default().trim_matches('\'').to_owned();
    let (said, stands) = (bare(said), bare(stands));
    let number = said.parse::<f64>().is_ok() && said.parse::<f64>() == stands.parse::<f64>();
    let moment = said.len() >= 8 && stands.starts_with(&said) && said.chars().filter(char::is_ascii_digit).count() >= 6;
    number || moment || ["epoch", "now", "today", "infinity"].contains(&said.as_str())
}

fn column(model: &HeldColumn, live: &HeldColumn, engine: Engine) -> Column {
    let (stood, mut found) = (&model.def, (*live.def).clone());
    let pick = |stood: &Option<String>, found: &Option<String>| match (stood, found) {
        (Some(a), Some(b)) if same(a, b) || evaluated(a, b) => stood.clone(),
        _ => found.clone(),
    };
    if engine.is_mysql_like() && stood.ty == "json" && found.ty == "longtext" {
        found.ty.clone_from(&stood.ty);
    }
    // `NULL` is no default.
    let none = |default: &Option<String>| default.as_deref().is_none_or(|text| text.starts_with("null"));
    let boolean = |text: &str| match text {
        "0" => "false".to_owned(),
        "1" => "true".to_owned(),
        other => other.replace('"', "'"),
    };
    found.default = match (&stood.default, &found.default) {
        _ if none(&stood.default) && none(&found.default) => stood.default.clone(),
        (Some(a), Some(b)) if engine.is_mysql_like() && same(&boolean(a), &boolean(b)) => stood.default.clone(),
        (a, b) => pick(a, b),
    };
    found.generated = pick(&stood.generated, &found.generated);
    // Numbers by a sequence of the column's own are the same, however that was said.
    let nextval = |column: &Column| column.default.as_deref().is_some_and(|default| default.contains("nextval"));
    if found.identity.as_deref() == Some("serial") && nextval(stood) || stood.identity.as_deref() == Some("serial") && nextval(&found) {
        (found.identity, found.default) = (stood.identity.clone(), stood.default.clone());
        found.ty.clone_from(&stood.ty);
        found.not_null = stood.not_null;
    }
    // What nobody said is the server's own default.
    if stood.collation.is_none() || engine != Engine::Postgres {
        found.collation.clone_from(&stood.collation);
    }
    found.other.clone_from(&stood.other);
    found
}

/// Whether one is the other, by its name, or by what it demands where the engine named it.
fn holds_the_same(model: &HeldConstraint, live: &HeldConstraint, engine: Engine) -> bool {
    if cut(&model.name, engine) != live.name && !model.generated {
        return false;
    }
    match (&model.rule, &live.rule) {
        (Some(Rule::Check(a)), Some(Rule::Check(b))) => same(a, b),
        (Some(Rule::Exclude(a)), Some(Rule::Exclude(b))) => same(a, b),
        (
            Some(Rule::ForeignKey { columns, target, target_columns, actions }),
            Some(Rule::ForeignKey { columns: c, target: t, target_columns: tc, actions: a }),
        ) => {
            // A key that names no columns means the target's own.
            (columns, target) == (c, t) && (target_columns == tc || target_columns.is_empty()) && actions_of(actions) == actions_of(a)
        }
        (None, _) => true,
        (a, b) => a == b,
    }
}

/// What a foreign key does, without what it does anyway.
fn actions_of(actions: &str) -> String {
    ["on delete no action", "on update no action", "on delete restrict", "on update restrict", "match simple", "not deferrable", "initially immediate"]
        .iter()
        .fold(actions.to_owned(), |text, usual| if usual.ends_with("restrict") { text } else { text.replace(usual, "") })
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn indexes_alike(model: &HeldIndex, live: &HeldIndex) -> bool {
    let (Some(a), Some(b)) = (&model.def, &live.def) else { return true };
    let columns = |index: &Index| index.columns.join(", ");
    a.unique == b.unique && (columns(a) == columns(b) || same(&columns(a), &columns(b)) && in_order(a, b)) && same(&a.rest, &b.rest)
}

/// The order of an index's columns is no matter of words.
fn in_order(a: &Index, b: &Index) -> bool {
    a.columns.len() == b.columns.len() && a.columns.iter().zip(&b.columns).all(|(a, b)| same(a, b))
}

/// Of options that were said, what stands; those that nobody said are the server's own.
fn options(model: &str, live: &str) -> String {
    let even =
        |text: &str| text.replace("default ", "").replace("character set=", "charset=").replace("character set ", "charset=").replace("collate ", "collate=");
    let (said_all, stands_all) = (even(model), even(live));
    let value = |text: &str, key: &str| text.split(' ').find_map(|word| word.strip_prefix(key).and_then(|rest| rest.strip_prefix('='))).map(str::to_owned);
    let changed = ["engine", "charset", "collate", "comment", "row_format"].iter().any(|key| {
        let (said, stands) = (value(&said_all, key), value(&stands_all, key));
        match (*key, said, stands) {
            (_, Some(said), Some(stands)) => !said.eq_ignore_ascii_case(&stands),
            ("engine", None, Some(stands)) => stands != "innodb",
            _ => false,
        }
    });
    if changed { live.to_owned() } else { model.to_owned() }
}
