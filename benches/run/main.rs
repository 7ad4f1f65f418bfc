//! How long `migrate up`, `down`, `status` and an `up` with nothing to do take, beside the database's own client running the same SQL.
//! In: nothing, or `--engine`, `--runs` and `--size`. Out: a table.
//!
//! `cargo bench --bench run -- --engine postgres --runs 5 --size 1000`
//!
//! The client gets one script in which each migration is a transaction with a row of a ledger, as a careful person would write it; both
//! work at the client's own durability, which is read back and shown. The two take turns, each time on a fresh database. PostgreSQL is
//! a private server with its own defaults (fsync on), gone afterwards. Nothing is asserted: a machine that does other work beside gives
//! other numbers, so look at the ratios.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it found")]

#[path = "../check/measure.rs"]
#[expect(dead_code, reason = "the other benchmark shows peak memory too")]
mod measure;
mod server;

use measure::{Cost, cost};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;
use unmigrate::engine::Engine;

const MIGRATE: &str = env!("CARGO_BIN_EXE_migrate");

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if arguments.first().is_some_and(|first| first == measure::HIDDEN) {
        return measure::in_between(&arguments[1..]);
    }
    let (mut engines, mut runs, mut size) = (vec![Engine::Sqlite, Engine::Postgres], 5, 1_000);
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--engine" => engines = vec![Engine::from_word(value).expect("--engine takes an engine")],
            [name, value] if name == "--runs" => runs = value.parse().expect("--runs takes a number"),
            [name, value] if name == "--size" => size = value.parse().expect("--size takes a number"),
            other => panic!("{other:?} is not an option with its value: --engine, --runs, --size are"),
        }
    }
    for engine in engines {
        compare(engine, runs, size);
    }
}

/// UP and DOWN of migration `at`: tables, columns, indexes and rows, one or two statements each.
fn migration(at: usize) -> (String, String) {
    let table = at - at % 4;
    match at % 4 {
        0 => (
            format!("CREATE TABLE item_{table} (id INTEGER PRIMARY KEY, name VARCHAR(200) NOT NULL, price NUMERIC(10, 2));\n"),
            format!("DROP TABLE item_{table};\n"),
        ),
        1 => (
            format!("ALTER TABLE item_{table} ADD COLUMN note TEXT;\nCREATE INDEX item_{table}_name ON item_{table} (name);\n"),
            format!("DROP INDEX item_{table}_name;\nALTER TABLE item_{table} DROP COLUMN note;\n"),
        ),
        2 => (
            format!("INSERT INTO item_{table} (id, name) VALUES (1, 'one'), (2, 'two'), (3, 'three');\n"),
            format!("DELETE FROM item_{table} WHERE id IN (1, 2, 3);\n"),
        ),
        _ => (format!("CREATE VIEW priced_{table} AS SELECT id, name FROM item_{table} WHERE price IS NOT NULL;\n"), format!("DROP VIEW priced_{table};\n")),
    }
}

/// The same work for both.
struct Work {
    folder: tempfile::TempDir,
    up: String,
    down: String,
}

impl Work {
    fn new(size: usize) -> Work {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let dir = folder.path().join("migrations");
        fs::create_dir(&dir).expect("a folder");
        let mut up = String::from("CREATE TABLE ledger (version BIGINT PRIMARY KEY, down_text TEXT);\n");
        let mut down = String::new();
        for at in 0..size {
            let (forward, back) = migration(at);
            fs::write(dir.join(format!("V{at:06}_Change.sql")), format!("-- UP\n{forward}-- DOWN\n{back}")).expect("a file can be written");
            let quoted = back.replace('\'', "''");
            writeln!(up, "BEGIN;\n{forward}INSERT INTO ledger VALUES ({at}, '{quoted}');\nCOMMIT;").expect("text grows");
            down.insert_str(0, &format!("BEGIN;\n{back}DELETE FROM ledger WHERE version = {at};\nCOMMIT;\n"));
        }
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("a file can be written");
            path.display().to_string()
        };
        let (up, down) = (write("up.sql", &up), write("down.sql", &down));
        Work { folder, up, down }
    }

    fn migrate(&self, url: &str, arguments: &[&str]) -> Vec<String> {
        let dir = self.folder.path().join("migrations").display().to_string();
        [MIGRATE].iter().chain(arguments).chain(&["--dir", &dir, "--database", url, "-q"]).map(|word| (*word).to_owned()).collect()
    }
}

/// A database: its URL for us, and for a script the command line of its own client.
struct Place {
    url: String,
    client: Client,
}

type Client = Box<dyn Fn(&str) -> Vec<String>>;

fn compare(engine: Engine, runs: usize, size: usize) {
    let work = Work::new(size);
    let server = (engine == Engine::Postgres).then(server::Server::start);
    let mut count = 0;
    let mut place = || {
        count += 1;
        match &server {
            Some(server) => server.place(&format!("bench_{count}")),
            None => sqlite(&work.folder.path().join(format!("{count}.db"))),
        }
    };
    println!("{engine}, {size} migrations, {runs} pairs; {}", durability(server.as_ref()));
    let mut rows: [Vec<(Cost, Cost)>; 2] = [Vec::new(), Vec::new()];
    let (mut nothing, mut status) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let (ours, theirs) = (place(), place());
        let back = ["goto", "0", "--accept-loss", "all"];
        let pairs: [(&[&str], &str); 2] = [(&["up"], &work.up), (&back, &work.down)];
        for (row, (arguments, script)) in rows.iter_mut().zip(pairs) {
            let us = || cost(&work.migrate(&ours.url, arguments));
            let them = || cost(&(theirs.client)(script));
            // Who comes second may find the disk busy with what the first left.
            let pair = if run % 2 == 0 {
                let us = us();
                (us, them())
            } else {
                let them = them();
                (us(), them)
            };
            if arguments == ["up"] {
                nothing.push(cost(&work.migrate(&ours.url, &["up"])));
                status.push(cost(&work.migrate(&ours.url, &["status"])));
            }
            row.push(pair);
        }
    }
    println!("{:>14} {:>12} {:>12} {:>22} {:>12} {:>12}", "", "ours wall", "client wall", "ratio (min to max)", "ours CPU", "client CPU");
    for (name, pairs) in ["up", "down"].iter().zip(&rows) {
        let mut ratios: Vec<f64> = pairs.iter().map(|(us, them)| us.wall.as_secs_f64() / them.wall.as_secs_f64()).collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let of = |side: fn(&(Cost, Cost)) -> Duration| ms(middle(pairs.iter().map(side).collect()));
        println!(
            "{name:>14} {:>9.0} ms {:>9.0} ms {:>8.3} ({:.3}-{:.3}) {:>9.0} ms {:>9.0} ms",
            of(|p| p.0.wall),
            of(|p| p.1.wall),
            ratios[ratios.len() / 2],
            ratios[0],
            ratios[ratios.len() - 1],
            of(|p| p.0.cpu),
            of(|p| p.1.cpu)
        );
    }
    for (name, costs) in [("nothing to do", &nothing), ("status", &status)] {
        let of = |side: fn(&Cost) -> Duration| ms(middle(costs.iter().map(side).collect()));
        println!("{name:>14} {:>9.1} ms {:>57.1} ms", of(|c| c.wall), of(|c| c.cpu));
    }
}

fn sqlite(path: &Path) -> Place {
    let file = path.display().to_string();
    let url = format!("sqlite:{file}");
    // The client turns foreign keys off by default; the same work needs them on.
    let client =
        move |script: &str| ["sh", "-c", "exec sqlite3 -bail -cmd 'PRAGMA foreign_keys = ON' \"$0\" <\"$1\"", &file, script].map(str::to_owned).to_vec();
    Place { url, client: Box::new(client) }
}

/// What both sides write to the disk before they go on.
fn durability(server: Option<&server::Server>) -> String {
    match server {
        Some(server) => server.ask("SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes', 'server_version')"),
        None => {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let dir = folder.path().join("migrations");
            fs::create_dir(&dir).expect("a folder");
            let ask = "CREATE TABLE seen AS SELECT (SELECT journal_mode FROM pragma_journal_mode) AS j, (SELECT synchronous FROM pragma_synchronous) AS s;";
            fs::write(dir.join("V1_ask.sql"), format!("-- UP\n{ask}\n-- DOWN\nDROP TABLE seen;\n")).expect("a file can be written");
            let file = folder.path().join("ours.db").display().to_string();
            let run = |command: &mut std::process::Command| String::from_utf8_lossy(&command.output().expect("it runs").stdout).trim().to_owned();
            run(std::process::Command::new(MIGRATE).args(["up", "-q", "--dir", &dir.display().to_string(), "--database", &format!("sqlite:{file}")]));
            let ours = run(std::process::Command::new("sqlite3").args([&file, "SELECT j, s FROM seen"]));
            let theirs = run(std::process::Command::new("sqlite3").args([&folder.path().join("theirs.db").display().to_string(), "PRAGMA journal_mode; PRAGMA synchronous"]));
            format!("journal_mode and synchronous: ours {ours}, client {}", theirs.replace('\n', "|"))
        }
    }
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
