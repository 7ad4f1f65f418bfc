//! What a foreign history says has run. In: its rows. Out: versions in the order in which the tool applied them, or the one that it left
//! half-applied.

use super::Tool;

/// One row: a cell for each of the tool's columns, as text.
pub type Row = Vec<Option<String>>;

/// What a tool says has run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct History {
    /// What it names, in the order in which it was applied.
    pub ran: Vec<Ran>,
    /// Everything up to this version counts as well: golang-migrate keeps the newest one only, and Flyway's baseline names no others.
    pub up_to: Option<String>,
    /// Rows of scripts that have no place in an order of versions: Flyway's repeatable ones.
    pub repeatable: usize,
}

/// A migration that a tool says has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// What the tool knows it by: a version, or a file's or a folder's name.
    pub key: String,
    /// When, in the tool's own writing.
    pub at: Option<String>,
    /// The checksum that it kept.
    pub checksum: Option<String>,
    /// The tool says that it was no SQL.
    pub code: bool,
}

/// A migration that the tool began and did not end.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} left {key} half-applied ({mark}), so nobody knows what of it stands; nothing was recorded", tool.name())]
pub struct HalfApplied {
    /// The tool.
    pub tool: Tool,
    /// The migration, as the tool names it.
    pub key: String,
    /// What its row says.
    pub mark: &'static str,
}

/// Reads a tool's rows; they come in any order.
///
/// # Errors
/// [`HalfApplied`] for the first migration that the tool itself would not go on from.
pub fn history(tool: Tool, rows: Vec<Row>) -> Result<History, HalfApplied> {
    let half = |key: &str, mark| Err(HalfApplied { tool, key: key.to_owned(), mark });
    let mut rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.into_iter().map(Option::unwrap_or_default).collect()).collect();
    // Where a tool keeps no time, or two are equal, it ran in the order of versions.
    rows.sort_by_cached_key(|row| order(tool, row));
    let mut history = History::default();
    for row in &rows {
        match (tool, row.as_slice()) {
            (Tool::Sqlx, [version, _, at, success, checksum, _]) => {
                if !is_true(success) {
                    return half(version, "success is false");
                }
                history.ran.push(ran(version, at, checksum));
            }
            (Tool::GolangMigrate, [version, dirty]) => {
                if is_true(dirty) {
                    return half(version, "dirty is true");
                }
                history.ran.push(ran(version, "", ""));
                history.up_to = Some(version.clone());
            }
            (Tool::Diesel, [version, at]) => history.ran.push(ran(version, at, "")),
            (Tool::Dbmate, [version]) => history.ran.push(ran(version, "", "")),
            // Its first row says that the table was made.
            (Tool::Goose, [_, version, ..]) if version == "0" => {}
            (Tool::Goose, [_, version, applied, at]) => {
                history.ran.retain(|older| older.key != *version);
                if is_true(applied) {
                    history.ran.push(ran(version, at, ""));
                }
            }
            (Tool::Refinery, [version, _, at, checksum]) => history.ran.push(ran(version, at, checksum)),
            (Tool::Flyway, [_, version, _, kind, script, checksum, _, at, _, success]) => {
                if !is_true(success) {
                    return half(if version.is_empty() { script } else { version }, "success is false");
                }
                match kind.as_str() {
                    "SCHEMA" => {}
                    // A baseline may be a script that ran (`SQL_BASELINE`).
                    baseline if baseline.ends_with("BASELINE") => history.up_to = Some(version.clone()),
                    _ if version.is_empty() => history.repeatable += 1,
                    undone if undone.starts_with("UNDO") || undone == "DELETE" => history.ran.retain(|older| older.key != *version),
                    kind => history.ran.push(Ran { code: kind != "SQL", ..ran(version, at, checksum) }),
                }
            }
            (Tool::SqlMigrate, [file, at]) => history.ran.push(ran(file, at, "")),
            (Tool::Prisma, [_, checksum, finished, folder, _, rolled_back, ..]) => match (finished.is_empty(), rolled_back.is_empty()) {
                (_, false) => {}
                (true, true) => return half(folder, "finished_at and rolled_back_at are NULL"),
                (false, true) => history.ran.push(ran(folder, finished, checksum)),
            },
            // A row has as many cells as the tool has columns.
            _ => {}
        }
    }
    Ok(history)
}

fn ran(key: &str, at: &str, checksum: &str) -> Ran {
    let some = |text: &str| Some(text).filter(|text| !text.is_empty()).map(str::to_owned);
    Ran { key: key.to_owned(), at: some(at), checksum: some(checksum), code: false }
}

/// What puts a row in its place: the tool's own count, else its time, then its version, which are numbers of one length or not.
fn order(tool: Tool, row: &[String]) -> (u64, String, u128, String) {
    let cell = |at: usize| row.get(at).cloned().unwrap_or_default();
    let (count, time, key) = match tool {
        Tool::Sqlx | Tool::Refinery => (String::new(), cell(2), cell(0)),
        Tool::Diesel | Tool::SqlMigrate => (String::new(), cell(1), cell(0)),
        Tool::GolangMigrate | Tool::Dbmate => (String::new(), String::new(), cell(0)),
        Tool::Goose | Tool::Flyway => (cell(0), String::new(), String::new()),
        Tool::Prisma => (String::new(), cell(6), cell(3)),
    };
    (count.parse().unwrap_or(0), time, key.parse().unwrap_or(0), key)
}

/// A truth value as one of the databases writes it.
fn is_true(text: &str) -> bool {
    ["1", "t", "true"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as words, `-` for NULL.
    fn told(tool: Tool, rows: &[&str]) -> Result<(String, Option<String>), String> {
        let row = |row: &&str| row.split(' ').map(|cell| Some(cell).filter(|cell| *cell != "-").map(str::to_owned)).collect::<Row>();
        let rows: Vec<Row> = rows.iter().map(row).collect();
        assert!(rows.iter().all(|row| row.len() == tool.facts().columns.len()), "{rows:?}");
        let keys = |history: History| (history.ran.iter().map(|ran| ran.key.as_str()).collect::<Vec<_>>().join(" "), history.up_to);
        history(tool, rows).map(keys).map_err(|half| half.key)
    }

    #[test]
    fn what_ran_comes_in_the_order_in_which_it_was_applied() {
        #[rustfmt::skip]
        let cases: [(Tool, &[&str], &str); 8] = [
            (Tool::Sqlx,       &["10 b 2024-01-01 1 aa 5", "9 a 2024-01-01 true bb 5", "2 c 2024-01-02 1 cc 5"], "9 10 2"),
            (Tool::Diesel,     &["00000000000000 2024-01-02", "20240101000000 2024-01-01"],                      "20240101000000 00000000000000"),
            (Tool::Dbmate,     &["10", "9"],                                                                     "9 10"),
            (Tool::Goose,      &["3 2 1 t", "1 0 1 t", "2 5 1 t", "4 5 0 t", "5 7 0 t", "6 7 1 t"],              "2 7"),
            (Tool::Refinery,   &["2 b 2024-01-01T00:00:01Z 9", "3 a 2024-01-01T00:00:00Z 9"],                    "3 2"),
            (Tool::SqlMigrate, &["2-b.sql 2024-01-01", "1-a.sql 2024-01-01"],                                    "1-a.sql 2-b.sql"),
            (Tool::Prisma,     &["x aa 5 1_a - - 4 1", "y aa - 2_b - 7 6 0", "z aa 9 2_b - - 8 1"],              "1_a 2_b"),
            (Tool::Flyway,     &["2 2 b SQL f -7 u t 1 1", "1 1 a SQL f 7 u t 1 1", "3 2 b UNDO_SQL f 7 u t 1 1", "4 - r SQL f 7 u t 1 1", "5 3 c DELETE f - u t 1 1"], "1"),
        ];
        for (tool, rows, keys) in cases {
            assert_eq!(told(tool, rows), Ok((keys.to_owned(), None)), "{tool:?}");
        }
        let up_to = |keys: &str, version: &str| Ok((keys.to_owned(), Some(version.to_owned())));
        assert_eq!(told(Tool::GolangMigrate, &["5 0"]), up_to("5", "5"));
        assert_eq!(told(Tool::Flyway, &["1 3 base BASELINE f - u t 1 1", "2 4 a SQL f 7 u t 1 1"]), up_to("4", "3"));
    }

    #[test]
    fn what_a_tool_left_half_applied_stops_the_reading() {
        #[rustfmt::skip]
        let cases: [(Tool, &[&str], &str); 4] = [
            (Tool::Sqlx,          &["1 a t 1 aa 5", "2 b t 0 aa -1"],                    "2"),
            (Tool::GolangMigrate, &["4 true"],                                           "4"),
            (Tool::Flyway,        &["1 1 a SQL f 7 u t 1 1", "2 2 b SQL f 7 u t 1 0"],   "2"),
            (Tool::Prisma,        &["x aa - 1_a - - 4 0"],                               "1_a"),
        ];
        for (tool, rows, key) in cases {
            assert_eq!(told(tool, rows), Err(key.to_owned()), "{tool:?}");
            assert_ne!(tool.facts().mend, "", "{tool:?}");
        }
    }
}
