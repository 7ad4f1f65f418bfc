//! A statement's share in the verdict. In: its line of the table, what it did, and how the round trip ended. Out: verdict, loss
//! and the reason in one sentence.

use super::lock::Asked;
use crate::engine::Engine;
use crate::migration::Direction;
use crate::parse::Statement;
use crate::parse::action::{Action, Class, Op};
use crate::schema::apply::Effect;
use crate::schema::catalog::{Catalog, Origin};
use crate::schema::types::Conversion;
use crate::table::{Cell, Kind, Loss, Verdict};
use foldhash::HashSet;

/// An action and what it did.
pub(super) struct Done<'a> {
    pub(super) statement: &'a Statement,
    pub(super) action: &'a Action,
    pub(super) kind: Kind,
    pub(super) effect: Effect,
    pub(super) checks_off: bool,
    pub(super) direction: Direction,
    /// How it works on its table.
    pub(super) asked: Asked,
}

/// How the round trip ended.
pub(super) struct Context<'a> {
    /// The catalog after UP.
    pub(super) catalog: &'a Catalog,
    /// What stood before and is not in its place after DOWN.
    pub(super) lost: &'a HashSet<Origin>,
    /// What UP carried elsewhere, and DOWN carries back by an expression or a join.
    pub(super) carried: &'a HashSet<Origin>,
    /// DOWN demands something of rows that UP does not.
    pub(super) demands: bool,
    /// DOWN leads values back by the rule that UP wrote them with.
    pub(super) mapped_back: bool,
    /// DOWN is missing or does nothing.
    pub(super) no_down: bool,
}

type Share = (Verdict, Loss, String);

fn reversible(loss: Loss, why: impl Into<String>) -> Share {
    (Verdict::Reversible, loss, why.into())
}

/// The share of one statement of UP.
pub(super) fn resolve(done: &Done<'_>, context: &Context<'_>) -> Share {
    let (kind, effect, object) = (done.kind, &done.effect, &done.action.object);
    let cell = kind.cell(context.catalog.engine);
    let row = kind.row();
    if effect.skipped {
        return reversible(Loss::None, format!("{object} stood there already, so its condition makes it do nothing"));
    }
    // Whatever its line says: it took values along.
    if !matches!(cell, Cell::Destroys | Cell::Depends) && !effect.own && effect.destroyed.iter().any(|o| context.lost.contains(o)) {
        return (Verdict::Irreversible, Loss::Certain, format!("with {object} go values that stood before, and DOWN cannot bring them back"));
    }
    if matches!(done.action.op, Op::Insert { .. }) && effect.conversion == Some(Conversion::Unknown) {
        return (Verdict::Partial, Loss::Possible, format!("values are spelt anew on their way to {object}: not every one comes back as it was"));
    }
    // Rows that enter while nobody looks may break a rule for good.
    if done.checks_off
        && !effect.own
        && matches!(done.action.op, Op::Insert { .. } | Op::Update { .. } | Op::Delete { .. } | Op::AddConstraint { .. })
        && cell != Cell::Destroys
    {
        let loss = if matches!(done.action.op, Op::Insert { .. }) { Loss::WrittenSince } else { Loss::Possible };
        return (Verdict::Partial, loss, format!("{object} is changed with checks off: rows that break a rule may stand afterwards"));
    }
    if effect.conditional && !context.no_down && cell != Cell::Destroys {
        return (Verdict::Partial, Loss::Possible, format!("{object} may have stood before UP (IF [NOT] EXISTS, OR REPLACE), and DOWN removes it either way"));
    }
    if effect.conditional && cell == Cell::Destroys {
        return (Verdict::Partial, Loss::Possible, format!("{object} may have stood before UP (IF EXISTS): then what it held is gone"));
    }
    if effect.validated {
        return (Verdict::Partial, Loss::None, format!("{object} stays validated: only to drop it and add it NOT VALID takes that back"));
    }
    match cell {
        Cell::Keeps => reversible(Loss::None, "it leaves nothing to undo"),
        Cell::Undo => reversible(Loss::None, "DOWN takes it back whole"),
        Cell::UndoNew => match brings(done, context) {
            true => reversible(Loss::WrittenSince, format!("DOWN takes it back; with it go {}", row.beyond_down)),
            false => reversible(Loss::None, "it only touches what the same migration made"),
        },
        Cell::Moves if effect.own || !moved(done, context) => reversible(Loss::None, "the old name stands after UP"),
        Cell::Moves => (Verdict::Partial, Loss::None, format!("applications that use {object} must move with the name, both times")),
        Cell::Definition if effect.conversion == Some(Conversion::Unknown) => {
            (Verdict::Partial, Loss::Possible, format!("DOWN cannot bring back {} ({object})", row.beyond_down))
        }
        Cell::Definition if effect.own => reversible(Loss::None, "it only touches what the same migration made"),
        Cell::Definition if effect.blind => {
            (Verdict::Partial, Loss::None, format!("how {object} was defined before UP is not known, so DOWN cannot be compared with it"))
        }
        Cell::Definition if renamed_for_applications(done) => {
            (Verdict::Partial, Loss::None, format!("applications that use {object} must move with the name, both times"))
        }
        Cell::Definition if adds_attribute(done) => reversible(Loss::WrittenSince, "DOWN takes it back; with it go values written since UP"),
        Cell::Definition => reversible(Loss::None, "DOWN is compared with the definition that stood before"),
        Cell::Decays if effect.own => reversible(Loss::None, "it only touches what the same migration made"),
        Cell::Decays if effect.blind => {
            (Verdict::Partial, Loss::None, format!("what {object} demanded before UP is not known, so DOWN cannot be compared with it"))
        }
        Cell::Decays if !context.demands => reversible(Loss::None, "DOWN demands nothing of rows that the new schema does not"),
        Cell::Decays => (Verdict::Partial, Loss::None, format!("DOWN cannot bring back {}", row.beyond_down)),
        Cell::Depends => depends(done, context),
        Cell::Destroys => destroys(done, context),
        Cell::OneWay if effect.own => reversible(Loss::None, "it only touches what the same migration made"),
        Cell::OneWay if context.no_down => {
            (Verdict::Irreversible, Loss::None, format!("no statement takes it back: DOWN cannot bring back {}", row.beyond_down))
        }
        Cell::OneWay => (Verdict::Partial, one_way_loss(kind), format!("no statement takes it back; DOWN must rebuild {object}")),
        Cell::Unseen => (Verdict::Partial, Loss::Possible, "what it does cannot be seen from its text".into()),
        Cell::Absent => (Verdict::Partial, Loss::Possible, format!("{} has no such statement", context.catalog.engine)),
    }
}

/// Whether it gives another name to what applications name.
fn renamed_for_applications(done: &Done<'_>) -> bool {
    matches!(done.action.op, Op::RenameObject { class: Class::Schema | Class::View | Class::MaterializedView | Class::Routine, .. })
}

/// Whether it adds an attribute to a composite type, whose columns then hold values of it.
fn adds_attribute(done: &Done<'_>) -> bool {
    let Op::SetAttribute { attribute, value: Some(value), .. } = &done.action.op else { return false };
    // One that is renamed holds what it held.
    done.kind == Kind::AlterType && attribute.starts_with("attribute") && !value.starts_with("was ")
}

/// What the rebuilding DOWN of a statement without inverse may cost.
fn one_way_loss(kind: Kind) -> Loss {
    match kind {
        Kind::AddEnumValue => Loss::Possible,
        Kind::DropExpression => Loss::WrittenSince,
        _ => Loss::None,
    }
}

/// Whether what it made stands after UP in a place where something can be written to it.
fn brings(done: &Done<'_>, context: &Context<'_>) -> bool {
    match &done.action.op {
        Op::CreateTable(create) => context.catalog.table(&create.name).is_some() && !context.no_down,
        Op::AddColumn { table, column, .. } => {
            context.catalog.table(table).is_some_and(|t| context.catalog.stood_before(t.made) && t.column(&column.name).is_some())
        }
        Op::Insert { .. } => !done.effect.own,
        _ => true,
    }
}

/// Whether the old name is gone after UP.
fn moved(done: &Done<'_>, context: &Context<'_>) -> bool {
    match &done.action.op {
        Op::RenameTable { from, .. } => context.catalog.table(from).is_none(),
        Op::RenameColumn { table, from, .. } | Op::RedefineColumn { table, from, .. } => context.catalog.table(table).is_none_or(|t| t.column(from).is_none()),
        _ => true,
    }
}

fn depends(done: &Done<'_>, context: &Context<'_>) -> Share {
    let (effect, object) = (&done.effect, &done.action.object);
    if effect.own {
        return reversible(Loss::None, "it only touches what the same migration made");
    }
    if let Op::RedefineColumn { from, column, .. } = &done.action.op
        && *from != column.name
        && matches!(effect.conversion, Some(Conversion::Same | Conversion::Widens))
        && moved(done, context)
    {
        return (Verdict::Partial, Loss::None, format!("applications that use {object} must move with the name, both times"));
    }
    match effect.conversion {
        _ if effect.blind => {
            (Verdict::Partial, Loss::Possible, format!("how {object} was defined before UP is not known: the way back may fail or change values"))
        }
        Some(Conversion::Same | Conversion::Widens) if !context.demands => reversible(Loss::None, "every value comes back as it was"),
        Some(Conversion::Same) => reversible(Loss::None, "the type stays"),
        Some(Conversion::Widens) => {
            (Verdict::Partial, Loss::None, format!("{object} becomes wider: DOWN fails, or cuts, once a value stands that the old type cannot hold"))
        }
        Some(Conversion::Refuses) => (Verdict::Partial, Loss::Possible, format!("{object} becomes narrower: UP is refused where a value does not fit")),
        Some(Conversion::Cuts) if effect.destroyed.iter().any(|o| context.lost.contains(o)) => {
            (Verdict::Irreversible, Loss::Possible, format!("{object} is converted with loss: values that do not fit are changed without a word"))
        }
        Some(Conversion::Cuts | Conversion::Unknown) => {
            (Verdict::Partial, Loss::Possible, format!("{object} is converted: the way back may fail or change values"))
        }
        None => (Verdict::Partial, Loss::Possible, format!("the way back may not bring back {}", done.kind.row().beyond_down)),
    }
}

fn destroys(done: &Done<'_>, context: &Context<'_>) -> Share {
    let (effect, object, row) = (&done.effect, &done.action.object, done.kind.row());
    let followed = matches!(
        done.action.op,
        Op::DropTable { .. } | Op::DropColumn { .. } | Op::Truncate { .. } | Op::Update { .. } | Op::Delete { .. } | Op::Insert { .. }
    );
    // No statement of the migration can have written to another database of PostgreSQL, nor to a type that no column has had.
    let apart = done.kind == Kind::DropDatabase && context.catalog.engine == Engine::Postgres || done.kind == Kind::DropAttribute;
    if apart && effect.own {
        return reversible(Loss::None, "it only touches what the same migration made");
    }
    // A rebuilt table is new, and what it holds may be old.
    if followed && effect.own && !(effect.perhaps && context.mapped_back) {
        return reversible(Loss::None, "it only touches what the same migration made");
    }
    if followed && effect.destroyed.is_empty() && !effect.blind {
        return reversible(Loss::None, "no value that stood before is touched");
    }
    if followed && !effect.blind && !effect.destroyed.iter().any(|o| context.lost.contains(o)) {
        if effect.destroyed.iter().any(|o| context.carried.contains(o)) {
            return (
                Verdict::Partial,
                Loss::Possible,
                format!("UP carries the values of {object} elsewhere and DOWN carries them back, but nothing proves that each one returns"),
            );
        }
        let exact = !effect.perhaps;
        return match exact {
            true => reversible(Loss::None, "DOWN brings the values back"),
            false => {
                (Verdict::Partial, Loss::Possible, format!("DOWN maps the values of {object} back, which is right unless the new value stood there before"))
            }
        };
    }
    // A rebuild that keeps the rows and leaves out a column.
    if matches!(done.action.op, Op::DropTable { .. }) && effect.destroyed.first().is_some_and(|rows| !context.lost.contains(rows)) {
        return (Verdict::Irreversible, Loss::Certain, format!("UP drops {object}, and what it copied before leaves out values that no DOWN brings back"));
    }
    (Verdict::Irreversible, Loss::Certain, format!("UP destroys {} ({object}), and no DOWN brings that back", row.beyond_down))
}
