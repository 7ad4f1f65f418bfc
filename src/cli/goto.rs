//! `migrate goto`: makes one version the newest applied one, whichever way that is.

use super::attested;
use super::go::{self, Plan, Purpose, Sight, known_version};
use super::{Console, Global};
use crate::exit::Exit;
use crate::gate::history::{self, Drift};
use crate::migration::{Migration, Version};
use crate::observed::Applied;
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
    attested: attested::Arguments,
    #[command(flatten)]
    common: go::Arguments,
}

impl Arguments {
    /// To run.
    pub(super) fn purpose(&self) -> Purpose {
        self.back.purpose()
    }

    /// The command as one writes it.
    pub(super) fn command(&self) -> String {
        format!("migrate goto {}", self.target)
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments, purpose: &Purpose, console: &mut Console) -> anyhow::Result<Exit> {
    go::go(purpose, false, global, &arguments.common, &arguments.attested, console, go::load_or_none, |sight| {
        let source = arguments.back.source();
        let (undo, run) = if arguments.target == "0" {
            (recover::route(&sight.observed.history, &sight.loaded.migrations, &Target::Everything, source, sight.observed.engine)?, Vec::new())
        } else {
            let version = known_version(&arguments.target, sight)?;
            let undo = recover::route(&sight.observed.history, &sight.loaded.migrations, &Target::Newer(version.clone()), source, sight.observed.engine)?;
            let run = pending(sight, &undo, arguments.out_of_order)?;
            (undo, run.into_iter().filter(|m| m.version <= version).collect())
        };
        Ok(Plan { undo, run, nothing: format!("nothing to do: {} is the newest applied version", arguments.target) })
    })
}

/// What is pending beside all that stays. What is to be undone may be edited or have no file; that hinders nobody.
fn pending<'a>(sight: &Sight<'a>, undo: &[Undo<'_>], out_of_order: bool) -> Result<Vec<&'a Migration>, Drift> {
    let stays: Vec<Applied> = sight.observed.in_force().into_iter().filter(|row| undo.iter().all(|undo| undo.applied.seq != row.seq)).cloned().collect();
    let compared = history::compare(&sight.loaded.migrations, &stays, sight.observed.engine);
    let versions: Vec<&Version> = compared.pending(out_of_order)?.into_iter().map(|m| &m.version).collect();
    Ok(sight.loaded.migrations.iter().filter(|m| versions.contains(&&m.version)).collect())
}
