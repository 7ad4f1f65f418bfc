//! MariaDB: a database of its own for each case; what a case sets on the whole server is taken back.

use super::{Case, DOWN_FAILS, Fate, compare, one_by_one};
use crate::link::Link;
use crate::state;
use crate::support::{Database, database};
use unmigrate::engine::Engine;

pub(super) async fn fate(case: &Case) -> Fate {
    let database = tokio::task::spawn_blocking(|| database(Engine::Mariadb)).await.expect("no panic").expect("it answered before");
    let fate = try_case(&database, case).await.unwrap_or_else(|error| Fate::Refused(error.to_string()));
    state::clean(&database).await;
    fate
}

async fn try_case(database: &Database, case: &Case) -> sqlx::Result<Fate> {
    run(database, &case.start).await?;
    let before = state(database).await?;
    run(database, &case.up).await?;
    if let Err(error) = run(database, case.down.as_deref().unwrap_or_default()).await {
        return Ok(Fate::Bad(format!("{DOWN_FAILS}{error}")));
    }
    Ok(compare(&before, &state(database).await?))
}

/// In a session of its own.
async fn run(database: &Database, statements: &[String]) -> sqlx::Result<()> {
    let mut link = Link::open(database).await?;
    for sql in one_by_one(&Case::script(statements), Engine::Mariadb) {
        link.execute(&sql).await?;
    }
    link.close().await;
    Ok(())
}

async fn state(database: &Database) -> sqlx::Result<Vec<String>> {
    let mut link = Link::open(database).await?;
    let state = state::dump(&mut link, database, state::Scope::Server).await;
    link.close().await;
    let position = |line: String| match line.split_once(" position: ") {
        Some((of, at)) => format!("position {of} {at}"),
        None => line,
    };
    Ok(state.schema.into_iter().chain(state.rows.into_iter().map(position)).collect())
}
