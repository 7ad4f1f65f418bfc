//! Attributes of a table in ALTER TABLE: owner, storage, row security, triggers, engine, character set. In: one part of it.
//! Out: the attribute and its value.

use super::{action, attribute};
use crate::engine::Engine;
use crate::parse::action::{Action, Name, Op};
use crate::parse::cursor::{Cursor, items};
use crate::parse::even::even_text;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Options of a table that MySQL and MariaDB know, written `name = value` or `name value`.
const OPTIONS: &[&str] = &[
    "engine",
    "type",
    "row_format",
    "key_block_size",
    "stats_persistent",
    "stats_auto_recalc",
    "stats_sample_pages",
    "checksum",
    "table_checksum",
    "page_checksum",
    "transactional",
    "compression",
    "encryption",
    "encrypted",
    "encryption_key_id",
    "page_compressed",
    "page_compression_level",
    "tablespace",
    "storage",
    "max_rows",
    "min_rows",
    "avg_row_length",
    "pack_keys",
    "delay_key_write",
    "data directory",
    "index directory",
    "insert_method",
    "union",
    "connection",
    "autoextend_size",
    "engine_attribute",
    "secondary_engine_attribute",
    "secondary_engine",
    "sequence",
];

/// The part that `cursor` stands at, if it sets an attribute.
pub(super) fn part(cursor: Cursor<'_>, table: &Name) -> Option<Vec<Action>> {
    match cursor.engine {
        Engine::Postgres => postgres(cursor, table),
        Engine::Mysql | Engine::Mariadb => mysql(cursor, table),
        Engine::Sqlite => None,
    }
}

fn postgres(mut cursor: Cursor<'_>, table: &Name) -> Option<Vec<Action>> {
    let one = |kind: Kind, name: &str, value: Option<String>| Some(vec![attribute(kind, table.clone(), name, value)]);
    let enabled = Some("enabled".to_owned());
    if cursor.eat("owner to") {
        return one(Kind::Owner, "owner", Some(cursor.part()?));
    }
    if cursor.eat("set schema") {
        return Some(vec![super::move_table(table, &cursor.part()?)]);
    }
    for (words, name, value) in [
        ("set without cluster", "cluster", false),
        ("set without oids", "oids", false),
        ("set with oids", "oids", true),
        ("set logged", "unlogged", false),
        ("set unlogged", "unlogged", true),
    ] {
        if cursor.eat(words) {
            return one(Kind::TableOption, name, value.then(|| "yes".to_owned()));
        }
    }
    if let Some(words) = cursor.eat_any(&["set tablespace", "set access method", "cluster on", "replica identity", "of"]) {
        let name = match words {
            "cluster on" => "cluster",
            "of" => "type",
            other => other.trim_start_matches("set "),
        };
        return one(Kind::TableOption, name, Some(even_text(cursor.all())));
    }
    // Of a foreign table.
    if cursor.eat("options") {
        return one(Kind::TableOption, "options", Some(even_text(cursor.parens()?)));
    }
    if cursor.eat("not of") {
        return one(Kind::TableOption, "type", None);
    }
    if cursor.eat("inherit") {
        let name = format!("inherits {}", cursor.name()?);
        return one(Kind::TableOption, &name, Some("yes".to_owned()));
    }
    if cursor.eat("no inherit") {
        let name = format!("inherits {}", cursor.name()?);
        return one(Kind::TableOption, &name, None);
    }
    if let Some(words) = cursor.eat_any(&["set", "reset"]) {
        return parameters(&mut cursor, table, words == "set", Kind::TableOption);
    }
    for (words, name, value) in [
        ("enable row level security", "row security", true),
        ("disable row level security", "row security", false),
        ("force row level security", "forced row security", true),
        ("no force row level security", "forced row security", false),
    ] {
        if cursor.eat(words) {
            return one(Kind::RowSecurity, name, enabled.filter(|_| value));
        }
    }
    let state = cursor.eat_any(&["enable always", "enable replica", "enable", "disable"])?;
    let state = state.trim_start_matches("enable ");
    let sort = cursor.eat_any(&["trigger", "rule"])?;
    let object = format!("{table}.{}", cursor.part()?);
    let kind = if sort == "rule" { Kind::AlterObject } else { Kind::ToggleTrigger };
    let value = match state {
        "enable" => None,
        "disable" => Some("disabled".to_owned()),
        other => Some(other.to_owned()),
    };
    Some(vec![attribute(kind, object, format!("{sort} state"), value)])
}

/// `(fillfactor = 70, autovacuum_enabled)`, of a table, an index or a view.
pub(super) fn parameters(cursor: &mut Cursor<'_>, object: &Name, set: bool, kind: Kind) -> Option<Vec<Action>> {
    let list = cursor.parens()?;
    let one = |item: &[Token]| {
        let mut words = Cursor::new(item, cursor.engine);
        let name = words.name()?;
        let value = if words.equals() { even_text(words.rest) } else { "true".to_owned() };
        Some(attribute(kind, object.clone(), name, set.then_some(value)))
    };
    items(list).into_iter().map(one).collect()
}

fn mysql(mut cursor: Cursor<'_>, table: &Name) -> Option<Vec<Action>> {
    let mut actions = Vec::new();
    while !cursor.done() {
        actions.extend(mysql_option(&mut cursor, table)?);
    }
    Some(actions)
}

/// One option; several may stand in a row without commas. `None` inside is one that leaves nothing.
fn mysql_option(cursor: &mut Cursor<'_>, table: &Name) -> Option<Option<Action>> {
    let one = |kind: Kind, name: &str, value: Option<String>| Some(Some(attribute(kind, table.clone(), name, value)));
    if cursor.eat("convert to") {
        cursor.eat_any(&["character set", "charset"])?;
        return one(Kind::ConvertCharset, "character set", Some(even_text(cursor.all())));
    }
    if cursor.eat("order by") {
        cursor.all();
        return Some(Some(action(Kind::Maintenance, table.clone(), Op::Nothing)));
    }
    if cursor.eat("force") {
        return Some(Some(action(Kind::Maintenance, table.clone(), Op::Nothing)));
    }
    if cursor.eat_any(&["algorithm", "lock"]).is_some() {
        cursor.equals();
        cursor.token()?;
        return Some(None);
    }
    if cursor.eat_any(&["with validation", "without validation"]).is_some() {
        return Some(None);
    }
    if cursor.eat_any(&["secondary_load", "secondary_unload"]).is_some() {
        cursor.all();
        return Some(Some(action(Kind::Maintenance, table.clone(), Op::Nothing)));
    }
    if let Some(words) = cursor.eat_any(&["disable keys", "enable keys"]) {
        return one(Kind::TableOption, "keys", (words == "disable keys").then(|| "disabled".to_owned()));
    }
    cursor.eat("default");
    if let Some(words) = cursor.eat_any(&["character set", "charset", "collate"]) {
        cursor.equals();
        let name = if words == "collate" { "collation" } else { "character set" };
        return one(Kind::TableOption, name, Some(cursor.part()?));
    }
    if cursor.eat("comment") {
        cursor.equals();
        let (Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) = cursor.token()? else { return None };
        return one(Kind::Comment, "comment", Some(text.clone()).filter(|t| !t.is_empty()));
    }
    if cursor.eat("auto_increment") {
        cursor.equals();
        return one(Kind::SetSequence, "auto_increment", Some(even_text(std::slice::from_ref(cursor.token()?))));
    }
    let name = cursor.eat_any(OPTIONS)?;
    cursor.equals();
    let value = match cursor.parens() {
        Some(list) => even_text(list),
        None => even_text(std::slice::from_ref(cursor.token()?)),
    };
    one(Kind::TableOption, if name == "type" { "engine" } else { name }, Some(value))
}
