//! Views, types, routines and all else that is held as its definition; attributes.

use super::firing::without_place;
pub(crate) use super::part::whole_of;
use super::part::{ALL_TABLES, PUBLICATION};
use super::{Applied, Effect, OrMissing, Refusal};
use crate::engine::Engine;
use crate::parse::action::{Class, Name};
use crate::parse::even;
use crate::schema::catalog::{Catalog, Entry, Key, Leaning, Object};
use crate::schema::naming::{relations, sources};
use crate::schema::types::made_type;
use std::rc::Rc;

/// Where the signatures of a routine's name are listed: DROP FUNCTION may name it without its arguments.
const SIGNATURES: &str = "signatures";

/// The attribute of a range type that says which name its constructors have, where that is not its own.
const CONSTRUCTORS: &str = "constructors";

/// What a statement may read from like from a table.
const VIEWS: [Class; 2] = [Class::View, Class::MaterializedView];

impl Catalog {
    /// The key of an object; a routine named without arguments is the one that has that name.
    fn object_key(&self, class: Class, name: &str, on: Option<&Name>) -> Key {
        let key = Key::Object(class, name.to_owned(), on.cloned());
        if class == Class::Routine && self.get(&key).is_none() {
            let bare = name.split('(').next().unwrap_or(name);
            if let Some(Entry::Text(signature)) = self.get(&Key::Attribute(bare.to_owned(), SIGNATURES.into())) {
                let alone = !signature.contains('\n');
                if alone && name == bare {
                    return Key::Object(class, signature.to_string(), on.cloned());
                }
            }
        }
        key
    }

    /// The full name of a routine that is named without its arguments, where only one has that name; any other name as it is.
    pub(super) fn signature(&self, name: &str) -> String {
        match self.get(&Key::Attribute(name.to_owned(), SIGNATURES.into())) {
            Some(Entry::Text(one)) if !one.contains('\n') => one.to_string(),
            _ => name.to_owned(),
        }
    }

    fn note_signature(&mut self, class: Class, name: &str, stands: bool) {
        if class != Class::Routine {
            return;
        }
        let key = Key::Attribute(name.split('(').next().unwrap_or(name).to_owned(), SIGNATURES.into());
        let old = match self.get(&key) {
            Some(Entry::Text(text)) => text.to_string(),
            _ => String::new(),
        };
        let mut all: Vec<&str> = old.lines().filter(|line| *line != name).collect();
        if stands {
            all.push(name);
        }
        let entry = (!all.is_empty()).then(|| Entry::Text(all.join("\n").into()));
        self.set(key, entry);
    }

    fn object(&self, key: &Key) -> Option<&Rc<Object>> {
        match self.get(key) {
            Some(Entry::Object(object)) => Some(object),
            _ => None,
        }
    }

    pub(super) fn create_object(&mut self, class: Class, name: &str, on: Option<&Name>, definition: &str, or_replace: bool, if_not_exists: bool) -> Applied {
        let key = Key::Object(class, name.to_owned(), on.cloned());
        let old = self.object(&key).map(Rc::clone);
        let mut effect = Effect { own: true, ..Effect::default() };
        match &old {
            Some(_) if if_not_exists => return Ok(Effect { skipped: true, ..Effect::default() }),
            Some(old) if or_replace && self.engine == Engine::Postgres && self.judging_down && loses_columns(old.definition.as_deref(), definition) => {
                return Err(Refusal::new(format!("OR REPLACE cannot take columns from {} {name}", class.word())));
            }
            Some(old) if or_replace => {
                effect.own = !self.stood_before(old.made);
                effect.blind = old.definition.is_none();
                self.reset_attributes(class, name);
            }
            Some(_) if self.judging_down => return Err(Refusal::new(format!("{} {name} exists already", class.word()))),
            Some(_) => {}
            None => effect.conditional = (or_replace || if_not_exists) && !self.knows(name),
        }
        let of_trigger = if class == Class::Trigger { whole_of(class, on, &even::text(definition), self.engine) } else { None };
        if let (true, Some(on)) = (self.judging_down, on.or(of_trigger.as_ref()))
            && self.table(on).is_none()
            && VIEWS.iter().all(|&view| self.get(&Key::Object(view, on.clone(), None)).is_none())
        {
            self.missing(&Key::Table(on.clone())).or_missing(|| format!("table {on}"))?;
        }
        if old.is_some() {
            self.stop_leaning(class, name);
        }
        let mut definition = even::text(definition);
        if matches!(class, Class::View | Class::MaterializedView) {
            self.view_leans(class, name, &definition)?;
        }
        if let Some(function) = called_by(class, &definition) {
            self.lean(&function, Leaning::User(Box::new(key.clone())), true);
        }
        if definition.starts_with(PUBLICATION) {
            for table in relations(&definition, self.engine).into_iter().filter(|w| self.table(w).is_some()).collect::<Vec<_>>() {
                self.lean(&table, Leaning::Part(class, name.to_owned()), true);
            }
            if definition.contains("for all tables") {
                self.lean(ALL_TABLES, Leaning::Part(class, name.to_owned()), true);
            }
        }
        if let Some(whole) = whole_of(class, on, &definition, self.engine) {
            if class == Class::Trigger {
                self.order_trigger(&whole, name, &definition, true);
                definition = without_place(&definition);
            }
            self.lean(&whole, Leaning::Part(class, name.to_owned()), true);
        }
        let made = self.fresh();
        self.set(key, Some(Entry::Object(Rc::new(Object { definition: Some(definition), made }))));
        self.note_signature(class, name, true);
        if let Some(sort) = rights_word(class).filter(|_| self.engine == Engine::Postgres && old.is_none()) {
            self.give_default_rights(name, sort);
        }
        Ok(effect)
    }

    /// A view leans on what it reads from, and that must stand.
    fn view_leans(&mut self, class: Class, name: &str, definition: &str) -> Result<(), Refusal> {
        let stands = |w: &Name| self.table(w).is_some() || VIEWS.iter().any(|&view| *w != name && self.get(&Key::Object(view, w.clone(), None)).is_some());
        let mut tables: Vec<Name> = relations(definition, self.engine).into_iter().filter(stands).collect();
        if let Some(gone) = sources(definition, self.engine).into_iter().find(|w| !stands(w) && self.touched(&Key::Table(w.clone()))) {
            match self.engine {
                // SQLite takes it, and holds it against what comes later.
                Engine::Sqlite => tables.push(gone),
                _ if self.judging_down => return Err(Refusal::new(format!("table {gone} does not exist"))),
                _ => {}
            }
        }
        // SQLite takes this too.
        if self.judging_down && self.engine != Engine::Sqlite {
            for table in &tables {
                if let Some(column) = self.column_gone(table, definition) {
                    return Err(Refusal::new(format!("column {table}.{column} does not exist")));
                }
            }
        }
        for table in tables {
            self.lean(&table, Leaning::User(Box::new(Key::Object(class, name.to_owned(), None))), true);
        }
        Ok(())
    }

    /// A view no longer leans on the tables that it named.
    fn stop_leaning(&mut self, class: Class, name: &str) {
        let Some(definition) = self.object(&Key::Object(class, name.to_owned(), None)).and_then(|o| o.definition.clone()) else { return };
        if matches!(class, Class::View | Class::MaterializedView) {
            for table in relations(&definition, self.engine) {
                self.lean(&table, Leaning::User(Box::new(Key::Object(class, name.to_owned(), None))), false);
            }
        }
    }

    pub(super) fn drop_object(&mut self, class: Class, name: &str, on: Option<&Name>, if_exists: bool, cascade: bool) -> Applied {
        let key = self.object_key(class, name, on);
        let Some(old) = self.object(&key).map(Rc::clone) else {
            if if_exists {
                let known = self.knows(name) || self.missing(&key).is_err();
                return Ok(Effect { skipped: known, conditional: !known, ..Effect::default() });
            }
            self.missing(&key).or_missing(|| format!("{} {name}", class.word()))?;
            // It stood there, and nobody knows how it was defined.
            self.assume(key.clone(), Entry::Object(Rc::new(Object { definition: None, made: 0 })));
            self.set(key, None);
            return Ok(Effect { blind: true, ..Effect::default() });
        };
        if matches!(class, Class::Type | Class::Domain) && !self.takes_along(cascade) {
            for who in self.leaning(name).iter() {
                let Leaning::Table(table) = who else { continue };
                if let Some(column) = self.table(table).and_then(|t| t.columns.iter().find(|c| made_type(&c.def.ty) == Some(name))) {
                    return Err(Refusal::new(format!("column {table}.{} is of {} {name}", column.def.name, class.word())));
                }
            }
        }
        let within = |what: &str| old.definition.as_ref().is_some_and(|d| d.starts_with(&format!("create {what} ")));
        if cascade && self.judging_down && self.engine == Engine::Postgres && (class == Class::Role || within("database") || within("tablespace")) {
            return Err(Refusal::new(format!("DROP of {} {name} takes no CASCADE", class.word())));
        }
        self.nothing_depends_on(class, &key, self.takes_along(cascade))?;
        let mut effect = self.let_users_go(class, &key, self.takes_along(cascade))?;
        if cascade {
            effect = self.cascade(class, name)?;
        }
        if let Key::Object(_, name, on) = &key {
            if let Some(function) = old.definition.as_deref().and_then(|d| called_by(class, d)) {
                self.lean(&function, Leaning::User(Box::new(key.clone())), false);
            }
            self.stop_leaning(class, name);
            self.note_signature(class, name, false);
            if let Some(whole) = old.definition.as_deref().and_then(|d| whole_of(class, on.as_ref(), d, self.engine)) {
                if let (Class::Trigger, Some(definition)) = (class, &old.definition) {
                    self.order_trigger(&whole, name, definition, false);
                }
                self.lean(&whole, Leaning::Part(class, name.clone()), false);
            }
            self.drop_hanging(name);
            if let Some(on) = on {
                self.drop_hanging(&format!("{on}.{name}"));
                self.drop_hanging(&format!("{name} on {on}"));
            }
        }
        self.set(key, None);
        effect.blind = old.definition.is_none();
        effect.own = effect.destroyed.is_empty() && !self.stood_before(old.made);
        Ok(effect)
    }

    /// What uses an object is in its way, or goes with it.
    fn let_users_go(&mut self, class: Class, key: &Key, cascade: bool) -> Result<Effect, Refusal> {
        let Key::Object(_, name, _) = key else { return Ok(Effect::default()) };
        let leant_on = if class == Class::Routine { format!("{}()", name.split('(').next().unwrap_or(name)) } else { name.clone() };
        for who in self.leaning(&leant_on).iter() {
            let Leaning::User(user) = who else { continue };
            match (&**user, self.engine) {
                // A role's rights are in its way on PostgreSQL, and go with it elsewhere.
                (Key::Attribute(object, right), Engine::Postgres) => return Err(Refusal::new(format!("role {name} holds `{right}` on {object}"))),
                (Key::Attribute(..), _) => {
                    self.set((**user).clone(), None);
                    self.lean(&leant_on, who.clone(), false);
                }
                (Key::Object(other, user, on), Engine::Postgres) if cascade => {
                    // First, for names may lead in a circle where a script says what no server takes.
                    self.lean(&leant_on, who.clone(), false);
                    self.drop_object(*other, user, on.as_ref(), true, true)?;
                }
                (Key::Object(other, user, _), Engine::Postgres) => return Err(Refusal::new(format!("{} {user} uses {} {name}", other.word(), class.word()))),
                _ => {}
            }
        }
        Ok(Effect::default())
    }

    /// Columns of a dropped type or extension, and tables of a dropped schema, go with it.
    fn cascade(&mut self, class: Class, name: &str) -> Applied {
        let mut effect = Effect::default();
        let of_type = |ty: &str| ty.trim_end_matches("[]").split('(').next() == Some(name);
        match class {
            Class::Type | Class::Domain | Class::Extension => {
                let columns: Vec<(Name, Name)> =
                    self.tables().flat_map(|t| t.columns.iter().filter(|c| of_type(&c.def.ty)).map(|c| (t.name.clone(), c.def.name.clone()))).collect();
                for (table, column) in columns {
                    effect.destroyed.extend(self.drop_column(&table, &column, true, true)?.destroyed);
                }
            }
            Class::Schema => {
                let prefix = format!("{name}.");
                let tables: Vec<Name> = self.tables().filter(|t| t.name.starts_with(&prefix)).map(|t| t.name.clone()).collect();
                for table in tables {
                    effect.destroyed.extend(self.drop_table(&table, true, true)?.destroyed);
                }
            }
            _ => {}
        }
        Ok(effect)
    }

    pub(super) fn rename_object(&mut self, class: Class, from: &str, to: &str) -> Applied {
        // A trigger or policy is named with its table, which the words of a renaming keep to themselves.
        let hung = match class {
            Class::Trigger | Class::Policy | Class::Rule => {
                self.keys().find(|k| matches!(k, Key::Object(c, name, Some(_)) if *c == class && name == from)).cloned()
            }
            _ => None,
        };
        let key = hung.unwrap_or_else(|| self.object_key(class, from, None));
        let Key::Object(_, full, on) = &key else { return Ok(Effect::default()) };
        // A routine keeps its arguments.
        let to = &match full.split_once('(') {
            Some((_, arguments)) if class == Class::Routine => format!("{}({arguments}", to.split('(').next().unwrap_or(to)),
            _ => to.to_owned(),
        };
        let new_key = Key::Object(class, to.clone(), on.clone());
        self.note_signature(class, full, false);
        self.note_signature(class, to, true);
        if let Some(on) = on {
            self.lean(on, Leaning::Part(class, from.to_owned()), false);
            self.lean(on, Leaning::Part(class, to.clone()), true);
            self.move_hanging(&format!("{on}.{from}"), &format!("{on}.{to}"));
        }
        self.move_hanging(full, to);
        let old = match self.object(&key) {
            Some(old) => Rc::clone(old),
            None => {
                self.missing(&key).or_missing(|| format!("{} {from}", class.word()))?;
                let unknown = Rc::new(Object { definition: None, made: 0 });
                self.assume(key.clone(), Entry::Object(Rc::clone(&unknown)));
                unknown
            }
        };
        let bare = |name: &str| name.split('(').next().unwrap_or(name).to_owned();
        let definition = old.definition.as_ref().map(|d| crate::schema::naming::rename_word(d, &bare(from), &bare(to), self.engine));
        if let Some(function) = definition.as_deref().and_then(|d| called_by(class, d)) {
            self.lean(&function, Leaning::User(Box::new(key.clone())), false);
            self.lean(&function, Leaning::User(Box::new(new_key.clone())), true);
        }
        if class == Class::Type && definition.as_deref().is_some_and(|d| d.contains(" as range(")) {
            // The functions that make its values keep the name that it was made with (`RenameTypeInternal` of PostgreSQL).
            let made_with = match self.get(&Key::Attribute(to.clone(), CONSTRUCTORS.to_owned())) {
                Some(Entry::Text(name)) => name.to_string(),
                _ => full.clone(),
            };
            self.put_attribute(to, CONSTRUCTORS, Some(made_with).filter(|name| name != to));
        }
        self.set(key, None);
        self.set(new_key, Some(Entry::Object(Rc::new(Object { definition, made: old.made }))));
        if matches!(class, Class::Type | Class::Domain) {
            for who in self.leaning(from).iter() {
                if let Leaning::Table(table) = who
                    && self.table(table).is_some_and(|t| t.columns.iter().any(|c| c.def.ty == from))
                {
                    let _ = self.change_table(table, |t| {
                        t.columns.iter_mut().filter(|c| c.def.ty == from).for_each(|c| to.clone_into(&mut Rc::make_mut(&mut c.def).ty));
                    });
                    self.lean(to, who.clone(), true);
                }
            }
        }
        Ok(Effect { own: !self.stood_before(old.made), ..Effect::default() })
    }

    /// Changes the labels of an enum, where they are known.
    fn change_labels(&mut self, ty: &str, change: impl FnOnce(&mut Vec<String>) -> Result<(), Refusal>) -> Applied {
        let key = Key::Object(Class::Type, ty.to_owned(), None);
        let Some(old) = self.object(&key).map(Rc::clone) else {
            self.missing(&key).or_missing(|| format!("type {ty}"))?;
            let unknown = Object { definition: None, made: 0 };
            self.assume(key.clone(), Entry::Object(Rc::new(unknown.clone())));
            let made = self.fresh();
            self.set(key, Some(Entry::Object(Rc::new(Object { made, ..unknown }))));
            return Ok(Effect { blind: true, ..Effect::default() });
        };
        let definition = match old.definition.as_deref().and_then(labels) {
            Some((head, mut labels)) => {
                change(&mut labels)?;
                Some(format!("{head}enum({})", labels.iter().map(|l| format!("'{l}'")).collect::<Vec<_>>().join(",")))
            }
            None => None,
        };
        let made = self.fresh();
        self.set(key, Some(Entry::Object(Rc::new(Object { definition, made }))));
        Ok(Effect { own: !self.stood_before(old.made), ..Effect::default() })
    }

    pub(super) fn add_enum_value(&mut self, ty: &str, label: &str, place: &str, if_not_exists: bool) -> Applied {
        let label = label.trim_matches('\'').to_owned();
        let mut stood = false;
        let effect = self.change_labels(ty, |labels| {
            if labels.contains(&label) {
                stood = true;
                return if if_not_exists { Ok(()) } else { Err(Refusal::new(format!("type {ty} has label {label} already"))) };
            }
            let place = even::text(place);
            let neighbour = place.split_once(' ').map(|(_, n)| n.trim_matches('\'').to_owned());
            let at = neighbour.and_then(|n| labels.iter().position(|l| *l == n));
            match at {
                Some(at) if place.starts_with("before") => labels.insert(at, label.clone()),
                Some(at) => labels.insert(at + 1, label.clone()),
                None => labels.push(label.clone()),
            }
            Ok(())
        });
        effect.map(|e| Effect { skipped: stood, conditional: if_not_exists && e.blind, ..e })
    }

    pub(super) fn rename_enum_value(&mut self, ty: &str, from: &str, to: &str) -> Applied {
        let (from, to) = (from.trim_matches('\'').to_owned(), to.trim_matches('\'').to_owned());
        let effect = self.change_labels(ty, |labels| match labels.iter_mut().find(|l| **l == from) {
            Some(label) => {
                label.clone_from(&to);
                Ok(())
            }
            None => Err(Refusal::new(format!("type {ty} has no label {from}"))),
        })?;
        // Defaults name the label, and follow it.
        let named = format!("'{from}'");
        let users: Vec<Name> =
            self.tables().filter(|t| t.columns.iter().any(|c| c.def.ty == ty && c.def.default.as_ref() == Some(&named))).map(|t| t.name.clone()).collect();
        for table in users {
            let _ = self.change_table(&table, |t| {
                for column in t.columns.iter_mut().filter(|c| c.def.ty == ty && c.def.default.as_ref() == Some(&named)) {
                    Rc::make_mut(&mut column.def).default = Some(format!("'{to}'"));
                }
            });
        }
        Ok(effect)
    }
}

/// The labels of an enum's definition, behind what stands before them.
pub(crate) fn labels(definition: &str) -> Option<(&str, Vec<String>)> {
    let (head, rest) = definition.split_once("enum(")?;
    let labels = rest.strip_suffix(')')?.split("','").map(|l| l.trim_matches('\'').to_owned()).filter(|l| !l.is_empty()).collect();
    Some((head, labels))
}

/// The function that a trigger runs (`… execute function touch()`), as `touch()`.
pub(super) fn called_by(class: Class, definition: &str) -> Option<Name> {
    if class != Class::Trigger {
        return None;
    }
    let (_, rest) = definition.split_once("execute procedure ").or_else(|| definition.split_once("execute function "))?;
    Some(format!("{}()", rest.split('(').next()?.trim_start_matches("public.")))
}

/// What ALTER DEFAULT PRIVILEGES calls a class.
fn rights_word(class: Class) -> Option<&'static str> {
    match class {
        Class::View | Class::MaterializedView => Some("tables"),
        Class::Sequence => Some("sequences"),
        Class::Routine => Some("functions"),
        Class::Type | Class::Domain => Some("types"),
        Class::Schema => Some("schemas"),
        _ => None,
    }
}

/// Whether a view's new query gives fewer columns than the old one; a `*` hides how many there are.
pub(crate) fn loses_columns(old: Option<&str>, new: &str) -> bool {
    let count = |definition: &str| {
        let (list, _) = definition.split_once("select ")?.1.split_once(" from ")?;
        let mut depth = 0;
        let commas = list.chars().filter(|&c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            c == ',' && depth == 0
        });
        let commas = commas.count();
        (!list.contains('*')).then_some(commas)
    };
    matches!((old.and_then(count), count(&even::text(new))), (Some(old), Some(new)) if new < old)
}
