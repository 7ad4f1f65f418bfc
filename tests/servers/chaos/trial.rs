//! One database that goes up and down, and what it must look like then. In: what disturbs it. Out: nothing, or a panic that says
//! what was lost or done twice.

use super::child::{Child, Ended, migrate, run};
use super::set::COUNT;
use crate::link::Link;
use crate::state::{self, Scope, State, differences};
use crate::support::{self, Database, wait};
use std::path::Path;
use std::time::{Duration, Instant};
use unmigrate::engine::Engine;
use unmigrate::migration::Direction;

/// The words that go a way, from one end to the other.
pub(super) fn words(direction: Direction) -> &'static [&'static str] {
    match direction {
        Direction::Up => &["up", "-v"],
        // More than stand is as good as all.
        Direction::Down => &["down", "-v", "--steps", "30", "--accept-loss", "all"],
    }
}

/// What a statement's line of `migrate -v` says after the time: `up 03 Visits: statement 2 of 4, V03_Visits.sql:3: UPDATE …`.
pub(super) fn statement(line: &str) -> Option<&str> {
    let (_, said) = line.split_once(" INFO ")?;
    said.contains(": statement ").then_some(said)
}

/// Schema and rows without our own tables; a name that every database has another of is evened.
pub(super) fn picture(database: &Database) -> State {
    let mut state = wait(async {
        let mut link = Link::open(database).await.expect("a connection");
        let state = state::dump(&mut link, database, Scope::Database).await;
        link.close().await;
        state
    });
    for lines in [&mut state.schema, &mut state.rows] {
        lines.retain(|line| !line.contains("migrate_history"));
        if database.engine != Engine::Sqlite {
            lines.iter_mut().for_each(|line| *line = line.replace(database.name(), "database"));
        }
        // With other names they come in another order.
        lines.sort();
    }
    state
}

/// What the history says was done, oldest first: `up 03`.
pub(super) fn done(database: &Database) -> Vec<String> {
    let words = match database.engine {
        Engine::Mysql | Engine::Mariadb => "CONCAT(direction, ' ', version)",
        Engine::Sqlite | Engine::Postgres => "direction || ' ' || version",
    };
    database.query(&format!("SELECT {words} FROM migrate_history WHERE outcome = 'done' ORDER BY seq"))
}

/// What an undisturbed run leaves, and what it goes through.
pub(super) struct Undisturbed {
    pub(super) engine: Engine,
    pub(super) up: Way,
    pub(super) down: Way,
}

/// One direction of it.
pub(super) struct Way {
    picture: State,
    done: Vec<String>,
    /// The lines of its statements.
    pub(super) statements: Vec<String>,
    /// How long it takes.
    pub(super) time: Duration,
}

impl Undisturbed {
    pub(super) fn new(engine: Engine, folder: &Path) -> Option<(Undisturbed, Database)> {
        let database = support::database(engine)?;
        let way = |direction| {
            let started = Instant::now();
            let ended = run(migrate(&database.url, folder, words(direction))).expect(0, &[]);
            let time = started.elapsed();
            let statements = ended.stderr.lines().filter_map(statement).map(str::to_owned).collect();
            Way { picture: picture(&database), done: done(&database), statements, time }
        };
        let (up, down) = (way(Direction::Up), way(Direction::Down));
        assert_eq!((up.done.len(), down.done.len()), (COUNT, 2 * COUNT));
        Some((Undisturbed { engine, up, down }, database))
    }

    pub(super) fn way(&self, direction: Direction) -> &Way {
        match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        }
    }

    /// Panics unless `database` has all of it at the end of `direction`, once each.
    pub(super) fn compare(&self, database: &Database, direction: Direction, story: &str) {
        let (way, seen) = (self.way(direction), picture(database));
        let mut found = differences(&numbered(&way.picture.schema), &numbered(&seen.schema));
        found.extend(differences(&numbered(&way.picture.rows), &numbered(&seen.rows)));
        assert!(found.is_empty(), "{} {}, {story}: the database is another one:\n{}", self.engine, direction.name(), found.join("\n"));
        assert_eq!(done(database), way.done, "{} {}, {story}: each once, and in order", self.engine, direction.name());
    }
}

/// Sorted lines, each with how many like it come before: a row that was brought twice is no difference of sets.
fn numbered(lines: &[String]) -> Vec<String> {
    let mut before = ("", 0);
    let number = |line| {
        before = (line, if before.0 == line { before.1 + 1 } else { 0 });
        format!("{line} ({} alike)", before.1)
    };
    lines.iter().map(String::as_str).map(number).collect()
}

/// What starting again took.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts {
    /// Runs that were killed.
    pub(super) kills: usize,
    /// Kills that came after the run's end.
    pub(super) late: usize,
    /// Starts that went on by themselves.
    pub(super) plain: usize,
    /// Starts that said what stands and offered the ways on, and went on with `--finish`.
    pub(super) finished: usize,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { kills, late, plain, finished } = self;
        write!(f, "{kills} kills ({late} after the end), then {plain} went on by themselves, {finished} with --finish")
    }
}

/// Starts again after a kill, as a person would: plainly, and where that says that something is half-done, with the way on that it offers.
/// Where it goes on with `--finish`, gives the child that does.
pub(super) fn again(database: &Database, folder: &Path, direction: Direction, counts: &mut Counts) -> Result<Ended, Child> {
    let plain = run(migrate(&database.url, folder, words(direction)));
    if plain.code == 0 {
        counts.plain += 1;
        return Ok(plain);
    }
    let plain = plain.expect(6, &["did not come to its end", "--finish", "--compensate"]);
    assert!(!plain.stderr.lines().any(|line| statement(line).is_some()), "nothing runs before somebody chose: {plain:?}");
    counts.finished += 1;
    let mut command = migrate(&database.url, folder, words(direction));
    command.arg("--finish");
    Err(Child::start(command))
}

/// Starts again and goes on to the end.
pub(super) fn recover(database: &Database, folder: &Path, direction: Direction, counts: &mut Counts) {
    if let Err(child) = again(database, folder, direction, counts) {
        child.end().expect(0, &[]);
    }
}

/// Removes a database of a server.
pub(super) fn drop_database(database: Database) {
    let Some(root) = database.root() else { return };
    let force = if database.engine == Engine::Postgres { " WITH (FORCE)" } else { "" };
    root.execute(&format!("DROP DATABASE {}{force}", database.name()));
}
