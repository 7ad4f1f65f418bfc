//! Histories that other tools keep, and taking them over. In: the database's own catalog. Out: their tables and rows; rows of ours that say
//! the same, all or none.

use super::connection::{COMMIT, Driver, interruptible};
use super::history::{Record, now};
use super::tables::quoted;
use super::{Locked, RunError};
use crate::engine::Engine;
use crate::foreign::{Row, Tool};
use crate::gate::{Cleared, Course, Step};
use crate::observed::Outcome;

/// A table that looks like some tool's history.
#[derive(Clone, Debug)]
pub struct Table {
    /// The tool whose columns it has.
    pub tool: Tool,
    /// Its name for people, with its schema where the database has such.
    pub name: String,
    /// Its name in SQL.
    sql: String,
}

impl Table {
    /// Whether `name` means it: with or without its schema, in any case.
    pub fn is(&self, name: &str) -> bool {
        let bare = self.name.rsplit_once('.').map_or(self.name.as_str(), |(_, bare)| bare);
        [self.name.as_str(), bare].iter().any(|own| own.eq_ignore_ascii_case(name))
    }
}

impl Locked {
    /// The tables that have the columns of a tool's history, by name.
    ///
    /// # Errors
    /// [`RunError::Interrupted`], [`RunError::Refused`] or [`RunError::Unreachable`].
    pub async fn foreign_histories(&mut self) -> Result<Vec<Table>, RunError> {
        interruptible(&mut self.connection, async |connection| {
            let rows = connection.rows(columns(&connection.driver)).await.map_err(|error| connection.refused("looking for another tool's history", &error))?;
            let quote = if connection.engine.is_mysql_like() { '`' } else { '"' };
            Ok(rows.into_iter().filter_map(|row| table(row, quote)).collect())
        })
        .await
    }

    /// What stands in `table`, for [`crate::foreign::history`].
    ///
    /// # Errors
    /// As [`Locked::foreign_histories`].
    pub async fn foreign_rows(&mut self, table: &Table) -> Result<Vec<Row>, RunError> {
        let sql = rows(table, self.connection.engine);
        interruptible(&mut self.connection, async |connection| {
            connection.rows(&sql).await.map_err(|error| connection.refused("reading another tool's history", &error))
        })
        .await
    }

    /// Adds the rows of steps that run nothing, which are to be recorded only: all of them or none.
    ///
    /// # Errors
    /// As [`Locked::apply`], but nothing is ever done part-way.
    pub async fn record(&mut self, cleared: Cleared) -> Result<usize, RunError> {
        let head = self.admit(&cleared).await?;
        let Some(outcomes) = cleared.steps().iter().map(outcome).collect::<Option<Vec<_>>>() else {
            return Err(RunError::Usage(String::from("one of these steps is to be run, not only recorded; nothing was touched")));
        };
        let who = self.prepare().await?;
        let recorded: sqlx::Result<()> = async {
            self.connection.execute("BEGIN").await?;
            let started_at = now();
            for ((step, outcome), seq) in cleared.steps().iter().zip(outcomes).zip(head.unwrap_or(0) + 1..) {
                let record = Record { seq, outcome, started_at: &started_at, who: &who, note: step.note.as_deref(), pin: None };
                self.table.append(&mut self.connection, step, &record, false).await?;
            }
            self.connection.execute(COMMIT).await
        }
        .await;
        match recorded {
            Ok(()) => Ok(cleared.steps().len()),
            Err(error) => {
                // Where even this fails the session ends, and the transaction with it.
                let _ = self.connection.execute("ROLLBACK").await;
                Err(self.connection.refused("recording what stands", &error))
            }
        }
    }
}

/// How a step ended that runs nothing.
fn outcome(step: &Step) -> Option<Outcome> {
    match step.course {
        Course::Settle(outcome) => Some(outcome),
        Course::Whole | Course::Finish(_) | Course::Compensate(..) => None,
    }
}

/// Schema, name and the columns in lower case, parted by commas, of every table.
fn columns(driver: &Driver) -> &'static str {
    match driver {
        Driver::Sqlite(_) => {
            "SELECT NULL, m.name, group_concat(lower(c.name)) FROM sqlite_schema m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' GROUP BY m.name ORDER BY m.name"
        }
        Driver::Postgres(_) => {
            "SELECT n.nspname, c.relname, string_agg(lower(a.attname), ',') FROM pg_catalog.pg_class c \
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid \
             WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%' \
             GROUP BY n.nspname, c.relname ORDER BY n.nspname, c.relname"
        }
        Driver::Mysql(_) => {
            "SELECT NULL, c.TABLE_NAME, GROUP_CONCAT(LOWER(c.COLUMN_NAME)) FROM information_schema.COLUMNS c \
             JOIN information_schema.TABLES t ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
             WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE = 'BASE TABLE' GROUP BY c.TABLE_NAME ORDER BY c.TABLE_NAME"
        }
    }
}

fn table(row: Row, quote: char) -> Option<Table> {
    let mut cells = row.into_iter();
    let (schema, name, columns) = (cells.next()?, cells.next()??, cells.next()??);
    let tool = Tool::of_columns(&columns.split(',').collect::<Vec<_>>())?;
    let parts: Vec<&str> = schema.as_deref().into_iter().chain([name.as_str()]).collect();
    Some(Table { tool, name: parts.join("."), sql: parts.iter().map(|part| quoted(part, quote)).collect::<Vec<_>>().join(".") })
}

/// The query for all rows of `table`, each cell as text.
fn rows(table: &Table, engine: Engine) -> String {
    let facts = table.tool.facts();
    let column = |name: &&str| {
        let quoted = quoted(name, if engine.is_mysql_like() { '`' } else { '"' });
        match (engine, facts.bytes == Some(*name)) {
            (Engine::Postgres, true) => format!("encode({quoted}, 'hex')"),
            (Engine::Sqlite | Engine::Mysql | Engine::Mariadb, true) => format!("hex({quoted})"),
            (Engine::Mysql | Engine::Mariadb, false) => format!("CAST({quoted} AS CHAR)"),
            (Engine::Sqlite | Engine::Postgres, false) => format!("CAST({quoted} AS TEXT)"),
        }
    };
    format!("SELECT {} FROM {}", facts.columns.iter().map(column).collect::<Vec<_>>().join(", "), table.sql)
}
