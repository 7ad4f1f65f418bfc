//! File names to their parts. In: `20210410_network.sqlite3.up.sql`. Out: version, name, direction, and whether the file is
//! for the engine at hand.

use super::folder::Folder;
use super::prisma;
use crate::engine::{Engine, FOREIGN_WORDS};
use crate::migration::Direction;
use std::path::Path;

/// Whom a file is for; of two files for one version and direction the greater is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// A migration written in another language, which is not read.
    Code,
    /// For other engines.
    Other,
    /// For all engines.
    General,
    /// For MySQL, where MariaDB is at hand.
    Near,
    /// For the engine at hand.
    Exact,
}

/// Whom a file with these words between its dots, or as its folders, is for. Words that name no engine say nothing.
pub(super) fn fit<'a>(words: impl Iterator<Item = &'a str>, engine: Engine) -> Fit {
    let mut best = None;
    for word in words {
        let fit = match Engine::from_word(word) {
            Some(named) if named == engine => Fit::Exact,
            Some(Engine::Mysql) if engine == Engine::Mariadb => Fit::Near,
            Some(_) => Fit::Other,
            None if FOREIGN_WORDS.contains(&word.to_ascii_lowercase().as_str()) => Fit::Other,
            None => continue,
        };
        best = best.max(Some(fit));
    }
    best.unwrap_or(Fit::General)
}

/// `name` without `suffix` in any case.
fn without<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let (head, tail) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
    tail.eq_ignore_ascii_case(suffix).then_some(head)
}

/// The name without `.sql`; `None` for other files.
pub(super) fn sql_stem(file: &str) -> Option<&str> {
    without(file, ".sql")
}

/// The stem without `.up` or `.down`, and which it was.
pub(super) fn split_direction(stem: &str) -> (&str, Option<Direction>) {
    if let Some(stem) = without(stem, ".up") {
        (stem, Some(Direction::Up))
    } else if let Some(stem) = without(stem, ".down") {
        (stem, Some(Direction::Down))
    } else {
        (stem, None)
    }
}

/// Splits leading digits off; with `dotted`, also `.digits` after them.
pub(super) fn split_digits(stem: &str, dotted: bool) -> (&str, &str) {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(stem);
    while dotted && end > 0 && stem.as_bytes().get(end) == Some(&b'.') {
        match digits(&stem[end + 1..]) {
            0 => break,
            // `1.2nd_try`: the 2 belongs to a word.
            n if stem.as_bytes().get(end + 1 + n).is_some_and(u8::is_ascii_alphanumeric) => break,
            n => end += 1 + n,
        }
    }
    stem.split_at(end)
}

/// What follows the version in a name.
pub(super) struct Rest {
    pub(super) name: String,
    pub(super) fit: Fit,
    /// A part `.autocommit`: the file does not run inside a transaction.
    pub(super) autocommit: bool,
}

/// Takes engines and `autocommit` out of the dotted parts of what follows the version.
pub(super) fn rest(text: &str, engine: Engine) -> Rest {
    let (first, others) = text.split_once('.').unwrap_or((text, ""));
    let mut rest = Rest { name: first.trim_start_matches(['_', '-']).to_owned(), fit: fit(others.split('.'), engine), autocommit: false };
    for part in others.split('.').filter(|part| !part.is_empty()) {
        if part == "autocommit" {
            rest.autocommit = true;
        } else if !names_an_engine(part) {
            rest.name = format!("{}.{part}", rest.name).trim_start_matches('.').to_owned();
        }
    }
    rest
}

/// Whether a word between dots names one of our engines or another database.
pub(super) fn names_an_engine(word: &str) -> bool {
    Engine::from_word(word).is_some() || FOREIGN_WORDS.contains(&word.to_ascii_lowercase().as_str())
}

/// The engines that a folder speaks of: in Prisma's lock file, else in its own name, else in its parent's, else between the dots of its
/// files' names.
pub fn engines_in_names(dir: &Path) -> Vec<Engine> {
    if let Some(engine) = prisma::provider(dir) {
        return vec![engine];
    }
    let whole = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    for folder in [Some(whole.as_path()), whole.parent()].into_iter().flatten() {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let found = ordered(name.split(|c: char| !c.is_ascii_alphanumeric()));
        if !found.is_empty() {
            return found;
        }
    }
    let files = Folder::open(dir).map(|folder| folder.files).unwrap_or_default();
    ordered(files.iter().filter_map(|file| sql_stem(file)).flat_map(|stem| stem.split('.').skip(1)))
}

fn ordered<'a>(words: impl Iterator<Item = &'a str>) -> Vec<Engine> {
    let named: std::collections::HashSet<_> = words.filter_map(Engine::from_word).collect();
    Engine::ALL.into_iter().filter(|engine| named.contains(engine)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_dots_choose_the_engine() {
        let of = |words: &str, engine| fit(words.split('.'), engine);
        assert_eq!(of("mysql", Engine::Mysql), Fit::Exact);
        assert_eq!(of("mysql", Engine::Mariadb), Fit::Near);
        assert_eq!(of("mariadb", Engine::Mysql), Fit::Other);
        assert_eq!(of("CockroachDB", Engine::Postgres), Fit::Other);
        assert_eq!(of("sqlite3.autocommit", Engine::Sqlite), Fit::Exact);
        assert_eq!(of("v2", Engine::Sqlite), Fit::General);
    }

    #[test]
    fn a_name_keeps_what_is_no_engine() {
        let rest = rest("_change-default.sql.pg.autocommit", Engine::Postgres);
        assert_eq!((rest.name.as_str(), rest.fit, rest.autocommit), ("change-default.sql", Fit::Exact, true));
    }

    #[test]
    fn digits_end_where_a_word_begins() {
        assert_eq!(split_digits("1.2.3__x", true), ("1.2.3", "__x"));
        assert_eq!(split_digits("1.2nd_x", true), ("1", ".2nd_x"));
        assert_eq!(split_digits("1.2_x", false), ("1", ".2_x"));
        assert_eq!(split_digits("x1", true), ("", "x1"));
    }
}
