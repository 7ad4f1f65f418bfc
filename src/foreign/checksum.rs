//! The checksums of other tools. In: a file's bytes, the checksum that a tool kept of it. Out: whether the file is what ran.

use super::Tool;
use crc::{CRC_32_ISO_HDLC, Crc};
use sha2::{Digest, Sha256, Sha384};
use siphasher::sip::SipHasher13;
use std::borrow::Cow;
use std::hash::{Hash, Hasher};

/// How a file stands to the checksum of what ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// It is what ran.
    Same,
    /// It is what ran but for its line ends, as another checkout writes them.
    LineEnds,
    /// It is another one.
    Other,
}

/// Compares the file `path`, which holds `bytes`, with the checksum that `tool` kept when it ran.
pub fn fit(tool: Tool, path: &str, bytes: &[u8], kept: &str) -> Fit {
    let holds = |bytes: &[u8]| matches(tool, path, bytes, kept);
    if holds(bytes) {
        return Fit::Same;
    }
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    if holds(text.as_bytes()) || holds(text.replace('\n', "\r\n").as_bytes()) { Fit::LineEnds } else { Fit::Other }
}

fn matches(tool: Tool, path: &str, bytes: &[u8], kept: &str) -> bool {
    match tool {
        Tool::Sqlx => kept.eq_ignore_ascii_case(&hex::encode(Sha384::digest(bytes))),
        Tool::Refinery => refinery(path, bytes).iter().any(|sum| *sum == kept),
        Tool::Flyway => flyway(&String::from_utf8_lossy(bytes)).to_string() == kept,
        // Old releases left out the zero before a digit.
        Tool::Prisma => {
            let digest = Sha256::digest(bytes);
            [hex::encode(digest), digest.iter().map(|byte| format!("{byte:x}")).collect()].iter().any(|sum| sum.eq_ignore_ascii_case(kept))
        }
        Tool::GolangMigrate | Tool::Diesel | Tool::Dbmate | Tool::Goose | Tool::SqlMigrate => false,
    }
}

/// SipHash 1-3 over name, version and text as Rust's `Hash` feeds them, in decimal: the version has four bytes, or eight where refinery was
/// built with `int8-versions`. None for a name that refinery would not take.
fn refinery(path: &str, bytes: &[u8]) -> Vec<String> {
    let named = path.rsplit('/').next().and_then(|file| file.split_once("__"));
    let (Some((version, rest)), Ok(text)) = (named, std::str::from_utf8(bytes)) else { return Vec::new() };
    let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or(rest);
    let version = version.get(1..).unwrap_or_default();
    let sum = |version: &dyn Fn(&mut SipHasher13)| {
        let mut hasher = SipHasher13::new();
        name.hash(&mut hasher);
        version(&mut hasher);
        text.hash(&mut hasher);
        hasher.finish().to_string()
    };
    let short = version.parse::<i32>().ok().map(|version| sum(&|hasher| version.hash(hasher)));
    let long = version.parse::<i64>().ok().map(|version| sum(&|hasher| version.hash(hasher)));
    short.into_iter().chain(long).collect()
}

/// CRC-32 over each line without its end, a byte-order mark left out, as a signed number: Java reads `\n`, `\r` and `\r\n` as line ends.
fn flyway(text: &str) -> i32 {
    let crc = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    let mut digest = crc.digest();
    let text: Cow<'_, str> = Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text));
    text.split(['\r', '\n']).for_each(|line| digest.update(line.as_bytes()));
    digest.finalize() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: &str = "CREATE TABLE a (id INTEGER);\nINSERT INTO a VALUES (1);\n";

    #[test]
    fn other_line_ends_are_the_same_file_and_another_word_is_not() {
        let (crlf, edited) = (UP.replace('\n', "\r\n"), UP.replace("(1)", "(2)"));
        let kept = hex::encode_upper(Sha384::digest(UP));
        let sqlx = |text: &str| fit(Tool::Sqlx, "1_a.sql", text.as_bytes(), &kept);
        assert_eq!([sqlx(UP), sqlx(&crlf), sqlx(&edited)], [Fit::Same, Fit::LineEnds, Fit::Other]);
        let kept = flyway(UP).to_string();
        let of = |text: &str| fit(Tool::Flyway, "V1__a.sql", text.as_bytes(), &kept);
        assert_eq!([of(UP), of(&crlf), of(&format!("\u{feff}{UP}")), of(&edited)], [Fit::Same, Fit::Same, Fit::Same, Fit::Other]);
    }
}
