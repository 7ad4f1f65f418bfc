//! `migrate down`: undoes what is applied, newest applied first; without a target it only shows what it would do.

use super::failure::Failure;
use super::go::{self, Plan, Purpose};
use super::{Console, Global};
use super::{attested, plan};
use crate::exit::Exit;
use crate::migration::Version;
use crate::recover::{self, Target};

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

impl Arguments {
    /// The command as one writes it.
    pub(super) fn command(&self) -> String {
        match &self.to {
            Some(to) => format!("migrate down --to {to}"),
            None => format!("migrate down --steps {}", self.steps.unwrap_or(1)),
        }
    }
}

/// Without a target it shows one step back. Nothing is done then, which is why the exit code says blocked.
pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let closing = String::from("nothing was done; say how far back: `--steps N` or `--to VERSION`");
    let purpose = match (&arguments.to, arguments.steps) {
        (None, None) if arguments.back.saves() => {
            return Err(Failure::usage("how-far", "how far back?", "`--save-lost` goes with `--steps N` or `--to VERSION`").into());
        }
        (None, None) => Purpose::Show { command: arguments.command(), closing, exit: Exit::Blocked, count_limit: plan::COUNT_LIMIT, script: None },
        _ => arguments.back.purpose(),
    };
    went(global, arguments, &purpose, console)
}

/// The same, to run or to show.
pub(super) fn went(global: &Global, arguments: &Arguments, purpose: &Purpose, console: &mut Console) -> anyhow::Result<Exit> {
    let target = match &arguments.to {
        Some(text) => {
            let unknown = || Failure::usage("unknown-version", format!("`{text}` is no version"), "`migrate status` lists them");
            Target::Version(Version::new(text).ok_or_else(unknown)?)
        }
        None => Target::Steps(arguments.steps.unwrap_or(1) as usize),
    };
    let nothing = if arguments.to.is_some() || arguments.steps.is_some() { "do: nothing is applied after that" } else { "undo: no migration is applied" };
    go::go(purpose, false, global, &arguments.common, &attested::Arguments::default(), console, go::load_or_none, |sight| {
        let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &target, arguments.back.source(), sight.observed.engine)?;
        Ok(Plan { undo, run: Vec::new(), nothing: format!("nothing to {nothing}") })
    })
}
