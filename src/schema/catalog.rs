//! The catalog that scripts leave behind, with a journal. In: entries. Out: what stood before, for as little as was touched.
//!
//! Beside definitions the catalog knows whose *values* a column holds: each column's values and each table's rows have a
//! number, which travels with them when they are renamed or copied, and is new when something else is written. Values that
//! stand in the same place under the same number after UP and DOWN are the old values.

use super::apply::mapped::Mapped;
use super::apply::owner::takes_role;
use super::entries::Entries;
use super::entry::bare;
pub(crate) use super::entry::held;
pub use super::entry::{Brought, Entry, HeldColumn, HeldConstraint, HeldIndex, Key, Leaning, Object, Origin, Table};
use super::written::Written;
use crate::engine::Engine;
use crate::parse::Statement;
use crate::parse::action::{Class, Column, Name, Picks};
use crate::target::{Release, Target};
use foldhash::{HashMap, HashSet};
use std::collections::BTreeSet;
use std::rc::Rc;

/// What the first touch of each key found there.
pub type Journal = HashMap<Key, Option<Entry>>;

/// Numbers above this stand for what was assumed to have stood from the beginning.
const ASSUMED: Origin = 1 << 62;

/// It is certain that nothing of that name stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing;

/// The catalog.
pub struct Catalog {
    /// The engine whose rules hold.
    pub engine: Engine,
    /// The release of its server, where one was stated.
    pub stated: Option<Release>,
    /// How many things scripts spoke of that no earlier statement had made: what stood before the first is not all known.
    assumptions: usize,
    /// The words of statements that could not be followed: what they name may stand or not.
    unseen: HashSet<Box<str>>,
    entries: Entries,
    /// The entries under [`Key::Leans`], by table: half of a schema may lean on one table, and each counts on its own.
    leaning: HashMap<Name, Rc<BTreeSet<Leaning>>>,
    /// What leans on most things.
    nobody: Rc<BTreeSet<Leaning>>,
    journals: Vec<Journal>,
    clock: Origin,
    assumed: Origin,
    /// The clock when the migration at hand began: what is older stood before it.
    mark: Origin,
    /// Statements of DOWN are applied: what they speak of may be missing.
    pub judging_down: bool,
    /// Foreign keys are not looked at, by the script's own word.
    pub checks_off: bool,
    /// Tables that the statement at hand drops, all at once.
    pub together: Vec<Name>,
    /// Tables that go with the session.
    pub(crate) temporary: Vec<Name>,
    /// Which rows, picked by which literals, were deleted: new number to old number and literals.
    pub(crate) deleted: HashMap<Origin, (Origin, Picks)>,
    /// By which rule values came from others, for each number that a rule made.
    pub(crate) mappings: HashMap<Origin, Mapped>,
    /// Which values came from which by a conversion that was written out.
    pub(crate) converted: HashMap<Origin, Origin>,
    /// How definitions and names were written.
    pub(crate) written: Written,
    /// Some script took another role, or gave away what stands in a way that cannot be followed.
    pub(crate) takes_roles: bool,
}

impl Catalog {
    /// An empty catalog, which is all that exists.
    pub fn new(target: impl Into<Target>) -> Self {
        let Target { engine, stated } = target.into();
        Catalog {
            engine,
            stated,
            assumptions: 0,
            unseen: HashSet::default(),
            entries: Entries::default(),
            leaning: HashMap::default(),
            nobody: Rc::default(),
            journals: Vec::new(),
            clock: 0,
            assumed: 0,
            mark: 0,
            judging_down: false,
            checks_off: false,
            together: Vec::new(),
            temporary: Vec::new(),
            deleted: HashMap::default(),
            mappings: HashMap::default(),
            converted: HashMap::default(),
            written: Written::default(),
            takes_roles: false,
        }
    }

    /// The engine, and its release where one was stated.
    pub fn target(&self) -> Target {
        Target { engine: self.engine, stated: self.stated }
    }

    /// A number that nothing else has.
    pub(crate) fn fresh(&mut self) -> Origin {
        self.clock += 1;
        self.clock
    }

    /// Whether `origin` is older than the migration at hand.
    pub fn stood_before(&self, origin: Origin) -> bool {
        origin <= self.mark || origin > ASSUMED
    }

    /// A migration begins: what is made from now on is its own.
    pub fn begin_migration(&mut self) {
        self.mark = self.clock;
        self.deleted.clear();
        self.mappings.clear();
        self.converted.clear();
    }

    /// Records what the first touch of each key finds, until [`Catalog::end`].
    pub fn begin(&mut self) {
        self.journals.push(Journal::default());
    }

    /// Ends the newest recording and hands it over.
    pub fn end(&mut self) -> Journal {
        self.journals.pop().unwrap_or_default()
    }

    /// Takes up a recording that was ended, so that what it found is known while another runs.
    pub fn resume(&mut self, journal: Journal) {
        self.journals.push(journal);
    }

    /// Puts back what `journal` found.
    pub fn restore(&mut self, journal: Journal) {
        for (key, entry) in journal {
            self.put(&key, entry);
        }
    }

    /// What stands under `key`.
    pub fn get(&self, key: &Key) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// Sets or, with `None`, removes what stands under `key`.
    pub(crate) fn set(&mut self, key: Key, entry: Option<Entry>) {
        let old = self.put(&key, entry);
        if let Some(journal) = self.journals.last_mut() {
            journal.entry(key).or_insert(old);
        }
    }

    /// Lets `entry` stand under `key`, and gives what stood there.
    fn put(&mut self, key: &Key, entry: Option<Entry>) -> Option<Entry> {
        if let Key::Leans(table, who) = key {
            if entry.is_some() {
                Rc::make_mut(self.leaning.entry(table.clone()).or_default()).insert(who.clone());
            } else if let Some(all) = self.leaning.get_mut(table) {
                Rc::make_mut(all).remove(who);
            }
        }
        match entry {
            Some(entry) => self.entries.insert(key.clone(), entry),
            None => self.entries.remove(key),
        }
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&Rc<Table>> {
        self.entries.table(name)
    }

    /// Whether what leans on a dropped thing goes with it. UP did run, so nothing was in its way.
    pub(crate) fn takes_along(&self, cascade: bool) -> bool {
        cascade || !self.judging_down
    }

    /// Whether it is certain that `name` stands where the catalog says so, and nowhere else.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.assumptions == 0 && !self.unseen.contains(bare(name))
    }

    /// What was assumed of `table` was wrong: it is only made now.
    pub(crate) fn was_assumed(&mut self, table: &Table) {
        if table.made == 0 {
            self.assumptions = self.assumptions.saturating_sub(1);
        }
    }

    /// The session ends, and its tables with it.
    pub fn end_session(&mut self) {
        for table in std::mem::take(&mut self.temporary) {
            if self.table(&table).is_some() {
                self.set(Key::Table(table), None);
            }
        }
    }

    /// A statement ran that cannot be followed: what it names may stand or not from now on.
    pub fn note_unseen(&mut self, text: &str) {
        self.unseen.extend(text.to_lowercase().split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).map(Box::from));
    }

    /// Remembers how `statement` writes what it makes.
    pub(crate) fn note_written(&mut self, statement: &Statement) {
        self.written.note(statement, self.engine);
        self.takes_roles |= self.engine == Engine::Postgres && takes_role(statement);
    }

    /// Whether `table` was just made and nothing was written to it.
    pub(crate) fn holds_none(&self, table: &Table) -> bool {
        table.empty && !self.stood_before(table.rows)
    }

    /// Whether the migration at hand touched `key`: then what stands there now is certain.
    pub(crate) fn touched(&self, key: &Key) -> bool {
        self.journals.iter().any(|journal| journal.contains_key(key))
    }

    /// The type of the column that held these values before the migration at hand.
    pub(crate) fn original_type(&self, values: Origin) -> Option<&str> {
        let found = self.journals.first()?.values().find_map(|entry| match entry {
            Some(Entry::Table(table)) => table.columns.iter().find(|c| c.values == values && !c.assumed),
            _ => None,
        })?;
        Some(&found.def.ty)
    }

    /// The names of tables that the migration at hand touched.
    pub(crate) fn touched_tables(&self) -> impl Iterator<Item = &Name> {
        self.journals.iter().flat_map(|journal| journal.keys()).filter_map(|key| if let Key::Table(name) = key { Some(name) } else { None })
    }

    /// What it means that `key` is empty: `Err` where it is certain that nothing stands there. UP is taken to have run, so
    /// what it speaks of stood there, and the catalog did not know it all.
    pub(crate) fn missing(&mut self, key: &Key) -> Result<(), Missing> {
        let name = key.name();
        if self.touched(key) || self.judging_down && self.knows(name) {
            return Err(Missing);
        }
        // One table that nobody made tells that others may stand too; an index made by hand does not.
        self.assumptions += usize::from(matches!(key, Key::Table(_)) && !self.unseen.contains(bare(name)));
        Ok(())
    }

    /// The table of that name; one that nothing is known of is taken to have stood from the beginning.
    pub(crate) fn table_or_assume(&mut self, name: &str) -> Result<Rc<Table>, Missing> {
        if let Some(table) = self.table(name) {
            return Ok(Rc::clone(table));
        }
        let key = Key::Table(name.to_owned());
        self.missing(&key)?;
        let rows = self.assumed_origin();
        let table = Rc::new(Table { name: name.to_owned(), made: 0, known: false, rows, empty: false, ..Table::default() });
        self.entries.insert(key, Entry::Table(Rc::clone(&table)));
        Ok(table)
    }

    /// Takes an attribute to have had `value` from the beginning, in every state that knows of none.
    pub(crate) fn assume_attribute(&mut self, key: &Key, value: String) {
        let entry = Entry::Text(value.into());
        for journal in &mut self.journals {
            if let Some(old @ None) = journal.get_mut(key) {
                *old = Some(entry.clone());
            }
        }
        self.entries.insert(key.clone(), entry);
    }

    /// The definition of the object of that name, whatever its class.
    pub(crate) fn definition_of(&self, name: &str) -> Option<String> {
        if let Some(Entry::Text(table)) = self.get(&Key::IndexTable(name.to_owned())) {
            return self.table(table)?.indexes.iter().find(|i| i.name == name)?.def.as_ref().map(|d| d.rest.clone());
        }
        [Class::Sequence, Class::Domain, Class::Type, Class::Routine, Class::Event, Class::View].iter().find_map(|&class| {
            match self.get(&Key::Object(class, name.to_owned(), None)) {
                Some(Entry::Object(object)) => object.definition.clone(),
                _ => None,
            }
        })
    }

    /// Takes nothing to have stood under `key`, unless the migration at hand put it there.
    pub(crate) fn forget(&mut self, key: &Key) {
        if self.touched(key) {
            self.set(key.clone(), None);
        } else {
            self.entries.remove(key);
        }
    }

    /// Takes `entry` to have stood under `key` from the beginning.
    pub(crate) fn assume(&mut self, key: Key, entry: Entry) {
        self.entries.insert(key, entry);
    }

    /// A number for something that stood before the migration at hand.
    pub(crate) fn assumed_origin(&mut self) -> Origin {
        self.assumed += 1;
        ASSUMED + self.assumed
    }

    /// Changes the table of that name.
    pub(crate) fn change_table<R>(&mut self, name: &str, change: impl FnOnce(&mut Table) -> R) -> Result<R, Missing> {
        self.table_or_assume(name)?;
        let key = Key::Table(name.to_owned());
        let Some(entry) = self.entries.get_mut(&key) else { return Err(Missing) };
        if let Some(journal) = self.journals.last_mut()
            && !journal.contains_key(&key)
        {
            journal.insert(key, Some(entry.clone()));
        }
        // Changed in its place: a copy is made only where a recording, or the caller, holds what stood before.
        let Entry::Table(table) = entry else { return Err(Missing) };
        Ok(change(Rc::make_mut(table)))
    }

    /// The column of that name, or `Err` where it is certain that there is none. A column that nothing is known of is
    /// taken to have stood from the beginning.
    pub(crate) fn column_or_assume(&mut self, table: &str, column: &str) -> Result<HeldColumn, Missing> {
        let held = self.table_or_assume(table)?;
        if let Some(found) = held.column(column) {
            return Ok(found.clone());
        }
        if !held.known && !self.stood_before(held.made) {
            return Ok(self.find_column(table, column));
        }
        if held.known && self.judging_down && !self.unseen.contains(column)
            || !self.stood_before(held.made)
            || self.before(table, held.made).is_some_and(|t| t.column(column).is_some())
        {
            return Err(Missing);
        }
        // What a statement that cannot be followed names was made by it, as likely as not.
        if self.judging_down && self.unseen.contains(column) {
            return Ok(self.find_column(table, column));
        }
        let values = self.assumed_origin();
        let new = HeldColumn { def: Rc::new(Column { name: column.to_owned(), ..Column::default() }), assumed: true, values };
        self.assume_in_table(table, |table| {
            table.known = false;
            if table.column(column).is_none() {
                table.columns.push(new.clone());
            }
        });
        Ok(new)
    }

    /// A column that a statement of this migration made without saying so.
    fn find_column(&mut self, table: &str, column: &str) -> HeldColumn {
        let values = self.fresh();
        let new = HeldColumn { def: Rc::new(Column { name: column.to_owned(), ..Column::default() }), assumed: true, values };
        let own = new.clone();
        let _ = self.change_table(table, |t| t.columns.push(own));
        new
    }

    /// The table made at `made` as the first recording found it under `name`.
    pub(crate) fn before(&self, name: &str, made: Origin) -> Option<&Rc<Table>> {
        self.journals.iter().filter_map(|j| j.get(&Key::Table(name.to_owned()))).flatten().find_map(|entry| match entry {
            Entry::Table(table) if table.made == made => Some(table),
            _ => None,
        })
    }

    /// The table `name` as the newest recording found it, or as it stands where that one has not touched it.
    pub(crate) fn as_found(&self, name: &str) -> Option<&Rc<Table>> {
        match self.journals.last().and_then(|journal| journal.get(&Key::Table(name.to_owned()))) {
            Some(Some(Entry::Table(table))) => Some(table),
            Some(_) => None,
            None => self.table(name),
        }
    }

    /// The table `name` as each recording found it.
    pub(crate) fn states_of(&self, name: &str) -> impl Iterator<Item = &Rc<Table>> {
        let key = Key::Table(name.to_owned());
        self.journals.iter().filter_map(move |j| j.get(&key)).flatten().filter_map(|entry| if let Entry::Table(table) = entry { Some(table) } else { None })
    }

    /// Adds to `name`, in every state that still holds the same table, what a statement shows to have stood there.
    pub(crate) fn assume_in_table(&mut self, name: &str, add: impl Fn(&mut Table)) {
        let Some(made) = self.table(name).map(|t| t.made) else { return };
        let key = Key::Table(name.to_owned());
        let states = self.journals.iter_mut().filter_map(|j| j.get_mut(&key)).flatten().chain(self.entries.get_mut(&key));
        for state in states {
            if let Entry::Table(table) = state
                && table.made == made
            {
                add(Rc::make_mut(table));
            }
        }
    }

    /// The keys of all but tables, in no order: only for questions that a whole catalog must answer.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.entries.other_keys()
    }

    /// Whether a statement that could not be followed speaks of one of the names in `object` (`users.email`, `constraint c on t`).
    pub fn is_unseen(&self, object: &str) -> bool {
        object.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| self.unseen.contains(word))
    }

    /// The keys of all that stands, in no order; what leans on what is left out.
    pub fn everything(&self) -> impl Iterator<Item = Key> {
        let tables = self.tables().map(|table| Key::Table(table.name.clone()));
        tables.chain(self.entries.other_keys().filter(|key| !matches!(key, Key::Leans(..))).cloned())
    }

    /// All tables, in no order: only for questions that a whole catalog must answer.
    pub fn tables(&self) -> impl Iterator<Item = &Rc<Table>> {
        self.entries.tables()
    }

    /// What leans on `table`.
    pub(crate) fn leaning(&self, table: &str) -> Rc<BTreeSet<Leaning>> {
        Rc::clone(self.leaning.get(table).unwrap_or(&self.nobody))
    }

    /// Notes that `who` leans on `table`, or no longer does.
    pub(crate) fn lean(&mut self, table: &str, who: Leaning, leans: bool) {
        let key = Key::Leans(table.to_owned(), who);
        if self.entries.get(&key).is_some() != leans {
            self.set(key, leans.then_some(Entry::Leans));
        }
    }
}
