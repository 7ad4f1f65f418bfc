//! A DOWN that lacks something, written and proved. In: a migration, its assessment, the text of the file that holds DOWN. Out: the
//! file's new text and what is then known of the migration; or why it is left alone.

use super::{Assessment, attempt, is_better};
use crate::migration::Migration;
use crate::parse::{self, Statement};
use crate::read::Layout;
use crate::read::down::{self, At};
use crate::schema::catalog::{Catalog, Journal};

/// A new DOWN.
#[derive(Debug)]
pub struct Fix {
    /// The migration as it is read from the new text.
    pub migration: Migration,
    /// The new text of the file that holds DOWN, without a byte-order mark.
    pub text: String,
    /// What is known of the migration with it.
    pub assessment: Assessment,
}

/// What a fix is made for.
pub struct Patient<'a> {
    /// How the project keeps its migrations.
    pub layout: Layout,
    /// The migration as it stands.
    pub migration: &'a Migration,
    /// Its UP, parsed.
    pub up: &'a [Statement],
    /// What is known of it.
    pub assessment: &'a Assessment,
}

/// Writes what DOWN lacks into `text`, the file that holds DOWN (`None` where there is none yet), and proves it by judging the migration
/// anew. `before` is what [`attempt`] gave for it; `catalog` stands after UP, and does so again afterwards.
///
/// # Errors
/// Why nothing is written, in a few words.
pub fn fix(catalog: &mut Catalog, mut before: Journal, patient: &Patient<'_>, text: Option<&str>) -> Result<Fix, String> {
    let Patient { layout, migration, up, assessment: was } = *patient;
    let statements = match &was.missing {
        Some(Ok(statements)) => statements,
        Some(Err(unknown)) => return Err(unknown.0.clone()),
        None => return Err("its DOWN lacks nothing".to_owned()),
    };
    let mut why = None;
    for at in [At::End, At::Start] {
        let new_text = down::with(layout, catalog.engine, migration, text, statements, at);
        let new = down::reread(layout, catalog.engine, migration, &new_text).map_err(|error| error.to_string())?;
        if new.up.text().trim_end() != migration.up.text().trim_end() {
            return Err("its UP would not be read as before".to_owned());
        }
        let parsed = new.down.as_ref().map(|script| parse::script(script, catalog.engine));
        catalog.restore(before);
        let (assessment, found) = attempt(catalog, &new, up, parsed.as_deref());
        before = found;
        if is_better(&assessment, was) {
            return Ok(Fix { migration: new, text: new_text, assessment });
        }
        let reason = assessment.findings.into_iter().max_by_key(|f| f.verdict).map(|f| f.message);
        why.get_or_insert(reason.unwrap_or_else(|| "it proves nothing more".to_owned()));
        // The order counts only beside statements of the author's own.
        if migration.down.is_none() {
            break;
        }
    }
    Err(format!("a DOWN was tried, and {}", why.unwrap_or_default()))
}
