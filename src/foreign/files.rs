//! A foreign history beside the files. In: what a tool says has run, what stands on disk. Out: the migrations that stand on the database,
//! or what does not fit.

use super::{History, Ran, Tool};
use crate::migration::{Migration, Version};
use crate::read::Loaded;
use std::collections::{HashMap, HashSet};

/// A foreign history as migrations.
#[derive(Debug)]
pub struct Met<'a> {
    /// What stands, in the order in which it was applied, with what the tool says of it where it names it.
    pub standing: Vec<(&'a Migration, Option<Ran>)>,
    /// What is no SQL, as the tool names it: it ran, and nobody here knows what it changed.
    pub code: Vec<String>,
    /// What has not run although a later one has.
    pub out_of_order: Vec<&'a Migration>,
    /// What has not run and comes after all that has.
    pub pending: Vec<&'a Migration>,
}

/// What the tool says has run and no file has.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} says that {} ran, and no file has {}; nothing was recorded", tool.name(), keys.join(", "), if keys.len() == 1 { "that version" } else { "these versions" })]
pub struct Unfit {
    /// The tool.
    pub tool: Tool,
    /// Versions, or names of files or folders, as the tool has them.
    pub keys: Vec<String>,
}

/// Lays the history of `tool` beside the files.
///
/// # Errors
/// [`Unfit`], with all that has no file.
pub fn met<'a>(tool: Tool, history: &History, loaded: &'a Loaded) -> Result<Met<'a>, Unfit> {
    let up_to = history.up_to.as_deref().and_then(Version::new);
    let mut left: HashMap<String, &Migration> = loaded.migrations.iter().map(|file| (of_file(tool, file), file)).collect();
    let in_code: HashSet<String> = loaded.notes.iter().filter(|note| note.code == "code").filter_map(|note| number(note.path.as_deref()?)).collect();
    let (mut met, mut missing) = (Met { standing: Vec::new(), code: Vec::new(), out_of_order: Vec::new(), pending: Vec::new() }, Vec::new());
    let named: HashSet<String> = history.ran.iter().map(|ran| of_row(tool, &ran.key)).collect();
    // What is only covered ran before all that is named.
    for file in &loaded.migrations {
        let key = of_file(tool, file);
        if up_to.as_ref().is_some_and(|up_to| file.version <= *up_to) && !named.contains(&key) {
            left.remove(&key);
            met.standing.push((file, None));
        }
    }
    for ran in &history.ran {
        let key = of_row(tool, &ran.key);
        match left.remove(&key) {
            Some(file) => met.standing.push((file, Some(ran.clone()))),
            None if ran.code || in_code.contains(&key) => met.code.push(ran.key.clone()),
            None => missing.push(ran.key.clone()),
        }
    }
    if !missing.is_empty() {
        return Err(Unfit { tool, keys: missing });
    }
    let newest = met.standing.iter().map(|(file, _)| &file.version).max().cloned();
    let mut others: Vec<&Migration> = left.into_values().collect();
    others.sort_by(|a, b| a.version.cmp(&b.version));
    let is_late = |file: &&Migration| newest.as_ref().is_some_and(|newest| file.version < *newest);
    (met.out_of_order, met.pending) = others.into_iter().partition(is_late);
    Ok(met)
}

/// What the tool knows a file by.
fn of_file(tool: Tool, file: &Migration) -> String {
    match tool {
        Tool::SqlMigrate => file.path.clone(),
        Tool::Prisma => file.path.split('/').next().unwrap_or_default().to_owned(),
        // Its versions are stamps without their dashes, compared as text.
        Tool::Diesel => file.version.as_str().replace('-', ""),
        _ => file.version.canonical(),
    }
}

/// The same of a row.
fn of_row(tool: Tool, key: &str) -> String {
    match tool {
        Tool::SqlMigrate | Tool::Prisma | Tool::Diesel => key.to_owned(),
        _ => Version::new(key).map_or_else(|| key.to_owned(), |version| version.canonical()),
    }
}

/// The version in the name of a migration that is no SQL: `00002_fill.go`, `V2__fill.rs`.
fn number(path: &str) -> Option<String> {
    let file = path.rsplit('/').next()?.trim_start_matches(['V', 'U']);
    let digits = file.split(|c: char| !c.is_ascii_digit()).next()?;
    Version::new(digits).map(|version| version.canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::read::{self, Layout};

    fn loaded(layout: Layout, files: &[&str]) -> Loaded {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "-- +goose Up\n-- +migrate Up\nSELECT 1;\n").unwrap();
        }
        read::load(folder.path(), Some(layout), Engine::Sqlite).unwrap()
    }

    fn history(keys: &[&str], up_to: Option<&str>) -> History {
        let ran = keys.iter().map(|key| Ran { key: (*key).to_owned(), ..Ran::default() }).collect();
        History { ran, up_to: up_to.map(str::to_owned), repeatable: 0 }
    }

    #[test]
    fn each_tool_finds_its_files_by_its_own_name_for_them() {
        /// A tool, files, what its rows name, up to where all counts; versions that stand, that are late, that are pending.
        type Case = (Tool, &'static [&'static str], &'static [&'static str], Option<&'static str>, [&'static str; 3]);
        #[rustfmt::skip]
        let cases: [Case; 7] = [
            (Tool::Sqlx,          &["0001_a.sql", "2_b.sql", "3_c.sql", "4_d.sql"],                                   &["1", "3"],   None,      ["0001 3", "2", "4"]),
            (Tool::GolangMigrate, &["1_a.up.sql", "2_b.up.sql", "3_c.up.sql"],                                        &["2"],        Some("2"), ["1 2", "", "3"]),
            (Tool::Flyway,        &["V1__a.sql", "V1_2__b.sql", "V2__c.sql", "V1.3__d.sql"],                          &["2", "1.3"], Some("1.2"), ["1 1_2 2 1.3", "", ""]),
            (Tool::Diesel,        &["2024-01-01-000000_a/up.sql", "2025-01-01-000000-0000_b/up.sql"],                 &["202501010000000000"], None, ["20250101000000-0000", "20240101000000", ""]),
            (Tool::SqlMigrate,    &["1-a.sql", "2-b.sql"],                                                            &["1-a.sql"],  None,      ["1", "", "2"]),
            (Tool::Prisma,        &["20240101000000_a/migration.sql", "20240102000000_b/migration.sql"],              &["20240101000000_a"], None, ["20240101000000", "", "20240102000000"]),
            (Tool::Goose,         &["00001_a.sql", "00002_b.go", "00003_c.sql"],                                      &["1", "2", "3"], None,   ["00001 00003", "", ""]),
        ];
        for (tool, files, keys, up_to, expected) in cases {
            let loaded = loaded(tool.facts().layout, files);
            let met = met(tool, &history(keys, up_to), &loaded).unwrap();
            let versions = |files: Vec<&Migration>| files.iter().map(|file| file.version.as_str()).collect::<Vec<_>>().join(" ");
            let standing = met.standing.iter().map(|(file, _)| *file).collect();
            assert_eq!([versions(standing), versions(met.out_of_order), versions(met.pending)], expected, "{tool:?}");
            assert_eq!(met.code, if tool == Tool::Goose { vec!["2"] } else { vec![] }, "{tool:?}");
        }
    }

    #[test]
    fn what_has_no_file_is_named() {
        let loaded = loaded(Layout::Sqlx, &["1_a.sql"]);
        let unfit = met(Tool::Sqlx, &history(&["1", "2", "3"], None), &loaded).unwrap_err();
        assert_eq!(unfit.to_string(), "sqlx says that 2, 3 ran, and no file has these versions; nothing was recorded");
    }
}
