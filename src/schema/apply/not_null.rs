//! NOT NULL by name. In: a constraint's name. Out: the column that it forbids NULL in, with or without the rule.
//!
//! PostgreSQL 18 holds NOT NULL as a constraint, called `TABLE_COLUMN_not_null` where nobody names it.

use super::Effect;
use crate::engine::Engine;
use crate::parse::action::{NOT_NULL_NAMED, Name};
use crate::schema::catalog::{Catalog, Entry, Key};
use std::rc::Rc;

/// What each such name ends with by itself.
const SUFFIX: &str = "_not_null";

impl Catalog {
    /// The column of `table` whose NOT NULL is called `name`.
    fn column_of_not_null(&self, table: &str, name: &str) -> Option<Name> {
        let held = self.table(table).filter(|_| self.engine == Engine::Postgres)?;
        let named =
            |column: &str| matches!(self.get(&Key::Attribute(format!("{table}.{column}"), NOT_NULL_NAMED.into())), Some(Entry::Text(text)) if **text == *name);
        let stem = name.strip_suffix(SUFFIX).and_then(|stem| stem.strip_prefix(table.rsplit('.').next()?)?.strip_prefix('_'));
        held.columns.iter().map(|c| &c.def.name).find(|column| named(column) || stem == Some(column)).cloned()
    }

    /// NOT NULL goes by its name; `None` where no column's is called so.
    pub(super) fn drop_named_not_null(&mut self, table: &str, name: &str) -> Option<Effect> {
        let Some(column) = self.column_of_not_null(table, name) else {
            // A table that was renamed kept the names of its constraints.
            return (self.engine == Engine::Postgres && name.ends_with(SUFFIX)).then(Effect::default);
        };
        self.forget_not_null_name(table, &column);
        let _ = self.change_table(table, |t| t.columns.iter_mut().filter(|c| c.def.name == column).for_each(|c| Rc::make_mut(&mut c.def).not_null = false));
        Some(Effect::default())
    }

    /// NOT NULL gets another name; `None` where no column's is called so.
    pub(super) fn rename_not_null(&mut self, table: &str, from: &str, to: &str) -> Option<Effect> {
        let Some(column) = self.column_of_not_null(table, from) else {
            return (self.engine == Engine::Postgres && from.ends_with(SUFFIX)).then(Effect::default);
        };
        let own = format!("{}_{column}{SUFFIX}", table.rsplit('.').next().unwrap_or(table));
        self.put_attribute(&format!("{table}.{column}"), NOT_NULL_NAMED, Some(to.to_owned()).filter(|to| *to != own));
        Some(Effect::default())
    }

    /// A column admits NULL: the name of its rule goes.
    pub(super) fn forget_not_null_name(&mut self, table: &str, column: &str) {
        self.put_attribute(&format!("{table}.{column}"), NOT_NULL_NAMED, None);
    }
}
