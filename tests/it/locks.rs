//! The cases of the page `locks`: a case whose title is a rule's name has that finding in UP, and one that begins with
//! `nothing` has none but for the timeout.

use crate::page;
use crate::rules::assess;
use unmigrate::engine::Engine;
use unmigrate::gate::policy::{Level, Policy};
use unmigrate::table::{CHECKS, LOCKS_FAMILY, Verdict, check};

fn names(case: &page::Case, engine: Engine) -> Vec<&'static str> {
    let of_locks = |code: &str| CHECKS.iter().any(|c| c.code == code && c.family == LOCKS_FAMILY);
    let found = assess(case, engine);
    found.findings.iter().filter(|f| of_locks(f.code) && f.direction.is_some_and(|d| d.name() == "up")).map(|f| f.name).collect()
}

#[test]
fn the_cases_of_locks_find_what_their_titles_say() {
    let mut wrong = Vec::new();
    for case in page::cases().iter().filter(|case| case.family == LOCKS_FAMILY) {
        for &engine in &case.engines {
            let names = names(case, engine);
            let right = match case.title.split('`').nth(1).unwrap_or(&case.title) {
                title if title.starts_with("nothing") => names.iter().all(|name| *name == check::NO_LOCK_TIMEOUT.name),
                title => names.contains(&title),
            };
            if !right {
                wrong.push(format!("{} {engine}: {}: found {names:?}", case.place, case.title));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_rule_of_locks_has_a_case() {
    let cases = page::cases();
    for rule in CHECKS.iter().filter(|c| c.family == LOCKS_FAMILY) {
        assert!(cases.iter().any(|case| case.title.starts_with(&format!("`{}`", rule.name))), "no case of locks.md shows `{}`", rule.name);
    }
}

#[test]
fn a_busy_site_is_a_matter_of_policy_and_of_no_verdict() {
    let cases = page::cases();
    let case = cases.iter().find(|case| case.title == "`blocking-index`").unwrap();
    let found = assess(case, Engine::Postgres);
    let index = found.findings.iter().find(|f| f.code == check::BLOCKING_INDEX.code).unwrap();
    assert_eq!(found.verdict, Verdict::Reversible);
    assert!(index.help.contains("CREATE INDEX CONCURRENTLY idx_users_email ON users (email);"), "{}", index.help);
    for (busy, level) in [(None, Level::Allow), (Some(Level::Warn), Level::Warn), (Some(Level::Deny), Level::Deny)] {
        let policy = busy.map_or_else(Policy::default, |busy| Policy { busy, ..Policy::default() });
        assert_eq!(policy.level(index, true), level);
        assert!(!policy.needs_attestation(&found.findings));
    }
}
