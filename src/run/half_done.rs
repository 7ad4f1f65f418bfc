//! How far a run came that stopped part-way. In: the history, the journal, the catalog. Out: which statements stand, and what became
//! of the next one.

use super::RunError;
use super::connection::Connection;
use super::history::HistoryTable;
use super::{journal, look};
use crate::observed::{Applied, HalfDone, Next, Outcome, unfinished};

/// Looks; `None` where no run stopped part-way.
pub(super) async fn look(connection: &mut Connection, table: &HistoryTable, history: &[Applied]) -> Result<Option<HalfDone>, RunError> {
    let Some(row) = unfinished(history) else { return Ok(None) };
    let failures = history.iter().rev().take_while(|later| later.seq > row.seq).find(|later| later.outcome == Outcome::Failed);
    let note = failures.and_then(|failure| failure.note.clone());
    let position = match journal::position(connection, table, row.seq).await {
        Err(RunError::Drift(why)) => {
            let next = Next::Lost(why);
            return Ok(Some(HalfDone { row: row.clone(), stands: 0, prefix_sha256: String::new(), would_stand: 0, next, note }));
        }
        other => other?,
    };
    let ((mut stands, mut prefix_sha256), mut next) = (position.done, Next::Due);
    let mut would_stand = stands + 1;
    if let Some((count, sha256, looked)) = position.begun {
        would_stand = count;
        match look::after(connection, looked.as_ref()).await.map_err(|error| connection.refused("looking at the catalog", &error))? {
            Some(what) => next = what,
            None => (stands, prefix_sha256) = (count, sha256),
        }
    }
    Ok(Some(HalfDone { row: row.clone(), stands, prefix_sha256, would_stand, next, note }))
}
