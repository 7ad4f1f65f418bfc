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
}

/// A place that a database can be brought back to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Place {
    /// A copy of the whole database (SQLite).
    Snapshot(Snapshot),
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
