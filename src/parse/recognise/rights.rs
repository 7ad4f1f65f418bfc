//! Rights and roles. In: tokens of GRANT, REVOKE, ALTER DEFAULT PRIVILEGES, ALTER ROLE and their kin. Out: who may do what to what.

use super::{action, attribute, sort};
use crate::engine::Engine;
use crate::parse::action::{Action, Name, Op};
use crate::parse::cursor::{Cursor, find, items};
use crate::parse::even::even_text;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Words between ON and the name of what a right is on.
const OBJECTS: &[&str] = &[
    "all tables in schema",
    "all sequences in schema",
    "all functions in schema",
    "all procedures in schema",
    "all routines in schema",
    "foreign data wrapper",
    "foreign server",
    "large object",
    "table",
    "sequence",
    "function",
    "procedure",
    "routine",
    "schema",
    "database",
    "type",
    "domain",
    "language",
    "parameter",
    "tablespace",
    "package",
];

/// GRANT and REVOKE; `cursor` stands behind the word.
pub(super) fn grant(mut cursor: Cursor<'_>, granted: bool) -> Option<Vec<Action>> {
    if !matches!(cursor.engine, Engine::Postgres | Engine::Mysql | Engine::Mariadb) {
        return None;
    }
    let only_option = !granted && (cursor.eat("grant option for") || cursor.eat("admin option for"));
    cursor.eat("if exists");
    let whom = if granted { "to" } else { "from" };
    let rights = cursor.until(&["on", whom]);
    if rights.is_empty() {
        return None;
    }
    let objects = if cursor.eat("on") { Some(cursor.until(&[whom])) } else { None };
    if !cursor.eat(whom) {
        return None;
    }
    let roles = even_text(cursor.until(&["with", "granted by", "cascade", "restrict", "identified", "require", "as", "ignore"]));
    if roles.is_empty() {
        return None;
    }
    // MySQL and MariaDB hold the right to hand rights on as one of its own.
    let handed_on = granted && cursor.engine.is_mysql_like() && cursor.eat("with grant option");
    let value = match (granted, only_option) {
        (true, _) if cursor.at("with") => Some(even_text(cursor.rest)),
        (true, _) | (false, true) => Some("granted".to_owned()),
        (false, false) => None,
    };
    let kind = if granted { Kind::Grant } else { Kind::Revoke };
    // One attribute a right: DOWN may take back some of what UP gave, or more.
    let handed_on = handed_on.then(|| "grant option".to_owned());
    let rights: Vec<String> = items(rights).into_iter().map(right).chain(handed_on).collect();
    // A role is granted without ON, and so is all that MySQL takes from a user at once.
    let Some(objects) = objects else {
        return Some(rights.into_iter().map(|right| attribute(kind, right.clone(), format!("grant {right} to {roles}"), value.clone())).collect());
    };
    let mut words = Cursor::new(objects, cursor.engine);
    let of = words.eat_any(OBJECTS);
    let targets = items(words.rest).into_iter().map(|item| object(of, Cursor::new(item, cursor.engine)));
    let mut actions = Vec::new();
    for object in targets {
        let object = object?;
        actions.extend(rights.iter().map(|right| attribute(kind, object.clone(), format!("grant {right} to {roles}"), value.clone())));
    }
    Some(actions)
}

/// The name of what a right is on.
fn object(of: Option<&str>, mut cursor: Cursor<'_>) -> Option<Name> {
    let name = match of {
        Some("function" | "procedure" | "routine") => sort::routine(&mut cursor)?,
        // `db.*` and `*.*` of MySQL.
        _ if cursor.engine.is_mysql_like() => even_text(cursor.all()),
        _ => {
            let before = cursor;
            let name = cursor.name();
            name.unwrap_or_else(|| even_text(before.rest))
        }
    };
    if name.is_empty() {
        return None;
    }
    Some(match of {
        Some(of) if of.starts_with("all ") => format!("{of} {name}"),
        _ => name,
    })
}

/// ALTER DEFAULT PRIVILEGES; `cursor` stands behind it.
pub(super) fn default_privileges(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    let of = even_text(cursor.until(&["grant", "revoke"]));
    let granted = cursor.eat_any(&["grant", "revoke"])? == "grant";
    let only_option = cursor.eat("grant option for");
    let rights = cursor.until(&["on"]);
    let on = even_text(cursor.until(&[if granted { "to" } else { "from" }]));
    cursor.token()?;
    let roles = even_text(cursor.until(&["with", "cascade", "restrict"]));
    if rights.is_empty() || roles.is_empty() {
        return None;
    }
    let value = (granted || only_option).then(|| if cursor.at("with") { even_text(cursor.rest) } else { "granted".to_owned() });
    let object = format!("default privileges {of}");
    let one = |item: &[Token]| attribute(Kind::DefaultPrivileges, object.trim_end(), format!("grant {} {on} to {roles}", right(item)), value.clone());
    Some(items(rights).into_iter().map(one).collect())
}

/// `ALL` and `ALL PRIVILEGES` are one.
fn right(item: &[Token]) -> String {
    let text = even_text(item);
    text.strip_suffix(" privileges").map_or(text.clone(), str::to_owned)
}

/// ALTER ROLE and ALTER USER behind the name.
pub(super) fn alter_role(mut cursor: Cursor<'_>, name: &Name) -> Option<Vec<Action>> {
    // A secret that is replaced is gone, and no report may show the new one.
    if ["password", "encrypted password", "identified", "with password"].iter().any(|w| find(cursor.rest, w).is_some()) {
        return Some(vec![action(Kind::AlterRole, name.clone(), Op::Unseen)]);
    }
    let database = if cursor.eat("in database") { format!("{}.", cursor.part()?) } else { String::new() };
    if let Some(word) = cursor.eat_any(&["set", "reset"]) {
        let setting = cursor.name()?;
        let _ = cursor.eat("to") || cursor.equals();
        let value = (word == "set").then(|| even_text(cursor.all()));
        return Some(vec![attribute(Kind::AlterRole, name.clone(), format!("{database}{setting}"), value)]);
    }
    cursor.eat("with");
    let text = even_text(cursor.all());
    (!text.is_empty()).then(|| vec![attribute(Kind::AlterRole, name.clone(), "attributes", Some(text))])
}
