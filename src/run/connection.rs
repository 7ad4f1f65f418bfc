//! One connection, whichever the database. In: SQL text. Out: rows of text, or the driver's error.
//!
//! Scripts and our own look-ups go through the simple protocol, text exactly as given, nothing prepared; only MySQL's and MariaDB's
//! history rows are bound to parameters.

use super::interrupt::{Interrupt, Signal};
use super::patience::Patience;
use super::{RunError, mysql, postgres, sqlite};
use crate::engine::Engine;
use crate::run::secret::Secrets;
use futures_util::{FutureExt, TryStreamExt};
use sqlx::mysql::{MySqlConnectOptions, MySqlDatabaseError};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Either, MySqlConnection, PgConnection, Row, SqliteConnection};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// One row: each cell as text, `None` for NULL.
pub(super) type Cells = Vec<Option<String>>;

/// How long a server may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ends a transaction.
pub(super) const COMMIT: &str = "COMMIT";

/// How long a cancelled statement has to end before it is cancelled again.
const AGAIN: Duration = Duration::from_secs(2);

/// How long this thread rests where none of a message's statements has ended since it last looked, and more than [`SOON`] are to come: to
/// wake it for each takes SQLite's thread as long as a short statement does.
const REST: Duration = Duration::from_millis(1);
/// Statements that may be over within that time.
const SOON: usize = 12;

/// The driver's connection.
pub(super) enum Driver {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    Mysql(MySqlConnection),
}

/// How a session is to be opened.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// Nothing can be written through it.
    pub read_only: bool,
    /// Makes a SQLite file that is missing.
    pub create: bool,
    /// Ends what it runs.
    pub interrupt: Interrupt,
    /// How long it waits.
    pub patience: Patience,
}

/// How to cancel the statement that a connection runs.
#[derive(Clone)]
pub(super) enum Canceller {
    /// SQLite's progress handler looks at this.
    Flag(Arc<AtomicBool>),
    /// By a second connection, which needs the process or connection number of the first.
    Postgres(Box<PgConnectOptions>, String),
    Mysql(Box<MySqlConnectOptions>, String),
}

impl Canceller {
    async fn cancel(&self) {
        // Whether it came through shows in the statement's own end; where it did not, it is tried again.
        let _: sqlx::Result<()> = async {
            match self {
                Canceller::Flag(flag) => flag.store(true, Ordering::Relaxed),
                Canceller::Postgres(options, number) => {
                    let mut link = options.connect().await?;
                    sqlx::raw_sql(AssertSqlSafe(format!("SELECT pg_cancel_backend({number})"))).execute(&mut link).await?;
                    link.close().await?;
                }
                Canceller::Mysql(options, number) => {
                    let mut link = options.connect().await?;
                    sqlx::raw_sql(AssertSqlSafe(format!("KILL QUERY {number}"))).execute(&mut link).await?;
                    link.close().await?;
                }
            }
            Ok(())
        }
        .await;
    }

    /// Cancels what `work` runs until it has ended.
    async fn end<T>(&self, mut work: Pin<&mut impl Future<Output = T>>) -> T {
        let ended = loop {
            self.cancel().await;
            if let Ok(ended) = tokio::time::timeout(AGAIN, &mut work).await {
                break ended;
            }
        };
        if let Canceller::Flag(flag) = self {
            flag.store(false, Ordering::Relaxed);
        }
        ended
    }
}

/// Why a statement of a script did not run to its end.
pub(super) struct Ended {
    pub(super) error: sqlx::Error,
    /// It was cancelled by this.
    pub(super) by: Option<Cancelled>,
}

/// Why we cancelled a statement.
#[derive(Clone, Copy)]
pub(super) enum Cancelled {
    Signal(Signal),
    Timeout(Duration),
}

/// A connection and what must be known about it.
pub(super) struct Connection {
    pub(super) driver: Driver,
    pub(super) canceller: Canceller,
    pub(super) interrupt: Interrupt,
    pub(super) patience: Patience,
    /// What the server turned out to be.
    pub(super) engine: Engine,
    /// Where it leads, for people; never the password.
    pub(super) place: String,
    /// The server's address as the URL gives it, `host:port` or a socket; nothing for a file.
    pub(super) address: String,
    pub(super) secrets: Secrets,
    pub(super) read_only: bool,
    pub(super) home: Home,
    /// What a session of this server, database and user begins with where the driver does not say otherwise (PostgreSQL).
    pub(super) own_settings: Vec<(&'static str, String)>,
}

/// Where the database lives.
pub(super) enum Home {
    /// Nowhere but in this process (SQLite).
    Memory,
    /// In a file (SQLite).
    File(PathBuf),
    /// On a server, under this name.
    Server(String),
}

/// Runs `$body` on whichever connection it is.
macro_rules! each_driver {
    ($driver:expr, $link:ident => $body:expr) => {
        match $driver {
            Driver::Sqlite($link) => $body,
            Driver::Postgres($link) => $body,
            Driver::Mysql($link) => $body,
        }
    };
}

impl Connection {
    /// Connects.
    pub(super) async fn open(engine: Engine, url: &str, opening: &Opening) -> Result<Connection, RunError> {
        let connecting = async {
            match engine {
                Engine::Sqlite => sqlite::open(url, opening).await,
                Engine::Postgres => postgres::open(url, opening).await,
                Engine::Mysql | Engine::Mariadb => mysql::open(engine, url, opening).await,
            }
        };
        let unreachable = |message| Err(RunError::Unreachable { place: engine.to_string(), message });
        tokio::select! {
            opened = connecting => opened,
            signal = opening.interrupt.wait() => Err(RunError::Interrupted(signal)),
            () = tokio::time::sleep(PATIENCE) => unreachable(format!("no answer within {} seconds", PATIENCE.as_secs())),
        }
    }

    /// The server's name for the database; nothing for a file.
    pub(super) fn database(&self) -> &str {
        match &self.home {
            Home::Server(name) => name,
            Home::Memory | Home::File(_) => "",
        }
    }

    /// Runs one statement and drops the rows that it may give.
    pub(super) async fn execute(&mut self, sql: &str) -> sqlx::Result<()> {
        each_driver!(&mut self.driver, link => sqlx::raw_sql(AssertSqlSafe(sql)).execute(link).await.map(drop))
    }

    /// Runs one statement of a script. A signal, or the end of our patience, cancels it on the server; its end is waited for.
    pub(super) async fn run(&mut self, sql: &str) -> Result<(), Ended> {
        self.run_each(sql, 1, &mut |_, _| ()).await.map_err(|(_, ended)| ended)
    }

    /// Runs `count` statements in one message, and tells after each how many have run; so does the error. Our patience is for each of them.
    pub(super) async fn run_each(&mut self, sql: &str, count: usize, done: &mut dyn FnMut(usize, &Secrets)) -> Result<(), (usize, Ended)> {
        let Connection { driver, canceller, interrupt, patience, secrets, .. } = self;
        if let Some(signal) = interrupt.raised() {
            let error = sqlx::Error::Io(std::io::Error::from(std::io::ErrorKind::Interrupted));
            return Err((0, Ended { error, by: Some(Cancelled::Signal(signal)) }));
        }
        each_driver!(driver, link => {
            let mut work = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_many(link);
            let mut ran = 0;
            let mut limit = std::pin::pin!(limit(patience.statement));
            let by = loop {
                let rests = count > ran + SOON && patience.statement.is_none();
                let next = async {
                    if rests {
                        if let Some(next) = work.try_next().now_or_never() {
                            return next;
                        }
                        tokio::time::sleep(REST).await;
                    }
                    work.try_next().await
                };
                tokio::select! {
                    biased;
                    next = next => match next {
                        Ok(None) => return Ok(()),
                        Ok(Some(Either::Right(_))) => {}
                        Ok(Some(Either::Left(_))) => {
                            ran += 1;
                            done(ran, secrets);
                            limit.set(self::limit(patience.statement));
                        }
                        Err(error) => return Err((ran, Ended { error, by: None })),
                    },
                    signal = interrupt.wait() => break Cancelled::Signal(signal),
                    limit = &mut limit => break Cancelled::Timeout(limit),
                }
            };
            let rest = async {
                while let Some(next) = work.try_next().await? {
                    ran += usize::from(next.is_left());
                }
                Ok(())
            };
            canceller.end(std::pin::pin!(rest)).await.map_err(|error| (ran, Ended { error, by: Some(by) }))
        })
    }

    /// The database's user; none for a file.
    pub(super) async fn user(&mut self) -> sqlx::Result<Option<String>> {
        match self.driver {
            Driver::Sqlite(_) => Ok(None),
            Driver::Postgres(_) => self.cell("SELECT session_user").await,
            Driver::Mysql(_) => self.cell("SELECT CURRENT_USER()").await,
        }
    }

    /// Runs one query and hands over its rows one by one; what `each` has against one ends it.
    pub(super) async fn each_row(&mut self, sql: &str, mut each: impl FnMut(Cells) -> std::io::Result<()>) -> sqlx::Result<()> {
        each_driver!(&mut self.driver, link => {
            let mut rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch(link);
            while let Some(row) = rows.try_next().await? {
                each((0..row.len()).map(|at| row.try_get_unchecked(at)).collect::<sqlx::Result<Cells>>()?).map_err(sqlx::Error::Io)?;
            }
            Ok(())
        })
    }

    /// Runs one statement and gives its rows.
    pub(super) async fn rows(&mut self, sql: &str) -> sqlx::Result<Vec<Cells>> {
        each_driver!(&mut self.driver, link => {
            let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(link).await?;
            rows.iter().map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at)).collect()).collect()
        })
    }

    /// The first cell of the first row.
    pub(super) async fn cell(&mut self, sql: &str) -> sqlx::Result<Option<String>> {
        Ok(self.rows(sql).await?.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    /// Adds one row of text to a table of ours: `INSERT INTO … VALUES (FIRST, …)`, where `first` are plain numbers; `and_commit` ends the
    /// transaction that it stands in.
    pub(super) async fn insert(&mut self, into: &str, first: &str, values: &[Option<&str>], and_commit: bool) -> sqlx::Result<()> {
        let (before, literal): (_, fn(Option<&str>) -> String) = match &mut self.driver {
            Driver::Postgres(_) => (postgres::AS_OURSELVES, postgres::literal),
            Driver::Sqlite(_) => ("", sqlite::literal),
            Driver::Mysql(link) => {
                // Not kept prepared: a script may drop what its session has prepared.
                let query = sqlx::query(AssertSqlSafe(format!("INSERT INTO {into} VALUES ({first}{})", ", ?".repeat(values.len())))).persistent(false);
                values.iter().fold(query, |query, value| query.bind(value.map(str::to_owned))).execute(link).await?;
                return if and_commit { self.execute(COMMIT).await } else { Ok(()) };
            }
        };
        // One message, where parameters would take three.
        let values = values.iter().map(|value| literal(*value)).collect::<Vec<_>>().join(", ");
        let end = if and_commit { format!("; {COMMIT}") } else { String::new() };
        self.execute(&format!("{before}INSERT INTO {into} VALUES ({first}, {values}){end}")).await
    }

    /// Says goodbye; an error here changes nothing any more.
    pub(super) async fn close(mut self) {
        if let (Driver::Sqlite(link), false) = (&mut self.driver, self.read_only) {
            sqlite::tidy(link).await;
        }
        let _ = each_driver!(self.driver, link => link.close().await);
    }

    /// What an error means that came up while no migration ran.
    pub(super) fn refused(&self, doing: &'static str, error: &sqlx::Error) -> RunError {
        let message = self.secrets.mask(&said(error));
        if lost(error) { RunError::Unreachable { place: self.place.clone(), message } } else { RunError::Refused { doing, message } }
    }
}

/// Asks for one cell, for at most `limit`; then the question is cancelled on the server, and there is no answer.
pub(super) async fn cell_within(connection: &mut Connection, sql: &str, limit: Duration) -> sqlx::Result<Option<String>> {
    let canceller = connection.canceller.clone();
    let mut work = std::pin::pin!(connection.cell(sql));
    if let Ok(answer) = tokio::time::timeout(limit, &mut work).await {
        return answer;
    }
    let _ = canceller.end(work).await;
    Ok(None)
}

/// Does `work`, which only looks, on `connection`. A signal cancels the statement that it is at on the server, so that the connection is
/// free again, for its lock to be given back.
pub(super) async fn interruptible<T>(connection: &mut Connection, work: impl AsyncFnOnce(&mut Connection) -> Result<T, RunError>) -> Result<T, RunError> {
    let (interrupt, canceller) = (connection.interrupt.clone(), connection.canceller.clone());
    let mut work = std::pin::pin!(work(connection));
    let signal = tokio::select! {
        biased;
        signal = interrupt.wait() => signal,
        done = &mut work => return done,
    };
    let _ = canceller.end(work).await;
    Err(RunError::Interrupted(signal))
}

/// Ends when `time` has passed, never where there is none.
async fn limit(time: Option<Duration>) -> Duration {
    match time {
        Some(time) => {
            tokio::time::sleep(time).await;
            time
        }
        None => std::future::pending().await,
    }
}

/// Whether the connection is gone, so that nobody knows what became of the last statement.
pub(super) fn lost(error: &sqlx::Error) -> bool {
    match error {
        // The servers say farewell with an error of their own when they are shut down or told to end the session: MariaDB with
        // ER_SERVER_SHUTDOWN or ER_CONNECTION_KILLED.
        sqlx::Error::Database(error) => match error.try_downcast_ref::<MySqlDatabaseError>() {
            Some(error) => [1053, 1927].contains(&error.number()),
            None => error.code().is_some_and(|code| code.starts_with("57P0")),
        },
        _ => true,
    }
}

/// The driver's words without the driver's preface.
pub(super) fn said(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(error) => error.message().to_owned(),
        sqlx::Error::Io(error) => error.to_string(),
        sqlx::Error::Configuration(error) => error.to_string(),
        sqlx::Error::Tls(error) => format!("no TLS connection: {error}; the database URL's sslmode (ssl-mode) says whether it must be one"),
        other => other.to_string(),
    }
}
