//! A migration as it stands on disk. In: parts of files. Out: the nouns that every later stage speaks of.

use serde::Serialize;
use sha2::{Digest, Sha256};
use std::cmp::Ordering;

/// Which way a statement or a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Forward.
    Up,
    /// Back.
    Down,
}

impl Direction {
    /// `up` or `down`.
    pub fn name(self) -> &'static str {
        match self {
            Direction::Up => "up",
            Direction::Down => "down",
        }
    }
}

/// A migration's version: digits, or groups of digits parted by `.`, `_` or `-`, compared as numbers (`2 < 10`, `1.2 < 1.10`).
///
/// `1` and `1.0` are one version, as in Flyway; `1` and `1-0` are two, as in diesel, where both may stand side by side.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    key: Vec<u128>,
}

impl Version {
    /// Reads a version; `None` where `text` holds anything but digits and the separators `.`, `_`, `-`.
    pub fn new(text: &str) -> Option<Version> {
        // A group after `-` counts from 1, so that it is never the nothing that a zero after `.` is.
        let group = |at: usize, part: &str| part.parse::<u128>().ok()?.checked_add(u128::from(at > 0));
        let groups = text.split(['.', '_']).map(|run| run.split('-').enumerate().map(|(at, part)| group(at, part)));
        let key = groups.flatten().collect::<Option<Vec<u128>>>()?;
        Some(Version { text: text.to_owned(), key })
    }

    /// One spelling for versions that compare equal.
    pub fn canonical(&self) -> String {
        self.significant().iter().map(u128::to_string).collect::<Vec<_>>().join(".")
    }

    /// The numbers that count: 1 and 1.0 are one version, as in Flyway.
    fn significant(&self) -> &[u128] {
        let last = self.key.iter().rposition(|&n| n != 0).map_or(0, |at| at + 1);
        &self.key[..last]
    }

    /// The version as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.significant().cmp(other.significant())
    }
}
impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Version {}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.text)
    }
}

/// A stretch of a file that belongs to one direction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The text, with `\n` line ends as in the file or `\r\n` as they stood.
    pub text: String,
    /// The line of the file that the text starts on, from 1. A segment always starts at a line's beginning.
    pub first_line: u32,
}

/// All that one direction of a migration runs, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Script {
    /// The stretches; more than one where a layout lets sections repeat.
    pub segments: Vec<Segment>,
    /// The file says that this direction must not run inside a transaction.
    pub no_transaction: bool,
}

impl Script {
    /// A script of one stretch that starts on the file's first line.
    pub fn whole(text: impl Into<String>) -> Script {
        Script { segments: vec![Segment { text: text.into(), first_line: 1 }], no_transaction: false }
    }

    /// The whole text, stretches joined.
    pub fn text(&self) -> String {
        self.segments.iter().map(|s| s.text.as_str()).collect()
    }

    /// SHA-256 over the text with its line ends made `\n`, in lower-case hexadecimal: a checkout with other line ends is
    /// the same migration.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        for segment in &self.segments {
            for (at, part) in segment.text.split("\r\n").enumerate() {
                if at > 0 {
                    hash.update("\n");
                }
                hash.update(part);
            }
        }
        hex::encode(hash.finalize())
    }
}

/// `-- migrate: allow RULE "reason"`: the author's consent to merge what a rule forbids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// The rule's code or name as written (`drop-column`, `C02`, `no-down`).
    pub rule: String,
    /// Why it is all right.
    pub reason: String,
    /// The file's line, from 1.
    pub line: u32,
}

/// One migration: what to run forward, what to run back, and what its author declared.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its place in the order.
    pub version: Version,
    /// Its name without the version, as in the file's name.
    pub name: String,
    /// The file (or, for one file a direction, the UP file), relative to the migrations' folder, `/` between parts.
    pub path: String,
    /// The DOWN file where it is one of its own.
    pub down_path: Option<String>,
    /// What goes forward.
    pub up: Script,
    /// What goes back; `None` where the layout found no such part, which is not the same as an empty one.
    pub down: Option<Script>,
    /// The reason after `-- IRREVERSIBLE:`.
    pub irreversible: Option<String>,
    /// The `allow` directives of both parts.
    pub allows: Vec<Allow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        let v = |text| Version::new(text).unwrap();
        assert!(v("2") < v("10"));
        assert!(v("1.2") < v("1.10"));
        assert_eq!(v("1"), v("1.0"));
        assert!(v("2026-05-27-120000") < v("2026-05-27-120000-0000"));
        assert!(v("1") < v("1-0") && v("1-0") < v("1-1") && v("1-1") < v("2"));
        assert!(v("2024-01-16") < v("2024-02-01"));
        assert!(v("20240115") < v("20150100000001000000"));
        assert!(Version::new("1a").is_none() && Version::new("").is_none());
    }

    #[test]
    fn line_ends_do_not_change_the_checksum() {
        assert_eq!(Script::whole("a;\r\nb;\r\n").sha256(), Script::whole("a;\nb;\n").sha256());
        assert_ne!(Script::whole("a;\nb;\n").sha256(), Script::whole("a;\nb;").sha256());
    }
}
