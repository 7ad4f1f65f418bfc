//! PostgreSQL, from a base backup and its archive, and with pgBackRest: recovered beside the live cluster to the pin, or in its place.

use super::cluster::{Archive, Cluster};
use super::{Ran, migrate, migrated, script};
use crate::support::{Database, each_engine, wait};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;
use unmigrate::engine::Engine;

const MAKE: &str = "-- UP
CREATE SCHEMA sales;
CREATE TABLE users (id bigint PRIMARY KEY, name text, \"Odd 'fax\" text NOT NULL DEFAULT 'x', seen timestamptz);
CREATE TABLE sales.gone (code text, part int, n numeric, PRIMARY KEY (code, part));
CREATE INDEX gone_n ON sales.gone (n);
CREATE TABLE prices (id int PRIMARY KEY, amount numeric(10,2));
CREATE TABLE parts (id int PRIMARY KEY, note text);
CREATE TABLE keyless (note text, extra text);
CREATE TABLE changes (what text);
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO changes VALUES (TG_TABLE_NAME); RETURN new; END $$;
CREATE TRIGGER changed AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION note_change();
-- DOWN
DROP TABLE changes, keyless, parts, prices, sales.gone, users; DROP SCHEMA sales; DROP FUNCTION note_change;
";

const FILL: &str = "INSERT INTO users SELECT i, 'n' || i, 'f' || i, '2024-01-01'::timestamptz + i * interval '1 hour' FROM generate_series(1, 1000) i;
INSERT INTO sales.gone SELECT 'c' || i % 7, i, i / 8.0 FROM generate_series(1, 50) i;
INSERT INTO prices SELECT i, i / 4.0 FROM generate_series(1, 200) i;
INSERT INTO parts SELECT i, 'p' || i FROM generate_series(1, 20) i;
INSERT INTO keyless SELECT 'k', 'e' || i FROM generate_series(1, 5) i";

/// A dropped column, a dropped table, a lossy type change, deleted rows, and a column of a table without a key.
const DESTROY: &str = "-- UP
ALTER TABLE users DROP COLUMN \"Odd 'fax\";
DROP TABLE sales.gone;
ALTER TABLE prices ALTER COLUMN amount TYPE integer USING amount::integer;
DELETE FROM parts WHERE id < 10;
ALTER TABLE keyless DROP COLUMN extra;
-- DOWN
-- IRREVERSIBLE: gone
";

/// What runs as long as a test says, and writes a new row again and again.
struct Writer {
    end: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<usize>,
}

impl Writer {
    fn start(url: String) -> Writer {
        let end = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&end);
        let thread = std::thread::spawn(move || {
            use sqlx::Connection as _;
            wait(async {
                let mut link = sqlx::PgConnection::connect(&url).await.expect("a connection");
                let mut written = 0;
                while !ended.load(Ordering::Relaxed) {
                    let sql = format!("INSERT INTO users (id, name) VALUES ({}, 'written')", 100_000 + written);
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut link).await.expect("written");
                    written += 1;
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                written
            })
        });
        Writer { end, thread }
    }

    /// How many rows it wrote.
    fn end(self) -> usize {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().expect("it ends")
    }
}

/// The folder with the migrations, the first of them run, rows filled in.
fn filled(url: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    // Backups cannot be attested here; the policy lets the loss through.
    std::fs::write(folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n").unwrap();
    std::fs::write(folder.path().join("migrations/V1_make.sql"), MAKE).unwrap();
    migrated(folder.path(), url, &["up"]);
    Database::at(Engine::Postgres, url.to_owned()).execute(FILL);
    std::fs::write(folder.path().join("migrations/V2_destroy.sql"), DESTROY).unwrap();
    folder
}

pub(super) fn base_backup(cluster: &Cluster, name: &str) {
    cluster.sh_ok(&format!("pg_basebackup -h $F -U root -D $F/{name} -Fp -X stream -c fast"));
}

/// What an application does after the migration.
fn live_on(database: &Database) {
    database.execute(
        "UPDATE users SET name = 'newer' WHERE id = 1; DELETE FROM users WHERE id = 2; INSERT INTO users (id, name) VALUES (5000, 'since'); \
         UPDATE prices SET amount = 77 WHERE id = 3; INSERT INTO prices VALUES (900, 9); INSERT INTO keyless VALUES ('since')",
    );
}

pub(super) fn recover(cluster: &Cluster, folder: &Path, url: &str, more: &[&str]) -> Ran {
    let (backup, archive, side) = (cluster.path("backup"), cluster.path("archive"), cluster.path("recover"));
    let base = ["recover", "2", "--format", "markdown", "--folder", &side];
    let tool = ["--backup-tool", "pg_basebackup", "--backup", &backup, "--archive", &archive];
    let tool = if more.contains(&"--stanza") { &[][..] } else { &tool };
    migrate(folder, url, &[&base[..], tool, more].concat())
}

/// What a repair without a loss leaves; `rows` of the live table were written by somebody else.
fn assert_repaired(database: &Database, rows: usize) {
    let ask = |sql: &str| database.query(sql).join(" ");
    let fax = "count(\"Odd 'fax\") || ' ' || min(length(\"Odd 'fax\"))::text";
    assert_eq!(ask(&format!("SELECT {fax} FROM users WHERE \"Odd 'fax\" = 'f' || id")), "999 2", "each old value is at its row");
    assert_eq!(ask("SELECT count(*)::text FROM users WHERE id BETWEEN 1 AND 1000"), "999", "what was deleted since stays deleted");
    assert_eq!(ask("SELECT name FROM users WHERE id IN (1, 5000) ORDER BY id"), "newer since");
    assert_eq!(ask("SELECT count(*)::text FROM users WHERE name = 'written'"), rows.to_string(), "no row that was written meanwhile is lost");
    assert_eq!(ask("SELECT count(*) || ' ' || sum(n)::float FROM sales.gone"), "50 159.375");
    assert_eq!(ask("SELECT indexname::text FROM pg_indexes WHERE tablename = 'gone' ORDER BY 1"), "gone_n gone_pkey");
    assert_eq!(ask("SELECT amount || ':' || coalesce(amount__before_2::text, '-') FROM prices WHERE id IN (1, 3, 900) ORDER BY id"), "0:0.25 77:0.75 9:-");
    assert_eq!(ask("SELECT count(*) || min(note) FROM parts"), "20p1");
    assert_eq!(ask("SELECT count(*) || min(extra) || max(extra) FROM migrate_recover.\"2_5_keyless\""), "5e1e5");
    assert_eq!(ask("SELECT count(*)::text FROM keyless"), "6");
    assert_eq!(ask("SELECT count(*)::text FROM changes"), "1", "the repair is no application");
}

#[test]
fn a_base_backup_repairs_beside_the_live_database() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let folder = filled(&url);
    let writer = Writer::start(url.clone());
    base_backup(&cluster, "backup");
    // A try that comes to nothing leaves a restore point of its own, at which a recovery to the same name would stop, too early.
    let file = folder.path().join("migrations/V2_destroy.sql");
    let destroy = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, destroy.replace("\n-- DOWN", "\nSELECT 1 / 0;\n-- DOWN")).unwrap();
    let failed = migrate(folder.path(), &url, &["up"]);
    assert!(failed.code == 6 && failed.err.contains("division by zero"), "{}{}", failed.code, failed.err);
    std::fs::write(&file, destroy).unwrap();
    database.execute("INSERT INTO users (id, name) VALUES (-1, 'between')");
    let said = migrated(folder.path(), &url, &["up"]);
    assert!(said.starts_with("pin 2 destroy: 0/") && said.contains(" (migrate_2_20"), "{said}");
    live_on(&database);
    // A backup that is newer than the pin cannot lead there.
    base_backup(&cluster, "newer");
    let newer = recover(&cluster, folder.path(), &url, &["--backup", &cluster.path("newer")]);
    assert_eq!(newer.code, 2, "the flag stands there twice");
    let printed = recover(&cluster, folder.path(), &url, &[]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    let commands = script(&printed.out, "Clean-up");
    let too_new = commands.replace(&cluster.path("backup"), &cluster.path("newer"));
    assert_eq!(cluster.sh(&too_new).code, 1, "a backup that ends after the pin is refused");
    cluster.sh_ok("rm -rf $F/recover; cp -a $F/backup $F/spaced; mkdir $F/elsewhere; ln -s $F/elsewhere $F/spaced/pg_tblspc/16500");
    let spaced = cluster.sh(&commands.replace(&cluster.path("backup"), &cluster.path("spaced")));
    assert!(spaced.code == 1 && spaced.out.ends_with("backup successfully verified\n"), "one with tablespaces likewise: {}{}", spaced.out, spaced.err);
    assert_eq!(database.query("SELECT count(*)::text FROM information_schema.tables WHERE table_schema = 'migrate_recover'"), ["0"], "and nothing was touched");
    cluster.sh_ok("rm -rf $F/recover");
    // Nor does a log that ends before the pin, or has a hole.
    let pin = database.query("SELECT pin FROM migrate_history WHERE version = '2' AND pin IS NOT NULL");
    let pin: serde_json::Value = serde_json::from_str(pin.last().expect("a pin")).expect("JSON");
    let segment = pin["place"]["wal_file"].as_str().expect("a segment");
    cluster.sh_ok(&format!("mv $F/archive/{segment} $F/hidden"));
    let short = cluster.sh(&commands);
    assert_ne!(short.code, 0, "{}", short.out);
    assert!(cluster.log().contains("recovery ended before configured recovery target was reached"), "{}", cluster.log());
    assert_eq!(database.query("SELECT count(*)::text FROM information_schema.tables WHERE table_schema = 'migrate_recover'"), ["0"], "and nothing was touched");
    cluster.sh_ok(&format!("rm -rf $F/recover; mv $F/hidden $F/archive/{segment}"));

    let shown = cluster.sh_ok(&commands);
    assert!(shown.contains("recovery stopping at restore point \"migrate_2_"), "{shown}");
    assert!(shown.contains(" 0 1\n5|") && shown.contains("\n200 0 0\n20 0 0\n"), "{shown}");
    let archived = cluster.sh_ok("ls $F/archive");
    assert!(archived.lines().all(|file| file.starts_with("00000001")), "the recovered cluster archives nothing: {archived}");
    assert_ne!(cluster.sh(&commands).code, 0, "the folder of the second cluster is not empty");
    assert_repaired(&database, writer.end());
    // The clean-up takes away all but what came back.
    let clean_up = script(&printed.out, "Afterwards");
    cluster.sh_ok(&format!("{}{}", prelude(&commands), clean_up.strip_prefix(&commands).expect("the same before")));
    assert_eq!(cluster.sh("test -e $F/recover").code, 1);
    assert_eq!(database.query("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'migrate_recover'"), ["2_5_keyless"]);
}

/// What the first commands set for those after them.
fn prelude(commands: &str) -> String {
    commands.lines().filter(|line| line.starts_with("set -e") || line.starts_with("export ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn without_the_repair_no_verification_goes_through() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let folder = filled(&url);
    base_backup(&cluster, "backup");
    migrated(folder.path(), &url, &["up"]);
    let printed = recover(&cluster, folder.path(), &url, &[]).out;
    let (commands, all) = (script(&printed, "Verification"), script(&printed, "Clean-up"));
    // Even where the tables are there, but empty.
    database.execute(
        "CREATE SCHEMA migrate_recover; CREATE TABLE migrate_recover.\"2_1_users\" (id bigint, \"Odd 'fax\" text); ALTER TABLE users ADD \"Odd 'fax\" text; \
         CREATE TABLE sales.gone (code text, part int, n numeric); CREATE TABLE migrate_recover.\"2_3_prices\" (id int, amount numeric); \
         ALTER TABLE prices ADD amount__before_2 numeric; CREATE TABLE migrate_recover.\"2_4_parts\" (id int, note text); \
         CREATE TABLE migrate_recover.\"2_5_keyless\" (note text, extra text)",
    );
    let verification = printed.split_once("\n## Verification\n").unwrap().1.split_once("\n## Clean-up\n").unwrap().0;
    let blocks: Vec<&str> = verification.split("```sh\n").skip(1).map(|rest| rest.split_once("\n```\n").unwrap().0).collect();
    assert_eq!(blocks.len(), 5);
    for block in blocks {
        let ran = cluster.sh(&format!("{}{block}", prelude(&commands)));
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{block}\n{}", ran.out);
    }
    assert!(all.starts_with(&commands));
}

#[test]
fn a_base_backup_restores_the_whole_to_exactly_the_pin() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let folder = filled(&url);
    let writer = Writer::start(url.clone());
    base_backup(&cluster, "backup");
    migrated(folder.path(), &url, &["up"]);
    live_on(&database);
    let written = writer.end();
    let printed = recover(&cluster, folder.path(), &url, &["--route", "whole"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    cluster.sh_ok(&script(&printed.out, "Clean-up"));
    let ask = |sql: &str| database.query(sql).join(" ");
    let pin: serde_json::Value = serde_json::from_str(&cluster.sh_ok(
        // The damaged one is kept, and its history holds the pin.
        "pg_ctl -D $F/data.damaged-2 -w -l $F/kept.log -o '-c port=6000 -c archive_mode=off' start >/dev/null
psql -h $F -p 6000 -U root -d shop -Atc \"SELECT pin FROM migrate_history WHERE version = '2'\"
pg_ctl -D $F/data.damaged-2 -m fast -w stop >/dev/null",
    ))
    .expect("JSON");
    let rows = pin["destroys"][0]["rows"].as_u64().expect("rows") as usize;
    assert!(rows > 1000 && rows < 1000 + written, "somebody wrote before the pin and after it: {rows} of {written}");
    assert_eq!(ask("SELECT count(*)::text FROM users"), rows.to_string(), "to exactly the pin");
    assert_eq!(ask("SELECT count(*)::text FROM users WHERE id = 2 OR id = 5000 OR name = 'newer'"), "1");
    assert_eq!(ask("SELECT count(*)::text FROM sales.gone"), "50");
    assert!(migrated(folder.path(), &url, &["status"]).contains("1 applied, 1 pending"));
    database.execute("INSERT INTO users (id, name) VALUES (7000, 'after')");
    cluster.sh_ok(
        "psql -h $F -U root -d shop -Atqc 'SELECT pg_switch_wal()' >/dev/null
for try in $(seq 100); do ls $F/archive | grep -q '^00000002.........' && exit 0; sleep 0.1; done; exit 1",
    );
    let settings = cluster.sh_ok("cat $F/data/postgresql.auto.conf");
    assert!(!settings.contains("recovery") && !settings.contains("archive_mode"), "{settings}");
}

/// Who may make no restore point gets there by the place in the log, and not one record further.
#[test]
fn a_place_in_the_log_is_as_good_as_a_restore_point() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    cluster
        .database()
        .execute("CREATE ROLE migrator LOGIN PASSWORD 'throw-away'; GRANT ALL ON DATABASE shop TO migrator; GRANT ALL ON SCHEMA public TO migrator");
    let (database, url) = (cluster.database(), cluster.url("migrator"));
    let folder = filled(&url);
    base_backup(&cluster, "backup");
    let up = migrate(folder.path(), &url, &["up"]);
    assert_eq!(up.code, 0, "{}", up.err);
    assert!(up.err.contains("pitr: unproved: the segment 0000"), "{}", up.err);
    database.execute("SELECT pg_switch_wal()");
    live_on(&database);
    // What this user is not told is found on the path.
    let printed = recover(&cluster, folder.path(), &url, &[]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    let commands = script(&printed.out, "Clean-up");
    assert!(commands.contains("recovery_target_inclusive = off") && !commands.contains("session_replication_role"), "{commands}");
    let shown = cluster.sh_ok(&commands);
    assert!(shown.contains("recovery stopping before WAL location (LSN)"), "{shown}");
    database.execute("DELETE FROM changes WHERE ctid <> (SELECT min(ctid) FROM changes)");
    assert_repaired(&database, 0);
    let whole = recover(&cluster, folder.path(), &url, &["--route", "whole"]);
    assert_eq!(whole.code, 3, "{}", whole.err);
    assert!(whole.out.contains("this user may not know where the cluster's data are"), "{}", whole.out);
}

#[test]
fn pgbackrest_repairs_beside_the_live_database() {
    let Some(cluster) = Cluster::start(Archive::PgBackRest) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let folder = filled(&url);
    let writer = Writer::start(url.clone());
    cluster.sh_ok("pgbackrest --stanza=shop stanza-create && pgbackrest --stanza=shop --type=full backup");
    let label = cluster.sh_ok("ls $F/repo/backup/shop | grep F$").trim().to_owned();
    migrated(folder.path(), &url, &["up"]);
    live_on(&database);
    // By name alone, a recovery would take this one, and never come to the pin.
    cluster.sh_ok("sleep 1; pgbackrest --stanza=shop --type=full backup");
    let printed = recover(&cluster, folder.path(), &url, &["--backup-tool", "pgbackrest", "--backup", &label, "--stanza", "shop"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    let commands = script(&printed.out, "Clean-up");
    let archive = "find $F/repo/archive -name '00000002*'";
    cluster.sh_ok(&commands);
    assert_eq!(cluster.sh_ok(archive), "", "the recovered cluster archives nothing");
    assert_repaired(&database, writer.end());
    // A damaged file is found, though the tool ends with 0.
    cluster.sh_ok(&format!(
        "pg_ctl -D $F/recover/data -m immediate stop >/dev/null; rm -rf $F/recover
file=$(find $F/repo/backup/shop/{label} -name 'pg_control.gz'); printf x | dd of=$file bs=1 seek=20 conv=notrunc status=none"
    ));
    let ran = cluster.sh(&commands);
    assert_ne!(ran.code, 0, "{}", ran.out);
    assert!(ran.out.contains("invalid") && !ran.out.contains("recovery stopping"), "{}", ran.out);
}

#[test]
fn pgbackrest_restores_the_whole_to_exactly_the_pin() {
    let Some(cluster) = Cluster::start(Archive::PgBackRest) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let folder = filled(&url);
    cluster.sh_ok("pgbackrest --stanza=shop stanza-create && pgbackrest --stanza=shop --type=full backup");
    let label = cluster.sh_ok("ls $F/repo/backup/shop | grep F$").trim().to_owned();
    database.execute("INSERT INTO users (id, name) VALUES (6000, 'before')");
    migrated(folder.path(), &url, &["up"]);
    live_on(&database);
    let printed = recover(&cluster, folder.path(), &url, &["--backup-tool", "pgbackrest", "--backup", &label, "--stanza", "shop", "--route", "whole"]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    cluster.sh_ok(&script(&printed.out, "Afterwards"));
    let ask = |sql: &str| database.query(sql).join(" ");
    assert_eq!(ask("SELECT id::text FROM users WHERE id IN (2, 5000, 6000) OR name = 'newer' ORDER BY id"), "2 6000", "to exactly the pin");
    assert!(migrated(folder.path(), &url, &["status"]).contains("1 applied, 1 pending"));
    // It archives again, on a branch of its own, and the tool takes a backup of it.
    cluster.sh_ok("pgbackrest --stanza=shop check && sleep 1 && pgbackrest --stanza=shop --type=full backup");
    assert_ne!(cluster.sh_ok("find $F/repo/archive -name '00000002*'"), "");
    assert!(!cluster.sh_ok("cat $F/data/postgresql.auto.conf").contains("recovery_target"));
}

/// A server that archives nothing, as those of the other tests.
#[test]
fn where_nothing_is_archived_that_is_said_and_the_policy_decides() {
    each_engine(|database| {
        if database.engine != Engine::Postgres {
            return;
        }
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("migrations")).unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("migrations/V1_make.sql", "-- UP\nCREATE TABLE t (id int PRIMARY KEY, a text);\n-- DOWN\nDROP TABLE t;\n");
        migrated(folder.path(), &database.url, &["up"]);
        database.execute("INSERT INTO t SELECT i, 'a' FROM generate_series(1, 10) i");
        write("migrations/V2_destroy.sql", "-- UP\nALTER TABLE t DROP COLUMN a;\nVACUUM t;\n-- DOWN\n-- IRREVERSIBLE: gone\n");
        let why = "no point-in-time recovery is possible: archive_mode is off";
        write("migrate.toml", "[gate]\nloss = \"warn\"\n[pin]\nrequired = true\n");
        let refused = migrate(folder.path(), &database.url, &["up"]);
        assert_eq!(refused.code, 3, "{}", refused.err);
        assert!(refused.err.contains(why), "{}", refused.err);
        assert_eq!(database.query("SELECT count(a)::text FROM t"), ["10"], "nothing was touched");

        write("migrate.toml", "[gate]\nloss = \"warn\"\n[pin]\nscan-limit = \"0s\"\n");
        let ran = migrate(folder.path(), &database.url, &["up"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.err.contains(why), "{}", ran.err);
        let pin = &database.query("SELECT pin FROM migrate_history WHERE version = '2' AND outcome = 'started'")[0];
        let pin: serde_json::Value = serde_json::from_str(pin).expect("JSON");
        assert_eq!(
            (pin["exact"].as_bool(), pin["destroys"][0]["estimated"].as_bool(), pin["destroys"][0]["checksum"].is_null()),
            (Some(false), Some(true), true)
        );
        let printed = migrate(folder.path(), &database.url, &["recover", "2", "--backup-tool", "pg_basebackup", "--backup", "/b", "--archive", "/a"]);
        assert_eq!(printed.code, 3, "{}", printed.out);
        assert!(printed.out.contains("the log was not archived: archive_mode is off") && !printed.out.contains("# Commands"), "{}", printed.out);
        let asked = migrate(folder.path(), &database.url, &["recover", "2"]);
        assert_eq!((asked.code, asked.out.as_str()), (3, ""));
        assert!(asked.err.contains("which backup from before is to be used?"), "{}", asked.err);
    });
}

/// A managed server may keep a role from asking which cluster it is: the migration runs, and the pin says what is missing.
#[test]
fn who_may_not_ask_for_the_cluster_can_still_migrate() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    cluster.database().execute(
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE migrator LOGIN PASSWORD 'throw-away'; \
         GRANT ALL ON DATABASE shop TO migrator; GRANT ALL ON SCHEMA public TO migrator",
    );
    let url = cluster.url("migrator");
    let folder = filled(&url);
    let ran = migrate(folder.path(), &url, &["up"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.err.contains("no point-in-time recovery is possible: this user may not ask which cluster this is"), "{}", ran.err);
}
