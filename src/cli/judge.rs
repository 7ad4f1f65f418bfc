//! Puts the stages together. In: migrations and what holds for them. Out: judged entries, one by one, in order.
//!
//! Parsing is half of the work and knows nothing of its neighbours, so where there is much of it every core takes part; the catalog is
//! one, and follows in order. Trees are dropped where they were made, and no more than a few stretches are in flight.

use crate::assess::{self, Assessment, Finding};
use crate::engine::Engine;
use crate::gate::merge;
use crate::gate::policy::Policy;
use crate::migration::{Migration, Script};
use crate::parse::{self, Statement};
use crate::read::Loaded;
use crate::report::Entry;
use crate::schema::catalog::Catalog;
use crate::table::check;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;

/// Migrations that one thread takes at a time: few, so that what one thread made is still near when another takes it.
const STRETCH: usize = 8;
/// Migrations that are worth another thread: it costs more to wake one for less.
const WORTH_A_THREAD: usize = 2_048;

/// Both parts, parsed.
pub(super) type Parsed = (Vec<Statement>, Option<Vec<Statement>>);

/// Parses every migration, and hands each to `then` in order, until that fails.
pub(super) fn each_parsed(migrations: &[Migration], engine: Engine, mut then: impl FnMut(usize, Parsed) -> std::io::Result<()>) -> std::io::Result<()> {
    let parsed = |m: &Migration| (parse::script(&m.up, engine), m.down.as_ref().map(|down| parse::script(down, engine)));
    // This thread is at work as well: it judges what the others parsed.
    let threads = std::thread::available_parallelism().map_or(0, |cores| cores.get() - 1).min(migrations.len() / WORTH_A_THREAD);
    if threads == 0 {
        return migrations.iter().enumerate().try_for_each(|(at, migration)| then(at, parsed(migration)));
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<(usize, Vec<Parsed>)>(2 * threads);
        for _ in 0..threads {
            let (send, next) = (send.clone(), &next);
            std::thread::Builder::new().stack_size(super::STACK).spawn_scoped(scope, move || {
                loop {
                    let from = next.fetch_add(STRETCH, Ordering::Relaxed);
                    let Some(stretch) = migrations.get(from..migrations.len().min(from + STRETCH)).filter(|s| !s.is_empty()) else { break };
                    if send.send((from, stretch.iter().map(parsed).collect())).is_err() {
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

/// Judges those of `migrations` that `judged` picks, and hands each to `then` with the statements of its UP; the others only say what stands.
pub(super) fn judge<'a>(
    catalog: &mut Catalog,
    loaded: &'a Loaded,
    policy: &Policy,
    judged: impl Fn(&Migration) -> bool,
    mut then: impl FnMut(Entry<'a>, Vec<Statement>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let bench = Bench::new(loaded, policy);
    each_judged(catalog, loaded, judged, |catalog, migration, (up, down)| {
        let assessment = assess::migration(catalog, migration, &up, down.as_deref());
        then(bench.entry(Cow::Borrowed(migration), assessment), up)
    })
}

/// Hands those of `migrations` that `judged` picks to `then`, parsed, with what stands before each; `then` leaves what stands after it.
pub(super) fn each_judged<'a>(
    catalog: &mut Catalog,
    loaded: &'a Loaded,
    judged: impl Fn(&Migration) -> bool,
    mut then: impl FnMut(&mut Catalog, &'a Migration, Parsed) -> std::io::Result<()>,
) -> std::io::Result<()> {
    each_parsed(&loaded.migrations, catalog.engine, |at, parsed| {
        let migration = &loaded.migrations[at];
        if judged(migration) {
            then(catalog, migration, parsed)
        } else {
            assess::follow(catalog, &parsed.0);
            Ok(())
        }
    })
}

/// What makes an entry of an assessment.
pub(super) struct Bench<'a> {
    policy: &'a Policy,
    has_downs: bool,
    /// What is to be said of a migration whose version another one bears too, by its path.
    twins: HashMap<&'a str, &'a str>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(loaded: &'a Loaded, policy: &'a Policy) -> Self {
        let twins = loaded.notes.iter().filter(|n| n.code == check::DUPLICATE.name);
        let twins = twins.filter_map(|n| Some((n.path.as_deref()?, n.message.as_str()))).collect();
        Bench { policy, has_downs: loaded.layout.has_down(), twins }
    }

    /// `migration` with its assessment, as a report shows it.
    pub(super) fn entry<'m>(&self, migration: Cow<'m, Migration>, mut assessment: Assessment) -> Entry<'m> {
        if let Some(message) = self.twins.get(migration.path.as_str()) {
            assessment.findings.push(Finding::of_file(check::DUPLICATE, (*message).to_owned(), "give one of them a version of its own; `up` runs neither"));
        }
        let merge = merge::merge(&migration, &assessment, self.policy, self.has_downs);
        Entry { migration, assessment, merge, fix: None }
    }
}

/// Takes what stood before the first migration from a schema dump.
pub(super) fn start(catalog: &mut Catalog, dump: &str) {
    let statements = parse::script(&Script::whole(dump), catalog.engine);
    assess::follow(catalog, &statements);
}
