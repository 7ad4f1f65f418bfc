//! What `migrate check --fix` writes, on real databases. In: the cases of the rule pages that can be undone, without their DOWN. Out:
//! schema and rows after UP and the DOWN that was written, which must be what they were before.

use crate::link::Link;
use crate::page::{self, Case};
use crate::state::{self, State, differences};
use crate::support::{Database, alone_on_the_server, database, wait};
use crate::trial;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use unmigrate::engine::Engine;
use unmigrate::read;
use unmigrate::table::Verdict;

/// So many kinds of statements, at least, are undone by a DOWN that nobody wrote.
const AT_LEAST: [(Engine, usize); 3] = [(Engine::Sqlite, 25), (Engine::Postgres, 75), (Engine::Mariadb, 48)];

/// The DOWN that the program wrote; `None` where it wrote none.
fn written(case: &Case, engine: Engine) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("a file");
    write("V1_before.sql", &format!("-- UP\n{}", case.before));
    write("V2_case.sql", &format!("-- UP\n{}", case.up));
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.env_remove("DATABASE_URL").current_dir(folder.path()).stdin(Stdio::null());
    let output =
        command.args(["check", "--fix", "--yes", "--format", "json", "--dir", ".", "--engine", engine.name(), "V2_case.sql"]).output().expect("it starts");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{}: {e}", case.place));
    let fix = &report["migrations"][0]["fix"];
    if fix["written"] != true {
        return None;
    }
    let loaded = read::load(folder.path(), None, engine).expect("what was written can be read");
    Some(loaded.migrations[1].down.as_ref().expect("a DOWN was written").text())
}

/// Before UP, and after UP and the DOWN that was written.
async fn round_trip(case: &Case, down: &str, database: &Database) -> Result<(State, State), String> {
    let mut link = Link::open(database).await.map_err(|error| error.to_string())?;
    trial::run_each(&trial::statements(&case.before, database.engine), &mut link).await?;
    link = trial::renew(link, database).await?;
    let before = state::dump(&mut link, database, state::Scope::Server).await;
    trial::run(&case.up, &mut link, database.engine).await?;
    link = trial::renew(link, database).await?;
    trial::run(down, &mut link, database.engine).await.map_err(|error| format!("DOWN was refused: {error}"))?;
    link = trial::renew(link, database).await?;
    let after = state::dump(&mut link, database, state::Scope::Server).await;
    link.close().await;
    Ok((before, after))
}

/// The cases of one engine; gives the rules of those that were undone, and what went wrong.
fn engine(engine: Engine, cases: &[Case]) -> Option<(BTreeSet<&'static str>, usize, Vec<String>)> {
    let _alone = alone_on_the_server(engine);
    let version = trial::version(engine)?;
    let (mut rules, mut undone, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    let runs = |case: &&Case| case.engines.contains(&engine) && !trial::for_a_client(case, engine) && !trial::asks_for_a_newer(case, engine, &version);
    for case in cases.iter().filter(runs).filter(|case| case.verdict != Verdict::Irreversible) {
        let Some(down) = written(case, engine) else { continue };
        let database = database(engine)?;
        let result = wait(round_trip(case, &down, &database));
        wait(state::clean(&database));
        let differ = match result {
            Err(error) => vec![error],
            // SQLite keeps statements as they were written, keywords in any case and with any white space.
            Ok((before, after)) => {
                let one = |line: &String| if engine == Engine::Sqlite { line.to_lowercase().split_whitespace().collect() } else { line.clone() };
                let even = |lines: &[String]| lines.iter().map(one).collect::<Vec<String>>();
                [differences(&even(&before.schema), &even(&after.schema)), differences(&before.rows, &after.rows)].concat()
            }
        };
        if differ.is_empty() {
            undone += 1;
            rules.extend(case.expected.iter().flat_map(|e| e.rules.iter().copied()));
        } else {
            wrong.push(format!("{} on {engine}: {:?}\n{}\nDOWN:\n{down}\n  {}", case.place, case.title, case.up, differ.join("\n  ")));
        }
    }
    Some((rules, undone, wrong))
}

#[test]
fn what_fix_writes_brings_back_schema_and_rows() {
    let cases = &page::cases();
    let mut wrong = Vec::new();
    std::thread::scope(|scope| {
        let threads = AT_LEAST.map(|(on, least)| (on, least, scope.spawn(move || engine(on, cases))));
        for (on, least, thread) in threads {
            let Some((rules, undone, differ)) = thread.join().expect("no panic") else { continue };
            // Past the capture of test output: how much was proved must be seen.
            let _ = writeln!(std::io::stderr(), "{on}: --fix undid {undone} cases with {} kinds of statements", rules.len());
            wrong.extend(differ);
            if rules.len() < least {
                wrong.push(format!("{on}: only {} kinds were undone, and {least} are to be", rules.len()));
            }
        }
    });
    assert!(wrong.is_empty(), "{} cases:\n\n{}", wrong.len(), wrong.join("\n\n"));
}
