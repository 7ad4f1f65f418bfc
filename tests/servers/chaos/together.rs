//! Sixteen runners that start at once: one does each migration, and the others find nothing to do.

use super::child::{Child, migrate};
use super::trial::{Undisturbed, drop_database, words};
use super::{report, set, soak};
use crate::runner::{hurried, locked};
use crate::support;
use crate::support::{OwnServer, wait};
use unmigrate::engine::Engine;
use unmigrate::exit::Exit;
use unmigrate::migration::Direction;
use unmigrate::run::{self, HISTORY_TABLE};

const RUNNERS: usize = 16;

fn together(engine: Engine) {
    let folder = set::folder(engine);
    let Some((undisturbed, first)) = Undisturbed::new(engine, folder.path()) else { return };
    drop_database(first);
    let rounds = if soak() { 20 } else { 1 };
    for round in 1..=rounds {
        let database = support::database(engine).expect("it runs");
        let children: Vec<Child> = (0..RUNNERS)
            .map(|_| {
                let mut command = migrate(&database.url, folder.path(), words(Direction::Up));
                // Each waits for all that come before it.
                command.args(["--lock-timeout", "10min"]);
                Child::start(command)
            })
            .collect();
        // Only who is at work says anything, and who says nothing needs no reader.
        let ended: Vec<_> = std::thread::scope(|scope| {
            let ends: Vec<_> = children.into_iter().map(|child| scope.spawn(|| child.end().expect(0, &[]))).collect();
            ends.into_iter().map(|end| end.join().expect("it ends well")).collect()
        });
        let idle = ended.iter().filter(|ended| ended.stdout.contains("nothing to do: all 30 migrations are applied")).count();
        assert_eq!(idle, RUNNERS - 1, "{ended:#?}");
        undisturbed.compare(&database, Direction::Up, &format!("{RUNNERS} runners together, round {round}"));
        drop_database(database);
    }
    report(&format!("{engine}: {RUNNERS} runners together, {rounds} times: each migration applied once, {} found nothing to do", RUNNERS - 1));
}

#[test]
fn sqlite_lets_one_runner_in() {
    together(Engine::Sqlite);
}

#[test]
fn postgres_lets_one_runner_in() {
    together(Engine::Postgres);
}

#[test]
fn mariadb_lets_one_runner_in() {
    together(Engine::Mariadb);
}

/// Where a server takes a database's name in any case, both names are one database.
#[test]
fn mariadb_has_one_lock_for_a_name_in_any_case() {
    let Some(server) = OwnServer::start_with(Engine::Mariadb, "--lower-case-table-names=1") else { return };
    let database = server.database("shop");
    let shouted = database.url.replace("/shop?", "/SHOP?");
    assert_ne!(shouted, database.url);
    wait(async {
        let first = locked(&database).await;
        let second = run::connect(Engine::Mariadb, &shouted, &hurried()).await.expect("the same database");
        assert_eq!(second.lock(HISTORY_TABLE).await.err().map(|error| error.exit()), Some(Exit::Locked));
        first.release().await;
    });
}
