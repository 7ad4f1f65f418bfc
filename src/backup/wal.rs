//! PostgreSQL's archive of changes. In: the names of its files. Out: how far it goes on without a gap.
//!
//! A file's name is 24 hexadecimal digits: timeline, then the segment's number in two halves (PostgreSQL manual, "WAL Internals"). Neither
//! pgBackRest's `info` nor its `verify` sees a file that was deleted in the middle; consecutive names do.

use super::Refused;
use crate::observed::site::Lsn;
use std::collections::BTreeSet;

/// The usual size of a segment, in bytes.
pub const SEGMENT: u64 = 16 << 20;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The timeline that wrote it.
    pub timeline: u32,
    /// Its number, by the size of [`SEGMENT`].
    pub number: u64,
}

impl Segment {
    /// The segment of that name.
    pub fn from_name(name: &str) -> Option<Segment> {
        let digits = name.get(..24).filter(|_| name.len() == 24 && name.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)))?;
        let part = |at: usize| u32::from_str_radix(&digits[at..at + 8], 16).ok();
        let (timeline, high, low) = (part(0)?, part(8)?, part(16)?);
        (u64::from(low) < PER_FILE).then(|| Segment { timeline, number: u64::from(high) * PER_FILE + u64::from(low) })
    }

    /// The segment that holds `lsn`.
    pub fn holding(timeline: u32, lsn: Lsn) -> Segment {
        Segment { timeline, number: lsn.0 / SEGMENT }
    }

    /// Its file's name.
    pub fn name(self) -> String {
        format!("{:08X}{:08X}{:08X}", self.timeline, self.number / PER_FILE, self.number % PER_FILE)
    }
}

/// Whether what a tool adds to a segment's name leaves it one: a checksum, a compression. A backup's history file, a segment that was never
/// finished, and a copy on its way are none.
fn is_whole(rest: &str) -> bool {
    let (checksum, compression) = rest.split_once('.').map_or((rest, None), |(checksum, compression)| (checksum, Some(compression)));
    let hexadecimal = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    (checksum.is_empty() || checksum.strip_prefix('-').is_some_and(hexadecimal))
        && compression.is_none_or(|compression| ["gz", "zst", "lz4", "bz2", "xz", "lzo"].contains(&compression))
}

/// Segments that share the first half of the number.
const PER_FILE: u64 = (1 << 32) / SEGMENT;

/// The last of `names` that is reached from `first` without a gap, on the same timeline; a name may end in what a tool adds to it, after a `-` (a
/// checksum) or a `.` (a compression).
///
/// # Errors
/// [`Refused`], where `first` itself is not there, or a later one stands behind a gap.
pub fn consecutive<'a>(names: impl Iterator<Item = &'a str>, first: Segment) -> Result<Segment, Refused> {
    let of_name = |name: &'a str| {
        let plain = name.rsplit('/').next()?;
        let (name, rest) = plain.split_at_checked(24)?;
        Segment::from_name(name).filter(|_| is_whole(rest))
    };
    let numbers: BTreeSet<u64> = names.filter_map(of_name).filter(|segment| segment.timeline == first.timeline).map(|segment| segment.number).collect();
    let mut last = None;
    for (expected, number) in (first.number..).zip(numbers.range(first.number..)) {
        if *number != expected {
            let (missing, there) = (Segment { number: expected, ..first }, Segment { number: *number, ..first });
            return Err(Refused::new("archive", format!("has a gap: {} is missing, and {} is there", missing.name(), there.name())));
        }
        last = Some(Segment { number: *number, ..first });
    }
    last.ok_or_else(|| Refused::new("archive", format!("lacks {}, with which the backup begins", first.name())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers() {
        let first = Segment::from_name("0000000100000001000000FF").unwrap();
        assert_eq!((first.timeline, first.number), (1, 511));
        assert_eq!(Segment { number: 512, ..first }.name(), "000000010000000200000000");
        assert_eq!(Segment::holding(1, "0/31000050".parse().unwrap()).name(), "000000010000000000000031");
        for name in ["", "00000001000000010000010", "000000010000000100000100", "00000001.history", "0000000100000001000000fF", "0000000100000001000000FFF"] {
            assert_eq!(Segment::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn a_gap_is_found_wherever_it_is() {
        let first = Segment::from_name("0000000100000000000000FE").unwrap();
        let names = ["0000000100000000000000FE-abcd.gz", "x/0000000100000000000000FF.zst", "000000010000000100000000", "000000020000000100000005"];
        let of = |names: &[&str]| consecutive(names.iter().copied(), first).map(Segment::name).map_err(|refused| refused.what);
        assert_eq!(of(&names).unwrap(), "000000010000000100000000");
        assert_eq!(
            of(&[
                &names[..],
                &[
                    "0000000100000000000000FE.00000028.backup",
                    "000000010000000100000009.partial",
                    "000000010000000100000009.tmp",
                    "000000010000000100000009-aa.gz.tmp"
                ]
            ]
            .concat())
            .unwrap(),
            "000000010000000100000000"
        );
        assert!(of(&names[1..]).unwrap_err().contains("0000000100000000000000FE is missing"), "the first");
        assert!(of(&[names[0], names[2]]).unwrap_err().contains("0000000100000000000000FF is missing"), "in the middle");
        assert!(of(&[]).unwrap_err().contains("lacks"), "all");
    }
}
