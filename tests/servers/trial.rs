//! One case of a rule page on a real database. In: the case. Out: what the database showed, and whether that is what the page says.

use crate::link::Link;
use crate::page::Case;
use crate::state::{self, Scope, State, differences};
use crate::support::{Database, database, wait};
use unmigrate::engine::Engine;
use unmigrate::migration::Script;
use unmigrate::parse::{self, Statement};
use unmigrate::table::{self, Cell, Kind, Loss, Verdict};
use unmigrate::target::Release;

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

/// The product and its number.
pub(crate) fn version(engine: Engine) -> Option<String> {
    let (product, question) = match engine {
        Engine::Sqlite => ("SQLite", "SELECT sqlite_version()"),
        Engine::Postgres => ("PostgreSQL", "SHOW server_version"),
        Engine::Mysql => ("MySQL", "SELECT version()"),
        Engine::Mariadb => ("MariaDB", "SELECT version()"),
    };
    let database = database(engine)?;
    let said = wait(async {
        let mut link = Link::open(&database).await.expect("a connection");
        link.rows(question).await.concat().concat()
    });
    let number = said.split(|c: char| !(c.is_ascii_digit() || c == '.')).next().unwrap_or_default();
    Some(format!("{product} {number}"))
}

/// Whether a case asks for a newer server than `version`, as [`version`] gives it.
pub(crate) fn asks_for_a_newer(case: &Case, engine: Engine, version: &str) -> bool {
    let number: Release = version.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a server's number");
    case.since.iter().any(|(on, since)| *on == engine && number < *since)
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
    let mut link = Link::open(database).await.map_err(|error| error.to_string())?;
    run_each(&statements(&case.before, database.engine), &mut link).await.map_err(|error| format!("`before` was refused: {error}"))?;
    link = renew(link, database).await?;
    let before = state::dump(&mut link, database, Scope::Server).await;
    run(&case.up, &mut link, database.engine).await.map_err(|error| format!("UP was refused: {error}"))?;
    link = renew(link, database).await?;
    let between = if must_leave_a_trace(case, database.engine) { Some(state::dump(&mut link, database, Scope::Server).await) } else { None };
    let back = match &case.down {
        None => Back::Missing,
        Some(down) => run(down, &mut link, database.engine).await.map_or_else(Back::Refused, |()| Back::Ran),
    };
    link = renew(link, database).await?;
    let after = state::dump(&mut link, database, Scope::Server).await;
    link.close().await;
    contradiction(case, &Seen { before, between, after, back }).map_or(Ok(()), Err)
}

pub(crate) fn statements(sql: &str, engine: Engine) -> Vec<Statement> {
    parse::script(&Script::whole(sql), engine)
}

pub(crate) async fn renew(link: Link, database: &Database) -> Result<Link, String> {
    link.renewed(database).await.map_err(|error| error.to_string())
}

/// Runs a script as the runner does: as one transaction where the engine and the script allow that.
pub(crate) async fn run(sql: &str, link: &mut Link, engine: Engine) -> Result<(), String> {
    let mut statements = statements(sql, engine);
    if sql.lines().any(|line| line == NO_TRANSACTION) || !engine.facts().transactional_ddl {
        return run_each(&statements, link).await;
    }
    statements.retain(|statement| !statement.is_transaction_frame());
    // Inside of a transaction SQLite does not hear it, so the runner says it before.
    let unchecked = engine == Engine::Sqlite && turns_keys_off(sql);
    if unchecked {
        link.execute("PRAGMA foreign_keys = OFF").await.map_err(|error| error.to_string())?;
    }
    link.execute("BEGIN").await.map_err(|error| error.to_string())?;
    // What was not committed goes when the session is renewed.
    run_each(&statements, link).await?;
    link.execute("COMMIT").await.map_err(|error| error.to_string())?;
    if unchecked {
        link.execute("PRAGMA foreign_keys = ON").await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Whether a script turns SQLite's foreign keys off.
pub(crate) fn turns_keys_off(sql: &str) -> bool {
    let even: String = sql.to_lowercase().split_whitespace().collect();
    ["foreign_keys=off", "foreign_keys=0", "foreign_keys(off)", "foreign_keys=false", "foreign_keys=no"]
        .iter()
        .any(|off| even.contains(&format!("pragma{off}")))
}

/// Runs statements one by one.
pub(crate) async fn run_each(statements: &[Statement], link: &mut Link) -> Result<(), String> {
    for statement in statements {
        link.execute(&statement.text).await.map_err(|error| format!("{error}, at `{}`", statement.text))?;
    }
    Ok(())
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
