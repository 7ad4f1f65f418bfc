//! Files against history. In: migrations as they stand on disk, what a database says has run. Out: what is pending, or what
//! does not fit together.

use crate::engine::Engine;
use crate::lex::secret::masked;
use crate::migration::{Migration, Script, Version};
use crate::observed::{Applied, in_force};
use crate::parse;
use similar::TextDiff;
use std::collections::HashMap;

/// A migration beside what the history says of it.
#[derive(Debug)]
pub enum State<'a> {
    /// It ran and was not undone.
    Applied(&'a Applied),
    /// It ran, and only comments and white space of its UP are others now.
    Reworded(&'a Applied),
    /// It ran, and its UP is another one now.
    Edited(&'a Applied),
    /// It has not run.
    Pending,
    /// It has not run, and a later one has.
    OutOfOrder,
}

/// Files and history side by side.
#[derive(Debug)]
pub struct Compared<'a> {
    /// Each migration on disk, in order.
    pub files: Vec<(&'a Migration, State<'a>)>,
    /// What ran and has no file, in applied order.
    pub missing: Vec<&'a Applied>,
}

/// History that does not fit the files.
#[derive(Debug, thiserror::Error)]
pub enum Drift {
    /// An applied migration's UP was changed.
    #[error("{path} was changed after it ran: its UP is not the one that ran on {at}{difference}")]
    Edited {
        /// The file.
        path: String,
        /// When it ran.
        at: String,
        /// What differs, as the end of the message.
        difference: String,
    },
    /// An applied migration's file is gone.
    #[error("{version} {name} ran on this database, and no file has that version")]
    Missing {
        /// Its version.
        version: String,
        /// Its name.
        name: String,
    },
    /// A migration is older than one that has run.
    #[error("{path} has not run, and {later} has, which comes after it")]
    OutOfOrder {
        /// The file.
        path: String,
        /// The newest version that has run.
        later: String,
    },
}

impl Drift {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Drift::Edited { .. } => "put the file back as it was, and make the change in a new migration",
            Drift::Missing { .. } => "is this the right folder and branch? `migrate status` shows both sides",
            Drift::OutOfOrder { .. } => "give it a version after the newest one, go back to before it first, or run it all the same with `--out-of-order`",
        }
    }
}

/// Lays `migrations` beside `history`.
pub fn compare<'a>(migrations: &'a [Migration], history: &'a [Applied], engine: Engine) -> Compared<'a> {
    let key = |version: &str| Version::new(version).map_or_else(|| version.to_owned(), |v| v.canonical());
    let mut standing: HashMap<String, &Applied> = in_force(history).into_iter().map(|a| (key(&a.version), a)).collect();
    let newest = standing.values().filter_map(|a| Version::new(&a.version)).max();
    let files = migrations
        .iter()
        .map(|migration| {
            let state = match standing.remove(&migration.version.canonical()) {
                Some(applied) if applied.up_sha256 == migration.up.sha256() => State::Applied(applied),
                Some(applied) if reworded(applied, &migration.up, engine) => State::Reworded(applied),
                Some(applied) => State::Edited(applied),
                None if newest.as_ref().is_some_and(|newest| migration.version < *newest) => State::OutOfOrder,
                None => State::Pending,
            };
            (migration, state)
        })
        .collect();
    let mut missing: Vec<&Applied> = standing.into_values().collect();
    missing.sort_unstable_by_key(|a| a.seq);
    Compared { files, missing }
}

impl<'a> Compared<'a> {
    /// What `up` would run, in order; `out_of_order`: also what is older than something that has run.
    ///
    /// # Errors
    /// The first [`Drift`].
    pub fn pending(&self, out_of_order: bool) -> Result<Vec<&'a Migration>, Drift> {
        if let Some(missing) = self.missing.first() {
            return Err(Drift::Missing { version: missing.version.clone(), name: missing.name.clone() });
        }
        let newest =
            || self.files.iter().rev().find(|(_, s)| !matches!(s, State::Pending | State::OutOfOrder)).map_or(String::new(), |(m, _)| m.version.to_string());
        let mut pending = Vec::new();
        for (migration, state) in &self.files {
            match state {
                State::Applied(_) | State::Reworded(_) => {}
                State::Pending => pending.push(*migration),
                State::OutOfOrder if out_of_order => pending.push(*migration),
                State::Edited(applied) => {
                    let difference = difference(applied, &migration.up);
                    return Err(Drift::Edited { path: migration.path.clone(), at: applied.at.clone(), difference });
                }
                State::OutOfOrder => return Err(Drift::OutOfOrder { path: migration.path.clone(), later: newest() }),
            }
        }
        Ok(pending)
    }
}

/// Whether the UP that ran and `up` differ in comments and white space alone.
fn reworded(applied: &Applied, up: &Script, engine: Engine) -> bool {
    applied.up_text.as_ref().is_some_and(|text| parse::same_words(&Script::whole(text.as_str()), up, engine))
}

/// The most lines of a difference that a message shows.
const SHOWN: usize = 20;

fn difference(applied: &Applied, up: &Script) -> String {
    let Some(ran) = &applied.up_text else { return String::new() };
    let up = up.text();
    let (ran, up) = (masked(ran), masked(&up));
    let diff = TextDiff::from_lines(&*ran, &*up).unified_diff().context_radius(1).header("as it ran", "as it is").to_string();
    let lines: Vec<&str> = diff.lines().collect();
    let more = if lines.len() > SHOWN { "\n    …" } else { "" };
    format!(":\n    {}{more}", lines[..lines.len().min(SHOWN)].join("\n    "))
}
