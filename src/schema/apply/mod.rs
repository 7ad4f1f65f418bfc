//! What an action does to the catalog. In: the catalog and an action. Out: the changed catalog, and what became of values
//! that stood before.

mod attribute;
mod column;
mod depends;
mod firing;
pub(crate) mod key;
mod lean;
pub(crate) mod mapped;
mod not_null;
pub(crate) mod object;
pub(crate) mod owner;
pub(super) mod part;
mod rows;
mod table;

use super::catalog::{Catalog, Missing, Origin};
use super::types::Conversion;
use crate::parse::action::{Action, Name, Op};
use crate::table::Loss;

/// What one action did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Effect {
    /// Numbers of values or rows, older than the migration, that it overwrote or removed.
    pub destroyed: Vec<Origin>,
    /// Whether those are gone for certain, or only where there were any of a kind.
    pub perhaps: bool,
    /// What it did to values by a change of type.
    pub conversion: Option<Conversion>,
    /// It took away or replaced a definition that the catalog does not know.
    pub blind: bool,
    /// Whether it did anything depends on something that the catalog does not know (`IF NOT EXISTS` and its like).
    pub conditional: bool,
    /// What it named was not there or there already, and its condition made it do nothing.
    pub skipped: bool,
    /// All that it touched was made by the same migration.
    pub own: bool,
    /// DOWN deletes or overwrites rows that stood before: every one, or those that a condition picks.
    pub foreign_rows: Option<Loss>,
    /// The index that it dropped was a unique one.
    pub was_unique: bool,
    /// It made valid for good what had stood NOT VALID.
    pub validated: bool,
    /// The constraint that it dropped was the primary key.
    pub was_primary: bool,
    /// It writes to a column that is NOT NULL what may be NULL, or makes a column NOT NULL in which NULL may stand.
    pub may_meet_null: bool,
    /// It writes out how each value becomes one of another type.
    pub mapped_by_hand: bool,
    /// Tables with a foreign key at rows that it deletes, and no rule that clears the key or deletes along.
    pub pointed_at_by: Vec<Name>,
    /// The exact way back of rows was found: what UP brought, or a value mapped back.
    pub mapped_back: bool,
}

/// The database would refuse the statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Why, in a few words: `column users.email does not exist`.
    pub why: String,
}

impl Refusal {
    pub(crate) fn new(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into() }
    }
}

/// The answer of each part.
pub(crate) type Applied = Result<Effect, Refusal>;

/// Turns a certain absence into a refusal that names it.
pub(crate) trait OrMissing<T> {
    fn or_missing(self, what: impl FnOnce() -> String) -> Result<T, Refusal>;
}

impl<T> OrMissing<T> for Result<T, Missing> {
    fn or_missing(self, what: impl FnOnce() -> String) -> Result<T, Refusal> {
        self.map_err(|Missing| Refusal::new(format!("{} does not exist", what())))
    }
}

/// Applies `action`. A refusal is certain: the catalog knows what stands there. Nothing is changed by a refused action.
///
/// # Errors
/// The [`Refusal`], where the database would refuse the statement.
pub fn apply(catalog: &mut Catalog, action: &Action) -> Applied {
    match &action.op {
        Op::CreateTable(create) => catalog.create_table(create),
        Op::DropTable { name, if_exists, cascade } => catalog.drop_table(name, *if_exists, *cascade),
        Op::RenameTable { from, to } => catalog.rename_table(from, to),
        Op::AddColumn { table, column, constraints, if_not_exists } => catalog.add_column(table, column, constraints, *if_not_exists),
        Op::DropColumn { table, column, if_exists, cascade } => catalog.drop_column(table, column, *if_exists, *cascade),
        Op::RenameColumn { table, from, to } => catalog.rename_column(table, from, to),
        Op::AlterColumn { table, column, change } => catalog.alter_column(table, column, change),
        Op::RedefineColumn { table, from, column } => catalog.redefine_column(table, from, column),
        Op::AddConstraint { table, constraint } => catalog.add_constraint(table, constraint),
        Op::DropConstraint { table, which, if_exists, cascade } => catalog.drop_constraint(table, which, *if_exists, *cascade),
        Op::RenameConstraint { table, from, to } => catalog.rename_constraint(table, from, to),
        Op::ValidateConstraint { table, name } => catalog.validate_constraint(table, name),
        Op::CreateIndex { index, if_not_exists, concurrently: _ } => catalog.create_index(index, *if_not_exists),
        Op::DropIndex { table, name, if_exists, concurrently: _ } => catalog.drop_index(table.as_ref(), name, *if_exists),
        Op::RenameIndex { table, from, to } => catalog.rename_index(table.as_ref(), from, to),
        Op::CreateObject { class, name, on, definition, or_replace, if_not_exists } => {
            catalog.create_object(*class, name, on.as_ref(), definition, *or_replace, *if_not_exists)
        }
        Op::DropObject { class, name, on, if_exists, cascade } => catalog.drop_object(*class, name, on.as_ref(), *if_exists, *cascade),
        Op::RenameObject { class, from, to } => catalog.rename_object(*class, from, to),
        Op::AddEnumValue { ty, label, place, if_not_exists } => catalog.add_enum_value(ty, label, place, *if_not_exists),
        Op::RenameEnumValue { ty, from, to } => catalog.rename_enum_value(ty, from, to),
        Op::SetAttribute { object, attribute, value } => {
            catalog.attribute_may_be_set(object, attribute)?;
            catalog.set_attribute(object, attribute, value.as_deref())
        }
        Op::Insert { table, columns, rows, conflict } => catalog.insert(table, columns, rows, *conflict),
        Op::Update { table, set, filter } => catalog.update(table, set, filter),
        Op::Delete { table, filter } => catalog.delete(table, filter),
        Op::Truncate { table, cascade } => catalog.truncate(table, *cascade),
        Op::Nothing => Ok(Effect::default()),
        Op::DisableChecks => {
            catalog.checks_off = true;
            Ok(Effect::default())
        }
        Op::Unseen => Ok(Effect { blind: true, ..Effect::default() }),
    }
}
