//! `migrate.toml`. In: a file. Out: settings that flags and the environment may still override.

use crate::engine::Engine;
use crate::gate::attestation;
use crate::gate::pinning;
use crate::gate::policy::{Policy, is_rule};
use crate::target::Release;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The name of the file that is looked for.
pub const FILE: &str = "migrate.toml";

/// `migrate.toml` as written; paths are relative to its folder.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The migrations' folder.
    pub dir: Option<PathBuf>,
    /// The engine.
    pub engine: Option<Engine>,
    /// The oldest release of the engine's server that runs the migrations; the oldest one supported where none is stated.
    pub version: Option<Release>,
    /// How the files are laid out.
    pub layout: Option<String>,
    /// The history table.
    pub history_table: Option<String>,
    /// What stood before the first migration: `pg_dump -s`, `mariadb-dump -d` or `.schema`.
    pub schema: Option<PathBuf>,
    /// The policy.
    pub gate: Policy,
    /// Whose attestations count, and which.
    pub attestation: attestation::Policy,
    /// What is recorded of the database before a migration.
    pub pin: pinning::Settings,
    /// How long a run waits.
    pub run: Run,
}

/// `[run]`: how long a run waits; a time is `500ms`, `5s`, `2min`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Run {
    /// For another runner.
    #[serde(with = "humantime_serde")]
    pub lock_timeout: Option<Duration>,
    /// For an application's lock, each time; 0 as long as the server lets it.
    #[serde(with = "humantime_serde")]
    pub db_lock_timeout: Option<Duration>,
    /// How long to try again after such waits, and after deadlocks.
    #[serde(with = "humantime_serde")]
    pub retry_for: Option<Duration>,
    /// For one statement.
    #[serde(with = "humantime_serde")]
    pub statement_timeout: Option<Duration>,
}

/// A `migrate.toml` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what `migrate.toml` may hold.
    #[error("{}:{line}: {}", path.display(), source.message())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u32,
        /// Why.
        source: Box<toml::de::Error>,
    },
    /// `[gate.rules]` names something that is no rule.
    #[error("{}: `{rule}` in [gate.rules] is not a rule", path.display())]
    UnknownRule {
        /// The file.
        path: PathBuf,
        /// What was written.
        rule: String,
    },
}

impl ConfigError {
    /// The file.
    pub fn path(&self) -> &Path {
        match self {
            ConfigError::Unreadable { path, .. } | ConfigError::Malformed { path, .. } | ConfigError::UnknownRule { path, .. } => path,
        }
    }

    /// The line, from 1, where one is known.
    pub fn line(&self) -> Option<u32> {
        match self {
            ConfigError::Malformed { line, .. } => Some(*line),
            ConfigError::Unreadable { .. } | ConfigError::UnknownRule { .. } => None,
        }
    }

    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            ConfigError::Unreadable { .. } => "name the settings' file with `--config FILE`, or leave that out",
            ConfigError::Malformed { .. } => "the README lists the settings and the values that they take",
            ConfigError::UnknownRule { .. } => "`migrate rules` lists codes and names",
        }
    }
}

/// Reads `path`.
///
/// # Errors
/// [`ConfigError`], naming file and line.
pub fn read(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    let mut config: Config = toml::from_str(&text).map_err(|source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        ConfigError::Malformed { path: path.to_owned(), line: 1 + before.matches('\n').count() as u32, source: Box::new(source) }
    })?;
    if let Some(rule) = config.gate.rules.keys().find(|rule| !is_rule(rule)) {
        return Err(ConfigError::UnknownRule { path: path.to_owned(), rule: rule.clone() });
    }
    let folder = path.parent().unwrap_or(Path::new("")).to_owned();
    let Config { dir, schema, attestation, pin, .. } = &mut config;
    for relative in [dir, schema, &mut attestation.allowed_signers, &mut attestation.directory, &mut pin.directory].into_iter().flatten() {
        *relative = folder.join(&*relative);
    }
    Ok(config)
}
