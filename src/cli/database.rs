//! What `up`, `down` and `status` share: the URL, the runtime, steps for the runner, progress.

use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Global};
use crate::assess::Assessment;
use crate::engine::Engine;
use crate::gate::{Sql, Step};
use crate::migration::{Direction, Migration, Script};
use crate::parse;
use crate::run::{self, Event, Session};
use crate::table::{Loss, Verdict};
use std::io::Write;
use std::time::Duration;

/// How long a second runner waits for the first.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// The database that the flags or the environment name.
pub(super) struct Database {
    pub(super) url: String,
    pub(super) engine: Engine,
    pub(super) history_table: String,
}

impl Database {
    pub(super) fn new(global: &Global, settings: &Settings) -> anyhow::Result<Database> {
        let Some(url) = global.database.clone() else {
            return Err(Failure::usage("which-database", "which database?", "give `--database URL` or set DATABASE_URL; `sqlite:FILE` needs no server").into());
        };
        // The URL itself is not shown: it may hold a password.
        let Some(engine) = Engine::from_url(&url) else {
            let names = Engine::ALL.map(Engine::name).join(", ");
            return Err(Failure::usage(
                "bad-url",
                "the database's URL has no scheme that names an engine",
                format!("begin it with one of {names}, and a colon"),
            )
            .into());
        };
        let history_table = global.history_table.clone().or_else(|| settings.config.history_table.clone()).unwrap_or_else(|| run::HISTORY_TABLE.to_owned());
        Ok(Database { url, engine, history_table })
    }

    pub(super) async fn connect(&self, read_only: bool) -> anyhow::Result<Session> {
        Ok(run::connect(self.engine, &self.url, read_only).await?)
    }
}

/// Runs `work` to its end on this thread.
pub(super) fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

/// What the runner needs of one direction of a migration.
pub(super) fn step(migration: &Migration, direction: Direction, script: &Script, assessment: (Verdict, Loss), engine: Engine, note: Option<String>) -> Step {
    let path = match direction {
        Direction::Up => &migration.path,
        Direction::Down => migration.down_path.as_ref().unwrap_or(&migration.path),
    };
    let statements = parse::script(script, engine);
    Step {
        version: migration.version.to_string(),
        name: migration.name.clone(),
        direction,
        in_transaction: !script.no_transaction && statements.iter().all(|s| s.runs_in_transaction(engine)),
        statements: statements.into_iter().filter(|s| !s.is_transaction_frame()).map(|s| Sql { text: s.text, path: path.clone(), line: s.line }).collect(),
        verdict: assessment.0,
        loss: assessment.1,
        needs_attestation: false,
        up_sha256: migration.up.sha256(),
        down_sha256: migration.down.as_ref().map(Script::sha256),
        down_text: migration.down.as_ref().map(Script::text),
        note,
    }
}

/// Verdict and loss in words.
pub(super) fn in_words(assessment: &Assessment) -> String {
    format!("{}, loss: {}", assessment.verdict.name(), assessment.loss.name())
}

/// Tells people what is going on, one line a migration.
pub(super) fn progress(console: &mut Console, quiet: bool) -> impl FnMut(Event<'_>) + use<'_> {
    let mut began = std::time::Instant::now();
    move |event| {
        if quiet {
            return;
        }
        // A progress line that cannot be printed must not stop a migration half-way.
        let _ = match event {
            Event::Started { .. } => {
                began = std::time::Instant::now();
                Ok(())
            }
            Event::Statement { .. } => Ok(()),
            Event::Finished { step } => writeln!(console.out, "{} {} {} ({} ms)", step.direction.name(), step.version, step.name, began.elapsed().as_millis()),
        };
    }
}
