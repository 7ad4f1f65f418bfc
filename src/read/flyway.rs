//! Flyway. In: `V1.2__name.sql` in folders of any depth, undone by `U1.2__name.sql`; settings in `V1.2__name.sql.conf`. Out:
//! migrations. Repeatable files (`R__…`) and baselines (`B1__…`) are noted, not run.

use super::ReadError;
use super::choose::{Candidate, Chosen, choose};
use super::reader::{Reader, migration};
use super::versioned::{self, note_other};
use crate::migration::{Direction, Migration};
use std::collections::HashSet;

/// `executeInTransaction=false` in the file beside a script.
fn runs_in_transaction(reader: &mut Reader, conf: &str) -> Result<bool, ReadError> {
    let text = reader.folder.take(conf)?.text;
    let setting = text.lines().filter_map(|line| line.split_once('=')).find(|(key, _)| key.trim() == "executeInTransaction");
    Ok(setting.is_none_or(|(_, value)| !value.trim().eq_ignore_ascii_case("false")))
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    let files = reader.folder.nested()?;
    let mut found: Vec<Candidate> = Vec::new();
    for path in &files {
        match versioned::parse(path).filter(|_| !path.ends_with(".rs")) {
            Some(name) if name.kind == 'V' => found.push(name.candidate(path, Direction::Up, reader.engine)?),
            Some(name) if name.kind == 'U' => found.push(name.candidate(path, Direction::Down, reader.engine)?),
            Some(name) if name.kind == 'R' => reader.note("repeatable", path, None, "repeatable: shown here, but not judged and not run".into()),
            Some(_) => reader.note("baseline", path, None, "a baseline: not run, since the migrations before it are".into()),
            None => note_other(reader, path),
        }
    }
    let confs: HashSet<&str> = files.iter().map(String::as_str).filter(|path| path.ends_with(".sql.conf")).collect();
    let whole = |reader: &mut Reader, file: &Candidate| {
        let mut part = reader.whole(&file.path, file.direction)?;
        let conf = format!("{}.conf", file.path);
        part.script.no_transaction |= file.autocommit || confs.contains(conf.as_str()) && !runs_in_transaction(reader, &conf)?;
        Ok::<_, ReadError>(part)
    };
    let mut migrations = Vec::with_capacity(found.len());
    for Chosen { up: up_file, down: down_file, .. } in choose(reader, found)? {
        let up = whole(reader, &up_file)?;
        reader.note_empty(&up_file.path, &up.script);
        let down = match down_file {
            Some(file) => Some((whole(reader, &file)?, file.path)),
            None => None,
        };
        migrations.push(migration(up_file.version, up_file.name, up_file.path, up, down.map(|(part, path)| (Some(path), part))));
    }
    Ok(migrations)
}
