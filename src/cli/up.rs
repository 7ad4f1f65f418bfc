//! `migrate up`: runs what is pending, after the gate.

use super::database::{Database, LOCK_TIMEOUT, block_on, in_words, progress, step};
use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global, judge};
use crate::exit::Exit;
use crate::gate::merge::Severity;
use crate::gate::{self, Step, history};
use crate::migration::{Direction, Migration, Version};
use crate::observed::EXEMPT;
use crate::report::Entry;
use crate::schema::catalog::Catalog;
use serde_json::json;
use std::collections::HashSet;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Stop after this version
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = settings.load(database.engine)?;
    let to = match &arguments.to {
        Some(text) => Some(
            Version::new(text)
                .filter(|v| loaded.migrations.iter().any(|m| m.version == *v))
                .ok_or_else(|| Failure::usage("unknown-version", format!("no migration has version {text}"), "`migrate status` lists them"))?,
        ),
        None => None,
    };
    block_on(async {
        let mut locked = database.connect(false).await?.lock(&database.history_table, LOCK_TIMEOUT).await?;
        let observed = locked.observe().await?;
        if let Some(unfinished) = locked.unfinished(&observed) {
            return Err(unfinished.into());
        }
        let compared = history::compare(&loaded.migrations, &observed.history);
        let mut pending = compared.pending()?;
        pending.retain(|m| to.as_ref().is_none_or(|to| m.version <= *to));
        if pending.is_empty() {
            locked.release().await;
            match global.format {
                Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "applied": []}))?,
                Format::Text | Format::Markdown => writeln!(console.out, "nothing to do: all {} migrations are applied", loaded.migrations.len())?,
            }
            return Ok(Exit::Done);
        }
        let due: HashSet<&str> = pending.iter().map(|m| m.path.as_str()).collect();
        let mut catalog = Catalog::new(observed.engine);
        settings.start(global, &mut catalog)?;
        let mut entries = Vec::new();
        judge::judge(
            &mut catalog,
            &loaded,
            &settings.config.gate,
            |m| due.contains(m.path.as_str()),
            |entry| {
                entries.push(entry);
                Ok(())
            },
        )?;
        warn(&entries, global)?;
        let note = (!observed.user_tables).then(|| EXEMPT.to_owned());
        let policy = &settings.config.gate;
        let steps = pending
            .iter()
            .zip(&entries)
            .map(|(m, e)| {
                let step = step(m, Direction::Up, &m.up, (e.assessment.verdict, e.assessment.loss), observed.engine, note.clone());
                Step { needs_attestation: policy.needs_attestation(&e.assessment.findings), ..step }
            })
            .collect();
        let cleared = gate::clear(steps, &observed)?;
        let count = locked.apply(cleared, &mut progress(console, global.quiet || global.format == Format::Json)).await?;
        locked.release().await;
        say(console, global, &pending, &entries, count)?;
        Ok(Exit::Done)
    })
}

/// Reservations are told before anything runs, on stderr: stdout holds the result.
fn warn(entries: &[Entry<'_>], global: &Global) -> std::io::Result<()> {
    if global.quiet {
        return Ok(());
    }
    for entry in entries {
        let loud = entry.assessment.findings.iter().zip(&entry.merge.severities).filter(|(_, s)| **s != Severity::Note);
        for (finding, _) in loud {
            writeln!(std::io::stderr(), "warning[{} {}]: {}: {}", finding.code, finding.name, entry.migration.path, finding.message)?;
        }
    }
    Ok(())
}

fn say(console: &mut Console, global: &Global, pending: &[&Migration], entries: &[Entry<'_>], count: usize) -> std::io::Result<()> {
    if global.format == Format::Json {
        let applied: Vec<_> = pending
            .iter()
            .zip(entries)
            .map(|(m, e)| json!({"version": m.version.as_str(), "name": m.name, "verdict": e.assessment.verdict, "loss": e.assessment.loss}))
            .collect();
        return writeln!(console.out, "{}", json!({"schema": 1, "applied": applied}));
    }
    let last = pending.last().zip(entries.last());
    let at = last.map_or(String::new(), |(m, e)| format!("; now at {} ({})", m.version, in_words(&e.assessment)));
    writeln!(console.out, "{count} migration{} applied{at}", if count == 1 { "" } else { "s" })
}
