//! Where a database stood just before a migration. In: what `run` read under the lock. Out: the JSON of the history's column `pin`, from which
//! `recover` finds the way back.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The version of the JSON. A reader that finds a higher one does not know what it says.
pub const SCHEMA: u32 = 1;

/// Where a database stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// [`SCHEMA`] of the build that wrote it.
    pub schema: u32,
    /// When, by the database's clock: RFC 3339, UTC.
    pub at: String,
    /// Nothing could be written between it and the migration's first statement.
    pub exact: bool,
    /// Where.
    pub place: Place,
    /// What the migration destroys, as it stood then. Empty for SQLite, whose copy tells it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub destroys: Vec<Destroyed>,
}

/// A place that a database can be brought back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// A copy of the whole database (SQLite).
    Snapshot(Snapshot),
    /// A place in the write-ahead log (PostgreSQL).
    Wal(Wal),
    /// A place in the binary log (MySQL, MariaDB).
    Binlog(Binlog),
}

/// A copy of a SQLite database, which was synced, checked and compared with it before the migration began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The file, without links.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 over its bytes, in lower-case hexadecimal.
    pub sha256: String,
    /// Its pages.
    pub page_count: u64,
    /// `PRAGMA user_version` of both.
    pub user_version: i64,
    /// The database that it is a copy of, without links.
    pub database: PathBuf,
    /// The rows of each table, the same in both.
    pub tables: BTreeMap<String, u64>,
}

/// A place in PostgreSQL's write-ahead log, inside of the migration's transaction, before its first statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wal {
    /// The name of the restore point; none where this user may not make one.
    pub restore_point: Option<String>,
    /// The end of the restore point's record, or else where the next record went: `0/31000090`.
    pub lsn: String,
    /// The segment that holds it.
    pub wal_file: String,
    /// The timeline.
    pub timeline: u32,
    /// The cluster's number: 64 bits, so it is text.
    pub system_identifier: String,
    /// The migration's transaction.
    pub xid: String,
    /// The database.
    pub database: String,
    /// The folder with the cluster's data, where this user may know it.
    pub data_directory: Option<String>,
    /// The server's port.
    pub port: String,
    /// The server's release.
    pub server_version: String,
    /// Why no point-in-time recovery is possible, where that is so.
    pub impossible: Option<String>,
}

/// A place in a binary log, taken while nobody could write the tables that the migration changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binlog {
    /// The log's file, without its folder.
    pub file: String,
    /// Bytes from its beginning.
    pub position: u64,
    /// MariaDB's `gtid_binlog_pos`, MySQL's `gtid_executed`.
    pub gtid: Option<String>,
    /// The folder of the logs and the beginning of their names, as the server has it.
    pub basename: String,
    /// MySQL's number of the server; MariaDB has none.
    pub server_uuid: Option<String>,
    /// `server_id`.
    pub server_id: u64,
    /// The server's own name for its computer, and its port.
    pub address: String,
    /// The folder with the data.
    pub data_directory: String,
    /// The database.
    pub database: String,
    /// The server's version.
    pub server_version: String,
    /// Why no point-in-time recovery is possible, where that is so.
    pub impossible: Option<String>,
}

/// What a statement destroys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A table with all that stands in it.
    Table,
    /// Columns that are dropped.
    Columns,
    /// Values that are written over, or converted.
    Values,
    /// Rows.
    Rows,
}

/// Something that a migration destroys, by its statements alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destroys {
    /// What.
    pub what: What,
    /// The table's folded name before the migration, with its schema where that is written.
    pub table: String,
    /// The columns, by their folded names before it; empty where it is all of them.
    pub columns: Vec<String>,
    /// The table's folded name after it.
    pub now: String,
    /// Columns that have another name after it: the folded names before and after.
    pub renamed: Vec<(String, String)>,
    /// Rows of every table that points at it go along (TRUNCATE … CASCADE).
    pub cascade: bool,
}

/// The same, as the database held it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destroyed {
    /// What.
    pub what: What,
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// The columns of its primary key; empty where it has none.
    pub key: Vec<Column>,
    /// The columns that are destroyed, those of the key left out.
    pub columns: Vec<Column>,
    /// The table's other columns, where no key tells whose values those were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<Column>,
    /// What the migration calls them; none where it renames nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Now>,
    /// The table's rows.
    pub rows: u64,
    /// The rows are the catalogue's estimate: to count them would have taken longer than `scan-limit`.
    pub estimated: bool,
    /// The checksum over key and columns; none where the rows are an estimate.
    pub checksum: Option<String>,
}

/// A table and its columns by their names after a migration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Now {
    /// The table's schema.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Those columns that have another name, by the one before.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as the database writes it.
    #[serde(rename = "type")]
    pub ty: String,
}

impl Destroyed {
    /// What is to be known of each row: the key, or all columns where it has none.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().chain(&self.with).chain(&self.columns)
    }

    /// PostgreSQL's query for rows and checksum, over `table`, which has these columns. What it gives does not depend on the order of the rows;
    /// it does on the settings [`PLAIN`].
    pub fn counted(&self, table: &str) -> String {
        let columns = self.columns().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
        format!("SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0) FROM {table}")
    }

    /// The same for MySQL and MariaDB, in the time zone `+00:00`.
    pub fn counted_mysql(&self, table: &str) -> String {
        let values = self.columns().map(|column| format!("QUOTE({})", backquoted(&column.name))).collect::<Vec<_>>().join(", ");
        format!(
            "SELECT CAST(COUNT(*) AS CHAR), CAST(COALESCE(SUM(CAST(CONV(LEFT(MD5(CONCAT_WS('|', {values})), 15), 16, 10) AS UNSIGNED)), 0) AS CHAR) FROM {table}"
        )
    }

    /// The table before the migration, its schema and name in the server's quotes.
    pub fn sql(&self, quoted: fn(&str) -> String) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }

    /// The table after the migration.
    pub fn sql_now(&self, quoted: fn(&str) -> String) -> String {
        let (schema, table) = self.now.as_ref().map_or((&self.schema, &self.table), |now| (&now.schema, &now.table));
        format!("{}.{}", quoted(schema), quoted(table))
    }

    /// The name that a column has after the migration.
    pub fn column_now<'n>(&'n self, column: &'n str) -> &'n str {
        self.now.as_ref().and_then(|now| now.columns.get(column)).map_or(column, String::as_str)
    }

    /// For people: `column public.users.fax`.
    pub fn object(&self) -> String {
        let columns = || self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
        match self.what {
            What::Table => format!("table {}.{}", self.schema, self.table),
            What::Columns => format!("column {}.{}.{}", self.schema, self.table, columns()),
            What::Values => format!("values {}.{}.{}", self.schema, self.table, columns()),
            What::Rows => format!("rows {}.{}", self.schema, self.table),
        }
    }
}

/// The settings of PostgreSQL that decide how a value is written as text, with what they are when a checksum is made.
pub const PLAIN: [(&str, &str); 5] =
    [("TimeZone", "UTC"), ("DateStyle", "ISO,MDY"), ("IntervalStyle", "postgres"), ("extra_float_digits", "1"), ("bytea_output", "hex")];

/// A name in quotes.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name as MySQL and MariaDB quote it.
pub fn backquoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

impl Pin {
    /// Reads the history's `pin`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn read(text: &str) -> Result<Pin, String> {
        let value: serde_json::Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        match value.get("schema").and_then(serde_json::Value::as_u64) {
            Some(schema) if schema == u64::from(SCHEMA) => serde_json::from_value(value).map_err(|error| error.to_string()),
            Some(schema) => Err(format!("it is of version {schema}, and this build reads version {SCHEMA}")),
            None => Err(String::from("it names no version")),
        }
    }

    /// As the history keeps it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a pin has text keys alone")
    }
}
