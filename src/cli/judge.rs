//! Puts the stages together. In: migrations and what holds for them. Out: judged entries, one by one, in order.
//!
//! Parsing is most of the work and knows nothing of its neighbours, so every core takes part; the catalog is one, and
//! follows in order. Trees are dropped where they were made, and no more than a few stretches are in flight.

use crate::assess::{self, Finding};
use crate::engine::Engine;
use crate::gate::merge;
use crate::gate::policy::Policy;
use crate::migration::{Migration, Script};
use crate::parse::{self, Statement};
use crate::read::Loaded;
use crate::report::Entry;
use crate::schema::catalog::Catalog;
use crate::table::check;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// Migrations that one thread takes at a time: few, so that what one thread made is still near when another takes it.
const STRETCH: usize = 8;
/// Deep trees are built and dropped by recursion.
const STACK: usize = 256 << 20;

/// Both parts, parsed.
pub(super) type Parsed = (Vec<Statement>, Option<Vec<Statement>>);

/// Parses every migration, and hands each to `then` in order, until that fails.
pub(super) fn each_parsed(migrations: &[Migration], engine: Engine, mut then: impl FnMut(usize, Parsed) -> std::io::Result<()>) -> std::io::Result<()> {
    let next = AtomicUsize::new(0);
    // This thread is at work as well: it judges what the others parsed.
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() - 1).clamp(1, migrations.len().div_ceil(STRETCH).max(1));
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<(usize, Vec<Parsed>)>(2 * threads);
        for _ in 0..threads {
            let (send, next) = (send.clone(), &next);
            std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, move || {
                loop {
                    let from = next.fetch_add(STRETCH, Ordering::Relaxed);
                    let Some(stretch) = migrations.get(from..migrations.len().min(from + STRETCH)).filter(|s| !s.is_empty()) else { break };
                    let parsed = stretch.iter().map(|m| (parse::script(&m.up, engine), m.down.as_ref().map(|d| parse::script(d, engine)))).collect();
                    if send.send((from, parsed)).is_err() {
                        break;
                    }
                }
            })?;
        }
        drop(send);
        let (mut waiting, mut due) = (BTreeMap::new(), 0);
        for (from, parsed) in receive {
            waiting.insert(from, parsed);
            while let Some(parsed) = waiting.remove(&due) {
                for one in parsed {
                    then(due, one)?;
                    due += 1;
                }
            }
        }
        Ok(())
    })
}

/// Judges those of `migrations` that `judged` picks, and hands each to `then`; the others only say what stands.
pub(super) fn judge<'a>(
    catalog: &mut Catalog,
    loaded: &'a Loaded,
    policy: &Policy,
    judged: impl Fn(&Migration) -> bool,
    mut then: impl FnMut(Entry<'a>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let migrations = &loaded.migrations;
    let twins: HashMap<&str, &str> =
        loaded.notes.iter().filter(|n| n.code == check::DUPLICATE.name).filter_map(|n| Some((n.path.as_deref()?, n.message.as_str()))).collect();
    each_parsed(migrations, catalog.engine, |at, (up, down)| {
        let migration = &migrations[at];
        if judged(migration) {
            let mut assessment = assess::migration(catalog, migration, &up, down.as_deref());
            if let Some(message) = twins.get(migration.path.as_str()) {
                assessment.findings.push(Finding::of_file(check::DUPLICATE, (*message).to_owned(), "give one of them a version of its own; `up` runs neither"));
            }
            let merge = merge::merge(migration, &assessment, policy, loaded.layout.has_down());
            then(Entry { migration, assessment, merge })
        } else {
            assess::follow(catalog, &up);
            Ok(())
        }
    })
}

/// Takes what stood before the first migration from a schema dump.
pub(super) fn start(catalog: &mut Catalog, dump: &str) {
    let statements = parse::script(&Script::whole(dump), catalog.engine);
    assess::follow(catalog, &statements);
}
