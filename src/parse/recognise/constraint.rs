//! Constraints and indexes as elements of a table. In: the tokens of one element. Out: what it adds to the table.

use crate::engine::Engine;
use crate::parse::action::{Constraint, Index, NOT_ENFORCED, Name, Rule};
use crate::parse::cursor::{Cursor, bare, is_word, items};
use crate::parse::even::{self, even_text};
use sqlparser::tokenizer::Token;

/// What an element of a table adds.
pub(super) enum Element {
    /// A rule.
    Constraint(Constraint),
    /// An index (MySQL, MariaDB).
    Index(Index),
    /// `NOT NULL c`, which PostgreSQL also takes as a constraint of the table, with its name.
    NotNull(Name, Option<Name>),
}

/// One constraint or index; `None` where the element begins otherwise, as a column does.
pub(super) fn element(tokens: &[Token], table: &Name, engine: Engine) -> Option<Element> {
    let mut cursor = Cursor::new(tokens, engine);
    let mut name = if cursor.eat("constraint") { name_of_constraint(&mut cursor) } else { None };
    let mut using_index = None;
    let mut rest = String::new();
    let mut not_valid = false;
    let rule = if cursor.eat("primary key") {
        match key(&mut cursor, &mut name, &mut rest)? {
            Key::Columns(columns) => Rule::PrimaryKey(columns),
            Key::Index(index) => {
                using_index = Some(index);
                Rule::PrimaryKey(Vec::new())
            }
        }
    } else if cursor.eat("unique") {
        cursor.eat_any(&["index", "key"]);
        cursor.eat("if not exists");
        match key(&mut cursor, &mut name, &mut rest)? {
            Key::Columns(columns) => Rule::Unique(columns),
            Key::Index(index) => {
                using_index = Some(index);
                Rule::Unique(Vec::new())
            }
        }
    } else if cursor.eat("foreign key") {
        cursor.eat("if not exists");
        if cursor.rest.first() != Some(&Token::LParen) {
            let own = cursor.part()?;
            name.get_or_insert(own);
        }
        let columns = columns(cursor.parens()?, engine)?;
        if !cursor.eat("references") {
            return None;
        }
        foreign_key(&mut cursor, columns)?
    } else if cursor.eat("check") {
        Rule::Check(even_text(bare(cursor.parens()?)))
    } else if cursor.eat("exclude") {
        Rule::Exclude(format!("exclude {}", even_text(cursor.all())))
    } else if cursor.eat("not null") {
        let column = cursor.part()?;
        mode(&mut cursor, &mut String::new())?;
        return cursor.done().then_some(Element::NotNull(column, name));
    } else if engine.is_mysql_like() {
        return index(cursor, table);
    } else {
        return None;
    };
    while !cursor.done() {
        not_valid |= mode(&mut cursor, &mut rest)?;
    }
    Some(Element::Constraint(Constraint { name, rule, not_valid, using_index, mode: rest }))
}

/// The name behind CONSTRAINT, which MySQL allows to be left out.
pub(super) fn name_of_constraint(cursor: &mut Cursor<'_>) -> Option<Name> {
    let left_out = ["primary key", "unique", "foreign key", "check"].iter().any(|word| cursor.at(word));
    cursor.eat("if not exists");
    if left_out { None } else { cursor.part() }
}

enum Key {
    Columns(Vec<Name>),
    Index(Name),
}

/// The columns of a key, or the index that it takes over.
fn key(cursor: &mut Cursor<'_>, name: &mut Option<Name>, rest: &mut String) -> Option<Key> {
    if cursor.eat("using index") {
        return Some(Key::Index(cursor.part()?));
    }
    let mode = cursor.eat_any(&["nulls not distinct", "nulls distinct", "clustered", "nonclustered"]);
    if mode == Some("nulls not distinct") {
        rest.push_str("nulls not distinct");
    }
    if mode.is_none() && cursor.rest.first() != Some(&Token::LParen) && !cursor.at("using") {
        let own = cursor.part()?;
        name.get_or_insert(own);
    }
    if cursor.eat("using") {
        cursor.word()?;
    }
    columns(cursor.parens()?, cursor.engine).map(Key::Columns)
}

/// What stands behind REFERENCES.
pub(super) fn foreign_key(cursor: &mut Cursor<'_>, columns: Vec<Name>) -> Option<Rule> {
    let target = cursor.name()?;
    let target_columns = match cursor.parens() {
        Some(inner) => self::columns(inner, cursor.engine)?,
        None => Vec::new(),
    };
    let (mut delete, mut update, mut rest) = (String::new(), String::new(), String::new());
    loop {
        if cursor.eat("on delete") {
            delete = action(cursor, "on delete")?;
        } else if cursor.eat("on update") {
            update = action(cursor, "on update")?;
        } else if cursor.at("match") {
            mode(cursor, &mut rest)?;
        } else {
            break;
        }
    }
    Some(Rule::ForeignKey { columns, target, target_columns, actions: even::joined([&*delete, &*update, &*rest]) })
}

fn action(cursor: &mut Cursor<'_>, of: &str) -> Option<String> {
    let what = cursor.eat_any(&["cascade", "restrict", "no action", "set null", "set default"])?;
    let only = cursor.parens().map(|inner| format!("({})", even_text(inner))).unwrap_or_default();
    // NO ACTION is what stands where nothing is written.
    Some(if what == "no action" { String::new() } else { format!("{of} {what}{only}") })
}

/// One word on how a constraint is held; true for `NOT VALID`. What else is not the default goes to `rest`.
pub(super) fn mode(cursor: &mut Cursor<'_>, rest: &mut String) -> Option<bool> {
    let kept = [
        "deferrable initially deferred",
        "deferrable",
        "initially deferred",
        "match full",
        "match simple",
        "match partial",
        "on conflict rollback",
        "on conflict abort",
        "on conflict fail",
        "on conflict ignore",
        "on conflict replace",
        "no inherit",
        NOT_ENFORCED,
    ];
    if cursor.eat("not valid") {
        return Some(true);
    }
    if cursor.eat_any(&["not deferrable", "initially immediate", "enforced"]).is_some() || cursor.done() {
        return Some(false);
    }
    let mut keep = |word: &str| {
        if !rest.is_empty() {
            rest.push(' ');
        }
        rest.push_str(word);
        Some(false)
    };
    if let Some(word) = cursor.eat_any(&kept) {
        // What is deferred at first is deferrable.
        return keep(if word == "initially deferred" { "deferrable initially deferred" } else { word });
    }
    // Options of the index behind a key.
    if cursor.eat("include") {
        return keep(&format!("include({})", even_text(cursor.parens()?)));
    }
    if cursor.eat("with") {
        return cursor.parens().map(|_| false);
    }
    if cursor.eat_any(&["using index tablespace", "using", "comment", "key_block_size", "with parser"]).is_some() {
        cursor.equals();
        return cursor.token().map(|_| false);
    }
    cursor.eat_any(&["visible", "invisible", "ignored", "not ignored"]).map(|_| false)
}

/// `[UNIQUE] INDEX name (a, b DESC) …` inside of a table.
fn index(mut cursor: Cursor<'_>, table: &Name) -> Option<Element> {
    let sort = cursor.eat_any(&["fulltext", "spatial"]);
    let word = cursor.eat_any(&["index", "key"]);
    if sort.is_none() && word.is_none() {
        return None;
    }
    cursor.eat("if not exists");
    let name = if cursor.rest.first() == Some(&Token::LParen) || cursor.at("using") { None } else { Some(cursor.part()?) };
    let mut rest = vec![sort.unwrap_or_default().to_owned()];
    if cursor.eat("using") {
        rest.push(format!("using {}", cursor.word()?));
    }
    let columns = columns(cursor.parens()?, cursor.engine)?;
    rest.push(even_text(cursor.all()));
    rest.retain(|r| !r.is_empty());
    Some(Element::Index(Index { name, table: table.clone(), unique: false, columns, rest: rest.join(" ") }))
}

/// The columns of an index, in their even spelling.
pub(super) fn columns(inner: &[Token], engine: Engine) -> Option<Vec<String>> {
    items(inner).into_iter().map(|item| index_column(item, engine)).collect()
}

fn index_column(mut item: &[Token], engine: Engine) -> Option<String> {
    let ends = |item: &[Token], words: [&str; 2]| matches!(item, [.., a, b] if is_word(a, words[0]) && is_word(b, words[1]));
    let mut nulls = None;
    for (word, first) in [("first", true), ("last", false)] {
        if ends(item, ["nulls", word]) {
            nulls = Some(first);
            item = &item[..item.len() - 2];
        }
    }
    let mut descending = false;
    if let [before @ .., last] = item
        && !before.is_empty()
        && (is_word(last, "asc") || is_word(last, "desc"))
    {
        descending = is_word(last, "desc");
        item = before;
    }
    let mut cursor = Cursor::new(bare(item), engine);
    let name = cursor.part();
    let mut text = match name {
        Some(name) if cursor.done() => name,
        // `a text_pattern_ops`.
        Some(name) if matches!(cursor.rest, [Token::Word(_)]) => format!("{name} {}", even_text(cursor.rest)),
        _ if item.is_empty() => return None,
        // `lower(a) text_pattern_ops`.
        _ if matches!(item, [.., Token::RParen, Token::Word(_)]) => {
            let (class, expression) = item.split_last()?;
            format!("{} {}", even_text(bare(expression)), even_text(std::slice::from_ref(class)))
        }
        _ => even_text(bare(item)),
    };
    if descending {
        text.push_str(" desc");
    }
    if let Some(first) = nulls.filter(|first| *first != descending) {
        text.push_str(if first { " nulls first" } else { " nulls last" });
    }
    Some(text)
}
