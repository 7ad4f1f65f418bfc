//! How much `migrate check` costs beside what nobody can do without: sqlparser reading the same text. In: nothing, or
//! `--engine`, `--runs` and `--sizes`. Out: a table.
//!
//! `cargo bench --bench check -- --engine sqlite --runs 10 --sizes 100,1000,10000`
//!
//! Both run in turn, each as a process of its own, on files that were just written. Nothing is asserted: a machine that
//! does other work beside gives other numbers.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

mod generate;
mod measure;

use measure::{Cost, cost};
use sqlparser::parser::Parser;
use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Duration;
use unmigrate::engine::Engine;

/// With an engine, a number and an empty folder: writes the migrations there and does nothing else, for a profiler to use.
const WRITE: &str = "--write";
/// The first argument of the plain parse.
const PARSE: &str = "--plain-parse";
const MIGRATE: &str = env!("CARGO_BIN_EXE_migrate");
/// Starts of a program are so short that many are needed.
const STARTS: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [measure::HIDDEN, ..] => measure::in_between(&arguments[1..]),
        [PARSE, engine, dir] => {
            let (statements, refused) = plain_parse(Path::new(dir), Engine::from_word(engine).expect("an engine"));
            println!("{statements} {refused}");
        }
        [WRITE, engine, size, dir, ..] => {
            write(Path::new(dir), size.parse().expect("a number"), Engine::from_word(engine).expect("an engine"));
        }
        // `cargo bench` adds `--bench`.
        given => compare(&Wanted::new(given.iter().copied().filter(|a| *a != "--bench"))),
    }
}

/// Reads every file of `dir` with sqlparser alone, UP and DOWN each as one text. Statements, and texts that it refuses.
fn plain_parse(dir: &Path, engine: Engine) -> (usize, usize) {
    let (mut statements, mut refused) = (0, 0);
    for entry in fs::read_dir(dir).expect("the folder can be read") {
        let text = fs::read_to_string(entry.expect("the folder can be read").path()).expect("the file can be read");
        let (up, down) = text.split_once(generate::DOWN).expect("every file has both parts");
        for part in [up, down] {
            match black_box(Parser::parse_sql(engine.dialect(), part)) {
                Ok(parsed) => statements += parsed.len(),
                Err(_) => refused += 1,
            }
        }
    }
    (statements, refused)
}

struct Wanted {
    engine: Engine,
    runs: usize,
    sizes: Vec<usize>,
}

impl Wanted {
    fn new<'a>(mut arguments: impl Iterator<Item = &'a str>) -> Wanted {
        let mut wanted = Wanted { engine: Engine::Postgres, runs: 10, sizes: vec![100, 1_000, 10_000] };
        while let Some(name) = arguments.next() {
            let value = arguments.next().unwrap_or_default();
            match name {
                "--engine" => wanted.engine = Engine::from_word(value).expect("--engine takes an engine"),
                "--runs" => wanted.runs = value.parse().expect("--runs takes a number"),
                "--sizes" => wanted.sizes = value.split(',').map(|size| size.parse().expect("--sizes takes numbers")).collect(),
                other => panic!("{other} is not an option: --engine, --runs, --sizes are"),
            }
        }
        wanted
    }
}

/// Writes `size` migrations into `dir`. Their bytes.
fn write(dir: &Path, size: usize, engine: Engine) -> usize {
    let files = generate::migrations(size, engine);
    for file in &files {
        fs::write(dir.join(&file.name), &file.text).expect("a file can be written");
    }
    files.iter().map(|file| file.text.len()).sum()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn check_line(dir: &Path, engine: Engine) -> [String; 8] {
    [MIGRATE, "check", "--engine", engine.name(), "--format", "json", "--dir", &dir.display().to_string()].map(str::to_owned)
}

/// The middle of the costs, each measure for itself.
fn median(costs: &[Cost]) -> Cost {
    fn middle<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
        let mut values: Vec<T> = values.collect();
        values.sort_unstable();
        values[values.len() / 2]
    }
    Cost { cpu: middle(costs.iter().map(|c| c.cpu)), wall: middle(costs.iter().map(|c| c.wall)), peak_kib: middle(costs.iter().map(|c| c.peak_kib)) }
}

fn compare(wanted: &Wanted) {
    let engine = wanted.engine;
    let this = std::env::current_exe().expect("a running program has a path").display().to_string();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{engine}; median of {} runs in turn; CPU is user and system time", wanted.runs);
    println!(
        "{:>10} {:>8} {:>10} {:>8} | {:>11} {:>11} {:>6} | {:>11} {:>11} | {:>13} {:>9} {:>9}",
        "migrations", "MB", "statements", "refused", "parse CPU", "check CPU", "ratio", "parse wall", "check wall", "CPU/migration", "parse MiB", "check MiB"
    );
    for &size in &wanted.sizes {
        let dir = folder();
        let bytes = write(dir.path(), size, engine);
        let (statements, refused) = plain_parse(dir.path(), engine);
        let parse_line = [this.clone(), PARSE.to_owned(), engine.name().to_owned(), dir.path().display().to_string()];
        let (parse, check): (Vec<Cost>, Vec<Cost>) = (0..wanted.runs).map(|_| (cost(&parse_line), cost(&check_line(dir.path(), engine)))).unzip();
        let (parse, check) = (median(&parse), median(&check));
        println!(
            "{size:>10} {:>8.2} {statements:>10} {refused:>8} | {:>8.1} ms {:>8.1} ms {:>6.2} | {:>8.1} ms {:>8.1} ms | {:>10.1} µs {:>9} {:>9}",
            bytes as f64 / 1e6,
            ms(parse.cpu),
            ms(check.cpu),
            check.cpu.as_secs_f64() / parse.cpu.as_secs_f64(),
            ms(parse.wall),
            ms(check.wall),
            ms(check.cpu) * 1e3 / size as f64,
            parse.peak_kib >> 10,
            check.peak_kib >> 10
        );
    }
    let dir = folder();
    write(dir.path(), 10, engine);
    let starts: (Vec<Cost>, Vec<Cost>) = (0..STARTS).map(|_| (cost(&["true"]), cost(&check_line(dir.path(), engine)))).unzip();
    let (nothing, check) = (median(&starts.0), median(&starts.1));
    println!("start-up on 10 migrations: {:.2} ms CPU, `true` takes {:.2} ms; {:.2} ms wall", ms(check.cpu), ms(nothing.cpu), ms(check.wall));
}
