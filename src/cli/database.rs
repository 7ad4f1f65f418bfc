//! What the commands that talk to a database share: the URL, how long to wait, the runtime.

use super::Global;
use super::failure::Failure;
use super::settings::Settings;
use crate::engine::Engine;
use crate::run::{self, Interrupt, Opening, Patience, RunError, Session, Signal};
use std::time::Duration;

/// The database that the flags or the environment name.
pub(super) struct Database {
    pub(super) url: String,
    pub(super) engine: Engine,
    pub(super) history_table: String,
}

/// How long to wait. A time is `500ms`, `5s`, `2min`.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Waiting {
    /// How long to wait for another runner [default: 30s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    lock_timeout: Option<Duration>,
    /// How long a statement waits for an application's lock before it is tried again; 0 waits as long as the server lets it [default: 5s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    db_lock_timeout: Option<Duration>,
    /// How long to try again after such waits, and after deadlocks [default: 2min]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    retry_for: Option<Duration>,
    /// How long one statement may take; 0 is as long as it needs [default: 0]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    statement_timeout: Option<Duration>,
}

impl Waiting {
    /// The flags before `migrate.toml` before the defaults.
    fn patience(&self, settings: &Settings) -> Patience {
        let (usual, set) = (Patience::default(), &settings.config.run);
        let lock = self.db_lock_timeout.or(set.db_lock_timeout).or(usual.lock);
        Patience {
            runner: self.lock_timeout.or(set.lock_timeout).unwrap_or(usual.runner),
            lock: lock.filter(|time| !time.is_zero()),
            statement: self.statement_timeout.or(set.statement_timeout).or(usual.statement).filter(|time| !time.is_zero()),
            retries: self.retry_for.or(set.retry_for).unwrap_or(usual.retries),
        }
    }
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

    /// A connection that may write, and makes a file that is missing where `create` says so.
    pub(super) async fn connect(&self, create: bool, interrupt: &Interrupt, waiting: &Waiting, settings: &Settings) -> anyhow::Result<Session> {
        let opening = Opening { read_only: false, create, interrupt: interrupt.clone(), patience: waiting.patience(settings) };
        Ok(run::connect(self.engine, &self.url, &opening).await?)
    }

    /// A connection that can only look, to an empty database where a SQLite file is missing that would be made.
    pub(super) async fn look_ahead(&self, create: bool, interrupt: &Interrupt) -> anyhow::Result<Session> {
        match self.look(interrupt).await {
            Err(error) if create && matches!(error.downcast_ref(), Some(RunError::NoDatabase(_))) => {
                let opening = Opening { read_only: true, interrupt: interrupt.clone(), ..Opening::default() };
                Ok(run::connect(Engine::Sqlite, "sqlite::memory:", &opening).await?)
            }
            other => other,
        }
    }

    /// A connection that can only look.
    pub(super) async fn look(&self, interrupt: &Interrupt) -> anyhow::Result<Session> {
        let opening = Opening { read_only: true, interrupt: interrupt.clone(), ..Opening::default() };
        Ok(run::connect(self.engine, &self.url, &opening).await?)
    }
}

/// Runs `work` to its end on this thread. Ctrl-C and SIGTERM reach it by the [`Interrupt`].
pub(super) fn block_on<T, F: Future<Output = anyhow::Result<T>>>(work: impl FnOnce(Interrupt) -> F) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let interrupt = Interrupt::default();
        tokio::spawn(listen(interrupt.clone()));
        work(interrupt).await
    })
}

#[cfg(unix)]
async fn listen(interrupt: Interrupt) {
    use tokio::signal::unix::{SignalKind, signal};
    // Where no handler can be set, the signal ends the process as it always did.
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else { return };
    loop {
        tokio::select! {
            _ = int.recv() => interrupt.raise(Signal::Interrupt),
            _ = term.recv() => interrupt.raise(Signal::Terminate),
        }
    }
}

#[cfg(not(unix))]
async fn listen(interrupt: Interrupt) {
    while tokio::signal::ctrl_c().await.is_ok() {
        interrupt.raise(Signal::Interrupt);
    }
}
