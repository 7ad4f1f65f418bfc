//! Attestations from the front door, without a server: keys of every kind, both ways between this program and `ssh-keygen`, and what `check` says.
#![cfg(unix)]

use super::support::{Ran, folder, migrate_with, root};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

const NAMESPACE: &str = "backup-attestation.migrate.v1";
const MAKE: &str = "-- UP\nCREATE TABLE users (id INTEGER PRIMARY KEY, fax TEXT);\nINSERT INTO users VALUES (1, '111');\n-- DOWN\nDROP TABLE users;\n";
const DROP: &str = "-- UP\nALTER TABLE users DROP COLUMN fax;\n-- DOWN\n-- IRREVERSIBLE: gone\n";
/// SQLite takes a copy itself where it may.
const POLICY: &str = "[pin]\nwhen = \"never\"\n[attestation]\nallowed-signers = \"allowed_signers\"\ndirectory = \"attestations\"\nmin-level = \"claimed\"\n";

fn program(folder: &Path, program: &str, arguments: &[&str], variables: &[(&str, &str)], input: &str) -> (bool, String) {
    use std::io::Write;
    let mut command = Command::new(program);
    command.args(arguments).envs(variables.iter().copied()).current_dir(folder);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

fn run(folder: &TempDir, arguments: &[&str]) -> Ran {
    migrate_with(folder.path(), arguments, &[("DATABASE_URL", "sqlite:shop.db")])
}

/// A database with a row; the second migration destroys a column of it. `claim.json` says that there is a backup.
fn stage() -> TempDir {
    let now = humantime::format_rfc3339_seconds(SystemTime::now());
    let claim = json!({"backup": {"tool": "generic", "tool_version": "tar 1.34", "location": "/srv/backup", "label": "b1", "kind": "full", "chain": [],
        "start": {"at": now.to_string()}, "stop": {"at": now.to_string()}, "size": 12, "expires": null}});
    let folder = folder(&[("migrations/V1_make.sql", MAKE), ("claim.json", &claim.to_string()), ("attestations/README", ""), ("allowed_signers", "")]);
    std::fs::write(folder.path().join("migrate.toml"), POLICY).unwrap();
    assert_eq!(run(&folder, &["up"]).code, 0);
    std::fs::write(folder.path().join("migrations/V2_drop.sql"), DROP).unwrap();
    folder
}

fn key(folder: &TempDir, name: &str, kind: &[&str], passphrase: &str) {
    let made = program(folder.path(), "ssh-keygen", &[&["-q", "-N", passphrase, "-C", "", "-f", name, "-t"], kind].concat(), &[], "");
    assert!(made.0, "{}", made.1);
}

fn allow(folder: &TempDir, name: &str) {
    let key = std::fs::read_to_string(folder.path().join(format!("{name}.pub"))).unwrap();
    std::fs::write(folder.path().join("allowed_signers"), format!("dba@example.com namespaces=\"{NAMESPACE}\" {key}")).unwrap();
}

const ATTEST: [&str; 6] = ["attest", "2", "--tool", "generic", "--evidence", "claim.json"];
const FILE: &str = "attestations/2.attestation.json";

/// What `check` says of the second migration, and its exit code.
fn status(folder: &TempDir) -> (String, i32) {
    let ran = run(folder, &["check", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).expect("JSON");
    (report["migrations"][1]["attestation"]["status"].as_str().unwrap().to_owned(), ran.code)
}

#[test]
fn what_one_signs_the_other_takes_whatever_the_key() {
    let folder = stage();
    assert_eq!(status(&folder), (String::from("missing"), 1));
    let kinds: [(&str, &[&str]); 4] =
        [("ed25519", &["ed25519"]), ("p256", &["ecdsa", "-b", "256"]), ("p384", &["ecdsa", "-b", "384"]), ("rsa", &["rsa", "-b", "3072"])];
    for (name, kind) in kinds {
        key(&folder, name, kind, "");
        allow(&folder, name);
        // Ours, checked by theirs.
        let unsigned = if name == "rsa" { &["--issuer", "dba@example.com"] } else { &["--sign-key", name] };
        let ran = run(&folder, &[&ATTEST[..], unsigned].concat());
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        let signature = format!("{FILE}.sig");
        if name != "rsa" {
            assert!(ran.out.contains("signed for dba@example.com"), "{name}: the issuer is whom the file has that key for: {}", ran.out);
            let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
            let verify = ["-Y", "verify", "-f", "allowed_signers", "-I", "dba@example.com", "-n", NAMESPACE, "-s", &signature];
            let (good, said) = program(folder.path(), "ssh-keygen", &verify, &[], &text);
            assert!(good, "{name}: {said}");
            assert!(!program(folder.path(), "ssh-keygen", &verify, &[], &text.replace("b1", "b2")).0, "{name}: a changed one");
            assert_eq!(status(&folder), (String::from("valid"), 0), "{name}");
            std::fs::remove_file(folder.path().join(&signature)).unwrap();
        }
        // Theirs, checked by ours: also of a key that only an agent has.
        assert_eq!(status(&folder), (String::from("invalid"), 1), "{name}: without its signature");
        let (signed, said) = program(folder.path(), "ssh-keygen", &["-q", "-Y", "sign", "-f", name, "-n", NAMESPACE, FILE], &[], "");
        assert!(signed, "{name}: {said}");
        assert_eq!(status(&folder), (String::from("valid"), 0), "{name}, signed by ssh-keygen");
        std::fs::remove_file(folder.path().join(&signature)).unwrap();
        let agent = format!("ssh-add -q {name} && rm {name} && ssh-keygen -q -Y sign -U -f {name}.pub -n {NAMESPACE} {FILE}");
        let (signed, said) = program(folder.path(), "ssh-agent", &["sh", "-c", &agent], &[], "");
        assert!(signed, "{name}: {said}");
        assert_eq!(status(&folder), (String::from("valid"), 0), "{name}, signed by an agent");
        std::fs::remove_file(folder.path().join(&signature)).unwrap();
        std::fs::remove_file(folder.path().join(FILE)).unwrap();
    }
}

#[test]
fn a_key_that_cannot_sign_here_leads_to_the_command_that_can() {
    let folder = stage();
    key(&folder, "locked", &["ed25519"], "secret words");
    std::fs::write(folder.path().join("none"), "no key").unwrap();
    key(&folder, "rsa", &["rsa", "-b", "2048"], "");
    for (key, words) in [
        ("rsa", "is an RSA key"),
        ("locked", "has a passphrase"),
        ("locked.pub", "no private SSH key"),
        ("none", "no private SSH key"),
        ("missing", "cannot read"),
    ] {
        let ran = run(&folder, &[&ATTEST[..], &["--sign-key", key]].concat());
        assert_eq!((ran.code, ran.err.contains(words)), (2, true), "{key}: {}", ran.err);
        assert!(ran.err.contains(&format!("ssh-keygen -Y sign -f KEY -n {NAMESPACE} attestations/2.attestation.json")), "{}", ran.err);
        assert!(!folder.path().join(FILE).exists(), "{key}");
    }
    let ran = run(&folder, &[&ATTEST[..], &["--issuer", "dba@example.com"]].concat());
    let command = ran.out.lines().last().unwrap().trim().replace("KEY", "open");
    key(&folder, "open", &["ed25519"], "");
    allow(&folder, "open");
    assert!(program(folder.path(), "sh", &["-c", &command], &[], "").0, "{command}");
    assert_eq!(status(&folder), (String::from("valid"), 0));
    let again = run(&folder, &ATTEST);
    assert_eq!((again.code, again.err.contains("is there already")), (2, true), "{}", again.err);
    assert_eq!(status(&folder), (String::from("valid"), 0), "what stands there stays");
}

#[test]
fn the_gate_opens_for_what_lies_in_the_folder_and_check_tells_how_it_stands() {
    let folder = stage();
    key(&folder, "key", &["ed25519"], "");
    allow(&folder, "key");
    assert_eq!(run(&folder, &[&ATTEST[..], &["--sign-key", "key"]].concat()).code, 0);
    let file = folder.path().join(FILE);
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("\"b1\"", "\"b2\"")).unwrap();
    assert_eq!(status(&folder), (String::from("invalid"), 1));
    let up = run(&folder, &["up"]);
    assert_eq!((up.code, up.err.contains("changed after it was signed")), (3, true), "{}", up.err);
    std::fs::write(&file, &good).unwrap();
    for (policy, expected, words) in [
        (POLICY.replace("claimed", "observed"), "invalid", "min-level"),
        (POLICY.replace("min-level", "max-age = \"0s\"\nmin-level"), "invalid", "max-age"),
        (POLICY.replace("allowed-signers = \"allowed_signers\"\n", ""), "invalid", "nobody may sign"),
        (POLICY.replace("\"attestations\"", "\"migrations\""), "missing", "holds rows"),
        (POLICY.replace("min-level", "look-again = \"always\"\nmin-level"), "valid", "cannot be looked at again"),
        (format!("{POLICY}[gate]\nloss = \"deny\"\n"), "valid", "denies"),
    ] {
        std::fs::write(folder.path().join("migrate.toml"), policy).unwrap();
        let code = i32::from(expected != "valid" || words == "denies");
        assert_eq!(status(&folder), (expected.to_owned(), code), "{words}");
        let up = run(&folder, &["up"]);
        assert_eq!((up.code, up.err.contains(words)), (3, true), "{words}: {}", up.err);
    }
    std::fs::write(folder.path().join("migrate.toml"), POLICY).unwrap();
    assert_eq!(status(&folder), (String::from("valid"), 0));
    let (elsewhere, there) = (folder.path().join("copy.db"), folder.path().join("shop.db"));
    std::fs::copy(&there, &elsewhere).unwrap();
    let up = migrate_with(folder.path(), &["up"], &[("DATABASE_URL", "sqlite:copy.db")]);
    assert_eq!((up.code, up.err.contains("database.server.path")), (3, true), "a copy is another one: {}", up.err);
    // Another file in its place has another number.
    std::fs::rename(&there, folder.path().join("moved.db")).unwrap();
    std::fs::rename(&elsewhere, &there).unwrap();
    let up = run(&folder, &["up"]);
    assert_eq!((up.code, up.err.contains("database.server.inode")), (3, true), "{}", up.err);
    std::fs::rename(folder.path().join("moved.db"), &there).unwrap();
    let up = run(&folder, &["up"]);
    assert_eq!(up.code, 0, "{}", up.err);
    assert!(up.err.contains("nobody looked again whether the backup is still there"), "{}", up.err);
    let history: Value = serde_json::from_str(&run(&folder, &["history", "--format", "json"]).out).unwrap();
    let row = history["history"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(row["attestation"]["attestation"].as_str(), Some(good.as_str()), "kept to the byte");
}

#[test]
fn evidence_of_a_person_is_read_as_strictly() {
    let folder = stage();
    let claim: Value = serde_json::from_str(&std::fs::read_to_string(folder.path().join("claim.json")).unwrap()).unwrap();
    let edited = |place: &str, value: Value| {
        let mut claim = claim.clone();
        *claim.pointer_mut(place).unwrap() = value;
        claim.to_string()
    };
    for (what, text, words) in [
        ("empty", String::new(), "claim is empty"),
        ("truncated", claim.to_string()[..60].to_owned(), "cannot be read"),
        ("another tool", edited("/backup/tool", json!("pgbackrest")), "backup.tool"),
        ("no label", edited("/backup/label", json!(" ")), "backup.label"),
        ("in the future", edited("/backup/stop/at", json!("2999-01-01T00:00:00Z")), "backup.stop.at"),
        ("it ends before it begins", edited("/backup/stop/at", json!("1999-01-01T00:00:00Z")), "backup.stop.at"),
        ("dropped", edited("/backup/expires", json!("1999-01-01T00:00:00Z")), "backup.expires"),
        ("an unknown key", claim.to_string().replacen("\"backup\"", "\"more\": 1, \"backup\"", 1), "more"),
        ("a key twice", claim.to_string().replacen("\"label\"", "\"label\": \"b0\", \"label\"", 1), "twice"),
    ] {
        std::fs::write(folder.path().join("claim.json"), text).unwrap();
        let ran = run(&folder, &ATTEST);
        assert_eq!((ran.code, ran.err.contains(words)), (3, true), "{what}: {}", ran.err);
        assert!(!folder.path().join(FILE).exists(), "{what}");
    }
    for (arguments, code, words) in [
        (&["attest", "7", "--tool", "generic", "--evidence", "claim.json"][..], 2, "no migration has version 7"),
        (&["attest", "2", "--tool", "tar", "--run"], 2, "the tools are"),
        (&["attest", "2", "--tool", "generic"], 2, "--run"),
        (&["attest", "2", "--tool", "generic", "--run"], 2, "no program tells of it"),
        (&["attest", "2", "--tool", "pg_basebackup", "--run"], 2, "--backup PATH"),
        (&["attest", "--tool", "generic", "--run"], 2, "VERSION"),
    ] {
        let ran = run(&folder, arguments);
        assert_eq!((ran.code, ran.err.contains(words)), (code, true), "{arguments:?}: {}", ran.err);
    }
}

/// A restore counts for as long as the policy says.
#[test]
fn a_restore_of_long_ago_tells_nothing() {
    let folder = stage();
    key(&folder, "key", &["ed25519"], "");
    allow(&folder, "key");
    let day = |ago: u64| humantime::format_rfc3339_seconds(SystemTime::now() - Duration::from_secs(ago * 86_400)).to_string()[..10].to_owned();
    let policy = POLICY.replace("claimed", "restore-tested");
    for (tested, within, expected) in [(10, "", "valid"), (100, "", "invalid"), (100, "restored-within = \"120days\"\n", "valid")] {
        // One attestation a try: the nonce is for one migration, and the file is not written over.
        let _ = (std::fs::remove_file(folder.path().join(FILE)), std::fs::remove_file(folder.path().join(format!("{FILE}.sig"))));
        std::fs::write(folder.path().join("migrate.toml"), format!("{policy}{within}")).unwrap();
        let ran = run(&folder, &[&ATTEST[..], &["--sign-key", "key", "--restore-tested", &day(tested)]].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(status(&folder), (expected.to_owned(), i32::from(expected != "valid")), "{tested} days ago, {within}");
    }
}

#[test]
fn the_topic_names_every_setting() {
    let page = std::fs::read_to_string(root().join("fixtures/topics/attestation.md")).unwrap();
    let toml = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = folder(&[("migrate.toml", toml), ("migrations/V1_make.sql", MAKE), ("allowed_signers", "")]);
    let ran = run(&folder, &["check"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    for key in ["allowed-signers", "directory", "max-age", "max-gap", "restored-within", "min-level", "look-again", "override"] {
        assert!(toml.lines().any(|line| line.starts_with(&format!("{key} = "))), "{key}");
    }
}
