//! `migrate explain RULE`: the rule's page.

use super::Console;
use super::failure::Failure;
use crate::exit::Exit;
use crate::table::{self, CHECKS, TABLE};
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A rule's code or name, or a page's name (`C02`, `drop-column`, `column-type`)
    #[arg(value_name = "RULE")]
    rule: String,
}

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let rule = arguments.rule.as_str();
    let check = CHECKS.iter().find(|c| [c.code, c.name, c.family].iter().any(|name| name.eq_ignore_ascii_case(rule)));
    let row = table::find(rule).or_else(|| TABLE.iter().find(|row| row.family.eq_ignore_ascii_case(rule)));
    let page = match row.map(|row| row.page).or(check.map(|check| check.page)) {
        Some(page) => page,
        None => return Err(Failure::usage("unknown-rule", format!("`{rule}` is not a rule"), "`migrate rules` lists codes and names").into()),
    };
    write!(console.out, "{page}")?;
    Ok(Exit::Done)
}
