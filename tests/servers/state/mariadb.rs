//! MariaDB. In: a connection. Out: what `SHOW CREATE` says of each table, view and sequence; triggers, routines, events and rights
//! from the system's tables; every row, those of the past too.

use super::{OUTSIDE, Scope, State, evened};
use crate::link::{Cells, Link};
use crate::support::Database;

/// What stands beside tables in one schema; `{own}` is its name. A condition that is no equality makes the server open every table
/// of every schema.
const IN_SCHEMA: &[(&str, &str)] = &[
    (
        "schema",
        "SELECT schema_name, default_character_set_name, default_collation_name, schema_comment FROM information_schema.schemata WHERE schema_name = {own}",
    ),
    (
        "trigger",
        "SELECT trigger_schema, trigger_name, event_manipulation, event_object_table, action_timing, action_order, action_statement, definer, sql_mode \
         FROM information_schema.triggers WHERE trigger_schema = {own}",
    ),
    (
        "routine",
        "SELECT db, name, type, sql_data_access, is_deterministic, security_type, param_list, `returns`, body, definer, comment, aggregate, sql_mode \
         FROM mysql.proc WHERE db = {own}",
    ),
    (
        "event",
        "SELECT db, name, body, definer, execute_at, interval_value, interval_field, starts, ends, status, on_completion, comment, sql_mode, time_zone \
         FROM mysql.event WHERE db = {own}",
    ),
    ("right", "SELECT * FROM mysql.db WHERE db = {own}"),
    ("right on a table", "SELECT host, db, user, table_name, grantor, table_priv, column_priv FROM mysql.tables_priv WHERE db = {own}"),
    ("right on a column", "SELECT host, db, user, table_name, column_name, column_priv FROM mysql.columns_priv WHERE db = {own}"),
    ("right on a routine", "SELECT host, db, user, routine_name, routine_type, proc_priv FROM mysql.procs_priv WHERE db = {own}"),
];

/// What belongs to the whole server.
const ON_SERVER: &[(&str, &str)] = &[
    ("user", "SELECT user, host, JSON_REMOVE(priv, '$.password_last_changed') FROM mysql.global_priv WHERE user LIKE 'migrate\\_case%'"),
    ("member", "SELECT * FROM mysql.roles_mapping WHERE user LIKE 'migrate\\_case%' OR role LIKE 'migrate\\_case%'"),
    ("server", "SELECT * FROM mysql.servers"),
    ("plugin", "SELECT * FROM mysql.plugin"),
    ("function", "SELECT name, ret, dl, type FROM mysql.func"),
    ("replica", "SHOW ALL SLAVES STATUS"),
    (
        "global variable",
        "SELECT variable_name, global_value FROM information_schema.system_variables WHERE global_value IS NOT NULL AND variable_name NOT LIKE '%GTID%'",
    ),
];

pub(super) async fn dump(link: &mut Link, scope: Scope) -> State {
    let mut state = State { schema: Vec::new(), rows: Vec::new() };
    for (label, sql) in ON_SERVER.iter().filter(|_| scope == Scope::Server) {
        state.schema.extend(link.lines(label, sql).await);
    }
    let others = if scope == Scope::Server { " OR schema_name LIKE 'migrate\\_case%'" } else { "" };
    for schema in link.rows(&format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name = DATABASE(){others}")).await.concat() {
        let own = |sql: &str| sql.replace("{own}", &format!("'{schema}'"));
        for (label, sql) in IN_SCHEMA {
            state.schema.extend(link.lines(label, &own(sql)).await);
        }
        let tables = link.rows(&own("SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = {own}")).await;
        for table in &tables {
            self::table(link, &mut state, table).await;
        }
    }
    state
}

/// One table, view or sequence with its rows.
async fn table(link: &mut Link, state: &mut State, table: &Cells) {
    let [schema, name, kind] = &table[..] else { panic!("three cells: {table:?}") };
    let place = format!("`{schema}`.`{name}`");
    let what = match kind.as_str() {
        "VIEW" => "VIEW",
        "SEQUENCE" => "SEQUENCE",
        _ => "TABLE",
    };
    let shown = link.rows(&format!("SHOW CREATE {what} {place}")).await.swap_remove(0).swap_remove(1);
    let (shown, position) = without_position(&shown);
    state.schema.push(format!("{place}: {}", evened(&shown.lines().collect::<Vec<_>>())));
    state.rows.extend(position.map(|position| format!("{place} position: {position}")));
    match what {
        "VIEW" => {}
        "SEQUENCE" => state.rows.extend(link.lines(&format!("{place} position"), &format!("SELECT next_not_cached_value FROM {place}")).await),
        _ => state.rows.extend(rows(link, schema, name, kind).await),
    }
}

/// The next key of a table is a position, as that of a sequence is.
fn without_position(shown: &str) -> (String, Option<String>) {
    let Some((head, rest)) = shown.split_once(" AUTO_INCREMENT=") else { return (shown.to_owned(), None) };
    let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
    (format!("{head}{tail}"), Some(number.to_owned()))
}

async fn rows(link: &mut Link, schema: &str, name: &str, kind: &str) -> Vec<String> {
    let place = format!("`{schema}`.`{name}`");
    let columns = link
        .rows(&format!("SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = '{schema}' AND table_name = '{name}' ORDER BY 1"))
        .await;
    let cell = |column: &Vec<String>| {
        let [name, kind] = &column[..] else { panic!("two cells: {column:?}") };
        let bytes = ["blob", "binary", "bit", "geometry", "point"].iter().any(|word| kind.contains(word));
        let text = if bytes { format!("HEX(`{name}`)") } else { format!("QUOTE(CONVERT(`{name}` USING utf8mb4))") };
        format!("CONCAT('{name}=', IFNULL({text}, 'NULL'))")
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    let past = if kind == "SYSTEM VERSIONED" { " FOR SYSTEM_TIME ALL" } else { "" };
    link.lines(&place, &format!("SELECT {} FROM {place}{past}", cells.join(", "))).await
}

pub(super) async fn clean(link: &mut Link, database: &Database) {
    let ours = format!("SELECT schema_name FROM information_schema.schemata WHERE schema_name = '{}' OR schema_name LIKE '{OUTSIDE}%'", database.name());
    for schema in link.rows(&ours).await.concat() {
        link.execute(&format!("DROP DATABASE `{schema}`")).await.expect("a database of ours");
    }
    for row in link.rows(&format!("SELECT user, host, JSON_VALUE(priv, '$.is_role') FROM mysql.global_priv WHERE user LIKE '{OUTSIDE}%'")).await {
        let [user, host, is_role] = &row[..] else { panic!("three cells: {row:?}") };
        let sql = if is_role == "NULL" { format!("DROP USER '{user}'@'{host}'") } else { format!("DROP ROLE '{user}'") };
        link.execute(&sql).await.expect("a user of ours");
    }
}
