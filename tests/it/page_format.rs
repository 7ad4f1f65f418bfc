//! The rule pages hold what they promise. In: every page. Out: a list of what is wrong, all of it at once.

use crate::page::{Page, cases, pages, parse};
use std::collections::HashSet;
use unmigrate::engine::Engine;
use unmigrate::lex::{PieceKind, split};
use unmigrate::table::{CHECKS, Cell, Loss, TABLE, Verdict};

fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn page_of<'a>(pages: &'a [Page], family: &str) -> &'a Page {
    pages.iter().find(|page| page.family == family).unwrap_or_else(|| panic!("fixtures/rules/{family}.md is missing"))
}

#[test]
fn every_page_belongs_to_a_family_and_names_its_rules() {
    let pages = pages();
    let families: HashSet<&str> = TABLE.iter().map(|row| row.family).chain(CHECKS.iter().map(|check| check.family)).collect();
    let mut wrong: Vec<String> =
        pages.iter().filter(|p| !families.contains(p.family.as_str())).map(|p| format!("{}: no such family in the table", p.family)).collect();
    let rows = TABLE.iter().map(|row| (row.family, row.name));
    for (family, name) in rows.chain(CHECKS.iter().map(|check| (check.family, check.name))) {
        if !page_of(&pages, family).prose.contains(&format!("`{name}`")) {
            wrong.push(format!("{family}: the prose does not name `{name}`"));
        }
    }
    none(wrong);
}

#[test]
fn every_row_has_a_case_on_each_engine_that_has_the_statement() {
    let pages = pages();
    let mut wrong = Vec::new();
    for row in TABLE {
        let page = page_of(&pages, row.family);
        for engine in Engine::ALL {
            let absent = row.kind.cell(engine) == Cell::Absent;
            match (absent, page.shows(row, engine), page.excuses(row, engine)) {
                (true, true, _) => wrong.push(format!("{}: a case shows `{}` on {engine}, where the table has none", row.family, row.name)),
                (false, false, false) => wrong.push(format!("{}: no case shows `{}` on {engine}, and no line says why", row.family, row.name)),
                (false, true, true) => wrong.push(format!("{}: `Without a case: {}`, but a case shows it on {engine}", row.family, row.name)),
                _ => {}
            }
        }
    }
    none(wrong);
}

#[test]
fn an_excuse_is_for_a_rule_of_its_own_page() {
    let excuses = |page: &Page| page.without.iter().map(|w| (page.family.clone(), w.rule)).collect::<Vec<_>>();
    let foreign = |(family, rule): &(String, &str)| !TABLE.iter().any(|row| row.name == *rule && row.family == family);
    none(pages().iter().flat_map(excuses).filter(foreign).map(|(family, rule)| format!("{family}: `{rule}` is of another family")).collect());
}

#[test]
fn every_statement_of_up_has_its_rules_behind_it() {
    let mut wrong = Vec::new();
    for case in cases() {
        for &engine in &case.engines {
            let found: Vec<u32> = split(&case.up, 1, engine).iter().map(|piece| piece.end_line).collect();
            let named: Vec<u32> = case.expected.iter().map(|e| e.end_line).collect();
            if found != named {
                wrong.push(format!("{} on {engine}: statements end on lines {found:?} of UP, rules stand on {named:?}", case.place));
            }
        }
    }
    none(wrong);
}

#[test]
fn before_and_down_end_whole() {
    let mut wrong = Vec::new();
    for case in cases() {
        for (part, sql) in [("before", Some(&case.before)), ("down", case.down.as_ref())] {
            let open = |&&engine: &&Engine| sql.is_some_and(|sql| split(sql, 1, engine).iter().any(|piece| piece.kind == PieceKind::Unterminated));
            wrong.extend(case.engines.iter().filter(open).map(|engine| format!("{} on {engine}: something in `{part}` does not end", case.place)));
        }
    }
    none(wrong);
}

#[test]
fn verdict_and_loss_fit_together() {
    let fits = |verdict, loss, decays: bool| match verdict {
        Verdict::Reversible => matches!(loss, Loss::None | Loss::WrittenSince) && !decays,
        Verdict::Partial => loss != Loss::Certain,
        Verdict::Irreversible => loss != Loss::WrittenSince && !decays,
    };
    none(
        cases()
            .iter()
            .filter(|c| !fits(c.verdict, c.loss, c.decays))
            .map(|c| format!("{}: {} does not go with {}", c.place, c.loss.name(), c.verdict.name()))
            .collect(),
    );
}

#[test]
fn a_page_says_one_thing_under_one_title() {
    let mut seen = HashSet::new();
    let mut wrong = Vec::new();
    for case in cases() {
        for engine in &case.engines {
            if !seen.insert((case.family.clone(), case.title.clone(), *engine)) {
                wrong.push(format!("{}: {:?} stands twice for {engine}", case.place, case.title));
            }
        }
    }
    none(wrong);
}

#[test]
fn a_malformed_page_is_told_with_file_and_line() {
    let head = "# query\n\n## What DOWN cannot bring back\n\n## The way back\n\n## Safer\n\n## Cases\n\n";
    let up = "```sql up\nSELECT 1; -- query\n```\n";
    let good = format!("{head}### Read: reversible, none (sqlite, postgres)\n\n{up}");
    assert!(
        parse("query", &good).is_ok_and(|page| page.cases[0].engines == [Engine::Sqlite, Engine::Postgres] && page.cases[0].expected[0].rules == ["query"])
    );
    for (text, said) in [
        ("# other\n".to_owned(), "query.md:1: the first line must be `# query`"),
        (good.replace("## Safer\n", ""), "query.md:8: expected \"## Safer\", found \"## Cases\""),
        (good.replace("none (", "nothing ("), "query.md:11: \"nothing\" is no loss"),
        (good.replace("(sqlite", "(oracle"), "query.md:11: \"oracle\" is no engine"),
        (good.replace("-- query", "-- quary"), "query.md:13: \"quary\" is no rule of the table"),
        (good.replace(" -- query", ""), "query.md:15: the case above has no `sql up` block"),
        (format!("{good}{up}"), "query.md:16: `sql up` stands twice"),
        (good.replace("1; -- query\n```\n", "1; -- query\n"), "query.md:13: the block does not end"),
        (good.replace("## Safer\n", "## Safer\nWithout a case: query\n"), "query.md:8: the form is `Without a case:"),
        (head.to_owned(), "query.md:10: there is no case"),
    ] {
        let error = parse("query", &text).err().unwrap_or_else(|| panic!("no error, expected {said:?} of\n{text}"));
        assert!(error.starts_with(&format!("fixtures/rules/{said}")), "{error}\nexpected {said}");
    }
}
