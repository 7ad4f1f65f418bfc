//! Migrations from a grammar, run on real databases with data and undone: no verdict `reversible` where the database shows
//! that the way back loses rows, keeps another schema or fails.
//!
//! `MIGRATE_CASES=10000 MIGRATE_SEED=7 cargo test --test servers generated -- --nocapture` is the full run. Without them a
//! fixed seed makes 500 cases on SQLite and 100 on PostgreSQL. Case n of a seed is the same on every machine.

mod columns;
mod flows;
mod grammar;
mod mistake;
mod objects;
mod parts;
mod rows;
mod truth;
mod world;

use fastrand::Rng;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use truth::{Fate, Server};
use unmigrate::assess::{self, Assessment};
use unmigrate::engine::Engine;
use unmigrate::migration::{Migration, Script, Version};
use unmigrate::parse;
use unmigrate::schema::catalog::Catalog;
use unmigrate::table::Verdict;

/// The seed where the environment names none.
const SEED: u64 = 20_240_116;

/// A start with its rows, a migration, and the kinds of change that it was made of.
#[derive(Clone)]
struct Case {
    engine: Engine,
    start: Vec<String>,
    up: Vec<String>,
    down: Option<Vec<String>>,
    kinds: Vec<&'static str>,
}

impl Case {
    fn script(statements: &[String]) -> String {
        statements.iter().map(|statement| format!("{statement}\n;\n")).collect()
    }

    fn generate(engine: Engine, rng: &mut Rng) -> Case {
        let all = grammar::kinds(engine);
        let (start, sql) = world::start(engine, rng);
        let mut world = start.clone();
        let (mut up, mut down, mut kinds) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..[1, 1, 2, 2, 3, 4][rng.usize(..6)] {
            let (kind, mut change) = grammar::draw(&all, &mut world, rng);
            kinds.push(kind);
            up.append(&mut change.up);
            change.down.append(&mut down);
            down = change.down;
        }
        let down = if rng.u8(..10) < 3 { mistake::make(down, &start, rng) } else { Some(down) };
        Case { engine, start: sql, up, down, kinds }
    }

    /// What the program says, the start being an older migration.
    fn judge(&self) -> Assessment {
        let script = |statements: &[String]| Script::whole(Case::script(statements));
        let mut catalog = Catalog::new(self.engine);
        assess::follow(&mut catalog, &parse::script(&script(&self.start), self.engine));
        let (up, down) = (script(&self.up), self.down.as_deref().map(script));
        let (parsed_up, parsed_down) = (parse::script(&up, self.engine), down.as_ref().map(|down| parse::script(down, self.engine)));
        let version = Version::new("2").expect("a version");
        let (name, path) = (String::from("case"), String::from("V2_case.sql"));
        let migration = Migration { version, name, path, down_path: None, up, down, irreversible: None, allows: Vec::new() };
        assess::migration(&mut catalog, &migration, &parsed_up, parsed_down.as_deref())
    }

    fn is_unsound(&self, server: &mut Server) -> bool {
        self.judge().verdict == Verdict::Reversible && matches!(server.fate(self), Fate::Bad(_))
    }

    /// Without the statements at these places, counted from DOWN's last over UP to the start's first.
    fn without(&self, places: &[usize]) -> Option<Case> {
        let mut less = self.clone();
        for &place in places {
            let (down, up) = (self.down.as_ref().map_or(0, Vec::len), self.up.len());
            match place {
                _ if place < down => drop(less.down.as_mut()?.remove(down - 1 - place)),
                _ if place < down + up => drop(less.up.remove(up - 1 - (place - down))),
                _ => drop(less.start.remove(self.start.len() - 1 - (place - down - up))),
            }
        }
        Some(less)
    }

    /// Drops statements, then pairs of them, as long as the verdict stays wrong.
    fn shrink(mut self, server: &mut Server) -> Case {
        loop {
            let count = self.down.as_ref().map_or(0, Vec::len) + self.up.len() + self.start.len();
            let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| vec![a, b]));
            let less = (0..count).map(|at| vec![at]).chain(pairs).filter_map(|places| self.without(&places));
            let Some(less) = less.into_iter().find(|less| less.is_unsound(server)) else { return self };
            self = less;
        }
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
    kinds: BTreeMap<&'static str, usize>,
    /// Why clean ones are not called reversible.
    reasons: BTreeMap<&'static str, usize>,
    refusals: BTreeMap<&'static str, usize>,
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|error| panic!("{name}={value}: {error}")))
}

/// Runs `cases` cases that the database does not refuse. `None` where the server is not installed.
fn run(engine: Engine, cases: usize) -> Option<(Counts, Vec<String>)> {
    let mut server = Server::open(engine)?;
    let seed = from_environment("MIGRATE_SEED").unwrap_or(SEED);
    let mut rng = Rng::with_seed(seed);
    let mut counts = Counts::default();
    for kind in grammar::kinds(engine) {
        counts.kinds.insert(kind.0, 0);
    }
    let mut unsound = Vec::new();
    while counts.ran < cases {
        let case = Case::generate(engine, &mut rng);
        let fate = server.fate(&case);
        if let Fate::Refused(_) = fate {
            counts.refused += 1;
            case.kinds.iter().for_each(|kind| *counts.refusals.entry(kind).or_default() += 1);
            assert!(counts.refused < 50 + 4 * counts.ran, "the grammar makes nothing but what {engine} refuses: {fate:?}\n{}", case.sql());
            continue;
        }
        counts.ran += 1;
        case.kinds.iter().for_each(|kind| *counts.kinds.entry(kind).or_default() += 1);
        let found = case.judge();
        match fate {
            Fate::Bad(_) => {
                counts.bad += 1;
                if found.verdict == Verdict::Reversible {
                    unsound.push(case.shrink(&mut server));
                }
            }
            _ => {
                counts.clean += 1;
                counts.clean_reversible += usize::from(found.verdict == Verdict::Reversible);
                found
                    .findings
                    .iter()
                    .filter(|f| f.verdict == found.verdict && f.verdict > Verdict::Reversible)
                    .take(1)
                    .for_each(|f| *counts.reasons.entry(f.name).or_default() += 1);
            }
        }
    }
    unsound.sort_by_key(|case| case.sql().len());
    let told = unsound.iter().map(|case| format!("{}-- {:?}\n", case.sql(), server.fate(case))).collect();
    Some((counts, told))
}

#[expect(clippy::print_stderr, reason = "the seed and the counts are what the full run is for")]
fn no_verdict_is_unsound(engine: Engine, cases: usize) {
    let cases = from_environment("MIGRATE_CASES").map_or(cases, |cases| usize::try_from(cases).expect("a number of cases"));
    let Some((counts, unsound)) = run(engine, cases) else { return };
    let share = |part: usize, of: usize| 100 * part / of.max(1);
    let mut told = format!(
        "{engine}: MIGRATE_SEED={} MIGRATE_CASES={cases}: {} refused, {} bad ({} %), {} clean, of these {} % reversible; {} unsound\n",
        from_environment("MIGRATE_SEED").unwrap_or(SEED),
        counts.refused,
        counts.bad,
        share(counts.bad, counts.ran),
        counts.clean,
        share(counts.clean_reversible, counts.clean),
        unsound.len(),
    );
    let _ = writeln!(told, "kinds: {:?}\nrefused: {:?}\nclean, not reversible: {:?}", counts.kinds, counts.refusals, counts.reasons);
    eprintln!("{told}");
    assert!(unsound.is_empty(), "{told}reversible, though the database shows otherwise:\n\n{}", unsound.join("\n"));
    assert!(share(counts.bad, counts.ran) >= 30, "too few bad ones: {told}");
    assert!(share(counts.clean_reversible, counts.clean) >= 70, "too few clean ones are called reversible: {told}");
    let rare: Vec<_> = counts.kinds.iter().filter(|(_, count)| **count < cases / 200).collect();
    assert!(rare.is_empty(), "too few of {rare:?}: {told}");
}

#[test]
fn generated_migrations_on_sqlite() {
    no_verdict_is_unsound(Engine::Sqlite, 500);
}

#[test]
fn generated_migrations_on_postgres() {
    no_verdict_is_unsound(Engine::Postgres, 100);
}
