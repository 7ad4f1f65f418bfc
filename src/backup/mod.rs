//! Backups. In: the output of a backup tool, as bytes. Out: the [`Evidence`] that a backup exists, what it covers and how well that was checked, or
//! the field that is [`Refused`].
//!
//! One folder a tool, with the evidence of it and the way back from it. Nothing here runs a program or reads a file: who has the bytes, from a
//! run of the tool or from a file that somebody saved, gets the same answer.

pub mod basebackup;
pub mod dump;
pub mod fit;
pub mod generic;
pub mod mariadb_backup;
pub mod pgbackrest;
mod strict;
pub mod wal;

pub use strict::{DuplicateKey, one_key_once};

use crate::engine::Engine;
use crate::observed::site::{Binlog, Lsn, as_text};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A backup tool that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tool {
    /// pgBackRest.
    #[serde(rename = "pgbackrest")]
    PgBackRest,
    /// `pg_basebackup` with a folder that `archive_command` fills.
    #[serde(rename = "pg_basebackup")]
    PgBasebackup,
    /// mariadb-backup, with the server's binary logs.
    MariadbBackup,
    /// `pg_dump`: what came after it is lost.
    #[serde(rename = "pg_dump")]
    PgDump,
    /// `mariadb-dump` or `mysqldump`: what came after it is lost.
    MariadbDump,
    /// Any other; somebody says what it made.
    Generic,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 6] = [Tool::PgBackRest, Tool::PgBasebackup, Tool::MariadbBackup, Tool::PgDump, Tool::MariadbDump, Tool::Generic];

    /// The name on the command line and in an attestation.
    pub fn name(self) -> &'static str {
        match self {
            Tool::PgBackRest => "pgbackrest",
            Tool::PgBasebackup => "pg_basebackup",
            Tool::MariadbBackup => "mariadb-backup",
            Tool::PgDump => "pg_dump",
            Tool::MariadbDump => "mariadb-dump",
            Tool::Generic => "generic",
        }
    }

    /// The tool of that name.
    pub fn from_name(name: &str) -> Option<Tool> {
        Tool::ALL.into_iter().find(|tool| tool.name() == name)
    }

    /// Whether it backs up databases of `engine`.
    pub fn serves(self, engine: Engine) -> bool {
        match self {
            Tool::PgBackRest | Tool::PgBasebackup | Tool::PgDump => engine == Engine::Postgres,
            Tool::MariadbBackup => engine == Engine::Mariadb,
            Tool::MariadbDump => engine.is_mysql_like(),
            Tool::Generic => true,
        }
    }

    /// Whether its backup holds rows rather than files, so that no log leads on from it.
    pub fn is_logical(self) -> bool {
        matches!(self, Tool::PgDump | Tool::MariadbDump)
    }

    /// Whether its backup has its place in the server's log. A dump has none, and a snapshot in somebody's cloud none that one can see.
    pub fn has_positions(self) -> bool {
        !self.is_logical() && self != Tool::Generic
    }
}

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backup {
    /// Which tool made it.
    pub tool: Tool,
    /// The tool's version, as far as it says.
    pub tool_version: Option<String>,
    /// Where it is: a stanza, a folder, a file, a name in a catalogue.
    pub location: String,
    /// Which one of those there: pgBackRest's label, the backup's own number; equal to nothing else there.
    pub label: String,
    /// `full`, `diff`, `incr`, `logical`, in the tool's word.
    pub kind: String,
    /// The backups that it needs, by label, the oldest first; empty for a full one.
    pub chain: Vec<String>,
    /// Where it began.
    pub start: Mark,
    /// Where it ended: no earlier position can be restored from it.
    pub stop: Mark,
    /// The size of the database in it, in bytes, where the tool says.
    pub size: Option<u64>,
    /// When its retention drops it, where somebody says.
    pub expires: Option<DateTime<Utc>>,
}

/// A moment in the life of a server; what is not known is `None`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// When.
    pub at: DateTime<Utc>,
    /// PostgreSQL's timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<u32>,
    /// PostgreSQL's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lsn: Option<Lsn>,
    /// MySQL's and MariaDB's position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binlog: Option<Binlog>,
    /// The same as a set of transactions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtid: Option<String>,
}

impl Mark {
    /// A moment of which only the time is known.
    pub fn at(at: DateTime<Utc>) -> Mark {
        Mark { at, timeline: None, lsn: None, binlog: None, gtid: None }
    }
}

/// The archive of changes that leads from the backup's beginning to now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Where it is, where that is not the backup's own place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The first file that the backup needs.
    pub first: String,
    /// The last file without a gap before it.
    pub last: String,
    /// How it is known that none is missing between; `None` where nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_free: Option<String>,
    /// When somebody looked.
    pub observed: DateTime<Utc>,
}

/// How well something is known; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Somebody says so.
    Claimed,
    /// This program read what the tool itself says.
    Observed,
    /// Checksums, or the whole content, were read.
    Verified,
    /// It was restored.
    RestoreTested,
}

impl Level {
    /// The word in files.
    pub fn name(self) -> &'static str {
        match self {
            Level::Claimed => "claimed",
            Level::Observed => "observed",
            Level::Verified => "verified",
            Level::RestoreTested => "restore-tested",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What: `catalogue`, `archive`, `checksums`, `restore`.
    pub name: String,
    /// How well that is known by it.
    pub level: Level,
    /// What was seen, in words.
    pub result: String,
    /// When.
    pub at: DateTime<Utc>,
    /// The command whose output was read; `None` where a person says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// SHA-256 of that output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_sha256: Option<String>,
}

/// What the evidence itself says of the server; compared with the live one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Claims {
    /// PostgreSQL's number of the cluster.
    #[serde(skip_serializing_if = "Option::is_none", with = "optional_text")]
    pub system_identifier: Option<u64>,
    /// The database's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// The server's version, as far as the tool says: `15`, `10.11.19-MariaDB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_version: Option<String>,
    /// The folder with the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_directory: Option<String>,
}

/// All that a tool's output shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of which server it says that it is.
    pub claims: Claims,
    /// The backup.
    pub backup: Backup,
    /// What leads on from it; `None` for a logical one.
    pub log: Option<Log>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// One output of a tool.
#[derive(Clone, Debug)]
pub struct Part {
    /// Which: the name in the tool's list of parts.
    pub name: &'static str,
    /// The command, or the file that it was.
    pub source: String,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// When they were read.
    pub at: DateTime<Utc>,
}

impl Part {
    /// The check that these bytes are.
    pub fn check(&self, name: &str, level: Level, result: impl Into<String>) -> Check {
        use sha2::{Digest, Sha256};
        let output_sha256 = Some(hex::encode(Sha256::digest(&self.bytes)));
        Check { name: name.to_owned(), level, result: result.into(), at: self.at, command: Some(self.source.clone()), output_sha256 }
    }

    /// The bytes as text.
    ///
    /// # Errors
    /// [`Refused`], where they are none, or empty.
    pub fn text(&self) -> Result<&str, Refused> {
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if text.trim().is_empty() => Err(Refused::new(self.name, "is empty")),
            Ok(text) => Ok(text),
            Err(_) => Err(Refused::new(self.name, "is no text")),
        }
    }
}

/// The part of that name.
///
/// # Errors
/// [`Refused`], where it is missing or stands there twice.
pub fn part<'a>(parts: &'a [Part], name: &'static str) -> Result<&'a Part, Refused> {
    let mut of_that_name = parts.iter().filter(|part| part.name == name);
    match (of_that_name.next(), of_that_name.next()) {
        (Some(part), None) => Ok(part),
        (None, _) => Err(Refused::new(name, "is missing")),
        (Some(_), Some(_)) => Err(Refused::new(name, "was given twice")),
    }
}

/// Evidence that does not hold: which field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {what}")]
pub struct Refused {
    /// The field, as the tool or the attestation names it: `backup.lsn.stop`.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence: `is missing`.
    pub what: String,
}

impl Refused {
    /// `field` and what is wrong with it.
    pub fn new(field: impl Into<String>, what: impl Into<String>) -> Refused {
        Refused { field: field.into(), what: what.into() }
    }
}

/// [`as_text`] for what may be missing.
mod optional_text {
    use super::as_text;
    use serde::{Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(number: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => as_text::serialize(number, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        as_text::deserialize(from).map(Some)
    }
}
