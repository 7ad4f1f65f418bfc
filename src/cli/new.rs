//! `migrate new NAME`: a migration's file, or pair of files, in the folder's layout.

use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Global};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::read::{self, Layout, ReadError};
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// What it does, in a few words: `add_email_to_users`
    name: String,
}

const NATIVE: &str = "-- UP\n\n\n-- DOWN\n\n";

/// The files to make, with what they hold.
fn files(layout: Layout, dir: &Path, version: &str, name: &str) -> Option<Vec<(PathBuf, &'static str)>> {
    let file = |tail: &str| dir.join(format!("{version}_{name}{tail}"));
    Some(match layout {
        Layout::Native => vec![(dir.join(format!("V{version}_{name}.sql")), NATIVE)],
        Layout::Sqlx | Layout::GolangMigrate => vec![(file(".up.sql"), ""), (file(".down.sql"), "")],
        Layout::Diesel => vec![(file("").join("up.sql"), ""), (file("").join("down.sql"), "")],
        Layout::Dbmate => vec![(file(".sql"), "-- migrate:up\n\n\n-- migrate:down\n\n")],
        Layout::Goose => vec![(file(".sql"), "-- +goose Up\n\n\n-- +goose Down\n\n")],
        Layout::SqlMigrate => vec![(file(".sql"), "-- +migrate Up\n\n\n-- +migrate Down\n\n")],
        Layout::Flyway => vec![(dir.join(format!("V{version}__{name}.sql")), ""), (dir.join(format!("U{version}__{name}.sql")), "")],
        Layout::Refinery => vec![(dir.join(format!("V{version}__{name}.sql")), "")],
        Layout::Prisma => vec![(file("").join("migration.sql"), "")],
        Layout::Sqitch => return None,
    })
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let name: String = arguments.name.trim().chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) {
        return Err(Failure::usage("bad-name", format!("`{}` cannot be part of a file's name", arguments.name), "use letters, digits, `_` and `-`").into());
    }
    // The names alone tell the layout, whatever the engine.
    let engine = settings.engine().unwrap_or(Engine::Sqlite);
    let loaded = match read::load(&settings.dir, settings.layout, engine) {
        Ok(loaded) => Some(loaded),
        Err(ReadError::NoMigrations { .. } | ReadError::NoFolder { is_file: false, .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let layout = settings.layout.or(loaded.as_ref().map(|l| l.layout)).unwrap_or(Layout::Native);
    let stamp = chrono::Utc::now().format("%Y%m%d%H%M%S").to_string();
    let version = loaded.as_ref().and_then(|l| l.migrations.last()).and_then(|m| successor(m.version.as_str())).unwrap_or(stamp);
    let Some(files) = files(layout, &settings.dir, &version, &name) else {
        return Err(Failure::usage("unsupported", format!("{} keeps its own plan", layout.name()), "use `sqitch add`").into());
    };
    for (file, text) in files {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // `create_new`: a file that stands already is never overwritten.
        let mut out = std::fs::File::create_new(&file)
            .map_err(|e| Failure::usage("unwritable", format!("cannot make {}: {e}", file.display()), "choose another name"))?;
        out.write_all(text.as_bytes())?;
        writeln!(console.out, "{}", file.display())?;
    }
    Ok(Exit::Done)
}

/// The next number where versions are counted (`0007` to `0008`); none where they are stamps of time.
fn successor(last: &str) -> Option<String> {
    let counted = last.len() < 8 && last.bytes().all(|b| b.is_ascii_digit());
    let next = last.parse::<u64>().ok().filter(|_| counted)? + 1;
    Some(format!("{next:0width$}", width = last.len()))
}
