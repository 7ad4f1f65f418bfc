//! Names as SQL. In: folded names. Out: names that the engine reads as the same ones, as the author wrote them where he did.

use crate::engine::Engine;
use crate::parse::Statement;
use crate::schema::catalog::Catalog;
use foldhash::HashMap;
use sqlparser::keywords::ALL_KEYWORDS;
use sqlparser::tokenizer::{Token, Tokenizer};

/// Keywords that no engine reserves, and that tables and columns are often called by. Every other keyword is quoted.
const FREE: &[&str] = &[
    "ACCOUNT", "ACTION", "BODY", "CODE", "COMMENT", "DATA", "DATE", "EMAIL", "EVENT", "EVENTS", "FILE", "FORMAT", "ID", "LABEL", "LANGUAGE", "LEVEL",
    "LOCATION", "METHOD", "MODE", "NAME", "OWNER", "PATH", "POSITION", "PROFILE", "ROLE", "SESSION", "SOURCE", "STATUS", "TAG", "TEXT", "TOKEN", "TYPE", "URL",
    "VALUE", "VERSION", "VIEW",
];

/// The names of a migration.
pub(super) struct Names<'a> {
    engine: Engine,
    catalog: &'a Catalog,
    /// Words of UP by their lower case, where case counts or is to be kept.
    words: HashMap<String, String>,
}

impl<'a> Names<'a> {
    /// `up` is where names are looked for as they were written; PostgreSQL's folded ones say all by themselves.
    pub(super) fn new(catalog: &'a Catalog, up: &[Statement]) -> Self {
        let mut names = Names { engine: catalog.engine, catalog, words: HashMap::default() };
        if names.engine != Engine::Postgres {
            for statement in up {
                // A text that cannot be cut into tokens gives the names before the place where it breaks off.
                let mut tokens = Vec::new();
                let _ = Tokenizer::new(names.engine.dialect(), &statement.text).tokenize_with_location_into_buf(&mut tokens);
                for token in tokens {
                    if let Token::Word(word) = token.token {
                        names.words.entry(word.value.to_lowercase()).or_insert(word.value);
                    }
                }
            }
        }
        names
    }

    /// A name with or without its schema.
    pub(super) fn name(&self, name: &str) -> String {
        name.split('.').map(|part| self.part(part)).collect::<Vec<_>>().join(".")
    }

    /// One part of a name.
    pub(super) fn part(&self, name: &str) -> String {
        let written = match self.engine {
            Engine::Postgres => name,
            _ => self.catalog.written.name(name).or_else(|| self.words.get(name).map(String::as_str)).unwrap_or(name),
        };
        let quote = if self.engine.is_mysql_like() { '`' } else { '"' };
        let lower = |c: char| c.is_ascii_lowercase() || c == '_' || self.engine != Engine::Postgres && c.is_ascii_uppercase();
        let plain = written.starts_with(lower) && written.chars().all(|c| lower(c) || c.is_ascii_digit());
        let upper = written.to_ascii_uppercase();
        let reserved = ALL_KEYWORDS.binary_search(&upper.as_str()).is_ok() && !FREE.contains(&upper.as_str());
        if plain && !reserved { written.to_owned() } else { format!("{quote}{}{quote}", written.replace(quote, &format!("{quote}{quote}"))) }
    }

    /// Several names between brackets.
    pub(super) fn list(&self, names: &[String]) -> String {
        format!("({})", names.iter().map(|name| self.part(name)).collect::<Vec<_>>().join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_they_must_be() {
        for (engine, name, expected) in [
            (Engine::Postgres, "users.email", "users.email"),
            (Engine::Postgres, "User", "\"User\""),
            (Engine::Postgres, "order", "\"order\""),
            (Engine::Postgres, "status", "status"),
            (Engine::Postgres, "a b", "\"a b\""),
            (Engine::Mysql, "key", "`key`"),
            (Engine::Sqlite, "1st", "\"1st\""),
        ] {
            assert_eq!(Names::new(&Catalog::new(engine), &[]).name(name), expected);
        }
        assert!(FREE.is_sorted());
    }
}
