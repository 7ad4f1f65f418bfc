//! SET, PRAGMA and COMMENT. In: tokens. Out: what of it stays in the database, and what turns checks off.

use super::{action, attribute, sort};
use crate::engine::Engine;
use crate::parse::action::{Action, Name, Op};
use crate::parse::cursor::{Cursor, items};
use crate::parse::even::even_text;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

fn is_off(value: &str) -> bool {
    matches!(value.trim_matches('\''), "0" | "off" | "false" | "no")
}

/// SET; `cursor` stands behind it.
pub(super) fn set(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    match cursor.engine {
        Engine::Sqlite => None,
        Engine::Postgres => {
            if cursor.eat("constraints") {
                let which = even_text(cursor.until(&["deferred", "immediate"]));
                return cursor.eat_any(&["deferred", "immediate"]).map(|_| vec![action(Kind::SessionSetting, which, Op::Nothing)]);
            }
            if cursor.eat("transaction") || cursor.eat("session characteristics") {
                return Some(vec![action(Kind::Transaction, "", Op::Nothing)]);
            }
            cursor.eat_any(&["session", "local"]);
            if cursor.eat("authorization") || cursor.eat("role") {
                return (!cursor.done()).then(|| vec![action(Kind::SessionSetting, "role", Op::Nothing)]);
            }
            if cursor.eat("time zone") || cursor.eat("names") || cursor.eat("xml option") {
                return Some(vec![action(Kind::SessionSetting, "", Op::Nothing)]);
            }
            let name = cursor.name()?;
            if !(cursor.eat("to") || cursor.equals()) || cursor.done() {
                return None;
            }
            let unchecked = name == "session_replication_role" && even_text(cursor.rest).trim_matches('\'') == "replica";
            Some(vec![checked(name, unchecked)])
        }
        Engine::Mysql | Engine::Mariadb => mysql(cursor),
    }
}

fn checked(name: Name, unchecked: bool) -> Action {
    if unchecked { action(Kind::DisableChecks, name, Op::DisableChecks) } else { action(Kind::SessionSetting, name, Op::Nothing) }
}

fn mysql(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if cursor.eat("password") {
        return Some(vec![action(Kind::AlterRole, "password", Op::Unseen)]);
    }
    if cursor.eat("default role") {
        return Some(vec![action(Kind::AlterRole, even_text(cursor.until(&["to", "for"])), Op::Unseen)]);
    }
    let before = cursor;
    cursor.eat_any(&["session", "global", "local"]);
    if cursor.eat("transaction") {
        return Some(vec![action(Kind::Transaction, "", Op::Nothing)]);
    }
    cursor = before;
    if cursor.eat_any(&["names", "character set", "charset", "role", "resource group"]).is_some() {
        return (!cursor.done()).then(|| vec![action(Kind::SessionSetting, "", Op::Nothing)]);
    }
    let mut actions = Vec::new();
    for item in items(cursor.rest) {
        let found = variable(Cursor::new(item, cursor.engine))?;
        // One line is enough for what goes with the session.
        if found.op != Op::Nothing || actions.is_empty() {
            actions.push(found);
        }
    }
    if actions.len() > 1 {
        actions.retain(|a| a.op != Op::Nothing);
    }
    (!actions.is_empty()).then_some(actions)
}

/// `@a := 1`, `GLOBAL x = 1`, `@@session.x = 1`.
fn variable(mut cursor: Cursor<'_>) -> Option<Action> {
    let mut scope = cursor.eat_any(&["global", "session", "local", "persist_only", "persist"]).unwrap_or("session").to_owned();
    let mut name = cursor.part()?;
    while cursor.mark(&Token::Period) {
        if let Some(word) = name.strip_prefix("@@") {
            word.clone_into(&mut scope);
        }
        name = cursor.part()?;
    }
    if !cursor.equals() || cursor.done() {
        return None;
    }
    let value = even_text(cursor.rest);
    if name.starts_with('@') && !name.starts_with("@@") {
        return Some(action(Kind::SessionSetting, name, Op::Nothing));
    }
    let name = name.trim_start_matches('@').to_owned();
    if matches!(scope.as_str(), "global" | "persist" | "persist_only") {
        return Some(attribute(Kind::DatabaseSetting, name, "global", Some(value)));
    }
    let unchecked = match name.as_str() {
        "foreign_key_checks" | "unique_checks" | "check_constraint_checks" => is_off(&value),
        "sql_mode" => lax(&value),
        _ => false,
    };
    Some(checked(name, unchecked))
}

/// Whether values that do not fit are cut without an error in this `sql_mode`. A value taken back from a variable is what was.
fn lax(value: &str) -> bool {
    let strict = value.contains("strict_") || value.contains("STRICT_") || value.to_ascii_lowercase().contains("traditional");
    if value.to_ascii_lowercase().starts_with("replace(") {
        return strict;
    }
    !strict && !value.contains('@') && value != "default"
}

/// What a PRAGMA of SQLite is.
fn pragma_kind(name: &str) -> Kind {
    match name {
        "table_info" | "table_xinfo" | "table_list" | "index_info" | "index_xinfo" | "index_list" | "foreign_key_list" | "foreign_key_check"
        | "integrity_check" | "quick_check" | "database_list" | "collation_list" | "function_list" | "module_list" | "pragma_list" | "compile_options"
        | "data_version" | "freelist_count" | "page_count" | "stats" => Kind::Query,
        "user_version" | "application_id" | "schema_version" | "journal_mode" | "auto_vacuum" | "page_size" | "encoding" | "default_cache_size" => {
            Kind::DatabaseSetting
        }
        "optimize" | "incremental_vacuum" | "wal_checkpoint" | "shrink_memory" => Kind::Maintenance,
        _ => Kind::SessionSetting,
    }
}

/// PRAGMA; `cursor` stands behind it.
pub(super) fn pragma(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if cursor.engine != Engine::Sqlite {
        return None;
    }
    let mut name = cursor.part()?;
    if cursor.mark(&Token::Period) {
        name = cursor.part()?;
    }
    let value = match cursor.parens() {
        Some(inner) => Some(even_text(inner)),
        None if cursor.equals() && !cursor.done() => Some(even_text(cursor.all())),
        None => None,
    };
    if !cursor.done() {
        return None;
    }
    let kind = pragma_kind(&name);
    let Some(value) = value else {
        let kind = if kind == Kind::Maintenance { kind } else { Kind::Query };
        return Some(vec![action(kind, name, Op::Nothing)]);
    };
    let unchecked = match name.as_str() {
        "foreign_keys" => is_off(&value),
        "ignore_check_constraints" | "writable_schema" => !is_off(&value) && value != "reset",
        _ => false,
    };
    Some(vec![match kind {
        _ if unchecked => checked(name, true),
        Kind::DatabaseSetting => attribute(kind, name, "pragma", Some(value)),
        kind => action(kind, name, Op::Nothing),
    }])
}

/// COMMENT ON and SECURITY LABEL ON; `cursor` stands behind ON.
pub(super) fn comment(mut cursor: Cursor<'_>, of: &str) -> Option<Vec<Action>> {
    if cursor.engine != Engine::Postgres {
        return None;
    }
    let object = if cursor.eat_any(&["table", "column", "index", "foreign table", "large object"]).is_some() {
        cursor.name().or_else(|| cursor.token().map(|t| even_text(std::slice::from_ref(t))))?
    } else if cursor.eat("constraint") {
        let name = cursor.part()?;
        cursor.eat("on").then_some(())?;
        let domain = cursor.eat("domain");
        let on = cursor.name()?;
        format!("{name} on {}{on}", if domain { "domain " } else { "" })
    } else {
        let sort = sort::sort(&mut cursor)?;
        let (name, on) = if sort.words == "cast" { (even_text(cursor.parens()?), None) } else { named(&mut cursor, sort)? };
        on.map_or_else(|| name.clone(), |on| format!("{name} on {on}"))
    };
    if !cursor.eat("is") {
        return None;
    }
    let value = match cursor.token()? {
        Token::SingleQuotedString(text) | Token::EscapedStringLiteral(text) | Token::UnicodeStringLiteral(text) => Some(text.clone()),
        Token::DollarQuotedString(text) => Some(text.value.clone()),
        Token::Word(word) if word.value.eq_ignore_ascii_case("null") => None,
        _ => return None,
    };
    cursor.done().then(|| vec![attribute(Kind::Comment, object, of.to_owned(), value)])
}

/// The name before IS, which an operator's tokens may run up to.
fn named(cursor: &mut Cursor<'_>, sort: &sort::Sort) -> Option<(Name, Option<Name>)> {
    let head = cursor.until(&["is"]);
    let mut inside = Cursor::new(head, cursor.engine);
    sort::name(&mut inside, sort)
}
