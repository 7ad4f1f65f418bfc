//! `migrate doctor`: whether a database is what its history and the files say, and whether its server is fit for a way back. It writes nothing but
//! what is asked for by name.

use super::database::{Database, Waiting, block_on};
use super::failure::Failure;
use super::go::{judged, load_or_none};
use super::settings::Settings;
use super::{Console, Format, Global, judge, steps};
use crate::assess;
use crate::exit::Exit;
use crate::gate::history::{self, Compared, Drift, State};
use crate::gate::{self, Consents, Course, Step};
use crate::migration::{Migration, Script, Version};
use crate::observed::{ACCEPTED, Observed, Outcome};
use crate::parse;
use crate::read::Loaded;
use crate::run::{Advice, Locked, WAYS_ON};
use crate::schema::catalog::Catalog;
use crate::schema::diff::{self, Difference};
use crate::schema::reconcile::reconcile;
use serde_json::json;
use std::io::{IsTerminal, Write};
use textwrap::{Options, WordSplitter, fill};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Take the file of this version as what ran, though it was changed since: shows the difference, and asks
    #[arg(long, value_name = "VERSION", conflicts_with = "record")]
    accept_edit: Option<String>,
    /// Take this version as applied, though it did not run here: what it makes stands already
    #[arg(long, value_name = "VERSION", requires = "reason")]
    record: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Write without asking
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    waiting: Waiting,
}

/// What is not well.
struct Found {
    /// None where a run stopped part-way: what stands of it no migration left.
    differences: Option<Vec<Difference>>,
    /// Differences in what a statement touches that cannot be followed.
    unsure: usize,
    history: Vec<Told>,
    advice: Vec<Advice>,
    applied: usize,
}

/// What the history says that the files do not.
#[derive(serde::Serialize)]
struct Told {
    code: &'static str,
    message: String,
    help: String,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    let loaded = load_or_none(&settings, database.engine)?;
    block_on(async |interrupt| {
        let repairs = arguments.accept_edit.is_some() || arguments.record.is_some();
        let mut locked = match repairs {
            true => database.connect(false, &interrupt, &arguments.waiting, &settings).await?.lock(&database.history_table).await?,
            false => database.look(&interrupt).await?.to_look(&database.history_table).await?,
        };
        let done = match repairs {
            true => repair(global, arguments, &settings, &loaded, console, &mut locked).await,
            false => look(global, &settings, &loaded, &mut locked).await.and_then(|found| Ok(say(console, global, &found)?)),
        };
        locked.release().await;
        done
    })
}

async fn look(global: &Global, settings: &Settings, loaded: &Loaded, locked: &mut Locked) -> anyhow::Result<Found> {
    let observed = locked.observe().await?;
    let compared = history::compare(&loaded.migrations, &observed.history, observed.engine);
    let others: Vec<String> = locked.foreign_histories().await?.into_iter().map(|table| table.name).collect();
    let (differences, unsure) = match observed.half_done {
        Some(_) => (None, 0),
        None => {
            let live = locked.schema().await?;
            let (differences, unsure) = differences(global, settings, &observed, &live, &others)?;
            (Some(differences), unsure)
        }
    };
    Ok(Found { differences, unsure, history: told(&compared, &observed), advice: locked.health().await?, applied: observed.in_force().len() })
}

/// What stands otherwise than the applied migrations left it; and how many differences are not told, for nobody can follow what made them.
fn differences(global: &Global, settings: &Settings, observed: &Observed, live: &str, others: &[String]) -> anyhow::Result<(Vec<Difference>, usize)> {
    let target = settings.target(global, observed.engine);
    let (mut model, mut stands) = (Catalog::new(target), Catalog::new(target));
    settings.start(global, &mut model)?;
    for row in observed.in_force() {
        let Some(text) = &row.up_text else {
            let message = format!("the history does not hold the UP of {} {}: it was longer than 1 MiB", row.version, row.name);
            return Err(Failure::usage("no-up", message, "give what stood after it with --schema, and the rest is compared from there").into());
        };
        assess::follow(&mut model, &parse::script(&Script::whole(text.as_str()), observed.engine));
    }
    judge::start(&mut stands, live);
    reconcile(&model, &mut stands);
    let mut found = diff::apart(&model, &stands);
    found.retain(|one| !others.iter().any(|other| one.object == *other || one.object.starts_with(&format!("{other}."))));
    let all = found.len();
    found.retain(|one| !model.is_unseen(&one.object));
    let unsure = all - found.len();
    found.iter_mut().for_each(|one| one.what = in_the_database(&one.what));
    Ok((found, unsure))
}

/// What `check` says of a DOWN, said of a database.
fn in_the_database(what: &str) -> String {
    match what {
        "is not restored" => String::from("is missing in the database"),
        "is left behind" => String::from("stands in the database, and no migration made it"),
        "comes back with another definition" => String::from("has another definition in the database"),
        _ => match what.split_once("comes back") {
            Some((before, after)) => format!("{before}stands{after} in the database"),
            None => what.replace("is not restored", "is missing in the database").replace(" stays", " stands in the database, and no migration made it"),
        },
    }
}

/// Where files and history do not fit together.
fn told(compared: &Compared<'_>, observed: &Observed) -> Vec<Told> {
    let mut all = Vec::new();
    if let Some(half) = &observed.half_done {
        let (row, stands) = (&half.row, half.stands);
        let message = format!("{} of {} {} stopped part-way; {stands} of its statements stand", row.direction.name(), row.version, row.name);
        all.push(Told { code: "half-done", message, help: format!("`migrate up` says more, and {WAYS_ON}") });
    }
    for (migration, state) in &compared.files {
        let (code, message, help) = match state {
            State::Applied(_) | State::Pending => continue,
            State::Reworded(_) => continue,
            State::Edited(row) => (
                "edited",
                format!("{} was changed after it ran on {}", migration.path, row.at),
                format!("put the file back as it was, or take it as it is: `migrate doctor --accept-edit {}`", migration.version),
            ),
            State::OutOfOrder => (
                "out-of-order",
                format!("{} has not run, and a later one has", migration.path),
                format!(
                    "run it: `migrate up --out-of-order`; or, where what it makes stands already: `migrate doctor --record {} --reason TEXT`",
                    migration.version
                ),
            ),
        };
        all.push(Told { code, message, help });
    }
    for row in &compared.missing {
        let message = format!("{} {} ran on {}, and no file has that version", row.version, row.name, row.at);
        let help = format!("is this the right folder and branch? `migrate history` shows it, `migrate history --down {}` its DOWN", row.version);
        all.push(Told { code: "file-missing", message, help });
    }
    all
}

fn say(console: &mut Console, global: &Global, found: &Found) -> std::io::Result<Exit> {
    let exit = if found.differences.as_ref().is_some_and(Vec::is_empty) && found.history.is_empty() { Exit::Done } else { Exit::Drift };
    if global.format == Format::Json {
        let body = json!({"schema": 1, "differences": found.differences, "not_followed": found.unsure, "history": found.history, "advice": found.advice});
        writeln!(console.out, "{body}")?;
        return Ok(exit);
    }
    let width = usize::from(console.width);
    let mut line = |first: &str, text: &str| {
        let rest = " ".repeat(first.len());
        writeln!(
            console.out,
            "{}",
            fill(text, Options::new(width).initial_indent(first).subsequent_indent(&rest).break_words(false).word_splitter(WordSplitter::NoHyphenation))
        )
    };
    let differences = found.differences.as_deref().unwrap_or_default();
    match differences.len() {
        _ if found.differences.is_none() => line("schema: ", "not compared, for a run stopped part-way")?,
        0 => line("schema: ", &format!("as the {} applied migrations left it", found.applied))?,
        count => line("schema: ", &format!("{count} difference{} from what the {} applied migrations left", if count == 1 { "" } else { "s" }, found.applied))?,
    }
    for one in differences {
        line("  * ", &format!("{} {}", one.object, one.what))?;
    }
    if !differences.is_empty() {
        line("  = ", "write a migration that makes them so, or put the database back; what somebody changed by hand no DOWN knows")?;
    }
    if found.unsure > 0 {
        line("  - ", &format!("{} more are not told: a statement that cannot be followed (a DO block, say) speaks of these things", found.unsure))?;
    }
    line("history: ", if found.history.is_empty() { "fits the files" } else { "does not fit the files" })?;
    for one in &found.history {
        line("  * ", &one.message)?;
        line("    = ", &one.help)?;
    }
    line("server: ", if found.advice.is_empty() { "fit for a pin and a way back" } else { "not all that a way back needs" })?;
    for one in &found.advice {
        line("  * ", &one.message)?;
        line("    = ", one.help)?;
    }
    Ok(exit)
}

/// Writes to the history what was asked for.
async fn repair(
    global: &Global,
    arguments: &Arguments,
    settings: &Settings,
    loaded: &Loaded,
    console: &mut Console,
    locked: &mut Locked,
) -> anyhow::Result<Exit> {
    let observed = locked.observe().await?;
    let compared = history::compare(&loaded.migrations, &observed.history, observed.engine);
    let wanted = arguments.accept_edit.as_ref().or(arguments.record.as_ref()).and_then(|text| Version::new(text));
    let of = compared.files.iter().find(|(migration, _)| Some(&migration.version) == wanted.as_ref());
    let Some((migration, state)) = of else {
        return Err(Failure::usage("unknown-version", "no file has that version", "`migrate status` lists them").into());
    };
    let (question, note) = match (state, arguments.accept_edit.is_some()) {
        (State::Edited(_), true) => {
            if let Err(drift @ Drift::Edited { .. }) = compared_alone(migration, &observed) {
                writeln!(console.out, "{drift}")?;
            }
            ("take the file as what ran", format!("{ACCEPTED}{}", arguments.reason.as_deref().unwrap_or("without a reason")))
        }
        (State::Pending | State::OutOfOrder, false) => {
            ("take it as applied, without running it", String::from("recorded by hand: what it makes stood already"))
        }
        (_, true) => {
            return Err(Failure::usage("not-edited", format!("{} is not edited after it ran", migration.path), "`migrate doctor` tells what is").into());
        }
        (_, false) => {
            return Err(Failure::usage("already-applied", format!("{} is applied already", migration.path), "`migrate status` lists what is").into());
        }
    };
    console.out.flush()?;
    if !arguments.yes && !agreed(question)? {
        let message = format!("{}: nothing was recorded", migration.path);
        return Err(Failure { exit: Exit::Blocked, ..Failure::usage("not-agreed", message, "say `--yes` to record it without a question") }.into());
    }
    let step = recorded(global, settings, &observed, loaded, migration, note, arguments.reason.clone())?;
    let cleared = gate::clear(vec![step], &observed, &[], &Consents::default())?;
    locked.record(cleared).await?;
    match global.format {
        Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "recorded": migration.version.as_str()}))?,
        Format::Text | Format::Markdown => writeln!(console.out, "{} {} is recorded as the file says it; nothing was run", migration.version, migration.name)?,
    }
    Ok(Exit::Done)
}

/// What differs in one edited migration, in the words of the refusal to run.
fn compared_alone(migration: &Migration, observed: &Observed) -> Result<(), Drift> {
    let alone: Vec<_> = observed.in_force().into_iter().filter(|row| Version::new(&row.version).as_ref() == Some(&migration.version)).cloned().collect();
    history::compare(std::slice::from_ref(migration), &alone, observed.engine).pending(true).map(|_| ())
}

/// Asks on the terminal; where there is none, nobody agreed.
fn agreed(question: &str) -> std::io::Result<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(false);
    }
    write!(std::io::stderr(), "{question}? type yes: ")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

/// A step that runs nothing and says what `up` would have said.
fn recorded(
    global: &Global,
    settings: &Settings,
    observed: &Observed,
    loaded: &Loaded,
    migration: &Migration,
    note: String,
    reason: Option<String>,
) -> anyhow::Result<Step> {
    let (entries, _) = judged(global, settings, observed.engine, loaded, &[migration])?;
    let entry = entries.first().ok_or_else(|| anyhow::anyhow!("{} was not judged", migration.path))?;
    let step = steps::up(migration, Vec::new(), &entry.assessment, &settings.config, observed.engine, Some(note))?;
    Ok(Step { course: Course::Settle(Outcome::Done), pin: None, reason, ..step })
}
