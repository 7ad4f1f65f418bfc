//! DROP. In: tokens behind DROP. Out: what is dropped, one action a name.

use super::sort::{name, sort};
use super::{Reader, action};
use crate::engine::Engine;
use crate::parse::action::{Action, Name, Op};
use crate::parse::cursor::Cursor;
use crate::table::Kind;
use sqlparser::tokenizer::Token;

impl Reader<'_> {
    /// `cursor` stands behind DROP.
    pub(super) fn drop(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        if cursor.eat("owned by") {
            let of = cursor.part()?;
            return Some(vec![action(Kind::DropTable, format!("all that {of} owns"), Op::Unseen)]);
        }
        if cursor.eat("prepare") {
            return Some(vec![action(Kind::SessionSetting, cursor.part()?, Op::Nothing)]);
        }
        let temporary = cursor.eat("temporary");
        let mut foreign = cursor;
        if foreign.eat("foreign") && foreign.eat("table") {
            return tables(foreign, Kind::DropObject);
        }
        if cursor.eat_any(&["table", "tables"]).is_some() {
            return tables(cursor, if temporary { Kind::CreateTemporary } else { Kind::DropTable });
        }
        if cursor.eat("index") {
            return indexes(cursor);
        }
        let sort = sort(&mut cursor)?;
        let if_exists = cursor.eat("if exists");
        let mut found: Vec<(Name, Option<Name>)> = Vec::new();
        loop {
            found.push(name(&mut cursor, sort)?);
            if !cursor.mark(&Token::Comma) {
                break;
            }
        }
        if cursor.engine == Engine::Postgres && sort.words == "database" && cursor.eat("with") {
            cursor.parens()?;
        }
        if sort.words == "policy" || sort.words == "rule" || sort.words == "trigger" && cursor.engine == Engine::Postgres {
            // The name alone says nothing there.
            found.iter().all(|(_, on)| on.is_some()).then_some(())?;
        }
        let cascade = ended(&mut cursor)?;
        let each = |(name, on): (Name, Option<Name>)| {
            let on = on.filter(|_| cursor.engine == Engine::Postgres);
            let op = Op::DropObject { class: sort.class, name: name.clone(), on, if_exists, cascade };
            action(sort.drop, name, op)
        };
        Some(found.into_iter().map(each).collect())
    }
}

/// CASCADE or RESTRICT, and nothing behind it.
fn ended(cursor: &mut Cursor<'_>) -> Option<bool> {
    let cascade = cursor.eat("cascade");
    cursor.eat("constraints");
    cursor.eat("restrict");
    while let Some(word) = cursor.eat_any(&["wait", "nowait", "force", "engine"]) {
        cursor.equals();
        if word == "wait" || word == "engine" {
            cursor.token();
        }
    }
    cursor.done().then_some(cascade)
}

fn names(cursor: &mut Cursor<'_>) -> Option<Vec<Name>> {
    let mut names = vec![cursor.name()?];
    while cursor.mark(&Token::Comma) {
        names.push(cursor.name()?);
    }
    Some(names)
}

fn tables(mut cursor: Cursor<'_>, kind: Kind) -> Option<Vec<Action>> {
    let if_exists = cursor.eat("if exists");
    let names = names(&mut cursor)?;
    let cascade = ended(&mut cursor)?;
    let op = |name: Name| if kind == Kind::CreateTemporary { Op::Nothing } else { Op::DropTable { name, if_exists, cascade } };
    Some(names.into_iter().map(|name| action(kind, name.clone(), op(name))).collect())
}

fn indexes(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    let concurrently = cursor.eat("concurrently");
    let if_exists = cursor.eat("if exists");
    let names = names(&mut cursor)?;
    // Only MySQL and MariaDB name the table, and they demand it.
    let table = if cursor.engine.is_mysql_like() { Some(cursor.eat("on").then(|| cursor.name())??) } else { None };
    while cursor.eat_any(&["algorithm", "lock"]).is_some() {
        cursor.equals();
        cursor.token()?;
    }
    ended(&mut cursor)?;
    Some(names.into_iter().map(|name| action(Kind::DropIndex, name.clone(), Op::DropIndex { table: table.clone(), name, if_exists, concurrently })).collect())
}
