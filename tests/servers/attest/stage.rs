//! A database with rows, a migration that destroys some, and somebody who may sign. In: a URL. Out: runs of `migrate` on it.

use crate::recover::{Ran, ran};
use crate::support::Database;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const MAKE: &str = "-- UP\nCREATE TABLE users (id int PRIMARY KEY, fax varchar(20));\n-- DOWN\nDROP TABLE users;\n";
const DROP: &str = "-- UP\nALTER TABLE users DROP COLUMN fax;\n-- DOWN\n-- IRREVERSIBLE: gone\n";
/// What signs in these tests.
pub(crate) const PRINCIPAL: &str = "dba@example.com";

pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) url: String,
    pub(crate) database: Database,
    /// Where pgBackRest's settings are.
    pub(crate) pgbackrest: PathBuf,
}

impl Stage {
    /// The first migration has run, rows stand, and the second waits.
    pub(crate) fn new(database: Database) -> Stage {
        let folder = tempfile::tempdir().expect("a folder");
        let stage = Stage { url: database.url.clone(), folder, database, pgbackrest: PathBuf::new() };
        std::fs::create_dir(stage.path("migrations")).unwrap();
        stage.write("migrations/V1_make.sql", MAKE);
        stage.key("key", "ed25519");
        stage.allow(&format!("{PRINCIPAL} {}", stage.read("key.pub")));
        stage.policy("");
        stage.ok(&["up"]);
        stage.database.execute("INSERT INTO users VALUES (1, '111'), (2, '222')");
        stage.write("migrations/V2_drop.sql", DROP);
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// `migrate.toml`, with more lines under `[attestation]`.
    pub(crate) fn policy(&self, lines: &str) {
        self.write("migrate.toml", &format!("[attestation]\nallowed-signers = \"allowed_signers\"\n{lines}\n"));
    }

    /// Who may sign.
    pub(crate) fn allow(&self, lines: &str) {
        self.write("allowed_signers", lines);
    }

    /// Makes a key pair.
    pub(crate) fn key(&self, name: &str, kind: &str) {
        let kind: Vec<&str> = kind.split(' ').collect();
        self.program("ssh-keygen", &[&["-q", "-N", "", "-C", "", "-f", name, "-t"], &kind[..]].concat());
    }

    /// Signs a file as a person would.
    pub(crate) fn sign(&self, key: &str, namespace: &str, file: &str) {
        let _ = std::fs::remove_file(self.path(&format!("{file}.sig")));
        self.program("ssh-keygen", &["-q", "-Y", "sign", "-f", key, "-n", namespace, file]);
    }

    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program).args(arguments).current_dir(self.folder.path()).stdin(Stdio::null()).output().expect("it starts");
        assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    pub(crate) fn migrate(&self, arguments: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
        command.args(arguments).current_dir(self.folder.path()).env("DATABASE_URL", &self.url).env("PGBACKREST_CONFIG", &self.pgbackrest);
        ran(&mut command)
    }

    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.migrate(arguments);
        assert_eq!(ran.code, 0, "migrate {arguments:?}: {}{}", ran.out, ran.err);
        ran.out
    }

    /// The second migration is refused with this exit code and these words, and nothing has changed.
    pub(crate) fn refused(&self, what: &str, arguments: &[&str], codes: &[i32], words: &str) {
        let ran = self.migrate(arguments);
        assert!(codes.contains(&ran.code), "{what}: exit {}: {}{}", ran.code, ran.out, ran.err);
        assert!(ran.err.contains(words), "{what}: {}", ran.err);
        self.untouched(what);
    }

    /// Nothing of the second migration has run.
    pub(crate) fn untouched(&self, what: &str) {
        assert_eq!(self.database.query("SELECT fax FROM users ORDER BY id"), ["111", "222"], "{what}: the values stand");
        let rows = self.database.query("SELECT version FROM migrate_history WHERE version = '2'");
        assert!(rows.is_empty(), "{what}: no row of it");
    }

    /// The second migration has run, and the history keeps what let it.
    pub(crate) fn went(&self, arguments: &[&str]) {
        self.ok(arguments);
        let kept = self.database.query("SELECT attestation FROM migrate_history WHERE version = '2' AND outcome = 'done'").join("");
        let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
        let statement: serde_json::Value = serde_json::from_str(kept["attestation"].as_str().unwrap()).expect("JSON");
        assert_eq!(statement["predicate"]["issuer"], PRINCIPAL);
        assert!(kept["signature"].as_str().unwrap().starts_with("-----BEGIN SSH SIGNATURE-----"));
    }
}
