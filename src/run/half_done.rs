//! How far a run came that stopped part-way. In: the history, the journal, the catalog. Out: which statements stand, and what became
//! of the next one.

use super::RunError;
use super::connection::Connection;
use super::history::HistoryTable;
use super::journal::{self, Part};
use super::look;
use crate::observed::{Applied, HalfDone, Next, Outcome, TakenBack, unfinished};

/// Looks; `None` where no run stopped part-way.
pub(super) async fn look(connection: &mut Connection, table: &HistoryTable, history: &[Applied]) -> Result<Option<HalfDone>, RunError> {
    let Some(row) = unfinished(history) else { return Ok(None) };
    let failures = history.iter().rev().take_while(|later| later.seq > row.seq).find(|later| later.outcome == Outcome::Failed);
    let note = failures.and_then(|failure| failure.note.clone());
    let position = match journal::position(connection, table, row.seq).await {
        Err(RunError::Drift(why)) => {
            let (next, none) = (Next::Lost(why), TakenBack::default());
            let (taken_back, would_take_back) = (none.clone(), none);
            return Ok(Some(HalfDone { row: row.clone(), stands: 0, prefix_sha256: String::new(), taken_back, would_stand: 0, would_take_back, next, note }));
        }
        other => other?,
    };
    let ((mut stands, mut prefix_sha256), mut taken_back, mut next) = (position.done, position.taken_back, Next::Due);
    let (mut would_stand, mut would_take_back) = (stands + 1, TakenBack::default());
    if let Some(begun) = position.begun {
        let mut would = begun.done;
        if let Some(part) = begun.part.filter(Part::is_within) {
            (would, would_take_back) = ((stands, prefix_sha256.clone()), part.taken_back());
        }
        would_stand = would.0;
        match look::after(connection, begun.looked.as_ref()).await.map_err(|error| connection.refused("looking at the catalog", &error))? {
            Some(what) => next = what,
            None => ((stands, prefix_sha256), taken_back) = (would, would_take_back.clone()),
        }
    }
    Ok(Some(HalfDone { row: row.clone(), stands, prefix_sha256, taken_back, would_stand, would_take_back, next, note }))
}
