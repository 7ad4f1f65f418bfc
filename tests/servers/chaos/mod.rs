//! What may happen to a runner: it is killed, the server is, the disk is full, somebody meddles. The real binary runs as a child process.
//!
//! Each test does a share of its work from a fixed seed. `MIGRATE_SOAK=1` does all of it, from a seed that is printed and that
//! `MIGRATE_SEED` sets.

mod case;
mod child;
mod hands;
mod held;
mod kill;
mod pooler;
mod room;
mod server;
mod set;
mod signals;
mod taken_back;
mod together;
mod trial;
mod waits;
mod watch;

use std::io::Write;

/// Whether to do all.
fn soak() -> bool {
    std::env::var("MIGRATE_SOAK").is_ok_and(|value| value == "1")
}

/// Where chance begins.
fn seed() -> u64 {
    let given = std::env::var("MIGRATE_SEED").ok().map(|seed| seed.parse().expect("MIGRATE_SEED is a number"));
    given.unwrap_or_else(|| if soak() { fastrand::u64(..) } else { 20_240_115 })
}

/// All of what is to be disturbed, or the share of it that a run without soak has time for: every so many, from a place that the seed tells.
fn share<T>(all: Vec<T>) -> Vec<T> {
    const EACH: usize = 4;
    let first = (seed() % EACH as u64) as usize;
    if soak() { all } else { all.into_iter().skip(first).step_by(EACH).collect() }
}

/// Says what was counted, past the capture of test output: it is what a run is for.
fn report(text: &str) {
    // Nobody is there to tell where this fails.
    let _ = writeln!(std::io::stderr(), "\n{text}");
}
