//! The commands of `migrate recover`, taken from what it prints and run as they stand there: what was lost is back, and no row that was
//! written since is lost.

#[cfg(target_os = "linux")]
mod along;
#[cfg(target_os = "linux")]
mod attested;
#[cfg(target_os = "linux")]
pub(crate) mod cluster;
#[cfg(target_os = "linux")]
pub(crate) mod mariadb;
#[cfg(target_os = "linux")]
mod postgres;
mod sqlite;

use std::path::Path;
use std::process::{Command, Stdio};

/// How a program ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ran(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran { code: output.status.code().expect("it ends by itself"), out: text(output.stdout), err: text(output.stderr) }
}

/// `migrate ARGUMENTS` in `folder`, on the database of `url`.
pub(crate) fn migrate(folder: &Path, url: &str, arguments: &[&str]) -> Ran {
    ran(Command::new(env!("CARGO_BIN_EXE_migrate")).args(arguments).current_dir(folder).env("DATABASE_URL", url))
}

/// The same, which must end well.
pub(crate) fn migrated(folder: &Path, url: &str, arguments: &[&str]) -> String {
    let ran = migrate(folder, url, arguments);
    assert_eq!(ran.code, 0, "migrate {arguments:?}: {}{}", ran.out, ran.err);
    ran.out
}

/// The blocks of a runbook in Markdown up to the section `before`, as one script.
pub(crate) fn script(markdown: &str, before: &str) -> String {
    let (wanted, _) = markdown.split_once(&format!("\n## {before}\n")).expect("the section");
    let blocks = wanted.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```\n").expect("the block's end").0);
    blocks.map(|block| format!("{block}\n")).collect()
}

/// Runs a script as a person would who pastes it.
pub(crate) fn bash(folder: &Path, script: &str) -> Ran {
    ran(Command::new("bash").args(["-c", script]).current_dir(folder))
}
