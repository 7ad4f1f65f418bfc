//! Which layout a folder has. In: its names and, where names say too little, its files' comments. Out: a layout.
//!
//! Comments win over names: to read a file that holds both directions as if it all went forward would run both.

use super::flat::{self, Naming, Split};
use super::names::{Fit, names_an_engine, rest, split_digits, split_direction, sql_stem};
use super::reader::Reader;
use super::sections::{Grammar, Mark, mark_of};
use super::versioned;
use super::{Layout, ReadError, dbmate, goose, native, sqitch, sql_migrate};
use crate::lex;
use crate::migration::Version;

/// The layout of the reader's folder; `None` where nothing in it looks like a migration.
pub(super) fn find(reader: &mut Reader) -> Result<Option<Layout>, ReadError> {
    if reader.folder.files.iter().any(|file| file == sqitch::PLAN) {
        return Ok(Some(Layout::Sqitch));
    }
    if let Some(layout) = folders(reader) {
        return Ok(Some(layout));
    }
    let files = reader.folder.files.clone();
    let (pairs, singles): (Vec<&str>, Vec<&str>) = files
        .iter()
        .filter(|file| sql_stem(file).is_some())
        .map(String::as_str)
        .partition(|file| sql_stem(file).is_some_and(|stem| split_direction(stem).1.is_some()));
    let marked = marked(reader, &singles)?;
    if !pairs.is_empty() && (marked.is_none() || pairs.len() >= singles.len()) {
        return Ok(Some(pair_layout(&files, &pairs)));
    }
    if marked.is_some() {
        return Ok(marked);
    }
    let count = |test: &dyn Fn(&str) -> bool| singles.iter().filter(|file| test(file)).count();
    let versioned = count(&|file| versioned::parse(file).is_some());
    let native = count(&|file| {
        versioned::parse(file).is_none()
            && file.starts_with(['V', 'v'])
            && matches!(flat::split(sql_stem(file).unwrap_or(file), Naming::Native), Split::Version(..))
    });
    let digits = count(&|file| matches!(flat::split(file, Naming::Digits), Split::Version(..)));
    if versioned > 0 && versioned >= native.max(digits) {
        return forward_or_undo(reader).map(Some);
    }
    if native + digits > 0 {
        return Ok(Some(if native > digits { Layout::Native } else { Layout::Sqlx }));
    }
    let nested = reader.folder.nested()?;
    if nested.iter().any(|path| path.ends_with(".sql") && versioned::parse(path).is_some()) { forward_or_undo(reader).map(Some) } else { Ok(None) }
}

/// diesel and Prisma keep a folder a migration.
fn folders(reader: &Reader) -> Option<Layout> {
    reader.folder.folders.iter().find_map(|name| {
        let has = |file: &str| reader.folder.has(&format!("{name}/{file}"));
        match name.starts_with(|c: char| c.is_ascii_digit()) {
            true if has("up.sql") || has("down.sql") => Some(Layout::Diesel),
            true if has("migration.sql") => Some(Layout::Prisma),
            _ => None,
        }
    })
}

/// The layout of the first file that has a marker.
fn marked(reader: &mut Reader, files: &[&str]) -> Result<Option<Layout>, ReadError> {
    let engine = reader.engine;
    for file in files {
        let stem = sql_stem(file).unwrap_or(file);
        if rest(stem, engine).fit == Fit::Other {
            continue;
        }
        let text = reader.folder.peek(file)?;
        if !text.contains("--") && !text.contains('#') {
            continue;
        }
        let comments = lex::line_comments(text, engine);
        let begins = |grammar: &Grammar| comments.iter().any(|comment| matches!(mark_of(grammar, text, comment), Some(Mark::Part(..))));
        let digits = stem.starts_with(|c: char| c.is_ascii_digit());
        let has_version = matches!(flat::split(stem, Naming::Native), Split::Version(..));
        let layout = match () {
            () if begins(&goose::GRAMMAR) => Layout::Goose,
            () if begins(&sql_migrate::GRAMMAR) => Layout::SqlMigrate,
            () if digits && begins(&dbmate::GRAMMAR) => Layout::Dbmate,
            () if has_version && native::shows(text, &comments, engine) => Layout::Native,
            () => continue,
        };
        return Ok(Some(layout));
    }
    Ok(None)
}

/// sqlx, unless a name is none of sqlx's: it has no `_`, a version beyond 64 bits, an engine, or a pair that is no SQL.
fn pair_layout(files: &[String], pairs: &[&str]) -> Layout {
    let code = files.iter().any(|file| sql_stem(file).is_none() && file.rsplit_once('.').is_some_and(|(stem, _)| split_direction(stem).1.is_some()));
    let foreign = |file: &&str| {
        let stem = split_direction(sql_stem(file).unwrap_or(file)).0;
        let (digits, rest) = split_digits(stem, false);
        digits.parse::<i64>().is_err() || !rest.starts_with('_') || rest.split('.').skip(1).any(|part| part == "autocommit" || names_an_engine(part))
    };
    if code || pairs.iter().any(foreign) { Layout::GolangMigrate } else { Layout::Sqlx }
}

/// Flyway, unless the folder shows refinery: Rust files among the migrations. A `U` file means opposite things to the two, so
/// one without its `V` is nobody's guess.
fn forward_or_undo(reader: &Reader) -> Result<Layout, ReadError> {
    let files = reader.folder.nested()?;
    let named: Vec<_> = files.iter().filter_map(|path| Some((path, versioned::parse(path)?))).collect();
    if named.iter().any(|(path, _)| path.ends_with(".rs")) {
        return Ok(Layout::Refinery);
    }
    let versions = |kind| named.iter().filter(move |(_, name)| name.kind == kind).filter_map(|(path, name)| Some((*path, Version::new(name.version)?)));
    let forward: std::collections::BTreeSet<Version> = versions('V').map(|(_, version)| version).collect();
    match versions('U').find(|(_, version)| !forward.contains(version)) {
        Some((path, _)) => Err(ReadError::UndoOrForward { path: path.clone() }),
        None => Ok(Layout::Flyway),
    }
}
