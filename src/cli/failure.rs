//! What stopped a command: what went wrong, where, and what to do next. In: an error. Out: a message and an exit code.

use crate::config::ConfigError;
use crate::exit::Exit;
use crate::foreign::{HalfApplied, Unfit};
use crate::gate::Blocked;
use crate::gate::history::Drift;
use crate::gate::merge::UnknownRule;
use crate::read::ReadError;
use crate::recover::Wall;
use crate::report::json::{self, FailureBody};
use crate::run::{RunError, WAYS_ON};
use std::io::Write;

/// A failure with all that a person or a script needs of it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Failure {
    pub(super) exit: Exit,
    /// A stable word in kebab case.
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) path: Option<String>,
    pub(super) line: Option<u32>,
    pub(super) help: String,
}

impl Failure {
    /// Bad usage or input: nothing was touched.
    pub(super) fn usage(code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, code, message: message.into(), path: None, line: None, help: help.into() }
    }

    /// What `error` says, whatever it is.
    pub(super) fn of(error: &anyhow::Error) -> Failure {
        if let Some(failure) = error.downcast_ref::<Failure>() {
            return failure.clone();
        }
        if let Some(error) = error.downcast_ref::<ReadError>() {
            let path = error.paths().first().map(|p| (*p).to_owned());
            return Failure { path, line: error.line(), ..Failure::usage(error.code(), error.to_string(), error.help()) };
        }
        if let Some(error) = error.downcast_ref::<ConfigError>() {
            let path = Some(error.path().display().to_string());
            return Failure { path, line: error.line(), ..Failure::usage("bad-config", error.to_string(), error.help()) };
        }
        if let Some(error) = error.downcast_ref::<UnknownRule>() {
            let help = "`migrate rules` lists codes and names";
            return Failure { path: Some(error.path.clone()), line: Some(error.line), ..Failure::usage("unknown-rule", error.to_string(), help) };
        }
        if let Some(error) = error.downcast_ref::<RunError>() {
            return Failure { exit: error.exit(), ..Failure::usage(error.code(), error.to_string(), "") };
        }
        if let Some(error) = error.downcast_ref::<Blocked>() {
            let (code, help) = match error {
                Blocked::Attestation { version, .. } => (
                    "attestation-missing",
                    format!(
                        "no comment in the file lifts this: attest a backup (`migrate attest {version}`, `migrate explain attestation`), or stop before it with `up --to VERSION`"
                    ),
                ),
                Blocked::Forbidden { .. } => (
                    "denied",
                    String::from(
                        "`deny` in [gate] holds whatever is attested, and `require-attestation` would not: take the migration out, or stop before it with `up --to VERSION`",
                    ),
                ),
                Blocked::WrittenSince { objects, .. } => {
                    let names: Vec<&str> = objects.iter().map(|object| object.split_once(' ').map_or(object.as_str(), |(_, name)| name)).collect();
                    ("consent-missing", format!("copy it aside first, or agree to lose it: --accept-loss {}", names.join(" ")))
                }
                Blocked::HalfDone { .. } => ("half-done", WAYS_ON.to_owned()),
            };
            return Failure { exit: Exit::Blocked, ..Failure::usage(code, error.to_string(), help) };
        }
        if let Some(error) = error.downcast_ref::<Drift>() {
            return Failure { exit: Exit::Drift, ..Failure::usage("drift", error.to_string(), error.help()) };
        }
        if let Some(error) = error.downcast_ref::<HalfApplied>() {
            let help = format!("look what of it stands, and finish it or take it back by hand; {}; then adopt", error.tool.facts().mend);
            return Failure { exit: Exit::Drift, ..Failure::usage("half-applied", error.to_string(), help) };
        }
        if let Some(error) = error.downcast_ref::<Unfit>() {
            let help = "is this the right folder and branch? Where the files are gone for good, `migrate adopt --baseline VERSION` records those that are left";
            return Failure { exit: Exit::Drift, ..Failure::usage("missing", error.to_string(), help) };
        }
        if let Some(error) = error.downcast_ref::<Wall>() {
            let exit = if matches!(error, Wall::DownEdited { .. }) { Exit::Drift } else { Exit::Blocked };
            return Failure { exit, ..Failure::usage("wall", error.to_string(), error.help()) };
        }
        Failure::usage("failed", format!("{error:#}"), "")
    }

    /// Prints it, as JSON to stdout or as text to stderr, and gives the exit code.
    pub(super) fn print(&self, as_json: bool, colour: bool) -> u8 {
        // Where not even this can be written, the exit code is all that is left to say.
        let _ = if as_json {
            let body = FailureBody { code: self.code, message: &self.message, path: self.path.as_deref(), line: self.line, help: &self.help };
            let whole = json::Failure { schema: json::SCHEMA, error: body };
            let text = serde_json::to_string(&whole).unwrap_or_default();
            writeln!(std::io::stdout(), "{text}")
        } else {
            let (red, off) = if colour { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
            let help = if self.help.is_empty() { String::new() } else { format!("\n  = help: {}", self.help) };
            writeln!(std::io::stderr(), "{red}error{off}: {}{help}", self.message)
        };
        self.exit.code()
    }
}
