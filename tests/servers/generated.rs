//! Migrations from a grammar, run on real databases with data and undone: no verdict `reversible` where the database shows
//! that the way back loses rows, keeps another schema or fails.
//!
//! `MIGRATE_SOAK=1 cargo test --release --test servers generated -- --nocapture` is the full run: 10,000 cases on SQLite and on
//! PostgreSQL and 1,000 on MariaDB from a seed by chance, which is printed; `MIGRATE_SEED` and `MIGRATE_CASES` set seed and count. Without
//! them a fixed seed makes few enough for every run of the tests. Case n of a seed is the same on every machine. `MIGRATE_SHOW=RULE` prints
//! a few cases, as small as they get, that come back clean and that RULE keeps from being called reversible.

mod columns;
mod definitions;
mod dress;
mod flows;
mod grammar;
mod keys;
mod mistake;
mod objects;
mod parts;
mod rows;
mod settings;
mod shrink;
mod start;
mod things;
mod truth;
mod world;

use crate::support::alone_on_the_server;
use fastrand::Rng;
use proptest::prelude::Strategy;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};
use shrink::Cases;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use truth::{Fate, Server};
use unmigrate::assess::{self, Assessment};
use unmigrate::engine::Engine;
use unmigrate::migration::{Direction, Migration, Script, Version};
use unmigrate::parse;
use unmigrate::schema::catalog::Catalog;
use unmigrate::table::{Cell, TABLE, Verdict};

/// The seed where the environment names none.
const SEED: u64 = 20_240_117;

/// Kinds of statement that no case holds: engine, rules, reason.
const WITHOUT: &[(Engine, &[&str], &str)] = &[
    (
        Engine::Sqlite,
        &["add-not-null", "drop-not-null", "set-default", "drop-default", "add-check", "drop-constraint"],
        "SQLite changes columns and constraints in place only since 3.53, which is newer than the one in here",
    ),
    (Engine::Sqlite, &["call"], "SQLite keeps no routines"),
    (Engine::Sqlite, &["client-command", "not-understood"], "SQLite refuses what is for a client program, or for nobody"),
    (Engine::Postgres, &["client-command", "not-understood"], "PostgreSQL refuses what is for a client program, or for nobody"),
    (Engine::Postgres, &["drop-partition"], "PostgreSQL drops a partition as a table"),
    (Engine::Postgres, &["partition-scheme"], "no statement of PostgreSQL changes a table's scheme"),
];

/// A start with its rows, a migration, and the kinds of change that it was made of.
#[derive(Clone)]
struct Case {
    engine: Engine,
    start: Vec<String>,
    up: Vec<String>,
    down: Option<Vec<String>>,
    /// Some statement cannot be in a transaction.
    alone: bool,
    kinds: Vec<&'static str>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.sql())
    }
}

impl Case {
    fn script(statements: &[String]) -> String {
        statements.iter().map(|statement| format!("{statement}\n;\n")).collect()
    }

    fn generate(engine: Engine, rng: &mut Rng) -> Case {
        let all = grammar::kinds(engine);
        let (start, sql) = start::start(engine, rng);
        let mut world = start.clone();
        let (mut up, mut down, mut kinds, mut alone) = (Vec::new(), Vec::new(), Vec::new(), false);
        for _ in 0..[1, 1, 2, 2, 3, 4][rng.usize(..6)] {
            let (kind, mut change) = grammar::draw(&all, &mut world, rng);
            kinds.push(kind);
            alone |= change.alone;
            up.append(&mut change.up);
            change.down.append(&mut down);
            down = change.down;
        }
        let down = if rng.u8(..10) < 3 { mistake::make(down, &start, rng) } else { Some(down) };
        let mut dressed = |part: Vec<String>| part.into_iter().map(|sql| dress::dress(sql, &start, rng)).collect::<Vec<_>>();
        let (up, down) = (dressed(up), down.map(dressed));
        Case { engine, start: sql, up, down, alone, kinds }
    }

    /// What the program says, the start being an older migration.
    fn judge(&self) -> Assessment {
        let script = |statements: &[String]| Script { no_transaction: self.alone, ..Script::whole(Case::script(statements)) };
        let mut catalog = Catalog::new(self.engine);
        assess::follow(&mut catalog, &parse::script(&script(&self.start), self.engine));
        let (up, down) = (script(&self.up), self.down.as_deref().map(script));
        let (parsed_up, parsed_down) = (parse::script(&up, self.engine), down.as_ref().map(|down| parse::script(down, self.engine)));
        let version = Version::new("2").expect("a version");
        let (name, path) = (String::from("case"), String::from("V2_case.sql"));
        let migration = Migration { version, name, path, down_path: None, up, down, irreversible: None, allows: Vec::new() };
        assess::migration(&mut catalog, &migration, &parsed_up, parsed_down.as_deref())
    }

    /// How many statements it has.
    fn len(&self) -> usize {
        self.down.as_ref().map_or(0, Vec::len) + self.up.len() + self.start.len()
    }

    /// Without the statements at these places, counted from DOWN's last over UP to the start's first.
    fn without(&self, places: &[usize]) -> Case {
        let mut less = self.clone();
        for &place in places {
            let (down, up) = (self.down.as_ref().map_or(0, Vec::len), self.up.len());
            match &mut less.down {
                Some(statements) if place < down => drop(statements.remove(down - 1 - place)),
                _ if place < down + up => drop(less.up.remove(up - 1 - (place - down))),
                _ => drop(less.start.remove(self.start.len() - 1 - (place - down - up))),
            }
        }
        less
    }

    /// As SQL that can be pasted.
    fn sql(&self) -> String {
        let down = self.down.as_deref().map_or_else(|| String::from("-- no DOWN\n"), |down| format!("-- DOWN\n{}", Case::script(down)));
        format!("-- {}: start\n{}-- UP\n{}{down}", self.engine, Case::script(&self.start), Case::script(&self.up)).replace("\n;\n", ";\n")
    }
}

/// What was counted in a run.
#[derive(Default)]
struct Counts {
    ran: usize,
    refused: usize,
    bad: usize,
    clean: usize,
    clean_reversible: usize,
    /// Cases by the rules of their statements of UP.
    rules: BTreeMap<&'static str, usize>,
    /// Why clean ones are not called reversible.
    reasons: BTreeMap<&'static str, usize>,
    /// Kinds of change in refused cases, and in all.
    refusals: BTreeMap<&'static str, (usize, usize)>,
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error}")))
}

/// Runs `cases` cases that the database does not refuse, and gives the unsound ones as small as they get. `None` where the server is
/// not installed.
#[expect(clippy::print_stderr, reason = "what is asked for with MIGRATE_SHOW")]
fn run(engine: Engine, cases: usize, seed: u64) -> Option<(Counts, Vec<String>)> {
    let _alone = alone_on_the_server(engine);
    let server = RefCell::new(Server::open(engine)?);
    let config =
        Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, max_shrink_iters: 3_000, max_global_rejects: u32::MAX, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let mut counts = Counts::default();
    let mut unsound = Vec::new();
    let (show, mut shown) = (std::env::var("MIGRATE_SHOW").ok(), 0);
    while counts.ran < cases {
        let tree = Cases(engine).new_tree(&mut runner).expect("every seed makes a case");
        let case = tree.current();
        let fate = server.borrow_mut().fate(&case);
        let refused = matches!(fate, Fate::Refused(_));
        for kind in &case.kinds {
            let of_kind = counts.refusals.entry(kind).or_default();
            *of_kind = (of_kind.0 + usize::from(refused), of_kind.1 + 1);
        }
        if refused {
            counts.refused += 1;
            assert!(counts.refused < 50 + 4 * counts.ran, "the grammar makes nothing but what {engine} refuses: {fate:?}\n{}", case.sql());
            continue;
        }
        let found = case.judge();
        counts.add(&found, &fate);
        if let (Fate::Clean, Some(rule), true) = (&fate, &show, shown < 8)
            && needless(&found) == Some(rule)
        {
            shown += 1;
            let test = |case: Case| match (needless(&case.judge()), server.borrow_mut().fate(&case)) {
                (Some(why), Fate::Clean) if why == rule => Err(TestCaseError::fail(rule.clone())),
                _ => Ok(()),
            };
            if let Err(TestError::Fail(_, case)) = runner.run_one(tree, test) {
                eprintln!("{}-- {:#?}\n", case.sql(), case.judge().findings.iter().map(|f| &f.message).collect::<Vec<_>>());
            }
            continue;
        }
        if sound(&found, &fate).is_ok() {
            continue;
        }
        // Of the same failure: a smaller case may well fail in another way.
        let same = |other: &Fate| kind_of_failure(other) == kind_of_failure(&fate);
        let smallest = runner.run_one(tree, |case| match server.borrow_mut().fate(&case) {
            fate if !case.up.is_empty() && same(&fate) => sound(&case.judge(), &fate),
            _ => Ok(()),
        });
        match smallest {
            Err(TestError::Fail(why, case)) => unsound.push(format!("{}-- {why}\n", case.sql())),
            other => unsound.push(format!("{}-- at first: {fate:?}; then: {other:?}\n", case.sql())),
        }
    }
    unsound.sort_by_key(String::len);
    Some((counts, unsound))
}

/// The rule that keeps it from being called reversible.
fn needless(found: &Assessment) -> Option<&'static str> {
    found.findings.iter().find(|f| f.verdict == found.verdict && f.verdict > Verdict::Reversible).map(|f| f.name)
}

/// What the database said of DOWN, without the place; nothing where DOWN ran.
fn kind_of_failure(fate: &Fate) -> Option<String> {
    let Fate::Bad(why) = fate else { return None };
    why.starts_with(truth::DOWN_FAILS).then(|| why.split(" at line ").next().unwrap_or(why).to_owned())
}

/// Whether the database does not gainsay the verdict.
fn sound(found: &Assessment, fate: &Fate) -> Result<(), TestCaseError> {
    match fate {
        Fate::Bad(why) if found.verdict == Verdict::Reversible => Err(TestCaseError::fail(why.clone())),
        Fate::Refused(why) => Err(TestCaseError::reject(why.clone())),
        Fate::Bad(_) | Fate::Clean => Ok(()),
    }
}

impl Counts {
    fn add(&mut self, found: &Assessment, fate: &Fate) {
        self.ran += 1;
        let mut rules: Vec<_> = found.statements.iter().filter(|s| s.direction == Direction::Up).map(|s| s.name).collect();
        rules.sort_unstable();
        rules.dedup();
        rules.into_iter().for_each(|rule| *self.rules.entry(rule).or_default() += 1);
        if matches!(fate, Fate::Bad(_)) {
            self.bad += 1;
            return;
        }
        self.clean += 1;
        self.clean_reversible += usize::from(found.verdict == Verdict::Reversible);
        if let Some(reason) = needless(found) {
            *self.reasons.entry(reason).or_default() += 1;
        }
    }

    /// Kinds of statement of `engine` that occur less than `least` times, and those said not to occur that do.
    fn rare(&self, engine: Engine, least: usize) -> Vec<(&'static str, usize)> {
        let excused = |rule: &str| WITHOUT.iter().any(|(on, rules, _)| *on == engine && rules.contains(&rule));
        let of_engine = TABLE.iter().filter(|row| row.kind.cell(engine) != Cell::Absent);
        let counted = of_engine.map(|row| (row.name, self.rules.get(row.name).copied().unwrap_or(0)));
        counted.filter(|(rule, count)| if excused(rule) { *count > 0 } else { *count < least }).collect()
    }
}

#[expect(clippy::print_stderr, reason = "the seed and the counts are what the full run is for")]
fn no_verdict_is_unsound(engine: Engine, few: usize, many: usize) {
    let soak = std::env::var_os("MIGRATE_SOAK").is_some();
    let seed = from_environment("MIGRATE_SEED").unwrap_or_else(|| if soak { fastrand::u64(..1_000_000_000) } else { SEED });
    let cases = from_environment("MIGRATE_CASES").map_or(if soak { many } else { few }, |cases| usize::try_from(cases).expect("a number of cases"));
    eprintln!("{engine}: MIGRATE_SEED={seed} MIGRATE_CASES={cases}");
    let Some((counts, unsound)) = run(engine, cases, seed) else { return };
    let share = |part: usize, of: usize| 100 * part / of.max(1);
    let mut told = format!(
        "{engine}: MIGRATE_SEED={seed} MIGRATE_CASES={cases}: {} refused, {} bad ({} %), {} clean, of these {} % reversible; {} unsound\n",
        counts.refused,
        counts.bad,
        share(counts.bad, counts.ran),
        counts.clean,
        share(counts.clean_reversible, counts.clean),
        unsound.len(),
    );
    let _ = writeln!(told, "rules: {:?}\nrefused, of all: {:?}\nclean, not reversible: {:?}", counts.rules, counts.refusals, counts.reasons);
    eprintln!("{told}");
    assert!(unsound.is_empty(), "{told}reversible, though the database shows otherwise:\n\n{}", unsound.join("\n"));
    if engine == Engine::Mariadb {
        // Too few and too slow for shares; its pages prove each kind.
        return;
    }
    assert!(share(counts.bad, counts.ran) >= 30, "too few bad ones: {told}");
    assert!(share(counts.clean_reversible, counts.clean) >= 70, "too few clean ones are called reversible: {told}");
    // Of 10,000 each at least 50.
    let rare = counts.rare(engine, cases / 200);
    assert!(rare.is_empty(), "too few of {rare:?}: {told}");
}

#[test]
fn generated_migrations_on_sqlite() {
    no_verdict_is_unsound(Engine::Sqlite, 500, 10_000);
}

#[test]
fn generated_migrations_on_postgres() {
    no_verdict_is_unsound(Engine::Postgres, 100, 10_000);
}

#[test]
fn generated_migrations_on_mariadb() {
    no_verdict_is_unsound(Engine::Mariadb, 30, 1_000);
}
