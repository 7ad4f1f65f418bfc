//! The example libraries run in order on an empty database of their engine, go back as far as they can, and run again.

use super::support::database;
use std::process::{Command, Stdio};
use unmigrate::engine::Engine;

/// Runs `migrate ARGUMENTS` on the library for `url`, and gives the last line of what it prints.
fn migrate(library: &str, url: &str, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migrate"))
        .args(arguments)
        .args(["--dir", &format!("migrations-examples/{library}")])
        .env("DATABASE_URL", url)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "migrate {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

fn goes_up_and_back(engine: Engine, library: &str, last_but_one: &str, count: usize) {
    let Some(database) = database(engine) else { return };
    let run = |arguments: &[&str]| migrate(library, &database.url, arguments);
    let up = run(&["up", "--to", last_but_one]);
    assert!(up.starts_with(&format!("{count} migrations applied; now at {last_but_one} (reversible")), "{library}: {up}");
    assert_eq!(run(&["down", "--steps", &count.to_string()]), format!("{count} migrations undone"), "{library}");
    let up = run(&["up"]);
    assert!(up.starts_with(&format!("{} migrations applied; now at ", count + 1)) && up.ends_with("(irreversible, loss: certain)"), "{library}: {up}");
}

#[test]
fn the_postgres_library_goes_up_and_back_and_up_again() {
    goes_up_and_back(Engine::Postgres, "postgres", "20240306", 6);
}

#[test]
fn the_mysql_library_goes_up_and_back_and_up_again_on_mariadb() {
    goes_up_and_back(Engine::Mariadb, "mysql", "20240116", 3);
}

#[test]
fn the_mysql_library_goes_up_and_back_and_up_again() {
    goes_up_and_back(Engine::Mysql, "mysql", "20240116", 3);
}
