//! Does DOWN undo UP? In: the catalog and both parts. Out: the assessment.

use super::statement::{Context, Done, resolve};
use super::{Assessment, Finding, Judged, RoundTrip};
use crate::migration::{Direction, Migration};
use crate::parse::Statement;
use crate::parse::action::Op;
use crate::schema::apply::key::dropped_kind;
use crate::schema::apply::{Effect, apply};
use crate::schema::catalog::{Catalog, Entry, Journal, Origin};
use crate::schema::diff::{Demand, Part, application, demands, differences, merged};
use crate::table::{Cell, Check, Kind, Loss, Row, Verdict, check};
use std::collections::HashSet;

fn finding(rule: &'static Check, verdict: Verdict, loss: Loss, at: Option<(Direction, u32)>, message: String, help: impl Into<String>) -> Finding {
    Finding { code: rule.code, name: rule.name, verdict, loss, direction: at.map(|a| a.0), line: at.map(|a| a.1), message, help: help.into() }
}

/// What a part did, statement by statement, up to the first that the database would refuse.
struct Ran<'a> {
    done: Vec<Done<'a>>,
    refused: Option<(u32, String)>,
}

fn run<'a>(catalog: &mut Catalog, statements: &'a [Statement], direction: Direction) -> Ran<'a> {
    catalog.judging_down = direction == Direction::Down;
    catalog.checks_off = false;
    let mut ran = Ran { done: Vec::new(), refused: None };
    for statement in statements {
        for action in &statement.actions {
            let absent = action.kind.cell(catalog.engine) == Cell::Absent;
            let result = if absent && direction == Direction::Down {
                Err(format!("{} has no {}", catalog.engine, action.kind.row().name))
            } else {
                apply(catalog, action).map_err(|refusal| refusal.why)
            };
            let effect = match result {
                Ok(effect) => {
                    if action.op == Op::Unseen {
                        catalog.note_unseen(&statement.text);
                    }
                    effect
                }
                Err(why) if direction == Direction::Down => {
                    ran.refused.get_or_insert((statement.line, why));
                    Effect::default()
                }
                // UP is taken to have run: the catalog did not know all.
                Err(_) => {
                    catalog.note_unseen(&statement.text);
                    Effect { blind: true, ..Effect::default() }
                }
            };
            let kind = dropped_kind(action.kind, &effect);
            ran.done.push(Done { statement, action, kind, effect, checks_off: catalog.checks_off, direction });
        }
        if ran.refused.is_some() {
            break;
        }
    }
    catalog.judging_down = false;
    catalog.end_session();
    ran
}

/// Numbers of values and rows that stood before and are not in their place.
fn lost(before: &Journal, catalog: &Catalog) -> HashSet<Origin> {
    let mut lost = HashSet::new();
    for (key, old) in before {
        let Some(Entry::Table(old)) = old else { continue };
        match catalog.get(key) {
            Some(Entry::Table(new)) => {
                if new.rows != old.rows {
                    lost.insert(old.rows);
                }
                lost.extend(old.columns.iter().filter(|c| new.column(&c.def.name).is_none_or(|n| n.values != c.values)).map(|c| c.values));
            }
            _ => {
                lost.insert(old.rows);
                lost.extend(old.columns.iter().map(|c| c.values));
            }
        }
    }
    lost
}

/// Whether anything was done that the catalog cannot show.
fn unseen(ran: &Ran<'_>) -> bool {
    ran.done.iter().any(|d| d.action.op == Op::Unseen || d.kind == Kind::NotUnderstood)
}

pub(super) fn judge(catalog: &mut Catalog, migration: &Migration, up: &[Statement], down: Option<&[Statement]>) -> Assessment {
    catalog.begin_migration();
    catalog.begin();
    let ran_up = run(catalog, up, Direction::Up);
    let before = catalog.end();
    let app_rollback = application(&before, catalog);
    let up_changes = differences(&before, catalog);
    let up_unseen = unseen(&ran_up);

    // DOWN is judged by what stood before UP, so that recording stays open.
    catalog.resume(before);
    catalog.begin();
    let ran_down = run(catalog, down.unwrap_or_default(), Direction::Down);
    let after_up = catalog.end();
    let before = catalog.end();
    let start = merged(&before, &after_up);
    let mut round_trip = RoundTrip { proved: false, differences: differences(&start, catalog) };
    let demands = if ran_down.refused.is_none() { demands(&after_up, catalog) } else { Vec::new() };
    let mut lost = lost(&start, catalog);
    let down_works = ran_down.done.iter().any(|d| d.kind.cell(catalog.engine) != Cell::Keeps) || ran_down.refused.is_some();
    catalog.restore(after_up);
    if ran_down.refused.is_some() {
        // Nothing comes back by a DOWN that does not run.
        lost.extend(ran_up.done.iter().flat_map(|d| d.effect.destroyed.iter().copied()));
    }

    let no_effect = up_changes.is_empty() && !up_unseen;
    let no_down = !no_effect && !down_works;
    let context = Context { catalog, lost: &lost, demands: !demands.is_empty(), no_down };
    let mut findings = Vec::new();
    let mut statements = Vec::new();
    for done in &ran_up.done {
        let (verdict, loss, why) = resolve(done, &context);
        let row = done.kind.row();
        if verdict > Verdict::Reversible {
            findings.push(of_statement(row, verdict, loss, done, &why));
        }
        statements.push(judged(done, Direction::Up, Some((verdict, loss)), why));
    }
    for done in &ran_down.done {
        statements.push(judged(done, Direction::Down, None, String::new()));
        if done.action.op == Op::Unseen || done.kind == Kind::NotUnderstood {
            let message = format!("line {} of DOWN does something that cannot be seen from its text", done.statement.line);
            findings.push(of_statement(done.kind.row(), Verdict::Partial, Loss::Possible, done, &message));
        }
        if let Some(found) = foreign_rows(done, &demands) {
            findings.push(found);
        }
    }
    if let Some((line, why)) = &ran_down.refused {
        let message = format!("DOWN fails: {why}");
        let help = "run UP and DOWN once on a scratch database, and correct DOWN";
        findings.push(finding(check::DOWN_FAILS, Verdict::Irreversible, Loss::None, Some((Direction::Down, *line)), message, help));
    } else if no_down {
        findings.push(no_down_finding(migration, &up_changes.iter().map(|d| d.object.clone()).collect::<Vec<_>>()));
    } else {
        compare(&mut findings, &round_trip, &ran_up, &ran_down, &lost);
        if !demands.is_empty() {
            let help = "before DOWN, look for such rows; keep the old rule as a check until the new one is final";
            findings.push(finding(check::DECAYS, Verdict::Partial, Loss::None, None, format!("DOWN fails once {}", demands.iter().map(|d| d.broken_by.as_str()).collect::<Vec<_>>().join(", or ")), help));
        }
    }
    if no_effect && !down_works && !up.is_empty() {
        findings.push(finding(
            check::NO_EFFECT,
            Verdict::Reversible,
            Loss::None,
            None,
            "UP leaves nothing in the database, so there is nothing to undo".into(),
            "",
        ));
    }
    let verdict = findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Reversible);
    let loss = statements
        .iter()
        .filter_map(|s| s.loss)
        .chain(findings.iter().map(|f| f.loss))
        .filter(|&l| !(no_down && l == Loss::WrittenSince))
        .max()
        .unwrap_or(Loss::None);
    round_trip.proved = !no_down && ran_down.refused.is_none() && !up_unseen && !unseen(&ran_down) && round_trip.differences.iter().all(|d| !d.matters);
    Assessment { verdict, loss, decays: !demands.is_empty(), app_rollback, round_trip, statements, findings }
}

/// DOWN deletes or overwrites rows that stood before. Where it then demands something of the same table, it clears away the
/// rows that the old schema does not admit, and those were written since.
fn foreign_rows(done: &Done<'_>, demands: &[Demand]) -> Option<Finding> {
    let object = &done.action.object;
    let what = if matches!(done.action.op, Op::Update { .. }) { "overwrites" } else { "deletes" };
    let (loss, message) = match (done.effect.foreign_rows?, &done.action.op) {
        (Loss::Possible, Op::Delete { table, .. } | Op::Update { table, .. }) if demands.iter().any(|d| d.of == *table) => return None,
        (Loss::Possible, _) => (Loss::Possible, format!("DOWN {what} rows of {object}, and some may have stood before UP")),
        (loss, _) => (loss, format!("DOWN {what} every row of {object} that stood before UP")),
    };
    let help = "let DOWN touch by key only what UP brought";
    Some(finding(check::DOWN_DESTROYS, Verdict::Irreversible, loss, Some((Direction::Down, done.statement.line)), message, help))
}

/// Differences that no statement's own finding speaks of.
fn compare(findings: &mut Vec<Finding>, round_trip: &RoundTrip, up: &Ran<'_>, down: &Ran<'_>, lost: &HashSet<Origin>) {
    let sentence = |part: Part| -> Vec<String> {
        round_trip.differences.iter().filter(|d| d.matters && d.kind == part).map(|d| format!("{} {}", d.object, d.what)).collect()
    };
    let at = down.done.last().map(|d| (Direction::Down, d.statement.line));
    let schema = sentence(Part::Schema);
    if !schema.is_empty() {
        let help = "add to DOWN what is missing, or take out what is too much";
        findings.push(finding(check::DOWN_INCOMPLETE, Verdict::Partial, Loss::None, at, format!("after DOWN: {}", schema.join("; ")), help));
    }
    let unproved = sentence(Part::Unproved);
    if !unproved.is_empty() {
        let help = "give the schema that stood before the first migration with `--schema FILE`";
        findings.push(finding(check::UNPROVED, Verdict::Partial, Loss::None, at, unproved.join("; "), help));
    }
    let by_up: HashSet<Origin> = up.done.iter().flat_map(|d| d.effect.destroyed.iter().copied()).collect();
    let foreign = down.done.iter().any(|d| d.effect.foreign_rows == Some(Loss::Certain));
    let values = sentence(Part::Values);
    if values.is_empty() || foreign {
        return;
    }
    if lost.is_empty() {
        let help = "let DOWN delete the rows by the keys that UP inserts";
        findings.push(finding(check::DOWN_INCOMPLETE, Verdict::Partial, Loss::None, at, format!("after DOWN: {}", values.join("; ")), help));
    } else if lost.iter().any(|origin| !by_up.contains(origin)) {
        let help = "leave in DOWN only what undoes UP";
        findings.push(finding(check::DOWN_DESTROYS, Verdict::Irreversible, Loss::Certain, at, format!("after DOWN: {}", values.join("; ")), help));
    }
}

fn no_down_finding(migration: &Migration, left: &[String]) -> Finding {
    let mut left: Vec<&str> = left.iter().map(String::as_str).collect();
    left.dedup();
    let what = match left.as_slice() {
        [] => "what UP did".to_owned(),
        some if some.len() <= 4 => some.join(", "),
        [first, second, rest @ ..] => format!("{first}, {second} and {} more", rest.len()),
        some => some.join(", "),
    };
    let message = match (&migration.down, &migration.irreversible) {
        (_, Some(reason)) => format!("declared irreversible: {reason}"),
        (None, None) => format!("there is no DOWN: {what} stays"),
        (Some(_), None) => format!("DOWN does nothing: {what} stays"),
    };
    finding(
        check::NO_DOWN,
        Verdict::Irreversible,
        Loss::None,
        Some((Direction::Down, 1)),
        message,
        "write a DOWN that takes back what UP did, or say why there is none: `-- IRREVERSIBLE: reason`",
    )
}

fn of_statement(row: &'static Row, verdict: Verdict, loss: Loss, done: &Done<'_>, why: &str) -> Finding {
    Finding {
        code: row.code,
        name: row.name,
        verdict,
        loss,
        direction: Some(done.direction),
        line: Some(done.statement.line),
        message: why.to_owned(),
        help: safer(row.page),
    }
}

/// The first paragraph under the page's "Safer".
fn safer(page: &str) -> String {
    let after = page.split_once("\n## Safer\n").map_or("", |(_, after)| after);
    after.trim_start().split("\n\n").next().unwrap_or("").split('\n').collect::<Vec<_>>().join(" ")
}

fn judged(done: &Done<'_>, direction: Direction, share: Option<(Verdict, Loss)>, why: String) -> Judged {
    let row = done.kind.row();
    Judged {
        direction,
        line: done.statement.line,
        column: done.statement.column,
        end_line: done.statement.end_line,
        code: row.code,
        name: row.name,
        object: done.action.object.clone(),
        verdict: share.map(|s| s.0),
        loss: share.map(|s| s.1),
        why,
        lock: None,
        rewrite: None,
    }
}
