//! Runs a backup tool that only looks. In: a program and its arguments. Out: what it printed.

use super::interrupt::Interrupt;
use std::process::Stdio;

/// What a tool printed, and the command as a person would type it.
#[derive(Clone, Debug)]
pub struct Output {
    /// The command.
    pub command: String,
    /// Its standard output.
    pub bytes: Vec<u8>,
}

/// Why a tool told nothing.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// It is not on this computer.
    #[error("{0} is not installed here")]
    Missing(String),
    /// It failed.
    #[error("`{command}` failed ({status}): {message}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        status: String,
        /// The last lines of what it said.
        message: String,
    },
    /// A signal came.
    #[error("interrupted by {} while `{command}` ran", signal.name())]
    Interrupted {
        /// The command.
        command: String,
        /// Which.
        signal: super::Signal,
    },
}

/// Runs `program` with `arguments`, without input, and waits for its end; a signal ends it. No shell is between.
///
/// # Errors
/// [`ToolError`], where it did not end with 0.
pub async fn output(program: &str, arguments: &[&str], interrupt: &Interrupt) -> Result<Output, ToolError> {
    let command = [program].iter().chain(arguments).map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
    tracing::info!("runs {command}");
    let mut tool = tokio::process::Command::new(program);
    tool.args(arguments).env("LC_ALL", "C").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let failed = |status: String, message: String| ToolError::Failed { command: command.clone(), status, message };
    let ended = tokio::select! {
        ended = tool.output() => ended,
        signal = interrupt.wait() => return Err(ToolError::Interrupted { command: command.clone(), signal }),
    };
    match ended {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(ToolError::Missing(program.to_owned())),
        Err(error) => Err(failed(String::from("it did not start"), error.to_string())),
        Ok(ended) if !ended.status.success() => {
            let said = [ended.stdout, ended.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
            Err(failed(ended.status.to_string(), lines[lines.len().saturating_sub(3)..].join("; ")))
        }
        Ok(ended) => Ok(Output { command, bytes: ended.stdout }),
    }
}

/// `word` as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}
