//! What a script leaves in its session, where another script would meet it. In: its statements. Out: what ends that, nothing where it leaves
//! nothing.

use super::connection::{Connection, Driver};
use super::tables::quoted;
use super::{mysql, sqlite};
use crate::engine::Engine;
use crate::gate::Sql;
use crate::parse::cursor::{Cursor, is_word, items};
use crate::parse::manner::Manner;
use sqlparser::tokenizer::{Token, Tokenizer};
use sqlx::mysql::MySqlDatabaseError;

/// Ends what `statements` left: temporary tables, on MySQL and MariaDB variables too, on SQLite settings and attached files. Asks nothing of
/// the database where they hold no such statement.
pub(super) async fn end(connection: &mut Connection, statements: &[Sql]) -> sqlx::Result<()> {
    match connection.driver {
        Driver::Postgres(_) if makes_temporary(statements) => connection.execute("DISCARD TEMP").await,
        Driver::Sqlite(_) => end_on_sqlite(connection, statements).await,
        Driver::Mysql(_) => {
            let endings = endings(statements, connection.engine);
            // They may have ended our own limits.
            let limits = mysql::lock_timeouts(&connection.patience).filter(|_| !endings.is_empty());
            for sql in endings.into_iter().chain(limits) {
                match connection.execute(&sql).await {
                    Err(error) if has_no_default(&error) => tracing::info!("{sql}: {error}"),
                    other => other?,
                }
            }
            Ok(())
        }
        Driver::Postgres(_) => Ok(()),
    }
}

/// Whether `statements` may leave something in the session of SQLite.
pub(super) fn may_stay(statements: &[Sql]) -> bool {
    statements.iter().any(|sql| matches!(sql.manner, Manner::Session | Manner::Carried))
}

/// What a connection of SQLite begins with, of what decides what another script does, or how safe it is (sqlite.org/pragma.html). Foreign
/// keys are [`sqlite::Unchecked`]'s.
const PRAGMAS: [(&str, &str); 11] = [
    ("case_sensitive_like", "OFF"),
    ("full_column_names", "OFF"),
    ("ignore_check_constraints", "OFF"),
    ("legacy_alter_table", "OFF"),
    ("locking_mode", "NORMAL"),
    ("query_only", "OFF"),
    ("recursive_triggers", "OFF"),
    ("reverse_unordered_selects", "OFF"),
    ("synchronous", "FULL"),
    ("trusted_schema", "ON"),
    ("writable_schema", "RESET"),
];

async fn end_on_sqlite(connection: &mut Connection, statements: &[Sql]) -> sqlx::Result<()> {
    if !may_stay(statements) {
        return Ok(());
    }
    for sql in pragmas(statements) {
        connection.execute(&sql).await?;
    }
    let limit = connection.patience.lock.filter(|_| sets(statements, "busy_timeout"));
    if let Some(limit) = limit {
        connection.execute(&format!("PRAGMA busy_timeout = {}", limit.as_millis())).await?;
    }
    let made = "SELECT type, name FROM temp.sqlite_schema WHERE type <> 'index' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC";
    for row in connection.rows(made).await? {
        let [Some(class), Some(name)] = <[Option<String>; 2]>::try_from(row).unwrap_or_default() else { continue };
        // A table takes its triggers along.
        connection.execute(&format!("DROP {class} IF EXISTS temp.{}", quoted(&name, '"'))).await?;
    }
    for row in connection.rows("SELECT name FROM pragma_database_list WHERE seq > 1").await? {
        let Some(name) = row.into_iter().next().flatten() else { continue };
        connection.execute(&format!("DETACH {}", quoted(&name, '"'))).await?;
    }
    Ok(())
}

/// What takes back what `statements` set by PRAGMA.
fn pragmas(statements: &[Sql]) -> impl Iterator<Item = String> {
    PRAGMAS.iter().filter(|(name, _)| sets(statements, name)).map(|(name, value)| format!("PRAGMA {name} = {value}"))
}

fn sets(statements: &[Sql], name: &str) -> bool {
    statements.iter().filter_map(sqlite::pragma).any(|(set, _)| set == name)
}

/// The same for a script that the plain client runs: SQL, or nothing where the text does not tell what is left.
pub(super) fn endings_for(statements: &[Sql], engine: Engine) -> Option<Vec<String>> {
    let nameless = |sql: &Sql| matches!(sql.manner, Manner::Session | Manner::Carried) && sqlite::pragma(sql).is_none();
    match engine {
        Engine::Sqlite => (!statements.iter().any(nameless)).then(|| pragmas(statements).collect()),
        Engine::Postgres => Some(if makes_temporary(statements) { vec![String::from("DISCARD TEMP")] } else { Vec::new() }),
        Engine::Mysql | Engine::Mariadb => Some(endings(statements, engine)),
    }
}

/// Whether a script of PostgreSQL may make temporary tables; a block, a procedure or a function may as well.
fn makes_temporary(statements: &[Sql]) -> bool {
    let calls = |sql: &Sql| sql.text.split_ascii_whitespace().next().is_some_and(|word| CALLING.iter().any(|other| word.eq_ignore_ascii_case(other)));
    statements.iter().any(|sql| sql.manner == Manner::Carried || calls(sql))
}

/// What statements of PostgreSQL begin with that run whatever others wrote.
const CALLING: [&str; 5] = ["DO", "CALL", "SELECT", "WITH", "EXECUTE"];

/// ER_NO_DEFAULT: such a variable (`insert_id`) is spent by the statement after it.
fn has_no_default(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    error.try_downcast_ref::<MySqlDatabaseError>().is_some_and(|error| error.number() == 1230)
}

/// What ends on MySQL and MariaDB what `statements` set for the session or made for its time.
fn endings(statements: &[Sql], engine: Engine) -> Vec<String> {
    let mut endings: Vec<String> = Vec::new();
    for sql in statements.iter().filter(|sql| matches!(sql.manner, Manner::Session | Manner::Carried)) {
        let tokens = Tokenizer::new(engine.dialect(), &sql.text).tokenize().unwrap_or_default();
        let tokens: Vec<Token> = tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect();
        let all = match tokens.split_first() {
            Some((first, rest)) if is_word(first, "set") => variables(rest, engine),
            Some((first, rest)) if is_word(first, "create") => temporary(rest, engine).into_iter().collect(),
            Some((first, [Token::Word(name), ..])) if is_word(first, "prepare") => vec![format!("DEALLOCATE PREPARE {name}")],
            _ => Vec::new(),
        };
        for ending in all {
            if !endings.contains(&ending) {
                endings.push(ending);
            }
        }
    }
    endings
}

/// `SET [SESSION] NAME = …, @NAME := …`
fn variables(tokens: &[Token], engine: Engine) -> Vec<String> {
    let mut endings = Vec::new();
    for assignment in items(tokens) {
        let mut cursor = Cursor::new(assignment, engine);
        if cursor.eat_any(&["session", "local", "@@session", "@@local"]).is_some() {
            cursor.mark(&Token::Period);
        }
        match cursor.rest {
            [first, ..] if is_word(first, "transaction") => {
                let prefix = if engine == Engine::Mysql { "transaction" } else { "tx" };
                endings.push(format!("SET SESSION {prefix}_isolation = DEFAULT, SESSION {prefix}_read_only = DEFAULT"));
            }
            [Token::Word(name), Token::Eq | Token::Assignment, ..] if name.value.starts_with('@') && !name.value.starts_with("@@") => {
                endings.push(format!("SET {name} = NULL"));
            }
            [Token::Word(name), Token::Eq | Token::Assignment, ..] if !name.value.eq_ignore_ascii_case("PASSWORD") => {
                endings.push(format!("SET SESSION {} = DEFAULT", name.value.trim_start_matches('@')));
            }
            _ => {}
        }
    }
    endings
}

/// `CREATE [OR REPLACE] TEMPORARY TABLE [IF NOT EXISTS] [SCHEMA.]NAME …`
fn temporary(tokens: &[Token], engine: Engine) -> Option<String> {
    let mut cursor = Cursor::new(tokens, engine);
    cursor.until(&["table"]);
    cursor.eat("table");
    cursor.eat("if not exists");
    let name = match cursor.rest {
        [schema, Token::Period, name, ..] => format!("{schema}.{name}"),
        [name, ..] => name.to_string(),
        [] => return None,
    };
    Some(format!("DROP TEMPORARY TABLE IF EXISTS {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_or_made_for_the_session_is_ended() {
        for (text, manner, expected) in [
            ("SET sql_log_bin = 0", Manner::Session, &["SET SESSION sql_log_bin = DEFAULT"][..]),
            (
                "set SESSION a=1, @@session.b := (SELECT 1, 2), @@c = 'x,y', @d = f(1, 2)",
                Manner::Session,
                &["SET SESSION a = DEFAULT", "SET SESSION b = DEFAULT", "SET SESSION c = DEFAULT", "SET @d = NULL"],
            ),
            ("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", Manner::Session, &["SET SESSION tx_isolation = DEFAULT, SESSION tx_read_only = DEFAULT"]),
            ("SET GLOBAL a = 1", Manner::Session, &[]),
            ("SET NAMES latin1", Manner::Session, &[]),
            ("SET a = 1", Manner::Alone, &[]),
            ("CREATE TEMPORARY TABLE x (id int)", Manner::Carried, &["DROP TEMPORARY TABLE IF EXISTS x"]),
            ("CREATE OR REPLACE TEMPORARY TABLE IF NOT EXISTS `a b`.`if` AS SELECT 1", Manner::Carried, &["DROP TEMPORARY TABLE IF EXISTS `a b`.`if`"]),
            ("PREPARE s FROM 'SELECT 1'", Manner::Carried, &["DEALLOCATE PREPARE s"]),
        ] {
            let sql = Sql { text: text.into(), path: String::new(), line: 1, manner, touched: None };
            assert_eq!(endings(&[sql], Engine::Mariadb), expected, "{text}");
        }
    }
}
