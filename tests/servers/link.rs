//! One connection to a database under test. In: statements. Out: their rows as text, or what the database said.

use crate::support::Database;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row, raw_sql};
use std::str::FromStr;
use unmigrate::engine::Engine;

/// A row as text, NULL as `NULL`.
pub(crate) type Cells = Vec<String>;

/// An open connection with the server's own settings, as the runner opens it.
pub(crate) enum Link {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
    Mysql(sqlx::MySqlConnection),
}

impl Link {
    pub(crate) async fn open(database: &Database) -> sqlx::Result<Link> {
        Ok(match database.engine {
            Engine::Sqlite => Link::Sqlite(sqlx::sqlite::SqliteConnectOptions::from_str(&database.url)?.create_if_missing(true).connect().await?),
            Engine::Postgres => Link::Postgres(sqlx::postgres::PgConnectOptions::from_str(&database.url)?.connect().await?),
            Engine::Mysql | Engine::Mariadb => {
                let options = sqlx::mysql::MySqlConnectOptions::from_str(&database.url)?;
                Link::Mysql(options.pipes_as_concat(false).no_engine_substitution(false).timezone(None).connect().await?)
            }
        })
    }

    /// A session that knows nothing of what this one set, began or made for itself. PostgreSQL has a statement for that, which is much
    /// faster than to connect anew.
    pub(crate) async fn renewed(mut self, database: &Database) -> sqlx::Result<Link> {
        if let Link::Postgres(_) = self {
            self.execute("ROLLBACK").await?;
            self.execute("DISCARD ALL").await?;
            return Ok(self);
        }
        self.close().await;
        Link::open(database).await
    }

    /// Runs one statement as it stands.
    pub(crate) async fn execute(&mut self, sql: &str) -> sqlx::Result<()> {
        match self {
            Link::Sqlite(link) => raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop),
            Link::Postgres(link) => raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop),
            Link::Mysql(link) => raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop),
        }
    }

    /// The rows of a question of ours, which the database must answer.
    pub(crate) async fn rows(&mut self, sql: &str) -> Vec<Cells> {
        macro_rules! ask {
            ($link:expr) => {{
                let rows = raw_sql(AssertSqlSafe(sql)).fetch_all($link).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
                let cell = |row: &_, at| Row::try_get_unchecked::<Option<String>, usize>(row, at).expect("text").unwrap_or_else(|| String::from("NULL"));
                rows.iter().map(|row| (0..row.len()).map(|at| cell(row, at)).collect()).collect()
            }};
        }
        match self {
            Link::Sqlite(link) => ask!(link),
            Link::Postgres(link) => ask!(link),
            Link::Mysql(link) => ask!(link),
        }
    }

    /// The rows of a question, each as one line that begins with `label`.
    pub(crate) async fn lines(&mut self, label: &str, sql: &str) -> Vec<String> {
        self.rows(sql).await.into_iter().map(|cells| format!("{label}: {}", cells.join(" | "))).collect()
    }

    pub(crate) async fn close(self) {
        // What was to be learned is learned; a server that ends the connection first is no finding.
        let _ = match self {
            Link::Sqlite(link) => link.close().await,
            Link::Postgres(link) => link.close().await,
            Link::Mysql(link) => link.close().await,
        };
    }
}
