//! Counts what a DOWN takes along or stumbles over. In: questions. Out: numbers, exact as long as there is time for it.

use super::connection::{Connection, cell_within, interruptible, lost, said};
use super::{Locked, RunError};
use crate::engine::Engine;
use crate::recover::loss::Question;
use serde::Serialize;
use std::time::{Duration, Instant};

/// How sure a number is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// So many, at this moment.
    Exact(u64),
    /// No more than about so many: the table's rows by the catalogue's estimate, for there was no time to count.
    AtMostAbout(u64),
    /// Not known, and why.
    Unknown(String),
}

impl Locked {
    /// Answers `questions`, for at most `limit` in all.
    ///
    /// # Errors
    /// [`RunError::Interrupted`] or [`RunError::Unreachable`].
    pub async fn count(&mut self, questions: &[Question], limit: Duration) -> Result<Vec<Number>, RunError> {
        let counted = interruptible(&mut self.connection, async |connection| {
            let started = Instant::now();
            let mut numbers = Vec::new();
            // Row security would hide rows from these questions; who may not do without it is refused, and told so.
            if connection.engine == Engine::Postgres {
                connection.execute("SET row_security = off").await.map_err(|error| connection.refused(DOING, &error))?;
            }
            for question in questions {
                let left = limit.saturating_sub(started.elapsed());
                numbers.push(number(connection, question, left).await.map_err(|error| connection.refused(DOING, &error))?);
            }
            if connection.engine == Engine::Postgres {
                connection.execute("RESET row_security").await.map_err(|error| connection.refused(DOING, &error))?;
            }
            Ok(numbers)
        });
        counted.await
    }
}

const DOING: &str = "counting what would be lost";

async fn number(connection: &mut Connection, question: &Question, limit: Duration) -> sqlx::Result<Number> {
    let Some(query) = &question.query else { return Ok(Number::Unknown(String::from("no query tells that"))) };
    let as_text = match connection.engine {
        Engine::Postgres => format!("SELECT ({query})::text"),
        Engine::Sqlite => query.clone(),
        Engine::Mysql | Engine::Mariadb => format!("SELECT CAST(({query}) AS CHAR)"),
    };
    if !limit.is_zero() {
        match cell_within(connection, &as_text, limit).await {
            Ok(Some(text)) => return Ok(text.parse().map_or_else(|_| Number::Unknown(format!("the answer is {text:?}")), Number::Exact)),
            Ok(None) => {}
            Err(error) if lost(&error) => return Err(error),
            Err(error) => return Ok(Number::Unknown(said(&error))),
        }
    }
    let table = question.table.replace('\'', "''");
    let estimate = match connection.engine {
        Engine::Postgres => {
            format!("SELECT greatest(reltuples, 0)::bigint::text FROM pg_catalog.pg_class WHERE oid = to_regclass('{table}') AND reltuples >= 0")
        }
        Engine::Mysql | Engine::Mariadb => format!(
            "SELECT CAST(table_rows AS CHAR) FROM information_schema.tables WHERE CONCAT('`', table_name, '`') = '{table}' AND table_schema = DATABASE() \
             OR CONCAT('`', table_schema, '`.`', table_name, '`') = '{table}'"
        ),
        Engine::Sqlite => return Ok(Number::Unknown(String::from("counting took too long"))),
    };
    match connection.cell(&estimate).await {
        Ok(Some(rows)) => Ok(rows.parse().map_or_else(|_| Number::Unknown(String::from("counting took too long")), Number::AtMostAbout)),
        Ok(None) => Ok(Number::Unknown(String::from("counting took too long"))),
        Err(error) if lost(&error) => Err(error),
        Err(error) => Ok(Number::Unknown(said(&error))),
    }
}
