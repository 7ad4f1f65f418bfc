//! What a real database says of a case. In: its statements. Out: whether UP is refused, and whether DOWN brings schema and rows
//! back, the order of columns and names that the database makes aside.

mod mariadb;
mod postgres;
mod sqlite;

use super::Case;
use crate::support;
use std::collections::BTreeMap;
use unmigrate::engine::Engine;
use unmigrate::migration::Script;
use unmigrate::parse;

/// What became of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// The database refuses the start or UP.
    Refused(String),
    /// After UP and DOWN all is as it was.
    Clean,
    /// It is not; and why.
    Bad(String),
}

/// What a [`Fate::Bad`] begins with where the database refuses DOWN.
pub(super) const DOWN_FAILS: &str = "DOWN fails: ";

/// A database to try cases on, one after another, each on an empty schema.
pub(super) enum Server {
    Sqlite,
    Postgres(postgres::Server),
    Mariadb,
}

impl Server {
    /// `None` where the engine is not installed.
    pub(super) fn open(engine: Engine) -> Option<Server> {
        match engine {
            Engine::Sqlite => Some(Server::Sqlite),
            Engine::Postgres => postgres::Server::open().map(Server::Postgres),
            Engine::Mysql | Engine::Mariadb => support::database(engine).map(|_| Server::Mariadb),
        }
    }

    /// Applies the case, and leaves nothing of it behind.
    pub(super) fn fate(&mut self, case: &Case) -> Fate {
        match self {
            Server::Sqlite => support::wait(sqlite::fate(case)),
            Server::Postgres(server) => server.fate(case),
            Server::Mariadb => support::wait(mariadb::fate(case)),
        }
    }
}

/// The statements one by one, as the runner sends what cannot be in a transaction.
fn one_by_one(sql: &str, engine: Engine) -> Vec<String> {
    parse::script(&Script::whole(sql), engine).into_iter().map(|statement| statement.text).collect()
}

/// Lines that begin so tell how far a counter has come. Numbers that were handed out stay handed out, so it may have gone on.
const POSITION: &str = "position ";

fn compare(before: &[String], after: &[String]) -> Fate {
    let split = |lines: &[String]| -> (Vec<String>, BTreeMap<String, i64>) {
        let (positions, rest): (Vec<String>, Vec<String>) = lines.iter().cloned().partition(|line| line.starts_with(POSITION));
        let position = |line: String| line.rsplit_once(' ').map(|(name, at)| (name.to_owned(), at.parse().unwrap_or(0)));
        (rest, positions.into_iter().filter_map(position).collect())
    };
    let ((before, old), (after, new)) = (split(before), split(after));
    let only = |a: &[String], b: &[String]| a.iter().find(|line| !b.contains(line)).cloned().unwrap_or_else(|| String::from("nothing"));
    if before != after {
        return Fate::Bad(format!("before: {}\n-- after: {}", only(&before, &after), only(&after, &before)));
    }
    match old.iter().find(|(name, at)| new.get(*name).is_some_and(|now| now < at)) {
        Some((name, at)) => Fate::Bad(format!("{name}: {} after {at}", new[name])),
        None => Fate::Clean,
    }
}
