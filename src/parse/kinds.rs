//! Which line of the table an action belongs to, where its own words decide. In: a column or a constraint. Out: its kind.

use super::action::{Action, Column, Constraint, Name, Op, Rule};
use super::lower::action;
use crate::table::Kind;

/// Which line of the table a new column belongs to.
pub(super) fn of_column(column: &Column) -> Kind {
    if column.default.is_some() {
        Kind::AddColumnDefault
    } else if column.not_null && column.identity.is_none() && column.generated.is_none() {
        Kind::AddColumnRequired
    } else {
        Kind::AddColumn
    }
}

/// Which line of the table a new constraint belongs to.
fn of_rule(rule: &Rule) -> Kind {
    match rule {
        Rule::PrimaryKey(_) => Kind::AddPrimaryKey,
        Rule::Unique(_) => Kind::AddUnique,
        Rule::ForeignKey { .. } => Kind::AddForeignKey,
        Rule::Check(_) => Kind::AddCheck,
        Rule::Exclude(_) => Kind::AddExclusion,
    }
}

/// The action that adds `constraint`.
pub(super) fn add_constraint(table: &Name, constraint: Constraint) -> Action {
    let object = constraint.name.as_ref().map_or_else(|| table.clone(), |name| format!("{table}.{name}"));
    action(of_rule(&constraint.rule), object, Op::AddConstraint { table: table.clone(), constraint: Box::new(constraint) })
}
