//! A run that stopped part-way: what stands, and the ways on. In: what was observed, flags, files. Out: the step that brings it to an end,
//! or a failure that says what stands and offers the ways.

use super::failure::Failure;
use super::steps;
use crate::exit::Exit;
use crate::gate::{Course, Resume, Step};
use crate::migration::{Direction, Migration, Version};
use crate::observed::{Applied, HalfDone, Next, Outcome};
use crate::parse::manner::Manner;
use crate::run::{WAYS_ON, list};
use crate::schema::catalog::Catalog;

/// What to do about a run that stopped part-way; without one of these flags, it is only told.
#[derive(clap::Args)]
#[group(skip)]
pub(super) struct Arguments {
    /// If an earlier run stopped part-way: first run the rest of it
    #[arg(long, group = "way")]
    finish: bool,
    /// If an earlier run stopped part-way: first take back what stands of it
    #[arg(long, group = "way")]
    compensate: bool,
    /// If an earlier run stopped part-way, and you brought it to an end by hand: record that all of it is `done`, or `undone`
    #[arg(long, group = "way", value_name = "WHAT", requires = "reason", value_parser = ["done", "undone"])]
    settle: Option<String>,
    /// Where nobody can tell whether the last statement of such a run took effect: it `stands`, or is `gone`
    #[arg(long, value_name = "WHAT", value_parser = ["stands", "gone"])]
    last_statement: Option<String>,
    /// Why, for the history
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Arguments {
    /// Fails where nothing is half-done and that makes no sense of what is asked for. (`--finish` always may be given.)
    pub(super) fn nothing_half_done(&self) -> Result<(), Failure> {
        let message = "no run stopped part-way on this database, so there is nothing to take back or to settle";
        if self.compensate || self.settle.is_some() { Err(Failure::usage("nothing-half-done", message, "leave that flag out")) } else { Ok(()) }
    }

    /// The step that brings `half` to an end; `history` is all that ran, and `catalog` what stood before.
    /// `judge` gives the step of a migration as it is judged now.
    pub(super) fn step(
        &self,
        half: &HalfDone,
        history: &[Applied],
        files: &[Migration],
        catalog: Catalog,
        judge: impl FnOnce(&Migration) -> anyhow::Result<Step>,
    ) -> anyhow::Result<Step> {
        let engine = catalog.engine;
        let file = Version::new(&half.row.version).and_then(|version| files.iter().find(|file| file.version == version));
        if let Some(end) = &self.settle {
            let outcome = if end == "done" { Outcome::Done } else { Outcome::Undone };
            let note = Some(format!("settled by hand; goes on with row {}", half.row.seq));
            return Ok(Step { course: Course::Settle(outcome), reason: self.reason.clone(), note, ..steps::recorded(&half.row) });
        }
        let changed = file.filter(|file| half.row.direction == Direction::Up && file.up.sha256() != half.row.up_sha256);
        let judged = changed.map(judge).transpose()?;
        let Some(step) = steps::half_done(&half.row, file, judged, engine) else {
            let (row, help) = (&half.row, "put its file back; or bring it to an end by hand and say so: `--settle done|undone --reason TEXT`");
            let message = format!(
                "{} of {} {} stopped part-way, and its text is at hand neither in a file nor in the history",
                row.direction.name(),
                row.version,
                row.name
            );
            return Err(failure(Exit::PartWay, message, help.to_owned()).into());
        };
        let step = Step { reason: self.reason.clone(), note: Some(format!("goes on with row {}", half.row.seq)), ..step };
        let story = Story { half, step: &step };
        if let Next::Lost(_) = half.next {
            return Err(failure(Exit::Drift, story.told(), format!("look at what stands{}", story.by_hand())).into());
        }
        if !self.finish && !self.compensate {
            return Err(failure(Exit::PartWay, story.told(), format!("{WAYS_ON}{}", story.by_hand())).into());
        }
        if step.prefix_sha256(half.stands) != half.prefix_sha256 && half.stands > 0 {
            let message = format!("{}, and the statements that stand are not those at the beginning of {} any more", story.told(), story.path());
            return Err(failure(Exit::Drift, message, String::from("put that part of the file back as it was")).into());
        }
        let (stands, taken_back, cleanup) = match (&half.next, self.last_statement.as_deref()) {
            (Next::Undecided(_), Some("stands")) => (half.would_stand, &half.would_take_back, None),
            (Next::Due | Next::Lost(_), _) | (Next::Undecided(_), Some(_)) => (half.stands, &half.taken_back, None),
            (Next::Cleanup(sql), _) => (half.stands, &half.taken_back, Some(sql.clone())),
            (Next::Undecided(_), None) => {
                return Err(failure(
                    Exit::PartWay,
                    story.told(),
                    format!("look, and then add `--last-statement stands` or `--last-statement gone`{}", story.by_hand()),
                )
                .into());
            }
        };
        let resume = Resume { run: half.row.seq, stands, taken_back: taken_back.statements, cleanup };
        if self.compensate {
            return match steps::compensation(half, stands, history, file, catalog) {
                Ok((inverses, _))
                    if inverses.first().is_some_and(|first| first.prefix_sha256(taken_back.statements) != taken_back.sha256) && taken_back.statements > 0 =>
                {
                    let message = format!("{}; what takes it back began in another form than this program would give it now", story.told());
                    Err(failure(Exit::PartWay, message, format!("go on with the release that began it{}", story.by_hand())).into())
                }
                Ok((inverses, down_loses)) => Ok(Step { course: Course::Compensate(resume, inverses), down_loses, ..step }),
                Err(why) => {
                    let message = format!("{}; it cannot be taken back without a person: {why}", story.told());
                    Err(failure(Exit::PartWay, message, format!("`--finish` goes on from there{}", story.by_hand())).into())
                }
            };
        }
        if taken_back.statements > 0 {
            return Err(failure(Exit::PartWay, story.told(), format!("`--compensate` takes back the rest{}", story.by_hand())).into());
        }
        // The rest would be run without it; what is left before it makes it anew.
        let before_the_rest = step.statements.iter().take(stands);
        if let Some(sql) = before_the_rest.clone().find(|sql| sql.manner == Manner::Carried).filter(|_| before_the_rest.len() < step.statements.len()) {
            let message = format!("{}; line {} left something in its session that a new one does not have", story.told(), sql.line);
            return Err(failure(Exit::PartWay, message, format!("`--compensate` takes back what stands{}", story.by_hand())).into());
        }
        Ok(Step { course: Course::Finish(resume), ..step })
    }
}

fn failure(exit: Exit, message: String, help: String) -> Failure {
    Failure { exit, ..Failure::usage("half-done", message, help) }
}

/// What is known of such a run, in words.
struct Story<'a> {
    half: &'a HalfDone,
    step: &'a Step,
}

impl Story<'_> {
    fn told(&self) -> String {
        let HalfDone { row, stands, taken_back, would_stand, next, note, .. } = self.half;
        let lines: Vec<u32> = self.step.statements.iter().take(*stands).map(|sql| sql.line).collect();
        let what = match (lines.as_slice(), self.step.statements.len()) {
            _ if matches!(next, Next::Lost(_)) => String::from("which of its statements stand, nobody can tell"),
            ([], _) => String::from("no statement of it stands"),
            (all, count) if all.len() == count => String::from("all its statements stand, and only the last history row is missing"),
            (lines, count) => format!("{} of {count} statements stand ({})", lines.len(), list(lines)),
        };
        let why = note.as_ref().map_or_else(|| String::from("it was cut off"), Clone::clone);
        let begun: Vec<u32> = self.step.statements.iter().take(*would_stand).skip(*stands).map(|sql| sql.line).collect();
        let line_of = |statement: usize| self.step.statements.get(statement.saturating_sub(1)).map_or(1, |sql| sql.line);
        let what = match taken_back.statements {
            0 => what,
            count => format!("{what}, but for the one on line {}, of whose way back {count} statement(s) ran", line_of(*stands)),
        };
        let doubt = match next {
            Next::Undecided(look) if begun.is_empty() => {
                format!("; whether what takes back the one on line {} took effect, nobody can tell: {look}", line_of(*stands))
            }
            Next::Undecided(look) if begun.len() > 1 => format!("; whether those on {} do, or some of them, nobody can tell: {look}", list(&begun)),
            Next::Undecided(look) => format!("; whether the one on {} does, nobody can tell: {look}", list(&begun)),
            Next::Cleanup(sql) => format!("; the next one left something half-done, which `{sql}` takes away"),
            Next::Lost(why) => format!(", for {why}"),
            Next::Due => String::new(),
        };
        format!("{} of {} {} began at {} and did not come to its end ({why}): {what}{doubt}", row.direction.name(), row.version, row.name, row.started_at)
    }

    fn by_hand(&self) -> String {
        let other = match self.half.row.direction {
            Direction::Up => "undone",
            Direction::Down => "done",
        };
        format!("; or bring it to an end by hand, and say so: `--settle {other} --reason TEXT`")
    }

    fn path(&self) -> &str {
        self.step.statements.first().map_or("its file", |sql| &sql.path)
    }
}
