//! Which server and database this is, and where it stands. In: what `run` asked of a live server, or what a signed file says. Out: values that
//! can be compared with one another.
//!
//! A cluster's own number is not enough: a replica, a restored copy and a staging database made from a backup all bear it. So a [`Site`] also
//! holds the address, the database's name, the folder with the data and the position in the log.

use crate::engine::Engine;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// One database on one server at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// What the server says it is.
    pub engine: Engine,
    /// The server's version, in its own words.
    pub version: String,
    /// The database's name; of a SQLite file, empty.
    pub database: String,
    /// How it is reached: `host:port`, or a socket's path; of a SQLite file, empty.
    pub address: String,
    /// The database's own clock.
    pub clock: DateTime<Utc>,
    /// What tells the server from others, and its position.
    pub server: Server,
}

/// What tells a server from others, and how far its log has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Server {
    /// PostgreSQL.
    Postgres {
        /// `system_identifier` of `pg_control_system()`; copies of a cluster share it. Text in JSON, for JavaScript and jq 1.6 round it.
        #[serde(with = "as_text")]
        system_identifier: u64,
        /// The folder with the data, where this user may read the setting.
        data_directory: Option<String>,
        /// The timeline that is written now.
        timeline: u32,
        /// `pg_current_wal_insert_lsn()`: `pg_current_wal_lsn()` lags behind what is inserted.
        lsn: Lsn,
    },
    /// MySQL and MariaDB.
    Mysql {
        /// MySQL's `server_uuid`. MariaDB has none: its `server_uid` is that of host and port, the same for every folder of data.
        uuid: Option<String>,
        /// `server_id`.
        server_id: u64,
        /// The server's own name for its computer.
        hostname: String,
        /// Its port.
        port: u32,
        /// The folder with the data.
        datadir: String,
        /// Where the binary log ends; `None` where it is off, or this user may not ask.
        binlog: Option<Binlog>,
        /// MariaDB: `gtid_binlog_pos`; MySQL: `gtid_executed`; `None` where it is empty.
        gtid: Option<String>,
    },
    /// SQLite: no server, a file.
    Sqlite {
        /// The file's path without links and dots.
        path: String,
        /// The file system's number.
        device: u64,
        /// The file's number in it.
        inode: u64,
    },
}

/// A position in PostgreSQL's log of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// Text that is no position: it must be two hexadecimal numbers with a slash between, as `1/2A000028`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the log, such as 1/2A000028")]
pub struct NoLsn;

impl FromStr for Lsn {
    type Err = NoLsn;

    fn from_str(text: &str) -> Result<Lsn, NoLsn> {
        let half = |digits: &str| if digits.starts_with('+') { None } else { u32::from_str_radix(digits, 16).ok() };
        let (high, low) = text.split_once('/').ok_or(NoLsn)?;
        Ok(Lsn(u64::from(half(high).ok_or(NoLsn)?) << 32 | u64::from(half(low).ok_or(NoLsn)?)))
    }
}

impl Serialize for Lsn {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lsn {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Lsn, D::Error> {
        String::deserialize(from)?.parse().map_err(de::Error::custom)
    }
}

/// A position in a binary log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Binlog {
    /// The log's file, without its folder: `bin.000042`.
    pub file: String,
    /// Bytes from the file's beginning.
    pub position: u64,
}

impl Binlog {
    /// The file's name without its number, and the number: `bin` and 42.
    pub fn numbered(&self) -> Option<(&str, u64)> {
        numbered(&self.file)
    }

    /// Whether this position is the other one, or comes before it, in the same series of files.
    pub fn is_no_later_than(&self, other: &Binlog) -> bool {
        match (self.numbered(), other.numbered()) {
            (Some((series, file)), Some((other_series, other_file))) => series == other_series && (file, self.position) <= (other_file, other.position),
            _ => false,
        }
    }
}

impl fmt::Display for Binlog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.position)
    }
}

/// A binary log's name without its number, and the number.
pub fn numbered(file: &str) -> Option<(&str, u64)> {
    let (series, number) = file.rsplit_once('.')?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten().map(|number| (series, number))
}

/// Whether MariaDB's position `live` (`domain-server-number`, parted by commas) has come to `earlier` in each of its domains.
pub fn gtid_includes(live: &str, earlier: &str) -> bool {
    fn parse(one: &str) -> Option<(u64, u64)> {
        let (domain, rest) = one.trim().split_once('-')?;
        Some((domain.parse().ok()?, rest.split_once('-')?.1.parse().ok()?))
    }
    let live: Vec<(u64, u64)> = live.split(',').filter_map(parse).collect();
    earlier.split(',').all(|one| parse(one).is_some_and(|(domain, number)| live.iter().any(|(of, reached)| *of == domain && *reached >= number)))
}

/// A number as text, which no reader of JSON rounds.
pub(crate) mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(number: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = String::deserialize(from)?;
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().ok_or_else(|| de::Error::custom("not a number written as text"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_and_written_alike() {
        for text in ["0/0", "1/2A000028", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Lsn>().unwrap().to_string(), text);
        }
        for text in ["", "1", "1/", "/1", "1/2/3", "+1/2", "g/1", "1/123456789"] {
            assert!(text.parse::<Lsn>().is_err(), "{text}");
        }
        assert!("1/0".parse::<Lsn>().unwrap() > "0/FFFFFFFF".parse().unwrap());
    }

    #[test]
    fn a_position_of_transactions_includes_an_earlier_one_in_each_domain() {
        for (live, earlier, includes) in [
            ("0-1-7", "0-1-7", true),
            ("0-2-10", "0-1-9", true),
            ("0-1-7", "0-1-8", false),
            ("0-1-7,1-1-3", "1-1-3", true),
            ("0-1-7", "0-1-3,1-1-1", false),
            ("", "0-1-1", false),
            ("0-1-7", "nonsense", false),
        ] {
            assert_eq!(gtid_includes(live, earlier), includes, "{live} {earlier}");
        }
    }

    #[test]
    fn binary_logs_compare_by_number_within_a_series() {
        let at = |file: &str, position| Binlog { file: file.into(), position };
        assert!(at("bin.000009", 900).is_no_later_than(&at("bin.000010", 4)));
        assert!(at("bin.000009", 4).is_no_later_than(&at("bin.000009", 4)));
        assert!(!at("bin.000010", 4).is_no_later_than(&at("bin.000009", 900)));
        assert!(!at("other.000001", 4).is_no_later_than(&at("bin.000009", 900)));
        assert!(!at("bin", 4).is_no_later_than(&at("bin.000009", 900)));
    }
}
