//! What was judged to many forms. In: entries. Out: text for people, JSON for machines.

pub mod json;
pub mod plan;
pub mod rules;
pub mod runbook;
pub mod text;

use crate::assess::Assessment;
use crate::engine::Engine;
use crate::gate::merge::Merge;
use crate::migration::Migration;
use crate::read::Note;
use crate::table::{Kind, Verdict};
use std::borrow::Cow;

/// One judged migration.
pub struct Entry<'a> {
    /// As it stands on disk.
    pub migration: Cow<'a, Migration>,
    /// What is known of it.
    pub assessment: Assessment,
    /// What the gate says.
    pub merge: Merge,
    /// What `--fix` made of it; `None` without `--fix`, and where DOWN lacks nothing.
    pub fix: Option<Fixed>,
}

/// What became of a DOWN that lacks something.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Fixed {
    /// The file that holds DOWN, or would hold it, relative to the migrations' folder; `None` where it cannot hold one.
    pub path: Option<String>,
    /// What changes in it, as a unified diff; `None` where nothing can be written.
    pub diff: Option<String>,
    /// The file was written.
    pub written: bool,
    /// Why it was not, in a few words.
    pub reason: Option<String>,
}

/// All that `check` found.
pub struct Report<'a> {
    /// The engine judged for.
    pub engine: Engine,
    /// The layout's name.
    pub layout: &'static str,
    /// In the order of versions.
    pub entries: Vec<Entry<'a>>,
    /// What was passed over while reading, and why.
    pub notes: &'a [Note],
    /// How many older migrations only fed the catalog.
    pub fed: usize,
}

/// The counts below the report.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Summary {
    /// Migrations by verdict.
    pub reversible: usize,
    /// Migrations by verdict.
    pub partial: usize,
    /// Migrations by verdict.
    pub irreversible: usize,
    /// Migrations at which the gate stays shut.
    pub blocked: usize,
    /// Statements of UP and DOWN.
    pub statements: usize,
    /// Of these, those that nobody understands.
    pub not_understood: usize,
}

impl Summary {
    /// Counts `entry`.
    fn count(&mut self, entry: &Entry<'_>) {
        match entry.assessment.verdict {
            Verdict::Reversible => self.reversible += 1,
            Verdict::Partial => self.partial += 1,
            Verdict::Irreversible => self.irreversible += 1,
        }
        self.blocked += usize::from(entry.merge.blocked);
        self.statements += entry.assessment.statements.len();
        self.not_understood += entry.assessment.statements.iter().filter(|s| s.code == Kind::NotUnderstood.row().code).count();
    }
}

impl Report<'_> {
    /// The counts.
    pub fn summary(&self) -> Summary {
        let mut sum = Summary::default();
        self.entries.iter().for_each(|entry| sum.count(entry));
        sum
    }
}
