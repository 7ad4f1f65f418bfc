//! `migrate down`: undoes what is applied, newest applied first; without a target it only shows what it would do.

use super::attested;
use super::database::{Database, block_on};
use super::failure::Failure;
use super::go::{self, Plan};
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::gate::{Course, Sql, Step};
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
    go::go(false, global, &arguments.common, &attested::Arguments::default(), console, go::load_or_none, |sight| {
        let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &target, arguments.back.source(), sight.observed.engine)?;
        Ok(Plan { undo, run: Vec::new(), nothing: String::from("nothing to do: nothing is applied after that") })
    })
}

/// The plan of one step back. Nothing is done, which is why the exit code says blocked.
fn show(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = go::load_or_none(&settings, database.engine)?;
    let (history, half, engine) = block_on(async |interrupt| {
        let mut session = database.look(&interrupt).await?;
        let history = session.history(&database.history_table).await?;
        let half = session.half_done(&database.history_table, &history).await?;
        let engine = session.engine();
        session.close().await;
        Ok((history, half, engine))
    })?;
    if let Some(half) = half {
        let step = go::way_on(global, &arguments.common, &settings, &loaded, engine, &history, &half)?;
        return show_way_on(global, &step, console);
    }
    arguments.common.half_done.nothing_half_done()?;
    let route = recover::route(&history, &loaded.migrations, &Target::Steps(1), arguments.back.source(), engine)?;
    let Some(Undo { applied, down, .. }) = route.first() else {
        match global.format {
            Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "would_undo": []}))?,
            Format::Text | Format::Markdown => writeln!(console.out, "nothing to undo: no migration is applied")?,
        }
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

/// The plan of what brings a run to its end which stopped part-way; it would come before anything else.
fn show_way_on(global: &Global, step: &Step, console: &mut Console) -> anyhow::Result<Exit> {
    let (flag, what, statements): (_, _, Vec<&Sql>) = match &step.course {
        Course::Compensate(resume, inverses) => {
            ("--compensate", "take back what stands of", inverses.iter().flat_map(|inverse| &inverse.sql).skip(resume.taken_back).collect())
        }
        Course::Finish(resume) => ("--finish", "run the rest of", step.statements.iter().skip(resume.stands).collect()),
        Course::Whole | Course::Settle(_) => ("--settle", "record the end of", Vec::new()),
    };
    let texts: Vec<String> = statements.iter().map(|sql| masked(&sql.text).into_owned()).collect();
    let loses: &[String] = if step.takes_back() { &step.down_loses } else { &[] };
    if global.format == Format::Json {
        let plan = json!({"version": step.version, "name": step.name, "direction": step.direction, "statements": texts, "loses": loses});
        writeln!(console.out, "{}", json!({"schema": 1, "would_undo": [], flag.trim_start_matches('-'): plan}))?;
        return Ok(Exit::Blocked);
    }
    writeln!(console.out, "`{flag}` would {what} {} of {} {}:\n", step.direction.name(), step.version, step.name)?;
    for text in &texts {
        writeln!(console.out, "    {};", text.trim().replace('\n', "\n    "))?;
    }
    if !loses.is_empty() {
        writeln!(console.out, "\nit takes along what stands in {}", loses.join(", "))?;
    }
    writeln!(console.out, "\nnothing was done; `migrate up {flag}` does it")?;
    Ok(Exit::Blocked)
}
