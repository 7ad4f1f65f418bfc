//! The schema of a live database, as statements that make it. In: a connection. Out: SQL text, from the database's own catalogue alone; what is
//! ours (the history, its journal) and what belongs to an extension is left out.

mod mariadb;
mod postgres;
mod sqlite;

use super::connection::{Connection, Driver, interruptible};
use super::{Locked, RunError};

const DOING: &str = "reading the schema";

impl Locked {
    /// The statements that would make the schema as it stands.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], [`RunError::Refused`] where this user may not look, or [`RunError::Unreachable`].
    pub async fn schema(&mut self) -> Result<String, RunError> {
        let table = &self.table;
        interruptible(&mut self.connection, async |connection| {
            let read = match connection.driver {
                Driver::Sqlite(_) => sqlite::read(connection, table).await,
                Driver::Postgres(_) => postgres::read(connection, table).await,
                Driver::Mysql(_) => mariadb::read(connection, table).await,
            };
            read.map_err(|error| connection.refused(DOING, &error))
        })
        .await
    }
}

/// The first column of all rows, each a statement.
async fn statements(connection: &mut Connection, sql: &str, out: &mut String) -> sqlx::Result<()> {
    for row in connection.rows(sql).await? {
        if let Some(Some(statement)) = row.into_iter().next() {
            out.push_str(&statement);
            out.push_str(";\n");
        }
    }
    Ok(())
}
