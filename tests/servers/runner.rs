//! What the command line does between files and database, for tests of the runner. In: statements. Out: what the runner says.

use crate::support::{Database, wait};
use std::time::Duration;
use unmigrate::gate::{self, Cleared, Consents, Course, Sql, Step};
use unmigrate::migration::{Direction, Script};
use unmigrate::observed::Observed;
use unmigrate::parse::{self, manner};
use unmigrate::run::{self, HISTORY_TABLE, Locked, Opening, Patience, RunError, Session};
use unmigrate::table::{Loss, Verdict};

/// A step whose statements stand on the lines 1, 2, 3 ….
pub(crate) fn step(database: &Database, version: &str, direction: Direction, statements: &[&str]) -> Step {
    let engine = database.engine;
    let parsed: Vec<_> = statements.iter().map(|text| parse::script(&Script::whole(*text), engine).remove(0)).collect();
    let sql = |(((text, line), parsed), manner): (((&&str, u32), &parse::Statement), manner::Manner)| Sql {
        text: (*text).to_owned(),
        path: format!("V{version}_x.sql"),
        line,
        manner,
        touched: manner::touched(parsed, engine),
    };
    Step {
        version: version.into(),
        name: "x".into(),
        direction,
        statements: statements.iter().zip(1..).zip(&parsed).zip(manner::manners(&parsed, engine)).map(sql).collect(),
        in_transaction: true,
        course: Course::Whole,
        verdict: Verdict::Reversible,
        loss: Loss::WrittenSince,
        needs_attestation: false,
        forbidden: false,
        pin: None,
        up_sha256: "aa".into(),
        up_text: Some("CREATE …".into()),
        down_sha256: Some("bb".into()),
        down_text: Some("-- DOWN\nDROP TABLE t; -- “ü” ' \\".into()),
        down_loses: vec!["table t".into(), "column t.c".into()],
        attestation: None,
        reason: None,
        note: None,
    }
}

pub(crate) fn opening() -> Opening {
    Opening { create: true, patience: Patience { runner: Duration::from_secs(20), ..Patience::default() }, ..Opening::default() }
}

/// Opens a session that soon gives up.
pub(crate) fn hurried() -> Opening {
    Opening { create: true, patience: Patience { runner: Duration::from_millis(300), ..Patience::default() }, ..Opening::default() }
}

pub(crate) async fn connect(database: &Database, opening: &Opening) -> Session {
    run::connect(database.engine, &database.url, opening).await.expect("a connection")
}

pub(crate) async fn locked(database: &Database) -> Locked {
    connect(database, &opening()).await.lock(HISTORY_TABLE).await.unwrap_or_else(|error| panic!("no lock: {error}"))
}

pub(crate) fn clear(steps: Vec<Step>, observed: &Observed) -> Cleared {
    gate::clear(steps, observed, &[], &Consents::default()).expect("cleared")
}

/// Lock, observe, clear, apply, release: what `up` and `down` do.
pub(crate) fn apply(database: &Database, steps: Vec<Step>) -> Result<usize, RunError> {
    wait(async {
        let mut locked = locked(database).await;
        let observed = locked.observe().await?;
        let done = locked.apply(clear(steps, &observed), &mut |_| {}).await;
        locked.release().await;
        done
    })
}

pub(crate) fn observe(database: &Database) -> Observed {
    wait(async {
        let mut locked = locked(database).await;
        let observed = locked.observe().await.expect("observed");
        locked.release().await;
        observed
    })
}

pub(crate) fn in_force(observed: &Observed) -> Vec<&str> {
    observed.in_force().iter().map(|row| row.version.as_str()).collect()
}
