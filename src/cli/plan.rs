//! `migrate plan up|down|goto`: what would run, with the locks, the consents and the pin, on the same path as the command itself up to the moment
//! of applying, over a connection that cannot write.

use super::failure::Failure;
use super::go::Purpose;
use super::settings::Settings;
use super::{Console, Format, Global, down, goto, up};
use crate::assess::{self, Judged};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::gate::{Cleared, Course, Sql, Step, wants_attestation};
use crate::lex::secret::masked;
use crate::migration::{Direction, Migration, Script, Version};
use crate::observed::Observed;
use crate::parse;
use crate::parse::manner::Manner;
use crate::recover::Undo;
use crate::recover::loss::{Question, questions};
use crate::report::Entry;
use crate::report::plan::{self, Loss, Plan, SCHEMA};
use crate::run::{Locked, Number};
use crate::schema::catalog::Catalog;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How long to count what DOWN would lose, in all; then the catalogue's estimate is all there is [default: 2s]
    #[arg(long, global = true, value_name = "TIME", value_parser = humantime::parse_duration)]
    count_limit: Option<Duration>,
    /// Write a SQL script instead, for the plain client: it takes the lock, stops where the history has moved on, and writes the history rows too
    #[arg(long, global = true, value_name = "FILE")]
    script: Option<PathBuf>,
    #[command(subcommand)]
    of: Of,
}

/// How long to count where nobody says.
pub(super) const COUNT_LIMIT: Duration = Duration::from_secs(2);

#[derive(clap::Subcommand)]
enum Of {
    /// What `up` would run
    Up(up::Arguments),
    /// What `down` would run; without a target, one step back
    Down(down::Arguments),
    /// What `goto` would run
    Goto(goto::Arguments),
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let count_limit = arguments.count_limit.unwrap_or(COUNT_LIMIT);
    let show = |command: String| Purpose::Show {
        closing: format!("nothing was done; `{command}` does it"),
        command,
        exit: Exit::Done,
        count_limit,
        script: arguments.script.clone(),
    };
    match &arguments.of {
        Of::Up(arguments) => up::run(global, arguments, &show(arguments.command()), console),
        Of::Down(arguments) => down::went(global, arguments, &show(arguments.command()), console),
        Of::Goto(arguments) => goto::run(global, arguments, &show(arguments.command()), console),
    }
}

/// What the catalog says of a plan.
pub(super) struct Known {
    /// What is known of each step's statements.
    judged: Vec<Vec<Judged>>,
    /// What DOWN would take along or stumble over; none where the history does not hold what made it.
    questions: Option<Vec<Question>>,
}

/// Judges again what the history says has run, for the locks of what is to be undone and for what that loses.
pub(super) fn known(global: &Global, settings: &Settings, observed: &Observed, undo: &[Undo<'_>], entries: &[Entry<'_>]) -> anyhow::Result<Known> {
    let of_entries = entries.iter().map(|entry| entry.assessment.statements.clone());
    if undo.is_empty() {
        return Ok(Known { judged: of_entries.collect(), questions: Some(Vec::new()) });
    }
    let mut catalog = Catalog::new(settings.target(global, observed.engine));
    settings.start(global, &mut catalog)?;
    let mut found: Vec<(i64, Vec<Judged>)> = Vec::new();
    let (mut down, mut whole) = (Vec::new(), true);
    for row in observed.in_force() {
        // What a longer text did nobody knows, nor what stands after it.
        let (Some(text), Some(version)) = (&row.up_text, Version::new(&row.version)) else {
            whole = false;
            break;
        };
        let up = parse::script(&Script::whole(text.as_str()), observed.engine);
        let Some(undo) = undo.iter().find(|undo| undo.applied.seq == row.seq) else {
            assess::follow(&mut catalog, &up);
            continue;
        };
        let back = parse::script(&undo.down, observed.engine);
        let migration = Migration {
            version,
            name: row.name.clone(),
            path: String::new(),
            down_path: None,
            up: Script::whole(text.as_str()),
            down: Some(undo.down.clone()),
            irreversible: None,
            allows: Vec::new(),
        };
        found.push((row.seq, assess::migration(&mut catalog, &migration, &up, Some(&back)).statements));
        // Newest first, as it would run.
        down.splice(0..0, back);
    }
    let of_undo = undo.iter().map(|undo| found.iter().find(|(seq, _)| *seq == undo.applied.seq).map(|(_, judged)| judged.clone()).unwrap_or_default());
    Ok(Known { judged: of_undo.chain(of_entries).collect(), questions: whole.then(|| questions(&mut catalog, &down)) })
}

/// Counts on the database what is to be counted, where that is known.
pub(super) async fn losses(locked: &mut Locked, undo: &[Undo<'_>], known: &Known, limit: Duration) -> anyhow::Result<Option<Vec<Loss>>> {
    let Some(questions) = &known.questions else { return Ok(None) };
    let numbers = locked.count(questions, limit).await?;
    let loss = |(question, number): (&Question, Number)| Loss {
        object: question.object.clone(),
        counted: question.counted,
        since: undo.iter().flat_map(|undo| &undo.applied.down_loses).any(|object| *object == question.object),
        number,
        query: question.query.clone(),
    };
    Ok(Some(questions.iter().zip(numbers).map(loss).collect()))
}

/// Copies to the folder `to` what `undo` would destroy.
pub(super) async fn save(
    console: &mut Console,
    global: &Global,
    settings: &Settings,
    observed: &Observed,
    undo: &[Undo<'_>],
    locked: &mut Locked,
    to: &Path,
) -> anyhow::Result<()> {
    let known = known(global, settings, observed, undo, &[])?;
    let Some(questions) = known.questions else {
        let message = "the history does not hold the UP of all that stands, so nobody knows what DOWN would destroy; nothing was touched";
        return Err(Failure::usage("not-known", message, "copy it aside by hand, and agree with --accept-loss").into());
    };
    let lost: Vec<Question> = questions.into_iter().filter(|question| question.counted.is_lost()).collect();
    let (file, counts) = locked.save(&lost, to).await?;
    if global.format == Format::Text && !global.quiet {
        for (question, count) in lost.iter().zip(counts) {
            writeln!(console.out, "saved {}: {count} row{}", question.object, if count == 1 { "" } else { "s" })?;
        }
        writeln!(console.out, "{} puts it back after a new `migrate up`", file.display())?;
    }
    Ok(())
}

/// Writes what was cleared as a script to the file `to`, which must be new.
pub(super) async fn script(console: &mut Console, global: &Global, locked: &mut Locked, cleared: &Cleared, command: &str, to: &Path) -> anyhow::Result<Exit> {
    let about = format!("What `{command}` runs, written by migrate {}.", env!("CARGO_PKG_VERSION"));
    let text = locked.script(cleared, &about).await?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    // A migration may set a password.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(to).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::usage("unwritable-file", format!("cannot write {}: {error}", to.display()), "name a new file"))?;
    let (file, count) = (to.display().to_string(), cleared.steps().len());
    match global.format {
        Format::Json => writeln!(console.out, "{}", json!({"schema": 1, "script": file, "steps": count}))?,
        Format::Text | Format::Markdown => {
            writeln!(console.out, "{file}: {count} migration{}; its first lines say how to run it; nothing was done", if count == 1 { "" } else { "s" })?;
        }
    }
    Ok(Exit::Done)
}

/// A plan of nothing.
pub(super) fn nothing(locked: &Locked, command: &str) -> Plan {
    // A file that is missing would be made: nobody writes to memory and leaves.
    let database = if locked.place() == "memory" { "a new SQLite database" } else { locked.place() };
    Plan {
        schema: SCHEMA,
        engine: locked.engine(),
        database: database.to_owned(),
        command: command.to_owned(),
        steps: Vec::new(),
        losses: Some(Vec::new()),
        blocked: None,
    }
}

/// The plan, whether it was `cleared` or not.
#[expect(clippy::too_many_arguments, reason = "what was found at each stage")]
pub(super) fn shown(
    locked: &Locked,
    observed: &Observed,
    command: &str,
    cleared: anyhow::Result<Cleared>,
    steps: Vec<Step>,
    undo: &[Undo<'_>],
    known: &Known,
    losses: Option<Vec<Loss>>,
) -> (Plan, Option<Failure>) {
    let (steps, blocked) = match cleared {
        Ok(cleared) => (cleared.steps().to_vec(), None),
        Err(error) => (steps, Some(Failure::of(&error))),
    };
    let mut shown: Vec<plan::Step> = steps.iter().zip(&known.judged).map(|(step, judged)| shown_step(step, judged, observed)).collect();
    shown.iter_mut().zip(undo).for_each(|(step, undo)| step.applied_at = Some(undo.applied.at.clone()));
    let reason = blocked.as_ref().map(|failure| plan::Blocked { code: failure.code, message: failure.message.clone(), help: failure.help.clone() });
    (Plan { steps: shown, losses, blocked: reason, ..nothing(locked, command) }, blocked)
}

fn shown_step(step: &Step, judged: &[Judged], observed: &Observed) -> plan::Step {
    let statement = |sql: &Sql| {
        let of: Vec<&Judged> = judged.iter().filter(|judged| judged.direction == step.direction && judged.line == sql.line).collect();
        let mut locks: Vec<&str> = Vec::new();
        for lock in of.iter().filter_map(|judged| judged.lock.as_deref()) {
            if !locks.contains(&lock) {
                locks.push(lock);
            }
        }
        plan::Statement {
            line: sql.line,
            sql: masked(&sql.text).into_owned(),
            lock: (!locks.is_empty()).then(|| locks.join(", ")),
            rewrite: of.iter().filter_map(|judged| judged.rewrite).reduce(|a, b| a || b),
            alone: sql.manner == Manner::Alone,
        }
    };
    let mut consents = Vec::new();
    if wants_attestation(step, observed) && step.attestation.is_none() && step.reason.is_none() {
        consents.push(format!("an attestation of a backup: `migrate attest {}`", step.version));
    }
    if step.takes_back() && !step.down_loses.is_empty() {
        consents.push(format!("`--accept-loss`, where anything stands in {}", step.down_loses.join(", ")));
    }
    plan::Step {
        version: step.version.clone(),
        name: step.name.clone(),
        direction: step.direction,
        path: step.statements.first().map(|sql| sql.path.clone()),
        verdict: step.verdict.name(),
        loss: step.loss.name(),
        applied_at: None,
        transaction: transaction(step, observed.engine),
        statements: step.statements.iter().map(statement).collect(),
        consents,
        pin: step.pin.as_ref().filter(|_| observed.holds_rows && step.direction == Direction::Up).map(|_| pin(observed.engine).to_owned()),
    }
}

/// How a step meets transactions.
fn transaction(step: &Step, engine: Engine) -> String {
    let alone = step.statements.iter().filter(|sql| sql.manner == Manner::Alone).count();
    match (engine.facts().transactional_ddl, step.in_transaction, alone) {
        (true, true, 0) => String::from("one transaction"),
        (true, true, alone) => format!("{alone} of {} statements commit by themselves, with a journal", step.statements.len()),
        (true, false, _) => String::from("no transaction, with a journal"),
        (false, ..) => String::from("DDL commits by itself, with a journal"),
    }
}

/// What is recorded before what destroys data.
fn pin(engine: Engine) -> &'static str {
    match engine {
        Engine::Sqlite => "a copy of the whole database is made and checked",
        Engine::Postgres => "the tables are locked, what goes is counted, and a restore point is made",
        Engine::Mysql | Engine::Mariadb => "the tables are locked, what goes is counted, and the binary log's place is recorded",
    }
}

/// Prints it; it ends as the command itself would.
pub(super) fn print(console: &mut Console, global: &Global, (shown, blocked): &(Plan, Option<Failure>), closing: &str, exit: Exit) -> anyhow::Result<Exit> {
    match global.format {
        Format::Json => writeln!(console.out, "{}", plan::json(shown))?,
        Format::Markdown => write!(console.out, "{}", plan::markdown(shown))?,
        Format::Text => {
            write!(console.out, "{}", plan::text(shown, console.width))?;
            match blocked {
                Some(failure) => writeln!(console.out, "{}", failure.help)?,
                None => writeln!(console.out, "\n{closing}")?,
            }
        }
    }
    Ok(blocked.as_ref().map_or(exit, |failure| failure.exit))
}

/// The plan of what brings a run to its end which stopped part-way; it would come before anything else.
pub(super) fn way_on(global: &Global, step: &Step, console: &mut Console) -> anyhow::Result<Exit> {
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
