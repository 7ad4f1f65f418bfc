//! sqlx. In: `N_name.up.sql` with `N_name.down.sql`, or `N_name.sql`; `-- no-transaction` as a file's first bytes. Out: migrations.

use super::ReadError;
use super::pairs::{self, Pairs};
use super::reader::Reader;
use crate::migration::{Migration, Script};

/// sqlx looks at the first bytes of the text and nowhere else.
fn no_transaction(script: &Script) -> bool {
    script.segments.first().is_some_and(|segment| segment.text.starts_with("-- no-transaction"))
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    pairs::read(reader, &Pairs { plain: true, no_transaction })
}
