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
    /// The whole database as it stood; what was written since goes.
    Whole,
}

impl Route {
    /// Every one, the cheapest first.
    pub const ALL: [Route; 4] = [Route::Down, Route::RollForward, Route::SelectiveRepair, Route::Whole];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Route::Down => "DOWN",
            Route::RollForward => "roll forward",
            Route::SelectiveRepair => "selective repair",
            Route::Whole => "restore the whole",
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

/// The ways back: that which is asked for is taken, or else the first, where it leads there; of the last two somebody says whether they do.
pub(super) fn choices(asked: Option<Route>, selective: (bool, String), whole: (bool, String)) -> Vec<Choice> {
    let ways = [
        (Route::Down, (false, String::from("no DOWN brings back what is lost"))),
        (Route::RollForward, (false, String::from("fits where the application can do without what is lost; that is yours to say"))),
        (Route::SelectiveRepair, selective),
        (Route::Whole, whole),
    ];
    let first = asked.or_else(|| ways.iter().find(|(_, (leads, _))| *leads).map(|(route, _)| *route));
    ways.into_iter().map(|(route, (leads, why))| Choice { route, taken: leads && first == Some(route), why }).collect()
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
