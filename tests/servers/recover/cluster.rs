//! A PostgreSQL whose log is archived. In: the tool that archives it. Out: a database on it, backups, and a shell beside it.

use super::{Ran, ran};
use crate::support::{Database, PASSWORD, folder, guarded, missing, ordinary_user, postgres_binaries};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use unmigrate::engine::Engine;

/// Who archives.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Archive {
    /// `cp` to a folder.
    Folder,
    /// pgBackRest, to a repository.
    PgBackRest,
}

pub(crate) struct Cluster {
    pub(crate) folder: PathBuf,
    binaries: PathBuf,
    user: Vec<String>,
    /// Stops all servers in the folder, and removes it, when its standard input closes.
    _guard: Child,
}

/// Servers that `pg_ctl` started outlive the guard's own processes; so it stops them by their folders.
const STOP_ALL: &str = r#"
trap 'trap "" TERM INT; for data in "$folder"/data "$folder"/recover/data; do "$bin/pg_ctl" -D "$data" -m immediate stop; done; exit 0' TERM INT
while :; do sleep 1 & wait $!; done
"#;

impl Cluster {
    /// Starts one with the database `shop`; `None`, after saying so, where something is not installed.
    pub(crate) fn start(archive: Archive) -> Option<Cluster> {
        let Some(binaries) = postgres_binaries() else {
            missing("PostgreSQL", "the proofs of `recover` on PostgreSQL");
            return None;
        };
        if archive == Archive::PgBackRest && Command::new("pgbackrest").arg("version").output().is_err() {
            missing("pgbackrest", "the proofs of `recover` with pgBackRest");
            return None;
        }
        let folder = folder();
        let guard = guarded(&folder, STOP_ALL, &[format!("bin={}", binaries.display())]);
        let user = ordinary_user(&folder);
        let cluster = Cluster { folder, binaries, user, _guard: guard };
        let command = match archive {
            Archive::Folder => "test ! -f $F/archive/%f && cp %p $F/archive/.%f && mv $F/archive/.%f $F/archive/%f",
            Archive::PgBackRest => "pgbackrest --config=$F/pgbackrest.conf --stanza=shop archive-push %p",
        };
        cluster.sh_ok(&format!(
            r#"mkdir $F/archive $F/repo
printf '[global]\nrepo1-path=%s/repo\nlog-path=%s\nlock-path=%s/lock\nspool-path=%s/spool\nstart-fast=y\n[shop]\npg1-path=%s/data\npg1-socket-path=%s\npg1-user=root\n' $F $F $F $F $F $F >$F/pgbackrest.conf
initdb -D $F/data -U root --auth=scram-sha-256 --pwfile=$F/password -E UTF8 --locale=C --no-sync >/dev/null
cat >>$F/data/postgresql.conf <<END
listen_addresses = ''
unix_socket_directories = '$F'
archive_mode = on
archive_command = '{command}'
fsync = off
END
pg_ctl -D $F/data -w -l $F/postgres.log start >/dev/null
psql -h $F -U root -d postgres -qc 'CREATE DATABASE shop'"#
        ));
        Some(cluster)
    }

    pub(crate) fn url(&self, user: &str) -> String {
        format!("postgres://{user}:{PASSWORD}@localhost/shop?host={}", self.folder.display())
    }

    pub(crate) fn database(&self) -> Database {
        Database::at(Engine::Postgres, self.url("root"))
    }

    /// Runs a script as the user that the server runs as, in which `$F` is the cluster's folder.
    pub(crate) fn sh(&self, script: &str) -> Ran {
        let mut words = self.user.clone();
        words.extend(["bash", "-euo", "pipefail", "-c", script].map(String::from));
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", self.binaries.display());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", path).env("F", &self.folder).env("PGPASSWORD", PASSWORD);
        ran(command.env("PGBACKREST_CONFIG", self.folder.join("pgbackrest.conf")).current_dir(&self.folder))
    }

    /// The same, which must end well; gives what it printed.
    pub(crate) fn sh_ok(&self, script: &str) -> String {
        let ran = self.sh(script);
        assert_eq!(ran.code, 0, "{script}\n{}{}{}", ran.out, ran.err, self.log());
        ran.out
    }

    /// The end of the logs of both clusters.
    pub(crate) fn log(&self) -> String {
        let text = |path: &str| std::fs::read_to_string(self.folder.join(path)).unwrap_or_default();
        let tail = |text: String| text.lines().rev().take(20).collect::<Vec<_>>().into_iter().rev().map(|line| format!("\n{line}")).collect::<String>();
        format!("{}\n--- recovered:{}", tail(text("postgres.log")), tail(text("recover/log")))
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(Path::new(name)).display().to_string()
    }
}
