//! What PostgreSQL does not drop because a column, a rule or a table depends on it. In: an object. Out: a refusal that names what is in
//! its way.

use super::Refusal;
use crate::engine::Engine;
use crate::parse::action::{Class, Rule};
use crate::schema::catalog::{Catalog, Key, Table};
use crate::schema::naming::words;

impl Catalog {
    /// Looks at the tables that the migration at hand touched: what it made is used nowhere else.
    pub(super) fn nothing_depends_on(&self, class: Class, key: &Key, along: bool) -> Result<(), Refusal> {
        let Key::Object(_, name, _) = key else { return Ok(()) };
        if self.engine != Engine::Postgres || along {
            return Ok(());
        }
        let uses: Box<dyn Fn(&str) -> bool> = match class {
            Class::Sequence => {
                let (plain, full) = (format!("'{name}'"), format!("'public.{name}'"));
                Box::new(move |text| text.contains("nextval") && (text.contains(&plain) || text.contains(&full)))
            }
            Class::Routine => {
                let bare = name.split('(').next().unwrap_or(name).to_owned();
                Box::new(move |text| words(text, Engine::Postgres).any(|word| word == bare) && text.contains(&format!("{bare}(")))
            }
            Class::Schema => return self.schema_is_empty(name),
            _ => return Ok(()),
        };
        for table in self.touched_tables().filter_map(|name| self.table(name)) {
            if let Some(user) = user_in(table, &uses) {
                return Err(Refusal::new(format!("{user} uses {} {name}", class.word())));
            }
        }
        Ok(())
    }

    fn schema_is_empty(&self, schema: &str) -> Result<(), Refusal> {
        let inside = |name: &str| name.strip_prefix(schema).is_some_and(|rest| rest.starts_with('.'));
        match self.touched_tables().find(|name| inside(name) && self.table(name).is_some()) {
            Some(table) => Err(Refusal::new(format!("table {table} stands in schema {schema}"))),
            None => Ok(()),
        }
    }
}

/// What of `table` speaks of the object.
fn user_in(table: &Table, uses: &dyn Fn(&str) -> bool) -> Option<String> {
    let of_column = table.columns.iter().find(|c| [&c.def.default, &c.def.generated].into_iter().flatten().any(|text| uses(text)));
    let of_rule = || table.constraints.iter().find(|c| matches!(&c.rule, Some(Rule::Check(text) | Rule::Exclude(text)) if uses(text)));
    let of_index = || table.indexes.iter().find(|i| i.def.as_ref().is_some_and(|d| d.columns.iter().chain([&d.rest]).any(|text| uses(text))));
    of_column
        .map(|c| format!("column {}.{}", table.name, c.def.name))
        .or_else(|| of_rule().map(|c| format!("constraint {} on {}", c.name, table.name)))
        .or_else(|| of_index().map(|i| format!("index {}", i.name)))
}
