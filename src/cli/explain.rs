//! `migrate explain WHAT`: a rule's page, or a topic's.

use super::Console;
use super::failure::Failure;
use crate::exit::Exit;
use crate::table::{self, CHECKS, TABLE};
use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::Write;

#[derive(clap::Args)]
pub(super) struct Arguments {
    /// A rule's code or name, a page's name (`C02`, `drop-column`, `column-type`), or a topic: `history`, `half-done`, `recover`, `attestation`
    #[arg(value_name = "WHAT", value_parser = Names, hide_possible_values = true)]
    what: String,
}

/// Takes any text, for what is wrong with it is said better below, and tells completions what there is.
#[derive(Clone)]
struct Names;

impl TypedValueParser for Names {
    type Value = String;

    fn parse_ref(&self, command: &clap::Command, argument: Option<&clap::Arg>, value: &OsStr) -> Result<String, clap::Error> {
        StringValueParser::new().parse_ref(command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let rules = TABLE.iter().map(|row| row.name).chain(CHECKS.iter().map(|check| check.name));
        let names: BTreeSet<&str> = rules.chain(TABLE.iter().map(|row| row.family)).chain(TOPICS.map(title)).collect();
        Some(Box::new(names.into_iter().map(PossibleValue::new)))
    }
}

/// What a page is about, as it says first.
fn title(page: &'static str) -> &'static str {
    page.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default()
}

/// What is no rule and needs more words than the README has.
const TOPICS: [&str; 5] = [
    include_str!("../../fixtures/topics/history.md"),
    include_str!("../../fixtures/topics/half-done.md"),
    include_str!("../../fixtures/topics/recover.md"),
    include_str!("../../fixtures/topics/attestation.md"),
    include_str!("../../fixtures/topics/adopt.md"),
];

pub(super) fn run(arguments: &Arguments, console: &mut Console) -> anyhow::Result<Exit> {
    let rule = arguments.what.as_str();
    let topic = TOPICS.into_iter().find(|page| title(page).eq_ignore_ascii_case(rule));
    let check = CHECKS.iter().find(|c| [c.code, c.name, c.family].iter().any(|name| name.eq_ignore_ascii_case(rule)));
    let row = table::find(rule).or_else(|| TABLE.iter().find(|row| row.family.eq_ignore_ascii_case(rule)));
    let page = match row.map(|row| row.page).or(check.map(|check| check.page)).or(topic) {
        Some(page) => page,
        None => {
            return Err(Failure::usage(
                "unknown-rule",
                format!("`{rule}` is neither a rule nor a topic"),
                "`migrate rules` lists codes and names; the topics are history, half-done, recover, attestation and adopt",
            )
            .into());
        }
    };
    write!(console.out, "{page}")?;
    Ok(Exit::Done)
}
