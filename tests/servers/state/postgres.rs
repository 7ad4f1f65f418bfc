//! PostgreSQL. In: a connection. Out: what `pg_dump` writes, what it leaves out (roles, versions of extensions, settings of the
//! server), and every row.

use super::{OUTSIDE, Scope, State, evened};
use crate::link::Link;
use crate::support::{Database, postgres_binaries};
use std::process::Command;

/// What stands outside of the database, or in none of `pg_dump`'s lines.
const BESIDE: &[(&str, &str)] = &[
    ("role", "SELECT to_jsonb(a) - 'oid' FROM pg_authid a WHERE rolname LIKE 'migrate\\_case%'"),
    (
        "member",
        "SELECT m.roleid::regrole, m.member::regrole, m.admin_option FROM pg_auth_members m WHERE m.member::regrole::text LIKE 'migrate\\_case%' OR m.roleid::regrole::text LIKE 'migrate\\_case%'",
    ),
    ("role setting", "SELECT setrole::regrole, setconfig FROM pg_db_role_setting WHERE setdatabase = 0"),
    ("database", "SELECT datname FROM pg_database WHERE datname LIKE 'migrate\\_case%'"),
    ("extension", "SELECT extname, extversion FROM pg_extension"),
    ("server setting", "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf'"),
    ("slot", "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"),
];

const TABLES: &str = "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
     WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'";

pub(super) async fn dump(link: &mut Link, database: &Database, scope: Scope) -> State {
    let mut state = State { schema: definitions(database), rows: Vec::new() };
    for (label, sql) in BESIDE.iter().filter(|_| scope == Scope::Server) {
        state.schema.extend(link.lines(label, sql).await);
    }
    for table in link.rows(TABLES).await.concat() {
        // jsonb orders columns by their names.
        state.rows.extend(link.lines(&table, &format!("SELECT to_jsonb(t) FROM ONLY {table} t")).await);
    }
    for sequence in link.rows("SELECT format('%I.%I', schemaname, sequencename) FROM pg_sequences").await.concat() {
        state.rows.extend(link.lines(&format!("{sequence} position"), &format!("SELECT last_value, is_called FROM {sequence}")).await);
    }
    state
}

/// One entry an object, each with the head that `pg_dump` gives it.
fn definitions(database: &Database) -> Vec<String> {
    let program = postgres_binaries().expect("PostgreSQL runs").join("pg_dump");
    let output = Command::new(program).args(["--schema-only", "--create", "--dbname", &database.url]).output().expect("pg_dump starts");
    assert!(output.status.success(), "pg_dump: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let noise =
        |line: &&str| !(line.starts_with("--") || line.starts_with('\\') || line.starts_with("SET ") || line.starts_with("SELECT pg_catalog.set_config"));
    let object = |chunk: &str| {
        let (head, body) = chunk.split_once('\n').unwrap_or((chunk, ""));
        let lines: Vec<&str> = [head].into_iter().chain(body.lines().filter(noise)).collect();
        if body.contains("\nCREATE TABLE ") || body.contains("\nCREATE FOREIGN TABLE ") { evened(&lines) } else { lines.join("\n    ").trim_end().to_owned() }
    };
    text.split("\n-- Name: ").skip(1).map(object).collect()
}

pub(super) async fn clean(link: &mut Link, database: &Database) {
    let name = database.name();
    link.execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.expect("a database of ours");
    for other in link.rows(&format!("SELECT datname FROM pg_database WHERE datname LIKE '{OUTSIDE}%'")).await.concat() {
        link.execute(&format!("DROP DATABASE {other} WITH (FORCE)")).await.expect("a database of ours");
    }
    for role in link.rows(&format!("SELECT rolname FROM pg_roles WHERE rolname LIKE '{OUTSIDE}%'")).await.concat() {
        link.execute(&format!("DROP ROLE {role}")).await.expect("a role of ours");
    }
    link.execute("ALTER SYSTEM RESET ALL").await.expect("a server of ours");
}
