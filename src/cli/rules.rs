//! `migrate rules`: the reversibility table.

use super::{Console, Format, Global};
use crate::exit::Exit;
use crate::report::rules;
use std::io::Write;

pub(super) fn run(global: &Global, console: &mut Console) -> anyhow::Result<Exit> {
    match global.format {
        Format::Text => write!(console.out, "{}", rules::text(console.width))?,
        Format::Markdown => write!(console.out, "{}", rules::markdown())?,
        Format::Json => writeln!(console.out, "{}", rules::json())?,
    }
    Ok(Exit::Done)
}
