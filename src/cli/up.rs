//! `migrate up`: runs what is pending, after the gate.

use super::attested;
use super::go::{self, Plan, Purpose, known_version};
use super::{Console, Global};
use crate::exit::Exit;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// Stop after this version
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Run also what is older than something that has run
    #[arg(long)]
    out_of_order: bool,
    #[command(flatten)]
    attested: attested::Arguments,
    #[command(flatten)]
    common: go::Arguments,
}

impl Arguments {
    /// The command as one writes it.
    pub(super) fn command(&self) -> String {
        format!("migrate up{}", self.to.as_ref().map(|to| format!(" --to {to}")).unwrap_or_default())
    }
}

pub(super) fn run(global: &Global, arguments: &Arguments, purpose: &Purpose, console: &mut Console) -> anyhow::Result<Exit> {
    go::go(
        purpose,
        true,
        global,
        &arguments.common,
        &arguments.attested,
        console,
        |settings, engine| settings.load(engine),
        |sight| {
            let to = arguments.to.as_deref().map(|text| known_version(text, sight)).transpose()?;
            let mut run = sight.compared.pending(arguments.out_of_order)?;
            let pending = run.len();
            run.retain(|m| to.as_ref().is_none_or(|to| m.version <= *to));
            let nothing = match &to {
                Some(to) if pending > 0 => {
                    format!("nothing to do: all migrations up to {to} are applied; {pending} after it {}", if pending == 1 { "is not" } else { "are not" })
                }
                _ => format!("nothing to do: all {} migrations are applied", sight.loaded.migrations.len()),
            };
            Ok(Plan { undo: Vec::new(), run, nothing })
        },
    )
}
