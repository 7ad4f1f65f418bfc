//! Histories that other tools keep. In: a table's columns, its rows, migrations as they stand on disk. Out: which tool wrote it, what it
//! says has run, and whether the files are what ran. Nothing here writes to another tool's table, or knows how to.
//!
#![doc = include_str!("../../fixtures/topics/adopt.md")]
//!
//! Columns and checksums are those of the tools' own sources; `fixtures/adopt/README.md` says which of them were seen at work, in which
//! version.

pub mod checksum;
mod files;
mod rows;

pub use files::{Met, Unfit, met};
pub use rows::{HalfApplied, History, Ran, Row, history};

use crate::read::Layout;

/// A tool whose history can be taken over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// sqlx and its command line.
    Sqlx,
    /// golang-migrate.
    GolangMigrate,
    /// diesel and its command line.
    Diesel,
    /// dbmate.
    Dbmate,
    /// goose.
    Goose,
    /// refinery and its command line.
    Refinery,
    /// Flyway.
    Flyway,
    /// sql-migrate.
    SqlMigrate,
    /// Prisma Migrate.
    Prisma,
}

/// What a tool's history is known by, and what it says.
pub struct Facts {
    /// The tool that the facts are about.
    pub tool: Tool,
    /// How its files are laid out; the name of that is the tool's own.
    pub layout: Layout,
    /// The columns of its table, in the order in which [`history`] takes a row's cells.
    pub columns: &'static [&'static str],
    /// The one of these that holds bytes, which are read as hexadecimal.
    pub bytes: Option<&'static str>,
    /// The checksum that it keeps of each file.
    pub checksum: Option<&'static str>,
    /// What settles a migration that it left half-applied, once what stands of it was looked at; nothing where it keeps no such mark.
    pub mend: &'static str,
}

/// One entry a tool. Several share the name `schema_migrations`, and each lets its user choose another: no two have the same columns.
pub const TOOLS: [Facts; 9] = [
    Facts {
        tool: Tool::Sqlx,
        layout: Layout::Sqlx,
        columns: &["version", "description", "installed_on", "success", "checksum", "execution_time"],
        bytes: Some("checksum"),
        checksum: Some("SHA-384"),
        mend: "set `success` of its row to true where all of it stands, delete the row where nothing does",
    },
    Facts {
        tool: Tool::GolangMigrate,
        layout: Layout::GolangMigrate,
        columns: &["version", "dirty"],
        bytes: None,
        checksum: None,
        mend: "`migrate force VERSION` of golang-migrate sets the version that stands",
    },
    Facts { tool: Tool::Diesel, layout: Layout::Diesel, columns: &["version", "run_on"], bytes: None, checksum: None, mend: "" },
    Facts { tool: Tool::Dbmate, layout: Layout::Dbmate, columns: &["version"], bytes: None, checksum: None, mend: "" },
    Facts { tool: Tool::Goose, layout: Layout::Goose, columns: &["id", "version_id", "is_applied", "tstamp"], bytes: None, checksum: None, mend: "" },
    Facts {
        tool: Tool::Refinery,
        layout: Layout::Refinery,
        columns: &["version", "name", "applied_on", "checksum"],
        bytes: None,
        checksum: Some("SipHash"),
        mend: "",
    },
    Facts {
        tool: Tool::Flyway,
        layout: Layout::Flyway,
        columns: &["installed_rank", "version", "description", "type", "script", "checksum", "installed_by", "installed_on", "execution_time", "success"],
        bytes: None,
        checksum: Some("CRC-32"),
        mend: "`flyway repair` drops its row where nothing of it stands",
    },
    Facts { tool: Tool::SqlMigrate, layout: Layout::SqlMigrate, columns: &["id", "applied_at"], bytes: None, checksum: None, mend: "" },
    Facts {
        tool: Tool::Prisma,
        layout: Layout::Prisma,
        columns: &["id", "checksum", "finished_at", "migration_name", "logs", "rolled_back_at", "started_at", "applied_steps_count"],
        bytes: None,
        checksum: Some("SHA-256"),
        mend: "`prisma migrate resolve --applied NAME` or `--rolled-back NAME` says which it is",
    },
];

impl Tool {
    /// The facts of this tool.
    pub fn facts(self) -> &'static Facts {
        &TOOLS[self as usize]
    }

    /// The name in reports and for `--from`.
    pub fn name(self) -> &'static str {
        self.facts().layout.name()
    }

    /// The tool of that name.
    pub fn from_name(name: &str) -> Option<Tool> {
        TOOLS.iter().map(|facts| facts.tool).find(|tool| tool.name() == name)
    }

    /// The tool that writes a table of these columns, whatever its name; they come in any order, in lower case.
    pub fn of_columns(columns: &[&str]) -> Option<Tool> {
        let same = |facts: &&Facts| facts.columns.len() == columns.len() && facts.columns.iter().all(|column| columns.contains(column));
        TOOLS.iter().find(same).map(|facts| facts.tool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_stand_in_the_order_of_the_enum_and_no_two_share_their_columns() {
        for facts in &TOOLS {
            assert_eq!((facts.tool.facts().layout, Tool::from_name(facts.tool.name())), (facts.layout, Some(facts.tool)));
            let backward: Vec<&str> = facts.columns.iter().rev().copied().collect();
            assert_eq!(Tool::of_columns(&backward), Some(facts.tool));
        }
        assert_eq!(Tool::of_columns(&["version", "inserted_at"]), None, "Ecto's");
    }

    #[test]
    fn the_page_tells_columns_and_checksums_as_they_are() {
        let page = include_str!("../../fixtures/topics/adopt.md");
        for Facts { tool, columns, checksum, .. } in &TOOLS {
            let line = page.lines().find(|line| line.to_lowercase().starts_with(&format!("| {} |", tool.name()))).unwrap_or_else(|| panic!("{}", tool.name()));
            let shown = line.split('`').nth(1).unwrap().trim_end_matches(", …");
            assert!(columns.join(", ").starts_with(shown) && (line.contains('…') || columns.join(", ") == shown), "{line}");
            assert!(line.trim_end_matches(" |").rsplit(" | ").next().unwrap().starts_with(checksum.unwrap_or("–")), "{line}");
        }
    }
}
