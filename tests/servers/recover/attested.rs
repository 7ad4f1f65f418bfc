//! From the history alone: what was attested when the migration ran is where its way back begins.

use super::cluster::{Archive, Cluster};
use super::script;
use crate::attest::stage::Stage;

#[test]
fn the_attested_backup_is_the_one_that_is_recovered() {
    for (archive, make, tool) in [
        (Archive::Folder, "pg_basebackup -h $F -U root -D $F/backup -Fp -X stream -c fast", "pg_basebackup"),
        (Archive::PgBackRest, "pgbackrest --stanza=shop stanza-create && pgbackrest --stanza=shop --type=full backup", "pgbackrest"),
    ] {
        let Some(cluster) = Cluster::start(archive) else { continue };
        let mut stage = Stage::new(cluster.database());
        stage.pgbackrest = cluster.folder.join("pgbackrest.conf");
        cluster.sh_ok(make);
        cluster.sh_ok(
            "wal=$(psql -h $F -U root -d shop -Atqc 'SELECT pg_walfile_name(pg_switch_wal())')
for try in $(seq 300); do test \"$(psql -h $F -U root -d shop -Atqc \"SELECT last_archived_wal >= '$wal' FROM pg_stat_archiver\")\" = t && exit 0; sleep 0.1; done; exit 1",
        );
        let (backup, folder) = (cluster.path("backup"), cluster.path("archive"));
        let place: &[&str] = if archive == Archive::Folder { &["--backup", &backup, "--archive", &folder] } else { &[] };
        stage.ok(&[&["attest", "2", "--tool", tool, "--run", "--sign-key", "key"], place].concat());
        stage.went(&["up", "--attestation", "2.attestation.json"]);
        stage.database.execute("INSERT INTO users VALUES (3)");
        // Neither the files nor a flag are needed: a DBA has the database alone.
        std::fs::remove_dir_all(stage.path("migrations")).unwrap();
        let printed = stage.ok(&["recover", "2", "--format", "markdown", "--folder", &cluster.path("recover")]);
        assert!(!printed.contains("unproved"), "{printed}");
        cluster.sh_ok(&script(&printed, "Clean-up"));
        assert_eq!(stage.database.query("SELECT id || ':' || coalesce(fax, '-') FROM users ORDER BY id"), ["1:111", "2:222", "3:-"], "{tool}");
    }
}
