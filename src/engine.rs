//! The database engines and what each can do. In: a name, a URL or a word of a path. Out: an [`Engine`] and its facts.

use serde::{Deserialize, Serialize};
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};

/// A database engine. MySQL and MariaDB share a parser dialect, but not every verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// SQLite, linked into this program.
    Sqlite,
    /// PostgreSQL 13 and later.
    Postgres,
    /// MySQL 8 and later.
    Mysql,
    /// MariaDB 10.6 and later.
    Mariadb,
}

/// What an engine is called and what it can do.
pub struct Facts {
    /// The engine that the facts are about.
    pub engine: Engine,
    /// The name in reports, in `migrate.toml` and for `--engine`.
    pub name: &'static str,
    /// URL schemes that mean this engine.
    pub schemes: &'static [&'static str],
    /// Words that mean this engine in a folder's or file's name, lower case (`x.sqlite3.up.sql`, `migrations/postgresql/`).
    pub words: &'static [&'static str],
    /// Whether DDL is part of a transaction and rolls back with it.
    pub transactional_ddl: bool,
}

/// One line an engine.
#[rustfmt::skip]
pub const ENGINES: [Facts; 4] = [
    Facts { engine: Engine::Sqlite,   name: "sqlite",   schemes: &["sqlite"],                 words: &["sqlite", "sqlite3"],                  transactional_ddl: true },
    Facts { engine: Engine::Postgres, name: "postgres", schemes: &["postgres", "postgresql"], words: &["postgres", "postgresql", "pg", "psql"], transactional_ddl: true },
    Facts { engine: Engine::Mysql,    name: "mysql",    schemes: &["mysql"],                  words: &["mysql"],                              transactional_ddl: false },
    Facts { engine: Engine::Mariadb,  name: "mariadb",  schemes: &["mariadb"],                words: &["mariadb"],                            transactional_ddl: false },
];

/// Words of other databases: a file that carries one is for none of our engines.
pub const FOREIGN_WORDS: &[&str] =
    &["cockroach", "cockroachdb", "crdb", "mssql", "sqlserver", "oracle", "clickhouse", "duckdb", "spanner", "db2", "snowflake", "redshift"];

impl Engine {
    /// All engines, in the order of [`ENGINES`].
    pub const ALL: [Engine; 4] = [Engine::Sqlite, Engine::Postgres, Engine::Mysql, Engine::Mariadb];

    /// The facts of this engine.
    pub fn facts(self) -> &'static Facts {
        &ENGINES[self as usize]
    }

    /// The name in reports and for `--engine`.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// The engine of that name (`postgres`), or of a word that stands for it (`postgresql`, `pg`, `sqlite3`).
    pub fn from_word(word: &str) -> Option<Engine> {
        let word = word.to_ascii_lowercase();
        ENGINES.iter().find(|f| f.words.contains(&word.as_str())).map(|f| f.engine)
    }

    /// The engine that a database URL's scheme names (`sqlite:FILE`, `postgres://…`).
    pub fn from_url(url: &str) -> Option<Engine> {
        let scheme = url.split(':').next()?.to_ascii_lowercase();
        ENGINES.iter().find(|f| f.schemes.contains(&scheme.as_str())).map(|f| f.engine)
    }

    /// MySQL or MariaDB.
    pub fn is_mysql_like(self) -> bool {
        matches!(self, Engine::Mysql | Engine::Mariadb)
    }

    /// sqlparser's dialect for this engine.
    pub fn dialect(self) -> &'static dyn Dialect {
        match self {
            Engine::Sqlite => &SQLiteDialect {},
            Engine::Postgres => &PostgreSqlDialect {},
            Engine::Mysql | Engine::Mariadb => &MySqlDialect {},
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_stand_in_the_order_of_the_enum() {
        for engine in Engine::ALL {
            assert_eq!(engine.facts().engine, engine);
            assert_eq!(Engine::from_word(engine.name()), Some(engine));
            assert_eq!(Engine::from_url(&format!("{}://h/d", engine.name())), Some(engine));
        }
    }
}
