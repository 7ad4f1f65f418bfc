//! What the README shows of the program's output is what the program prints. A block begins with `<!-- run: COMMAND -->` and
//! ends with `<!-- end -->`.

use super::support::{migrate, root};
use std::fs;

const BEGIN: &str = "<!-- run: migrate ";
const END: &str = "<!-- end -->\n";

/// The README with each block as a run of its command gives it now, and how many blocks it has.
fn renewed(readme: &str) -> (String, usize) {
    let (mut out, mut rest, mut count) = (String::new(), readme, 0);
    while let Some((before, after)) = rest.split_once(BEGIN) {
        let (command, after) = after.split_once(" -->\n").expect("the marker ends its line");
        let (_, after) = after.split_once(END).unwrap_or_else(|| panic!("`{command}` has no end marker"));
        let ran = migrate(&root(), &command.split(' ').collect::<Vec<_>>());
        assert!(ran.code <= 1 && ran.err.is_empty(), "migrate {command}: exit {} {}", ran.code, ran.err);
        let block = match command.contains("markdown") {
            true => ran.out,
            false => format!("```text\n$ migrate {command}\n{}$ echo $?\n{}\n```\n", ran.out, ran.code),
        };
        out += &format!("{before}{BEGIN}{command} -->\n{block}{END}");
        (rest, count) = (after, count + 1);
    }
    (out + rest, count)
}

#[test]
fn what_the_readme_shows_is_what_the_program_prints() {
    let path = root().join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (renewed, count) = renewed(&readme);
    assert_eq!(count, 2, "the README shows `check` and the table");
    if std::env::var_os("MIGRATE_BLESS").is_some() {
        fs::write(&path, renewed).unwrap();
    } else if let Some((at, (old, new))) = readme.lines().zip(renewed.lines()).enumerate().find(|(_, (old, new))| old != new) {
        panic!(
            "README.md:{} is not what the program prints.\nREADME:  {old}\nprogram: {new}\nTo rewrite the README: MIGRATE_BLESS=1 cargo test --test it readme",
            at + 1
        );
    } else {
        assert_eq!(readme, renewed, "to rewrite the README: MIGRATE_BLESS=1 cargo test --test it readme");
    }
}

#[test]
fn the_readme_names_every_setting_and_every_exit_code() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let (_, after) = readme.split_once("```toml\n").unwrap();
    let settings = after.split_once("```").unwrap().0;
    let folder = super::support::folder(&[
        ("migrate.toml", settings),
        ("before.sql", ""),
        ("allowed_signers", ""),
        ("migrations/V20240102_a.sql", "-- UP\nSELECT 1;\n-- DOWN\n"),
    ]);
    let ran = migrate(folder.path(), &["check"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "the README's settings are accepted");
    // Serde names every key where it meets an unknown one.
    for (text, table) in [
        ("nothing = 1", "the file"),
        ("[gate]\nnothing = 1", "[gate]"),
        ("[pin]\nnothing = 1", "[pin]"),
        ("[attestation]\nnothing = 1", "[attestation]"),
        ("[run]\nnothing = 1", "[run]"),
    ] {
        std::fs::write(folder.path().join("migrate.toml"), text).unwrap();
        let ran = migrate(folder.path(), &["check"]);
        let (_, known) = ran.err.lines().next().unwrap().split_once("expected ").unwrap_or_else(|| panic!("{}", ran.err));
        for key in known.trim_start_matches("one of ").split([',', ' ']).map(|key| key.trim_matches('`')).filter(|key| !["", "or"].contains(key)) {
            let stands = settings
                .lines()
                .any(|line| line.starts_with(&format!("{key} = ")) || line.starts_with(&format!("[{key}")) || line.starts_with(&format!("[gate.{key}]")));
            assert!(stands, "the README's settings do not name `{key}` of {table}");
        }
    }
    for code in 0..=7 {
        assert!(readme.contains(&format!("\n| {code} | ")), "the README does not name exit code {code}");
    }
}
