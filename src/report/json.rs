//! The report as JSON: a stable interface (design, section 6). In: a report. Out: one object.

use super::{Entry, Report, Summary};
use crate::assess::{Judged, RoundTrip};
use crate::gate::merge::{Attestation, Severity};
use crate::migration::{Allow, Direction};
use crate::schema::diff::Application;
use crate::table::{Loss, Verdict};
use serde::Serialize;
use serde::ser::{SerializeSeq, Serializer};
use std::io::Write;

/// The version of the format.
pub const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct Whole<'a> {
    schema: u32,
    tool_version: &'a str,
    engine: &'a str,
    layout: &'a str,
    #[serde(serialize_with = "migrations")]
    migrations: &'a [Entry],
    summary: Summary,
}

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

fn migrations<S: Serializer>(entries: &&[Entry], serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(entries.len()))?;
    for entry in *entries {
        let (migration, assessment) = (&entry.migration, &entry.assessment);
        let found = assessment.findings.iter().zip(&entry.merge.severities);
        let findings = found
            .map(|(f, &severity)| Found { code: f.code, name: f.name, severity, direction: f.direction, line: f.line, message: &f.message, help: &f.help })
            .collect();
        list.serialize_element(&One {
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
        })?;
    }
    list.end()
}

/// Writes `report` and a line end.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(report: &Report, out: &mut impl Write) -> std::io::Result<()> {
    let whole = Whole {
        schema: SCHEMA,
        tool_version: env!("CARGO_PKG_VERSION"),
        engine: report.engine.name(),
        layout: report.layout,
        migrations: &report.entries,
        summary: report.summary(),
    };
    serde_json::to_writer(&mut *out, &whole)?;
    out.write_all(b"\n")
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
