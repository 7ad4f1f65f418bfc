//! `migrate explain RULE`: the rule's page.

use super::Console;
use super::failure::Failure;
use crate::exit::Exit;
use crate::table::{self, CHECKS, CHECKS_PAGE, TABLE};
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A rule's code or name, or a page's name (`C02`, `drop-column`, `column-type`)
    #[arg(value_name = "RULE")]
    rule: String,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let rule = arguments.rule.as_str();
    let check = CHECKS.iter().any(|c| c.code.eq_ignore_ascii_case(rule) || c.name.eq_ignore_ascii_case(rule)) || rule == "round-trip";
    let page = match table::find(rule).or_else(|| TABLE.iter().find(|row| row.family.eq_ignore_ascii_case(rule))) {
        Some(row) => row.page,
        None if check => CHECKS_PAGE,
        None => return Err(Failure::usage("unknown-rule", format!("`{rule}` is not a rule"), "`migrate rules` lists codes and names").into()),
    };
    write!(console.out, "{page}")?;
    Ok(Exit::Done)
}
