//! MariaDB, with mariadb-backup and the server's binary logs, and with mariadb-dump.

use super::stage::Stage;
use crate::recover::mariadb::{Cluster, purged_to};
use crate::support::Database;
use serde_json::{Value, json};
use unmigrate::engine::Engine;

const UP: [&str; 3] = ["up", "--attestation", "2.attestation.json"];
const NAMESPACE: &str = "backup-attestation.migrate.v1";

fn stage(cluster: &Cluster) -> Stage {
    let shop = Database::at(Engine::Mariadb, cluster.server.database("attested").url);
    Stage::new(shop)
}

#[test]
fn mariadb_backup_opens_the_gate_as_long_as_the_binary_logs_lead_on() {
    let Some(cluster) = Cluster::start() else { return };
    let stage = stage(&cluster);
    let back_up = "rm -rf $F/backup; mariadb-backup --no-defaults --backup --target-dir=$F/backup --socket=$F/socket --user=root >$F/backup.log 2>&1";
    cluster.sh_ok(back_up);
    let backup = cluster.path("backup");
    let attest = ["attest", "2", "--tool", "mariadb-backup", "--run", "--backup", &backup, "--sign-key", "key"];
    let said = stage.ok(&attest);
    assert!(said.contains("mariadb-backup, observed"), "{said}");
    let good: Value = serde_json::from_str(&stage.read("2.attestation.json")).unwrap();

    // Files of the backup that are not what they were.
    let file = |name: &str| cluster.path(&format!("backup/{name}"));
    let names = ["mariadb_backup_info", "xtrabackup_info"];
    let info_file = names.into_iter().map(file).find(|path| std::path::Path::new(path).exists()).expect("the backup's own words");
    let checkpoints_file = info_file.replace("_info", "_checkpoints");
    let (info, checkpoints) = (std::fs::read_to_string(&info_file).unwrap(), std::fs::read_to_string(&checkpoints_file).unwrap());
    let of = |text: &str, name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = ")).unwrap().to_owned();
    let position = of(&info, "binlog_pos");
    for (what, path, text, words) in [
        ("truncated", &info_file, info[..info.find("end_time").unwrap()].to_owned(), "is missing"),
        ("empty", &info_file, String::new(), "is empty"),
        ("not finished", &info_file, info.replace(&format!("end_time = {}", of(&info, "end_time")), "end_time = "), "end_time"),
        ("in part", &info_file, info.replace("partial = N", "partial = Y"), "partial"),
        ("of another release", &info_file, info.replace("server_version = 1", "server_version = 2"), "server version"),
        ("from the future", &info_file, info.replace("end_time = 20", "end_time = 29"), "backup.stop.at"),
        ("of a server that stands further on", &info_file, info.replace("bin.0", "bin.9"), "binary logs"),
        ("of a server with other logs", &info_file, info.replace("bin.0", "log.0"), "binary logs"),
        ("of a server with other transactions", &info_file, info.replace(&position, &position.replacen("0-7-", "0-7-9", 1)), "backup.stop.gtid"),
        ("no full one", &checkpoints_file, checkpoints.replace("full-", "incremental-"), "backup_type"),
        ("of two backups", &checkpoints_file, checkpoints.replace(&of(&checkpoints, "to_lsn"), "1"), "to_lsn"),
    ] {
        let whole = if path == &info_file { &info } else { &checkpoints };
        assert_ne!(&text, whole, "{what}");
        std::fs::write(path, text).unwrap();
        let ran = stage.migrate(&[&attest[..], &["--out", "again.json"]].concat());
        assert_eq!((ran.code, ran.err.contains(words)), (3, true), "{what}: {}", ran.err);
        stage.refused(what, &UP, &[3], "");
        std::fs::write(path, whole).unwrap();
    }

    // What a signer may write that the server knows better.
    for (place, value, words) in [
        ("/predicate/database/server/server_id", json!(8), "server_id"),
        ("/predicate/database/server/hostname", json!("elsewhere"), "hostname"),
        ("/predicate/database/server/port", json!(3307), "port"),
        ("/predicate/database/server/datadir", json!("/srv/other/"), "datadir"),
        ("/predicate/database/server/uuid", json!("x"), "uuid"),
        ("/predicate/database/server/binlog", json!({"file": "bin.000099", "position": 4}), "older copy"),
        ("/predicate/database/server/binlog", json!(null), "binlog"),
        ("/predicate/database/server/gtid", json!("0-7-999999"), "older copy"),
        ("/predicate/database/database", json!("shop"), "database.database"),
        ("/predicate/backup/stop/binlog", json!({"file": "bin.000099", "position": 4}), "stands only at"),
        ("/predicate/backup/stop/binlog", json!(null), "is missing"),
        ("/predicate/backup/stop/gtid", json!("0-7-1"), "another one"),
        ("/predicate/backup/stop/gtid", json!("0-7-999999"), "older copy"),
        ("/predicate/log/first", json!("bin.000099"), "log.first"),
        ("/predicate/log/last", json!("other.000099"), "log.last"),
    ] {
        let mut cheat = good.clone();
        let field = cheat.pointer_mut(place).unwrap_or_else(|| panic!("no {place}"));
        *field = value.clone();
        stage.write("cheat.json", &cheat.to_string());
        stage.sign("key", NAMESPACE, "cheat.json");
        stage.refused(&format!("{place} = {value}"), &["up", "--attestation", "cheat.json"], &[3], words);
    }

    // The log that leads on from the backup is gone; a new backup needs only what is there.
    let root = Database::at(Engine::Mariadb, stage.url.clone());
    root.execute("FLUSH BINARY LOGS");
    let last = stage.database.query("SHOW BINARY LOGS").pop().unwrap();
    purged_to(&root, &last);
    stage.refused("the log was purged", &UP, &[3], "purged");
    cluster.sh_ok(back_up);
    stage.ok(&[&attest[..], &["--out", "newer.json"]].concat());
    stage.went(&["up", "--attestation", "newer.json"]);
}

#[test]
fn a_dump_that_is_complete_counts_for_some_minutes() {
    let Some(cluster) = Cluster::start() else { return };
    let stage = stage(&cluster);
    cluster.sh_ok("mariadb-dump --no-defaults --socket=$F/socket --user=root --single-transaction attested >$F/shop.sql");
    let dump = cluster.path("shop.sql");
    let attest = ["attest", "2", "--tool", "mariadb-dump", "--run", "--backup", &dump, "--sign-key", "key"];
    let said = stage.ok(&attest);
    assert!(said.contains("mariadb-dump, observed"), "{said}");
    let whole = std::fs::read_to_string(&dump).unwrap();
    for (what, text, words) in [
        ("cut off", whole[..whole.rfind("-- Dump completed").unwrap()].to_owned(), "Dump completed on"),
        ("another database's", whole.replacen("Database: attested", "Database: other", 1), "another one"),
        ("another dump", whole.replacen("'111'", "'112'", 1), "another one"),
    ] {
        assert_ne!(text, whole, "{what}");
        std::fs::write(&dump, text).unwrap();
        stage.refused(what, &UP, &[3], words);
    }
    std::fs::write(&dump, whole.replacen("Database: attested", "Database: other", 1)).unwrap();
    let ran = stage.migrate(&[&attest[..], &["--out", "again.json"]].concat());
    assert_eq!((ran.code, ran.err.contains("database is other")), (3, true), "{}", ran.err);
    std::fs::write(&dump, &whole).unwrap();
    stage.policy("max-gap = \"0s\"");
    stage.refused("too long ago", &UP, &[3], "max-gap");
    stage.policy("");
    stage.went(&UP);
}

/// What stopped part-way goes on with what it began with, and its last row says so too.
#[test]
fn a_run_that_is_gone_on_with_keeps_its_attestation() {
    let Some(cluster) = Cluster::start() else { return };
    let stage = stage(&cluster);
    let two = "-- UP\nALTER TABLE users DROP COLUMN fax;\nINSERT INTO missing VALUES (1);\n-- DOWN\n-- IRREVERSIBLE: gone\n";
    stage.write("migrations/V2_drop.sql", two);
    cluster.sh_ok("mariadb-dump --no-defaults --socket=$F/socket --user=root --single-transaction attested >$F/shop.sql");
    stage.ok(&["attest", "2", "--tool", "mariadb-dump", "--evidence", &cluster.path("shop.sql"), "--sign-key", "key"]);
    let ran = stage.migrate(&UP);
    assert_eq!(ran.code, 6, "{}", ran.err);
    stage.database.execute("CREATE TABLE missing (id int)");
    // Mended, it is another migration, which nobody has attested for.
    stage.write("migrations/V2_drop.sql", &two.replace("(1)", "(2)"));
    let mended = stage.migrate(&[&UP[..], &["--finish"]].concat());
    assert_eq!((mended.code, mended.err.contains("another text")), (3, true), "{}", mended.err);
    assert!(stage.database.query("SELECT id FROM missing").is_empty());
    stage.write("migrations/V2_drop.sql", two);
    stage.went(&["up", "--finish"]);
}
