//! What the program says of itself: each command's help, completions, the manual's pages.

use super::support::{migrate, root};

/// The commands that `migrate --help` lists.
fn commands() -> Vec<String> {
    let ran = migrate(&root(), &["--help"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let listed = ran.out.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let names: Vec<String> = listed.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(names.len() > 10, "{names:?}");
    names
}

#[test]
fn each_command_has_an_example_that_it_takes() {
    for command in commands() {
        let help = migrate(&root(), &[&command, "--help"]).out;
        let (_, examples) = help.split_once("\nExample").unwrap_or_else(|| panic!("`migrate {command} --help` has no example"));
        let lines: Vec<&str> = examples.lines().skip(1).map(str::trim).filter(|line| !line.is_empty()).collect();
        assert!(!lines.is_empty(), "{help}");
        for line in lines {
            let words = shlex::split(line.split(['>', '|']).next().unwrap()).unwrap();
            assert_eq!(words[..2], ["migrate", command.as_str()], "{line}");
            // Its help is what runs, once every argument is known.
            let arguments: Vec<&str> = words[1..].iter().map(String::as_str).chain(["--help"]).collect();
            let ran = migrate(&root(), &arguments);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{line}");
        }
    }
}

#[test]
fn completions_know_the_commands_and_the_rules() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ran = migrate(&root(), &["completions", shell]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{shell}");
        // The others' generators leave out the values of what has no `--name`.
        let rules = if matches!(shell, "bash" | "zsh") { &["drop-column", "half-done"][..] } else { &[] };
        for word in commands().iter().map(String::as_str).chain(rules.iter().copied()) {
            assert!(ran.out.contains(word), "{shell}: {word}");
        }
    }
    let script = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(script.path(), migrate(&root(), &["completions", "bash"]).out).unwrap();
    let bash = std::process::Command::new("bash").arg("-c").arg("source \"$0\" && complete -p migrate").arg(script.path()).output().unwrap();
    assert!(bash.status.success(), "{}", String::from_utf8_lossy(&bash.stderr));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("man1");
    let ran = migrate(folder.path(), &["man", "man1"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "wrote the manual's pages to man1; read one with `man -l man1/migrate.1`\n"), "{}", ran.err);
    let mut pages: Vec<String> = std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let plans = ["up", "down", "goto"].map(|of| format!("migrate-plan-{of}.1"));
    let mut due: Vec<String> = commands().iter().map(|command| format!("migrate-{command}.1")).chain([String::from("migrate.1")]).chain(plans).collect();
    pages.sort();
    due.sort();
    assert_eq!(pages, due);
    let page = std::fs::read_to_string(to.join("migrate-up.1")).unwrap();
    assert!(page.contains("migrate up \\-\\-to") && page.contains(".SH NAME"), "{page}");
    // A file where the folder should be.
    std::fs::write(folder.path().join("taken"), "").unwrap();
    let ran = migrate(folder.path(), &["man", "taken"]);
    assert_eq!((ran.code, ran.err.starts_with("error: taken: cannot be made")), (2, true), "{}", ran.err);
}
