//! How each engine folds names, so that equal things compare equal. In: a name as written. Out: a [`Name`].

use super::action::Name;
use crate::engine::Engine;
use std::borrow::Borrow;

/// The folded form of one part of a name. PostgreSQL folds what is not quoted to lower case; SQLite compares without case;
/// MySQL and MariaDB do so for columns and indexes, and their tables' names differ by case on some hosts only, which no
/// migration should lean on.
pub fn fold(part: &str, quoted: bool, engine: Engine) -> Name {
    match engine {
        Engine::Postgres if quoted => part.to_owned(),
        Engine::Postgres | Engine::Sqlite | Engine::Mysql | Engine::Mariadb => part.to_lowercase(),
    }
}

/// Whether the object of this name goes with the session, though its statement does not say TEMPORARY.
pub fn is_temporary(name: &str, engine: Engine) -> bool {
    engine == Engine::Sqlite && (name.starts_with("temp.") || name.starts_with("temporary."))
}

/// Joins folded parts, leaving out the schema that stands for the default one (`public`, `main`).
pub fn join<S: Borrow<str>>(parts: &[S], engine: Engine) -> Name {
    let default = match engine {
        Engine::Postgres => "public",
        Engine::Sqlite => "main",
        Engine::Mysql | Engine::Mariadb => "",
    };
    match parts {
        [schema, rest @ ..] if !rest.is_empty() && schema.borrow() == default => rest.join("."),
        _ => parts.join("."),
    }
}
