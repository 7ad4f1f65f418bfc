//! `migrate recover VERSION`: the runbook that brings back what a migration destroyed. Works from the database alone; writes only with `--execute`.

use super::database::{Database, Waiting, block_on};
use super::failure::Failure;
use super::settings::Settings;
use super::{Console, Format, Global};
use crate::backup::{self, Tool};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::gate::attestation;
use crate::migration::{Direction, Script, Version};
use crate::observed::{ACCEPTED, Applied, Outcome};
use crate::parse;
use crate::pin::{Pin, Place, Snapshot};
use crate::recover::by_down;
use crate::recover::mariadb;
use crate::recover::postgres::{self, Source};
use crate::recover::runbook::{Route, Runbook, quoted};
use crate::recover::sqlite::{self, Numbers, Repair, Story, Table};
use crate::report::runbook;
use serde_json::json;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The migration that destroyed something
    #[arg(value_name = "VERSION")]
    of: String,
    /// Which way back to print commands for [default: the first one that leads there]
    #[arg(long, value_name = "ROUTE", value_enum)]
    route: Option<Way>,
    /// Bring back what is lost, as the selective repair would; on SQLite only
    #[arg(long)]
    execute: bool,
    #[command(flatten)]
    backup: Backup,
    #[command(flatten)]
    waiting: Waiting,
}

/// Where the backup is that a server is recovered from.
#[derive(clap::Args)]
#[group(skip)]
struct Backup {
    /// The tool that made the backup [default: what was attested when the migration ran]
    #[arg(long, value_name = "TOOL", value_parser = TOOLS.map(Tool::name))]
    backup_tool: Option<String>,
    /// The backup: the folder of pg_basebackup, mariadb-backup or XtraBackup (`generic`, for MySQL), or the label of pgBackRest's
    #[arg(long, value_name = "FOLDER|LABEL")]
    backup: Option<String>,
    /// The folder that archive_command copies the log to (pg_basebackup), or that holds the binary logs where the server does not (mariadb-backup)
    #[arg(long, value_name = "FOLDER", conflicts_with = "restore_command")]
    archive: Option<String>,
    /// For pg_basebackup: what fetches a segment of the log, with %f and %p, where it is more than a copy from a folder
    #[arg(long, value_name = "COMMAND")]
    restore_command: Option<String>,
    /// For pgBackRest: the stanza
    #[arg(long, value_name = "NAME")]
    stanza: Option<String>,
    /// Where a second cluster is made [default: /var/tmp/migrate-recover-VERSION]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<String>,
}

/// The tools from whose backups a way back is known; of the generic ones that is XtraBackup's, for MySQL.
const TOOLS: [Tool; 4] = [Tool::PgBasebackup, Tool::PgBackRest, Tool::MariadbBackup, Tool::Generic];

impl Backup {
    /// Where a second server is made.
    fn folder(&self, applied: &Applied) -> String {
        self.folder.as_deref().map_or_else(|| format!("/var/tmp/migrate-recover-{}", applied.version), absolute)
    }

    /// The backup that the flags name, or else the one that was attested when the migration ran.
    fn found(&self, applied: &Applied) -> anyhow::Result<Found> {
        let attested = attestation::recorded(applied).map(|(_, statement)| statement.predicate);
        let (backup, log) = attested.map(|attested| (attested.backup, attested.log)).unzip();
        let named = self.backup_tool.as_deref().and_then(Tool::from_name);
        let tool = named.or(backup.as_ref().map(|backup| backup.tool)).ok_or_else(|| missing("name it, and its tool"))?;
        // Of another tool's backup nothing fits.
        let backup = backup.filter(|backup| backup.tool == tool);
        let log = log.flatten().filter(|_| backup.is_some());
        let by_label = tool == Tool::PgBackRest;
        let attested = |backup: &backup::Backup| if by_label { backup.label.clone() } else { backup.location.clone() };
        let of_flag = |name: &String| if by_label { name.clone() } else { absolute(name) };
        let name = self.backup.as_ref().map(of_flag).or_else(|| backup.as_ref().map(attested)).ok_or_else(|| missing("name it"))?;
        let stanza = self.stanza.clone().or_else(|| backup.as_ref().filter(|_| by_label).map(|backup| backup.location.clone()));
        let archive = self.archive.as_deref().map(absolute).or_else(|| log.and_then(|log| log.location).filter(|_| tool == Tool::PgBasebackup));
        Ok(Found { tool, name, stanza, archive, restore_command: self.restore_command.clone() })
    }
}

/// A path as it is from everywhere: whoever runs the commands may stand somewhere else.
fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |path| path.display().to_string())
}

/// A backup, as far as it is known.
struct Found {
    tool: Tool,
    /// A folder, or pgBackRest's label.
    name: String,
    stanza: Option<String>,
    archive: Option<String>,
    restore_command: Option<String>,
}

impl Found {
    /// For PostgreSQL.
    fn postgres(self) -> anyhow::Result<Source> {
        match self.tool {
            Tool::PgBasebackup => {
                let of_folder = self
                    .archive
                    .as_ref()
                    .filter(|_| self.restore_command.is_none())
                    .map(|folder| format!("cp {}/%f \"%p\"", quoted(folder).replace('%', "%%")));
                let restore_command = of_folder.clone().or(self.restore_command).ok_or_else(|| missing("name the archive of its log"))?;
                Ok(Source::BaseBackup { backup: self.name, restore_command, of_folder: of_folder.is_some() })
            }
            Tool::PgBackRest => Ok(Source::PgBackRest { stanza: self.stanza.ok_or_else(|| missing("name the stanza"))?, label: self.name }),
            Tool::MariadbBackup | Tool::PgDump | Tool::MariadbDump | Tool::Generic => Err(self.unknown().into()),
        }
    }

    /// For MariaDB, and for MySQL, whose backup by XtraBackup is attested in the generic form.
    fn mariadb(&self, engine: Engine) -> anyhow::Result<&str> {
        let known = if engine == Engine::Mysql { Tool::Generic } else { Tool::MariadbBackup };
        if self.tool == known { Ok(&self.name) } else { Err(self.unknown().into()) }
    }

    fn unknown(&self) -> Failure {
        missing(&format!(
            "no commands are known for the one of {} at {}, so restore it beside the database by hand; or name another",
            self.tool.name(),
            self.name
        ))
    }
}

#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Way {
    /// What was lost alone; what was written since stays
    Selective,
    /// The whole database as it stood; what was written since goes
    Whole,
}

impl Way {
    fn route(self) -> Route {
        match self {
            Way::Selective => Route::SelectiveRepair,
            Way::Whole => Route::Whole,
        }
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let settings = Settings::new(global)?;
    let database = Database::new(global, &settings)?;
    if arguments.execute && (database.engine != Engine::Sqlite || arguments.route == Some(Way::Whole)) {
        let message = "`--execute` brings back what is lost on SQLite; a server, or the whole, is brought back by the commands that are printed";
        return Err(Failure::usage("cannot-execute", message, "leave out `--execute`, and run the commands").into());
    }
    block_on(async |interrupt| {
        let mut session = match arguments.execute {
            true => database.connect(false, &interrupt, &arguments.waiting, &settings).await?,
            false => database.look(&interrupt).await?,
        };
        let history = session.history(&database.history_table).await?;
        let applied = applied(&history, &arguments.of)?;
        let pin = pin(&history, applied)?;
        let copy = match &pin.place {
            Place::Snapshot(copy) => copy,
            Place::Binlog(log) => {
                let live = session.live_mariadb(log).await?;
                let place = session.place().to_owned();
                session.close().await;
                let (found, folder) = (arguments.backup.found(applied)?, arguments.backup.folder(applied));
                let story = mariadb::Story {
                    engine: database.engine,
                    applied,
                    pin: &pin,
                    log,
                    place: &place,
                    history_table: &database.history_table,
                    backup: found.mariadb(database.engine)?,
                    archive: found.archive.as_deref(),
                    folder: &folder,
                    live: &live,
                    down: by_down(&history, applied, database.engine),
                    route: arguments.route.map(Way::route),
                };
                return commanded(console, global, &mariadb::runbook(&story));
            }
            Place::Wal(wal) => {
                let live = session.live(wal, &database.history_table).await?;
                let place = session.place().to_owned();
                session.close().await;
                let source = arguments.backup.found(applied)?.postgres()?;
                let folder = arguments.backup.folder(applied);
                let story = postgres::Story {
                    applied,
                    pin: &pin,
                    wal,
                    place: &place,
                    history_table: &database.history_table,
                    source: &source,
                    folder: &folder,
                    live: &live,
                    down: by_down(&history, applied, database.engine),
                    route: arguments.route.map(Way::route),
                };
                return commanded(console, global, &postgres::runbook(&story));
            }
        };
        let up = up(applied)?;
        let find = |before: &[Table], now: &[Table]| sqlite::repairs(&parse::script(&up, Engine::Sqlite), before, now, &applied.version);
        // The history's own rows, and its journal's, are nobody's data.
        let own = database.history_table.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
        if arguments.execute {
            let mut locked = session.lock(&database.history_table).await?;
            let repaired = locked.repair(copy, &find).await;
            locked.release().await;
            say(console, global, &repaired?, copy)?;
            return Ok(Exit::Done);
        }
        let mut beside = session.beside(copy, &find).await?;
        session.close().await;
        beside.since.retain(|(since, _)| ![own.clone(), format!("{own}_journal")].contains(&since.table.to_ascii_lowercase()));
        let story = Story {
            applied,
            pin: &pin,
            copy,
            database: &beside.database,
            history_table: &database.history_table,
            repairs: &beside.repairs,
            since: &beside.since,
            down: by_down(&history, applied, database.engine),
            route: arguments.route.map(Way::route),
        };
        print(console, global, &sqlite::runbook(&story))?;
        Ok(Exit::Done)
    })
}

fn missing(what: &str) -> Failure {
    let message = format!("which backup from before is to be used? {what}");
    let help = "`--backup-tool pg_basebackup --backup FOLDER --archive FOLDER`, `--backup-tool pgbackrest --backup LABEL --stanza NAME`, or \
                `--backup-tool mariadb-backup --backup FOLDER`; one that was attested needs none of these";
    Failure { exit: Exit::Blocked, ..Failure::usage("which-backup", message, help) }
}

/// The newest row of UP of that version.
fn applied<'a>(history: &'a [Applied], version: &str) -> anyhow::Result<&'a Applied> {
    let wanted = Version::new(version);
    let is = |row: &&Applied| {
        let ran = row.direction == Direction::Up && row.outcome != Outcome::Undone && !row.note.as_deref().is_some_and(|note| note.starts_with(ACCEPTED));
        ran && Version::new(&row.version) == wanted
    };
    let row = history.iter().rev().find(is).filter(|_| wanted.is_some());
    row.ok_or_else(|| Failure::usage("not-applied", format!("version {version} never ran on this database"), "`migrate history` lists what did").into())
}

/// Where the database stood before `applied`. Where that run stopped part-way and another one ended it, the first one's row says so.
fn pin(history: &[Applied], applied: &Applied) -> anyhow::Result<Pin> {
    let of_run = history
        .iter()
        .rev()
        .skip_while(|row| row.seq > applied.seq)
        .take_while(|row| row.seq == applied.seq || row.version == applied.version && row.outcome != Outcome::Done && row.outcome != Outcome::Undone);
    let Some(text) = of_run.filter_map(|row| row.pin.as_ref()).next() else {
        let message =
            format!("nothing was recorded of the database before {} {} ran ({}, loss: {})", applied.version, applied.name, applied.verdict, applied.loss);
        let help = "where it destroyed nothing, `migrate down` is the way back; else a backup from before is, or `migrate explain recover`";
        return Err(Failure { exit: Exit::Blocked, ..Failure::usage("no-pin", message, help) }.into());
    };
    Pin::read(text).map_err(|why| {
        let message = format!("what was recorded before {} {} cannot be read: {why}", applied.version, applied.name);
        Failure { exit: Exit::Drift, ..Failure::usage("bad-pin", message, "`migrate history --format json` shows it") }.into()
    })
}

/// The UP that ran.
fn up(applied: &Applied) -> anyhow::Result<Script> {
    let text = applied.up_text.as_deref().ok_or_else(|| {
        let message = format!("the history does not hold the UP of {}: it was longer than 1 MiB", applied.version);
        Failure { exit: Exit::Blocked, ..Failure::usage("no-up", message, "restore from the copy by hand") }
    })?;
    Ok(Script::whole(text))
}

/// Prints a runbook that is nothing without commands.
fn commanded(console: &mut Console, global: &Global, book: &Runbook) -> anyhow::Result<Exit> {
    print(console, global, book)?;
    Ok(if book.commands.is_empty() { Exit::Blocked } else { Exit::Done })
}

fn print(console: &mut Console, global: &Global, book: &Runbook) -> std::io::Result<()> {
    match global.format {
        Format::Json => writeln!(console.out, "{}", runbook::json(book)),
        Format::Markdown => write!(console.out, "{}", runbook::markdown(book)),
        Format::Text => write!(console.out, "{}", runbook::text(book, usize::from(console.width))),
    }
}

fn say(console: &mut Console, global: &Global, repaired: &[(Repair, Numbers)], copy: &Snapshot) -> std::io::Result<()> {
    if global.format == Format::Json {
        let all: Vec<_> = repaired.iter().map(|(repair, numbers)| json!({"object": repair.object, "how": repair.how, "lost": numbers.lost})).collect();
        return writeln!(console.out, "{}", json!({"schema": 1, "repaired": all}));
    }
    for (repair, numbers) in repaired {
        writeln!(console.out, "{}: {} brought back; {}", repair.object, numbers.lost, repair.how)?;
    }
    match repaired.is_empty() {
        true => writeln!(console.out, "nothing of {} is missing in the database", copy.file.display()),
        false => writeln!(console.out, "all of it was found; make a new backup, and write a migration that says what stands now"),
    }
}
