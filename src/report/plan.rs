//! What would run on a database, before anything does. In: a [`Plan`]. Out: text for people, Markdown for a review, JSON for machines.

use crate::engine::Engine;
use crate::migration::Direction;
use crate::recover::loss::Counted;
use crate::run::Number;
use serde::Serialize;
use std::fmt::Write as _;
use textwrap::{Options, WordSplitter, fill};

/// The version of the JSON.
pub const SCHEMA: u32 = 1;

/// What would run.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The database's engine.
    pub engine: Engine,
    /// Where the database is, without a password.
    pub database: String,
    /// The command that does it: `migrate up`.
    pub command: String,
    /// In order.
    pub steps: Vec<Step>,
    /// What DOWN would take along or stumble over on this database; `None` where the history does not tell what made it.
    pub losses: Option<Vec<Loss>>,
    /// Why it would not run as things stand.
    pub blocked: Option<Blocked>,
}

/// What DOWN would take along or stumble over.
#[derive(Clone, Debug, Serialize)]
pub struct Loss {
    /// What it is of: `table notes`, `column users.email`, `users.email NOT NULL`.
    pub object: String,
    /// What is counted.
    pub counted: Counted,
    /// How much.
    pub number: Number,
    /// All of it was written since UP, which made what holds it; else nobody knows how much was.
    pub since: bool,
    /// The query that counts.
    pub query: Option<String>,
}

impl Loss {
    fn words(&self) -> String {
        let [one, what] = self.counted.names();
        let number = match &self.number {
            Number::Exact(1) => format!("1 {one}"),
            Number::Exact(number) => format!("{number} {what}"),
            Number::AtMostAbout(number) => format!("at most about {number} {what}, not counted"),
            Number::Unknown(why) => format!("{what}: not known ({why})"),
        };
        let since = match (self.counted.is_lost(), self.since, &self.number) {
            (true, _, Number::Exact(0)) | (false, ..) => "",
            (true, true, _) => ", written since UP, or by it",
            (true, false, _) => ", how many of them since UP is not known",
        };
        format!("{}: {number}{since}", self.object)
    }
}

/// One migration in one direction.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// The migration's version.
    pub version: String,
    /// The migration's name.
    pub name: String,
    /// Which way.
    pub direction: Direction,
    /// The file, or where else its text comes from.
    pub path: Option<String>,
    /// The verdict: what was judged of UP, what the history says of it for DOWN.
    pub verdict: &'static str,
    /// The loss.
    pub loss: &'static str,
    /// When UP ran, for DOWN.
    pub applied_at: Option<String>,
    /// How it meets transactions, in words.
    pub transaction: String,
    /// What would run.
    pub statements: Vec<Statement>,
    /// What somebody must agree to, in words.
    pub consents: Vec<String>,
    /// What would be recorded of the database just before it, in words.
    pub pin: Option<String>,
}

/// One statement.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// The file's line that it starts on, from 1.
    pub line: u32,
    /// Its text; passwords are masked.
    pub sql: String,
    /// The locks that it takes, where known.
    pub lock: Option<String>,
    /// It writes the table anew, where known.
    pub rewrite: Option<bool>,
    /// It commits by itself.
    pub alone: bool,
}

/// Why a plan would not run.
#[derive(Clone, Debug, Serialize)]
pub struct Blocked {
    /// A stable word.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Plan {
    /// One line a loss, in words.
    fn losses(&self) -> Vec<String> {
        match &self.losses {
            Some(losses) => losses.iter().map(Loss::words).collect(),
            None => vec![String::from("not known: the history does not hold the text of all that ran")],
        }
    }

    fn head(&self) -> String {
        let count = self.steps.len();
        format!("`{}` would run {count} migration{} on {}", self.command, if count == 1 { "" } else { "s" }, self.database)
    }
}

impl Step {
    fn head(&self) -> String {
        format!("{} {} {}", self.direction.name(), self.version, self.name)
    }

    fn verdict(&self) -> String {
        format!("{}, loss: {}; {}", self.verdict, self.loss, self.transaction)
    }

    /// What is to be said below the statements.
    fn notes(&self) -> impl Iterator<Item = String> {
        let consents = self.consents.iter().map(|consent| format!("needs {consent}"));
        consents.chain(self.pin.iter().map(|pin| format!("before it, {pin}")))
    }
}

impl Statement {
    /// The locks and the rest, in words.
    fn notes(&self) -> Option<String> {
        let lock = self.lock.as_ref().map(|lock| format!("lock: {lock}"));
        let rewrite = self.rewrite.filter(|rewrite| *rewrite).map(|_| String::from("writes the table anew"));
        let alone = self.alone.then(|| String::from("commits by itself"));
        let all: Vec<String> = lock.into_iter().chain(rewrite).chain(alone).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }
}

/// As one object.
pub fn json(plan: &Plan) -> String {
    serde_json::to_string_pretty(plan).expect("a plan has text keys alone")
}

/// As text of lines that are `width` wide, but for SQL.
pub fn text(plan: &Plan, width: u16) -> String {
    let wrapped = |first: &str, text: &str| {
        let rest = " ".repeat(first.chars().count());
        fill(
            text,
            Options::new(usize::from(width)).initial_indent(first).subsequent_indent(&rest).break_words(false).word_splitter(WordSplitter::NoHyphenation),
        ) + "\n"
    };
    let mut out = wrapped("", &format!("{}:", plan.head()));
    for step in &plan.steps {
        out += "\n";
        out += &wrapped("", &step.head());
        out += &wrapped("  ", &step.verdict());
        step.applied_at.iter().for_each(|at| out += &format!("  applied {at}\n"));
        for statement in &step.statements {
            let (first, rest) = (format!("  {:>5}  ", statement.line), " ".repeat(9));
            let _ = writeln!(out, "{first}{};", statement.sql.trim_end().replace('\n', &format!("\n{rest}")));
            if let Some(notes) = statement.notes() {
                out += &wrapped(&format!("{rest}-- "), &notes);
            }
        }
        step.notes().for_each(|note| out += &wrapped("  * ", &note));
    }
    if !plan.losses().is_empty() {
        out += "\nwhat it takes along or stumbles over, as things stand:\n";
        plan.losses().iter().for_each(|loss| out += &wrapped("  * ", loss));
    }
    if let Some(blocked) = &plan.blocked {
        out += "\n";
        out += &wrapped("", &format!("it would be refused: {}", blocked.message));
    }
    out
}

/// As Markdown.
pub fn markdown(plan: &Plan) -> String {
    let mut out = format!("## {}\n", plan.head());
    for step in &plan.steps {
        let applied = step.applied_at.as_ref().map(|at| format!("; applied {at}")).unwrap_or_default();
        let _ = write!(out, "\n### {}\n\n{}{applied}.\n\n```sql\n", step.head(), step.verdict());
        for statement in &step.statements {
            let _ = writeln!(out, "{};", statement.sql.trim_end());
            if let Some(notes) = statement.notes() {
                let _ = writeln!(out, "-- {notes}");
            }
        }
        out += "```\n";
        let notes: Vec<String> = step.notes().map(|note| format!("- {note}\n")).collect();
        if !notes.is_empty() {
            let _ = write!(out, "\n{}", notes.concat());
        }
    }
    if !plan.losses().is_empty() {
        out += "\nWhat it takes along or stumbles over, as things stand:\n\n";
        plan.losses().iter().for_each(|loss| out += &format!("- {loss}\n"));
    }
    if let Some(blocked) = &plan.blocked {
        let _ = write!(out, "\n**It would be refused**: {} ({})\n", blocked.message, blocked.help);
    }
    out
}
