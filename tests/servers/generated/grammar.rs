//! The grammar of migrations. In: what stands. Out: a change, with the statements that do it and those that undo it.

use super::world::World;
use super::{columns, flows, objects, parts, rows};
use fastrand::Rng;
use unmigrate::engine::Engine;

/// Statements of UP, and of DOWN.
pub(super) struct Change {
    pub(super) up: Vec<String>,
    pub(super) down: Vec<String>,
}

/// A change of one statement each way.
pub(super) fn change(up: impl Into<String>, down: impl Into<String>) -> Option<Change> {
    Some(Change { up: vec![up.into()], down: vec![down.into()] })
}

/// Where a kind of change can be written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum On {
    Both,
    Sqlite,
    Postgres,
}

/// Changes the world; `None` where nothing stands that it could be done to.
pub(super) type Make = fn(&mut World, &mut Rng) -> Option<Change>;

/// A kind: its name, how often it is drawn, where, and what makes it.
pub(super) type Kind = (&'static str, usize, On, Make);

/// Every kind that `engine` has.
pub(super) fn kinds(engine: Engine) -> Vec<Kind> {
    let other = if engine == Engine::Postgres { On::Sqlite } else { On::Postgres };
    [columns::KINDS, parts::KINDS, rows::KINDS, objects::KINDS, flows::KINDS].concat().into_iter().filter(|kind| kind.2 != other).collect()
}

/// One change of a kind that is drawn, and the kind's name.
pub(super) fn draw(kinds: &[Kind], world: &mut World, rng: &mut Rng) -> (&'static str, Change) {
    let all: usize = kinds.iter().map(|kind| kind.1).sum();
    loop {
        let mut at = rng.usize(..all);
        let (name, _, _, make) = kinds
            .iter()
            .find(|kind| {
                let here = at < kind.1;
                at = at.saturating_sub(kind.1);
                here
            })
            .expect("the weights add up");
        let mut changed = world.clone();
        if let Some(change) = make(&mut changed, rng) {
            *world = changed;
            return (name, change);
        }
    }
}
