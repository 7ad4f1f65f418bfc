//! The grammar of migrations. In: what stands. Out: a change, with the statements that do it and those that undo it.

use super::world::World;
use super::{columns, definitions, flows, keys, objects, parts, rows, settings, things};
use fastrand::Rng;
use unmigrate::engine::Engine;

/// Statements of UP, and of DOWN.
#[derive(Default)]
pub(super) struct Change {
    pub(super) up: Vec<String>,
    pub(super) down: Vec<String>,
    /// Some statement of it cannot be in a transaction.
    pub(super) alone: bool,
}

/// A change of one statement each way.
pub(super) fn change(up: impl Into<String>, down: impl Into<String>) -> Option<Change> {
    Some(Change { up: vec![up.into()], down: vec![down.into()], alone: false })
}

/// Where a kind of change can be written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum On {
    /// On SQLite, PostgreSQL and MariaDB.
    All,
    /// Not on MariaDB.
    Both,
    /// Not on SQLite.
    Servers,
    Sqlite,
    Postgres,
    Mariadb,
}

impl On {
    fn has(self, engine: Engine) -> bool {
        match self {
            On::All => true,
            On::Both => engine != Engine::Mariadb,
            On::Servers => engine != Engine::Sqlite,
            On::Sqlite => engine == Engine::Sqlite,
            On::Postgres => engine == Engine::Postgres,
            On::Mariadb => engine == Engine::Mariadb,
        }
    }
}

/// Changes the world; `None` where nothing stands that it could be done to.
pub(super) type Make = fn(&mut World, &mut Rng) -> Option<Change>;

/// A kind: its name, how often it is drawn, where, and what makes it.
pub(super) type Kind = (&'static str, usize, On, Make);

/// Every kind that `engine` has.
pub(super) fn kinds(engine: Engine) -> Vec<Kind> {
    let all = [columns::KINDS, definitions::KINDS, parts::KINDS, keys::KINDS, rows::KINDS, objects::KINDS, things::KINDS, settings::KINDS, flows::KINDS];
    all.concat().into_iter().filter(|kind| kind.2.has(engine)).collect()
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
