//! `migrate adopt`: takes over a database that another tool has run until now. Writes our own history, and nothing else.

use super::database::{Database, Waiting, block_on};
use super::failure::Failure;
use super::go::{judged, plural};
use super::settings::Settings;
use super::{Console, Format, Global, steps};
use crate::exit::Exit;
use crate::foreign::{self, Tool, checksum};
use crate::gate::{self, Consents, Course, Step};
use crate::migration::{Migration, Version};
use crate::observed::{ADOPTED, Observed, Outcome, in_force};
use crate::read::{self, Loaded};
use crate::report::text::only_the_name_wraps;
use crate::run::Locked;
use crate::run::foreign::Table;
use comfy_table::{ContentArrangement, presets};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Whose history to take over, where more than one is found
    #[arg(long, value_name = "TOOL")]
    from: Option<String>,
    /// The table that holds it, where more than one is found
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// Record every file up to this version as applied, on your word: for a database that no tool has kept a history of
    #[arg(long, value_name = "VERSION", conflicts_with_all = ["from", "table"])]
    baseline: Option<String>,
    #[command(flatten)]
    waiting: Waiting,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    block_on(async |interrupt| {
        let mut locked = database.connect(false, &interrupt, &arguments.waiting, &settings).await?.lock(&database.history_table).await?;
        let adopted = held(global, arguments, console, &settings, &database.history_table, &mut locked).await;
        // Also where it failed: a pooler's server process would keep the lock.
        locked.release().await;
        adopted
    })
}

/// What is to be recorded.
struct Adoption<'a> {
    /// In the order in which it was applied.
    standing: Vec<Standing<'a>>,
    /// Whose word that is, as a sentence and in JSON.
    source: (String, Value),
    /// What the user should know beside it.
    warnings: Vec<String>,
}

/// A migration that stands on the database.
struct Standing<'a> {
    migration: &'a Migration,
    /// When the other tool applied it, in that tool's writing.
    at: Option<String>,
    /// What the other tool's checksum says of the file.
    file: &'static str,
    /// What our history notes of it.
    note: String,
}

/// The same, while the lock is held.
async fn held(
    global: &Global,
    arguments: &Arguments,
    console: &mut Console,
    settings: &Settings,
    history_table: &str,
    locked: &mut Locked,
) -> anyhow::Result<Exit> {
    let observed = locked.observe().await?;
    let (loaded, table);
    let adoption = match &arguments.baseline {
        Some(version) => {
            loaded = settings.load(observed.engine)?;
            baseline(version, &loaded, &observed, &locked.foreign_histories().await?)?
        }
        None => {
            table = choose(arguments, locked.foreign_histories().await?)?;
            loaded = load(settings, &table, &observed)?;
            let history = foreign::history(table.tool, locked.foreign_rows(&table).await?)?;
            theirs(settings, &table, &history, &loaded)?
        }
    };
    for warning in adoption.warnings.iter().filter(|_| !global.quiet) {
        writeln!(std::io::stderr(), "warning: {warning}")?;
    }
    if adoption.standing.is_empty() || is_adopted(&adoption, &observed, history_table)? {
        match global.format {
            Format::Json => print(console, &json_of(&adoption, &loaded, &observed, &[]))?,
            Format::Text | Format::Markdown if adoption.standing.is_empty() => print(console, &"nothing to do: by that history, no migration stands")?,
            Format::Text | Format::Markdown => print(console, &format!("nothing to do: {history_table} holds all of it already"))?,
        }
        return Ok(Exit::Done);
    }
    let steps = steps(global, settings, &observed, &loaded, &adoption)?;
    let cleared = gate::clear(steps, &observed, &[], &Consents::default())?;
    match global.format {
        Format::Text | Format::Markdown if !global.quiet => show(console, &adoption, cleared.steps())?,
        Format::Json | Format::Text | Format::Markdown => {}
    }
    let report = json_of(&adoption, &loaded, &observed, cleared.steps());
    let count = locked.record(cleared).await?;
    match global.format {
        Format::Json => print(console, &report)?,
        Format::Text | Format::Markdown => {
            print(console, &format!("{count} migration{} recorded in {history_table} as applied; nothing else was touched", plural(count)))?;
            if !global.quiet {
                print(console, &"next: `migrate status`; from now on run migrations here with `migrate` alone")?;
            }
        }
    }
    Ok(Exit::Done)
}

fn print(console: &mut Console, line: &dyn std::fmt::Display) -> std::io::Result<()> {
    writeln!(console.out, "{line}")
}

/// The one table that is meant.
fn choose(arguments: &Arguments, mut found: Vec<Table>) -> Result<Table, Failure> {
    let tool = match &arguments.from {
        Some(name) => Some(Tool::from_name(name).ok_or_else(|| {
            let names = foreign::TOOLS.iter().map(|facts| facts.tool.name()).collect::<Vec<_>>().join(", ");
            Failure::usage("unknown-tool", format!("`{name}` is no tool whose history is known"), format!("these are: {names}"))
        })?),
        None => None,
    };
    found.retain(|table| tool.is_none_or(|tool| table.tool == tool) && arguments.table.as_ref().is_none_or(|name| table.is(name)));
    let list = || found.iter().map(|table| format!("{} in {}", table.tool.name(), table.name)).collect::<Vec<_>>().join(", ");
    match found.len() {
        0 => Err(Failure::usage(
            "no-history",
            match (&arguments.from, &arguments.table) {
                (None, None) => String::from("no table of this database has the columns of a known tool's history"),
                _ => String::from("no such table of this database has the columns of a known tool's history"),
            },
            "where none was kept, `migrate adopt --baseline VERSION` records the files up to that version as applied",
        )),
        1 => Ok(found.remove(0)),
        _ => Err(Failure::usage(
            "which-history",
            format!("more than one table of this database has the columns of a known tool's history: {}", list()),
            "say which with `--from TOOL` or `--table TABLE`",
        )),
    }
}

/// The files, as the tool reads them.
fn load(settings: &Settings, table: &Table, observed: &Observed) -> anyhow::Result<Loaded> {
    let layout = table.tool.facts().layout;
    if let Some(other) = settings.layout.filter(|other| *other != layout) {
        return Err(Failure::usage(
            "other-layout",
            format!("{} holds a history of {layout}, and the files are to be read as those of {other}", table.name),
            format!("say `layout = \"{layout}\"` in migrate.toml, or `--layout {layout}`, if they are its files"),
        )
        .into());
    }
    Ok(read::load(&settings.dir, Some(layout), observed.engine)?)
}

/// What another tool says has run, compared with the files.
fn theirs<'a>(settings: &Settings, table: &Table, history: &foreign::History, loaded: &'a Loaded) -> anyhow::Result<Adoption<'a>> {
    let (tool, name) = (table.tool, table.tool.name());
    let met = foreign::met(tool, history, loaded)?;
    let (mut standing, mut edited) = (Vec::new(), Vec::new());
    for (migration, ran) in met.standing {
        let (at, kept) = ran.map_or((None, None), |ran| (ran.at, ran.checksum));
        let file = match &kept {
            None => "no checksum",
            Some(kept) => {
                let bytes = std::fs::read(settings.dir.join(&migration.path))?;
                match checksum::fit(tool, &migration.path, &bytes, kept) {
                    checksum::Fit::Same => "as it ran",
                    checksum::Fit::LineEnds => "other line ends",
                    checksum::Fit::Other => {
                        edited.push(migration.path.as_str());
                        continue;
                    }
                }
            }
        };
        let when = at.as_ref().map(|at| format!(", which applied it at {at}")).unwrap_or_default();
        standing.push(Standing { migration, at, file, note: format!("{ADOPTED}from {name} ({}){when}", table.name) });
    }
    if !edited.is_empty() {
        return Err(Failure {
            exit: Exit::Drift,
            path: edited.first().map(|path| (*path).to_owned()),
            ..Failure::usage(
                "edited",
                format!("{} changed after {name} ran it: the checksum that it kept is another one; nothing was recorded", edited.join(", ")),
                format!(
                    "put the file back as it ran; where {name} itself went on all the same, `migrate adopt --baseline VERSION` records the files as they are"
                ),
            )
        }
        .into());
    }
    let mut warnings = Vec::new();
    if !met.code.is_empty() {
        warnings.push(format!("{}: no SQL, so left out: nobody here knows what it changed", met.code.join(", ")));
    }
    if history.repeatable > 0 {
        let (rows, are) = if history.repeatable == 1 { ("row", "is") } else { ("rows", "are") };
        warnings.push(format!("{} {rows} of repeatable scripts {are} left out: they are not run here", history.repeatable));
    }
    for late in met.out_of_order {
        warnings.push(format!("{} has not run, and a later one has; `up` runs it with `--out-of-order`", late.path));
    }
    let checks = tool.facts().checksum.map_or_else(|| String::from("no checksums, files taken as they are"), |sum| format!("files compared by {sum}"));
    let source = (format!("{name}, by {}; {checks}", table.name), json!({"tool": name, "table": table.name}));
    Ok(Adoption { standing, source, warnings })
}

/// Every file up to a version, on the user's word, whatever `others` say.
fn baseline<'a>(version: &str, loaded: &'a Loaded, observed: &Observed, others: &[Table]) -> anyhow::Result<Adoption<'a>> {
    let last = Version::new(version).filter(|version| loaded.migrations.iter().any(|migration| migration.version == *version));
    let last = last
        .ok_or_else(|| Failure::usage("unknown-version", format!("no migration has version {version}"), "give the version of the newest file that stands"))?;
    if !observed.user_tables {
        let help = "`migrate up` runs the migrations on it";
        return Err(Failure { exit: Exit::Drift, ..Failure::usage("empty-database", "this database holds no table, so nothing stands on it", help) }.into());
    }
    let covered = loaded.migrations.iter().filter(|migration| migration.version <= last);
    let note = format!("{ADOPTED}as a baseline up to {last}, on the word of who ran `migrate adopt`");
    let standing = covered.map(|migration| Standing { migration, at: None, file: "not compared", note: note.clone() }).collect();
    let warning = |other: &Table| format!("{} looks like a history of {}, and was not asked", other.name, other.tool.name());
    let source = (format!("a baseline up to {last}; nothing was compared"), json!({"baseline": last.as_str()}));
    Ok(Adoption { standing, source, warnings: others.iter().map(warning).collect() })
}

/// Whether our history says the same already.
///
/// # Errors
/// A [`Failure`] where it holds anything and does not.
fn is_adopted(adoption: &Adoption<'_>, observed: &Observed, history_table: &str) -> Result<bool, Failure> {
    if observed.history.is_empty() {
        return Ok(false);
    }
    let ours: HashSet<String> = in_force(&observed.history).iter().filter_map(|row| Version::new(&row.version)).map(|version| version.canonical()).collect();
    match adoption.standing.iter().find(|one| !ours.contains(&one.migration.version.canonical())) {
        None => Ok(true),
        Some(one) => Err(Failure {
            exit: Exit::Drift,
            ..Failure::usage(
                "has-history",
                format!(
                    "{history_table} holds a history already, and {} {} does not stand in it; nothing was recorded",
                    one.migration.version, one.migration.name
                ),
                "only a database without a history of ours is taken over; `migrate status` shows what stands, `migrate history` where it is from",
            )
        }),
    }
}

/// Rows that say of each migration what `up` would have said, and run nothing.
fn steps(global: &Global, settings: &Settings, observed: &Observed, loaded: &Loaded, adoption: &Adoption<'_>) -> anyhow::Result<Vec<Step>> {
    let migrations: Vec<&Migration> = adoption.standing.iter().map(|one| one.migration).collect();
    let (entries, _) = judged(global, settings, observed.engine, loaded, &migrations)?;
    let assessed: HashMap<&str, _> = entries.iter().map(|entry| (entry.migration.path.as_str(), &entry.assessment)).collect();
    let step = |one: &Standing<'_>| {
        let assessment = assessed.get(one.migration.path.as_str()).ok_or_else(|| anyhow::anyhow!("{} was not judged", one.migration.path))?;
        let step = steps::up(one.migration, Vec::new(), assessment, &settings.config, observed.engine, Some(one.note.clone()))?;
        Ok(Step { course: Course::Settle(Outcome::Done), pin: None, ..step })
    };
    adoption.standing.iter().map(step).collect()
}

fn show(console: &mut Console, adoption: &Adoption<'_>, steps: &[Step]) -> std::io::Result<()> {
    print(console, &format!("{}\n", adoption.source.0))?;
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(console.width);
    table.set_header(["version", "name", "applied at", "file", "verdict"]);
    for (one, step) in adoption.standing.iter().zip(steps) {
        table.add_row([one.migration.version.as_str(), &one.migration.name, one.at.as_deref().unwrap_or("–"), one.file, step.verdict.name()]);
    }
    only_the_name_wraps(&mut table);
    for line in table.lines() {
        writeln!(console.out, "{}", line.trim_end())?;
    }
    writeln!(console.out)?;
    console.out.flush()
}

fn json_of(adoption: &Adoption<'_>, loaded: &Loaded, observed: &Observed, steps: &[Step]) -> Value {
    let adopted = adoption.standing.iter().zip(steps).map(
        |(one, step)| json!({"version": step.version, "name": step.name, "applied_at": one.at, "file": one.file.replace(' ', "-"), "verdict": step.verdict, "loss": step.loss}),
    );
    let (adopted, engine) = (adopted.collect::<Vec<_>>(), observed.engine);
    json!({"schema": 1, "engine": engine, "layout": loaded.layout, "from": adoption.source.1, "adopted": adopted, "warnings": adoption.warnings})
}
