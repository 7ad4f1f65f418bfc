//! MariaDB, from a backup of mariadb-backup and the binary log: restored beside the live server to the pin.

use super::{Ran, migrate, migrated, ran, script};
use crate::support::{Database, OwnServer, PASSWORD, each_engine, missing, ordinary_user, wait};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use unmigrate::engine::Engine;

const MAKE: &str = "-- UP
CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50), `Odd 'fax` varchar(50) NOT NULL DEFAULT 'x', part int,
    changed timestamp NOT NULL DEFAULT '2020-01-01' ON UPDATE CURRENT_TIMESTAMP);
CREATE TABLE gone (code varchar(10), part int, n decimal(10,3), PRIMARY KEY (code, part), KEY gone_n (n));
CREATE TABLE prices (id int PRIMARY KEY, amount decimal(10,2));
CREATE TABLE parts (id int PRIMARY KEY, note varbinary(50));
CREATE TABLE keyless (note varchar(10), extra varchar(10));
-- DOWN
DROP TABLE keyless; DROP TABLE parts; DROP TABLE prices; DROP TABLE gone; DROP TABLE users;
";

const FILL: [&str; 5] = [
    "INSERT INTO users (id, name, `Odd 'fax`) SELECT seq, CONCAT('n', seq), CONCAT('f%', seq) FROM seq_1_to_1000",
    "INSERT INTO gone SELECT CONCAT('c', seq % 7), seq, seq / 8 FROM seq_1_to_50",
    "INSERT INTO prices SELECT seq, seq / 4 FROM seq_1_to_200",
    "INSERT INTO parts SELECT seq, CONCAT('p', seq) FROM seq_1_to_20",
    "INSERT INTO keyless SELECT 'k', CONCAT('e', seq) FROM seq_1_to_5",
];

/// A dropped column, a dropped table, a lossy type change, deleted rows, and a column of a table without a key.
const DESTROY: &str = "-- UP
ALTER TABLE users DROP COLUMN `Odd 'fax`;
DROP TABLE gone;
ALTER TABLE prices MODIFY amount int;
DELETE FROM parts WHERE id < 10;
ALTER TABLE keyless DROP COLUMN extra;
-- DOWN
-- IRREVERSIBLE: gone
";

pub(super) const BACKUP: &str =
    "mariadb-backup --no-defaults --backup --target-dir=$F/backup --socket=$F/socket --user=root >$F/backup.log 2>&1 || { cat $F/backup.log; exit 1; }";

/// A server that writes a binary log, and the second one that a runbook makes, which ends with this.
pub(crate) struct Cluster {
    pub(crate) server: OwnServer,
    folder: PathBuf,
    user: Vec<String>,
}

impl Cluster {
    pub(crate) fn start() -> Option<Cluster> {
        if Command::new("mariadb-backup").arg("--version").output().is_err() {
            missing("mariadb-backup", "the proofs of `recover` on MariaDB");
            return None;
        }
        let server = OwnServer::start_with(Engine::Mariadb, "--log-bin=bin --server-id=7 --binlog-format=ROW --sync-binlog=0")?;
        let database = server.database("shop");
        let folder = PathBuf::from(database.url.split("socket=").nth(1).and_then(|path| path.strip_suffix("/socket")).expect("a socket"));
        let user = ordinary_user(&folder);
        Some(Cluster { server, folder, user })
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// Runs a script as the user that the server runs as, in which `$F` is its folder.
    pub(super) fn sh(&self, script: &str) -> Ran {
        let mut words = self.user.clone();
        words.extend(["bash", "-euo", "pipefail", "-c", script].map(String::from));
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("F", &self.folder).env("MYSQL_PWD", PASSWORD);
        ran(command.current_dir(&self.folder))
    }

    pub(crate) fn sh_ok(&self, script: &str) -> String {
        let ran = self.sh(script);
        let log = std::fs::read_to_string(self.folder.join("recover/log")).unwrap_or_default();
        assert_eq!(ran.code, 0, "{script}\n{}{}\n{log}", ran.out, ran.err);
        ran.out
    }
}

impl Drop for Cluster {
    /// Ends what the runbooks started, of which the server's own guard knows nothing.
    fn drop(&mut self) {
        for file in ["recover/pid", "pid"] {
            if let Some(number) = std::fs::read_to_string(self.folder.join(file)).ok().and_then(|text| text.trim().parse().ok()) {
                // It may have ended by itself.
                let _ = kill(Pid::from_raw(number), Signal::SIGKILL);
            }
        }
    }
}

/// Takes the binary logs before `log` away. One stays as long as the engine has not made durable what it holds.
pub(crate) fn purged_to(database: &Database, log: &str) {
    let purged = |_: &usize| {
        database.execute(&format!("PURGE BINARY LOGS TO '{log}'"));
        std::thread::sleep(std::time::Duration::from_millis(100));
        database.query("SHOW BINARY LOGS") == [log]
    };
    assert!((0..300).find(purged).is_some(), "{:?}", database.query("SHOW BINARY LOGS"));
}

/// The folder with the migrations, the first of them run, rows filled in.
fn filled(database: &Database) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    // Backups cannot be attested here; the policy lets the loss through.
    std::fs::write(folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n").unwrap();
    std::fs::write(folder.path().join("migrations/V1_make.sql"), MAKE).unwrap();
    migrated(folder.path(), &database.url, &["up"]);
    FILL.iter().for_each(|sql| database.execute(sql));
    std::fs::write(folder.path().join("migrations/V2_destroy.sql"), DESTROY).unwrap();
    folder
}

#[test]
fn mariadb_backup_and_the_binary_log_repair_beside_the_live_server() {
    let Some(cluster) = Cluster::start() else { return };
    let database = cluster.server.database("orders");
    let (folder, url) = (filled(&database), database.url.clone());
    let end = Arc::new(AtomicBool::new(false));
    let (ended, to) = (Arc::clone(&end), url.clone());
    let writer = std::thread::spawn(move || {
        use sqlx::Connection as _;
        wait(async {
            let mut link = sqlx::MySqlConnection::connect(&to).await.expect("a connection");
            let mut written = 0;
            while !ended.load(Ordering::Relaxed) {
                let sql = format!("INSERT INTO users (id, name) VALUES ({}, 'written')", 100_000 + written);
                sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut link).await.expect("written");
                written += 1;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            written
        })
    });
    cluster.sh_ok(BACKUP);
    database.execute("UPDATE users SET part = 1 WHERE id = 500");
    database.execute("FLUSH BINARY LOGS");
    let said = migrated(folder.path(), &url, &["up"]);
    assert!(said.starts_with("pin 2 destroy: bin.0000"), "{said}");
    for sql in [
        "UPDATE users SET name = 'newer' WHERE id = 1",
        "DELETE FROM users WHERE id = 2",
        "INSERT INTO users (id, name) VALUES (5000, 'since')",
        "UPDATE prices SET amount = 77 WHERE id = 3",
        "INSERT INTO prices VALUES (900, 9)",
        "INSERT INTO keyless VALUES ('since')",
    ] {
        database.execute(sql);
    }
    let (backup, side) = (cluster.path("backup"), cluster.path("recover"));
    let arguments = ["recover", "2", "--format", "markdown", "--folder", &side, "--backup-tool", "mariadb-backup", "--backup", &backup];
    let printed = migrate(folder.path(), &url, &arguments);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    let (commands, all) = (script(&printed.out, "Verification"), script(&printed.out, "Clean-up"));

    // A comparison of nothing with nothing fails: without the repair no verification goes through.
    let values: String = all.lines().filter(|line| line.starts_with("set -e") || line.starts_with("live()")).map(|line| format!("{line}\n")).collect();
    let verification = printed.out.split_once("\n## Verification\n").unwrap().1.split_once("\n## Clean-up\n").unwrap().0;
    let blocks: Vec<&str> = verification.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```\n").unwrap().0).collect();
    assert_eq!(blocks.len(), 5);
    blocks.iter().for_each(|block| assert_ne!(cluster.sh(&format!("{values}{block}")).code, 0, "{block}"));

    // A table that is missing in the backup is no error to the tool that makes it whole.
    cluster.sh_ok("cp -a $F/backup $F/holed; rm $(ls $F/holed/orders/gone.* | grep -v frm)");
    let holed = cluster.sh(&all.replace(&backup, &cluster.path("holed")));
    assert!(cluster.sh_ok("cat $F/recover/prepare.log").ends_with("completed OK!\n"), "which the tool made whole");
    assert_ne!(holed.code, 0, "a backup with a hole is refused");
    assert_eq!(database.query("SHOW TABLES LIKE 'migrate\\_recover%'"), [] as [&str; 0], "and nothing was touched");
    cluster.sh_ok("if test -e $F/recover/pid; then kill -9 $(cat $F/recover/pid); fi; rm -rf $F/recover");

    let shown = cluster.sh_ok(&all);
    assert!(shown.contains("completed OK!") && shown.contains("\n200 0 0\n20 0 0\n"), "{shown}");
    end.store(true, Ordering::Relaxed);
    let rows = writer.join().expect("it ends");
    let ask = |sql: &str| database.query(sql).join(" ");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM users WHERE `Odd 'fax` = CONCAT('f%', id)"), "999", "each old value is at its row");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM users WHERE id BETWEEN 1 AND 1000"), "999", "what was deleted since stays deleted");
    assert_eq!(ask("SELECT name FROM users WHERE id IN (1, 5000) ORDER BY id"), "newer since");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM users WHERE name = 'written'"), rows.to_string(), "no row that was written meanwhile is lost");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM users WHERE changed <> '2020-01-01'"), "2", "the repair changes no row of itself");
    assert_eq!(ask("SELECT CONCAT(COUNT(*), ' ', SUM(n)) FROM gone"), "50 159.375");
    assert_eq!(ask("SELECT CONCAT(amount, ':', COALESCE(amount__before_2, '-')) FROM prices WHERE id IN (1, 3, 900) ORDER BY id"), "0:0.25 77:0.75 9:-");
    assert_eq!(ask("SELECT CONCAT(COUNT(*), MIN(note)) FROM parts"), "20p1");
    assert_eq!(ask("SELECT CONCAT(COUNT(*), MIN(extra), MAX(extra)) FROM migrate_recover_2_5_keyless"), "5e1e5");
    assert_ne!(cluster.sh(&commands).code, 0, "the folder of the second server is not empty");
    let clean_up = script(&printed.out, "Afterwards");
    let functions: String = all
        .lines()
        .filter(|line| ["set -e", "live()", "side()", "export "].iter().any(|start| line.starts_with(start)))
        .map(|line| format!("{line}\n"))
        .collect();
    cluster.sh_ok(&format!("{functions}{}", clean_up.strip_prefix(&all).expect("the same before")));
    assert_eq!(cluster.sh("test -e $F/recover").code, 1);
    assert_eq!(ask("SHOW TABLES LIKE 'migrate\\_recover%'"), "migrate_recover_2_5_keyless");
}

#[test]
fn mariadb_backup_and_the_binary_log_restore_the_whole_to_exactly_the_pin() {
    let Some(cluster) = Cluster::start() else { return };
    let database = cluster.server.database("orders");
    let (folder, url) = (filled(&database), database.url.clone());
    cluster.sh_ok(BACKUP);
    database.execute("INSERT INTO users (id, name) VALUES (6000, 'before')");
    migrated(folder.path(), &url, &["up"]);
    database.execute("INSERT INTO users (id, name) VALUES (5000, 'since')");
    let (backup, side) = (cluster.path("backup"), cluster.path("recover"));
    let arguments = ["recover", "2", "--format", "markdown", "--folder", &side, "--backup-tool", "mariadb-backup", "--backup", &backup, "--route", "whole"];
    let printed = migrate(folder.path(), &url, &arguments);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    cluster.sh_ok(&script(&printed.out, "Afterwards"));
    let ask = |sql: &str| database.query(sql).join(" ");
    assert_eq!(ask("SELECT CONCAT(id, ':', `Odd 'fax`) FROM users WHERE id IN (2, 5000, 6000) ORDER BY id"), "2:f%2 6000:x", "to exactly the pin");
    assert_eq!(ask("SELECT CAST(COUNT(*) AS CHAR) FROM gone"), "50");
    assert!(migrated(folder.path(), &url, &["status"]).contains("1 applied, 1 pending"));
    assert_eq!(cluster.sh("test -d $F/data.damaged-2/orders && test -e $F/data/bin.000001").code, 0, "the damaged data are kept, and a log is written");
}

/// Who may alter tables need not have the right to lock them, or to ask where the log ends: the migration runs, and the pin says what is missing.
#[test]
fn few_rights_make_a_pin_that_says_what_it_lacks() {
    let Some(cluster) = Cluster::start() else { return };
    let database = cluster.server.database("orders");
    database.execute("CREATE USER migrator@localhost IDENTIFIED BY 'throw-away'");
    database.execute("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX ON orders.* TO migrator@localhost");
    let folder = filled(&database);
    let ran = migrate(folder.path(), &database.url.replace("root:", "migrator:"), &["up"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("no point-in-time recovery is possible: this user may not ask where the binary log ends"), "{}", ran.err);
    let pin = &database.query("SELECT pin FROM migrate_history WHERE version = '2' AND outcome = 'started'")[0];
    let pin: serde_json::Value = serde_json::from_str(pin).expect("JSON");
    assert_eq!((pin["destroys"][0]["estimated"].as_bool(), pin["destroys"][0]["checksum"].is_null()), (Some(true), true));
}

/// A server that writes no log, as those of the other tests.
#[test]
fn where_no_log_is_written_that_is_said_and_the_policy_decides() {
    each_engine(|database| {
        if database.engine != Engine::Mariadb {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("migrations/V1_make.sql", "-- UP\nCREATE TABLE t (id int PRIMARY KEY, a text);\n-- DOWN\nDROP TABLE t;\n");
        migrated(folder.path(), &database.url, &["up"]);
        database.execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
        write("migrations/V2_destroy.sql", "-- UP\nALTER TABLE t DROP COLUMN a;\n-- DOWN\n-- IRREVERSIBLE: gone\n");
        let why = "no point-in-time recovery is possible: log_bin is off";
        write("migrate.toml", "[gate]\nloss = \"warn\"\n[pin]\nrequired = true\n");
        let refused = migrate(folder.path(), &database.url, &["up"]);
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
        assert_eq!(database.query("SELECT CAST(COUNT(a) AS CHAR) FROM t"), ["2"], "nothing was touched");
        write("migrate.toml", "[gate]\nloss = \"warn\"\n");
        let ran = migrate(folder.path(), &database.url, &["up"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains(why), "{}", ran.err);
        let pin = &database.query("SELECT pin FROM migrate_history WHERE version = '2' AND outcome = 'started'")[0];
        let pin: serde_json::Value = serde_json::from_str(pin).expect("JSON");
        assert_eq!((pin["exact"].as_bool(), pin["destroys"][0]["rows"].as_u64(), pin["destroys"][0]["checksum"].is_string()), (Some(false), Some(2), true));
        let printed = migrate(folder.path(), &database.url, &["recover", "2", "--backup-tool", "mariadb-backup", "--backup", "/b"]);
        assert_eq!(printed.code, 3, "{}", printed.out);
        assert!(printed.out.contains("the log does not lead there: log_bin is off") && !printed.out.contains("# Commands"), "{}", printed.out);
    });
}
