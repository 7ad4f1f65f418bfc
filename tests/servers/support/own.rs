//! A server that one test has to itself, and may kill. In: an engine. Out: databases, a sudden end, a new start.

use super::{Database, Server, binaries, folder, launch};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::process::Child;
use std::time::{Duration, Instant};
use unmigrate::engine::Engine;

/// How long the end of a killed process may take.
const END: Duration = Duration::from_secs(120);

/// Such a server.
pub(crate) struct OwnServer {
    server: Server,
    /// The guards of its earlier lives, whose end removes the folder.
    _guards: Vec<Child>,
}

impl OwnServer {
    /// Starts one; `None`, after saying so, where it is not installed.
    pub(crate) fn start(engine: Engine) -> Option<OwnServer> {
        OwnServer::start_with(engine, "")
    }

    /// The same, told something besides (MariaDB).
    pub(crate) fn start_with(engine: Engine, options: &str) -> Option<OwnServer> {
        Some(OwnServer { server: launch(engine, folder(), &binaries(engine)?, true, options), _guards: Vec::new() })
    }

    /// A fresh database on it.
    pub(crate) fn database(&self, name: &str) -> Database {
        self.server.database(name)
    }

    /// SIGKILL of all its processes.
    pub(crate) fn kill(&self) {
        let file = if self.server.engine == Engine::Postgres { "data/postmaster.pid" } else { "pid" };
        let text = fs::read_to_string(self.server.folder.join(file)).expect("the server's number");
        let number: i32 = text.lines().next().and_then(|line| line.trim().parse().ok()).expect("a number");
        let mut all = vec![number];
        all.extend(children(number));
        for number in all {
            // A child may have ended by itself since.
            let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
        }
        let (started, ended) = (Instant::now(), self.server.folder.join("ended"));
        while !ended.exists() {
            assert!(started.elapsed() < END, "the server does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::remove_file(ended).expect("ours");
    }

    /// Starts it again after its end, with the data that it had.
    pub(crate) fn start_again(&mut self) {
        let again = launch(self.server.engine, self.server.folder.clone(), &binaries(self.server.engine).expect("it ran before"), true, "");
        let before = std::mem::replace(&mut self.server, again);
        self._guards.push(before._guard);
    }
}

/// The children of a process, from the fourth field of `/proc/N/stat`.
fn children(parent: i32) -> Vec<i32> {
    let processes = fs::read_dir("/proc").expect("Linux").flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let parent_of = |number: &i32| fs::read_to_string(format!("/proc/{number}/stat")).ok()?.rsplit_once(") ")?.1.split(' ').nth(1)?.parse::<i32>().ok();
    processes.filter(|number| parent_of(number) == Some(parent)).collect()
}
