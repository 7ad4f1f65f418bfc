//! MySQL and MariaDB. In: a URL. Out: a connection, what stands in the database, a named lock.

use super::connection::{Canceller, Connection, Driver, Home, Opening, said};
use super::history::HistoryTable;
use super::patience::Patience;
use super::secret::Secrets;
use super::tables::{Table, quoted};
use super::{RunError, option_file};
use crate::engine::Engine;
use sqlx::ConnectOptions;
use sqlx::mysql::MySqlConnectOptions;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Connects with the server's own SQL mode and time zone: a script must mean what it means in the engine's own client.
pub(super) async fn open(engine: Engine, url: &str, opening: &Opening) -> Result<Connection, RunError> {
    let mut secrets = Secrets::of_url(url)?;
    let mut options = MySqlConnectOptions::from_str(url)
        .map_err(|error| RunError::Usage(format!("this is no {engine} database URL: {}", secrets.mask(&said(&error)))))?
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging();
    if secrets.is_empty() {
        let file = option_file::of_user(engine == Engine::Mariadb);
        if let Some(password) = std::env::var("MYSQL_PWD").ok().or(file.password) {
            secrets.add(&password);
            options = options.password(&password);
        }
        if let Some(user) = file.user.filter(|_| !url.contains('@')) {
            options = options.username(&user);
        }
    }
    let host = options.get_socket().map_or_else(|| format!("{}:{}", options.get_host(), options.get_port()), |socket| socket.display().to_string());
    let Some(database) = options.get_database() else {
        return Err(RunError::Usage(format!("the database URL names no database: write {engine}://user@host/DATABASE")));
    };
    let place = secrets.mask(&format!("{engine} {host}, database {database}, user {}", options.get_username()));
    let unreachable = |error: sqlx::Error| RunError::Unreachable { place: place.clone(), message: secrets.mask(&said(&error)) };
    let home = Home::Server(database.to_owned());
    let mut connection = Connection {
        driver: Driver::Mysql(options.connect().await.map_err(unreachable)?),
        canceller: Canceller::Mysql(Box::new(options), String::new()),
        interrupt: opening.interrupt.clone(),
        patience: opening.patience,
        engine,
        place: place.clone(),
        address: secrets.mask(&host),
        secrets: secrets.clone(),
        read_only: opening.read_only,
        home,
        own_settings: Vec::new(),
    };
    let told = connection.rows("SELECT VERSION(), CONNECTION_ID()").await.map_err(unreachable)?.pop();
    let [version, number] = told.and_then(|row| <[Option<String>; 2]>::try_from(row).ok()).unwrap_or_default();
    connection.engine = if version.unwrap_or_default().to_ascii_lowercase().contains("mariadb") { Engine::Mariadb } else { Engine::Mysql };
    if let (Canceller::Mysql(_, held), Some(number)) = (&mut connection.canceller, number) {
        *held = number;
    }
    // The driver's handshake adds IGNORE_SPACE, which triggers and routines would keep, and which `settle` takes away.
    connection.execute("SET SESSION sql_mode = DEFAULT").await.map_err(unreachable)?;
    if opening.read_only {
        connection.execute("SET SESSION TRANSACTION READ ONLY").await.map_err(unreachable)?;
    }
    if let Some(sql) = lock_timeouts(&opening.patience) {
        connection.execute(&sql).await.map_err(unreachable)?;
    }
    Ok(connection)
}

/// Sets how long to wait for an application's locks, on tables and on rows. The server counts whole seconds.
pub(super) fn lock_timeouts(patience: &Patience) -> Option<String> {
    let seconds = patience.lock?.as_secs().max(1);
    Some(format!("SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"))
}

/// Which database this is: the server's number where it has one, else where it runs, and the schema.
pub(super) async fn identity(connection: &mut Connection) -> sqlx::Result<String> {
    let server = match connection.engine {
        Engine::Mysql => "@@server_uuid",
        _ => "CONCAT(@@hostname, ':', @@port, ':', @@datadir)",
    };
    let seen = connection.cell(&format!("SELECT CONCAT({server}, ' ', DATABASE())")).await?.unwrap_or_default();
    Ok(format!("{} {seen}", connection.engine))
}

/// The history table's schema where its name does not say one.
pub(super) async fn home(connection: &mut Connection) -> sqlx::Result<Option<String>> {
    connection.cell("SELECT DATABASE()").await
}

/// Every table of the database; of a versioned one, the rows of the past count too.
pub(super) async fn tables(connection: &mut Connection) -> sqlx::Result<Vec<Table>> {
    let rows = connection
        .rows(
            "SELECT table_schema, table_name, table_type FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')",
        )
        .await?;
    let table = |row: Vec<Option<String>>| {
        let [Some(schema), Some(name), Some(kind)] = <[Option<String>; 3]>::try_from(row).ok()? else { return None };
        Some(Table::to_probe(&schema, &name, '`', if kind == "SYSTEM VERSIONED" { " FOR SYSTEM_TIME ALL" } else { "" }))
    };
    Ok(rows.into_iter().filter_map(table).collect())
}

/// The lock's name.
pub(super) fn lock_name(table: &HistoryTable) -> String {
    format!("migrate:{}", hex::encode(&table.fingerprint()[..24]))
}

/// A named lock of the session, waited for in slices so that the wait can be ended. The name is the server's, of at most 64
/// characters, so it is made from the database's and the table's names.
pub(super) async fn lock(connection: &mut Connection, table: &HistoryTable, timeout: Duration) -> Result<(), RunError> {
    let doing = "asking for the lock";
    let name = lock_name(table);
    let started = Instant::now();
    loop {
        let left = timeout.saturating_sub(started.elapsed());
        let slice = left.min(Duration::from_secs(1)).as_secs_f32().ceil();
        let taken = connection.cell(&format!("SELECT GET_LOCK('{name}', {slice})")).await;
        if taken.map_err(|error| connection.refused(doing, &error))?.as_deref() == Some("1") {
            return Ok(());
        }
        if let Some(signal) = connection.interrupt.raised() {
            return Err(RunError::Interrupted(signal));
        }
        if left.is_zero() || started.elapsed() >= timeout {
            break;
        }
    }
    let holder = connection
        .cell(&format!(
            "SELECT CONCAT('connection ', IS_USED_LOCK('{name}'), COALESCE((SELECT CONCAT(', user ', user, ', from ', host) \
             FROM information_schema.processlist WHERE id = IS_USED_LOCK('{name}')), ''))"
        ))
        .await;
    let holder = holder.map_err(|error| connection.refused(doing, &error))?;
    Err(RunError::Locked { holder: holder.unwrap_or_else(|| String::from("it went away just now")) })
}

/// Ends what a script may have set for its session, so that neither the history row nor the next migration runs under it.
/// What it wrote with autocommit off is committed: the record says that these statements stand.
pub(super) fn settle(database: &str, patience: &Patience) -> Vec<String> {
    own_session(database).into_iter().chain(lock_timeouts(patience)).collect()
}

/// What makes a session its own again, but for our limits.
pub(super) fn own_session(database: &str) -> Vec<String> {
    vec![
        String::from("UNLOCK TABLES"),
        String::from("COMMIT"),
        String::from("SET SESSION autocommit = 1, sql_mode = DEFAULT, foreign_key_checks = DEFAULT, unique_checks = DEFAULT, time_zone = DEFAULT"),
        String::from("SET NAMES utf8mb4"),
        format!("USE {}", quoted(database, '`')),
    ]
}
