//! `migrate redo`: undoes the newest applied migrations and runs them again, as their files stand now.

use super::attested;
use super::failure::Failure;
use super::go::{self, Plan};
use super::{Console, Global};
use crate::exit::Exit;
use crate::recover::{self, Target};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// How many
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    steps: u32,
    #[command(flatten)]
    back: go::Back,
    #[command(flatten)]
    attested: attested::Arguments,
    #[command(flatten)]
    common: go::Arguments,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    go::go(
        &arguments.back.purpose(),
        false,
        global,
        &arguments.common,
        &arguments.attested,
        console,
        |settings, engine| settings.load(engine),
        |sight| {
            let target = Target::Steps(arguments.steps as usize);
            let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &target, arguments.back.source(), sight.observed.engine)?;
            if let Some(lost) = undo.iter().find(|undo| undo.file.is_none()) {
                let message = format!("{} {} could not be run again: no file has that version", lost.applied.version, lost.applied.name);
                return Err(Failure::usage("file-missing", message, "`migrate down` undoes it without its file").into());
            }
            let mut run: Vec<_> = undo.iter().filter_map(|undo| undo.file).collect();
            run.sort_by(|a, b| a.version.cmp(&b.version));
            Ok(Plan { undo, run, nothing: String::from("nothing to do: no migration is applied") })
        },
    )
}
