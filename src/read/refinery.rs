//! refinery. In: `V1__name.sql` and `U1__name.sql` in folders of any depth. Out: migrations that only go forward: `U` means
//! that the order is free, not that the file undoes anything.

use super::ReadError;
use super::choose::{Candidate, Chosen, choose};
use super::names::Fit;
use super::reader::{Reader, migration};
use super::versioned::{self, note_other};
use crate::migration::{Direction, Migration};

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    let mut found: Vec<Candidate> = Vec::new();
    for path in reader.folder.nested()? {
        match versioned::parse(&path).filter(|name| matches!(name.kind, 'V' | 'U')) {
            Some(name) => {
                let mut candidate = name.candidate(&path, Direction::Up, reader.engine)?;
                if path.ends_with(".rs") {
                    candidate.fit = Fit::Code;
                    reader.code(&path);
                }
                found.push(candidate);
            }
            None => note_other(reader, &path),
        }
    }
    let mut migrations = Vec::with_capacity(found.len());
    for Chosen { up: file, .. } in choose(reader, found)? {
        let mut up = reader.whole(&file.path, Direction::Up)?;
        up.script.no_transaction |= file.autocommit;
        reader.note_empty(&file.path, &up.script);
        migrations.push(migration(file.version, file.name, file.path, up, None));
    }
    Ok(migrations)
}
