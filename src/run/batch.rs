//! Runs several migrations in one message. In: steps of which each is one transaction on SQLite. Out: how many are done.
//!
//! SQLite works in a thread of its own, which would wait for this one between two migrations as long as a short one takes. The driver stops
//! a message at its first error, so no migration begins unless those before it are committed.

use super::apply::{AROUND, Run, stopped, trace, transaction};
use super::connection::Driver;
use super::history::{Record, now};
use super::secret::Secrets;
use super::segment::{Segment, segments};
use super::stop::Stop;
use super::{Event, leftover, sqlite};
use crate::gate::{Course, Step};
use crate::observed::Outcome;

/// How far a message came.
pub(super) struct Came {
    /// Steps that are done and recorded.
    pub(super) finished: usize,
    /// The next one began, and [`Event::Started`] told it.
    pub(super) began: bool,
    /// It failed, and is rolled back.
    pub(super) failed: bool,
    /// What stopped it, where that is not to be tried again: a signal.
    pub(super) stop: Option<Stop>,
}

/// Runs the first of `steps`, as many as one message may hold: none where that is less than two. What fails is rolled back and not told: it
/// is to be run alone then, and says so itself.
pub(super) async fn run(run: &mut Run<'_>, steps: &[Step], progress: &mut dyn FnMut(Event<'_>)) -> Came {
    let steps = together(run, steps);
    let mut came = Came { finished: 0, began: false, failed: false, stop: None };
    if steps.is_empty() {
        return came;
    }
    let (mut message, started_at) = (String::new(), now());
    for (step, seq) in steps.iter().zip(*run.seq..) {
        let record = Record { seq, outcome: Outcome::Done, started_at: &started_at, who: run.who, note: step.note.as_deref(), pin: None };
        let row = run.table.at_its_end(step, &record, seq > *run.seq);
        message.push_str(&transaction(run.begin(), step, &row));
    }
    let mut before = 0;
    let mut done = |ran: usize, secrets: &Secrets| {
        let Some(step) = steps.get(came.finished) else { return };
        let (at, count) = (ran - before, step.statements.len());
        if at == 1 {
            came.began = true;
            progress(Event::Started { step });
        }
        if let Some(sql) = step.statements.get(at - 1) {
            progress(Event::Statement { step, at, sql });
            trace(step, at, sql, secrets);
        }
        if at == count + AROUND {
            progress(Event::Finished { step });
            (before, came.finished, came.began) = (ran, came.finished + 1, false);
        }
    };
    let count = steps.iter().map(|step| step.statements.len() + AROUND).sum();
    let ran = run.connection.run_each(&message, count, &mut done).await;
    *run.seq += came.finished as i64;
    if let Err((ran, ended)) = ran {
        came.failed = true;
        let stop = ended.by.is_some().then(|| stopped(steps[came.finished].statements.len(), ran - before, &ended));
        let lost = !run.rolled_back().await;
        // Where that fails, what runs alone next cannot begin, and says so.
        came.stop = stop.map(|stop| Stop { lost, ..stop });
    }
    came
}

/// The scripts of a message, in bytes: for each of its statements SQLite copies what is left of it.
const MESSAGE: usize = 4 << 10;

/// The first of `steps` that may share a message.
fn together<'s>(run: &Run<'_>, steps: &'s [Step]) -> &'s [Step] {
    // Our patience with a statement counts anew where it runs again alone. Who follows each statement must not be told late: SQLite's thread
    // commits the migrations of a message without waiting for that.
    let alone = run.connection.patience.statement.is_some() || tracing::enabled!(tracing::Level::INFO);
    if alone || !matches!(run.connection.driver, Driver::Sqlite(_)) {
        return &[];
    }
    let mut length = 0;
    let fits = |step: &&Step| {
        length += step.statements.iter().map(|sql| sql.text.len()).sum::<usize>();
        length < MESSAGE && is_plain(step)
    };
    let count = steps.iter().take_while(fits).count();
    if count < 2 { &[] } else { &steps[..count] }
}

/// Whether a step is one transaction and nothing beside it.
fn is_plain(step: &Step) -> bool {
    let all = 0..step.statements.len();
    let one = matches!(segments(&step.statements, step.in_transaction, true).as_slice(), [Segment::Together(_)]);
    let unchecked = sqlite::Unchecked::of(&step.statements, &all);
    step.course == Course::Whole
        && step.pin.is_none()
        && one
        && !leftover::may_stay(&step.statements)
        && !unchecked.off
        && sqlite::rebuilt(&step.statements, &all).is_empty()
}
