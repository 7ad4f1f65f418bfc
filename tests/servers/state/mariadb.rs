//! MariaDB. In: a connection. Out: its tables and rows; triggers, routines, events and rights from the system's tables.

use super::mysql_like::{self, Question, drop_schemas};
use super::{OUTSIDE, Scope, State};
use crate::link::Link;
use crate::support::Database;

/// What stands beside tables in one schema; `{own}` is its name. A condition that is no equality makes the server open every table
/// of every schema.
const IN_SCHEMA: &[Question] = &[
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
const ON_SERVER: &[Question] = &[
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
    mysql_like::dump(link, ON_SERVER, IN_SCHEMA, scope).await
}

pub(super) async fn clean(link: &mut Link, database: &Database) {
    drop_schemas(link, database).await;
    for row in link.rows(&format!("SELECT user, host, JSON_VALUE(priv, '$.is_role') FROM mysql.global_priv WHERE user LIKE '{OUTSIDE}%'")).await {
        let [user, host, is_role] = &row[..] else { panic!("three cells: {row:?}") };
        let sql = if is_role == "NULL" { format!("DROP USER '{user}'@'{host}'") } else { format!("DROP ROLE '{user}'") };
        link.execute(&sql).await.expect("a user of ours");
    }
}
