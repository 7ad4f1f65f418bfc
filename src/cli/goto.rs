//! `migrate goto`: makes one version the newest applied one, whichever way that is.

use super::go::{self, Plan, Sight, known_version};
use super::{Console, Global};
use crate::exit::Exit;
use crate::migration::Migration;
use crate::recover::{self, Target, Undo};

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// The version to end at; 0 is before the first
    #[arg(value_name = "VERSION")]
    target: String,
    /// Run also what is older than something that has run
    #[arg(long)]
    out_of_order: bool,
    #[command(flatten)]
    back: go::Back,
    #[command(flatten)]
    common: go::Arguments,
}

pub(super) fn run(global: &Global, arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    go::go(global, &arguments.common, &arguments.back.consents(), console, go::load_or_none, |sight| {
        let source = arguments.back.source();
        let (undo, run) = if arguments.target == "0" {
            (recover::route(&sight.observed.history, &sight.loaded.migrations, &Target::Everything, source, sight.observed.engine)?, Vec::new())
        } else {
            let version = known_version(&arguments.target, sight)?;
            let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &Target::Newer(version.clone()), source, sight.observed.engine)?;
            let run = if undo.is_empty() { sight.compared.pending(arguments.out_of_order)? } else { left_out(sight, &undo) };
            (undo, run.into_iter().filter(|m| m.version <= version).collect())
        };
        Ok(Plan { undo, run, nothing: format!("nothing to do: {} is the newest applied version", arguments.target) })
    })
}

/// What is pending and not newer than all that stays. What is to be undone may be edited or have no file; that hinders nobody.
fn left_out<'a>(sight: &Sight<'a>, undo: &[Undo<'_>]) -> Vec<&'a Migration> {
    use crate::gate::history::State;
    let undone = |m: &Migration| undo.iter().any(|u| u.file.is_some_and(|file| file.version == m.version));
    sight.compared.files.iter().filter(|(m, state)| matches!(state, State::Pending | State::OutOfOrder) && !undone(m)).map(|(m, _)| *m).collect()
}
