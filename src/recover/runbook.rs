//! A runbook: what to do on one database after one migration destroyed data. In: what was recorded and observed. Out: plain values, which
//! `report` prints.

use crate::engine::Engine;
use serde::Serialize;

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// What to do, in the order in which to read it.
#[derive(Clone, Debug, Serialize)]
pub struct Runbook {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The migration's version.
    pub version: String,
    /// The migration's name.
    pub name: String,
    /// The database's engine.
    pub engine: Engine,
    /// Where the database is, without a password.
    pub database: String,
    /// What would make it worse.
    pub stop: Vec<String>,
    /// What is known.
    pub facts: Vec<Fact>,
    /// The ways back, the cheapest first; the commands are those of the one that is taken.
    pub decision: Vec<Choice>,
    /// What brings the data back.
    pub commands: Vec<Command>,
    /// What shows that it is back.
    pub verification: Vec<Command>,
    /// What takes away what the commands made beside the database.
    pub clean_up: Vec<Command>,
    /// What to do when all is well again.
    pub afterwards: Vec<String>,
}

/// Something that is known, and how.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// What it is about.
    pub what: String,
    /// What it is.
    pub value: String,
    /// The query or command that gave it, so that it can be asked again.
    pub query: Option<String>,
}

/// A way back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Route {
    /// DOWN, or the old name again.
    Down,
    /// A new migration, without what was lost.
    RollForward,
    /// What was lost alone, from a copy beside the database.
    SelectiveRepair,
    /// An UPDATE that computes what stands now from the old values.
    CompensatingUpdate,
    /// The whole database as it stood; what was written since goes.
    Whole,
    /// The whole database as it stood, and then all that was written since but the migration.
    Replay,
}

impl Route {
    /// Every one, the cheapest first.
    pub const ALL: [Route; 6] = [Route::Down, Route::RollForward, Route::SelectiveRepair, Route::CompensatingUpdate, Route::Whole, Route::Replay];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Route::Down => "DOWN",
            Route::RollForward => "roll forward",
            Route::SelectiveRepair => "selective repair",
            Route::CompensatingUpdate => "compensating update",
            Route::Whole => "restore the whole",
            Route::Replay => "restore and replay",
        }
    }
}

/// A way back, and whether it leads there.
#[derive(Clone, Debug, Serialize)]
pub struct Choice {
    /// Which.
    pub route: Route,
    /// The commands are its own.
    pub taken: bool,
    /// Why, or why not.
    pub why: String,
}

/// The ways back: that which is asked for is taken, or else the first, where it leads there. By `down` one goes back so many migrations, or not and
/// why; of the repair and the restore somebody says whether they lead there; `replay` is why the last one does not.
pub(super) fn choices(asked: Option<Route>, down: &Result<usize, String>, selective: (bool, String), whole: (bool, String), replay: &str) -> Vec<Choice> {
    let down = match down {
        Ok(1) => (true, String::from("DOWN brings back what stood before; what was written since into what UP added goes")),
        Ok(steps) => (true, format!("DOWN brings back what stood before, and takes back the {} migrations after it as well", steps - 1)),
        Err(why) => (false, why.clone()),
    };
    let yours = |why: &str| (false, why.to_owned());
    let ways = [
        (Route::Down, down),
        (Route::RollForward, yours("fits where the application can do without what is lost; that is yours to say")),
        (Route::SelectiveRepair, selective),
        (
            Route::CompensatingUpdate,
            yours("fits where later values were computed from wrong ones: selective repair brings the old ones, and the UPDATE is yours"),
        ),
        (Route::Whole, whole),
        (Route::Replay, yours(replay)),
    ];
    let first = asked.or_else(|| ways.iter().find(|(_, (leads, _))| *leads).map(|(route, _)| *route));
    ways.into_iter().map(|(route, (leads, why))| Choice { route, taken: leads && first == Some(route), why }).collect()
}

/// The commands that go back by DOWN, so many migrations.
pub(super) fn by_down(down: &Result<usize, String>) -> Vec<Command> {
    let steps = down.as_ref().copied().unwrap_or_default();
    vec![Command {
        what: String::from("go back by DOWN; the database is in DATABASE_URL. Where something was written since UP into what UP added, it asks first"),
        shell: format!("migrate down --steps {steps}"),
        expect: format!("{steps} migration{} undone", if steps == 1 { "" } else { "s" }),
        proved: true,
    }]
}

/// A command for a shell.
#[derive(Clone, Debug, Serialize)]
pub struct Command {
    /// What it does.
    pub what: String,
    /// The command for `bash`, every value filled in.
    pub shell: String,
    /// What it shows where all is well; else it ends with another exit code than 0.
    pub expect: String,
    /// This program's tests have run it as it stands here.
    pub proved: bool,
}

/// `text` as one word of a shell.
pub fn quoted(text: &str) -> String {
    // Only a zero byte cannot be quoted, and no path or SQL text holds one.
    shlex::try_quote(text).map_or_else(|_| String::from("''"), |word| word.into_owned())
}
