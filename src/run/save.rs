//! Copies out what a DOWN is about to destroy. In: what of it, a folder. Out: one SQL file that puts it back after a new UP; the server itself
//! writes each value as a literal, so that what it reads again is what it had.

use super::connection::{Connection, Driver, interruptible, lost, said};
use super::shape::Table;
use super::sqlite;
use super::tables::quoted;
use super::{Locked, RunError, binlog, wal};
use crate::engine::Engine;
use crate::pin::{Column, PLAIN};
use crate::recover::loss::{Counted, Question};
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

const DOING: &str = "copying out what DOWN would destroy";

/// The file's name.
const FILE: &str = "put-back.sql";

impl Locked {
    /// Copies what `lost` says to a file in the folder `to`, which is made where it is missing, and gives the file and how much it holds of each.
    ///
    /// # Errors
    /// [`RunError::Usage`] where the folder is not empty, or no key leads back to the rows of a table; [`RunError::Refused`] where something
    /// cannot be read or written. Nothing was changed then.
    pub async fn save(&mut self, lost: &[Question], to: &Path) -> Result<(PathBuf, Vec<u64>), RunError> {
        let file = to.join(FILE);
        let saved = interruptible(&mut self.connection, async |connection| {
            let begin = match connection.engine {
                Engine::Sqlite => "BEGIN",
                Engine::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
                Engine::Mysql | Engine::Mariadb => "START TRANSACTION WITH CONSISTENT SNAPSHOT",
            };
            connection.execute(begin).await.map_err(|error| connection.refused(DOING, &error))?;
            let saved = save(connection, lost, &file).await;
            let ended = connection.execute("ROLLBACK").await.map_err(|error| connection.refused(DOING, &error));
            if let Some(sql) = settings_end(connection.engine) {
                connection.execute(sql).await.map_err(|error| connection.refused(DOING, &error))?;
            }
            let saved = saved?;
            ended.map(|()| saved)
        });
        Ok((file.clone(), saved.await?))
    }
}

async fn save(connection: &mut Connection, lost_things: &[Question], file: &Path) -> Result<Vec<u64>, RunError> {
    let unwritable = |error: std::io::Error| RunError::Usage(format!("{}: {error}; nothing was touched", file.display()));
    let mut tables = Vec::new();
    for question in lost_things {
        let found = table(connection, &question.name).await.map_err(|error| connection.refused(DOING, &error))?;
        let table = found.ok_or_else(|| RunError::Drift(format!("{} is not there; the catalog and the database differ", question.object)))?;
        if question.counted == Counted::Values && keys(&table).is_empty() {
            let message = format!("{}: no primary key leads back to the rows, so a copy could not be put back; nothing was touched", question.object);
            return Err(RunError::Usage(message));
        }
        let set_by_change = set_by_change(connection, &table).await.map_err(|error| connection.refused(DOING, &error))?;
        tables.push((table, set_by_change));
    }
    let mut out = BufWriter::new(made(file).map_err(unwritable)?);
    write!(out, "{}", head(connection.engine)).map_err(unwritable)?;
    for sql in settings(connection.engine) {
        connection.execute(&sql).await.map_err(|error| connection.refused(DOING, &error))?;
    }
    let mut counts = Vec::new();
    for (question, (table, set_by_change)) in lost_things.iter().zip(&tables) {
        let copy = Copy { engine: connection.engine, table, question, set_by_change };
        writeln!(out, "\n-- {}", question.object).map_err(unwritable)?;
        let (query, mut count) = (copy.query(), 0);
        let copied = connection.each_row(&query, |cells| {
            count += 1;
            writeln!(out, "{}", copy.statement(&cells))
        });
        match copied.await {
            Ok(()) => {}
            Err(sqlx::Error::Io(error)) if !lost(&sqlx::Error::Io(std::io::Error::from(error.kind()))) => return Err(unwritable(error)),
            Err(error) if lost(&error) => return Err(connection.refused(DOING, &error)),
            Err(error) => return Err(RunError::Refused { doing: DOING, message: format!("{}: {}", question.object, said(&error)) }),
        }
        write!(out, "{}", copy.after()).map_err(unwritable)?;
        counts.push(count);
    }
    writeln!(out, "\nCOMMIT;").map_err(unwritable)?;
    let written = out.into_inner().map_err(|error| unwritable(error.into_error()))?;
    written.sync_all().map_err(unwritable)?;
    if let Some(folder) = file.parent() {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)?;
    }
    Ok(counts)
}

/// The file, new, in a folder that holds nothing else; for nobody else to read.
fn made(file: &Path) -> std::io::Result<File> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
        builder.mode(0o700);
        options.mode(0o600);
    }
    builder.create(folder)?;
    if std::fs::read_dir(folder)?.next().is_some() {
        return Err(std::io::Error::new(std::io::ErrorKind::AlreadyExists, "the folder is not empty"));
    }
    options.open(file)
}

/// The table of that folded name, as the database has it.
async fn table(connection: &mut Connection, folded: &str) -> sqlx::Result<Option<Table>> {
    match connection.driver {
        Driver::Sqlite(_) => sqlite::table(connection, folded).await,
        Driver::Postgres(_) => wal::table(connection, folded).await,
        Driver::Mysql(_) => binlog::table(connection, folded).await,
    }
}

/// The columns that a change of their row sets by itself (MySQL, MariaDB).
async fn set_by_change(connection: &mut Connection, table: &Table) -> sqlx::Result<Vec<String>> {
    if !connection.engine.is_mysql_like() {
        return Ok(Vec::new());
    }
    let (schema, name) = (quoted(&table.schema, '\''), quoted(&table.name, '\''));
    let sql = format!("SELECT column_name FROM information_schema.columns WHERE table_schema = {schema} AND table_name = {name} AND extra LIKE '%on update%'");
    Ok(connection.rows(&sql).await?.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
}

fn keys(table: &Table) -> Vec<&Column> {
    let mut keys: Vec<(u32, &Column)> = table.columns.iter().filter_map(|(column, place)| Some(((*place)?, column))).collect();
    keys.sort_by_key(|(place, _)| *place);
    keys.into_iter().map(|(_, column)| column).collect()
}

/// What the session that reads must say, so that a value's text means it wherever it is read.
fn settings(engine: Engine) -> Vec<String> {
    match engine {
        Engine::Sqlite => Vec::new(),
        Engine::Postgres => {
            PLAIN.iter().map(|(name, value)| format!("SET LOCAL {name} = '{value}'")).chain([String::from("SET LOCAL row_security = off")]).collect()
        }
        Engine::Mysql | Engine::Mariadb => vec![String::from("SET SESSION time_zone = '+00:00'")],
    }
}

/// Takes back what outlives the transaction of these: the script that follows is to have its own.
fn settings_end(engine: Engine) -> Option<&'static str> {
    engine.is_mysql_like().then_some("SET SESSION time_zone = DEFAULT")
}

/// The file's first lines.
fn head(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "-- Puts back what a DOWN took along; for after a new UP.\nPRAGMA foreign_keys = OFF;\nBEGIN IMMEDIATE;\n",
        Engine::Postgres => {
            "-- Puts back what a DOWN took along; for after a new UP: psql -v ON_ERROR_STOP=1 -f\nSET client_encoding = 'UTF8';\nSET TimeZone = 'UTC';\n\
             SET DateStyle = 'ISO,MDY';\nSET IntervalStyle = 'postgres';\nBEGIN;\n"
        }
        Engine::Mysql | Engine::Mariadb => {
            "-- Puts back what a DOWN took along; for after a new UP.\nSET NAMES utf8mb4;\nSET time_zone = '+00:00';\nSET foreign_key_checks = 0;\n\
             SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\nSTART TRANSACTION;\n"
        }
    }
}

/// The copy of one thing.
struct Copy<'a> {
    engine: Engine,
    table: &'a Table,
    question: &'a Question,
    set_by_change: &'a [String],
}

impl Copy<'_> {
    fn name(&self, name: &str) -> String {
        quoted(name, if self.engine.is_mysql_like() { '`' } else { '"' })
    }

    fn sql(&self) -> String {
        match self.engine {
            Engine::Sqlite => self.name(&self.table.name),
            _ => format!("{}.{}", self.name(&self.table.schema), self.name(&self.table.name)),
        }
    }

    /// The columns that are copied: the key first, and of a table all.
    fn columns(&self) -> Vec<&Column> {
        let keys = keys(self.table);
        let others = self.table.columns.iter().map(|(column, _)| column).filter(|column| !keys.iter().any(|key| key.name == column.name));
        let wanted = |column: &&Column| self.question.column.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&column.name));
        keys.iter().copied().chain(others.filter(wanted)).collect()
    }

    /// The query for the values, each as the literal that gives it.
    fn query(&self) -> String {
        let literals = self.columns().into_iter().map(|column| self.literal(column)).collect::<Vec<_>>().join(", ");
        format!("SELECT {literals} FROM {}{}", self.sql(), self.question.kept)
    }

    fn literal(&self, column: &Column) -> String {
        let name = self.name(&column.name);
        match self.engine {
            // A text that holds a zero byte would end there.
            Engine::Sqlite => {
                format!("iif(typeof({name}) = 'text' AND instr(CAST({name} AS BLOB), x'00'), 'CAST(X''' || hex({name}) || ''' AS TEXT)', quote({name}))")
            }
            Engine::Postgres => format!("quote_nullable({name}::text)"),
            Engine::Mysql | Engine::Mariadb => {
                let ty = column.ty.to_ascii_lowercase();
                let is = |words: &[&str]| words.iter().any(|word| ty.starts_with(word));
                if is(&["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "point", "linestring", "polygon", "multi"]) {
                    format!("IF({name} IS NULL, 'NULL', CONCAT('X''', HEX({name}), ''''))")
                } else if is(&["bit"]) {
                    format!("IF({name} IS NULL, 'NULL', CONCAT('b''', BIN({name} + 0), ''''))")
                } else if is(&["float"]) {
                    // Its own text has fewer digits than it holds.
                    format!("QUOTE(CAST({name} AS DOUBLE))")
                } else {
                    format!("QUOTE({name})")
                }
            }
        }
    }

    /// What puts back a row, or a value to its row.
    fn statement(&self, cells: &[Option<String>]) -> String {
        let (sql, columns, keys) = (self.sql(), self.columns(), keys(self.table));
        let value = |at: usize| cells[at].as_deref().unwrap_or("NULL");
        let names: Vec<String> = columns.iter().map(|column| self.name(&column.name)).collect();
        let values = (0..columns.len()).map(value).collect::<Vec<_>>().join(", ");
        if self.question.counted == Counted::Values {
            let key = (0..keys.len()).map(|at| format!("{} = {}", names[at], value(at))).collect::<Vec<_>>().join(" AND ");
            let set = (keys.len()..columns.len()).map(|at| format!("{} = {}", names[at], value(at)));
            // What comes back is no change of the row's own.
            let own = self.set_by_change.iter().map(|name| self.name(name)).filter(|name| !names.contains(name)).map(|name| format!("{name} = {name}"));
            let set = set.chain(own).collect::<Vec<_>>().join(", ");
            return format!("UPDATE {sql} SET {set} WHERE {key};");
        }
        // A new UP may bring rows of its own under the same keys; what stood there is what counts.
        match self.engine {
            Engine::Sqlite => format!("INSERT OR REPLACE INTO {sql} ({}) VALUES ({values});", names.join(", ")),
            Engine::Mysql | Engine::Mariadb => format!("REPLACE INTO {sql} ({}) VALUES ({values});", names.join(", ")),
            Engine::Postgres => {
                let set = names[keys.len()..].iter().map(|name| format!("{name} = EXCLUDED.{name}")).collect::<Vec<_>>().join(", ");
                let conflict = match (keys.len(), set.is_empty()) {
                    (0, _) => String::new(),
                    (_, true) => String::from(" ON CONFLICT DO NOTHING"),
                    (count, false) => format!(" ON CONFLICT ({}) DO UPDATE SET {set}", names[..count].join(", ")),
                };
                format!("INSERT INTO {sql} ({}) OVERRIDING SYSTEM VALUE VALUES ({values}){conflict};", names.join(", "))
            }
        }
    }

    /// What hands out numbers goes on after those that came back.
    fn after(&self) -> String {
        if self.engine != Engine::Postgres || self.question.counted != Counted::Rows {
            return String::new();
        }
        let numbers = self.columns().into_iter().filter(|column| ["smallint", "integer", "bigint"].contains(&column.ty.as_str()));
        let (sql, literal) = (self.sql(), |text: &str| quoted(text, '\''));
        let set = |column: &Column| {
            format!(
                "SELECT setval(s::regclass, m) FROM (SELECT pg_get_serial_sequence({}, {}) AS s, max({}) AS m FROM {sql}) AS x WHERE s IS NOT NULL AND m IS NOT NULL;\n",
                literal(&sql),
                literal(&column.name),
                self.name(&column.name)
            )
        };
        numbers.map(set).collect()
    }
}
