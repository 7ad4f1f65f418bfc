//! One verdict a migration. In: the catalog before it, its UP and DOWN. Out: verdict, loss, every statement's share in it,
//! findings, and the catalog after UP.

mod carried;
pub mod fix;
mod lock;
mod log;
mod recipe;
mod round_trip;
mod statement;
mod syntax;
mod way_back;

use crate::migration::{Direction, Migration};
use crate::parse::Statement;
use crate::parse::action::Op;
use crate::schema::application::Application;
use crate::schema::apply::apply;
use crate::schema::catalog::{Catalog, Journal};
use crate::schema::diff::Difference;
use crate::schema::inverse::Unknown;
use crate::table::{Check, Loss, Verdict};
use serde::Serialize;
pub use way_back::{compensation, is_better};

/// What is said of one statement (of an ALTER with several parts: of one part).
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// UP or DOWN.
    pub direction: Direction,
    /// First line, from 1.
    pub line: u32,
    /// Place in that line, from 1.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Code of its line in the table.
    pub code: &'static str,
    /// Name of its line in the table.
    pub name: &'static str,
    /// What it is done to.
    pub object: String,
    /// Its share in the migration's verdict; none for DOWN.
    pub verdict: Option<Verdict>,
    /// What it loses; none for DOWN.
    pub loss: Option<Loss>,
    /// Why, in one sentence.
    pub why: String,
    /// The lock that it takes, where known.
    pub lock: Option<String>,
    /// Whether it rewrites the table, where known.
    pub rewrite: Option<bool>,
    /// Whether it reads every row of the table, where known; a rewrite does. Not in JSON, whose keys are fixed: findings say it.
    #[serde(skip)]
    pub scan: Option<bool>,
}

/// Something that a reader must know of a migration.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's code.
    pub code: &'static str,
    /// The rule's name.
    pub name: &'static str,
    /// The verdict that it leads to.
    pub verdict: Verdict,
    /// What is lost by it.
    pub loss: Loss,
    /// The part that it stands in, where it stands in one.
    pub direction: Option<Direction>,
    /// The line that it stands on.
    pub line: Option<u32>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What would make it right.
    pub help: String,
}

/// How UP and DOWN compare.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RoundTrip {
    /// After UP and DOWN the catalog holds what it held, values included, and nothing stayed unseen.
    pub proved: bool,
    /// What differs.
    pub differences: Vec<Difference>,
}

/// What is known of a migration.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// Worst of all findings and statements.
    pub verdict: Verdict,
    /// What data goes.
    pub loss: Loss,
    /// Reversible right after UP, until rows stand that only the new schema admits.
    pub decays: bool,
    /// Whether the application before UP works on the schema after it.
    pub app_rollback: Application,
    /// How UP and DOWN compare.
    pub round_trip: RoundTrip,
    /// Statements of UP, then of DOWN, in order.
    pub statements: Vec<Judged>,
    /// What a reader must know.
    pub findings: Vec<Finding>,
    /// Where DOWN leaves something undone: the statements that it lacks, or why nobody knows them.
    pub missing: Option<Missing>,
}

/// The statements that a DOWN lacks, or why nobody knows them.
pub type Missing = Result<Vec<String>, Unknown>;

/// Judges `migration`, whose parts were parsed to `up` and `down`, and leaves in `catalog` the state after UP.
pub fn migration(catalog: &mut Catalog, migration: &Migration, up: &[Statement], down: Option<&[Statement]>) -> Assessment {
    round_trip::judge(catalog, migration, up, down).0
}

/// As [`migration`], with what [`Catalog::restore`] takes to put back the state before UP.
pub fn attempt(catalog: &mut Catalog, migration: &Migration, up: &[Statement], down: Option<&[Statement]>) -> (Assessment, Journal) {
    round_trip::judge(catalog, migration, up, down)
}

impl Finding {
    /// A finding about a migration's file, whatever its verdict.
    pub fn of_file(rule: &'static Check, message: String, help: &str) -> Finding {
        Finding {
            code: rule.code,
            name: rule.name,
            verdict: Verdict::Reversible,
            loss: Loss::None,
            direction: None,
            line: None,
            message,
            help: help.to_owned(),
        }
    }
}

/// Lets `catalog` follow UP without judging it: older migrations only say what stands.
pub fn follow(catalog: &mut Catalog, up: &[Statement]) {
    catalog.begin_migration();
    catalog.judging_down = false;
    catalog.checks_off = false;
    up.iter().for_each(|statement| catalog.note_written(statement));
    for (statement, action) in up.iter().flat_map(|s| s.actions.iter().map(move |a| (s, a))) {
        // A refusal tells that the catalog does not know all; UP did run.
        if apply(catalog, action).is_err() || action.op == Op::Unseen {
            catalog.note_unseen(&statement.text);
        }
    }
    catalog.end_session();
}
