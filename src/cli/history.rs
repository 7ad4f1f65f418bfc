//! `migrate history`: every row of the history, oldest first, and the DOWN that it holds. Never writes.

use super::database::{Database, block_on};
use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::migration::Version;
use crate::observed::Applied;
use crate::report::text::only_the_name_wraps;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::json;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Print the DOWN that was stored when this version ran last, and nothing else
    #[arg(long, value_name = "VERSION")]
    down: Option<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let history = block_on(async |interrupt| {
        let mut session = database.look(&interrupt).await?;
        let history = session.history(&database.history_table).await?;
        session.close().await;
        Ok(history)
    })?;
    if let Some(text) = &arguments.down {
        let version = Version::new(text);
        let stored = history.iter().rev().filter(|row| Version::new(&row.version) == version).find_map(|row| row.down_text.as_ref());
        let stored =
            stored.ok_or_else(|| Failure::usage("no-down", format!("the history holds no DOWN of version {text}"), "`migrate history` lists what it holds"))?;
        write!(console.out, "{stored}")?;
        return Ok(Exit::Done);
    }
    if global.format == Format::Json {
        let rows: Vec<_> = history.iter().map(row_json).collect();
        writeln!(console.out, "{}", json!({"schema": 1, "history": rows}))?;
        return Ok(Exit::Done);
    }
    if history.is_empty() {
        writeln!(console.out, "no migration has run on this database")?;
        return Ok(Exit::Done);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(console.width);
    table.set_header(["version", "name", "way", "outcome", "ended at (UTC)", "by"]);
    for row in &history {
        table.add_row([&row.version, &row.name, row.direction.name(), row.outcome.name(), &row.at, &format!("{} on {}", row.actor, row.host)]);
    }
    only_the_name_wraps(&mut table);
    for line in table.lines() {
        writeln!(console.out, "{}", line.trim_end())?;
    }
    for row in history.iter().filter(|row| row.note.is_some() || row.reason.is_some()) {
        let words: Vec<&str> = [&row.note, &row.reason].into_iter().flatten().map(String::as_str).collect();
        writeln!(console.out, "\nrow {}, {} of {}: {}", row.seq, row.direction.name(), row.version, words.join("; "))?;
    }
    Ok(Exit::Done)
}

fn row_json(row: &Applied) -> serde_json::Value {
    json!({
        "seq": row.seq, "version": row.version, "name": row.name, "direction": row.direction, "outcome": row.outcome.name(),
        "started_at": row.started_at, "ended_at": row.at, "actor": row.actor, "host": row.host, "tool_version": row.tool_version,
        "verdict": row.verdict, "loss": row.loss, "up_sha256": row.up_sha256, "down_sha256": row.down_sha256, "down_loses": row.down_loses,
        "pin": row.pin.as_deref().map(as_json), "attestation": row.attestation.as_deref().map(as_json), "reason": row.reason, "note": row.note,
    })
}

/// JSON as it was written; text that is no JSON is given as it stands.
fn as_json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| json!(text))
}
