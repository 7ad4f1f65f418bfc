//! Statements by their words, where sqlparser refuses them or its tree says less. In: the tokens of one statement. Out: what it
//! does, or nothing where nobody knows its first words.
//!
//! The strongest way is taken first: what sqlparser stumbles over is taken out and the rest is parsed again; a statement of
//! several parts is taken apart, and each part is parsed alone; what is left is read by its leading words. This reads some SQL
//! that a server would refuse: "recognised" does not mean "valid". No reader calls itself on what it reads, so that depth and
//! length cost no more than one pass each.

mod alter;
mod alter_table;
mod column;
mod constraint;
mod create;
mod data;
mod drop;
mod heads;
mod option;
mod partition;
mod query;
mod rights;
mod session;
mod sort;
mod table;

use super::action::{Action, CreateTable, Filter, Name, Op};
use super::cursor::{Cursor, find, is_word};
use super::names;
use crate::engine::Engine;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

/// Parses tokens as one whole statement by sqlparser and lowers it; `None` where sqlparser refuses.
type Again<'a> = &'a dyn Fn(Vec<Token>) -> Option<Vec<Action>>;

/// What every reader needs.
#[derive(Clone, Copy)]
struct Reader<'a> {
    engine: Engine,
    again: Again<'a>,
}

/// What the statement of these tokens (without white space and comments) does. `again` parses a token list as one whole statement
/// by sqlparser and lowers it; `None` where sqlparser refuses.
pub(crate) fn recognise(tokens: &[Token], engine: Engine, again: Again<'_>) -> Option<Vec<Action>> {
    let reader = Reader { engine, again };
    if let Some(inner) = conditional(tokens) {
        return again(inner.clone()).or_else(|| reader.statement(&inner));
    }
    reader.statement(tokens)
}

/// A class by the first words alone, for statements too large or too deep to parse. What `tokens` leave out is not guessed: rows
/// are unknown, a filter is not read, an object's definition is unseen. A clause for rows that stand already (`ON CONFLICT`) is
/// seen only if its tokens are among those given.
pub(crate) fn by_head(tokens: &[Token], engine: Engine) -> Option<Vec<Action>> {
    let mut cursor = Cursor::new(tokens, engine);
    match cursor.word().as_deref() {
        Some("insert" | "replace") => return data::insert_head(tokens, engine),
        Some("update") => {
            let table = target(cursor)?;
            return Some(vec![action(Kind::Update, table, Op::Unseen)]);
        }
        Some("delete") => {
            cursor.eat("from");
            let table = target(cursor)?;
            let op = Op::Delete { table: table.clone(), filter: Filter::Other("too large to read".to_owned()) };
            return Some(vec![action(Kind::Delete, table, op)]);
        }
        Some("create") => {
            // A statement that is long but whole is read whole.
            if let Some(found) = recognise(tokens, engine, &|_| None).filter(|f| f.iter().all(|a| matches!(a.op, Op::CreateTable(_)))) {
                return Some(found);
            }
            while cursor.eat_any(&["or replace", "temporary", "temp", "unlogged", "global", "local"]).is_some() {}
            if cursor.eat("table") {
                let if_not_exists = cursor.eat("if not exists");
                let name = cursor.name()?;
                let temporary = tokens.iter().take(4).any(|t| is_word(t, "temporary") || is_word(t, "temp"));
                let or_replace = Cursor::new(&tokens[1..], engine).at("or replace");
                let table = CreateTable { name: name.clone(), if_not_exists, or_replace, temporary, of_query: true, ..CreateTable::default() };
                let kind = if temporary { Kind::CreateTemporary } else { Kind::CreateTable };
                return Some(vec![action(kind, name, Op::CreateTable(Box::new(table)))]);
            }
        }
        _ => {}
    }
    let mut found = recognise(tokens, engine, &|_| None)?;
    for each in &mut found {
        // Two definitions that begin alike are not the same.
        if matches!(each.op, Op::CreateObject { .. } | Op::SetAttribute { .. } | Op::CreateIndex { .. } | Op::AddColumn { .. }) {
            each.op = Op::Unseen;
        }
    }
    Some(found)
}

/// The table behind the first words of UPDATE and DELETE.
fn target(mut cursor: Cursor<'_>) -> Option<Name> {
    while cursor.eat_any(&["low_priority", "quick", "ignore", "only"]).is_some() {}
    cursor.name()
}

/// The inside of a piece of `/*!40101 … */` that lost its opening: `*!40101 … */`.
fn conditional(tokens: &[Token]) -> Option<Vec<Token>> {
    let [Token::Mul, Token::ExclamationMark, rest @ ..] = tokens else { return None };
    let rest = if matches!(rest.first(), Some(Token::Number(..))) { &rest[1..] } else { rest };
    let mut inner = Vec::with_capacity(rest.len());
    let mut at = 0;
    while at < rest.len() {
        if matches!(rest[at..], [Token::Mul, Token::Div, ..]) {
            at += 2;
        } else {
            inner.push(rest[at].clone());
            at += 1;
        }
    }
    Some(inner)
}

impl Reader<'_> {
    fn statement(self, tokens: &[Token]) -> Option<Vec<Action>> {
        let engine = self.engine;
        let mut cursor = Cursor::new(tokens, engine);
        if tokens.first() == Some(&Token::LParen) {
            return query::query(tokens, engine);
        }
        let first = cursor.word()?;
        let found = match first.as_str() {
            "create" => self.create(tokens, cursor),
            "alter" => self.alter(tokens, cursor),
            "drop" => self.drop(cursor),
            "rename" => rename(cursor),
            "insert" => self.insert(tokens),
            "replace" if engine != Engine::Postgres => self.insert(tokens),
            "update" => self.update(tokens),
            "delete" => self.delete(tokens),
            "merge" if engine == Engine::Postgres => data::merge(cursor),
            "truncate" if engine != Engine::Sqlite => truncate(cursor),
            "copy" if engine == Engine::Postgres => self.load(cursor),
            "load" if engine.is_mysql_like() && (cursor.eat("data") || cursor.eat("xml")) => self.load(cursor),
            "with" => self.with(cursor),
            "select" | "values" => query::query(tokens, engine),
            "table" if engine != Engine::Sqlite && cursor.name().is_some() => Some(vec![action(Kind::Query, "", Op::Nothing)]),
            "explain" => self.explain(cursor),
            "analyze" if engine == Engine::Mariadb => self.analyze(cursor),
            "do" if engine == Engine::Postgres => do_block(cursor),
            "do" if engine.is_mysql_like() => query::do_expressions(cursor),
            "grant" => rights::grant(cursor, true),
            "revoke" => rights::grant(cursor, false),
            // MariaDB: settings for one statement.
            "set" if cursor.eat("statement") => find(cursor.rest, "for").and_then(|at| (self.again)(cursor.rest[at + 1..].to_vec())),
            "set" => session::set(cursor),
            "pragma" => session::pragma(cursor),
            "comment" if cursor.eat("on") => session::comment(cursor, "comment"),
            "security" if cursor.eat("label") => {
                if cursor.eat("for") {
                    cursor.token();
                }
                if cursor.eat("on") { session::comment(cursor, "security label") } else { None }
            }
            _ => None,
        };
        found.or_else(|| heads::head(tokens, engine))
    }

    /// ANALYZE of MariaDB before a statement on rows runs it.
    fn analyze(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        if cursor.eat("format") {
            cursor.equals();
            cursor.word()?;
        }
        let runs = ["select", "insert", "replace", "update", "delete", "with"].iter().any(|w| cursor.at(w));
        if runs { (self.again)(cursor.rest.to_vec()).or_else(|| self.statement(cursor.rest)) } else { None }
    }

    /// EXPLAIN runs nothing, but EXPLAIN ANALYZE of PostgreSQL runs what it explains; that of MySQL changes no row.
    fn explain(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        let options = cursor.parens();
        let named = options.is_some_and(|o| o.iter().any(|t| is_word(t, "analyze")));
        let runs = cursor.eat_any(&["analyze", "analyse"]).is_some() || named;
        cursor.eat("verbose");
        let changes = ["insert", "update", "delete", "merge", "with", "execute", "create"].iter().any(|w| cursor.at(w));
        if runs && changes && self.engine == Engine::Postgres {
            return (self.again)(cursor.rest.to_vec()).or_else(|| Some(vec![action(Kind::Dynamic, "", Op::Unseen)]));
        }
        (!cursor.done()).then(|| vec![action(Kind::Query, "", Op::Nothing)])
    }
}

/// An action from its parts.
fn action(kind: Kind, object: impl Into<String>, op: Op) -> Action {
    Action { kind, object: object.into(), op }
}

/// The action that gives `object` an attribute, or takes it away.
fn attribute(kind: Kind, object: impl Into<String>, name: impl Into<String>, value: Option<String>) -> Action {
    let object = object.into();
    action(kind, object.clone(), Op::SetAttribute { object, attribute: name.into(), value })
}

/// The name that `name` has in another schema.
fn moved(name: &str, schema: &Name, engine: Engine) -> Name {
    let (path, arguments) = name.split_once('(').map_or((name, String::new()), |(path, rest)| (path, format!("({rest}")));
    let last = path.rsplit_once('.').map_or(path, |(_, last)| last);
    format!("{}{arguments}", names::join(&[schema.clone(), last.to_owned()], engine))
}

/// ALTER TABLE … SET SCHEMA.
fn move_table(table: &Name, schema: &Name) -> Action {
    let to = moved(table, schema, Engine::Postgres);
    action(Kind::MoveTable, table.clone(), Op::RenameTable { from: table.clone(), to })
}

/// RENAME TABLE and RENAME USER of MySQL and MariaDB.
fn rename(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    if !cursor.engine.is_mysql_like() {
        return None;
    }
    let users = cursor.eat("user");
    if !users {
        cursor.eat_any(&["table", "tables"])?;
        cursor.eat("if exists");
    }
    let mut actions = Vec::new();
    loop {
        let from = if users { cursor.account()? } else { cursor.name()? };
        if cursor.eat("wait") {
            cursor.token()?;
        }
        cursor.eat("nowait");
        if !cursor.eat("to") {
            return None;
        }
        let to = if users { cursor.account()? } else { cursor.name()? };
        actions.push(if users {
            action(Kind::AlterRole, from.clone(), Op::RenameObject { class: super::action::Class::Role, from, to })
        } else {
            action(Kind::RenameTable, from.clone(), Op::RenameTable { from, to })
        });
        if !cursor.mark(&Token::Comma) {
            return cursor.done().then_some(actions);
        }
    }
}

fn truncate(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    cursor.eat("table");
    let mut names = Vec::new();
    loop {
        cursor.eat("only");
        names.push(cursor.name()?);
        cursor.mark(&Token::Mul);
        if !cursor.mark(&Token::Comma) {
            break;
        }
    }
    let _ = cursor.eat("restart identity") || cursor.eat("continue identity");
    let cascade = cursor.eat("cascade");
    cursor.eat("restrict");
    if cursor.eat("wait") {
        cursor.token()?;
    }
    cursor.eat("nowait");
    cursor.done().then(|| names.into_iter().map(|table| action(Kind::Truncate, table.clone(), Op::Truncate { table, cascade })).collect())
}

/// A block of code.
fn do_block(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    let text = |t: &Token| matches!(t, Token::DollarQuotedString(_) | Token::SingleQuotedString(_) | Token::EscapedStringLiteral(_));
    if cursor.eat("language") {
        cursor.part().or_else(|| cursor.token().map(ToString::to_string))?;
    }
    cursor.rest.first().is_some_and(text).then(|| vec![action(Kind::Dynamic, "", Op::Unseen)])
}

#[cfg(test)]
mod tests;
