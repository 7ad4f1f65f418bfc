//! The one path that `up`, `down`, `goto` and `redo` take: lock, observe, plan, judge, ask for consent, clear, apply, report.

use super::database::{Database, Waiting, block_on};
use super::failure::Failure;
use super::progress::progress;
use super::settings::Settings;
use super::{Console, Format, Global, attested, half_done, judge, plan, steps};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::gate::history::{Compared, State};
use crate::gate::merge::Severity;
use crate::gate::{self, Consents, Course, Step, history};
use crate::migration::Migration;
use crate::observed::{Applied, EXEMPT, HalfDone, Observed};
use crate::parse::Statement;
use crate::read::{Loaded, ReadError};
use crate::recover::{Source, Undo};
use crate::report::{self, Entry};
use crate::run::{Interrupt, Locked, RunError};
use crate::schema::catalog::Catalog;
use serde_json::json;
use std::collections::HashSet;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

/// What all of them take.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) half_done: half_done::Arguments,
    #[command(flatten)]
    waiting: Waiting,
    /// Agree to lose what stands in this table or column; may be given more than once, `all` stands for any
    #[arg(long, value_name = "OBJECT", num_args = 1..)]
    accept_loss: Vec<String>,
}

/// What those that go back take.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Back {
    /// Which DOWN to use where the file's is not the one stored when UP ran
    #[arg(long = "use", value_name = "WHICH", value_enum)]
    source: Option<Which>,
    /// Copy what DOWN would destroy to this folder first, with the SQL that puts it back after a new UP; that is agreeing to the loss. Stop the
    /// applications before: what they write between the copy and DOWN is in neither
    #[arg(long, value_name = "DIR")]
    save_lost: Option<PathBuf>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Which {
    Stored,
    File,
}

impl Back {
    /// Whether what is destroyed is to be copied.
    pub(super) fn saves(&self) -> bool {
        self.save_lost.is_some()
    }

    /// To run.
    pub(super) fn purpose(&self) -> Purpose {
        Purpose::Run { save_lost: self.save_lost.clone() }
    }

    pub(super) fn source(&self) -> Option<Source> {
        self.source.map(|which| match which {
            Which::Stored => Source::Stored,
            Which::File => Source::File,
        })
    }
}

/// Where to go: what to undo, newest first, then what to run, in order.
pub(super) struct Plan<'a> {
    pub(super) undo: Vec<Undo<'a>>,
    pub(super) run: Vec<&'a Migration>,
    /// What to say where neither holds anything.
    pub(super) nothing: String,
}

/// What to do with a plan.
pub(super) enum Purpose {
    /// Run it, and copy first to this folder what DOWN would destroy.
    Run { save_lost: Option<PathBuf> },
    /// Show what `command` would do, and touch nothing.
    Show {
        command: String,
        /// A last line of the text.
        closing: String,
        /// How that ends where it would run.
        exit: Exit,
        /// How long to count what DOWN would lose, in all.
        count_limit: Duration,
        /// Where to write it as a script.
        script: Option<PathBuf>,
    },
}

/// What a plan is made from.
pub(super) struct Sight<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) observed: &'a Observed,
    pub(super) compared: Compared<'a>,
}

/// Files as they stand; a DBA without the repository goes back by what the history holds.
pub(super) fn load_or_none(settings: &Settings, engine: Engine) -> anyhow::Result<Loaded> {
    match settings.load(engine) {
        Err(error) if matches!(error.downcast_ref(), Some(ReadError::NoFolder { .. } | ReadError::NoMigrations { .. })) => Ok(Loaded::none()),
        other => other,
    }
}

/// Goes where `plan` says, or shows the way; `create` makes a SQLite file that is missing.
#[expect(clippy::too_many_arguments, reason = "a command's flags, and its own three words")]
pub(super) fn go(
    purpose: &Purpose,
    create: bool,
    global: &Global,
    arguments: &Arguments,
    forth: &attested::Arguments,
    console: &mut Console,
    load: impl FnOnce(&Settings, Engine) -> anyhow::Result<Loaded>,
    plan: impl for<'a> FnOnce(&Sight<'a>) -> anyhow::Result<Plan<'a>>,
) -> anyhow::Result<Exit> {
    let mut consents = Consents { accepted_loss: arguments.accept_loss.clone(), ..Consents::default() };
    if let Purpose::Run { save_lost: Some(_) } = purpose {
        // What is copied is not lost.
        consents.accepted_loss.push(String::from("all"));
    }
    let consents = &consents;
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = load(&settings, database.engine)?;
    block_on(async |interrupt| {
        let mut locked = match purpose {
            Purpose::Run { .. } => database.connect(create, &interrupt, &arguments.waiting, &settings).await?.lock(&database.history_table).await?,
            Purpose::Show { .. } => database.look_ahead(create, &interrupt).await?.to_look(&database.history_table).await?,
        };
        let went = held(purpose, global, arguments, forth, consents, console, &settings, &loaded, &interrupt, &mut locked, plan).await;
        // Also where it failed: a pooler's server process would keep the lock.
        locked.release().await;
        went
    })
}

/// The same, while the lock is held.
#[expect(clippy::too_many_arguments, reason = "it is the other half of `go`")]
async fn held(
    purpose: &Purpose,
    global: &Global,
    arguments: &Arguments,
    forth: &attested::Arguments,
    consents: &Consents,
    console: &mut Console,
    settings: &Settings,
    loaded: &Loaded,
    interrupt: &Interrupt,
    locked: &mut Locked,
    plan: impl for<'a> FnOnce(&Sight<'a>) -> anyhow::Result<Plan<'a>>,
) -> anyhow::Result<Exit> {
    let mut observed = locked.observe().await?;
    let went_on = observed.half_done.is_some();
    if let Some(half) = observed.half_done.clone() {
        let step = way_on(global, arguments, settings, loaded, observed.engine, &observed.history, &half)?;
        if let Purpose::Run { save_lost: Some(_) } = purpose {
            let message = format!("{} of {} {} stopped part-way, and what it holds is not copied", step.direction.name(), step.version, step.name);
            return Err(Failure::usage("half-done", message, "bring that to an end first, without --save-lost").into());
        }
        if let Purpose::Show { .. } = purpose {
            return plan::way_on(global, &step, console);
        }
        let (course, of) = (step.course.clone(), format!("{} of {} {}", step.direction.name(), step.version, step.name));
        let cleared = clear(forth, settings, interrupt, locked, vec![step], &observed, consents).await?;
        if !matches!(course, Course::Finish(_)) {
            locked.apply(cleared, &mut |_| {}).await?;
            return told(console, global, &course, &of);
        }
        locked.apply(cleared, &mut progress(console, global)).await?;
        observed = locked.observe().await?;
    }
    if observed.half_done.is_none() && !went_on {
        arguments.half_done.nothing_half_done()?;
    }
    let sight = Sight { loaded, observed: &observed, compared: history::compare(&loaded.migrations, &observed.history, observed.engine) };
    note_reworded(&sight, global)?;
    let plan = plan(&sight)?;
    if plan.undo.is_empty() && plan.run.is_empty() {
        match (global.format, purpose) {
            (Format::Json, Purpose::Show { command, .. }) => {
                writeln!(console.out, "{}", report::plan::json(&plan::nothing(locked, command)))?;
            }
            (Format::Json, Purpose::Run { .. }) => writeln!(console.out, "{}", json!({"schema": 1, "undone": [], "applied": []}))?,
            (Format::Text | Format::Markdown, _) => writeln!(console.out, "{}", plan.nothing)?,
        }
        return Ok(Exit::Done);
    }
    let (entries, statements) = judged(global, settings, observed.engine, loaded, &plan.run)?;
    if let Purpose::Run { .. } = purpose {
        warn(&entries, global)?;
    }
    let note = (!observed.user_tables).then(|| EXEMPT.to_owned());
    let undo = plan.undo.iter().map(|undo| steps::down(undo, observed.engine));
    let run = plan.run.iter().zip(&entries).zip(statements);
    let run = run.map(|((m, e), up)| steps::up(m, up, &e.assessment, &settings.config, observed.engine, note.clone()));
    let all: Vec<Step> = undo.chain(run).collect::<Result<_, _>>()?;
    if let Purpose::Show { command, closing, exit, count_limit, script } = purpose {
        let cleared = clear(forth, settings, interrupt, locked, all.clone(), &observed, consents).await;
        if let (Some(to), Ok(cleared)) = (script, &cleared) {
            return plan::script(console, global, locked, cleared, command, to).await;
        }
        let known = plan::known(global, settings, &observed, &plan.undo, &entries)?;
        let losses = plan::losses(locked, &plan.undo, &known, *count_limit).await?;
        let shown = plan::shown(locked, &observed, command, cleared, all, &plan.undo, &known, losses);
        return plan::print(console, global, &shown, closing, *exit);
    }
    let cleared = clear(forth, settings, interrupt, locked, all, &observed, consents).await?;
    if let Purpose::Run { save_lost: Some(to) } = purpose {
        plan::save(console, global, settings, &observed, &plan.undo, locked, to).await?;
    }
    locked.apply(cleared, &mut progress(console, global)).await?;
    say(console, global, &plan, &entries)?;
    Ok(Exit::Done)
}

/// The step that brings a run to its end which stopped part-way.
pub(super) fn way_on(
    global: &Global,
    arguments: &Arguments,
    settings: &Settings,
    loaded: &Loaded,
    engine: Engine,
    history: &[Applied],
    half: &HalfDone,
) -> anyhow::Result<Step> {
    let mut catalog = Catalog::new(settings.target(global, engine));
    settings.start(global, &mut catalog)?;
    let anew = |migration: &Migration| {
        let (entries, statements) = judged(global, settings, engine, loaded, &[migration])?;
        let entry = entries.iter().zip(statements).next().ok_or_else(|| anyhow::anyhow!("{} was not judged", migration.path));
        let (entry, up) = entry?;
        Ok(steps::up(migration, up, &entry.assessment, &settings.config, engine, None)?)
    };
    arguments.half_done.step(half, history, &loaded.migrations, catalog, anew)
}

/// Says how a run ended that is not gone on with: whoever took it back looks first, and runs the rest another time.
fn told(console: &mut Console, global: &Global, course: &Course, of: &str) -> anyhow::Result<Exit> {
    let (word, what) = match course {
        Course::Compensate(_, inverses) => ("compensated", format!("took back {} statement{}", inverses.len(), plural(inverses.len()))),
        Course::Whole | Course::Finish(_) | Course::Settle(_) => ("settled", String::from("recorded the end")),
    };
    match global.format {
        Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "undone": [], "applied": [], word: of}))?,
        Format::Text | Format::Markdown => writeln!(console.out, "{what} of {of}; nothing else was run")?,
    }
    Ok(Exit::Done)
}

pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Changes of comments alone are accepted, and told.
fn note_reworded(sight: &Sight<'_>, global: &Global) -> std::io::Result<()> {
    for (migration, _) in sight.compared.files.iter().filter(|(_, state)| matches!(state, State::Reworded(_)) && !global.quiet) {
        writeln!(std::io::stderr(), "note: {}: its comments or white space changed after it ran; its statements did not", migration.path)?;
    }
    Ok(())
}

/// Judges what is to run, and gives its statements too.
pub(super) fn judged<'a>(
    global: &Global,
    settings: &Settings,
    engine: Engine,
    loaded: &'a Loaded,
    run: &[&Migration],
) -> anyhow::Result<(Vec<Entry<'a>>, Vec<Vec<Statement>>)> {
    let (mut entries, mut statements) = (Vec::new(), Vec::new());
    if run.is_empty() {
        return Ok((entries, statements));
    }
    let due: HashSet<&str> = run.iter().map(|m| m.path.as_str()).collect();
    let mut catalog = Catalog::new(settings.target(global, engine));
    settings.start(global, &mut catalog)?;
    judge::judge(
        &mut catalog,
        loaded,
        &settings.config.gate,
        |m| due.contains(m.path.as_str()),
        |entry, up| {
            entries.push(entry);
            statements.push(up);
            Ok(())
        },
    )?;
    Ok((entries, statements))
}

/// Clears the steps: with the attestations that fit; on a terminal, asks about what was written since UP.
async fn clear(
    forth: &attested::Arguments,
    settings: &Settings,
    interrupt: &Interrupt,
    locked: &mut Locked,
    all: Vec<Step>,
    observed: &Observed,
    consents: &Consents,
) -> anyhow::Result<gate::Cleared> {
    let mut consents = consents.clone();
    attested::add(forth, &settings.config.attestation, interrupt, locked, &all, observed, &mut consents).await?;
    // What was agreed to need not be looked at.
    let lost = all.iter().filter(|step| step.takes_back()).flat_map(|step| &step.down_loses);
    let objects: Vec<String> = lost.filter(|object| !consents.covers(object)).cloned().collect();
    let holding = locked.holding(&objects).await?;
    match gate::clear(all.clone(), observed, &holding, &consents) {
        Err(gate::Blocked::WrittenSince { .. }) if !locked.is_to_look() && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() => {
            let lost = holding.iter().filter(|object| !consents.covers(object)).map(|object| object.as_str()).collect::<Vec<_>>();
            write!(std::io::stderr(), "this loses all that stands in {}; type yes to go on: ", lost.join(", "))?;
            if answer(interrupt).await?.trim() == "yes" {
                consents.accepted_loss = vec![String::from("all")];
            }
            Ok(gate::clear(all, observed, &holding, &consents)?)
        }
        other => Ok(other?),
    }
}

/// A line from the terminal; a signal ends the wait for it.
async fn answer(interrupt: &Interrupt) -> anyhow::Result<String> {
    let (tell, told) = tokio::sync::oneshot::channel();
    // A thread that nobody waits for: what reads a terminal cannot be called back.
    std::thread::spawn(move || {
        let mut answer = String::new();
        // Nobody hears it where a signal came first.
        let _ = tell.send(std::io::stdin().read_line(&mut answer).map(|_| answer));
    });
    tokio::select! {
        answer = told => Ok(answer??),
        signal = interrupt.wait() => {
            writeln!(std::io::stderr())?;
            Err(RunError::Interrupted(signal).into())
        }
    }
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

fn say(console: &mut Console, global: &Global, plan: &Plan<'_>, entries: &[Entry<'_>]) -> std::io::Result<()> {
    let mut ran = plan.run.iter().zip(entries);
    if global.format == Format::Json {
        let undone: Vec<_> = plan.undo.iter().map(|undo| json!({"version": undo.applied.version, "name": undo.applied.name})).collect();
        let applied: Vec<_> =
            ran.map(|(m, e)| json!({"version": m.version.as_str(), "name": m.name, "verdict": e.assessment.verdict, "loss": e.assessment.loss})).collect();
        return writeln!(console.out, "{}", json!({"schema": 1, "undone": undone, "applied": applied}));
    }
    let mut parts = Vec::new();
    if !plan.undo.is_empty() {
        parts.push(format!("{} migration{} undone", plan.undo.len(), plural(plan.undo.len())));
    }
    if let Some((last, entry)) = ran.next_back() {
        let (count, assessment) = (plan.run.len(), &entry.assessment);
        parts.push(format!(
            "{count} migration{} applied; now at {} ({}, loss: {})",
            plural(count),
            last.version,
            assessment.verdict.name(),
            assessment.loss.name()
        ));
    }
    writeln!(console.out, "{}", parts.join(", "))
}

/// A version that some file or some history row has.
pub(super) fn known_version(text: &str, sight: &Sight<'_>) -> anyhow::Result<crate::migration::Version> {
    let known = |version: &crate::migration::Version| {
        sight.loaded.migrations.iter().any(|m| m.version == *version)
            || sight.observed.history.iter().any(|row| crate::migration::Version::new(&row.version).as_ref() == Some(version))
    };
    let version = crate::migration::Version::new(text).filter(known);
    version.ok_or_else(|| Failure::usage("unknown-version", format!("no migration has version {text}"), "`migrate status` lists them").into())
}
