//! MySQL. In: a connection. Out: its tables and rows; triggers, routines, events and rights from the system's tables.

use super::mysql_like::{self, Question, drop_schemas};
use super::{OUTSIDE, Scope, State};
use crate::link::Link;
use crate::support::Database;

/// What stands beside tables in one schema; `{own}` is its name.
const IN_SCHEMA: &[Question] = &[
    (
        "schema",
        "SELECT s.schema_name, default_character_set_name, default_collation_name, default_encryption, options \
         FROM information_schema.schemata s JOIN information_schema.schemata_extensions USING (schema_name) WHERE s.schema_name = {own}",
    ),
    (
        "trigger",
        "SELECT trigger_schema, trigger_name, event_manipulation, event_object_table, action_timing, action_order, action_statement, definer, sql_mode \
         FROM information_schema.triggers WHERE trigger_schema = {own}",
    ),
    (
        "routine",
        "SELECT routine_schema, routine_name, routine_type, dtd_identifier, routine_definition, external_language, sql_data_access, is_deterministic, \
         security_type, definer, routine_comment, sql_mode FROM information_schema.routines WHERE routine_schema = {own}",
    ),
    (
        "parameter",
        "SELECT specific_schema, specific_name, ordinal_position, parameter_mode, parameter_name, dtd_identifier \
         FROM information_schema.parameters WHERE specific_schema = {own}",
    ),
    (
        "event",
        "SELECT event_schema, event_name, event_definition, definer, event_type, execute_at, interval_value, interval_field, starts, ends, status, \
         on_completion, event_comment, sql_mode, time_zone FROM information_schema.events WHERE event_schema = {own}",
    ),
    ("right", "SELECT * FROM mysql.db WHERE db = {own}"),
    ("right on a table", "SELECT host, db, user, table_name, grantor, table_priv, column_priv FROM mysql.tables_priv WHERE db = {own}"),
    ("right on a column", "SELECT host, db, user, table_name, column_name, column_priv FROM mysql.columns_priv WHERE db = {own}"),
    ("right on a routine", "SELECT host, db, user, routine_name, routine_type, proc_priv FROM mysql.procs_priv WHERE db = {own}"),
];

/// What belongs to the whole server.
const ON_SERVER: &[Question] = &[
    (
        "user",
        "SELECT user, host, plugin, HEX(authentication_string), ssl_type, max_questions, max_updates, max_connections, max_user_connections, \
         account_locked, password_expired, password_lifetime, password_reuse_history, password_reuse_time, password_require_current, user_attributes \
         FROM mysql.user WHERE user LIKE 'migrate\\_case%'",
    ),
    ("right on all", "SELECT * FROM information_schema.user_privileges WHERE grantee LIKE '%migrate\\_case%'"),
    ("member", "SELECT * FROM mysql.role_edges WHERE from_user LIKE 'migrate\\_case%' OR to_user LIKE 'migrate\\_case%'"),
    ("default role", "SELECT * FROM mysql.default_roles WHERE user LIKE 'migrate\\_case%'"),
    ("server", "SELECT * FROM mysql.servers"),
    ("plugin", "SELECT * FROM mysql.plugin"),
    ("component", "SELECT component_urn FROM mysql.component"),
    ("function", "SELECT name, ret, dl, type FROM mysql.func"),
    ("replica", "SHOW REPLICA STATUS"),
    ("tablespace", "SELECT name, space_type FROM information_schema.innodb_tablespaces WHERE space_type = 'General'"),
    ("undo tablespace", "SELECT name, state FROM information_schema.innodb_tablespaces WHERE space_type = 'Undo'"),
    ("resource group", "SELECT * FROM information_schema.resource_groups"),
    ("spatial reference", "SELECT srs_id, srs_name, definition FROM information_schema.st_spatial_reference_systems WHERE srs_id >= 1000000"),
    ("persisted variable", "SELECT * FROM performance_schema.persisted_variables"),
    ("global variable", "SELECT variable_name, variable_value FROM performance_schema.global_variables WHERE variable_name NOT LIKE '%gtid%'"),
];

pub(super) async fn dump(link: &mut Link, scope: Scope) -> State {
    mysql_like::dump(link, ON_SERVER, IN_SCHEMA, scope).await
}

pub(super) async fn clean(link: &mut Link, database: &Database) {
    drop_schemas(link, database).await;
    for row in link.rows(&format!("SELECT user, host FROM mysql.user WHERE user LIKE '{OUTSIDE}%'")).await {
        let [user, host] = &row[..] else { panic!("two cells: {row:?}") };
        link.execute(&format!("DROP USER '{user}'@'{host}'")).await.expect("a user of ours");
    }
}
