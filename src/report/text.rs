//! The report for people. In: a report and a width. Out: a table of migrations, each finding with its source line, the counts.

use super::{Entry, Report};
use crate::assess::Finding;
use crate::gate::merge::{AttestationStatus, Severity};
use crate::migration::Direction;
use crate::schema::application::Application;
use crate::table::{Loss, Verdict};
use anstyle::{AnsiColor, Style};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, Table, presets};
use std::collections::BTreeSet;
use std::io::Write;

/// Up to so many migrations stand in the table one by one; beyond, only those that are not plainly reversible.
const LISTED: usize = 40;

/// How the text is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Columns of the terminal.
    pub width: u16,
    /// Colours may be used.
    pub colour: bool,
    /// Only what stops the gate.
    pub quiet: bool,
    /// Notes as well.
    pub verbose: bool,
}

fn verdict_colour(verdict: Verdict) -> AnsiColor {
    match verdict {
        Verdict::Reversible => AnsiColor::Green,
        Verdict::Partial => AnsiColor::Yellow,
        Verdict::Irreversible => AnsiColor::Red,
    }
}

/// Makes styles that are empty where no colour is wanted.
struct Paint(bool);

impl Paint {
    fn style(&self, colour: Option<AnsiColor>, bold: bool) -> Style {
        if !self.0 {
            return Style::new();
        }
        let style = colour.map_or(Style::new(), |c| c.on_default());
        if bold { style.bold() } else { style }
    }
}

fn loss_words(entry: &Entry<'_>) -> String {
    let loss = match entry.assessment.loss {
        Loss::WrittenSince => "written since",
        other => other.name(),
    };
    if entry.assessment.decays { format!("{loss}, decays") } else { loss.to_owned() }
}

fn app_word(app: Application) -> &'static str {
    match app {
        Application::Safe => "safe",
        Application::Unknown => "unknown",
        Application::Breaks => "breaks",
    }
}

fn summary_table(entries: &[&Entry<'_>], layout: Layout) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(layout.width);
    let head = |text: &str| if layout.colour { Cell::new(text).add_attribute(Attribute::Bold) } else { Cell::new(text) };
    table.set_header(["version", "name", "verdict", "loss", "old app", "gate"].map(head));
    for entry in entries {
        let verdict = Cell::new(entry.assessment.verdict.name());
        let verdict = match (layout.colour, entry.assessment.verdict) {
            (false, _) => verdict,
            (true, Verdict::Reversible) => verdict.fg(Color::DarkGreen),
            (true, Verdict::Partial) => verdict.fg(Color::DarkYellow),
            (true, Verdict::Irreversible) => verdict.fg(Color::DarkRed),
        };
        let gate = match () {
            () if entry.merge.blocked => "blocked",
            () if entry.merge.attestation.status == AttestationStatus::Valid => "attested",
            () if !entry.merge.allowed.is_empty() => "allowed",
            () => "open",
        };
        table.add_row([
            Cell::new(entry.migration.version.as_str()),
            Cell::new(&entry.migration.name),
            verdict,
            Cell::new(loss_words(entry)),
            Cell::new(app_word(entry.assessment.app_rollback)),
            Cell::new(gate),
        ]);
    }
    only_the_name_wraps(&mut table);
    table
}

/// Lets all columns but the second be as wide as they need; a name that is too long is parted between its words.
pub fn only_the_name_wraps(table: &mut Table) {
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        match at {
            1 => column.set_delimiter('_'),
            _ => column.set_constraint(ColumnConstraint::ContentWidth),
        };
    }
}

/// `text` in lines of at most `width` columns, each after the first indented by `indent`.
fn wrapped(text: &str, width: u16, indent: usize) -> String {
    let pad = " ".repeat(indent);
    let options = textwrap::Options::new(usize::from(width).max(40)).subsequent_indent(&pad).break_words(false);
    textwrap::fill(text, options)
}

/// Writes `report`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(report: &Report<'_>, layout: Layout, out: &mut impl Write) -> std::io::Result<()> {
    let paint = Paint(layout.colour);
    let summary = report.summary();
    let total = report.entries.len();
    let plain = |e: &&Entry<'_>| total > LISTED && e.assessment.verdict == Verdict::Reversible && !e.merge.blocked;
    let listed: Vec<&Entry<'_>> = if layout.quiet { Vec::new() } else { report.entries.iter().filter(|e| !plain(e)).collect() };
    if !listed.is_empty() {
        for line in summary_table(&listed, layout).lines() {
            writeln!(out, "{}", line.trim_end())?;
        }
        if listed.len() < total {
            writeln!(out, " and {} more, all reversible", total - listed.len())?;
        }
        writeln!(out)?;
    }
    for entry in &report.entries {
        for at in 0..entry.assessment.findings.len() {
            finding(entry, at, layout, &paint, out)?;
        }
    }
    if layout.verbose {
        for note in report.notes {
            let at = note.path.iter().cloned().chain(note.line.map(|l| l.to_string())).collect::<Vec<_>>().join(":");
            writeln!(out, "{}", wrapped(&format!("note[{}]: {at}: {}", note.code, note.message), layout.width, 4))?;
        }
    }
    let bold = paint.style(None, true);
    let fed = match report.fed {
        0 => String::new(),
        1 => " after 1 older one".to_owned(),
        n => format!(" after {n} older ones"),
    };
    let count = |(n, verdict): (usize, Verdict)| {
        let style = paint.style(Some(verdict_colour(verdict)), false);
        format!("{style}{n} {}{style:#}", verdict.name())
    };
    let counts = [(summary.reversible, Verdict::Reversible), (summary.partial, Verdict::Partial), (summary.irreversible, Verdict::Irreversible)];
    let counts: Vec<String> = counts.into_iter().filter(|(n, _)| *n > 0).map(count).collect();
    let plural = if total == 1 { "" } else { "s" };
    writeln!(out, "{bold}{total} migration{plural}{fed}{bold:#} ({}, {}): {}", report.layout, report.engine, counts.join(", "))?;
    match summary.blocked {
        0 => writeln!(out, "nothing is blocked"),
        n => {
            let found = report.entries.iter().flat_map(|e| e.assessment.findings.iter().zip(&e.merge.severities));
            let rules: BTreeSet<&str> = found.filter(|(_, s)| **s == Severity::Error).map(|(f, _)| f.name).collect();
            let rule = if let [rule] = rules.iter().collect::<Vec<_>>()[..] { rule } else { "RULE" };
            let says = if n == 1 { "its file says" } else { "their files say" };
            writeln!(out, "{}", wrapped(&format!("{n} blocked, unless {says} -- migrate: allow {rule} \"reason\""), layout.width, 4))
        }
    }
}

/// `text`, or as much of it as fits `room` columns.
fn cut(text: &str, room: usize) -> String {
    match text.char_indices().nth(room) {
        Some(_) => text.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// The most lines of one statement that a report shows.
const SHOWN: usize = 4;

/// The source lines of a finding, where it stands on some; of a long statement only the first.
fn source(entry: &Entry<'_>, finding: &Finding) -> Option<String> {
    let script = match finding.direction? {
        Direction::Up => &entry.migration.up,
        Direction::Down => entry.migration.down.as_ref()?,
    };
    let from = finding.line?;
    let statement = entry.assessment.statements.iter().find(|s| Some(s.direction) == finding.direction && s.line == from);
    let to = statement.map_or(from, |s| s.end_line);
    let segment = script.segments.iter().rev().find(|s| s.first_line <= from)?;
    let all = (to.max(from) - from + 1) as usize;
    let mut lines: Vec<&str> = segment.text.lines().skip((from - segment.first_line) as usize).take(all.min(SHOWN)).map(str::trim_end).collect();
    if all > SHOWN {
        *lines.last_mut()? = "…";
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn finding(entry: &Entry<'_>, at: usize, layout: Layout, paint: &Paint, out: &mut impl Write) -> std::io::Result<()> {
    let (found, severity) = (&entry.assessment.findings[at], entry.merge.severities[at]);
    let allow = entry.merge.allowed.iter().find(|a| crate::gate::policy::names(&a.rule, found));
    let shown = match severity {
        Severity::Error => true,
        Severity::Warning => !layout.quiet,
        Severity::Note => layout.verbose || allow.is_some() && !layout.quiet,
    };
    if !shown {
        return Ok(());
    }
    let (word, colour) = match severity {
        Severity::Error => ("error", AnsiColor::Red),
        Severity::Warning => ("warning", AnsiColor::Yellow),
        Severity::Note => ("note", AnsiColor::Cyan),
    };
    let style = paint.style(Some(colour), true);
    let bold = paint.style(None, true);
    let dim = paint.style(Some(AnsiColor::Blue), true);
    let message = wrapped(&format!("{word}[{} {}]: {}", found.code, found.name, found.message), layout.width, 4);
    let head = format!("{word}[{} {}]", found.code, found.name);
    writeln!(out, "{style}{head}{style:#}{bold}{}{bold:#}", message.strip_prefix(&head).unwrap_or(&message))?;
    let path = match found.direction {
        Some(Direction::Down) => entry.migration.down_path.as_ref().unwrap_or(&entry.migration.path),
        _ => &entry.migration.path,
    };
    match (found.line, source(entry, found)) {
        (Some(line), Some(source)) => {
            writeln!(out, "  {dim}-->{dim:#} {path}:{line}")?;
            let digits = (line as usize + source.lines().count()).to_string().len();
            for (number, text) in (line..).zip(source.lines()) {
                writeln!(out, " {dim}{number:>digits$} |{dim:#} {}", cut(text, usize::from(layout.width).saturating_sub(digits + 4)))?;
            }
        }
        _ => writeln!(out, "  {dim}-->{dim:#} {path}")?,
    }
    if let (Some(reason), Verdict::Irreversible, true) = (&entry.migration.irreversible, found.verdict, found.loss >= Loss::Possible) {
        writeln!(out, "{}", wrapped(&format!("  = declared: IRREVERSIBLE: {reason}"), layout.width, 4))?;
    }
    if let Some(allow) = allow {
        writeln!(out, "{}", wrapped(&format!("  = allowed: {}", allow.reason), layout.width, 4))?;
    } else if !found.help.is_empty() {
        // What stands on lines of its own is to be pasted, and not to be broken.
        let (prose, sql) = found.help.split_once('\n').unwrap_or((&found.help, ""));
        writeln!(out, "{}", wrapped(&format!("  = help: {prose}"), layout.width, 4))?;
        for line in sql.lines() {
            writeln!(out, "{}", format!("        {line}").trim_end())?;
        }
    }
    writeln!(out)
}
