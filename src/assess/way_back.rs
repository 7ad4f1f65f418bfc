//! Can the way back be written by a machine? In: what UP did and the two states of the catalog. Out: the SQL that DOWN lacks, or why
//! nobody knows it; and whether a DOWN with that SQL is better than the one before.

use super::round_trip::{Ran, run};
use super::statement::Done;
use super::{Assessment, Missing};
use crate::migration::{Direction, Migration};
use crate::parse::Statement;
use crate::schema::catalog::{Catalog, Journal};
use crate::schema::inverse::{Unknown, inverse};
use crate::table::{Kind, check};

/// More statements than this are no help that somebody pastes.
const PASTED: usize = 12;

/// What DOWN lacks. `before` found what stood before UP, `catalog` is what stands after UP and DOWN.
pub(super) fn missing(before: &Journal, catalog: &Catalog, migration: &Migration, up: &[Statement], ran: [&Ran<'_>; 2]) -> Missing {
    if let Some(reason) = &migration.irreversible {
        return Err(Unknown(format!("it is declared irreversible: {reason}")));
    }
    ran.iter().flat_map(|ran| &ran.done).try_for_each(exactly_known)?;
    match inverse(before, catalog, up)? {
        none if none.is_empty() => Err(Unknown("no statement of this database takes it back".to_owned())),
        statements => Ok(statements),
    }
}

/// Whether the catalog knows all that it did.
fn exactly_known(done: &Done<'_>) -> Result<(), Unknown> {
    let object = &done.action.object;
    if super::round_trip::is_unseen(done) {
        return Err(Unknown(format!("what line {} of {} does cannot be seen from its text", done.statement.line, done.direction.name().to_uppercase())));
    }
    if done.effect.conditional {
        return Err(Unknown(format!("whether {object} stood before UP is not known")));
    }
    if done.effect.blind && done.kind != Kind::SessionSetting {
        return Err(Unknown(format!("how {object} stood before UP is not known")));
    }
    Ok(())
}

/// What takes back each of `statements`, which all stand, on the state that the ones after it left when they are taken back; `catalog` is
/// what stood before the first.
///
/// # Errors
/// The line of the first statement that cannot be taken back without loss, and why.
pub fn compensation(catalog: &mut Catalog, statements: &[Statement]) -> Result<Vec<Vec<String>>, (u32, Unknown)> {
    let take_back = |statement: &Statement| {
        catalog.begin_migration();
        catalog.begin();
        let ran = run(catalog, std::slice::from_ref(statement), Direction::Up);
        let before = catalog.end();
        ran.done.iter().try_for_each(exactly_known).and_then(|()| inverse(&before, catalog, statements)).map_err(|unknown| (statement.line, unknown))
    };
    statements.iter().map(take_back).collect()
}

/// `help` with what DOWN lacks, where that is known.
pub(super) fn with_sql(help: &str, missing: Option<&Missing>) -> String {
    match missing {
        Some(Ok(statements)) if statements.len() <= PASTED => {
            let sql: Vec<String> = statements.iter().map(|sql| format!("{sql};")).collect();
            format!("{help}; by the schema, this would do (`migrate check --fix`):\n{}", sql.join("\n"))
        }
        Some(Ok(statements)) => format!("{help}; by the schema, {} statements would do (`migrate check --fix`)", statements.len()),
        Some(Err(unknown)) => format!("{help}; none can be written from the schema: {}", unknown.0),
        None => help.to_owned(),
    }
}

/// Whether `new` is what `old` says with a better DOWN: nothing that matters differs, and the verdict, or what it rests on, is better.
pub fn is_better(new: &Assessment, old: &Assessment) -> bool {
    let of_down = |a: &Assessment| a.findings.iter().any(|f| [check::NO_DOWN.code, check::DOWN_INCOMPLETE.code, check::UNPROVED.code].contains(&f.code));
    let whole = !new.round_trip.differences.iter().any(|d| d.matters) && !of_down(new);
    whole && (new.verdict < old.verdict || new.verdict == old.verdict && of_down(old)) && new.loss <= old.loss.max(crate::table::Loss::WrittenSince)
}
