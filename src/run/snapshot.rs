//! A copy of a SQLite database. In: a connection that holds the write lock. Out: a file beside the database that was synced, checked and
//! compared with it, so that it is the state before the first statement.
//!
//! The lock keeps writers away and lets readers in, so a second connection copies what the first one is about to change. The file comes under
//! another name first: one that has its own name is whole.

use super::connection::{Cancelled, Connection, Driver, Home, Opening, interruptible};
use super::stop::Stop;
use super::tables::quoted;
use super::{RunError, sqlite};
use crate::pin::Snapshot;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use sqlx::sqlite::SqliteConnectOptions;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What stops a step because there is no copy, before its first statement.
fn because(message: impl Into<String>) -> Stop {
    Stop { at: 0, doing: None, message: message.into(), lost: false, again: false, by: None }
}

/// The same for what the database says.
fn says(error: &sqlx::Error) -> Stop {
    Stop { lost: false, ..Stop::at(0, error) }
}

/// Copies the database of `connection`, which holds its write lock, into `directory`, in a file named after `version` and `now`.
pub(super) async fn take(connection: &mut Connection, directory: Option<&Path>, version: &str, now: DateTime<Utc>) -> Result<Snapshot, Stop> {
    let Home::File(database) = &connection.home else { return Err(because("a database in memory has no place to be copied to")) };
    let database = database.clone();
    let directory = folder(&database, directory).map_err(|(path, error)| because(format!("{}: {error}", path.display())))?;
    let seen = look(connection).await?;
    let free = fs4::available_space(&directory).map_err(|error| because(format!("asking how much room {} has: {error}", directory.display())))?;
    if free < seen.bytes {
        return Err(because(format!(
            "the copy needs {} bytes, and {} has {free} left; make room, or name another place: `directory` in [pin] of migrate.toml",
            seen.bytes,
            directory.display()
        )));
    }
    let file = directory.join(format!("{version}-{}.db", now.format("%Y%m%dT%H%M%S%.3fZ")));
    let half = PathBuf::from(format!("{}.tmp", file.display()));
    let written = write(connection, &database, &half, &file, &seen).await;
    if written.is_err() {
        // What is there is no copy. Where it cannot be taken away, its name says so.
        let _ = fs::remove_file(&half);
    }
    let (bytes, sha256, page_count) = written?;
    Ok(Snapshot { file, bytes, sha256, page_count, user_version: seen.user_version, database, tables: seen.tables })
}

/// The folder that copies go to, made where it is missing: `named`, or one beside the database.
fn folder(database: &Path, named: Option<&Path>) -> Result<PathBuf, (PathBuf, std::io::Error)> {
    let folder = named.map_or_else(|| PathBuf::from(format!("{}.migrate-snapshots", database.display())), Path::to_owned);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder).and_then(|()| folder.canonicalize()).map_err(|error| (folder, error))
}

/// Writes the copy to `half`, looks whether it is right, and gives it its name. Size, checksum and pages of it come back.
async fn write(connection: &Connection, database: &Path, half: &Path, file: &Path, seen: &Seen) -> Result<(u64, String, u64), Stop> {
    let fails = |doing: &str, error: std::io::Error| because(format!("{doing} {}: {error}", half.display()));
    private(half).map_err(|error| fails("making", error))?;
    let mut second = link(connection, SqliteConnectOptions::new().filename(database).read_only(true)).await?;
    let copied = second.run(&format!("VACUUM INTO {}", quoted(&half.display().to_string(), '\''))).await;
    second.close().await;
    copied.map_err(|ended| Stop { lost: false, ..Stop::ended(0, &ended) })?;
    File::open(half).and_then(|file| file.sync_all()).map_err(|error| fails("syncing", error))?;
    // As it stands in the file, and without making anything beside it.
    let mut copy = link(connection, SqliteConnectOptions::new().filename(half).read_only(true).immutable(true)).await?;
    let checked = checked(&mut copy, seen).await;
    copy.close().await;
    let page_count = checked?;
    let (bytes, sha256) = hashed(connection, half).await?;
    fs::rename(half, file).map_err(|error| fails("renaming", error))?;
    #[cfg(unix)]
    File::open(file.parent().unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all()).map_err(|error| fails("syncing the folder of", error))?;
    Ok((bytes, sha256, page_count))
}

/// An empty file that nobody else may read: it will hold all that the database holds.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// A connection of its own, which ends when that of the run is interrupted.
async fn link(connection: &Connection, options: SqliteConnectOptions) -> Result<Connection, Stop> {
    let opening = Opening { read_only: true, create: false, interrupt: connection.interrupt.clone(), patience: connection.patience };
    let (link, canceller) = sqlite::link(options, &opening).await.map_err(|error| says(&error))?;
    Ok(Connection {
        driver: Driver::Sqlite(link),
        canceller,
        interrupt: opening.interrupt,
        patience: opening.patience,
        engine: connection.engine,
        place: connection.place.clone(),
        address: String::new(),
        secrets: connection.secrets.clone(),
        read_only: true,
        home: Home::Memory,
        own_settings: Vec::new(),
    })
}

/// What must be the same in a database and its copy.
#[derive(PartialEq, Eq)]
struct Seen {
    schema: Vec<Vec<Option<String>>>,
    tables: BTreeMap<String, u64>,
    user_version: i64,
    application_id: i64,
    /// The size of the original: the copy is no larger.
    bytes: u64,
}

impl Seen {
    async fn of(connection: &mut Connection) -> sqlx::Result<Seen> {
        let schema = connection.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").await?;
        let mut tables = BTreeMap::new();
        for row in &schema {
            let [Some(class), Some(name), _, sql] = row.as_slice() else { continue };
            // What a virtual table holds stands in tables of its own.
            let is_virtual = sql.as_ref().is_some_and(|sql| sql.trim_start().get(..14).is_some_and(|head| head.eq_ignore_ascii_case("CREATE VIRTUAL")));
            if class == "table" && !is_virtual {
                tables.insert(name.clone(), number(connection, &format!("SELECT count(*) FROM {}", quoted(name, '"'))).await?);
            }
        }
        Ok(Seen {
            schema,
            tables,
            user_version: number(connection, "PRAGMA user_version").await?,
            application_id: number(connection, "PRAGMA application_id").await?,
            bytes: number::<u64>(connection, "PRAGMA page_count").await? * number::<u64>(connection, "PRAGMA page_size").await?,
        })
    }
}

/// Looks at a database; a signal ends that.
async fn look(connection: &mut Connection) -> Result<Seen, Stop> {
    let seen = interruptible(connection, async |connection| Seen::of(connection).await.map_err(|error| connection.refused("looking at what to copy", &error)));
    seen.await.map_err(|error| match error {
        RunError::Interrupted(signal) => Stop { by: Some(Cancelled::Signal(signal)), ..because(format!("interrupted by {}", signal.name())) },
        other => because(other.to_string()),
    })
}

async fn number<N: std::str::FromStr>(connection: &mut Connection, sql: &str) -> sqlx::Result<N> {
    let answer = connection.cell(sql).await?.and_then(|text| text.parse().ok());
    answer.ok_or_else(|| sqlx::Error::Protocol(format!("{sql} gave no number")))
}

/// Whether the copy is whole and holds what was seen of the original; gives its pages.
async fn checked(copy: &mut Connection, seen: &Seen) -> Result<u64, Stop> {
    let found = copy.cell("PRAGMA quick_check(1)").await.map_err(|error| says(&error))?.unwrap_or_default();
    if found != "ok" {
        return Err(because(format!("the copy is damaged: {found}")));
    }
    // An empty file is "ok" as well.
    let page_count: u64 = number(copy, "PRAGMA page_count").await.map_err(|error| says(&error))?;
    let same = Seen { bytes: seen.bytes, ..look(copy).await? };
    if page_count == 0 || same != *seen {
        return Err(because("the copy does not hold what the database holds; is anything else writing to that folder?"));
    }
    Ok(page_count)
}

/// Size and SHA-256 of a file. A signal ends it: between two pieces the thread is free to hear it.
pub(super) async fn hashed(connection: &Connection, path: &Path) -> Result<(u64, String), Stop> {
    let fails = |error: std::io::Error| because(format!("reading {}: {error}", path.display()));
    let mut file = File::open(path).map_err(fails)?;
    let (mut hash, mut size, mut piece) = (Sha256::new(), 0, vec![0; PIECE]);
    loop {
        let read = file.read(&mut piece).map_err(fails)?;
        if read == 0 {
            return Ok((size, hex::encode(hash.finalize())));
        }
        hash.update(&piece[..read]);
        size += read as u64;
        tokio::task::yield_now().await;
        if let Some(signal) = connection.interrupt.raised() {
            return Err(Stop { by: Some(Cancelled::Signal(signal)), ..because(format!("interrupted by {}", signal.name())) });
        }
    }
}

/// How much of a file is hashed at a time.
const PIECE: usize = 1 << 20;
