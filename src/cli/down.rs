//! `migrate down`: undoes what is applied, newest applied first; without a target it only shows what it would do.

use super::database::{Database, block_on};
use super::failure::Failure;
use super::go::{self, Plan};
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::lex::secret::masked;
use crate::migration::Version;
use crate::recover::{self, Target, Undo};
use serde_json::json;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Undo everything that was applied after this version
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    to: Option<String>,
    /// Undo so many migrations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
    #[command(flatten)]
    back: go::Back,
    #[command(flatten)]
    common: go::Arguments,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let target = match (&arguments.to, arguments.steps) {
        (Some(text), _) => Target::Version(
            Version::new(text).ok_or_else(|| Failure::usage("unknown-version", format!("`{text}` is no version"), "`migrate status` lists them"))?,
        ),
        (None, Some(steps)) => Target::Steps(steps as usize),
        (None, None) => return show(global, arguments, console),
    };
    go::go(false, global, &arguments.common, console, go::load_or_none, |sight| {
        let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &target, arguments.back.source(), sight.observed.engine)?;
        Ok(Plan { undo, run: Vec::new(), nothing: String::from("nothing to do: nothing is applied after that") })
    })
}

/// The plan of one step back. Nothing is done, which is why the exit code says blocked.
fn show(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = go::load_or_none(&settings, database.engine)?;
    let history = block_on(async |interrupt| {
        let mut session = database.look(&interrupt).await?;
        let history = session.history(&database.history_table).await?;
        session.close().await;
        Ok(history)
    })?;
    let route = recover::route(&history, &loaded.migrations, &Target::Steps(1), arguments.back.source(), database.engine)?;
    let Some(Undo { applied, down, .. }) = route.first() else {
        writeln!(console.out, "nothing to undo: no migration is applied")?;
        return Ok(Exit::Done);
    };
    if global.format == Format::Json {
        let plan = json!({"version": applied.version, "name": applied.name, "verdict": applied.verdict, "loss": applied.loss, "down": masked(&down.text()), "loses": applied.down_loses});
        writeln!(console.out, "{}", json!({"schema": 1, "would_undo": [plan]}))?;
        return Ok(Exit::Blocked);
    }
    writeln!(
        console.out,
        "`migrate down --steps 1` would undo {} {} ({}, loss: {}), applied {}:\n",
        applied.version, applied.name, applied.verdict, applied.loss, applied.at
    )?;
    for line in masked(&down.text()).trim().lines() {
        writeln!(console.out, "    {line}")?;
    }
    if !applied.down_loses.is_empty() {
        writeln!(console.out, "\nit takes along what stands in {}", applied.down_loses.join(", "))?;
    }
    writeln!(console.out, "\nnothing was done; say how far back: `--steps N` or `--to VERSION`")?;
    Ok(Exit::Blocked)
}
