//! CREATE. In: tokens behind CREATE. Out: the new object with its definition as even text, which is compared and never run.

use super::sort::{Named, Sort, name, sort};
use super::{Reader, action, attribute};
use crate::engine::Engine;
use crate::parse::action::{Action, Class, Name, Op};
use crate::parse::cursor::{Cursor, find, is_word};
use crate::parse::even::definition;
use crate::parse::policy;
use crate::table::Kind;
use sqlparser::tokenizer::Token;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Words between CREATE and the sort of object.
const MODIFIERS: &[&str] =
    &["global", "local", "temporary", "temp", "unlogged", "unique", "fulltext", "spatial", "vector", "recursive", "virtual", "online", "offline"];

impl Reader<'_> {
    /// `whole` is the statement, `cursor` stands behind CREATE.
    pub(super) fn create(self, whole: &[Token], mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        let or_replace = cursor.eat("or replace");
        let modifiers = modifiers(&mut cursor)?;
        let has = |word: &str| modifiers.iter().any(|m| m == word);
        let mut foreign = cursor;
        if foreign.eat("foreign") && foreign.eat("table") {
            return self.create_table(foreign, or_replace, &["foreign".to_owned()]);
        }
        if cursor.eat("table") {
            return self.create_table(cursor, or_replace, &modifiers);
        }
        if cursor.eat("index") {
            return self.create_index(cursor, or_replace, &modifiers);
        }
        let sort = sort(&mut cursor)?;
        let if_not_exists = cursor.eat("if not exists");
        let (name, mut on) = match sort.words {
            "schema" | "database" if cursor.eat("authorization") => (cursor.part()?, None),
            "statistics" if cursor.at("on") || cursor.rest.first() == Some(&Token::LParen) => (String::new(), None),
            _ => name(&mut cursor, sort)?,
        };
        if !complete(sort, cursor) {
            return None;
        }
        if has("temp") || has("temporary") {
            return Some(vec![action(Kind::SessionSetting, name, Op::Nothing)]);
        }
        on = match sort.class {
            // Elsewhere triggers go by name alone, and DROP TRIGGER names no table.
            Class::Trigger => Some(table_behind(cursor, "on")?).filter(|_| self.engine == Engine::Postgres),
            Class::Rule => table_behind(cursor, "to"),
            _ => on,
        };
        // `CREATE SCHEMA s CREATE TABLE …` makes more than this line can say.
        if sort.words == "schema" && find(cursor.rest, "create").is_some() {
            return Some(vec![action(sort.create, name, Op::Unseen)]);
        }
        // MariaDB drops these first, with all that is in them or hangs on them (manual, each statement's OR REPLACE).
        let dropped_first = or_replace && self.engine == Engine::Mariadb && matches!(sort.class, Class::Schema | Class::Role | Class::Sequence);
        let or_replace = or_replace && !dropped_first;
        let drop = |name: &Name| {
            let op = Op::DropObject { class: sort.class, name: name.clone(), on: None, if_exists: true, cascade: false };
            dropped_first.then(|| action(sort.drop, name.clone(), op))
        };
        if sort.class == Class::Role {
            return Some(
                self.roles(sort, whole, name, cursor, if_not_exists).into_iter().flat_map(|made| drop(&made.object).into_iter().chain([made])).collect(),
            );
        }
        let mut actions = Vec::from_iter(drop(&name));
        let kind = if or_replace { sort.replace } else { sort.create };
        // A password stays out of every report.
        let secret = matches!(sort.words, "subscription" | "user mapping" | "server");
        let definition = match sort.class {
            Class::Policy => policy::definition(whole),
            _ if secret => definition(&masked(whole)),
            _ => definition(whole),
        };
        let op = Op::CreateObject { class: sort.class, name: name.clone(), on, definition, or_replace, if_not_exists };
        actions.push(action(kind, name.clone(), op));
        if sort.words == "sequence"
            && let Some(at) = find(cursor.rest, "owned by")
        {
            let mut owner = Cursor::new(&cursor.rest[at + 2..], self.engine);
            let owner = owner.name()?;
            actions.push(attribute(Kind::AlterSequence, name, "owned by", Some(owner).filter(|o| o != "none")));
        }
        Some(actions)
    }

    /// CREATE USER takes several at once on MySQL.
    fn roles(self, sort: &Sort, whole: &[Token], first: Name, mut cursor: Cursor<'_>, if_not_exists: bool) -> Vec<Action> {
        let mut names = vec![first];
        // What one account is given stands before the next comma.
        while let Some(comma) = cursor.rest.iter().position(|t| matches!(t, Token::Comma)).filter(|_| self.engine.is_mysql_like()) {
            cursor.rest = &cursor.rest[comma + 1..];
            names.extend(cursor.account());
        }
        let alone = names.len() == 1;
        let definition = |name: &Name| if alone { definition(&masked(whole)) } else { format!("create {} {name}", sort.words) };
        names
            .into_iter()
            .map(|name| {
                let op = Op::CreateObject { class: Class::Role, definition: definition(&name), name: name.clone(), on: None, or_replace: false, if_not_exists };
                action(sort.create, name, op)
            })
            .collect()
    }
}

fn table_behind(cursor: Cursor<'_>, word: &str) -> Option<Name> {
    let at = find(cursor.rest, word)?;
    Cursor::new(&cursor.rest[at + 1..], cursor.engine).name()
}

/// The words before the sort, MySQL's `ALGORITHM = … DEFINER = … SQL SECURITY …` skipped.
fn modifiers(cursor: &mut Cursor<'_>) -> Option<Vec<String>> {
    let mut found = Vec::new();
    loop {
        if cursor.at("spatial reference") {
            return Some(found);
        } else if let Some(word) = cursor.eat_any(MODIFIERS) {
            found.push(word.to_owned());
        } else if cursor.engine.is_mysql_like() && cursor.eat("algorithm") {
            cursor.equals();
            cursor.word()?;
        } else if cursor.engine.is_mysql_like() && cursor.eat("definer") {
            cursor.equals();
            cursor.account()?;
        } else if cursor.engine.is_mysql_like() && cursor.eat("sql security") {
            cursor.word()?;
        } else {
            return Some(found);
        }
    }
}

/// What the object's sort demands behind its name stands there: a name alone is no view, no routine and no trigger.
fn complete(sort: &Sort, cursor: Cursor<'_>) -> bool {
    let has = |words: &[&str]| cursor.rest.iter().any(|t| words.iter().any(|w| is_word(t, w)));
    match sort.class {
        Class::View | Class::MaterializedView => has(&["as"]),
        Class::Trigger => has(&["on"]) && has(&["before", "after", "instead", "insert", "update", "delete"]),
        Class::Rule => has(&["to"]) && has(&["do"]),
        Class::Event => has(&["do"]),
        Class::Routine => cursor.rest.len() > 1,
        Class::Domain => !cursor.done(),
        // An empty type is a shell (`CREATE TYPE t`), and PostgreSQL takes it.
        _ => sort.named != Named::Within || !cursor.done() || sort.class == Class::Policy,
    }
}

/// `tokens` with each string put out of sight: a name in a string is a name elsewhere too, a password is not to be shown. Strings
/// that differ still do.
pub(super) fn masked(tokens: &[Token]) -> Vec<Token> {
    let mut masked = tokens.to_vec();
    for token in &mut masked {
        if let Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) | Token::EscapedStringLiteral(text) = token {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            *text = format!("…{:08x}", hasher.finish() >> 32);
        }
    }
    masked
}
