//! `migrate completions SHELL` and `migrate man DIR`: what clap makes of the commands.

use super::{Cli, Console};
use crate::exit::Exit;
use anyhow::Context;
use clap::CommandFactory;
use std::io::Write;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn completions(arguments: &Completions, console: &mut Console) -> anyhow::Result<Exit> {
    // The generator panics where its reader goes away.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "migrate", &mut script);
    console.out.write_all(&script)?;
    Ok(Exit::Done)
}

#[derive(clap::Args)]
pub(super) struct Man {
    /// The folder to write them to; it is made where it is missing
    #[arg(value_name = "DIR")]
    to: PathBuf,
}

pub(super) fn man(arguments: &Man, console: &mut Console) -> anyhow::Result<Exit> {
    let to = arguments.to.display();
    std::fs::create_dir_all(&arguments.to).with_context(|| format!("{to}: cannot be made"))?;
    // `migrate help` is written out under each command's own name.
    let command = Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, &arguments.to).with_context(|| format!("{to}: cannot be written to"))?;
    writeln!(console.out, "wrote the manual's pages to {to}; read one with `man -l {to}/migrate.1`")?;
    Ok(Exit::Done)
}
