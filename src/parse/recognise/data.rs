//! Statements on rows where sqlparser refuses them. In: tokens. Out: the table, the columns and which rows, as far as words tell.

use super::query::query;
use super::{Reader, action};
use crate::engine::Engine;
use crate::parse::action::{Action, Filter, Name, OnConflict, Op, Rows, Value};
use crate::parse::cursor::{Cursor, bare, find, is_word, items};
use crate::parse::even::{even_text, even_token};
use crate::table::Kind;
use sqlparser::tokenizer::Token;
use std::collections::{BTreeMap, HashMap};

/// Words between the verb and the table that change nothing of what is kept.
const NOISE: &[&str] = &["low_priority", "high_priority", "delayed", "quick", "only"];

impl Reader<'_> {
    /// INSERT and REPLACE; `whole` is the statement.
    pub(super) fn insert(self, whole: &[Token]) -> Option<Vec<Action>> {
        let repaired = without_conflict_predicate(without_overriding(whole));
        if repaired.len() != whole.len()
            && let Some(found) = (self.again)(repaired)
        {
            return Some(found);
        }
        insert_head(whole, self.engine)
    }

    pub(super) fn update(self, whole: &[Token]) -> Option<Vec<Action>> {
        let mut repaired = whole.to_vec();
        let head = repaired.len().min(8);
        let noise = |t: &Token| NOISE.iter().chain(&["ignore"]).any(|w| is_word(t, w));
        if repaired.get(1).is_some_and(noise) {
            let end = 1 + repaired[1..head].iter().take_while(|t| noise(t)).count();
            repaired.drain(1..end);
        }
        if let Some(at) = find(&repaired[..repaired.len().min(12)], "indexed by") {
            repaired.drain(at..(at + 3).min(repaired.len()));
        } else if let Some(at) = find(&repaired[..repaired.len().min(12)], "not indexed") {
            repaired.drain(at..at + 2);
        }
        if repaired.len() != whole.len()
            && let Some(found) = (self.again)(repaired.clone())
        {
            return Some(found);
        }
        update_tables(&repaired, self.engine)
    }

    pub(super) fn delete(self, whole: &[Token]) -> Option<Vec<Action>> {
        let mut repaired = whole.to_vec();
        repaired.retain({
            let mut head = 0;
            move |t| {
                head += 1;
                head > 5 || !NOISE.iter().chain(&["ignore"]).any(|w| is_word(t, w))
            }
        });
        if repaired.len() != whole.len()
            && let Some(found) = (self.again)(repaired.clone())
        {
            return Some(found);
        }
        let mut cursor = Cursor::new(&repaired[1..], self.engine);
        let multiple = !cursor.at("from") || find(cursor.rest, "using").is_some() || find(cursor.rest, "join").is_some();
        if !cursor.eat("from") && find(cursor.rest, "from").is_none() {
            return None;
        }
        let text = even_text(cursor.rest);
        let mut tables = Vec::new();
        loop {
            tables.push(cursor.name()?);
            cursor.mark(&Token::Period);
            cursor.mark(&Token::Mul);
            if !cursor.mark(&Token::Comma) {
                break;
            }
        }
        let filter = match find(cursor.rest, "where") {
            _ if multiple => Filter::Other(text),
            Some(at) => Filter::Other(even_text(&cursor.rest[at + 1..])),
            None if cursor.done() => Filter::All,
            None => Filter::Other(text),
        };
        Some(tables.into_iter().map(|table| action(Kind::Delete, table.clone(), Op::Delete { table, filter: filter.clone() })).collect())
    }

    /// COPY of PostgreSQL and LOAD DATA of MySQL and MariaDB.
    pub(super) fn load(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        let rows = |table: Name, columns: Vec<Name>, conflict: OnConflict| {
            let kind = if conflict == OnConflict::Replace { Kind::Replace } else { Kind::Load };
            vec![action(kind, table.clone(), Op::Insert { table, columns, rows: Rows::Unknown, conflict })]
        };
        if self.engine == Engine::Postgres {
            if cursor.parens().is_some() {
                let program = cursor.eat("to program");
                return Some(vec![if program { action(Kind::Call, "", Op::Unseen) } else { action(Kind::Query, "", Op::Nothing) }]);
            }
            cursor.eat("binary");
            let table = cursor.name()?;
            let columns = column_list(&mut cursor);
            return match cursor.eat_any(&["from", "to program", "to"])? {
                "from" => Some(rows(table, columns, OnConflict::Fail)),
                "to program" => Some(vec![action(Kind::Call, table, Op::Unseen)]),
                _ => Some(vec![action(Kind::Query, table, Op::Nothing)]),
            };
        }
        let before = find(cursor.rest, "into table")?;
        let conflict = match cursor.rest[..before].last() {
            Some(word) if is_word(word, "replace") => OnConflict::Replace,
            Some(word) if is_word(word, "ignore") || cursor.rest[..before].iter().any(|t| is_word(t, "local")) => OnConflict::Ignore,
            _ => OnConflict::Fail,
        };
        let mut table = Cursor::new(&cursor.rest[before + 2..], self.engine);
        Some(rows(table.name()?, Vec::new(), conflict))
    }

    /// `WITH a AS (…), b AS (…) INSERT …`: each part on its own.
    pub(super) fn with(self, mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
        cursor.eat("recursive");
        let mut actions = Vec::new();
        loop {
            cursor.part()?;
            cursor.parens();
            if !cursor.eat("as") {
                return None;
            }
            let _ = cursor.eat("not materialized") || cursor.eat("materialized");
            let inner = cursor.parens()?;
            if ["insert", "update", "delete", "merge", "replace"].iter().any(|verb| inner.first().is_some_and(|t| is_word(t, verb))) {
                actions.extend(self.verb(inner)?);
            }
            // What SEARCH and CYCLE add is of no account here.
            if ["search", "cycle"].iter().any(|w| cursor.at(w)) {
                cursor.until(&["select", "insert", "update", "delete", "merge", "values", "table"]);
            }
            if !cursor.mark(&Token::Comma) {
                break;
            }
        }
        let main = if cursor.at("select") || cursor.at("values") || cursor.at("table") || cursor.rest.first() == Some(&Token::LParen) {
            query(cursor.rest, self.engine)
        } else {
            self.verb(cursor.rest)
        }?;
        actions.extend(main.into_iter().filter(|a| a.kind != Kind::Query));
        // What reads a part of WITH reads more than one table, and its values are not those of a row.
        for each in &mut actions {
            match &mut each.op {
                Op::Update { set, .. } => set.iter_mut().for_each(|(_, value)| widen(value)),
                Op::Insert { rows: rows @ Rows::Copied { .. }, .. } => *rows = Rows::Unknown,
                _ => {}
            }
        }
        if actions.is_empty() {
            actions.push(action(Kind::Query, "", Op::Nothing));
        }
        Some(actions)
    }

    fn verb(self, tokens: &[Token]) -> Option<Vec<Action>> {
        if let Some(found) = (self.again)(tokens.to_vec()) {
            return Some(found);
        }
        let mut cursor = Cursor::new(tokens, self.engine);
        match cursor.word()?.as_str() {
            "insert" | "replace" => self.insert(tokens),
            "update" => self.update(tokens),
            "delete" => self.delete(tokens),
            "merge" => merge(cursor),
            _ => None,
        }
    }
}

fn widen(value: &mut Value) {
    if let Value::Column(column) | Value::Cast(column, _) = value {
        *value = Value::Computed(std::mem::take(column));
    }
}

/// MERGE INTO t …; `cursor` stands behind MERGE.
pub(super) fn merge(mut cursor: Cursor<'_>) -> Option<Vec<Action>> {
    cursor.eat("into");
    cursor.eat("only");
    let table = cursor.name()?;
    find(cursor.rest, "using")?;
    let op = Op::Insert { table: table.clone(), columns: Vec::new(), rows: Rows::Unknown, conflict: OnConflict::Update };
    Some(vec![action(Kind::Merge, table, op)])
}

fn column_list(cursor: &mut Cursor<'_>) -> Vec<Name> {
    let before = *cursor;
    let Some(inner) = cursor.parens() else { return Vec::new() };
    let names: Option<Vec<Name>> = items(inner).into_iter().map(|item| Cursor::new(item, before.engine).part()).collect();
    names.unwrap_or_default()
}

/// `OVERRIDING SYSTEM VALUE` says where ids come from, not which rows.
fn without_overriding(tokens: &[Token]) -> Vec<Token> {
    let mut kept = tokens.to_vec();
    if let Some(at) = find(tokens, "overriding system value").or_else(|| find(tokens, "overriding user value")) {
        kept.drain(at..at + 3);
    }
    kept
}

/// `ON CONFLICT (a) WHERE b DO …` names a partial index; what is done does not hang on it.
fn without_conflict_predicate(mut tokens: Vec<Token>) -> Vec<Token> {
    if let Some(on) = find(&tokens, "on conflict")
        && let Some(clause) = find(&tokens[on..], "where")
        && let Some(end) = find(&tokens[on..], "do")
        && clause < end
    {
        tokens.drain(on + clause..on + end);
    }
    tokens
}

/// The table, the columns and the clause for rows that stand already; `tokens` may break off anywhere.
pub(super) fn insert_head(tokens: &[Token], engine: Engine) -> Option<Vec<Action>> {
    let mut cursor = Cursor::new(tokens, engine);
    let verb = cursor.eat_any(&["insert", "replace"])?;
    let mut conflict = if verb == "replace" { OnConflict::Replace } else { OnConflict::Fail };
    while cursor.eat_any(NOISE).is_some() {}
    if cursor.eat("ignore") || cursor.eat("or ignore") {
        conflict = OnConflict::Ignore;
    } else if cursor.eat("or replace") {
        conflict = OnConflict::Replace;
    } else if cursor.eat("or") {
        cursor.word()?;
    }
    let into = cursor.eat("into");
    if !into && !engine.is_mysql_like() {
        return None;
    }
    let table = cursor.name()?;
    if cursor.eat("as") {
        cursor.part()?;
    }
    let columns = column_list(&mut cursor);
    if !["values", "value", "select", "with", "default", "set", "overriding", "table", "partition"].iter().any(|w| cursor.at(w))
        && cursor.rest.first() != Some(&Token::LParen)
    {
        return None;
    }
    if find(cursor.rest, "on duplicate key update").is_some() {
        conflict = OnConflict::Update;
    } else if let Some(at) = find(cursor.rest, "on conflict") {
        // SQLite takes several such clauses.
        let changes = find(&cursor.rest[at..], "do update").is_some();
        conflict = if changes { OnConflict::Update } else { OnConflict::Ignore };
    }
    let selects = find(cursor.rest, "select").is_some();
    let kind = match conflict {
        OnConflict::Replace => Kind::Replace,
        OnConflict::Update => Kind::Upsert,
        OnConflict::Ignore => Kind::InsertIgnore,
        OnConflict::Fail if selects => Kind::InsertSelect,
        OnConflict::Fail => Kind::Insert,
    };
    Some(vec![action(kind, table.clone(), Op::Insert { table, columns, rows: Rows::Unknown, conflict })])
}

/// `UPDATE t AS x, u SET x.a = u.a WHERE …`: one action a table that is written.
fn update_tables(tokens: &[Token], engine: Engine) -> Option<Vec<Action>> {
    let mut cursor = Cursor::new(&tokens[1..], engine);
    if cursor.eat("or") {
        cursor.word()?;
    }
    let sources = cursor.until(&["set"]);
    if !cursor.eat("set") {
        return None;
    }
    let alone = items(sources).len() == 1 && find(sources, "join").is_none();
    let mut tables: Vec<(Name, Option<Name>)> = Vec::new();
    for item in items(sources) {
        let mut source = Cursor::new(item, engine);
        tables.push(source_name(&mut source)?);
        while !source.until(&["join", "straight_join"]).is_empty() || !source.done() {
            if source.eat_any(&["join", "straight_join"]).is_none() {
                break;
            }
            tables.extend(source_name(&mut source));
        }
    }
    let main = tables.first()?.0.clone();
    let sets = cursor.until(&["where", "from", "order by", "limit", "returning"]);
    let filter = match (cursor.at("where"), cursor.done()) {
        (_, true) if alone => Filter::All,
        (true, _) if alone => Filter::Other(even_text(&cursor.rest[1..])),
        _ => Filter::Other(format!("{} {}", even_text(sources), even_text(cursor.rest))),
    };
    // An alias hides the name, and the first table of a name is the one that is meant.
    let mut known: HashMap<&str, &Name> = HashMap::new();
    for (name, alias) in &tables {
        known.entry(alias.as_ref().unwrap_or(name)).or_insert(name);
    }
    let mut written: BTreeMap<&Name, Vec<(Name, Value)>> = BTreeMap::new();
    for item in items(sets) {
        let mut assignment = Cursor::new(item, engine);
        let targets = match assignment.parens() {
            Some(list) => items(list),
            None => vec![assignment.until_equals()],
        };
        if !assignment.equals() {
            return None;
        }
        let value = value(assignment.rest, alone && targets.len() == 1);
        for target in targets {
            let mut parts = Vec::new();
            let mut path = Cursor::new(target, engine);
            while let Some(part) = path.part() {
                parts.push(part);
                path.mark(&Token::Period);
            }
            let column = parts.pop()?;
            let table = parts.last().and_then(|owner| known.get(owner.as_str())).copied().unwrap_or(&main);
            written.entry(table).or_default().push((column, value.clone()));
        }
    }
    Some(
        written.into_iter().map(|(table, set)| action(Kind::Update, table.clone(), Op::Update { table: table.clone(), set, filter: filter.clone() })).collect(),
    )
}

/// A table with its alias; an inner query has no name.
fn source_name(source: &mut Cursor<'_>) -> Option<(Name, Option<Name>)> {
    if let Some(inner) = source.parens() {
        source.eat("as");
        let alias = source.part();
        return Some((format!("({})", even_text(inner)), alias));
    }
    let name = source.name()?;
    source.eat("as");
    let alias =
        if ["join", "inner", "left", "right", "cross", "natural", "straight_join", "on", "using"].iter().any(|w| source.at(w)) { None } else { source.part() };
    Some((name, alias))
}

fn value(tokens: &[Token], plain: bool) -> Value {
    match bare(tokens) {
        [token @ (Token::Number(..) | Token::SingleQuotedString(_))] => Value::Literal(even_token(token)),
        [token @ Token::Word(word)] if word.quote_style.is_none() && ["null", "true", "false"].iter().any(|w| is_word(token, w)) => {
            Value::Literal(even_token(token))
        }
        [token @ Token::Word(_)]
            if plain && !["default", "current_timestamp", "current_date", "current_time", "current_user"].iter().any(|w| is_word(token, w)) =>
        {
            Value::Column(even_token(token))
        }
        other => Value::Computed(even_text(other)),
    }
}
