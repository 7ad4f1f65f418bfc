//! PostgreSQL, with pgBackRest, with `pg_basebackup` and an archive, and with `pg_dump`.

use super::cheats;
use super::stage::Stage;
use crate::recover::cluster::{Archive, Cluster};

fn stage(archive: Archive) -> Option<(Cluster, Stage)> {
    let cluster = Cluster::start(archive)?;
    let mut stage = Stage::new(cluster.database());
    stage.pgbackrest = cluster.folder.join("pgbackrest.conf");
    Some((cluster, stage))
}

/// Ships the log up to now.
fn ship(cluster: &Cluster) {
    cluster.sh_ok(
        "psql -h $F -U root -d shop -qAtc \"SELECT pg_create_restore_point('x')\" >/dev/null
last=$(psql -h $F -U root -d shop -Atc 'SELECT pg_walfile_name(pg_switch_wal())')
for try in $(seq 100); do
    [ \"$(psql -h $F -U root -d shop -Atc \"SELECT last_archived_wal >= '$last' FROM pg_stat_archiver\")\" = t ] && exit 0; sleep 0.1
done; exit 1",
    );
}

const UP: [&str; 3] = ["up", "--attestation", "2.attestation.json"];

#[test]
fn pg_basebackup_with_its_archive_opens_the_gate() {
    let Some((cluster, stage)) = stage(Archive::Folder) else { return };
    stage.refused("nothing is attested", &["up"], &[3], "migrate attest 2");
    cluster.sh_ok("pg_basebackup -h $F -U root -D $F/backup -Fp -X stream -c fast");
    ship(&cluster);
    let (backup, archive) = (cluster.path("backup"), cluster.path("archive"));
    let attest = ["attest", "2", "--tool", "pg_basebackup", "--run", "--backup", &backup, "--archive", &archive, "--sign-key", "key"];
    let said = stage.ok(&attest);
    assert!(said.contains("pg_basebackup, verified") && said.contains("signed for dba@example.com"), "{said}");
    cheats::all(&stage, &cluster);

    // A damaged backup, and one that has lost a part of its log, are found when it is attested and again when the migration runs.
    let again = |what: &str, words: &str| {
        let ran = stage.migrate(&[&attest[..], &["--out", "again.json"]].concat());
        assert_eq!((ran.code, ran.err.contains(words)), (3, true), "{what}: {}", ran.err);
    };
    let manifest = cluster.path("backup/backup_manifest");
    let whole = std::fs::read_to_string(&manifest).unwrap();
    for (what, text) in [("cut", whole[..whole.len() / 2].to_owned()), ("edited", whole.replacen("\"Size\": ", "\"Size\": 1", 1))] {
        std::fs::write(&manifest, text).unwrap();
        stage.refused(what, &UP, &[3], "Manifest-Checksum");
        again(what, "Manifest-Checksum");
    }
    std::fs::write(&manifest, &whole).unwrap();
    let data = cluster.path("backup/PG_VERSION");
    let version = std::fs::read_to_string(&data).unwrap();
    std::fs::write(&data, "16\n").unwrap();
    again("a file is another one", "damaged");
    std::fs::write(&data, &version).unwrap();
    ship(&cluster);
    let segments = cluster.sh_ok("ls $F/archive | grep -E '^[0-9A-F]{24}$'");
    let middle = segments.lines().rev().nth(1).unwrap();
    cluster.sh_ok(&format!("mv $F/archive/{middle} $F/aside"));
    stage.refused("a gap in the archive", &UP, &[3], "gap");
    again("a gap in the archive", "gap");
    cluster.sh_ok(&format!("mv $F/aside $F/archive/{middle}"));
    cluster.sh_ok("mv $F/backup $F/hidden");
    stage.refused("the backup is gone", &UP, &[3], "any more");
    cluster.sh_ok("mv $F/hidden $F/backup");
    stage.went(&UP);
}

#[test]
fn pgbackrest_opens_the_gate_as_long_as_its_catalogue_has_the_backup() {
    let Some((cluster, stage)) = stage(Archive::PgBackRest) else { return };
    cluster.sh_ok("pgbackrest --stanza=shop stanza-create >/dev/null && pgbackrest --stanza=shop --type=full backup >/dev/null");
    ship(&cluster);
    let attest = ["attest", "2", "--tool", "pgbackrest", "--sign-key", "key"];
    let said = stage.ok(&[&attest[..], &["--run", "--restore-tested", "2026-01-02"]].concat());
    assert!(said.contains("pgbackrest, restore-tested"), "{said}");

    // From saved output the same, and none of it may be another's.
    let info = cluster.sh_ok("pgbackrest info --output=json");
    let listing = cluster.sh_ok("pgbackrest --stanza=shop repo-ls archive/shop/15-1 --recurse --output=json");
    stage.write("info.json", &info);
    stage.write("archive.json", &listing);
    let saved = [&attest[..], &["--evidence", "info.json", "--evidence", "archive.json", "--out", "saved.json"]].concat();
    stage.ok(&saved);
    let (saved_one, run): (serde_json::Value, serde_json::Value) =
        (serde_json::from_str(&stage.read("saved.json")).unwrap(), serde_json::from_str(&stage.read("2.attestation.json")).unwrap());
    for field in ["backup", "database"] {
        let part = |whole: &serde_json::Value| {
            let mut part = whole["predicate"][field].clone();
            part.as_object_mut().unwrap().retain(|key, _| key != "clock" && key != "server");
            part
        };
        assert_eq!(part(&saved_one), part(&run));
    }
    for file in ["saved.json", "saved.json.sig"] {
        std::fs::remove_file(stage.path(file)).unwrap();
    }
    let value: serde_json::Value = serde_json::from_str(&info).unwrap();
    let id = value[0]["db"][0]["system-id"].as_u64().unwrap();
    for (what, text, words) in [
        ("truncated", info[..info.len() / 2].to_owned(), "info cannot be read"),
        ("empty", String::new(), "info is missing"),
        ("foreign", info.replace(&id.to_string(), &(id + 1).to_string()), "system identifier"),
        ("failed", info.replacen("\"code\":0", "\"code\":2", 9), "status.code"),
        ("damaged", info.replace("\"error\":false", "\"error\":true"), "backup.error"),
        ("without a backup", "[]".to_owned(), "names no stanza"),
        ("a key twice", info.replacen("\"name\":\"shop\"", "\"name\":\"shop\",\"name\":\"shop\"", 1), "twice"),
    ] {
        stage.write("info.json", &text);
        let ran = stage.migrate(&saved);
        assert_eq!((ran.code, ran.err.contains(words)), (3, true), "{what}: {}", ran.err);
        assert!(!stage.path("saved.json").exists(), "{what}");
    }

    let lost = cluster.sh_ok("set -- $(ls $F/repo/archive/shop/15-1/*/* | grep -v backup | tail -2); mv $1 $F/aside; echo $1");
    stage.refused("a gap in the archive", &UP, &[3], "archive");
    cluster.sh_ok(&format!("mv $F/aside {lost}"));
    cluster.sh_ok("pgbackrest --stanza=shop --type=full --repo1-retention-full=1 backup >/dev/null");
    stage.refused("expired by its retention", &UP, &[3], "holds no backup");
    ship(&cluster);
    stage.ok(&[&attest[..], &["--run", "--out", "newer.json"]].concat());
    stage.went(&["up", "--attestation", "newer.json"]);
}

#[test]
fn a_dump_counts_for_some_minutes() {
    let Some((cluster, stage)) = stage(Archive::Folder) else { return };
    cluster.sh_ok("pg_dump -h $F -U root -Fc -f $F/shop.dump shop");
    let dump = cluster.path("shop.dump");
    let attest = ["attest", "2", "--tool", "pg_dump", "--run", "--backup", &dump, "--sign-key", "key"];
    let said = stage.ok(&attest);
    assert!(said.contains("pg_dump, verified"), "{said}");
    let whole = std::fs::read(&dump).unwrap();
    std::fs::write(&dump, &whole[..whole.len() - 20]).unwrap();
    let again = stage.migrate(&[&attest[..], &["--out", "again.json"]].concat());
    assert_eq!((again.code, again.err.contains("full read")), (3, true), "{}", again.err);
    stage.refused("the dump is cut off", &UP, &[3], "full read");
    std::fs::write(&dump, &whole).unwrap();
    stage.policy("max-gap = \"0s\"");
    stage.refused("too long ago", &UP, &[3], "max-gap");
    stage.policy("");
    stage.went(&UP);
}

#[test]
fn an_override_is_loud_and_recorded_where_the_policy_knows_it() {
    let Some((_cluster, stage)) = stage(Archive::Folder) else { return };
    stage.refused("the policy knows none", &["up", "--override", "no backup today"], &[3], "knows no --override");
    stage.policy("override = true");
    stage.refused("no reason", &["up", "--override", " "], &[2], "reason");
    let ran = stage.migrate(&["up", "--override", "no backup today"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("WARNING: OVERRIDE: 2 drop destroys data") && ran.err.contains("no backup today"), "{}", ran.err);
    let row = stage.database.query("SELECT reason || coalesce(attestation, '-') FROM migrate_history WHERE version = '2'");
    assert_eq!(row, ["no attestation: no backup today-"]);
}
