//! SIGKILL of the client, at every statement and at random moments: whatever it was at, the next start reaches what an undisturbed run
//! reaches, with nothing lost and nothing done twice.

use super::child::{Child, Ended, migrate};
use super::trial::{Counts, Undisturbed, drop_database, recover, statement, words};
use super::{report, seed, set, share, soak};
use crate::support;
use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;
use unmigrate::engine::Engine;
use unmigrate::migration::Direction;

const WAYS: [Direction; 2] = [Direction::Up, Direction::Down];

/// How many random moments a direction.
fn moments() -> usize {
    if soak() { 200 } else { 8 }
}

/// One run that is killed at one statement after the other.
fn at_each(undisturbed: &Undisturbed, folder: &Path) {
    let database = support::database(undisturbed.engine).expect("it runs");
    for direction in WAYS {
        let mut due: HashSet<&str> = share(undisturbed.way(direction).statements.iter().map(String::as_str).collect()).into_iter().collect();
        let (all, mut kills, mut killed_at) = (due.len(), 0, HashSet::new());
        let mut child = Child::start(migrate(&database.url, folder, words(direction)));
        while child.until(|line| statement(line).is_some_and(|line| due.contains(line))).is_some() {
            let ended = child.kill();
            kills += 1;
            // It may have come to the next one before the signal came to it.
            for line in ended.stderr.lines().filter_map(statement) {
                due.remove(line);
            }
            killed_at.extend(ended.stderr.lines().filter_map(statement).next_back().map(str::to_owned));
            let mut command = migrate(&database.url, folder, words(direction));
            command.arg("--finish");
            child = Child::start(command);
        }
        child.end().expect(0, &[]);
        undisturbed.compare(&database, direction, "killed at one statement after the other");
        assert!(due.is_empty(), "none was passed by: {due:?}");
        report(&format!(
            "{} {}: one run killed {kills} times, with {all} statements due, while at {} of them or their next",
            undisturbed.engine,
            direction.name(),
            killed_at.len()
        ));
    }
    drop_database(database);
}

/// Kills a run of each direction by `kill`, and goes on to the end. A run that is `told` says each statement, and on SQLite no two of its
/// migrations share a message.
fn trial(undisturbed: &Undisturbed, folder: &Path, story: &str, told: bool, counts: &mut [Counts; 2], kill: impl Fn(Direction, Child) -> Option<Ended>) {
    let database = support::database(undisturbed.engine).expect("it runs");
    for (direction, counts) in WAYS.into_iter().zip(counts) {
        let words: Vec<&str> = words(direction).iter().copied().filter(|word| told || *word != "-v").collect();
        let child = Child::start(migrate(&database.url, folder, &words));
        if let Some(ended) = kill(direction, child) {
            counts.kills += 1;
            counts.late += usize::from(ended.code == 0);
        }
        recover(&database, folder, direction, counts);
        undisturbed.compare(&database, direction, story);
    }
    drop_database(database);
}

/// Each statement in a run of its own.
fn at_one(undisturbed: &Undisturbed, folder: &Path, counts: &mut [Counts; 2]) {
    for at in 0..undisturbed.up.statements.len().max(undisturbed.down.statements.len()) {
        trial(undisturbed, folder, &format!("killed at statement {at} of the run"), true, counts, |direction, mut child| {
            let Some(wanted) = undisturbed.way(direction).statements.get(at) else {
                child.end().expect(0, &[]);
                return None;
            };
            child.until(|line| statement(line) == Some(wanted)).unwrap_or_else(|| panic!("{wanted} did not come"));
            Some(child.kill())
        });
    }
}

fn at_random(undisturbed: &Undisturbed, folder: &Path, seed: u64, counts: &mut [Counts; 2]) {
    let mut random = fastrand::Rng::with_seed(seed);
    let times = WAYS.map(|direction| Cell::new(undisturbed.way(direction).time));
    for number in 0..moments() {
        let moments = [0, 1].map(|way: usize| times[way].get().mul_f64(random.f64()));
        let story = format!("seed {seed}, moment {number}: killed after {:?} and {:?}", moments[0], moments[1]);
        trial(undisturbed, folder, &story, false, counts, |direction, child| {
            let way = direction as usize;
            let ended = child.kill_after(moments[way]);
            if ended.code == 0 {
                // The machine is faster by now: too late is no moment of a run.
                times[way].set(times[way].get().min(moments[way]));
            }
            Some(ended)
        });
    }
}

fn killed(engine: Engine) {
    let folder = set::folder(engine);
    let Some((undisturbed, first)) = Undisturbed::new(engine, folder.path()) else { return };
    drop_database(first);
    at_each(&undisturbed, folder.path());
    let told = |what: &str, counts: [Counts; 2]| {
        for (direction, counts) in WAYS.into_iter().zip(counts) {
            report(&format!("{engine} {}: {what}: {counts}; 0 lost, 0 done twice", direction.name()));
        }
    };
    if soak() {
        let mut counts = [Counts::default(); 2];
        at_one(&undisturbed, folder.path(), &mut counts);
        told("a run for each statement", counts);
    }
    let (seed, mut counts) = (seed(), [Counts::default(); 2]);
    at_random(&undisturbed, folder.path(), seed, &mut counts);
    told(&format!("{} random moments, MIGRATE_SEED={seed}", moments()), counts);
}

#[test]
fn sqlite_goes_on_after_any_kill() {
    killed(Engine::Sqlite);
}

#[test]
fn postgres_goes_on_after_any_kill() {
    killed(Engine::Postgres);
}

#[test]
fn mariadb_goes_on_after_any_kill() {
    killed(Engine::Mariadb);
}
