//! Every case of every rule page, judged on each of its engines: the verdict of the whole, and the rule of each statement.

use crate::page::{self, Case};
use unmigrate::assess;
use unmigrate::engine::Engine;
use unmigrate::migration::{Migration, Script, Version};
use unmigrate::parse;
use unmigrate::schema::catalog::Catalog;
use unmigrate::target::Target;

/// What is said of the migration of `case`, after what stands before it.
pub(crate) fn assess(case: &Case, engine: Engine) -> assess::Assessment {
    let since = case.since.iter().find(|(on, _)| *on == engine).map(|(_, since)| *since);
    let mut catalog = Catalog::new(Target { engine, stated: since });
    assess::follow(&mut catalog, &parse::script(&Script::whole(case.before.as_str()), engine));
    let (up, down) = (Script::whole(case.up.as_str()), case.down.as_ref().map(|d| Script::whole(d.as_str())));
    let (parsed_up, parsed_down) = (parse::script(&up, engine), down.as_ref().map(|d| parse::script(d, engine)));
    let migration = Migration {
        version: Version::new("2").unwrap(),
        name: "case".into(),
        path: case.place.clone(),
        down_path: None,
        up,
        down,
        irreversible: None,
        allows: Vec::new(),
    };
    assess::migration(&mut catalog, &migration, &parsed_up, parsed_down.as_deref())
}

fn judge(case: &Case, engine: Engine) -> Vec<String> {
    let found = assess(case, engine);
    let said = |verdict: &str, loss: &str, decays: bool| format!("{verdict}, {loss}{}", if decays { ", decays" } else { "" });
    let (expected, is) = (said(case.verdict.name(), case.loss.name(), case.decays), said(found.verdict.name(), found.loss.name(), found.decays));
    let mut wrong = Vec::new();
    if expected != is {
        let why: Vec<String> = found.findings.iter().map(|f| format!("{}: {}", f.name, f.message)).collect();
        wrong.push(format!("{} {engine}: {}: expected {expected}; is {is} ({})", case.place, case.title, why.join(" | ")));
    }
    for expected in &case.expected {
        let named: Vec<&str> = found.statements.iter().filter(|s| s.direction.name() == "up" && s.end_line == expected.end_line).map(|s| s.name).collect();
        if named != expected.rules {
            wrong.push(format!("{} {engine}: line {} of UP: expected {:?}; is {named:?}", case.place, expected.end_line, expected.rules));
        }
    }
    wrong
}

#[test]
fn every_case_is_judged_as_its_page_says() {
    let cases = page::cases();
    let wrong: Vec<String> = cases.iter().flat_map(|case| case.engines.iter().flat_map(move |&engine| judge(case, engine))).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
