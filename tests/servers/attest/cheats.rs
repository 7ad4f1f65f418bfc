//! Ways to cheat the gate. In: an attestation that would open it. Out: exit 3 or 2 for each, and nothing applied.

use super::stage::{PRINCIPAL, Stage};
use crate::recover::cluster::Cluster;
use serde_json::{Value, json};
use std::time::{Duration, SystemTime};

const GOOD: &str = "2.attestation.json";
const NAMESPACE: &str = "backup-attestation.migrate.v1";
const UP: [&str; 3] = ["up", "--attestation", "cheat.json"];

/// All of them.
pub(crate) fn all(stage: &Stage, cluster: &Cluster) {
    edited_and_not_signed_again(stage);
    signed_again_by_somebody_who_may(stage);
    not_what_it_seems(stage);
    signers(stage);
    another_migration(stage);
    a_clone(stage, cluster);
}

fn good(stage: &Stage) -> Value {
    serde_json::from_str(&stage.read(GOOD)).unwrap()
}

/// The places of all values that are neither a list nor an object.
fn leaves(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(list) => list.iter().enumerate().for_each(|(number, value)| leaves(value, &format!("{at}/{number}"), found)),
        Value::Object(map) => map.iter().for_each(|(key, value)| leaves(value, &format!("{at}/{key}"), found)),
        _ => found.push(at.to_owned()),
    }
}

/// Another value of the same kind.
fn altered(value: &Value) -> Value {
    match value {
        Value::Null => json!("x"),
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        // The last letter that is one, so that a time stays a time and a number a number.
        Value::String(text) => {
            let at = text.rfind(|letter: char| letter.is_ascii_alphanumeric() && letter != 'Z').unwrap();
            let other = match text.as_bytes()[at] {
                b'0' => "1",
                b'9' => "8",
                digit if digit.is_ascii_digit() => "9",
                b'a' => "b",
                _ => "a",
            };
            json!(format!("{}{other}{}", &text[..at], &text[at + 1..]))
        }
        Value::Array(_) | Value::Object(_) => unreachable!("a leaf"),
    }
}

/// Each field, with the signature of the whole.
fn edited_and_not_signed_again(stage: &Stage) {
    let (good, mut places) = (good(stage), Vec::new());
    leaves(&good, "", &mut places);
    assert!(places.len() > 50, "{places:?}");
    std::fs::copy(stage.path(&format!("{GOOD}.sig")), stage.path("cheat.json.sig")).unwrap();
    for place in places {
        let mut cheat = good.clone();
        let value = cheat.pointer_mut(&place).unwrap();
        *value = altered(value);
        stage.write("cheat.json", &format!("{}\n", serde_json::to_string_pretty(&cheat).unwrap()));
        stage.refused(&place, &UP, &[3], "");
    }
    let text = stage.read(GOOD);
    for (what, text) in
        [("other white space", text.replace("  ", " ")), ("a line end more", format!("{text}\n")), ("other line ends", text.replace('\n', "\r\n"))]
    {
        stage.write("cheat.json", &text);
        stage.refused(what, &UP, &[3], "changed after it was signed");
    }
}

/// What a careless or false signer may write, held against what can be seen.
fn signed_again_by_somebody_who_may(stage: &Stage) {
    let days = |count: u64| humantime::format_rfc3339_seconds(SystemTime::now() - Duration::from_secs(count * 86400)).to_string();
    let tomorrow = humantime::format_rfc3339_seconds(SystemTime::now() + Duration::from_secs(86400)).to_string();
    let (zeros, far) = ("0".repeat(64), json!("FF/0"));
    let end_of_all = json!("00000001000000FF00000000");
    #[rustfmt::skip]
    let cases: Vec<(&str, Value, &str)> = vec![
        ("/_type", json!("https://in-toto.io/Statement/v2"), "_type"),
        ("/predicateType", json!("urn:unmigrate:backup-attestation:v2"), "predicateType"),
        ("/subject/0/name", json!("3_drop.up"), "does not name"),
        ("/subject/0/digest/sha256", json!(zeros), "another text"),
        ("/subject/1/digest/sha256", json!(zeros), "another text"),
        ("/subject/1", json!({"name": "2_drop.up", "digest": {"sha256": zeros}}), "twice"),
        ("/subject", json!([]), "does not name"),
        ("/predicate/database/engine", json!("mariadb"), "database.engine"),
        ("/predicate/database/database", json!("shop2"), "database.database"),
        ("/predicate/database/address", json!("db.example.com:5432"), "database.address"),
        ("/predicate/database/version", json!("14.9"), "database.version"),
        ("/predicate/database/clock", json!(tomorrow), "database.clock"),
        ("/predicate/database/server/kind", json!("sqlite"), "cannot be read"),
        ("/predicate/database/server/system_identifier", json!("7711149864107111904"), "system_identifier"),
        ("/predicate/database/server/system_identifier", json!(7711149864107111904_u64), "cannot be read"),
        ("/predicate/database/server/data_directory", json!("/srv/other"), "data_directory"),
        ("/predicate/database/server/timeline", json!(2), "timeline"),
        ("/predicate/database/server/lsn", far.clone(), "older copy"),
        ("/predicate/database/server/lsn", json!("nowhere"), "cannot be read"),
        ("/predicate/backup/tool", json!("tar"), "cannot be read"),
        ("/predicate/backup/tool", json!("mariadb-dump"), "backs up no postgres"),
        ("/predicate/backup/tool", json!("generic"), "min-level"),
        ("/predicate/backup/label", json!("000000010000000000000001.00000028.backup"), "another one"),
        ("/predicate/backup/start/lsn", json!("0/2000030"), "another one"),
        ("/predicate/backup/start/lsn", far.clone(), "before the beginning"),
        ("/predicate/backup/start/at", json!(tomorrow), "before its beginning"),
        ("/predicate/backup/stop/at", json!(tomorrow), "future"),
        ("/predicate/backup/stop/lsn", far.clone(), "stands only at"),
        ("/predicate/backup/stop/timeline", json!(2), "timeline"),
        ("/predicate/backup/stop/timeline", json!(null), "backup.stop.lsn is missing"),
        ("/predicate/backup/stop/lsn", json!(null), "backup.stop.lsn is missing"),
        ("/predicate/backup/expires", json!(days(1)), "retention"),
        ("/predicate/log", json!(null), "log is missing"),
        ("/predicate/log/first", end_of_all.clone(), "log.first"),
        ("/predicate/log/first", json!("first"), "no segment"),
        ("/predicate/log/last", json!("000000010000000000000001"), "log.last"),
        ("/predicate/log/last", json!("000000020000000F00000000"), "log.last"),
        ("/predicate/log/gap_free", json!(null), "log.gap_free"),
        ("/predicate/log/observed", json!(tomorrow), "log.observed"),
        ("/predicate/checks", json!([]), "min-level"),
        ("/predicate/checks/0/level", json!("certain"), "cannot be read"),
        ("/predicate/issuer", json!("boss@example.com"), "may not sign for boss@example.com"),
        ("/predicate/issuer", json!(" "), "issuer is empty"),
        ("/predicate/issued_at", json!(tomorrow), "cannot be read: it expires"),
        ("/predicate/expires_at", json!(days(1)), "cannot be read: it expires"),
        ("/predicate/nonce", json!("short"), "nonce"),
        ("/predicate", json!({}), "cannot be read"),
    ];
    for (place, value, words) in cases {
        let what = format!("{place} = {value}");
        let mut cheat = good(stage);
        *cheat.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value;
        sign(stage, &serde_json::to_string(&cheat).unwrap());
        stage.refused(&what, &UP, &[3], words);
    }
    // Two fields that only go together.
    let both = |what: &str, edits: &[(&str, Value)], words: &str| {
        let mut cheat = good(stage);
        edits.iter().for_each(|(place, value)| *cheat.pointer_mut(place).unwrap() = value.clone());
        sign(stage, &serde_json::to_string(&cheat).unwrap());
        stage.refused(what, &UP, &[3], words);
    };
    let (old, older) = (json!(days(8)), json!(days(9)));
    both("an old backup", &[("/predicate/backup/start/at", older.clone()), ("/predicate/backup/stop/at", old.clone())], "max-age");
    both("expired", &[("/predicate/issued_at", older), ("/predicate/expires_at", old)], "expired");
    let later = humantime::format_rfc3339_seconds(SystemTime::now() + Duration::from_secs(2 * 86400)).to_string();
    both("from the future", &[("/predicate/issued_at", json!(tomorrow)), ("/predicate/expires_at", json!(later))], "future");
    let mut early = good(stage);
    early["predicate"]["checks"][0]["at"] = json!(tomorrow);
    sign(stage, &serde_json::to_string(&early).unwrap());
    stage.refused("a check that lies in the future", &UP, &[3], "checks[0].at");
    // What restricts must not be passed over.
    let mut more = good(stage);
    more["predicate"]["only_on"] = json!("sundays");
    sign(stage, &serde_json::to_string(&more).unwrap());
    stage.refused("an unknown field", &UP, &[3], "only_on");
}

fn sign(stage: &Stage, text: &str) {
    stage.write("cheat.json", text);
    stage.sign("key", NAMESPACE, "cheat.json");
}

/// Files that are no attestation, or none that stays what it is.
fn not_what_it_seems(stage: &Stage) {
    let text = stage.read(GOOD);
    for (what, cheat, words) in [
        ("empty", String::new(), "cannot be read"),
        ("no JSON", String::from("attested: yes"), "cannot be read"),
        ("truncated", text[..text.len() / 2].to_owned(), "cannot be read"),
        ("something behind it", format!("{text}{text}"), "cannot be read"),
        ("a key twice", text.replacen("\"predicate\": {", "\"predicate\": {}, \"predicate\": {", 1), "twice"),
        ("a key twice, far inside", text.replacen("\"nonce\": ", "\"nonce\": \"0123456789abcdef0\", \"nonce\": ", 1), "twice"),
        ("a mark at its beginning", format!("\u{feff}{text}"), "cannot be read"),
    ] {
        sign(stage, &cheat);
        stage.refused(what, &UP, &[3], words);
    }
    sign(stage, &format!("{text}{}", " ".repeat(1 << 20)));
    stage.refused("huge", &UP, &[2], "longer than");

    let clear = || {
        for name in ["cheat.json", "cheat.json.sig"] {
            let path = stage.path(name);
            let _ = if path.is_dir() && !path.is_symlink() { std::fs::remove_dir(&path) } else { std::fs::remove_file(&path) };
        }
    };
    clear();
    stage.refused("missing", &UP, &[2], "cannot read");
    std::os::unix::fs::symlink(stage.path(GOOD), stage.path("cheat.json")).unwrap();
    std::fs::copy(stage.path(&format!("{GOOD}.sig")), stage.path("cheat.json.sig")).unwrap();
    stage.refused("a link", &UP, &[2], "no plain file");
    clear();
    std::fs::create_dir(stage.path("cheat.json")).unwrap();
    stage.refused("a folder", &UP, &[2], "no plain file");
    clear();
    stage.program("mkfifo", &["cheat.json"]);
    stage.refused("a pipe", &UP, &[2], "no plain file");
    clear();
    std::fs::copy(stage.path(GOOD), stage.path("cheat.json")).unwrap();
    stage.refused("no signature", &UP, &[3], "there is no signature");
    for (what, signature) in [
        ("an empty signature", ""),
        ("no signature but words", "signed: yes"),
        ("an empty block", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"),
    ] {
        stage.write("cheat.json.sig", signature);
        stage.refused(what, &UP, &[3], "the signature cannot be read");
    }
    clear();
    std::fs::copy(stage.path(GOOD), stage.path("cheat.json")).unwrap();
    std::os::unix::fs::symlink(stage.path(&format!("{GOOD}.sig")), stage.path("cheat.json.sig")).unwrap();
    stage.refused("a link to the signature", &UP, &[2], "signature");
    clear();
    // The signature of another one that is as good.
    sign(stage, &serde_json::to_string(&good(stage)).unwrap());
    std::fs::copy(stage.path(GOOD), stage.path("cheat.json")).unwrap();
    stage.refused("the signature of another one", &UP, &[3], "changed after it was signed");
}

/// Who signs, for what, and since when.
fn signers(stage: &Stage) {
    let text = stage.read(GOOD);
    let allowed = stage.read("allowed_signers");
    let key = stage.read("key.pub");
    sign(stage, &text);
    for (what, lines, words) in [
        ("nobody", String::new(), "no line of allowed_signers"),
        ("in another name", format!("other@example.com {key}"), "for other@example.com"),
        ("for another purpose", format!("{PRINCIPAL} namespaces=\"git\" {key}"), "namespaces git"),
        ("no more", format!("{PRINCIPAL} valid-before=\"20200101Z\" {key}"), "valid until"),
        ("not yet", format!("{PRINCIPAL} valid-after=\"20990101Z\" {key}"), "valid from"),
    ] {
        stage.allow(&lines);
        stage.refused(what, &UP, &[3], words);
    }
    for (what, lines) in [("an authority", format!("{PRINCIPAL} cert-authority {key}")), ("an unknown limit", format!("{PRINCIPAL} only-at=\"noon\" {key}"))] {
        stage.allow(&lines);
        stage.refused(what, &UP, &[2], "line 1");
    }
    stage.allow(&allowed);
    stage.sign("key", "git", "cheat.json");
    stage.refused("signed for another purpose", &UP, &[3], "namespace");
    stage.key("stranger", "ed25519");
    stage.sign("stranger", NAMESPACE, "cheat.json");
    stage.refused("signed by a stranger", &UP, &[3], "no line of allowed_signers");
    // The stranger's signature with the key of somebody who may written into it.
    let ours = stage.read(&format!("{GOOD}.sig"));
    let theirs = stage.read("cheat.json.sig");
    let lines = |signature: &str| signature.lines().map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) = (lines(&ours), lines(&theirs));
    let mixed: Vec<String> = ours[..2].iter().chain(&theirs[2..]).cloned().collect();
    stage.write("cheat.json.sig", &format!("{}\n", mixed.join("\n")));
    stage.refused("two signatures mixed", &UP, &[3], "");
    sign(stage, &text);
    stage.write("migrate.toml", "");
    stage.refused("the policy names nobody", &UP, &[3], "nobody may sign");
    stage.policy("min-level = \"restore-tested\"");
    stage.refused("known too little", &UP, &[3], "min-level wants restore-tested");
    stage.write("migrate.toml", "[attestation]\nallowed-signers = \"allowed_signers\"\n[gate]\nloss = \"deny\"\n");
    stage.refused("the policy denies it", &UP, &[3], "denies");
    stage.policy("");
}

/// Its file changes after somebody attested for it.
fn another_migration(stage: &Stage) {
    const FILE: &str = "migrations/V2_drop.sql";
    let text = stage.read(FILE);
    sign(stage, &stage.read(GOOD));
    for (what, edited) in [
        ("UP", text.replace("DROP COLUMN fax", "DROP COLUMN fax CASCADE")),
        ("a comment in UP", text.replace("-- UP\n", "-- UP\n-- all is well\n")),
        ("DOWN", text.replace("gone", "gone for good")),
        ("no DOWN", text[..text.find("-- DOWN").unwrap()].to_owned()),
    ] {
        stage.write(FILE, &edited);
        stage.refused(what, &UP, &[3], "not for 2 drop");
    }
    stage.write(FILE, &text);
    std::fs::rename(stage.path(FILE), stage.path("migrations/V2_other.sql")).unwrap();
    stage.refused("another name", &UP, &[3], "not for 2 other");
    std::fs::rename(stage.path("migrations/V2_other.sql"), stage.path(FILE)).unwrap();
    // Its nonce stands in the history with another attestation.
    let mut other = good(stage);
    other["predicate"]["checks"][0]["result"] = json!("other words");
    let row = json!({"attestation": other.to_string(), "signature": "", "accepted_at": "2026-01-01T00:00:00Z"}).to_string().replace('\'', "''");
    stage.database.execute(&format!("UPDATE migrate_history SET attestation = '{row}' WHERE seq = 1"));
    stage.refused("its nonce was used", &UP, &[3], "nonce");
    stage.database.execute("UPDATE migrate_history SET attestation = NULL WHERE seq = 1");
}

/// A server that was started from the backup: it has the same number, the same database, the same timeline.
fn a_clone(stage: &Stage, cluster: &Cluster) {
    cluster.sh_ok(
        "mkdir -m 700 $F/recover && cp -a $F/backup $F/recover/data
pg_ctl -D $F/recover/data -w -l $F/recover/log -o \"-k $F/recover -c archive_mode=off\" start >/dev/null",
    );
    let url = stage.url.replace(&cluster.folder.display().to_string(), &cluster.path("recover"));
    let up = |what: &str, words: &str| {
        let arguments = ["up", "--database", &url, "--attestation", "cheat.json"];
        stage.refused(what, &arguments, &[3], words);
        let rows = crate::support::Database::at(stage.database.engine, url.clone()).query("SELECT fax FROM users ORDER BY id");
        assert_eq!(rows, ["111", "222"], "{what}");
    };
    sign(stage, &stage.read(GOOD));
    up("a clone", "database.address");
    let mut cheat = good(stage);
    cheat["predicate"]["database"]["address"] = json!(format!("{}:5432", cluster.path("recover")));
    sign(stage, &cheat.to_string());
    up("a clone at the same address", "data_directory");
    cheat["predicate"]["database"]["server"]["data_directory"] = json!(cluster.path("recover/data"));
    sign(stage, &cheat.to_string());
    up("a clone at the same address in the same folder", "older copy");
    cluster.sh_ok("pg_ctl -D $F/recover/data -m immediate stop >/dev/null; rm -rf $F/recover");
}
