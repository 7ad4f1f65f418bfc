//! Who waits while a migration runs. In: each action with the catalog before it. Out: its line of the lock table, and findings
//! about what stops a busy site. Nothing here changes a verdict.

mod busy;
mod change;
mod safe;
mod way;

pub(super) use busy::findings;

use crate::lock_table::Fact;
use crate::parse::Statement;
use crate::parse::action::{Action, Name};
use crate::schema::catalog::{Catalog, Entry, Key};
use crate::table::Check;

/// How one action works on its table.
pub(super) struct Asked {
    /// The lock and the work.
    pub(super) fact: Fact,
    /// The table stood before this migration, as far as is known: somebody may wait for it.
    pub(super) stood: bool,
    /// The rule that it breaks, and the form that stops nobody.
    pub(super) stops: Option<(&'static Check, String)>,
}

/// Asks how `action` works on its table, as `catalog` stands before it.
pub(super) fn ask(catalog: &Catalog, statement: &Statement, action: &Action) -> Asked {
    let (way, table) = way::way(catalog, statement, action);
    let stood = table.as_ref().is_none_or(|table| stood(catalog, table));
    let stops = way.rule(catalog.target()).filter(|_| stood).map(|rule| (rule, safe::form(catalog, statement, action, way, table.as_ref())));
    Asked { fact: way.fact(catalog.target()), stood, stops }
}

/// Whether `table` stood before the migration at hand; what nothing is known of did.
fn stood(catalog: &Catalog, table: &Name) -> bool {
    use crate::parse::action::Class::{MaterializedView, View};
    let view = || {
        [View, MaterializedView].iter().find_map(|&class| match catalog.get(&Key::Object(class, table.clone(), None)) {
            Some(Entry::Object(object)) => Some(object.made),
            _ => None,
        })
    };
    catalog.table(table).map(|t| t.made).or_else(view).is_none_or(|made| catalog.stood_before(made))
}
