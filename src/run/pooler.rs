//! Refuses to run behind a pooler that gives each transaction another server process: a session's lock would stay with a process that
//! others use too. In: a connection that should hold the lock. Out: nothing, or why not.

use super::RunError;
use super::connection::{Canceller, Connection, Driver, said};
use super::history::HistoryTable;
use super::postgres;
use sqlx::{ConnectOptions, Connection as _, Row};

/// Looks whether this connection's own server process holds the lock, and whether a second connection is given the same process.
/// That is what PgBouncer does in transaction and statement mode: it hands out the process that was given back last, and between two
/// statements outside of a transaction ours is given back.
pub(super) async fn refuse(connection: &mut Connection, table: &HistoryTable) -> Result<(), RunError> {
    let Driver::Postgres(_) = connection.driver else { return Ok(()) };
    let refused = |connection: &Connection, error: &sqlx::Error| connection.refused("looking for a pooler", error);
    let held = connection.rows(&postgres::own_process_holds(table)).await.map_err(|error| refused(connection, &error))?;
    let [own, holds] = held.into_iter().next().and_then(|row| <[Option<String>; 2]>::try_from(row).ok()).unwrap_or_default();
    let second = match &connection.canceller {
        Canceller::Postgres(options, _) => second(options).await.map_err(|error| RunError::Unreachable {
            place: connection.place.clone(),
            message: format!("a second connection, which is needed to cancel statements: {}", connection.secrets.mask(&said(&error))),
        })?,
        Canceller::Flag(_) | Canceller::Mysql(..) => None,
    };
    if holds.as_deref() == Some("t") && own != second {
        return Ok(());
    }
    unlock(connection, table).await;
    Err(RunError::Usage(refusal(&connection.place, "it shares server processes between clients, so no lock would hold")))
}

/// What to say of a pooler at `place`, and why.
pub(super) fn refusal(place: &str, why: &str) -> String {
    format!("this connection leads to a pooler ({place}): {why}; nothing was touched; connect directly to PostgreSQL, or to a pool in session mode")
}

/// How often to ask for the process that took the lock.
const TRIES: usize = 20;

/// Gives the lock back to the process that took it, which the pooler keeps: it would bar every other runner. Which process a statement
/// comes to is the pooler's choice, so it is asked until it is that one.
pub(super) async fn unlock(connection: &mut Connection, table: &HistoryTable) {
    for _ in 0..TRIES {
        match connection.cell(&postgres::unlock(table)).await {
            Ok(Some(had)) if had == "t" => return,
            Ok(_) => {}
            Err(_) => return,
        }
    }
}

/// The server process that a second connection is given.
pub(super) async fn second(options: &sqlx::postgres::PgConnectOptions) -> sqlx::Result<Option<String>> {
    let mut link = options.connect().await?;
    let row = sqlx::raw_sql("SELECT pg_backend_pid()").fetch_one(&mut link).await?;
    let number = row.try_get_unchecked(0)?;
    link.close().await?;
    Ok(number)
}
