//! SQLite: a file, and a lock file beside it. In: a URL `sqlite:FILE`. Out: a connection, what stands in it, a lock.

use super::RunError;
use super::connection::{Canceller, Connection, Driver, Home, Opening, said};
use super::secret::Secrets;
use super::shape;
use super::tables::{Table, quoted};
use crate::engine::Engine;
use crate::gate::Sql;
use crate::parse::manner::{Manner, Touchable};
use crate::pin::Column;
use sqlparser::tokenizer::{Token, Tokenizer};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, SqliteConnection};
use std::fs::{File, TryLockError};
use std::io::{ErrorKind, Read, Seek, Write};
use std::ops::Range;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Opens the file; makes it where it is missing and may be made.
pub(super) async fn open(url: &str, opening: &Opening) -> Result<Connection, RunError> {
    let read_only = opening.read_only;
    let usage = |why: String| RunError::Usage(format!("{why}; write sqlite:FILE"));
    let options = SqliteConnectOptions::from_str(url).map_err(|error| usage(format!("this is no SQLite database URL: {}", said(&error))))?;
    let path = options.get_filename().to_owned();
    if path.as_os_str().is_empty() {
        return Err(usage(String::from("the database URL names no file")));
    }
    // The driver names databases in memory like this.
    let in_memory = path.to_string_lossy().starts_with("file:sqlx-in-memory-") || url.contains("mode=memory");
    let place = if in_memory { String::from("memory") } else { path.display().to_string() };
    if !in_memory && !opening.create && !path.exists() {
        return Err(RunError::NoDatabase(place));
    }
    let options = match (in_memory, read_only) {
        (true, _) => options,
        (false, true) => options.read_only(true),
        (false, false) => options.create_if_missing(opening.create),
    };
    let unreachable = |message: String| RunError::Unreachable { place: place.clone(), message };
    let (mut link, canceller) = link(options, opening).await.map_err(|error| unreachable(said(&error)))?;
    if !read_only && !in_memory {
        shorten_commits(&mut link).await.map_err(|error| unreachable(said(&error)))?;
    }
    // Without links, so that two names of one file are one database.
    let home = if in_memory { Home::Memory } else { path.canonicalize().map(Home::File).map_err(|error| unreachable(error.to_string()))? };
    Ok(Connection {
        driver: Driver::Sqlite(link),
        canceller,
        interrupt: opening.interrupt.clone(),
        patience: opening.patience,
        engine: Engine::Sqlite,
        place,
        address: String::new(),
        secrets: Secrets::default(),
        read_only,
        home,
        own_settings: Vec::new(),
    })
}

/// Connects, with what ends a statement.
pub(super) async fn link(options: SqliteConnectOptions, opening: &Opening) -> sqlx::Result<(SqliteConnection, Canceller)> {
    // The driver's thread hands rows over in a queue; where that is short, two threads wait for one another at every other row.
    let options = options.row_buffer_size(ROWS);
    let options = match opening.patience.lock {
        Some(limit) => options.busy_timeout(limit),
        None => options,
    };
    let mut link = options.disable_statement_logging().connect().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&stop);
    link.lock_handle().await?.set_progress_handler(OPERATIONS, move || !asked.load(Ordering::Relaxed));
    Ok((link, Canceller::Flag(stop)))
}

/// The table of this folded name, if it is there.
pub(super) async fn table(connection: &mut Connection, folded: &str) -> sqlx::Result<Option<shape::Table>> {
    let literal = literal(Some(folded));
    let Some(name) = connection.cell(&format!("SELECT name FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower({literal})")).await? else {
        return Ok(None);
    };
    let mut columns = Vec::new();
    for row in connection.rows(&format!("SELECT name, type, CAST(pk AS TEXT) FROM pragma_table_xinfo({literal}) WHERE hidden = 0")).await? {
        let [Some(name), ty, Some(place)] = <[Option<String>; 3]>::try_from(row).unwrap_or_default() else { continue };
        columns.push((Column { name, ty: ty.unwrap_or_default() }, place.parse().ok().filter(|place| *place > 0)));
    }
    let in_key = columns.iter().filter(|(_, place): &&(Column, Option<u32>)| place.is_some()).count();
    Ok(Some(shape::Table { schema: String::from("main"), name, rows: 0, columns, in_key }))
}

/// A commit that voids the rollback journal's head is as durable as one that deletes the file, and the next migration need not make and
/// grow a new one (sqlite.org/pragma.html, "journal_mode"). The setting is the connection's own.
async fn shorten_commits(link: &mut SqliteConnection) -> sqlx::Result<()> {
    let mode: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut *link).await?;
    if mode == "delete" {
        sqlx::raw_sql("PRAGMA journal_mode = PERSIST").execute(link).await?;
    }
    Ok(())
}

/// Takes the void journal away; should it stay, it means nothing to anybody.
pub(super) async fn tidy(link: &mut SqliteConnection) {
    let mode = sqlx::query_scalar::<_, String>("PRAGMA journal_mode").fetch_one(&mut *link).await;
    if mode.is_ok_and(|mode| mode == "persist") {
        let _ = sqlx::raw_sql("PRAGMA journal_mode = DELETE").execute(link).await;
    }
}

/// Results that wait to be read: one message may hold some hundred statements, and none should wait for this thread.
const ROWS: usize = 1_000;

/// How many operations of its virtual machine SQLite does between two looks at whether to stop: some milliseconds.
const OPERATIONS: i32 = 10_000;

/// Which database this is.
pub(super) fn identity(connection: &Connection) -> String {
    match &connection.home {
        Home::File(path) => format!("sqlite {}", path.display()),
        Home::Memory | Home::Server(_) => String::from("sqlite in memory"),
    }
}

/// The numbers of the file system and of the file in it.
#[cfg(unix)]
pub(super) fn file_number(path: &Path) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().map(|file| (file.dev(), file.ino()))
}

/// Such numbers are Unix's; elsewhere the path tells files apart.
#[cfg(not(unix))]
pub(super) fn file_number(_: &Path) -> std::io::Result<(u64, u64)> {
    Ok((0, 0))
}

/// Every table but SQLite's own, with what tells whether rows stand in it.
pub(super) async fn tables(connection: &mut Connection) -> sqlx::Result<Vec<Table>> {
    let rows = connection.rows(r"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'").await?;
    Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).map(|name| Table::to_probe("main", &name, '"', "")).collect())
}

/// The lock: a file of its own, since closing any handle of the database's file would drop SQLite's own locks on it. It
/// stays when the run ends; to remove it would let two runners lock two files of one name.
pub(super) async fn lock(connection: &Connection, timeout: Duration) -> Result<Option<File>, RunError> {
    let Home::File(path) = &connection.home else { return Ok(None) };
    let mut name = path.clone().into_os_string();
    name.push(".migrate-lock");
    let opened = File::options().read(true).write(true).create(true).truncate(false).open(&name);
    let cannot = |error: std::io::Error| RunError::Refused {
        doing: "locking the file beside the database",
        message: format!("{}: {error}", Path::new(&name).display()),
    };
    let mut file = match opened {
        // Nothing will be written, and whoever may write can make the file.
        Err(error) if connection.read_only && matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem) => return Ok(None),
        other => other.map_err(cannot)?,
    };
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if started.elapsed() < timeout => {
                tokio::time::sleep(super::POLL.min(timeout)).await;
                if let Some(signal) = connection.interrupt.raised() {
                    return Err(RunError::Interrupted(signal));
                }
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // What stands there is a help for people; another system may forbid to read a locked file.
                let _ = file.read_to_string(&mut holder);
                return Err(RunError::Locked { holder: if holder.is_empty() { String::from("SQLite cannot tell who") } else { holder } });
            }
            Err(TryLockError::Error(error)) => return Err(cannot(error)),
        }
    }
    let (user, host) = super::history::person();
    let note = format!("process {} of {user} on {host}, since {}", std::process::id(), super::history::now());
    file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(note.as_bytes())).map_err(cannot)?;
    Ok(Some(file))
}

/// How one transaction of a script stands to the stretch in which the script has foreign keys off, as one that rebuilds a table must.
/// Inside of a transaction SQLite ignores that setting, so the runner makes it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unchecked {
    /// Foreign keys are off during the transaction.
    pub(super) off: bool,
    /// The stretch begins in it.
    pub(super) begins: bool,
    /// The stretch ends in it, so by now every key must point at something.
    pub(super) ends: bool,
}

impl Unchecked {
    /// For the transaction that holds `range` of a script's statements.
    pub(super) fn of(statements: &[Sql], range: &Range<usize>) -> Unchecked {
        let off_after = |end: usize| statements[..end].iter().rev().find_map(turns_foreign_keys_off) == Some(true);
        let before = off_after(range.start);
        let off = before || statements[range.clone()].iter().any(|sql| turns_foreign_keys_off(sql) == Some(true));
        Unchecked { off, begins: off && !before, ends: off && (range.end == statements.len() || !off_after(range.end)) }
    }
}

/// Whether a statement turns foreign keys off; `None` where it leaves them as they are.
fn turns_foreign_keys_off(sql: &Sql) -> Option<bool> {
    pragma(sql).filter(|(name, _)| name == "foreign_keys").map(|(_, value)| matches!(value.as_str(), "off" | "0" | "no" | "false"))
}

/// What a statement sets for its connection by `PRAGMA [SCHEMA.]NAME = VALUE` or `PRAGMA NAME(VALUE)`: name and value in lower case.
pub(super) fn pragma(sql: &Sql) -> Option<(String, String)> {
    if sql.manner != Manner::Session {
        return None;
    }
    let words = Tokenizer::new(Engine::Sqlite.dialect(), &sql.text).tokenize().ok()?.into_iter().filter_map(|token| match token {
        Token::Word(word) => Some(word.value.to_ascii_lowercase()),
        Token::Number(value, _) | Token::SingleQuotedString(value) => Some(value.to_ascii_lowercase()),
        _ => None,
    });
    match &words.collect::<Vec<_>>()[..] {
        [first, .., name, value] if first == "pragma" => Some((name.clone(), value.clone())),
        _ => None,
    }
}

/// `text` as a literal; a zero byte would end the statement.
pub(super) fn literal(text: Option<&str>) -> String {
    match text {
        None => String::from("NULL"),
        Some(text) if text.contains('\0') => format!("CAST(x'{}' AS TEXT)", hex::encode(text)),
        Some(text) => quoted(text, '\''),
    }
}

/// Rows that point at nothing, as `table, rowid, parent`.
pub(super) type Dangling = Vec<Vec<Option<String>>>;

/// Looks for them; `None` where SQLite cannot tell because a key itself is broken.
pub(super) async fn dangling(connection: &mut Connection) -> Option<Dangling> {
    let mut rows = connection.rows("PRAGMA foreign_key_check").await.ok()?;
    rows.iter_mut().for_each(|row| row.truncate(3));
    Some(rows)
}

/// What dangles now and did not before, in words; `None` where all is well.
pub(super) fn newly_dangling(before: Option<Dangling>, after: Option<Dangling>) -> Option<String> {
    let mut before = before?;
    let Some(mut after) = after else { return Some(String::from("a foreign key points at columns that are no key")) };
    after.retain(|row| match before.iter().position(|old| old == row) {
        Some(at) => {
            before.swap_remove(at);
            false
        }
        None => true,
    });
    let cell = |row: &Vec<Option<String>>, at: usize| row.get(at).cloned().flatten().unwrap_or_else(|| String::from("?"));
    let first = after.first()?;
    Some(format!("foreign keys were off, and {} row(s) now point at nothing: row {} of {} at {}", after.len(), cell(first, 1), cell(first, 0), cell(first, 2)))
}

/// The rows of tables that point at those which a script rebuilds: DROP TABLE deletes the rows of a table first, and ON DELETE CASCADE
/// takes theirs along where foreign keys are on (sqlite.org/lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
pub(super) struct Children(Vec<(String, String)>);

/// The tables that `range` of a script's statements drops, and whose name another one takes there or in a later transaction.
pub(super) fn rebuilt<'s>(statements: &'s [Sql], range: &Range<usize>) -> Vec<&'s String> {
    let all = |range: Range<usize>| statements[range].iter().filter_map(|sql| sql.touched.as_ref()).flatten();
    let tables = |range, dropped| all(range).filter(move |t| t.class == Touchable::Table && t.dropped == dropped).map(|t| &t.name);
    tables(range.clone(), true).filter(|name| tables(range.start..statements.len(), false).any(|other| other == *name)).collect()
}

impl Children {
    /// Counts before `range` of the script's statements runs; `None` where it rebuilds nothing, or where it deletes rows by itself.
    pub(super) async fn count(connection: &mut Connection, statements: &[Sql], range: &Range<usize>, rebuilt: &[&String]) -> Option<Children> {
        if rebuilt.is_empty() {
            return None;
        }
        let touched = || statements[range.clone()].iter().filter_map(|sql| sql.touched.as_ref()).flatten();
        let list = rebuilt.iter().map(|name| quoted(name, '\'')).collect::<Vec<_>>().join(", ");
        let pointing = format!(
            "SELECT DISTINCT m.name FROM sqlite_schema m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table' AND lower(k.\"table\") IN ({list}) \
             AND k.on_delete IN ('CASCADE', 'SET NULL', 'SET DEFAULT')"
        );
        let mut counts = Vec::new();
        for name in connection.rows(&pointing).await.ok()?.into_iter().filter_map(|row| row.into_iter().next().flatten()) {
            let changed = touched().any(|t| t.name.eq_ignore_ascii_case(&name));
            if !changed {
                let count = connection.cell(&format!("SELECT count(*) FROM {}", quoted(&name, '"'))).await.ok()??;
                counts.push((name, count));
            }
        }
        Some(Children(counts))
    }

    /// What is gone, in words; `None` where all rows still stand.
    pub(super) async fn gone(self, connection: &mut Connection) -> Option<String> {
        for (name, before) in self.0 {
            let after = connection.cell(&format!("SELECT count(*) FROM {}", quoted(&name, '"'))).await.ok()??;
            if after != before {
                return Some(format!(
                    "rebuilding the table that {name} points at changed its {before} row(s) to {after}: begin the migration with PRAGMA foreign_keys = OFF"
                ));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> Sql {
        let manner = if text.to_ascii_lowercase().starts_with("pragma") { Manner::Session } else { Manner::Inside };
        Sql { text: text.to_owned(), path: String::new(), line: 1, manner, touched: None }
    }

    #[test]
    fn foreign_keys_off_is_seen_however_it_is_written() {
        for (sql, off) in [
            ("PRAGMA foreign_keys=OFF", true),
            ("pragma foreign_keys = 0;", true),
            ("PRAGMA foreign_keys(false)", true),
            ("PRAGMA /* a */ main.foreign_keys = 'off' -- until the end", true),
            ("PRAGMA foreign_keys=ON", false),
            ("PRAGMA foreign_keys", false),
            ("PRAGMA defer_foreign_keys=OFF", false),
            ("SELECT 'pragma foreign_keys=off'", false),
        ] {
            assert_eq!(turns_foreign_keys_off(&self::sql(sql)) == Some(true), off, "{sql}");
        }
    }

    #[test]
    fn foreign_keys_stay_off_from_one_transaction_to_the_next() {
        let script: Vec<Sql> = ["CREATE", "PRAGMA foreign_keys = OFF", "DROP", "PRAGMA foreign_keys = ON", "INSERT"].map(sql).into();
        let unchecked = |off, begins, ends| Unchecked { off, begins, ends };
        for (range, expected) in [
            (0..1, unchecked(false, false, false)),
            (1..2, unchecked(true, true, false)),
            (2..3, unchecked(true, false, false)),
            (3..4, unchecked(true, false, true)),
            (4..5, unchecked(false, false, false)),
            (0..5, unchecked(true, true, true)),
            (1..3, unchecked(true, true, false)),
        ] {
            assert_eq!(Unchecked::of(&script, &range), expected, "{range:?}");
        }
        assert_eq!(Unchecked::of(&script[..3], &(2..3)), unchecked(true, false, true), "it ends with the script at the latest");
    }

    #[test]
    fn only_rows_that_did_not_dangle_before_count() {
        let row = |id: &str| vec![Some(String::from("t")), Some(id.into()), Some(String::from("p"))];
        for (before, after, says) in [
            (Some(vec![]), Some(vec![]), None),
            (Some(vec![row("1")]), Some(vec![row("1")]), None),
            (Some(vec![row("1")]), Some(vec![row("1"), row("2")]), Some("1 row(s) now point at nothing: row 2 of t at p")),
            (Some(vec![row("1")]), Some(vec![row("1"), row("1")]), Some("1 row(s)")),
            (Some(vec![]), None, Some("no key")),
            (None, Some(vec![row("1")]), None),
        ] {
            let found = newly_dangling(before, after);
            assert_eq!(found.is_some(), says.is_some(), "{found:?}");
            assert!(found.unwrap_or_default().contains(says.unwrap_or_default()));
        }
    }
}
