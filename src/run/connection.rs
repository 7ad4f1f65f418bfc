//! One connection, whichever the database. In: SQL text. Out: rows of text, or the driver's error.
//!
//! Scripts and our own look-ups go through the simple protocol, text exactly as given, nothing prepared; only a history row
//! is bound to parameters.

use super::{RunError, mysql, postgres, sqlite};
use crate::engine::Engine;
use crate::run::secret::Secrets;
use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection, PgConnection, Row, SqliteConnection};
use std::time::Duration;

/// One row: each cell as text, `None` for NULL.
pub(super) type Cells = Vec<Option<String>>;

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The driver's connection.
pub(super) enum Driver {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

/// A connection and what must be known about it.
pub(super) struct Connection {
    pub(super) driver: Driver,
    /// What the server turned out to be.
    pub(super) engine: Engine,
    /// Where it leads, for people; never the password.
    pub(super) place: String,
    pub(super) secrets: Secrets,
    pub(super) read_only: bool,
    pub(super) home: Home,
}

/// Where the database lives.
pub(super) enum Home {
    /// Nowhere but in this process (SQLite).
    Memory,
    /// In a file (SQLite).
    File(sqlite::DatabaseFile),
    /// On a server, under this name.
    Server(String),
}

/// Runs `$body` on whichever connection it is.
macro_rules! each_driver {
    ($driver:expr, $link:ident => $body:expr) => {
        match $driver {
            Driver::Sqlite($link) => $body,
            Driver::Postgres($link) => $body,
            Driver::Mysql($link) => $body,
        }
    };
}

impl Connection {
    /// Connects; with `read_only` nothing can be written through it.
    pub(super) async fn open(engine: Engine, url: &str, read_only: bool) -> Result<Connection, RunError> {
        let opening = async {
            match engine {
                Engine::Sqlite => sqlite::open(url, read_only).await,
                Engine::Postgres => postgres::open(url, read_only).await,
                Engine::Mysql | Engine::Mariadb => mysql::open(engine, url, read_only).await,
            }
        };
        match tokio::time::timeout(PATIENCE, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(RunError::Unreachable { place: engine.to_string(), message: format!("no answer within {} seconds", PATIENCE.as_secs()) }),
        }
    }

    /// The server's name for the database; nothing for a file.
    pub(super) fn database(&self) -> &str {
        match &self.home {
            Home::Server(name) => name,
            Home::Memory | Home::File(_) => "",
        }
    }

    /// Runs one statement and drops the rows that it may give.
    pub(super) async fn execute(&mut self, sql: &str) -> sqlx::Result<()> {
        each_driver!(&mut self.driver, link => sqlx::raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop))
    }

    /// Runs one statement and gives its rows.
    pub(super) async fn rows(&mut self, sql: &str) -> sqlx::Result<Vec<Cells>> {
        each_driver!(&mut self.driver, link => {
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(link).await?;
            rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at)).collect()).collect()
        })
    }

    /// The first cell of the first row.
    pub(super) async fn cell(&mut self, sql: &str) -> sqlx::Result<Option<String>> {
        Ok(self.rows(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// Runs one statement with parameters.
    pub(super) async fn write(&mut self, sql: &str, values: &[Option<&str>]) -> sqlx::Result<()> {
        each_driver!(&mut self.driver, link => {
            let query = sqlx::query(AssertSqlSafe(sql)).persistent(false);
            values.iter().fold(query, |query, value| query.bind(value.map(str::to_owned))).execute(link).await.map(drop)
        })
    }

    /// Says goodbye; an error here changes nothing any more.
    pub(super) async fn close(self) {
        let _ = each_driver!(self.driver, link => link.close().await);
    }

    /// What an error means that came up while no migration ran.
    pub(super) fn refused(&self, doing: &'static str, error: &sqlx::Error) -> RunError {
        let message = self.secrets.mask(&said(error));
        if lost(error) { RunError::Unreachable { place: self.place.clone(), message } } else { RunError::Refused { doing, message } }
    }
}

/// Whether the connection is gone, so that nobody knows what became of the last statement.
pub(super) fn lost(error: &sqlx::Error) -> bool {
    match error {
        // PostgreSQL says farewell with an error of its own when it is shut down or told to end the session.
        sqlx::Error::Database(error) => error.code().is_some_and(|code| code.starts_with("57P0")),
        _ => true,
    }
}

/// The driver's words without the driver's preface.
pub(super) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(error) | sqlx::Error::Tls(error) => error.to_string(),
        other => other.to_string(),
    }
}
