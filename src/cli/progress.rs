//! Tells what a run is doing: on a terminal a line that moves, elsewhere a quiet line for each migration.

use super::{Console, Format, Global};
use crate::pin::Place;
use crate::run::{Event, shown};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Makes what [`crate::run::Locked::apply`] tells visible. Where a line cannot be printed, the migration must go on all the same.
pub(super) fn progress<'a>(console: &'a mut Console, global: &Global) -> impl FnMut(Event<'_>) + use<'a> {
    let quiet = global.quiet || global.format == Format::Json;
    // What -v tells has its own lines on stderr, and the moving line would tear them.
    let line = (!quiet && !global.verbose && std::io::stderr().is_terminal()).then(MovingLine::new);
    let mut began = Instant::now();
    move |event| {
        let bar = line.as_ref().map(|line| &line.0);
        let _ = match event {
            Event::Started { step } => {
                began = Instant::now();
                if let Some(bar) = bar {
                    bar.reset();
                    bar.set_prefix(format!("{} {} {}", step.direction.name(), step.version, step.name));
                }
                Ok(())
            }
            Event::Statement { step, at, sql } => {
                if let Some(bar) = bar {
                    bar.set_message(format!("statement {at} of {} (line {}): {}", step.statements.len(), sql.line, shown(&sql.text)));
                }
                Ok(())
            }
            Event::Retrying { step, message, pause } => {
                let line = format!("{} {} {}: {message}; trying again in {:.1} s", step.direction.name(), step.version, step.name, pause.as_secs_f32());
                match bar {
                    Some(bar) => {
                        bar.println(line);
                        Ok(())
                    }
                    None => writeln!(std::io::stderr(), "{line}"),
                }
            }
            Event::Pinned { step, pin } => {
                let of = format!("pin {} {}", step.version, step.name);
                let (line, impossible) = match &pin.place {
                    Place::Snapshot(copy) => (format!("{of}: {} ({} bytes)", copy.file.display(), copy.bytes), None),
                    Place::Binlog(log) => {
                        let place = if log.file.is_empty() { String::from("no place in a log") } else { format!("{}, {}", log.file, log.position) };
                        (format!("{of}: {place}"), log.impossible.as_ref())
                    }
                    Place::Wal(wal) => {
                        let name = wal.restore_point.as_deref().unwrap_or("without a restore point, which this user may not make");
                        (format!("{of}: {} ({name})", wal.lsn), wal.impossible.as_ref())
                    }
                };
                let warning = impossible.map(|why| format!("warning: {of}: no point-in-time recovery is possible: {why}"));
                let print = |console: &mut Console| {
                    if let Some(warning) = &warning {
                        writeln!(std::io::stderr(), "{warning}")?;
                    }
                    if quiet { Ok(()) } else { writeln!(console.out, "{line}") }
                };
                match bar {
                    Some(bar) => bar.suspend(|| print(console)),
                    None => print(console),
                }
            }
            Event::Unproved { step, why } => {
                let line = format!("warning: pin {} {}: pitr: unproved: {why}", step.version, step.name);
                match bar {
                    Some(bar) => bar.suspend(|| writeln!(std::io::stderr(), "{line}")),
                    None => writeln!(std::io::stderr(), "{line}"),
                }
            }
            Event::Finished { .. } if quiet => Ok(()),
            Event::Finished { step } => {
                let line = format!("{} {} {} ({} ms)", step.direction.name(), step.version, step.name, began.elapsed().as_millis());
                match bar {
                    Some(bar) => bar.suspend(|| writeln!(console.out, "{line}")),
                    None => writeln!(console.out, "{line}"),
                }
            }
        };
    }
}

/// A line that is gone when this is: an error that follows begins on a line of its own.
struct MovingLine(ProgressBar);

impl MovingLine {
    fn new() -> MovingLine {
        let style = ProgressStyle::with_template("{spinner} {prefix}, {elapsed}: {wide_msg}").expect("the template is right");
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.enable_steady_tick(Duration::from_millis(120));
        MovingLine(bar)
    }
}

impl Drop for MovingLine {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
