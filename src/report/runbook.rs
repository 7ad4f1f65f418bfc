//! A runbook for people and machines. In: a [`Runbook`]. Out: text whose commands a shell takes as they stand, Markdown, JSON.

use crate::recover::runbook::{Choice, Command, Fact, Runbook};
use std::fmt::Write as _;
use textwrap::{Options, fill};

/// What a shell is to do before the first command: stop at the first failure.
pub const PREAMBLE: &str = "set -euo pipefail";

/// The word for what no test of ours has run.
const UNPROVED: &str = " (unproved)";

/// As one object.
pub fn json(book: &Runbook) -> String {
    serde_json::to_string_pretty(book).expect("a runbook has text keys alone")
}

/// As text of lines that are `width` wide, but for commands.
pub fn text(book: &Runbook, width: usize) -> String {
    let mut out = format!("The way back from {} {} on {} {}\n", book.version, book.name, book.engine, book.database);
    let wrapped = |first: &str, text: &str| fill(text, Options::new(width).initial_indent(first).subsequent_indent("    ").break_words(false)) + "\n";
    out += "\nStop. What would make it worse:\n";
    book.stop.iter().for_each(|one| out += &wrapped("  - ", one));
    out += "\nWhat is known:\n";
    for Fact { what, value, query } in &book.facts {
        out += &wrapped("  - ", &format!("{what}: {value}"));
        if let Some(query) = query {
            let _ = writeln!(out, "      {query}");
        }
    }
    out += "\nThe ways back, the cheapest first:\n";
    for Choice { route, taken, why } in &book.decision {
        out += &wrapped(if *taken { "  > " } else { "  - " }, &format!("{}: {why}", route.name()));
    }
    let mut number = 0;
    for (title, commands) in sections(book) {
        let _ = write!(out, "\n# {title}\n");
        if number == 0 {
            let _ = writeln!(out, "{PREAMBLE}");
        }
        for command in commands {
            number += 1;
            let _ = write!(out, "\n# {number}. {}{}\n{}\n# shows: {}\n", command.what, unproved(command), command.shell, command.expect);
        }
    }
    out += "\nAfterwards:\n";
    book.afterwards.iter().for_each(|one| out += &wrapped("  - ", one));
    out
}

/// As Markdown: the blocks of a section, one after the other, are one script.
pub fn markdown(book: &Runbook) -> String {
    let mut out = format!("# The way back from {} {}\n\nDatabase: {} `{}`\n", book.version, book.name, book.engine, book.database);
    out += "\n## Stop: what would make it worse\n\n";
    book.stop.iter().for_each(|one| out += &format!("- {one}\n"));
    out += "\n## What is known\n\n";
    for Fact { what, value, query } in &book.facts {
        let _ = writeln!(out, "- {what}: {value}{}", query.as_ref().map_or_else(String::new, |query| format!("\n  `{}`", query.replace('`', "'"))));
    }
    out += "\n## The ways back, the cheapest first\n\n";
    for Choice { route, taken, why } in &book.decision {
        let name = if *taken { format!("**{}**", route.name()) } else { route.name().to_owned() };
        let _ = writeln!(out, "- {name}: {why}");
    }
    let mut number = 0;
    for (title, commands) in sections(book) {
        let _ = write!(out, "\n## {title}\n");
        if number == 0 {
            let _ = write!(out, "\n```sh\n{PREAMBLE}\n```\n");
        }
        for command in commands {
            number += 1;
            let _ = write!(out, "\n{number}. {}{}\n\n```sh\n{}\n```\n\nShows: {}\n", command.what, unproved(command), command.shell, command.expect);
        }
    }
    out += "\n## Afterwards\n\n";
    book.afterwards.iter().for_each(|one| out += &format!("- {one}\n"));
    out
}

fn unproved(command: &Command) -> &'static str {
    if command.proved { "" } else { UNPROVED }
}

/// The sections that hold commands.
fn sections(book: &Runbook) -> impl Iterator<Item = (&'static str, &Vec<Command>)> {
    let all = [("Commands", &book.commands), ("Verification", &book.verification), ("Clean-up", &book.clean_up)];
    all.into_iter().filter(|(_, commands)| !commands.is_empty())
}
