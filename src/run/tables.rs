//! Whether a database holds data. In: its tables. Out: whether any table and whether any row stands besides the history.

use super::connection::{Connection, Driver, lost};
use crate::engine::Engine;

/// A table, and how to learn whether it holds a row.
pub(super) struct Table {
    /// The schema and the name as the database holds them.
    pub(super) name: (String, String),
    pub(super) rows: Rows,
}

/// What is known of a table's rows.
pub(super) enum Rows {
    /// None stands.
    None,
    /// Some stand, or this user cannot see whether.
    Taken,
    /// A query that gives a row if there is one.
    Ask(String),
}

impl Table {
    /// A table that must be asked; `suffix` follows its name in FROM.
    pub(super) fn to_probe(schema: &str, name: &str, quote: char, suffix: &str) -> Table {
        let ask = format!("SELECT 1 FROM {}.{}{suffix} LIMIT 1", quoted(schema, quote), quoted(name, quote));
        Table { name: (schema.to_owned(), name.to_owned()), rows: Rows::Ask(ask) }
    }
}

/// A name in quotes.
pub(super) fn quoted(name: &str, quote: char) -> String {
    format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
}

/// Whether one of `tables` holds a row. A table that this user may not read counts as holding some.
pub(super) async fn any_row(connection: &mut Connection, tables: &[Table]) -> sqlx::Result<bool> {
    for table in tables {
        let taken = match &table.rows {
            Rows::None => false,
            Rows::Taken => true,
            Rows::Ask(sql) => match connection.rows(sql).await {
                Ok(rows) => !rows.is_empty(),
                Err(error) if lost(&error) => return Err(error),
                Err(_) => true,
            },
        };
        if taken {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Which of `objects` hold anything.
pub(super) async fn holding<'a>(connection: &mut Connection, objects: &'a [String]) -> sqlx::Result<Vec<&'a String>> {
    let mut holding = Vec::new();
    // Row security may hide rows from these questions; so they are asked without, and refused where this user may not.
    let guarded = connection.engine == Engine::Postgres && !objects.is_empty();
    if guarded {
        connection.execute("SET row_security = off").await?;
    }
    for object in objects {
        // What was cancelled would count as holding something; nobody asks for more then.
        if connection.interrupt.raised().is_none() && holds(connection, object).await? {
            holding.push(object);
        }
    }
    if guarded {
        connection.execute("RESET row_security").await?;
    }
    Ok(holding)
}

/// Whether the table or column that `object` names (`table notes`, `column users.email`) holds anything; where it cannot be looked at,
/// it may.
async fn holds(connection: &mut Connection, object: &str) -> sqlx::Result<bool> {
    let quote = if connection.engine.is_mysql_like() { '`' } else { '"' };
    let name = |name: &str| name.split('.').map(|part| quoted(part, quote)).collect::<Vec<_>>().join(".");
    let sql = match object.split_once(' ') {
        Some(("table", table)) => format!("SELECT 1 FROM {} LIMIT 1", name(table)),
        Some(("column", column)) => match column.rsplit_once('.') {
            Some((table, column)) => format!("SELECT 1 FROM {} WHERE {} IS NOT NULL LIMIT 1", name(table), quoted(column, quote)),
            None => return Ok(true),
        },
        _ => return Ok(true),
    };
    let answer = connection.rows(&sql).await;
    match answer {
        Ok(rows) => Ok(!rows.is_empty()),
        Err(error) if lost(&error) => Err(error),
        Err(_) => Ok(true),
    }
}

/// The types of short and long text in our own tables, and what follows their columns.
pub(super) fn text_types(driver: &Driver) -> (&'static str, &'static str, &'static str) {
    match driver {
        Driver::Mysql(_) => ("VARCHAR(255)", "LONGTEXT", " ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4"),
        Driver::Sqlite(_) | Driver::Postgres(_) => ("TEXT", "TEXT", ""),
    }
}
