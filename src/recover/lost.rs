//! What a server's runbook says of a thing that was lost, whichever server it is. In: what the pin says was destroyed. Out: names and words.

use crate::pin::{Column, Destroyed, Pin, What};

/// All that had rows, or may have had (an estimate of none is no count), each with its place in the pin, from 1. In the order in which it comes
/// back: tables, for rows point at them; columns, for rows hold them; values; rows, those that were taken away last first, for others point at them.
pub(super) fn all(pin: &Pin) -> impl Iterator<Item = (&Destroyed, usize)> {
    let mut all: Vec<(&Destroyed, usize)> = pin.destroys.iter().zip(1..).filter(|(one, _)| one.rows > 0 || one.estimated).collect();
    all.sort_by_key(|(one, at)| match one.what {
        What::Table => (0, 0),
        What::Columns => (1, *at),
        What::Values => (2, *at),
        What::Rows => (3, usize::MAX - at),
    });
    all.into_iter()
}

/// The condition that a row `n` of the live table has the key of a row `s` of the copy; `quoted` writes a name as the server does.
pub(super) fn keys(one: &Destroyed, quoted: fn(&str) -> String) -> String {
    one.key.iter().map(|key| format!("n.{} = s.{}", quoted(one.column_now(&key.name)), quoted(&key.name))).collect::<Vec<_>>().join(" AND ")
}

/// The condition that a row `n` of the live table holds the values of the row `s` of the copy, as far as they were to come back; `same` is the
/// operator to which nothing is the same as nothing.
pub(super) fn equal(one: &Destroyed, version: &str, longest: usize, same: &str, quoted: fn(&str) -> String) -> String {
    let equal = one.columns.iter().map(|column| format!("n.{} {same} s.{}", quoted(&target(one, column, version, longest)), quoted(&column.name)));
    let all = equal.collect::<Vec<_>>().join(" AND ");
    if all.is_empty() { String::from("TRUE") } else { all }
}

/// What must hold of the numbers of rows that are back, that differ and that are gone, which a shell holds as `back`, `differ` and `gone`; `copied`
/// asks for the rows of the copy.
pub(super) fn proof(one: &Destroyed, copied: &str) -> String {
    let mended = match one.what {
        // What was written since stays.
        What::Rows => "test \"$gone\" = 0",
        What::Table | What::Columns | What::Values => "test \"$differ\" = 0",
    };
    // Who counted none at the pin is not here; an estimate may be wrong about that.
    let (all, some) = match one.estimated {
        true => (format!("$({copied})"), "test \"$all\" = 0 || "),
        false => (one.rows.to_string(), ""),
    };
    format!("all={all}\necho \"$back $differ $gone\"\ntest $((back + differ + gone)) = \"$all\"\n{some}test $((back + differ)) -gt 0\n{mended}")
}

/// What a verification shows where all is well.
pub(super) fn expected(one: &Destroyed) -> String {
    let numbers = match one.what {
        What::Rows => "three numbers, the last of them 0: rows that are as they were, rows that were written since and stay so, rows that are missing",
        What::Table | What::Columns | What::Values => "three numbers, the second of them 0: rows that are back, rows that differ, rows that were deleted since",
    };
    if one.estimated { numbers.to_owned() } else { format!("{numbers}; together {}", one.rows) }
}

/// The column of the live table that takes the old values of `column`; a name has at most `longest` letters.
pub(super) fn target(one: &Destroyed, column: &Column, version: &str, longest: usize) -> String {
    match one.what {
        What::Values => {
            let end = format!("__before_{version}");
            let kept: String = column.name.chars().take(longest.saturating_sub(end.len())).collect();
            format!("{kept}{end}")
        }
        What::Rows => one.column_now(&column.name).to_owned(),
        What::Columns | What::Table => column.name.clone(),
    }
}

/// What comes back, and how, in a few words; `copy` is the table that its copy stands in.
pub(super) fn how(one: &Destroyed, copy: &str, version: &str, longest: usize) -> String {
    let object = one.object();
    match one.what {
        What::Table => format!("{object}: made anew, with its rows and indexes and what hangs on it"),
        _ if one.key.is_empty() => format!("{object}: no primary key leads to the rows, so they come back whole beside the table, in {copy}"),
        What::Columns => format!("{object}: added again, without NOT NULL or default, and filled in by key"),
        What::Values => {
            let into = one.columns.iter().map(|column| target(one, column, version, longest)).collect::<Vec<_>>().join(", ");
            format!("{object}: the old values come back beside the new ones, in {into}")
        }
        What::Rows => {
            format!("{object}: put back by key where none stands; what was written since stays, and a row that an application deleted since comes back as well")
        }
    }
}

/// What stood at the pin, for people.
pub(super) fn counted(one: &Destroyed) -> String {
    match &one.checksum {
        Some(checksum) => format!("{}: {} rows, checksum {checksum}", one.object(), one.rows),
        None => format!("{}: about {} rows, not counted", one.object(), one.rows),
    }
}
