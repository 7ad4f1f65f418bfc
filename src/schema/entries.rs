//! What stands, by key. In: keys and entries. Out: the entries. Tables are asked for most, and always by name alone: they have a map of
//! their own, so that no key is made to ask for one.

use super::entry::{Entry, Key, Table};
use crate::parse::action::Name;
use foldhash::HashMap;
use std::rc::Rc;

/// Entries by their keys.
#[derive(Default)]
pub(super) struct Entries {
    tables: HashMap<Name, Entry>,
    others: HashMap<Key, Entry>,
}

impl Entries {
    pub(super) fn get(&self, key: &Key) -> Option<&Entry> {
        match key {
            Key::Table(name) => self.tables.get(name),
            _ => self.others.get(key),
        }
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Entry> {
        match key {
            Key::Table(name) => self.tables.get_mut(name),
            _ => self.others.get_mut(key),
        }
    }

    pub(super) fn table(&self, name: &str) -> Option<&Rc<Table>> {
        self.tables.get(name).and_then(as_table)
    }

    pub(super) fn tables(&self) -> impl Iterator<Item = &Rc<Table>> {
        self.tables.values().filter_map(as_table)
    }

    /// The keys of all but tables, in no order.
    pub(super) fn other_keys(&self) -> impl Iterator<Item = &Key> {
        self.others.keys()
    }

    /// Lets `entry` stand under `key`, and gives what stood there.
    pub(super) fn insert(&mut self, key: Key, entry: Entry) -> Option<Entry> {
        match key {
            Key::Table(name) => self.tables.insert(name, entry),
            key => self.others.insert(key, entry),
        }
    }

    pub(super) fn remove(&mut self, key: &Key) -> Option<Entry> {
        match key {
            Key::Table(name) => self.tables.remove(name),
            _ => self.others.remove(key),
        }
    }
}

fn as_table(entry: &Entry) -> Option<&Rc<Table>> {
    match entry {
        Entry::Table(table) => Some(table),
        Entry::Object(_) | Entry::Text(_) | Entry::Leans => None,
    }
}
