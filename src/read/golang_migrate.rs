//! golang-migrate, and pop, which names its files in the same way and adds the engine. In: `N_name.up.sql`,
//! `N_name.mysql.up.sql`, `N_name.postgres.autocommit.down.sql`. Out: migrations. Pairs that are no SQL are only noted.

use super::ReadError;
use super::pairs::{self, Pairs};
use super::reader::Reader;
use crate::migration::Migration;

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    pairs::read(reader, &Pairs { plain: false, no_transaction: |_| false })
}
