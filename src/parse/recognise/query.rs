//! Queries that sqlparser refuses. In: tokens that begin with SELECT, VALUES, TABLE or a parenthesis. Out: whether the query can
//! change anything, from the names of the functions that it calls.

use super::action;
use crate::engine::Engine;
use crate::parse::action::{Action, CreateTable, Op};
use crate::parse::cursor::{Cursor, find, is_word};
use crate::parse::functions::is_harmless;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Words before a parenthesis that call nothing.
const NO_CALLS: &[&str] = &[
    "all",
    "and",
    "any",
    "array",
    "as",
    "between",
    "by",
    "case",
    "distinct",
    "else",
    "except",
    "exists",
    "filter",
    "from",
    "in",
    "intersect",
    "is",
    "join",
    "lateral",
    "like",
    "limit",
    "not",
    "offset",
    "on",
    "or",
    "over",
    "row",
    "select",
    "set",
    "some",
    "then",
    "union",
    "unnest",
    "using",
    "values",
    "when",
    "where",
    "with",
    "within",
];

fn calls_nothing(name: &str) -> bool {
    NO_CALLS.contains(&name) || is_harmless(name)
}

/// What a query does.
pub(super) fn query(tokens: &[Token], engine: Engine) -> Option<Vec<Action>> {
    let mut cursor = Cursor::new(tokens, engine);
    if let Some(inner) = cursor.parens() {
        let first = Cursor::new(inner, engine);
        if !["select", "with", "values", "table"].iter().any(|w| first.at(w)) && inner.first() != Some(&Token::LParen) {
            return None;
        }
    }
    // `\gexec` runs what the query answers.
    if tokens.contains(&Token::Backslash) {
        return Some(vec![action(Kind::ClientCommand, "", Op::Unseen)]);
    }
    if let Some(at) = find(tokens, "into") {
        return Some(into(&tokens[at + 1..], engine));
    }
    // MariaDB's and the standard's spelling of nextval.
    if let Some(at) = tokens.windows(3).position(|three| ["next", "value", "for"].iter().zip(three).all(|(word, token)| is_word(token, word))) {
        let sequence = Cursor::new(&tokens[at + 3..], engine).name().unwrap_or_default();
        return Some(vec![action(Kind::SetSequence, sequence, Op::Unseen)]);
    }
    let mut worst = action(Kind::Query, "", Op::Nothing);
    for pair in tokens.windows(2) {
        let [Token::Word(word), Token::LParen] = pair else { continue };
        let name = word.value.to_ascii_lowercase();
        match name.as_str() {
            "setval" | "nextval" => return Some(vec![action(Kind::SetSequence, "", Op::Unseen)]),
            "set_config" => worst = action(Kind::SessionSetting, "", Op::Nothing),
            name if calls_nothing(name) => {}
            _ => worst = action(Kind::Call, name, Op::Unseen),
        }
        if worst.kind == Kind::Call {
            break;
        }
    }
    Some(vec![worst])
}

/// SELECT … INTO makes a table on PostgreSQL, writes a file or a variable on MySQL.
fn into(target: &[Token], engine: Engine) -> Vec<Action> {
    let mut cursor = Cursor::new(target, engine);
    if engine.is_mysql_like() {
        let file = cursor.at("outfile") || cursor.at("dumpfile");
        return vec![if file { action(Kind::Call, "", Op::Unseen) } else { action(Kind::SessionSetting, "", Op::Nothing) }];
    }
    let temporary = cursor.eat("temporary") || cursor.eat("temp");
    cursor.eat("unlogged");
    cursor.eat("table");
    let Some(name) = cursor.name() else { return vec![action(Kind::CreateTableAs, "", Op::Unseen)] };
    let kind = if temporary { Kind::CreateTemporary } else { Kind::CreateTableAs };
    let table = CreateTable { name: name.clone(), of_query: true, temporary, ..CreateTable::default() };
    vec![action(kind, name, Op::CreateTable(Box::new(table)))]
}

/// DO of MySQL: expressions whose results nobody sees.
pub(super) fn do_expressions(cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if cursor.done() || is_word(&cursor.rest[0], "do") {
        return None;
    }
    query(cursor.rest, cursor.engine)
}
