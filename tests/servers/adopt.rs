//! Databases in the hands of other tools on PostgreSQL and MariaDB (`fixtures/adopt`): the whole chain, and the other tool's table
//! afterwards. On SQLite, `tests/it/adopt.rs` does the same.

use crate::support::{Database, PASSWORD, database, engines};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use unmigrate::engine::Engine;
use unmigrate::foreign::TOOLS;

fn fixture(tool: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/adopt").join(tool)
}

/// Copies the files; the way back of the last one is not the same in MySQL's words.
fn copy(from: &Path, to: &Path, engine: Engine) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let (path, to) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).expect("an entry");
        if path.is_dir() {
            copy(&path, &to, engine);
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("text");
        let down = if engine.is_mysql_like() { "DROP INDEX notes_user ON notes;" } else { "DROP INDEX notes_user;" };
        std::fs::write(to, text.replace("DROP INDEX notes_user;", down)).expect("a file");
    }
}

/// A project with its database, as the tool left them.
struct Project {
    database: Database,
    folder: tempfile::TempDir,
}

impl Project {
    fn new(tool: &str, database: Database) -> Project {
        let folder = tempfile::tempdir().expect("a folder");
        copy(&fixture(tool).join("migrations"), &folder.path().join("migrations"), database.engine);
        let dump = if database.engine == Engine::Postgres { "postgres.sql" } else { "mariadb.sql" };
        database.execute(&std::fs::read_to_string(fixture(tool).join(dump)).expect("a dump"));
        Project { database, folder }
    }

    /// Exit code and all that was printed.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_migrate"));
        command.args(arguments).env("DATABASE_URL", &self.database.url).current_dir(self.folder.path()).stdin(Stdio::null());
        let output = command.output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!text.contains(PASSWORD), "{text}");
        (output.status.code().expect("it ends by itself"), text)
    }

    #[track_caller]
    fn done(&self, arguments: &[&str]) -> String {
        match self.run(arguments) {
            (0, text) => text,
            (code, text) => panic!("{arguments:?}: exit {code}, {text}"),
        }
    }

    /// All rows of a table.
    fn dump(&self, table: &str) -> Vec<String> {
        if self.database.engine == Engine::Postgres {
            return self.database.query(&format!("SELECT t::text FROM {table} t ORDER BY 1"));
        }
        let cells = "SELECT GROUP_CONCAT('COALESCE(HEX(`', column_name, '`), ''NULL'')') FROM information_schema.columns WHERE table_schema = DATABASE()";
        let cells = self.database.query(&format!("{cells} AND table_name = '{table}'")).remove(0);
        self.database.query(&format!("SELECT CONCAT_WS('|', {cells}) FROM {table} ORDER BY 1"))
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "captured, and shown where the test fails")]
fn each_tools_database_is_taken_over() {
    for engine in engines().into_iter().filter(|engine| *engine != Engine::Sqlite) {
        for tool in TOOLS.iter().map(|facts| facts.tool.name()) {
            let Some(database) = database(engine) else { return };
            eprintln!("{tool} on {engine}");
            let project = Project::new(tool, database);
            project.done(&["init", "--layout", tool, "--engine", engine.name()]);
            project.done(&["check"]);
            let adopted: serde_json::Value = serde_json::from_str(&project.done(&["adopt", "--dir", "migrations", "--format", "json"])).expect("JSON");
            let field = |name: &str| adopted["adopted"].as_array().unwrap().iter().map(|one| one[name].as_str().unwrap()).collect::<Vec<_>>();
            assert_eq!(field("name"), ["create_users", "drop_nickname", "create_notes"]);
            let compared = matches!(tool, "sqlx" | "refinery" | "flyway" | "prisma");
            assert_eq!(field("file"), [if compared { "as-it-ran" } else { "no-checksum" }; 3]);
            let table = adopted["from"]["table"].as_str().unwrap();
            let theirs = project.dump(table);
            assert!(!theirs.is_empty());
            assert_eq!(project.done(&["adopt"]), "nothing to do: migrate_history holds all of it already\n");
            assert!(project.done(&["status"]).contains("\n3 applied, 1 pending\n"));
            project.done(&["up"]);
            let (code, text) = project.run(&["down", "--steps", "2"]);
            let has_down = !matches!(tool, "refinery" | "prisma");
            assert_eq!(code, if has_down { 0 } else { 3 }, "{text}");
            assert!(project.done(&["status"]).contains(if has_down { "\n2 applied, 2 pending\n" } else { "\n4 applied, 0 pending\n" }));
            assert_eq!(project.dump(table), theirs, "{tool} finds its own table as it left it");
        }
    }
}

#[test]
fn a_history_in_another_schema_is_named_with_it() {
    let Some(database) = database(Engine::Postgres) else { return };
    let project = Project::new("dbmate", database);
    project.database.execute("CREATE SCHEMA old; CREATE TABLE old.schema_migrations (version varchar primary key)");
    let (code, text) = project.run(&["adopt"]);
    assert!(code == 2 && text.contains("dbmate in old.schema_migrations, dbmate in public.schema_migrations"), "{text}");
    assert_eq!(project.done(&["adopt", "--table", "old.schema_migrations"]), "nothing to do: by that history, no migration stands\n");
    assert!(project.done(&["adopt", "--table", "public.schema_migrations"]).contains("\n3 migrations recorded"));
}

#[test]
fn a_table_that_this_user_may_not_read_is_said_so() {
    let Some(database) = database(Engine::Postgres) else { return };
    let project = Project::new("goose", database);
    project.database.execute("CREATE ROLE adopter LOGIN; GRANT CREATE ON SCHEMA public TO adopter");
    project.database.execute("ALTER ROLE adopter PASSWORD 'throw-away'");
    let url = project.database.url.replacen("root", "adopter", 1);
    let (code, text) = project.run(&["adopt", "--database", &url]);
    assert_eq!((code, text.as_str()), (2, "error: reading another tool's history: permission denied for table goose_db_version\n"));
    assert_eq!(project.database.query("SELECT count(*)::text FROM pg_tables WHERE tablename = 'migrate_history'"), ["0"]);
}
