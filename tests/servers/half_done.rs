//! A run that stopped part-way, as a user meets it: what the next start says, and each way on. MariaDB, where DDL commits by itself.

use crate::support::{Database, database};
use std::path::Path;
use std::process::Command;
use unmigrate::engine::Engine;

struct Project {
    folder: tempfile::TempDir,
    database: Database,
}

impl Project {
    /// A project on MariaDB whose second migration is `sql`; `None` where there is no server.
    fn new(sql: &str) -> Option<Project> {
        let project = Project { folder: tempfile::tempdir().expect("a folder"), database: database(Engine::Mariadb)? };
        project.write("V1_base.sql", "-- UP\nCREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(50) DEFAULT 'none');\n-- DOWN\nDROP TABLE users;\n");
        project.write("V2_more.sql", sql);
        Some(project)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("a file");
    }

    /// The exit code, and all that is printed.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        run(self.folder.path(), &self.database, arguments)
    }

    /// The tables as the server writes them.
    fn schema(&self) -> Vec<String> {
        self.database.query(
            "SELECT CONCAT_WS(' ', table_name, column_name, column_type, column_default) FROM information_schema.columns \
             WHERE table_schema = DATABASE() AND table_name NOT LIKE 'migrate\\_%' ORDER BY table_name, ordinal_position",
        )
    }
}

fn run(dir: &Path, database: &Database, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
    let output = command.args(arguments).arg("--dir").arg(dir).env("DATABASE_URL", &database.url).output().expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().expect("it ends by itself"), text)
}

const BROKEN: &str = "-- UP
ALTER TABLE users ADD COLUMN name VARCHAR(20);
ALTER TABLE users ALTER COLUMN email SET DEFAULT 'unknown';
INSERT INTO users (id, name) VALUES (1, 'ada');
CREATE INDEX users_name ON users (name);
ALTER TABLE missing ADD COLUMN c INT;
CREATE TABLE notes (id INT PRIMARY KEY);
-- DOWN
DROP TABLE notes;
";

#[test]
fn it_says_what_stands_and_goes_on_when_the_rest_is_mended() {
    let Some(project) = Project::new(BROKEN) else { return };
    let (code, told) = project.run(&["up"]);
    assert_eq!(code, 6, "{told}");
    assert!(told.contains("V2_more.sql:6: statement 5 of 6") && told.contains("the statements on lines 2, 3, 4, 5 stand; `--finish`"), "{told}");
    for command in [&["up"][..], &["down", "--steps", "1"], &["goto", "1"], &["redo"]] {
        let (code, told) = project.run(command);
        assert_eq!(code, 6, "{command:?}: {told}");
        assert!(told.contains("up of 2 more began at") && told.contains("4 of 6 statements stand (lines 2, 3, 4, 5)"), "{told}");
    }
    let (code, status) = project.run(&["status"]);
    assert_eq!((code, status.contains("half-done: up of 2 more, of which 4 statements stand")), (4, true), "{status}");

    // What stands may not change in the file; what failed may.
    project.write("V2_more.sql", &BROKEN.replace("'ada'", "'eva'"));
    let (code, told) = project.run(&["up", "--finish"]);
    assert_eq!((code, told.contains("not those at the beginning of V2_more.sql any more")), (4, true), "{told}");
    project.write("V2_more.sql", &BROKEN.replace("ALTER TABLE missing ADD COLUMN c INT", "ALTER TABLE users ADD COLUMN c INT"));
    let (code, told) = project.run(&["up", "--finish"]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(project.database.query("SELECT name FROM users"), ["ada"], "no statement ran twice");
    assert_eq!(project.schema().len(), 5, "{:?}", project.schema());
    assert_eq!(project.run(&["up"]).1, "nothing to do: all 2 migrations are applied\n");
    assert_eq!(project.run(&["status"]).0, 0);
}

#[test]
fn it_takes_back_what_stands_with_the_inverses() {
    let Some(project) = Project::new(BROKEN) else { return };
    let good = BROKEN.split_once("ALTER TABLE missing").expect("it is there").0.to_owned() + "-- DOWN\n";
    project.run(&["up", "--to", "1"]);
    let before = project.schema();
    project.run(&["up"]);
    assert_ne!(project.schema(), before);
    let (code, told) = project.run(&["down"]);
    assert_eq!((code, told.contains("4 of 6 statements stand")), (6, true), "no plan of another migration: {told}");
    let (code, told) = project.run(&["down", "--compensate"]);
    let plan = "`--compensate` would take back what stands of up of 2 more:\n\n    DROP INDEX users_name ON users;\n    DELETE FROM users WHERE id = 1;\n    \
                ALTER TABLE users MODIFY COLUMN email varchar(50) NULL DEFAULT 'none';\n    ALTER TABLE users DROP COLUMN name;\n\n\
                it takes along what stands in column users.name\n\nnothing was done; `migrate up --compensate` does it\n";
    assert_eq!((code, told.as_str()), (3, plan));
    let (code, told) = project.run(&["down", "--compensate", "--format", "json"]);
    assert_eq!((code, told.starts_with(r#"{"compensate":{"direction":"up","loses":["column users.name"],"#)), (3, true), "{told}");
    let (code, told) = project.run(&["up", "--compensate"]);
    assert_eq!((code, told.contains("--accept-loss users.name")), (3, true), "the row that UP brought cannot be told from others: {told}");
    let (code, told) = project.run(&["up", "--compensate", "--accept-loss", "users.name"]);
    assert_eq!((code, told.ends_with("took back 4 statements of up of 2 more; nothing else was run\n")), (0, true), "{told}");
    assert_eq!((project.schema(), project.database.query("SELECT count(*) FROM users")), (before, vec![String::from("0")]));
    project.write("V2_more.sql", &good);
    let (code, told) = project.run(&["up"]);
    assert_eq!(code, 0, "{told}");
    let outcomes = project.database.query("SELECT outcome FROM migrate_history WHERE version = '2' ORDER BY seq");
    assert_eq!(outcomes, ["started", "failed", "undone", "started", "done"]);
}

#[test]
fn what_cannot_be_taken_back_is_named_and_left() {
    let lossy = "-- UP\nALTER TABLE users DROP COLUMN email;\nCREATE TABLE users (id INT);\n-- DOWN\n-- IRREVERSIBLE: gone\n";
    let Some(project) = Project::new(lossy) else { return };
    let (code, told) = project.run(&["up"]);
    assert_eq!((code, told.contains("line 2 stand")), (6, true), "{told}");
    let (code, told) = project.run(&["up", "--compensate"]);
    assert_eq!((code, told.contains("it cannot be taken back without a person: for line 2, ")), (6, true), "{told}");
    let (code, told) = project.run(&["up", "--settle", "undone", "--reason", "restored from last night"]);
    assert_eq!((code, told.as_str()), (0, "recorded the end of up of 2 more; nothing else was run\n"), "{told}");
    assert_eq!(project.database.query("SELECT reason FROM migrate_history WHERE outcome = 'undone'"), ["restored from last night"]);
    assert_eq!(project.run(&["status"]).0, 0);
}

#[test]
fn rows_written_meanwhile_are_not_taken_back_without_a_word() {
    let Some(project) = Project::new("-- UP\nCREATE TABLE notes (id INT PRIMARY KEY);\nALTER TABLE missing ADD c INT;\n-- DOWN\nDROP TABLE notes;\n") else {
        return;
    };
    assert_eq!(project.run(&["up"]).0, 6);
    project.database.execute("INSERT INTO notes VALUES (7)");
    let (code, told) = project.run(&["up", "--compensate"]);
    assert_eq!((code, told.contains("loses all that stands in table notes")), (3, true), "{told}");
    assert_eq!(project.database.query("SELECT id FROM notes"), ["7"]);
}

#[test]
fn where_nobody_can_tell_a_person_is_asked() {
    let Some(project) = Project::new("-- UP\nCALL fill();\nCREATE TABLE notes (id INT PRIMARY KEY);\n-- DOWN\nDROP TABLE notes;\n") else { return };
    project.database.execute("CREATE PROCEDURE fill() SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not today'");
    let (code, told) = project.run(&["up"]);
    assert_eq!((code, told.contains("not today")), (6, true), "{told}");
    let (code, told) = project.run(&["up", "--finish"]);
    assert_eq!((code, told.contains("whether the one on line 2 does, nobody can tell: no look at the catalog tells what it did")), (6, true), "{told}");
    let (code, told) = project.run(&["up", "--finish", "--last-statement", "stands"]);
    assert_eq!(code, 0, "{told}");
    assert_eq!(project.schema().last().map(String::as_str), Some("users email varchar(50) 'none'"));
}
