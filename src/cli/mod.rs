//! One file a command; the only place that prints or exits. In: arguments. Out: an exit code.

mod adopt;
mod attest;
mod attested;
mod backup_tool;
mod check;
mod database;
mod doctor;
mod down;
mod explain;
mod failure;
mod fix;
mod generate;
mod git;
mod go;
mod goto;
mod half_done;
mod history;
mod init;
mod judge;
mod new;
mod plan;
mod progress;
mod recover;
mod redo;
mod rules;
mod settings;
mod status;
mod steps;
mod up;

use crate::exit::Exit;
use crate::target::Target;
use clap::{Args, Parser, Subcommand, ValueEnum};
use failure::Failure;
use go::Purpose;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// The stack that a thread needs which parses, in bytes: deep trees are built and dropped by recursion.
pub const STACK: usize = 256 << 20;

/// Database migrations you can take back.
#[derive(Parser)]
#[command(name = "migrate", version, about, propagate_version = true, max_term_width = 120)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args)]
#[command(next_help_heading = "Options of every command")]
struct Global {
    /// The settings' file [default: migrate.toml in this folder or one above it]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The migrations' folder [default: migrations]
    #[arg(long, global = true, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The database, as a URL: sqlite:FILE, postgres://…, mysql://…, mariadb://…
    #[arg(long, global = true, value_name = "URL", env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// The engine, and the oldest release that runs the migrations: postgres, postgres@15 [default: from migrate.toml, the URL, a folder's
    /// or file's name]
    #[arg(long, global = true, value_name = "ENGINE[@RELEASE]")]
    engine: Option<Target>,
    /// How the files are laid out [default: found by their shape]
    #[arg(long, global = true, value_name = "LAYOUT")]
    layout: Option<String>,
    /// The history table [default: migrate_history]
    #[arg(long, global = true, value_name = "TABLE")]
    history_table: Option<String>,
    /// What stood before the first migration: `pg_dump -s`, `mariadb-dump -d` or `.schema`
    #[arg(long, global = true, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// How to print
    #[arg(long, global = true, value_enum, default_value = "text")]
    format: Format,
    /// When to use colours
    #[arg(long, global = true, value_enum, default_value = "auto")]
    color: Colour,
    /// Only what stops the gate
    #[arg(short, long, global = true)]
    quiet: bool,
    /// Notes as well; on a database, each statement as it begins (on stderr)
    #[arg(short, long, global = true)]
    verbose: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand)]
enum Command {
    /// Judge migrations without a database: can each be undone, and what is lost?
    #[command(after_help = "Example:\n  migrate check --since origin/main")]
    Check(check::Arguments),
    /// Show what would run, with its locks, consents and losses; touches nothing
    #[command(
        after_help = "Examples:\n  migrate plan up\n  migrate plan down --to 20240115\n  migrate plan up --format markdown | gh pr comment --body-file -"
    )]
    Plan(plan::Arguments),
    /// Run what is pending, after the gate
    #[command(after_help = "Examples:\n  migrate up --database sqlite:app.db\n  migrate up --to 20240116 --attestation backup.json")]
    Up(up::Arguments),
    /// Undo what is applied, newest first; without a target, only show what it would do
    #[command(after_help = "Examples:\n  migrate down\n  migrate down --to 20240115 --accept-loss users.email")]
    Down(down::Arguments),
    /// Make one version the newest applied one, whichever way that is
    #[command(after_help = "Example:\n  migrate goto 20240115")]
    Goto(goto::Arguments),
    /// Undo the newest applied migrations and run them again
    #[command(after_help = "Example:\n  migrate redo --steps 2")]
    Redo(redo::Arguments),
    /// Write down, signed, that a backup covers this database and these migrations
    #[command(after_help = "Example:\n  migrate attest 20240117 --tool pgbackrest --run --sign-key ~/.ssh/id_ed25519")]
    Attest(attest::Arguments),
    /// Show files and history side by side, and how far back DOWN reaches
    #[command(after_help = "Example:\n  migrate status --database postgres://app@localhost/app")]
    Status,
    /// Say whether a database is what its migrations made, and what to do where not
    #[command(
        after_help = "Examples:\n  migrate doctor --database postgres://app@localhost/app\n  migrate doctor --accept-edit 20240116 --reason 'a comment became a hint'"
    )]
    Doctor(doctor::Arguments),
    /// Show all that ever ran, and the DOWN that was stored with it
    #[command(after_help = "Example:\n  migrate history --down 20240116 > down.sql")]
    History(history::Arguments),
    /// Print the commands that bring back what a migration destroyed
    #[command(after_help = "Example:\n  migrate recover 20240117 --format markdown > runbook.md")]
    Recover(recover::Arguments),
    /// Write migrate.toml for a project as it stands
    #[command(after_help = "Examples:\n  migrate init\n  migrate init --engine postgres --layout golang-migrate --dir db/migrations")]
    Init,
    /// Take over a database that another tool has run until now
    #[command(after_help = "Examples:\n  migrate adopt --database postgres://app@localhost/app\n  migrate adopt --baseline 20240116")]
    Adopt(adopt::Arguments),
    /// Make a new migration's file
    #[command(after_help = "Example:\n  migrate new add_email")]
    New(new::Arguments),
    /// Print the reversibility table
    #[command(after_help = "Example:\n  migrate rules --format markdown")]
    Rules,
    /// Explain a rule: what is lost, the way back, the safer way
    #[command(after_help = "Examples:\n  migrate explain drop-column\n  migrate explain attestation")]
    Explain(explain::Arguments),
    /// Print a shell's completions
    #[command(
        after_help = "Examples:\n  migrate completions bash > ~/.local/share/bash-completion/completions/migrate\n  migrate completions zsh > ~/.zfunc/_migrate"
    )]
    Completions(generate::Completions),
    /// Write the manual's pages, one for each command
    #[command(after_help = "Example:\n  migrate man ~/.local/share/man/man1")]
    Man(generate::Man),
}

/// Where a command prints, and how.
struct Console {
    out: anstream::Stdout,
    colour: bool,
    width: u16,
}

/// The width of text that no terminal shows.
const PIPED_WIDTH: u16 = 80;

impl Console {
    fn new(global: &Global) -> Console {
        let terminal = std::io::stdout().is_terminal();
        let colour = match global.color {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()) && std::env::var_os("TERM").is_none_or(|t| t != "dumb"),
        };
        let columns = comfy_table::Table::new().width().filter(|_| terminal).unwrap_or(PIPED_WIDTH);
        Console { out: anstream::Stdout::always(std::io::stdout()), colour, width: columns.clamp(72, 120) }
    }
}

/// Runs the command that the arguments name, and says how it ended.
pub fn main() -> u8 {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // clap's own texts go where they belong: help to stdout, errors to stderr.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.code() } else { Exit::Done.code() };
        }
    };
    if cli.global.verbose {
        trace();
    }
    let mut console = Console::new(&cli.global);
    match run(&cli, &mut console) {
        Ok(exit) => exit.code(),
        // The reader went away (`migrate check | head`): nobody is there to tell.
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) => Exit::Done.code(),
        Err(error) => Failure::of(&error).print(cli.global.format == Format::Json, console.colour),
    }
}

/// Lets our own modules tell on stderr what they do. Those of the driver stay silent: nobody has looked whether they keep a password.
fn trace() {
    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::util::SubscriberInitExt;
    use tracing_subscriber::{Layer, filter::Targets, fmt};
    let ours = Targets::new().with_target(env!("CARGO_CRATE_NAME"), tracing::Level::INFO);
    let layer = fmt::layer().with_writer(std::io::stderr).with_target(false).with_ansi(false).with_filter(ours);
    // Another subscriber is there only where this is a library in somebody else's program.
    let _ = tracing_subscriber::registry().with(layer).try_init();
}

fn run(cli: &Cli, console: &mut Console) -> anyhow::Result<Exit> {
    let exit = match &cli.command {
        Command::Check(arguments) => check::run(&cli.global, arguments, console),
        Command::Plan(arguments) => plan::run(&cli.global, arguments, console),
        Command::Up(arguments) => up::run(&cli.global, arguments, &Purpose::Run { save_lost: None }, console),
        Command::Down(arguments) => down::run(&cli.global, arguments, console),
        Command::Goto(arguments) => goto::run(&cli.global, arguments, &arguments.purpose(), console),
        Command::Redo(arguments) => redo::run(&cli.global, arguments, console),
        Command::Attest(arguments) => attest::run(&cli.global, arguments, console),
        Command::Status => status::run(&cli.global, console),
        Command::Doctor(arguments) => doctor::run(&cli.global, arguments, console),
        Command::History(arguments) => history::run(&cli.global, arguments, console),
        Command::Recover(arguments) => recover::run(&cli.global, arguments, console),
        Command::Init => init::run(&cli.global, console),
        Command::Adopt(arguments) => adopt::run(&cli.global, arguments, console),
        Command::New(arguments) => new::run(&cli.global, arguments, console),
        Command::Rules => rules::run(&cli.global, console),
        Command::Explain(arguments) => explain::run(arguments, console),
        Command::Completions(arguments) => generate::completions(arguments, console),
        Command::Man(arguments) => generate::man(arguments, console),
    }?;
    console.out.flush()?;
    Ok(exit)
}
