//! What no statement names, and what no key leads to: rows that go along by foreign keys, partitions, values that an upsert writes over, keys
//! that are rewritten, names that change in the same migration, keys that are used again afterwards, names with a dot. The printed commands bring it back.

use super::cluster::{Archive, Cluster};
use super::{mariadb, migrated, postgres, script};
use crate::support::Database;
use tempfile::TempDir;

const MAKE: &str = "CREATE TABLE owners (id int PRIMARY KEY, name varchar(20));
CREATE TABLE pets (id int PRIMARY KEY, owner int, CONSTRAINT pets_owner FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE CASCADE);
CREATE TABLE toys (id int PRIMARY KEY, pet int, CONSTRAINT toys_pet FOREIGN KEY (pet) REFERENCES pets (id) ON DELETE CASCADE);
CREATE TABLE visits (id int PRIMARY KEY, owner int, CONSTRAINT visits_owner FOREIGN KEY (owner) REFERENCES owners (id) ON DELETE SET NULL);
CREATE TABLE rates (id int PRIMARY KEY, percent int);
CREATE TABLE shifts (id int PRIMARY KEY, who varchar(20));
CREATE TABLE staff (id int PRIMARY KEY, phone varchar(20), name varchar(20));
CREATE TABLE countries (code int PRIMARY KEY);
CREATE TABLE towns (id int PRIMARY KEY, country int, CONSTRAINT towns_country FOREIGN KEY (country) REFERENCES countries (code));
CREATE TABLE codes (id int PRIMARY KEY, word varchar(20));
";

const FILL: [&str; 10] = [
    "INSERT INTO owners VALUES (1, 'a'), (2, 'b'), (3, 'c')",
    "INSERT INTO pets VALUES (10, 1), (11, 1), (12, 2), (13, 3)",
    "INSERT INTO toys VALUES (100, 10), (101, 13)",
    "INSERT INTO visits VALUES (1, 1), (2, 3)",
    "INSERT INTO rates VALUES (1, 5), (2, 6)",
    "INSERT INTO shifts VALUES (1, 'x'), (2, 'y')",
    "INSERT INTO staff VALUES (1, '11', 'p'), (2, '22', 'q')",
    "INSERT INTO countries VALUES (1), (2)",
    "INSERT INTO towns VALUES (1, 1), (2, 2), (3, 2)",
    "INSERT INTO codes VALUES (1, 'old'), (2, 'two')",
];

const DESTROY: &str = "DELETE FROM owners WHERE id < 3;
UPDATE shifts SET id = id + 100;
ALTER TABLE staff RENAME TO people;
ALTER TABLE people RENAME COLUMN id TO number;
ALTER TABLE people DROP COLUMN phone;
DROP TABLE towns;
DROP TABLE countries;
DELETE FROM codes;
";

/// Runs MAKE, fills it, runs DESTROY, with what an engine has beside them.
fn destroyed(database: &Database, url: &str, [make, fill, destroy]: [&str; 3], backup: impl FnOnce()) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("migrate.toml"), "[gate]\nloss = \"warn\"\n").unwrap();
    let write = |name: &str, up: [&str; 2]| std::fs::write(folder.path().join("migrations").join(name), format!("-- UP\n{}{}", up[0], up[1])).unwrap();
    write("V1_make.sql", [MAKE, make]);
    migrated(folder.path(), url, &["up"]);
    FILL.iter().chain([&fill].into_iter().filter(|sql| !sql.is_empty())).for_each(|sql| database.execute(sql));
    backup();
    write("V2_destroy.sql", [DESTROY, destroy]);
    migrated(folder.path(), url, &["up"]);
    database.execute("INSERT INTO codes VALUES (1, 'newer')");
    folder
}

/// `text` writes a number as text.
fn assert_back(database: &Database, text: impl Fn(&str) -> String, copies: [&str; 2]) {
    let ask = |columns: &[&str], rest: &str| {
        let columns: Vec<String> = columns.iter().map(|column| format!("COALESCE({}, '-')", text(column))).collect();
        database.query(&format!("SELECT CONCAT({}) FROM {rest}", columns.join(", ':', "))).join(" ")
    };
    assert_eq!(ask(&["id", "name"], "owners ORDER BY id"), "1:a 2:b 3:c");
    assert_eq!(ask(&["id", "owner"], "pets ORDER BY id"), "10:1 11:1 12:2 13:3");
    assert_eq!(ask(&["id", "pet"], "toys ORDER BY id"), "100:10 101:13");
    assert_eq!(ask(&["id", "owner", "owner__before_2"], "visits ORDER BY id"), "1:-:1 2:3:3");
    assert_eq!(ask(&["id", "percent", "percent__before_2"], "rates ORDER BY id"), "1:99:5 2:6:6");
    assert_eq!(ask(&["id", "who"], "shifts ORDER BY id"), "101:x 102:y", "no key leads to these rows any more");
    assert_eq!(ask(&["id", "who"], &format!("{} ORDER BY id", copies[0])), "1:x 2:y", "so they stand beside the table");
    assert_eq!(ask(&["number", "phone", "name"], "people ORDER BY number"), "1:11:p 2:22:q");
    assert_eq!(ask(&["id", "country"], "towns ORDER BY id"), "1:1 2:2 3:2");
    assert_eq!(ask(&["code"], "countries ORDER BY code"), "1 2");
    assert_eq!(ask(&["id", "word"], "codes ORDER BY id"), "1:newer 2:two", "what was written since stays");
    assert_eq!(ask(&["id", "word"], &format!("{} ORDER BY id", copies[1])), "1:old 2:two", "and the copy with it, for it holds the old value");
}

#[test]
fn postgres_brings_back_what_goes_along() {
    let Some(cluster) = Cluster::start(Archive::Folder) else { return };
    let (database, url) = (cluster.database(), cluster.url("root"));
    let own = [
        "CREATE TABLE events (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE \"dot.ted\" (id int PRIMARY KEY, word text);
INSERT INTO \"dot.ted\" VALUES (1, 'w');
CREATE TYPE \"Mood\" AS ENUM ('so so', 'it''s fine');
CREATE DOMAIN percent AS int DEFAULT 5 CHECK (VALUE < 101) CHECK (VALUE > 0);
CREATE TABLE moods (id int PRIMARY KEY, mood \"Mood\", moods \"Mood\"[]);
INSERT INTO moods VALUES (1, 'it''s fine', '{it''s fine,so so}');
CREATE TABLE shares (id int PRIMARY KEY, share percent);
INSERT INTO shares VALUES (1, 7);",
        "INSERT INTO events VALUES (1, '2024-05-05'), (2, '2025-05-05')",
        "INSERT INTO rates VALUES (1, 99) ON CONFLICT (id) DO UPDATE SET percent = 99;\nDROP TABLE events;\nALTER TABLE \"dot.ted\" DROP COLUMN word;
ALTER TABLE moods DROP COLUMN mood, DROP COLUMN moods; DROP TYPE \"Mood\"; DROP TABLE shares; DROP DOMAIN percent;",
    ];
    let folder = destroyed(&database, &url, own, || postgres::base_backup(&cluster, "backup"));
    let printed = postgres::recover(&cluster, folder.path(), &url, &[]);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    let shown = cluster.sh_ok(&script(&printed.out, "Afterwards"));
    assert!(shown.contains("\n1 1 0\n") && shown.ends_with("\n1 rows\n"), "{shown}");
    let copies = database.query("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'migrate_recover' ORDER BY table_name");
    let named = |end: &str| format!("migrate_recover.\"{}\"", copies.iter().find(|name| name.ends_with(end)).expect("a copy"));
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert_back(&database, |sql| format!("{sql}::text"), [&named("_shifts"), &named("_codes")]);
    assert_eq!(database.query("SELECT id || word FROM \"dot.ted\""), ["1w"], "a name may hold a dot");
    assert_eq!(database.query("SELECT id || mood::text || moods::text FROM moods"), ["1it's fine{\"it's fine\",\"so so\"}"], "types went along");
    assert_eq!(database.query("INSERT INTO shares VALUES (2, DEFAULT); SELECT id || ':' || share FROM shares ORDER BY id"), ["1:7", "2:5"]);
    assert!(cluster.sh("psql -h $F -U root -d shop -c 'INSERT INTO shares VALUES (3, 101)'").err.contains("percent_check"));
    assert_eq!(database.query("SELECT id || ':' || tableoid::regclass FROM events ORDER BY id"), ["1:events_1", "2:events_2"]);
}

#[test]
fn mariadb_brings_back_what_goes_along() {
    let Some(cluster) = mariadb::Cluster::start() else { return };
    let database = cluster.server.database("kennel");
    let own = [
        "CREATE TABLE `dot.ted` (id int PRIMARY KEY, word varchar(20));\nINSERT INTO `dot.ted` VALUES (1, 'w');",
        "",
        "INSERT INTO rates VALUES (1, 99) ON DUPLICATE KEY UPDATE percent = 99;\nALTER TABLE `dot.ted` DROP COLUMN word;",
    ];
    let backup = || {
        cluster.sh_ok(mariadb::BACKUP);
        // A server that asks for no rights refuses this where it is played.
        database.execute("CREATE USER 'keeper'@'localhost' IDENTIFIED BY 'throw-away'");
        database.execute("GRANT SELECT ON kennel.* TO 'keeper'@'localhost'");
        database.execute("FLUSH BINARY LOGS");
    };
    let folder = destroyed(&database, &database.url, own, backup);
    let (backup, side) = (cluster.path("backup"), cluster.path("recover"));
    let base = ["recover", "2", "--format", "markdown", "--folder", &side, "--backup-tool", "mariadb-backup", "--backup", &backup];
    // The logs were shipped to another folder, and are kept no more on the server; whoever runs the commands stands somewhere else.
    cluster.sh_ok("mkdir $F/shipped");
    database.execute("FLUSH BINARY LOGS");
    cluster.sh_ok("cp $F/data/bin.0* $F/shipped");
    let newest = database.query("SHOW MASTER STATUS").concat();
    mariadb::purged_to(&database, &newest);
    let gone = super::migrate(folder.path(), &database.url, &base);
    assert!(gone.code == 3 && gone.out.contains("is kept no more on the server"), "{}{}", gone.out, gone.err);
    let shipped = cluster.path("shipped");
    let arguments = [&base[..], &["--archive", &shipped]].concat();
    let printed = super::migrate(folder.path(), &database.url, &arguments);
    assert_eq!(printed.code, 0, "{}", printed.err);
    assert!(!printed.out.contains("unproved"), "{}", printed.out);
    // A log with a hole leads nowhere.
    cluster.sh_ok("mv $F/shipped/bin.000001 $F/hidden");
    let holed = cluster.sh(&script(&printed.out, "Afterwards"));
    assert!(holed.code != 0 && holed.err.contains("bin.000001"), "{}{}", holed.out, holed.err);
    cluster.sh_ok("mv $F/hidden $F/shipped/bin.000001; rm -rf $F/recover");
    let shown = cluster.sh_ok(&script(&printed.out, "Afterwards"));
    assert!(shown.contains("\n1 1 0\n") && shown.ends_with("\n1 rows\n"), "{shown}");
    let copies = database.query("SHOW TABLES LIKE 'migrate\\_recover%'");
    let named = |end: &str| copies.iter().find(|name| name.ends_with(end)).expect("a copy").as_str();
    assert_eq!(copies.len(), 2, "{copies:?}");
    assert_eq!(database.query("SELECT CONCAT(id, word) FROM `dot.ted`"), ["1w"], "a name may hold a dot");
    assert_back(&database, |sql| format!("CAST({sql} AS CHAR)"), [named("_shifts"), named("_codes")]);
}
