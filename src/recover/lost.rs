//! What a server's runbook says of a thing that was lost, whichever server it is. In: what the pin says was destroyed. Out: names and words.

use crate::pin::{Column, Destroyed, Pin, What};

/// All that had rows, or may have had, each with its place in the pin, from 1: an estimate of none is no count.
pub(super) fn all(pin: &Pin) -> impl Iterator<Item = (&Destroyed, usize)> {
    pin.destroys.iter().zip(1..).filter(|(one, _)| one.rows > 0 || one.estimated)
}

/// The condition that a row `n` of the live table has the key of a row `s` of the copy; `quoted` writes a name as the server does.
pub(super) fn keys(one: &Destroyed, quoted: impl Fn(&str) -> String) -> String {
    one.key.iter().map(|key| format!("n.{0} = s.{0}", quoted(&key.name))).collect::<Vec<_>>().join(" AND ")
}

/// What must hold of the numbers of rows that are back, that differ and that are gone, which a shell holds as `back`, `differ` and `gone`.
pub(super) fn proof(one: &Destroyed) -> String {
    let all = if one.estimated { String::new() } else { format!("\ntest $((back + gone)) = {}", one.rows) };
    format!("echo \"$back $differ $gone\"\ntest \"$back\" -gt 0\ntest \"$differ\" = 0{all}")
}

/// The column of the live table that takes the old values of `column`; a name has at most `longest` letters.
pub(super) fn target(one: &Destroyed, column: &Column, version: &str, longest: usize) -> String {
    match one.what {
        What::Values => {
            let end = format!("__before_{version}");
            let kept: String = column.name.chars().take(longest.saturating_sub(end.len())).collect();
            format!("{kept}{end}")
        }
        What::Columns | What::Table | What::Rows => column.name.clone(),
    }
}

/// What comes back, and how, in a few words; `copy` is the table that its copy stands in.
pub(super) fn how(one: &Destroyed, copy: &str, version: &str, longest: usize) -> String {
    let object = one.object();
    match one.what {
        What::Table => format!("{object}: made anew, with its rows and indexes and what hangs on it"),
        _ if one.key.is_empty() => format!("{object}: the table has no primary key, so its old rows come back beside it, in {copy}"),
        What::Columns => format!("{object}: added again, without NOT NULL or default, and filled in by key"),
        What::Values => {
            let into = one.columns.iter().map(|column| target(one, column, version, longest)).collect::<Vec<_>>().join(", ");
            format!("{object}: the old values come back beside the new ones, in {into}")
        }
        What::Rows => format!("{object}: put back by key where none stands; a row that an application deleted since comes back as well"),
    }
}

/// What stood at the pin, for people.
pub(super) fn counted(one: &Destroyed) -> String {
    match &one.checksum {
        Some(checksum) => format!("{}: {} rows, checksum {checksum}", one.object(), one.rows),
        None => format!("{}: about {} rows, not counted", one.object(), one.rows),
    }
}
