//! sql-migrate. In: files with `-- +migrate Up [notransaction]`, `Down`, `StatementBegin`, `StatementEnd`, which may repeat.
//! Out: migrations.
//!
//! The tool's own identity is the file's whole name, its order the leading digits, else the name. Our version is the leading
//! digits; where one and the same word stands before them in all names, the digits after it; else the place in the order.

use super::ReadError;
use super::choose::Candidate;
use super::flat::{self, Naming, Split, candidate};
use super::names::{Fit, sql_stem};
use super::reader::Reader;
use super::sections::{self, Grammar, Mark, direction};
use crate::migration::{Migration, Version};

pub(super) const GRAMMAR: Grammar = Grammar { up: "-- +migrate Up", repeats: true, any_order: true, mark };

fn mark(body: &str) -> Option<Mark> {
    let rest = body.strip_prefix("+migrate")?;
    let mut words = rest.split_whitespace();
    let word = words.next().unwrap_or("");
    Some(match direction(word) {
        Some(direction) => Mark::Part(direction, words.any(|option| option.eq_ignore_ascii_case("notransaction"))),
        None if word.eq_ignore_ascii_case("StatementBegin") => Mark::Begin,
        None if word.eq_ignore_ascii_case("StatementEnd") => Mark::End,
        None => Mark::Unknown,
    })
}

/// A word that all names begin with, before their first digit.
fn common_word<'a>(stems: &[&'a str]) -> Option<&'a str> {
    let word = |stem: &'a str| stem.find(|c: char| c.is_ascii_digit()).map(|at| &stem[..at]);
    let first = word(stems.first()?)?;
    stems.iter().all(|stem| word(stem) == Some(first)).then_some(first)
}

/// Candidates in the tool's order, numbered by their place.
fn by_place(files: &[String], reader: &Reader) -> Vec<Candidate> {
    let digits = |file: &str| match flat::split(file, Naming::Glued) {
        Split::Version(version, _) => Some(version),
        Split::None | Split::NotNumber(_) => None,
    };
    let mut ordered: Vec<_> = files.iter().filter_map(|file| Some((digits(file), file, sql_stem(file)?))).collect();
    // Numbered names stand before the others: digits sort before letters in the tool as well.
    ordered.sort_by(|(a, a_file, _), (b, b_file, _)| a.is_none().cmp(&b.is_none()).then(a.cmp(b)).then(a_file.cmp(b_file)));
    let zero = || Version::new("0").expect("a digit is a version");
    let mut found: Vec<_> = ordered.into_iter().map(|(_, file, stem)| candidate(file, zero(), stem, reader.engine)).filter(|c| c.fit > Fit::Other).collect();
    for (place, candidate) in found.iter_mut().enumerate() {
        candidate.version = Version::new(&(place + 1).to_string()).expect("a number is a version");
    }
    found
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    let mut files = Vec::new();
    for file in reader.folder.files.clone().into_iter().filter(|file| sql_stem(file).is_some()) {
        if file.contains(|c: char| c.is_ascii_digit()) || reader.folder.peek(&file)?.contains("+migrate") {
            files.push(file);
        } else {
            reader.ignored(&file, "it has neither a version nor a marker");
        }
    }
    let stems: Vec<_> = files.iter().filter_map(|file| sql_stem(file)).collect();
    let cut = |path: &str, text: &str, engine| sections::cut(&GRAMMAR, path, text, engine);
    let Some(word) = common_word(&stems) else {
        let found = by_place(&files, reader);
        return flat::cut_all(reader, found, cut);
    };
    let mut found = Vec::with_capacity(files.len());
    for (file, stem) in files.iter().zip(&stems) {
        match flat::split(&stem[word.len()..], Naming::Glued) {
            Split::Version(version, after) => found.push(candidate(file, version, after, reader.engine)),
            Split::None | Split::NotNumber(_) => return Err(ReadError::VersionNotNumber { path: file.clone(), version: (*stem).to_owned() }),
        }
    }
    flat::cut_all(reader, found, cut)
}
