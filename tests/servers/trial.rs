//! One case of a rule page on a real database. In: the case. Out: what the database showed, and whether that is what the page says.

use crate::link::Link;
use crate::page::Case;
use crate::state::{self, State, differences};
use crate::support::Database;
use unmigrate::engine::Engine;
use unmigrate::migration::Script;
use unmigrate::parse::{self, Statement};
use unmigrate::table::{self, Cell, Kind, Loss, Verdict};

/// The directive of a script that must not run inside of a transaction.
const NO_TRANSACTION: &str = "-- migrate: no-transaction";

/// How DOWN went.
enum Back {
    Missing,
    Ran,
    Refused(String),
}

/// What the database showed.
struct Seen {
    before: State,
    /// `None` where nothing hangs on it.
    between: Option<State>,
    after: State,
    back: Back,
}

/// Whether a case holds a line for a client program, which no server understands.
pub(crate) fn for_a_client(case: &Case, engine: Engine) -> bool {
    let client = |sql: &String| parse::script(&Script::whole(sql.as_str()), engine).iter().any(|s| s.actions.iter().any(|a| a.kind == Kind::ClientCommand));
    client(&case.up) || case.down.as_ref().is_some_and(client)
}

/// Runs the case on `database`, which must be empty.
///
/// # Errors
/// What the page says and the database does not show.
pub(crate) async fn holds(case: &Case, database: &Database) -> Result<(), String> {
    run_each(&statements(&case.before, database.engine), database).await.map_err(|error| format!("`before` was refused: {error}"))?;
    let before = state::dump(database).await;
    run(&case.up, database).await.map_err(|error| format!("UP was refused: {error}"))?;
    let between = if must_leave_a_trace(case, database.engine) { Some(state::dump(database).await) } else { None };
    let back = match &case.down {
        None => Back::Missing,
        Some(down) => run(down, database).await.map_or_else(Back::Refused, |()| Back::Ran),
    };
    let after = state::dump(database).await;
    contradiction(case, &Seen { before, between, after, back }).map_or(Ok(()), Err)
}

fn statements(sql: &str, engine: Engine) -> Vec<Statement> {
    parse::script(&Script::whole(sql), engine)
}

/// Runs a script as the runner does: as one transaction where the engine and the script allow that.
async fn run(sql: &str, database: &Database) -> Result<(), String> {
    let engine = database.engine;
    let mut statements = statements(sql, engine);
    let apart = sql.lines().any(|line| line == NO_TRANSACTION) || !engine.facts().transactional_ddl;
    if apart {
        return run_each(&statements, database).await;
    }
    statements.retain(|statement| !statement.is_transaction_frame());
    let mut link = Link::open(database).await.map_err(|error| error.to_string())?;
    let ran = async {
        link.execute("BEGIN").await?;
        for statement in &statements {
            link.execute(&statement.text).await?;
        }
        link.execute("COMMIT").await
    };
    let ran = ran.await.map_err(|error: sqlx::Error| error.to_string());
    // A connection that closes takes back what was not committed.
    link.close().await;
    ran
}

/// Runs statements one by one, on a connection of their own.
async fn run_each(statements: &[Statement], database: &Database) -> Result<(), String> {
    let mut link = Link::open(database).await.map_err(|error| error.to_string())?;
    let mut ran = Ok(());
    for statement in statements {
        ran = link.execute(&statement.text).await.map_err(|error| format!("{error}, at `{}`", statement.text));
        if ran.is_err() {
            break;
        }
    }
    link.close().await;
    ran
}

/// Whether UP must show, lest a state that overlooks its work prove that nothing was lost. Of several statements, a later one may take
/// back what an earlier one did.
fn must_leave_a_trace(case: &Case, engine: Engine) -> bool {
    let rules = || case.expected.iter().flat_map(|e| &e.rules).filter_map(|rule| table::find(rule));
    case.verdict != Verdict::Irreversible && rules().count() == 1 && rules().all(|row| row.kind.cell(engine) != Cell::Keeps)
}

/// Why the database does not show what the page says.
fn contradiction(case: &Case, seen: &Seen) -> Option<String> {
    let schema = differences(&seen.before.schema, &seen.after.schema);
    let rows = differences(&seen.before.rows, &seen.after.rows);
    let same_rows = seen.before.rows == seen.after.rows;
    let refused = match &seen.back {
        Back::Refused(error) => Some(error),
        Back::Missing | Back::Ran => None,
    };
    if seen.between.as_ref() == Some(&seen.before) && seen.before == seen.after {
        return Some(String::from("UP left no trace, so nothing was proved"));
    }
    let wrong = match case.verdict {
        Verdict::Reversible | Verdict::Partial if refused.is_some() => "DOWN was refused",
        Verdict::Reversible if seen.before != seen.after => "something is not as it was",
        Verdict::Irreversible if refused.is_none() && case.loss == Loss::Certain && same_rows => "every row is as it was",
        Verdict::Irreversible if refused.is_none() && seen.before == seen.after => "everything is as it was",
        Verdict::Reversible | Verdict::Partial | Verdict::Irreversible => return None,
    };
    let details: Vec<&str> = refused.map(String::as_str).into_iter().chain(schema.iter().chain(&rows).map(String::as_str)).collect();
    Some(format!("{wrong}\n  {}", details.join("\n  ")))
}
