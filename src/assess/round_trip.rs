//! Does DOWN undo UP? In: the catalog and both parts. Out: the assessment.

use super::statement::{Context, Done, resolve};
use super::{Assessment, Finding, Judged, Missing, RoundTrip, lock, recipe, syntax, way_back};
use crate::engine::Engine;
use crate::lock_table::Work;
use crate::migration::{Direction, Migration};
use crate::parse::Statement;
use crate::parse::action::Op;
use crate::schema::application::{Application, Meets, application};
use crate::schema::apply::key::dropped_kind;
use crate::schema::apply::{Effect, apply};
use crate::schema::catalog::{Catalog, Entry, Journal, Origin};
use crate::schema::diff::{Demand, Difference, Part, demands, differences, differs, merged};
use crate::table::{Cell, Check, Kind, Loss, Row, Verdict, check};
use foldhash::HashSet;

pub(super) fn finding(rule: &'static Check, verdict: Verdict, loss: Loss, at: Option<(Direction, u32)>, message: String, help: impl Into<String>) -> Finding {
    Finding { code: rule.code, name: rule.name, verdict, loss, direction: at.map(|a| a.0), line: at.map(|a| a.1), message, help: help.into() }
}

/// What a part did, statement by statement, up to the first that the database would refuse.
pub(super) struct Ran<'a> {
    pub(super) done: Vec<Done<'a>>,
    refused: Option<(u32, String)>,
}

pub(super) fn run<'a>(catalog: &mut Catalog, statements: &'a [Statement], direction: Direction) -> Ran<'a> {
    catalog.judging_down = direction == Direction::Down;
    catalog.checks_off = false;
    let mut ran = Ran { done: Vec::new(), refused: None };
    for statement in statements {
        catalog.note_written(statement);
        if catalog.engine == Engine::Postgres {
            catalog.together =
                statement.actions.iter().filter_map(|a| if let Op::DropTable { name, .. } = &a.op { Some(name.clone()) } else { None }).collect();
        }
        for action in &statement.actions {
            let down = direction == Direction::Down;
            let asked = lock::ask(catalog, statement, action);
            let refused = if down { syntax::refusal(catalog, statement, action) } else { None };
            let result = match refused {
                Some(why) => Err(why),
                None => apply(catalog, action).map_err(|refusal| refusal.why),
            };
            let effect = match result {
                Ok(effect) => {
                    // A variable may hold the text of a statement that is run later.
                    if action.op == Op::Unseen || action.kind == Kind::SessionSetting && statement.text.contains('@') {
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
            ran.done.push(Done { statement, action, kind, effect, checks_off: catalog.checks_off, direction, asked });
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
    let mut lost = HashSet::default();
    for (key, old) in before {
        let Some(Entry::Table(old)) = old else { continue };
        match catalog.get(key) {
            Some(Entry::Table(new)) => {
                if new.rows != old.rows {
                    lost.insert(old.rows);
                }
                lost.extend(
                    old.columns
                        .iter()
                        .enumerate()
                        .filter(|(place, c)| {
                            new.column_like(*place, c).is_none_or(|n| n.values != c.values && (c.def.generated.is_none() || c.def.generated != n.def.generated))
                        })
                        .map(|(_, c)| c.values),
                );
            }
            _ => {
                lost.insert(old.rows);
                lost.extend(old.columns.iter().map(|c| c.values));
            }
        }
    }
    lost
}

/// Whether the catalog cannot show what it did.
pub(super) fn is_unseen(done: &Done<'_>) -> bool {
    done.action.op == Op::Unseen || done.kind == Kind::NotUnderstood
}

/// Whether anything was done that the catalog cannot show.
fn unseen(ran: &Ran<'_>) -> bool {
    ran.done.iter().any(is_unseen)
}

/// Gives, beside the assessment, what UP and DOWN found where they changed something: the state before UP.
pub(super) fn judge(catalog: &mut Catalog, migration: &Migration, up: &[Statement], down: Option<&[Statement]>) -> (Assessment, Journal) {
    catalog.begin_migration();
    catalog.begin();
    let ran_up = run(catalog, up, Direction::Up);
    let before = catalog.end();
    let meets = application(&before, catalog);
    let up_changes = differs(&before, catalog);
    let up_unseen = unseen(&ran_up);

    // DOWN is judged by what stood before UP, so that recording stays open.
    catalog.resume(before);
    catalog.begin();
    let ran_down = run(catalog, down.unwrap_or_default(), Direction::Down);
    let after_up = catalog.end();
    let before = catalog.end();
    let start = merged(before, &after_up);
    let mut round_trip = RoundTrip { proved: false, differences: differences(&start, catalog) };
    let (cleared, demands) = if ran_down.refused.is_none() { demanded(&after_up, catalog, &ran_down) } else { Default::default() };
    let mut lost = lost(&start, catalog);
    let mut carried = super::carried::back(&ran_up, &ran_down, &start);
    carried.retain(|origin| lost.contains(origin));
    lost.retain(|origin| !carried.contains(origin));
    let down_works = ran_down.done.iter().any(|d| d.kind.cell(catalog.engine) != Cell::Keeps) || ran_down.refused.is_some();
    let no_effect = !up_changes && !up_unseen;
    let no_down = !no_effect && !down_works;
    let lacks = no_down || ran_down.refused.is_none() && round_trip.differences.iter().any(|d| d.matters && d.kind != Part::Unproved);
    let missing = lacks.then(|| way_back::missing(&start, catalog, migration, up, [&ran_up, &ran_down]));
    catalog.restore(after_up);
    if ran_down.refused.is_some() {
        // Nothing comes back by a DOWN that does not run.
        lost.extend(ran_up.done.iter().flat_map(|d| d.effect.destroyed.iter().copied()));
    }

    let mapped_back = ran_down.done.iter().any(|d| d.effect.mapped_back && matches!(d.action.op, Op::Update { .. }));
    let context = Context { catalog, lost: &lost, carried: &carried, demands: !demands.is_empty() || !cleared.is_empty(), mapped_back, no_down };
    let mut findings = Vec::new();
    let mut statements = Vec::new();
    for done in &ran_up.done {
        let (verdict, loss, why) = resolve(done, &context);
        let row = done.kind.row();
        if verdict > Verdict::Reversible {
            let mut found = of_statement(row, verdict, loss, done, &why);
            let losing = verdict == Verdict::Irreversible && loss >= Loss::Possible;
            if let Some(sql) = losing.then(|| recipe::recipe(done, &start, catalog)).flatten() {
                found.help = format!("{}\n{sql}", found.help);
            }
            findings.push(found);
        }
        statements.push(judged(done, Some((verdict, loss)), why));
    }
    for statement in up {
        if let Some(message) = syntax::too_new(catalog.target(), statement) {
            let help = "raise the release that is stated, or write it in the words of the older one";
            let at = Some((Direction::Up, statement.line));
            findings.push(finding(check::TOO_NEW, Verdict::Partial, Loss::None, at, format!("the database refuses UP: {message}"), help));
        }
    }
    for done in &ran_down.done {
        statements.push(judged(done, None, String::new()));
        if is_unseen(done) {
            let message = format!("line {} of DOWN does something that cannot be seen from its text", done.statement.line);
            findings.push(of_statement(done.kind.row(), Verdict::Partial, Loss::Possible, done, &message));
        }
        if matches!(done.action.op, Op::Delete { .. }) && done.effect.mapped_back && !done.effect.own {
            let message = format!("the rows of {} that DOWN deletes are not picked by a key: rows that stood before UP may be among them", done.action.object);
            let at = Some((Direction::Down, done.statement.line));
            findings.push(finding(check::DOWN_DESTROYS, Verdict::Partial, Loss::Possible, at, message, "let DOWN delete by key only what UP brought"));
        }
        if done.effect.may_meet_null {
            let object = &done.action.object;
            let (message, help) = match done.action.op {
                Op::Update { .. } => (
                    format!("DOWN may fail: it writes to a column of {object} that is NOT NULL what may be NULL"),
                    "let DOWN say what it writes where the query finds nothing (`coalesce`)",
                ),
                _ => (format!("DOWN may fail: NULL may stand in {object}, and DOWN makes it NOT NULL"), "let DOWN fill the column first"),
            };
            let at = Some((Direction::Down, done.statement.line));
            findings.push(finding(check::DOWN_FAILS, Verdict::Partial, Loss::None, at, message, help));
        }
        if let Some(found) = foreign_rows(done, &cleared) {
            findings.push(found);
        }
    }
    if let Some((line, why)) = &ran_down.refused {
        let message = format!("DOWN fails: {why}");
        let help = "run UP and DOWN once on a scratch database, and correct DOWN";
        findings.push(finding(check::DOWN_FAILS, Verdict::Irreversible, Loss::None, Some((Direction::Down, *line)), message, help));
    } else if no_down {
        // DOWN did nothing, so what differs is what UP did.
        findings.push(no_down_finding(migration, &round_trip.differences, missing.as_ref()));
    } else {
        compare(&mut findings, &round_trip, missing.as_ref(), &ran_up, &ran_down, &lost, !carried.is_empty() && lost.is_empty());
        if !demands.is_empty() {
            let help = "before DOWN, look for such rows; keep the old rule as a check until the new one is final";
            let broken_by: Vec<&str> = demands.iter().map(|d| d.broken_by.as_str()).collect();
            findings.push(finding(check::DECAYS, Verdict::Partial, Loss::None, None, format!("DOWN fails once {}", broken_by.join(", or ")), help));
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
    let app_rollback = meets.iter().map(|m| m.how).chain(up_unseen.then_some(Application::Unknown)).max().unwrap_or(Application::Safe);
    findings.extend(meets.into_iter().map(|meets| of_application(meets, &ran_up)));
    findings.extend(super::log::findings(&ran_up.done, catalog.engine));
    findings.extend(lock::findings(&ran_up.done, catalog.engine, !migration.up.no_transaction));
    findings.extend(lock::findings(&ran_down.done, catalog.engine, migration.down.as_ref().is_some_and(|down| !down.no_transaction)));
    // Without a DOWN that runs, nothing that was written since can go with it.
    let no_way = no_down || ran_down.refused.is_some();
    let verdict = findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Reversible);
    let loss = statements
        .iter()
        .filter_map(|s| s.loss)
        .chain(findings.iter().map(|f| f.loss))
        .filter(|&l| !(no_way && l == Loss::WrittenSince))
        .max()
        .unwrap_or(Loss::None);
    round_trip.proved = !no_down && ran_down.refused.is_none() && !up_unseen && !unseen(&ran_down) && round_trip.differences.iter().all(|d| !d.matters);
    let decays = !demands.is_empty() && verdict == Verdict::Partial;
    (Assessment { verdict, loss, decays, app_rollback, round_trip, statements, findings, missing }, start)
}

/// What DOWN demands of rows, parted into what it clears away first and what it does not.
fn demanded(after_up: &Journal, catalog: &Catalog, down: &Ran<'_>) -> (Vec<Demand>, Vec<Demand>) {
    let mut all = demands(after_up, catalog);
    for done in &down.done {
        let pointing = done.effect.pointed_at_by.iter();
        all.extend(pointing.map(|table| Demand {
            of: done.action.object.clone(),
            broken_by: format!("a row of {table} points at a row of {} that DOWN deletes", done.action.object),
        }));
    }
    // A rule on a type is cleared by mapping its values, whatever table they stand in.
    let clears = |demand: &Demand, done: &Done<'_>| {
        (done.effect.foreign_rows.is_some() || done.effect.mapped_by_hand) && (done.action.object == demand.of || catalog.table(&demand.of).is_none())
    };
    all.into_iter().partition(|demand| down.done.iter().any(|done| clears(demand, done)))
}

/// DOWN deletes or overwrites rows that stood before. Where it then demands something of the same table, it clears away the
/// rows that the old schema does not admit, and those were written since.
fn foreign_rows(done: &Done<'_>, cleared: &[Demand]) -> Option<Finding> {
    let object = &done.action.object;
    let update = matches!(done.action.op, Op::Update { .. });
    let what = if update { "overwrites" } else { "deletes" };
    let at = Some((Direction::Down, done.statement.line));
    let loss = done.effect.foreign_rows?;
    if let Some(demand) = cleared.iter().find(|d| d.of == *object).or_else(|| cleared.first().filter(|_| update)) {
        let loss = if update { Loss::Possible } else { Loss::WrittenSince };
        let message = format!("DOWN {what} rows of {object} written since, so that none is in its way ({})", demand.broken_by);
        return Some(finding(check::CLEARS, Verdict::Partial, loss, at, message, "count such rows before DOWN, and keep a copy of them"));
    }
    let message = match loss {
        Loss::Certain => format!("DOWN {what} rows of {object} that stood before UP"),
        _ => format!("DOWN {what} rows of {object}, and some may have stood before UP"),
    };
    Some(finding(check::DOWN_DESTROYS, Verdict::Irreversible, loss, at, message, "let DOWN touch by key only what UP brought"))
}

/// Differences that no statement's own finding speaks of.
fn compare(
    findings: &mut Vec<Finding>,
    round_trip: &RoundTrip,
    missing: Option<&Missing>,
    up: &Ran<'_>,
    down: &Ran<'_>,
    lost: &HashSet<Origin>,
    by_hand: bool,
) {
    let sentence = |part: Part| -> Vec<String> {
        round_trip.differences.iter().filter(|d| d.matters && d.kind == part).map(|d| format!("{} {}", d.object, d.what)).collect()
    };
    let at = down.done.last().map(|d| (Direction::Down, d.statement.line));
    let schema = sentence(Part::Schema);
    if !schema.is_empty() {
        let help = way_back::with_sql("add to DOWN what is missing, or take out what is too much", missing);
        findings.push(finding(check::DOWN_INCOMPLETE, Verdict::Partial, Loss::None, at, format!("after DOWN: {}", schema.join("; ")), help));
    }
    let unproved = sentence(Part::Unproved);
    if !unproved.is_empty() {
        let help = "give the schema that stood before the first migration with `--schema FILE`";
        findings.push(finding(check::UNPROVED, Verdict::Partial, Loss::None, at, unproved.join("; "), help));
    }
    let by_up: HashSet<Origin> = up.done.iter().flat_map(|d| d.effect.destroyed.iter().copied()).collect();
    let values = sentence(Part::Values);
    if values.is_empty() {
        return;
    }
    if by_hand {
        return;
    }
    if lost.is_empty() {
        let help = way_back::with_sql("let DOWN delete the rows by the keys that UP inserts", missing);
        findings.push(finding(check::DOWN_INCOMPLETE, Verdict::Partial, Loss::None, at, format!("after DOWN: {}", values.join("; ")), help));
    } else if lost.iter().any(|origin| !by_up.contains(origin)) {
        let help = "leave in DOWN only what undoes UP";
        // What stood there already, so that UP did nothing, DOWN takes away all the same.
        let loss = if up.done.iter().any(|d| d.effect.skipped) { Loss::Possible } else { Loss::Certain };
        findings.push(finding(check::DOWN_DESTROYS, Verdict::Irreversible, loss, at, format!("after DOWN: {}", values.join("; ")), help));
    }
}

fn no_down_finding(migration: &Migration, left: &[Difference], missing: Option<&Missing>) -> Finding {
    let mut left: Vec<&str> = left.iter().map(|difference| difference.object.as_str()).collect();
    left.dedup();
    let what = match left.as_slice() {
        [] => "what UP did".to_owned(),
        [first, second, rest @ ..] if rest.len() > 2 => format!("what UP did to {first}, {second} and {} more", rest.len()),
        some => format!("what UP did to {}", some.join(", ")),
    };
    let message = match (&migration.down, &migration.irreversible) {
        (_, Some(reason)) => format!("declared irreversible: {reason}"),
        (None, None) => format!("there is no DOWN: {what} stays"),
        (Some(_), None) => format!("DOWN does nothing: {what} stays"),
    };
    let help = match migration.irreversible {
        Some(_) => "write a DOWN, or let it be merged as it is: `-- migrate: allow no-down \"reason\"` in the file".to_owned(),
        None => way_back::with_sql("say in DOWN why there is none (`-- IRREVERSIBLE: reason`), or let it take back what UP did", missing),
    };
    let at = migration.down.as_ref().and_then(|down| down.segments.first()).map(|segment| (Direction::Down, segment.first_line));
    finding(check::NO_DOWN, Verdict::Irreversible, Loss::None, at, message, help)
}

/// What the application before UP meets, at the statement that did it.
fn of_application(meets: Meets, up: &Ran<'_>) -> Finding {
    let bare = meets.object.rsplit(' ').next().unwrap_or(&meets.object);
    let named = |done: &&Done<'_>| done.action.object == bare || meets.object.split(' ').any(|word| word == done.action.object);
    let of_table = |done: &&Done<'_>| bare.split('.').next() == done.action.object.split('.').next();
    let done = up.done.iter().rev().find(named).or_else(|| up.done.iter().rev().find(of_table));
    let at = done.map(|done| (Direction::Up, done.statement.line));
    let sure = if meets.how == Application::Breaks { "does not work" } else { "may not work" };
    let help = "keep the old form beside the new one until no old version runs";
    let message = format!("the application before UP {sure}: {} {}", meets.object, meets.what);
    finding(check::OLD_APPLICATION, Verdict::Reversible, Loss::None, at, message, help)
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

fn judged(done: &Done<'_>, share: Option<(Verdict, Loss)>, why: String) -> Judged {
    let (row, fact) = (done.kind.row(), done.asked.fact);
    let is = |works: &[Work]| (fact.work != Work::Unknown).then(|| works.contains(&fact.work));
    Judged {
        direction: done.direction,
        line: done.statement.line,
        column: done.statement.column,
        end_line: done.statement.end_line,
        code: row.code,
        name: row.name,
        object: done.action.object.clone(),
        verdict: share.map(|s| s.0),
        loss: share.map(|s| s.1),
        why,
        lock: fact.lock.name().map(str::to_owned),
        rewrite: is(&[Work::Rewrite]),
        scan: is(&[Work::Scan, Work::Rewrite]),
    }
}
