//! The report as JSON: a stable interface (design, section 6). In: judged migrations. Out: one object.

use super::{Entry, Fixed, Summary};
use crate::assess::{Judged, RoundTrip};
use crate::engine::Engine;
use crate::gate::merge::{Attestation, Severity};
use crate::migration::{Allow, Direction};
use crate::schema::application::Application;
use crate::table::{Loss, Verdict};
use serde::Serialize;
use std::io::Write;

/// The version of the format.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct One<'a> {
    version: &'a str,
    name: &'a str,
    path: &'a str,
    down_path: Option<&'a str>,
    verdict: Verdict,
    loss: Loss,
    decays: bool,
    app_rollback: Application,
    round_trip: &'a RoundTrip,
    attestation: Attestation,
    allowed: Option<&'a [Allow]>,
    statements: &'a [Judged],
    findings: Vec<Found<'a>>,
    /// Only with `--fix`.
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<&'a Fixed>,
}

#[derive(Serialize)]
struct Found<'a> {
    code: &'a str,
    name: &'a str,
    severity: Severity,
    direction: Option<Direction>,
    line: Option<u32>,
    message: &'a str,
    help: &'a str,
}

/// Writes each entry when it is judged, so that a large project's report need not stand in memory.
pub struct Writer<W> {
    out: W,
    summary: Summary,
    first: bool,
}

impl<W: Write> Writer<W> {
    /// Begins the report.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn new(mut out: W, engine: Engine, layout: &str) -> std::io::Result<Self> {
        let version = env!("CARGO_PKG_VERSION");
        write!(out, r#"{{"schema":{SCHEMA},"tool_version":"{version}","engine":"{engine}","layout":"{layout}","migrations":["#)?;
        Ok(Writer { out, summary: Summary::default(), first: true })
    }

    /// Writes one migration.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn entry(&mut self, entry: &Entry<'_>) -> std::io::Result<()> {
        if !std::mem::take(&mut self.first) {
            self.out.write_all(b",")?;
        }
        self.summary.count(entry);
        let (migration, assessment) = (&*entry.migration, &entry.assessment);
        let found = assessment.findings.iter().zip(&entry.merge.severities);
        let findings = found
            .map(|(f, &severity)| Found { code: f.code, name: f.name, severity, direction: f.direction, line: f.line, message: &f.message, help: &f.help })
            .collect();
        let one = One {
            version: migration.version.as_str(),
            name: &migration.name,
            path: &migration.path,
            down_path: migration.down_path.as_deref(),
            verdict: assessment.verdict,
            loss: assessment.loss,
            decays: assessment.decays,
            app_rollback: assessment.app_rollback,
            round_trip: &assessment.round_trip,
            attestation: entry.merge.attestation,
            allowed: Some(entry.merge.allowed.as_slice()).filter(|a| !a.is_empty()),
            statements: &assessment.statements,
            findings,
            fix: entry.fix.as_ref(),
        };
        Ok(serde_json::to_writer(&mut self.out, &one)?)
    }

    /// Ends the report with the counts and a line end.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn end(mut self) -> std::io::Result<Summary> {
        self.out.write_all(b"],\"summary\":")?;
        serde_json::to_writer(&mut self.out, &self.summary)?;
        self.out.write_all(b"}\n")?;
        self.out.flush()?;
        Ok(self.summary)
    }
}

/// An error that stopped everything, as the design gives it for exit 2.
#[derive(Serialize)]
pub struct Failure<'a> {
    /// The format's version.
    pub schema: u32,
    /// What went wrong.
    pub error: FailureBody<'a>,
}

/// What went wrong, where, and what to do next.
#[derive(Serialize)]
pub struct FailureBody<'a> {
    /// A stable word.
    pub code: &'a str,
    /// One sentence.
    pub message: &'a str,
    /// The file.
    pub path: Option<&'a str>,
    /// The line, from 1.
    pub line: Option<u32>,
    /// What to do next.
    pub help: &'a str,
}
