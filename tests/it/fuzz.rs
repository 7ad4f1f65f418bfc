//! Arbitrary bytes for read, parse and assess: whatever a file of migrations holds, the program neither panics nor hangs.
//!
//! `MIGRATE_SOAK=1 cargo test --release --test it fuzz -- --nocapture` tries a million inputs from a seed by chance, which is printed with
//! the slowest input; `MIGRATE_SEED` and `MIGRATE_CASES` set seed and count. Without them a fixed seed makes some thousands. An input
//! is a file of `fixtures/layouts` in its folder, with pieces of the rule pages' SQL and of other files put in, taken out, repeated and
//! broken. proptest runs them, and drops pieces of one that fails. It needs no nightly compiler and no tool but cargo, so that it runs
//! with all other tests; what it lacks against libFuzzer, the sight of new branches, the pages make up, for they hold each kind of statement.

use crate::page;
use crate::support::root;
use fastrand::Rng;
use proptest::prelude::{Strategy, any};
use proptest::strategy::{NewTree, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use unmigrate::engine::Engine;
use unmigrate::read::survey;
use unmigrate::schema::catalog::Catalog;
use unmigrate::{assess, parse};

/// The seed where the environment names none.
const SEED: u64 = 20_240_116;

/// Inputs in a common run, and in the long one.
const FEW: u64 = 1_500;
const MANY: u64 = 1_000_000;

/// Marks that begin or end something, and others that were trouble somewhere.
const MARKS: &[&str] = &[
    "'",
    "\"",
    "`",
    "$$",
    "$a$",
    "--",
    "/*",
    "*/",
    "/*!50000 ",
    "/*M!",
    ";",
    "(",
    ")",
    "[",
    "]",
    "\\",
    "\0",
    "\u{feff}",
    "\r",
    "é",
    "😀",
    "E'\\",
    "#",
    "::",
    ",",
    ".",
    "@",
    "DELIMITER //\n",
    "BEGIN",
    "END",
    "CASE",
    "-- UP\n",
    "-- DOWN\n",
    "-- +goose Down\n",
    "-- migrate:down\n",
    "-- +migrate StatementBegin\n",
    "-- migrate: allow drop-column \"x\"\n",
    "COPY t FROM stdin;\n1\n\\.\n",
    "UNION ALL SELECT 1 ",
    "NOT ",
    "- ",
    "CREATE TABLE t (",
    "ALTER TABLE t ",
    "AS $$",
    "1e999",
    "x'",
    "U&'\\+",
    "🦀 AS ",
];

/// One input: a file that takes the place of another.
#[derive(Clone, Debug)]
struct Input {
    engine: Engine,
    /// The folder of a layout, and a file in it.
    folder: usize,
    file: usize,
    bytes: Vec<u8>,
}

/// A file's path and its bytes.
type File = (PathBuf, Vec<u8>);

/// What inputs are made of.
struct Corpus {
    /// The layouts' folders, each a copy of its own, and their files.
    folders: Vec<(PathBuf, Vec<File>)>,
    pieces: Vec<Vec<u8>>,
    _copies: tempfile::TempDir,
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(files_in(&entry));
        } else {
            found.push(entry);
        }
    }
    found.sort();
    found
}

impl Corpus {
    fn collect() -> Corpus {
        let copies = tempfile::tempdir().expect("a folder");
        let layouts = root().join("fixtures/layouts");
        let mut folders: BTreeMap<PathBuf, Vec<File>> = BTreeMap::new();
        for file in files_in(&layouts) {
            let inside = file.strip_prefix(&layouts).expect("it stands there");
            let copy = copies.path().join(inside);
            let bytes = std::fs::read(&file).expect("a file");
            std::fs::create_dir_all(copy.parent().expect("a parent")).expect("a folder");
            std::fs::write(&copy, &bytes).expect("a file");
            let layout = copies.path().join(inside.components().next().expect("a layout"));
            folders.entry(layout).or_default().push((copy, bytes));
        }
        let mut pieces: Vec<Vec<u8>> = folders.values().flatten().map(|(_, bytes)| bytes.clone()).collect();
        pieces.extend(page::cases().into_iter().flat_map(|case| [Some(case.before), Some(case.up), case.down]).flatten().map(String::into_bytes));
        Corpus { folders: folders.into_iter().collect(), pieces, _copies: copies }
    }

    fn piece<'a>(&'a self, rng: &mut Rng) -> &'a [u8] {
        &self.pieces[rng.usize(..self.pieces.len())]
    }

    fn input(&self, rng: &mut Rng) -> Input {
        let engine = [Engine::Sqlite, Engine::Postgres, Engine::Mysql, Engine::Mariadb][rng.usize(..4)];
        let folder = rng.usize(..self.folders.len());
        let file = rng.usize(..self.folders[folder].1.len());
        let mut bytes = self.folders[folder].1[file].1.clone();
        for _ in 0..rng.usize(1..6) {
            self.change(&mut bytes, rng);
        }
        bytes.truncate(1 << 17);
        Input { engine, folder, file, bytes }
    }

    fn change(&self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        let at = rng.usize(..=bytes.len());
        let end = (at + rng.usize(1..40)).min(bytes.len());
        let put = |bytes: &mut Vec<u8>, new: &[u8]| drop(bytes.splice(at..at, new.iter().copied()));
        match rng.u8(..12) {
            0 | 1 => put(bytes, self.piece(rng)),
            2 => {
                let piece = self.piece(rng);
                let (from, to) = (rng.usize(..=piece.len()), rng.usize(..=piece.len()));
                put(bytes, &piece[from.min(to)..from.max(to)]);
            }
            3 => drop(bytes.drain(at..end)),
            4 | 5 => put(bytes, MARKS[rng.usize(..MARKS.len())].as_bytes()),
            6 => {
                let piece = bytes[at..end].to_vec();
                put(bytes, &piece.repeat(rng.usize(1..4)));
            }
            7 => bytes[at..end].iter_mut().for_each(|byte| *byte = rng.u8(..)),
            8 => bytes.truncate(at),
            9 => bytes.extend_from_slice(self.piece(rng)),
            10 => {
                // Deep or long.
                let most = if rng.u8(..20) == 0 { 8_000 } else { 60 };
                put(bytes, MARKS[rng.usize(..MARKS.len())].repeat(rng.usize(1..most)).as_bytes());
            }
            _ => bytes[at..end].make_ascii_uppercase(),
        }
    }

    /// Reads, parses and assesses the folder with the input in it.
    fn check(&self, input: &Input) {
        let (folder, files) = &self.folders[input.folder];
        let (path, original) = &files[input.file];
        std::fs::write(path, &input.bytes).expect("a file");
        let loaded = survey(folder, None, input.engine);
        std::fs::write(path, original).expect("a file");
        let Ok(loaded) = loaded else { return };
        let mut catalog = Catalog::new(input.engine);
        for migration in &loaded.migrations {
            let up = parse::script(&migration.up, input.engine);
            let down = migration.down.as_ref().map(|down| parse::script(down, input.engine));
            let found = assess::migration(&mut catalog, migration, &up, down.as_deref());
            assert!(found.statements.iter().all(|s| s.verdict <= Some(found.verdict)), "worst wins");
        }
    }
}

struct Inputs<'a>(&'a Corpus);

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("inputs")
    }
}

impl Strategy for Inputs<'_> {
    type Tree = Smaller;
    type Value = Input;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let seed = any::<u64>().new_tree(runner)?.current();
        let input = self.0.input(&mut Rng::with_seed(seed));
        let size = input.bytes.len();
        Ok(Smaller { input, less: None, at: 0, size })
    }
}

/// An input that fails, and the same without a piece of `size` bytes; when no piece can go, smaller ones are tried.
struct Smaller {
    input: Input,
    less: Option<Input>,
    at: usize,
    size: usize,
}

impl Smaller {
    fn next(&mut self) -> bool {
        while self.at >= self.input.bytes.len() {
            if self.size <= 1 {
                self.less = None;
                return false;
            }
            (self.at, self.size) = (0, self.size / 2);
        }
        let mut less = self.input.clone();
        drop(less.bytes.drain(self.at..(self.at + self.size).min(less.bytes.len())));
        self.less = Some(less);
        true
    }
}

impl ValueTree for Smaller {
    type Value = Input;

    fn current(&self) -> Input {
        self.less.as_ref().unwrap_or(&self.input).clone()
    }

    fn simplify(&mut self) -> bool {
        if let Some(less) = self.less.take() {
            self.input = less;
        }
        self.next()
    }

    fn complicate(&mut self) -> bool {
        self.at += self.size;
        self.next()
    }
}

#[test]
fn no_bytes_break_read_parse_and_assess() {
    // With the stack that the program gives itself: trees are as deep as somebody writes them.
    let thread = std::thread::Builder::new().stack_size(unmigrate::cli::STACK).spawn(feed).expect("a thread");
    thread.join().expect("no input breaks it");
}

#[expect(clippy::print_stderr, reason = "the seed and the slowest input are what the long run is for")]
fn feed() {
    let soak = std::env::var_os("MIGRATE_SOAK").is_some();
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap_or_else(|error| panic!("{name}={value}: {error}")));
    let seed = number("MIGRATE_SEED").unwrap_or_else(|| if soak { fastrand::u64(..1_000_000_000) } else { SEED });
    let cases = number("MIGRATE_CASES").unwrap_or(if soak { MANY } else { FEW });
    eprintln!("MIGRATE_SEED={seed} MIGRATE_CASES={cases}");
    let corpus = Corpus::collect();
    let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let slowest = RefCell::new((Duration::ZERO, String::new()));
    for at in 0..cases {
        let tree = Inputs(&corpus).new_tree(&mut runner).expect("every seed makes an input");
        let tried = runner.run_one(tree, |input| {
            let began = Instant::now();
            corpus.check(&input);
            let took = began.elapsed();
            if took > slowest.borrow().0 {
                *slowest.borrow_mut() = (took, format!("{} bytes for {}, {:?}", input.bytes.len(), input.engine, String::from_utf8_lossy(&input.bytes)));
            }
            Ok::<(), TestCaseError>(())
        });
        if let Err(error) = tried {
            panic!("input {at} of MIGRATE_SEED={seed}: {error}");
        }
        if soak && at.is_multiple_of(50_000) {
            let (took, input) = &*slowest.borrow();
            eprintln!("{at}: slowest {took:?}, {input:.200}");
        }
    }
    let (took, input) = &*slowest.borrow();
    eprintln!("{cases} inputs; the slowest took {took:?}: {input:.400}");
}

/// What the long run has found, and was mended: names that lead in a circle.
#[test]
fn views_that_name_themselves_end() {
    let sql = "CREATE TABLE users (id INT);\nCREATE VIEW users AS SELECT id FROM accounts;\ndown\nDROP TABLE users.;\nDROP TABLE users;\n\
               CREATE VIEW a AS SELECT 1 FROM b; CREATE VIEW b AS SELECT 1 FROM a; DROP VIEW a CASCADE; DROP VIEW b;";
    for engine in Engine::ALL {
        let statements = parse::script(&unmigrate::migration::Script::whole(sql), engine);
        assess::follow(&mut Catalog::new(engine), &statements);
    }
}
