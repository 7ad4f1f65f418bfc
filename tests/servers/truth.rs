//! The truth of the rule pages: each case runs on every engine that it names and that can be had here, and the verdict is what the
//! database shows. What was proved stands in `fixtures/proved.toml`, from which `migrate rules` marks each cell.

use crate::page::{self, Case};
use crate::support::{alone_on_the_server, database, wait};
use crate::{state, trial};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;
use unmigrate::engine::Engine;
use unmigrate::proved::{Proof, proofs};
use unmigrate::table;

/// Cases that hold, and cannot show it here: page, title, engine, reason.
const EXCUSED: &[(&str, &str, Engine, &str)] = &[];

/// What one engine showed.
#[derive(Default)]
struct Shown {
    version: String,
    /// Rules whose own page has a case that ran.
    proved: BTreeSet<&'static str>,
    ran: usize,
    for_a_client: usize,
    /// Cases that ask for a newer server.
    too_new: usize,
    excused: usize,
    seconds: f32,
    wrong: Vec<String>,
}

fn excuse(case: &Case, engine: Engine) -> Option<&'static str> {
    EXCUSED.iter().find(|(family, title, on, _)| *family == case.family && *title == case.title && *on == engine).map(|(.., reason)| *reason)
}

/// Runs the cases of `engine`, one after the other: some change the whole server. `None` where it is not installed.
fn show(engine: Engine, cases: &[Case]) -> Option<Shown> {
    let began = Instant::now();
    let mut shown = Shown { version: trial::version(engine)?, ..Shown::default() };
    for case in cases.iter().filter(|case| case.engines.contains(&engine)) {
        if trial::asks_for_a_newer(case, engine, &shown.version) {
            shown.too_new += 1;
            continue;
        }
        if trial::for_a_client(case, engine) {
            shown.for_a_client += 1;
            continue;
        }
        let database = database(engine)?;
        let result = wait(trial::holds(case, &database));
        wait(state::clean(&database));
        let place = format!("{} on {engine}: {:?} is to be {}, {}", case.place, case.title, case.verdict.name(), case.loss.name());
        match (result, excuse(case, engine)) {
            (Ok(()), None) => {
                shown.ran += 1;
                let of_this_page = |rule: &&&'static str| table::find(rule).is_some_and(|row| row.family == case.family);
                shown.proved.extend(case.expected.iter().flat_map(|e| &e.rules).filter(of_this_page));
            }
            (Err(_), Some(_)) => shown.excused += 1,
            (Err(what), None) => shown.wrong.push(format!("{place}: {what}")),
            (Ok(()), Some(reason)) => shown.wrong.push(format!("{place}: it holds, and needs no excuse ({reason})")),
        }
    }
    shown.seconds = began.elapsed().as_secs_f32();
    Some(shown)
}

#[test]
fn sqlite_shows_what_the_pages_say() {
    shows(Engine::Sqlite);
}

#[test]
fn postgres_shows_what_the_pages_say() {
    shows(Engine::Postgres);
}

/// Runs where `tests/unstable.sh` gives the server.
#[test]
fn mysql_shows_what_the_pages_say() {
    shows(Engine::Mysql);
}

#[test]
fn mariadb_shows_what_the_pages_say() {
    shows(Engine::Mariadb);
}

/// Every case of `engine`, where its server is here, and the record of what was proved.
fn shows(engine: Engine) {
    let _alone = alone_on_the_server(engine);
    let Some(shown) = show(engine, &page::cases()) else { return };
    // Past the capture of test output: how much was proved must be seen.
    let _ = writeln!(
        std::io::stderr(),
        "{engine}: {} cells proved by {} cases on {} in {:.0} s; {} excused, {} for a client program, {} for a newer server",
        shown.proved.len(),
        shown.ran,
        shown.version,
        shown.seconds,
        shown.excused,
        shown.for_a_client,
        shown.too_new
    );
    assert!(shown.wrong.is_empty(), "{} cases do not hold:\n\n{}", shown.wrong.len(), shown.wrong.join("\n\n"));
    if std::env::var_os("MIGRATE_BLESS").is_some() {
        bless(engine, shown);
        return;
    }
    // Only the installed server's record must be exact: another release brings cases of its own.
    let differ = if another_release(engine) { Vec::new() } else { compare(engine, &shown) };
    assert!(
        differ.is_empty(),
        "fixtures/proved.toml is not what was proved:\n{}\nTo rewrite it: MIGRATE_BLESS=1 cargo test --test servers truth",
        differ.join("\n")
    );
}

/// Whether the server of `engine` is not the one that is installed here, but one that `tests/unstable.sh` gave.
fn another_release(engine: Engine) -> bool {
    engine == Engine::Postgres && std::env::var_os("MIGRATE_POSTGRES").is_some()
}

/// What the file says to be proved and is not, and the other way round. Versions differ between machines, and may.
fn compare(engine: Engine, shown: &Shown) -> Vec<String> {
    let now: BTreeSet<&str> = shown.proved.iter().copied().collect();
    let then: BTreeSet<&str> = proofs().get(engine.name()).into_iter().flat_map(|proof| &proof.rules).map(String::as_str).collect();
    let gone = then.difference(&now).map(|rule| format!("{rule} on {engine}: recorded, and not proved by this run"));
    let new = now.difference(&then).map(|rule| format!("{rule} on {engine}: proved by this run, and not recorded"));
    gone.chain(new).collect()
}

/// Writes an engine's part of the file anew. What did not run stays as it is.
fn bless(engine: Engine, shown: Shown) {
    static FILE: Mutex<()> = Mutex::new(());
    let _one_at_a_time = FILE.lock().expect("no panic");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/proved.toml");
    let text = std::fs::read_to_string(path).expect("a file of this repository");
    let mut proofs: BTreeMap<String, Proof> = toml::from_str(&text).expect("the file as it was written");
    let rules = shown.proved.into_iter().map(str::to_owned).collect();
    let date = chrono::Utc::now().date_naive().to_string();
    match proofs.get_mut(engine.name()).filter(|_| another_release(engine)) {
        Some(proof) => proof.also = Some(format!("{} ({date})", shown.version)),
        None => {
            let also = proofs.get(engine.name()).and_then(|proof| proof.also.clone());
            proofs.insert(engine.name().to_owned(), Proof { version: shown.version, date, also, rules });
        }
    }
    let head = "# Cells of the table that a real database showed. Written by tests/servers/truth.rs under MIGRATE_BLESS=1, never by hand.\n\n";
    std::fs::write(path, format!("{head}{}", toml::to_string_pretty(&proofs).expect("strings and lists"))).expect("a file of this repository");
}
