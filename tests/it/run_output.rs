//! What the commands that run print on a SQLite file: piped, on a wide terminal, and for machines. Times are masked.

use super::support::folder;
use nix::pty::{Winsize, openpty};
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};

const FILES: [(&str, &str); 3] = [
    ("migrations/V20240101_Create_Notes.sql", "-- UP\nCREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\n-- DOWN\nDROP TABLE notes;\n"),
    (
        "migrations/V20240102_Rename_The_Text_Of_The_Notes_To_Body_For_The_Editor.sql",
        "-- UP\nALTER TABLE notes RENAME COLUMN text TO body;\nCREATE INDEX notes_body ON notes (body);\n-- DOWN\nDROP INDEX notes_body;\n\
         ALTER TABLE notes RENAME COLUMN body TO text;\n",
    ),
    (
        "migrations/V20240103_Drop_Body.sql",
        "-- UP\nDROP INDEX notes_body;\nALTER TABLE notes DROP COLUMN body;\n-- DOWN\n-- IRREVERSIBLE: the texts are gone\n",
    ),
];

const COMMANDS: [&[&str]; 6] = [&["status"], &["plan", "up"], &["up", "--to", "20240102"], &["status"], &["down"], &["goto", "20240101"]];
/// Its table names user and host, which take as much room as they are long.
const FOR_MACHINES: &[&str] = &["history"];

/// A terminal so wide.
fn terminal(columns: u16) -> Winsize {
    Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }
}

/// Exit code and both outputs, standard output on `terminal` where there is one.
fn run(folder: &Path, arguments: &[&str], terminal: Option<Winsize>) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    command.args(arguments).args(["--color", "never"]).current_dir(folder).stdin(Stdio::null()).stderr(Stdio::piped());
    command.env("DATABASE_URL", "sqlite:notes.db").env_remove("COLUMNS");
    let (code, out, err) = match terminal {
        None => {
            let output = command.output().expect("it runs");
            (output.status.code(), output.stdout, output.stderr)
        }
        Some(size) => {
            let pair = openpty(&size, None).expect("a terminal");
            let child = command.stdout(Stdio::from(pair.slave)).spawn().expect("it starts");
            // The command holds the other end, and while that is open the terminal has no end.
            drop(command);
            let mut out = Vec::new();
            // Linux ends a terminal that nobody holds any more with an error.
            let _ = File::from(pair.master).read_to_end(&mut out);
            let output = child.wait_with_output().expect("it ends");
            (output.status.code(), out, output.stderr)
        }
    };
    let text = String::from_utf8(out).expect("UTF-8").replace("\r\n", "\n") + &String::from_utf8(err).expect("UTF-8");
    (code.expect("it ends by itself"), masked(&in_lines(&text)))
}

/// Times without their digits, so that each line keeps its width; milliseconds, whose width differs, as `N`; this release as `VERSION`;
/// who runs this as `ada`, on `desk`.
fn masked(text: &str) -> String {
    let is_time = |word: &str| chrono::DateTime::parse_from_rfc3339(word.trim_end_matches([' ', '"', '\n', ':'])).is_ok();
    let word = |word: &str| if is_time(word) { word.replace(|c: char| c.is_ascii_digit(), "0") } else { word.to_owned() };
    let text: String = text.split_inclusive([' ', '"', '\n']).map(word).collect();
    let line = |line: &str| match line.rsplit_once(" (").filter(|(_, tail)| tail.ends_with(" ms)")) {
        Some((head, _)) => format!("{head} (N ms)\n"),
        None => format!("{line}\n"),
    };
    let text: String = text.lines().map(line).collect();
    let (user, host) = (whoami::username().expect("a user"), whoami::hostname().expect("a host"));
    text.replace(&format!(r#""tool_version": "{}""#, env!("CARGO_PKG_VERSION")), r#""tool_version": "VERSION""#)
        .replace(&format!(r#""actor": "{user}""#), r#""actor": "ada""#)
        .replace(&format!(r#""host": "{host}""#), r#""host": "desk""#)
}

/// JSON as people read it.
fn in_lines(text: &str) -> String {
    let line = |line: &str| match serde_json::from_str::<serde_json::Value>(line) {
        Ok(value) => format!("{value:#}\n"),
        Err(_) => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn told(format: &str, terminal: Option<Winsize>) -> String {
    let folder = folder(&FILES);
    std::fs::write(folder.path().join("notes.db"), "").expect("an empty database");
    let mut told = String::new();
    for arguments in COMMANDS.into_iter().chain((format == "json").then_some(FOR_MACHINES)) {
        let (code, text) = run(folder.path(), &[arguments, &["--format", format]].concat(), terminal);
        told.push_str(&format!("$ migrate {}\n{text}exit {code}\n\n", arguments.join(" ")));
    }
    told
}

#[test]
fn piped_it_is_eighty_columns_wide() {
    insta::assert_snapshot!(told("text", None));
}

#[test]
fn a_terminal_is_filled() {
    insta::assert_snapshot!(told("text", Some(terminal(120))));
}

#[test]
fn machines_get_json() {
    insta::assert_snapshot!(told("json", None));
}
