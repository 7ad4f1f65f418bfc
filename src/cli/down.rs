//! `migrate down`: undoes what is applied, newest first; without a target it only shows what it would do.

use super::database::{Database, LOCK_TIMEOUT, block_on, progress, step};
use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::gate::{self, Step};
use crate::migration::{Direction, Migration, Script, Version};
use crate::observed::Observed;
use crate::read::ReadError;
use crate::recover::{self, Target, Undo};
use crate::table::{Loss, Verdict};
use serde_json::json;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Undo everything after this version
    #[arg(long, value_name = "VERSION", conflicts_with = "steps")]
    to: Option<String>,
    /// Undo so many migrations
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    steps: Option<u32>,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    // A DBA without the repository goes back by what the history holds.
    let migrations = match settings.load(database.engine) {
        Ok(loaded) => loaded.migrations,
        Err(error) if matches!(error.downcast_ref(), Some(ReadError::NoFolder { .. } | ReadError::NoMigrations { .. })) => Vec::new(),
        Err(error) => return Err(error),
    };
    let target = match (&arguments.to, arguments.steps) {
        (Some(text), _) => Some(Target::Version(
            Version::new(text).ok_or_else(|| Failure::usage("unknown-version", format!("`{text}` is no version"), "`migrate status` lists them"))?,
        )),
        (None, Some(steps)) => Some(Target::Steps(steps as usize)),
        (None, None) => None,
    };
    block_on(async {
        let Some(target) = target else {
            let mut session = database.connect(true).await?;
            let history = session.history(&database.history_table).await?;
            session.close().await;
            let route = recover::route(&history, &migrations, &Target::Steps(1), database.engine)?;
            return show(console, global, &route);
        };
        let mut locked = database.connect(false).await?.lock(&database.history_table, LOCK_TIMEOUT).await?;
        let observed = locked.observe().await?;
        if let Some(unfinished) = locked.unfinished(&observed) {
            return Err(unfinished.into());
        }
        let route = recover::route(&observed.history, &migrations, &target, observed.engine)?;
        let steps: Vec<Step> = route.iter().map(|undo| down_step(undo, &observed)).collect();
        if steps.is_empty() {
            locked.release().await;
            writeln!(console.out, "nothing to do: nothing is applied after that")?;
            return Ok(Exit::Done);
        }
        let undone: Vec<_> = steps.iter().map(|s| json!({"version": s.version, "name": s.name})).collect();
        let cleared = gate::clear(steps, &observed)?;
        let quiet = global.quiet || global.format == Format::Json;
        let count = locked.apply(cleared, &mut progress(console, quiet)).await?;
        locked.release().await;
        match global.format {
            Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "undone": undone}))?,
            Format::Text | Format::Markdown => writeln!(console.out, "{count} migration{} undone", if count == 1 { "" } else { "s" })?,
        }
        Ok(Exit::Done)
    })
}

/// The step that undoes one migration; its verdict is what was recorded when UP ran, and passed the wall.
fn down_step(undo: &Undo<'_>, observed: &Observed) -> Step {
    let applied = undo.applied;
    let script = undo.file.and_then(|m| m.down.clone()).unwrap_or_else(|| Script::whole(&undo.down));
    let stored = Migration {
        version: Version::new(&applied.version).or_else(|| Version::new("0")).expect("0 is a version"),
        name: applied.name.clone(),
        path: format!("{} (stored in the history)", applied.version),
        down_path: None,
        up: Script::default(),
        down: Some(script.clone()),
        irreversible: None,
        allows: Vec::new(),
    };
    let migration = undo.file.unwrap_or(&stored);
    let step = step(migration, Direction::Down, &script, (Verdict::Reversible, Loss::WrittenSince), observed.engine, None);
    Step { version: applied.version.clone(), name: applied.name.clone(), up_sha256: applied.up_sha256.clone(), ..step }
}

/// The plan of one step back. Nothing is done, which is why the exit code says blocked.
fn show(console: &mut Console, global: &Global, route: &[Undo<'_>]) -> anyhow::Result<Exit> {
    let Some(undo) = route.first() else {
        writeln!(console.out, "nothing to undo: no migration is applied")?;
        return Ok(Exit::Done);
    };
    let applied = undo.applied;
    if global.format == Format::Json {
        writeln!(
            console.out,
            "{}",
            json!({"schema": 1, "would_undo": [{"version": applied.version, "name": applied.name, "verdict": applied.verdict, "loss": applied.loss, "down": undo.down}]})
        )?;
        return Ok(Exit::Blocked);
    }
    writeln!(
        console.out,
        "`migrate down --steps 1` would undo {} {} ({}, loss: {}), applied {}:\n",
        applied.version, applied.name, applied.verdict, applied.loss, applied.at
    )?;
    for line in undo.down.trim().lines() {
        writeln!(console.out, "    {line}")?;
    }
    writeln!(console.out, "\nnothing was done; say how far back: `--steps N` or `--to VERSION`")?;
    Ok(Exit::Blocked)
}
