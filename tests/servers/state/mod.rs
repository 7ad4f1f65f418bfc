//! What stands in a database, made comparable. In: a database. Out: lines of schema and lines of rows, sorted, without what the
//! engine makes up by itself (numbers of objects, column order).

mod mariadb;
mod mysql;
mod mysql_like;
mod postgres;
mod sqlite;

use crate::link::Link;
use crate::support::Database;
use unmigrate::engine::Engine;

/// Prefix of all that a case makes outside of its own database.
pub(crate) const OUTSIDE: &str = "migrate_case";

/// A database at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Definitions, grants, comments, settings.
    pub(crate) schema: Vec<String>,
    /// Rows and positions.
    pub(crate) rows: Vec<String>,
}

/// How far a dump looks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The database, and all that a case can change on its server.
    Server,
    /// The database alone.
    Database,
}

/// Everything that a case can change.
pub(crate) async fn dump(link: &mut Link, database: &Database, scope: Scope) -> State {
    let mut state = match database.engine {
        Engine::Sqlite => sqlite::dump(link).await,
        Engine::Postgres => postgres::dump(link, database, scope).await,
        Engine::Mysql => mysql::dump(link, scope).await,
        Engine::Mariadb => mariadb::dump(link, scope).await,
    };
    state.schema.sort();
    state.rows.sort();
    state
}

/// Removes what a case left on the server.
pub(crate) async fn clean(database: &Database) {
    let Some(root) = database.root() else { return };
    let mut link = Link::open(&root).await.expect("a connection");
    match database.engine {
        Engine::Sqlite => {}
        Engine::Postgres => postgres::clean(&mut link, database).await,
        Engine::Mysql => mysql::clean(&mut link, database).await,
        Engine::Mariadb => mariadb::clean(&mut link, database).await,
    }
    link.close().await;
}

/// A definition with the parts of its outermost brackets in order of the alphabet, one line each: the order of columns is
/// nothing that a migration can bring back.
fn evened(lines: &[&str]) -> String {
    let mut lines: Vec<&str> = lines.iter().map(|line| line.trim().trim_end_matches(',')).filter(|line| !line.is_empty()).collect();
    if let [_, body @ ..] = lines.as_mut_slice() {
        body.sort_unstable();
    }
    lines.join("\n    ")
}

/// What differs, one line each, in the manner of `diff`.
pub(crate) fn differences(before: &[String], after: &[String]) -> Vec<String> {
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    gone.chain(new).collect()
}
