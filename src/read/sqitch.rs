//! sqitch. In: `sqitch.plan`, `deploy/CHANGE.sql`, `revert/CHANGE.sql`. Out: migrations in the plan's order, each with its
//! place, from 1, as its version.

use super::ReadError;
use super::reader::{Reader, migration};
use crate::migration::{Direction, Migration, Version};

/// The plan's file, by which the layout is known.
pub(super) const PLAN: &str = "sqitch.plan";

struct Change<'a> {
    name: &'a str,
    line: u32,
    /// The tags between this change and the next.
    tags: Vec<&'a str>,
}

fn changes(plan: &str) -> Vec<Change<'_>> {
    let mut changes: Vec<Change> = Vec::new();
    for (at, line) in plan.lines().enumerate() {
        let Some(word) = line.split_whitespace().next().filter(|word| !word.starts_with(['%', '#'])) else { continue };
        match word.strip_prefix('@') {
            Some(tag) => changes.last_mut().into_iter().for_each(|change| change.tags.push(tag)),
            None => changes.push(Change { name: word.trim_start_matches('+'), line: at as u32 + 1, tags: Vec::new() }),
        }
    }
    changes
}

/// The scripts' name: a change that is reworked further down has its older scripts under the name of a tag between the two.
fn script(reader: &Reader, changes: &[Change], at: usize) -> String {
    let name = changes[at].name;
    let Some(again) = changes[at + 1..].iter().position(|later| later.name == name) else { return name.to_owned() };
    let tags = changes[at..=at + again].iter().flat_map(|change| &change.tags);
    let mut kept = tags.map(|tag| format!("{name}@{tag}")).filter(|script| reader.folder.has(&format!("deploy/{script}.sql")));
    kept.next().unwrap_or_else(|| name.to_owned())
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    let Some(plan) = reader.folder.take_if_there(PLAN)? else { return Ok(Vec::new()) };
    let changes = changes(&plan.text);
    let mut migrations = Vec::with_capacity(changes.len());
    for (at, change) in changes.iter().enumerate() {
        let script = script(reader, &changes, at);
        let (up_path, down_path) = (format!("deploy/{script}.sql"), format!("revert/{script}.sql"));
        let Some(up) = reader.whole_if_there(&up_path, Direction::Up)? else {
            return Err(ReadError::BadPlan { path: PLAN.into(), line: Some(change.line), what: format!("the change `{}` has no file {up_path}", change.name) });
        };
        reader.note_empty(&up_path, &up.script);
        let down = reader.whole_if_there(&down_path, Direction::Down)?.map(|part| (Some(down_path), part));
        let version = Version::new(&(at + 1).to_string()).expect("a number is a version");
        migrations.push(migration(version, change.name.to_owned(), up_path, up, down));
    }
    Ok(migrations)
}
