//! Files on disk to migrations. In: a folder, perhaps its layout, and the engine. Out: its migrations in order, and notes
//! on what was left out and why. This is the only part of the library that reads files of migrations.

mod choose;
mod dbmate;
mod diesel;
mod directive;
pub mod down;
mod error;
mod flat;
mod flyway;
mod folder;
mod golang_migrate;
mod goose;
mod names;
mod native;
mod pairs;
mod parts;
mod prisma;
mod reader;
mod refinery;
mod sections;
mod shape;
mod sqitch;
mod sql_migrate;
mod sqlx;
mod versioned;

pub use error::ReadError;
pub use names::engines_in_names;

use crate::engine::Engine;
use crate::migration::Migration;
use reader::Reader;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a project keeps its migrations on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// One file a migration, `V20240116_Add_Column.sql`, with `-- UP` and `-- DOWN`.
    Native,
    /// `N_name.up.sql` and `N_name.down.sql`, or `N_name.sql`.
    Sqlx,
    /// `N_name.up.sql` and `N_name.down.sql`, perhaps with an engine in the name.
    GolangMigrate,
    /// `STAMP_name/up.sql`, `down.sql`, `metadata.toml`.
    Diesel,
    /// `N_name.sql` with `-- migrate:up` and `-- migrate:down`.
    Dbmate,
    /// `N_name.sql` with `-- +goose Up` and `-- +goose Down`.
    Goose,
    /// Files with `-- +migrate Up` and `-- +migrate Down`.
    SqlMigrate,
    /// `V1__name.sql`; `U1__name.sql` goes forward too.
    Refinery,
    /// `V1.2__name.sql`, undone by `U1.2__name.sql`.
    Flyway,
    /// `sqitch.plan` with `deploy/` and `revert/`.
    Sqitch,
    /// `STAMP_name/migration.sql`, forward only.
    Prisma,
}

impl Layout {
    /// All layouts with their names for `--layout` and reports.
    #[rustfmt::skip]
    pub const ALL: [(Layout, &'static str); 11] = [
        (Layout::Native, "native"), (Layout::Sqlx, "sqlx"), (Layout::GolangMigrate, "golang-migrate"), (Layout::Diesel, "diesel"),
        (Layout::Dbmate, "dbmate"), (Layout::Goose, "goose"), (Layout::SqlMigrate, "sql-migrate"), (Layout::Refinery, "refinery"),
        (Layout::Flyway, "flyway"), (Layout::Sqitch, "sqitch"), (Layout::Prisma, "prisma"),
    ];

    /// The name for `--layout` and reports.
    pub fn name(self) -> &'static str {
        Layout::ALL[self as usize].1
    }

    /// The layout of that name.
    pub fn from_name(name: &str) -> Option<Layout> {
        Layout::ALL.iter().find(|(_, known)| *known == name).map(|(layout, _)| *layout)
    }

    /// Whether the layout has a place for DOWN at all.
    pub fn has_down(self) -> bool {
        !matches!(self, Layout::Refinery | Layout::Prisma)
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

/// Something about the folder that the reader of a report should know; it stops nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// A stable name: `ignored`, `not-utf-8`, `empty-file`, `marker-in-text`, `other-engine`, `code`, `duplicate-version`, `repeatable`, `baseline`.
    pub code: &'static str,
    /// The file, relative to the migrations' folder; `None` where the note is about the folder.
    pub path: Option<String>,
    /// The file's line, from 1.
    pub line: Option<u32>,
    /// One sentence.
    pub message: String,
}

/// What a folder holds.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The layout that was asked for or found.
    pub layout: Layout,
    /// The migrations, by version.
    pub migrations: Vec<Migration>,
    /// What was left out, and why.
    pub notes: Vec<Note>,
}

impl Loaded {
    /// No migrations at all: what a DBA has who works from the database alone.
    pub fn none() -> Loaded {
        Loaded { layout: Layout::Native, migrations: Vec::new(), notes: Vec::new() }
    }
}

/// Reads the migrations in `dir`: in the given layout, or in the one that the files' shape shows; of files for several
/// engines those for `engine`.
pub fn load(dir: &Path, layout: Option<Layout>, engine: Engine) -> Result<Loaded, ReadError> {
    read(Reader::open(dir, engine, false)?, layout)
}

/// Like [`load`], but only to judge: two migrations of one version, which some project's own runner once ran, are both given,
/// by name, with a note `duplicate-version` each. A history of versions could not hold them, so nothing may run them.
pub fn survey(dir: &Path, layout: Option<Layout>, engine: Engine) -> Result<Loaded, ReadError> {
    read(Reader::open(dir, engine, true)?, layout)
}

fn read(mut reader: Reader, layout: Option<Layout>) -> Result<Loaded, ReadError> {
    let found = match layout {
        Some(layout) => Some(layout),
        None => shape::find(&mut reader)?,
    };
    let Some(layout) = found else { return Err(reader.no_migrations(None)) };
    let mut migrations = match layout {
        Layout::Native => native::read(&mut reader),
        Layout::Sqlx => sqlx::read(&mut reader),
        Layout::GolangMigrate => golang_migrate::read(&mut reader),
        Layout::Diesel => diesel::read(&mut reader),
        Layout::Dbmate => dbmate::read(&mut reader),
        Layout::Goose => goose::read(&mut reader),
        Layout::SqlMigrate => sql_migrate::read(&mut reader),
        Layout::Refinery => refinery::read(&mut reader),
        Layout::Flyway => flyway::read(&mut reader),
        Layout::Sqitch => sqitch::read(&mut reader),
        Layout::Prisma => prisma::read(&mut reader),
    }?;
    if migrations.is_empty() {
        return Err(reader.no_migrations(Some(layout)));
    }
    migrations.sort_by(|a, b| a.version.cmp(&b.version));
    for [first, second] in migrations.array_windows().filter(|[a, b]| a.version == b.version) {
        let twins = ReadError::DuplicateVersion { version: second.version.to_string(), first: first.path.clone(), second: second.path.clone() };
        if !reader.twins {
            return Err(twins);
        }
        reader.note(twins.code(), &second.path, None, twins.to_string());
    }
    Ok(Loaded { layout, migrations, notes: reader.notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_stand_in_the_order_of_the_enum_under_the_names_that_reports_use() {
        for (layout, name) in Layout::ALL {
            assert_eq!((layout.name(), Layout::from_name(name)), (name, Some(layout)));
            assert_eq!(serde_json::to_value(layout).unwrap(), name);
        }
    }
}
