//! A private PostgreSQL with its own defaults. In: nothing. Out: fresh databases on it, until it is dropped.

use super::Place;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

pub(crate) struct Server {
    folder: tempfile::TempDir,
    bin: PathBuf,
    server: Child,
}

impl Server {
    /// Starts Debian's newest, as an ordinary user where this one is root.
    pub(crate) fn start() -> Server {
        let versions = std::fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed: tests/all.sh installs it").flatten();
        let bin = versions.map(|entry| entry.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max().expect("PostgreSQL is installed");
        // A socket's path holds some 100 characters.
        let folder = tempfile::Builder::new().prefix("migrate-bench-").tempdir_in("/tmp").expect("a folder");
        let place = folder.path().display().to_string();
        let root = nix::unistd::Uid::effective().is_root();
        if root {
            assert!(Command::new("chown").args(["-R", "nobody", &place]).status().expect("chown runs").success());
        }
        let drop_rights: &[&str] = if root { &["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] } else { &[] };
        let command = |program: &str, arguments: &[&str]| {
            let whole: Vec<String> = drop_rights
                .iter()
                .map(|w| (*w).to_owned())
                .chain([bin.join(program).display().to_string()])
                .chain(arguments.iter().map(|a| (*a).to_owned()))
                .collect();
            let mut command = Command::new(&whole[0]);
            command.args(&whole[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
            command
        };
        let data = format!("{place}/data");
        assert!(command("initdb", &["-D", &data, "-U", "bench", "--auth=trust", "-E", "UTF8", "--locale=C"]).status().expect("initdb runs").success());
        let server =
            command("postgres", &["-D", &data, "-c", "listen_addresses=", "-c", &format!("unix_socket_directories={place}")]).spawn().expect("postgres runs");
        let server = Server { folder, bin, server };
        while server.try_ask("SELECT 1").is_none() {
            std::thread::sleep(Duration::from_millis(100));
        }
        server
    }

    fn psql(&self, database: &str) -> Vec<String> {
        let host = self.folder.path().display().to_string();
        let program = self.bin.join("psql").display().to_string();
        [program.as_str(), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", "bench", "-h", &host, "-d", database].map(str::to_owned).to_vec()
    }

    fn try_ask(&self, sql: &str) -> Option<String> {
        let line = self.psql("postgres");
        let output = Command::new(&line[0]).args(&line[1..]).args(["-A", "-t", "-c", sql]).output().expect("psql runs");
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// The one cell that a query gives.
    pub(crate) fn ask(&self, sql: &str) -> String {
        self.try_ask(sql).expect("the server answers")
    }

    /// A fresh database.
    pub(crate) fn place(&self, name: &str) -> Place {
        self.ask(&format!("CREATE DATABASE {name}"));
        let line = self.psql(name);
        let client = move |script: &str| line.iter().cloned().chain(["-f".to_owned(), script.to_owned()]).collect();
        Place { url: format!("postgres://bench@localhost/{name}?host={}", self.folder.path().display()), client: Box::new(client) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.server.id().cast_signed());
        // SIGINT is PostgreSQL's fast shutdown; the folder goes after it.
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT);
        let _ = self.server.wait();
    }
}
