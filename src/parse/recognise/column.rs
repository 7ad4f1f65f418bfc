//! Columns as written. In: the tokens of one column definition. Out: the column and the constraints beside it, or nothing where
//! a word stands that no engine has there.

use super::constraint::{foreign_key, mode, name_of_constraint};
use crate::engine::Engine;
use crate::parse::action::{BARE_DEFAULT, Column, Constraint, NOT_ENFORCED, Rule};
use crate::parse::cursor::{Cursor, bare};
use crate::parse::even::{even_text, even_type, serial};
use sqlparser::tokenizer::Token;

/// Words that end a type or a default.
const ATTRIBUTES: &[&str] = &[
    "not null",
    "not visible",
    "not invisible",
    "not deferrable",
    "not secondary",
    "options",
    "null",
    "default",
    "primary key",
    "primary",
    "unique",
    "references",
    "constraint",
    "check",
    "collate",
    "generated",
    "as",
    "auto_increment",
    "autoincrement",
    "comment",
    "on update",
    "on conflict",
    "key",
    "first",
    "after",
    "character set",
    "charset",
    "binary",
    "ascii",
    "unicode",
    "invisible",
    "visible",
    "storage",
    "compression",
    "compressed",
    "without system versioning",
    "with system versioning",
    "srid",
    "ref_system_id",
    "column_format",
    "deferrable",
    "initially",
    "using",
];

/// Words that may follow a type's first one.
const TYPE_WORDS: &[&str] = &[
    "varying",
    "precision",
    "with",
    "without",
    "time",
    "zone",
    "local",
    "unsigned",
    "signed",
    "zerofill",
    "array",
    "byte",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "to",
];

/// A column and its own constraints.
pub(super) fn column(tokens: &[Token], engine: Engine) -> Option<(Column, Vec<Constraint>)> {
    let mut cursor = Cursor::new(tokens, engine);
    let mut column = Column { name: cursor.part()?, ..Column::default() };
    let ty = type_tokens(&mut cursor)?;
    if ty.is_empty() && engine != Engine::Sqlite {
        return None;
    }
    column.ty = even_type(ty, engine);
    if let Some((stored, identity)) = serial(&column.ty, engine) {
        (column.ty, column.identity, column.not_null) = (stored.to_owned(), Some(identity.to_owned()), true);
    }
    let mut constraints = Vec::new();
    while !cursor.done() {
        attribute(&mut cursor, &mut column, &mut constraints)?;
    }
    Some((column, constraints))
}

/// The tokens of a type, which may be none.
pub(super) fn type_tokens<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [Token]> {
    let from = cursor.rest;
    let mut path = true;
    while let Some(token) = cursor.rest.first() {
        let first = cursor.rest.len() == from.len();
        match token {
            Token::Word(word) if word.quote_style.is_none() => {
                // The first word is a type's even where it could be an attribute: `BINARY(16)`, `CHARACTER SET`.
                let lower = word.value.to_ascii_lowercase();
                let attribute = ATTRIBUTES.iter().any(|a| cursor.at(a));
                if attribute && !(first && matches!(lower.as_str(), "binary" | "character" | "unicode")) {
                    break;
                }
                let after_national = cursor.engine != Engine::Sqlite && is_char(&lower);
                if !(path || cursor.engine == Engine::Sqlite || after_national || TYPE_WORDS.contains(&lower.as_str())) {
                    return None;
                }
            }
            Token::Word(_) if path || cursor.engine == Engine::Sqlite => {}
            Token::SingleQuotedString(_) if first && cursor.engine == Engine::Sqlite => {}
            Token::Period | Token::LBracket | Token::RBracket | Token::Number(..) if !first => {}
            Token::LParen if !first => {
                cursor.parens()?;
                path = false;
                continue;
            }
            Token::Mod if !first => {}
            _ => return if first { Some(&[]) } else { None },
        }
        path = matches!(token, Token::Period);
        cursor.token();
    }
    Some(&from[..from.len() - cursor.rest.len()])
}

fn is_char(word: &str) -> bool {
    matches!(word, "char" | "character" | "varchar" | "varbinary")
}

fn attribute(cursor: &mut Cursor<'_>, column: &mut Column, constraints: &mut Vec<Constraint>) -> Option<()> {
    let mut written = None;
    if cursor.eat("constraint") {
        written = Some(name_of_constraint(cursor)?);
    }
    let mut rule = |rule: Rule, not_valid: bool, mode: &str| {
        constraints.push(Constraint { name: written.clone(), rule, not_valid, using_index: None, mode: mode.to_owned() });
    };
    let engine = cursor.engine;
    if cursor.eat("not null") {
        column.not_null = true;
        cursor.eat("no inherit");
        conflict(cursor, column)?;
    } else if cursor.eat("null") {
        column.not_null = false;
    } else if cursor.eat("primary key") || engine.is_mysql_like() && (cursor.eat("primary") || cursor.eat("key")) {
        cursor.eat_any(&["asc", "desc"]);
        conflict(cursor, column)?;
        column.not_null |= engine != Engine::Sqlite;
        rule(Rule::PrimaryKey(vec![column.name.clone()]), false, "");
    } else if cursor.eat("unique") {
        cursor.eat("key");
        conflict(cursor, column)?;
        let nulls = cursor.eat_any(&["nulls not distinct", "nulls distinct"]).filter(|word| *word == "nulls not distinct");
        rule(Rule::Unique(vec![column.name.clone()]), false, nulls.unwrap_or_default());
    } else if cursor.eat("references") {
        let key = foreign_key(cursor, vec![column.name.clone()])?;
        rule(key, false, "");
    } else if cursor.eat("check") {
        let expression = even_text(bare(cursor.parens()?));
        let mut held = String::new();
        let not_valid = ["not valid", NOT_ENFORCED, "enforced", "no inherit"].iter().any(|w| cursor.at(w)) && mode(cursor, &mut held)?;
        rule(Rule::Check(expression), not_valid, &held);
    } else if cursor.eat("default") {
        let expression = expression(cursor)?;
        let text = even_text(bare(expression));
        if cursor.engine == Engine::Sqlite && expression.len() > 2 && !matches!(expression.first(), Some(Token::LParen)) {
            column.faulty = Some(BARE_DEFAULT.to_owned());
        }
        column.default = (text != "null").then_some(text);
    } else if cursor.eat("collate") {
        column.collation = Some(cursor.name()?);
    } else if cursor.eat("generated always as identity") || cursor.eat("generated by default on null as identity") {
        identity(cursor, column, "identity always");
    } else if cursor.eat("generated by default as identity") {
        identity(cursor, column, "identity by default");
    } else if let Some(end) = ["start", "end"].into_iter().find(|end| cursor.eat(&format!("generated always as row {end}"))) {
        // The bounds of a row's time (MariaDB).
        column.generated = Some(format!("row {end}"));
    } else if cursor.eat("options") {
        column.other.push(format!("options ({})", even_text(cursor.parens()?)));
    } else if cursor.eat("generated always as") || cursor.eat("as") {
        let expression = even_text(bare(cursor.parens()?));
        let stored = matches!(cursor.eat_any(&["stored", "persistent", "virtual"]), Some("stored" | "persistent"));
        column.generated = Some(format!("{expression} {}", if stored { "stored" } else { "virtual" }));
    } else if cursor.eat_any(&["auto_increment", "autoincrement"]).is_some() {
        column.identity = Some("auto_increment".to_owned());
        column.not_null |= engine.is_mysql_like();
    } else if cursor.eat("comment") {
        let (Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) = cursor.token()? else { return None };
        column.comment = Some(text.clone());
    } else if cursor.eat("on update") {
        let text = even_text(expression(cursor)?);
        column.other.push(format!("on update {text}"));
    } else if let Some(word) = cursor.eat_any(&["character set", "charset"]) {
        let set = cursor.part()?;
        column.other.push(format!("{} {set}", if word == "charset" { "character set" } else { word }));
    } else if cursor.eat("first") {
        // The order of columns is not compared.
    } else if cursor.eat("after") {
        cursor.part()?;
    } else if let Some(word) = cursor.eat_any(&["storage", "compression", "srid", "ref_system_id", "column_format"]) {
        cursor.equals();
        let value = even_text(std::slice::from_ref(cursor.token()?));
        column.other.push(format!("{word} {value}"));
    } else if let Some(word) = cursor.eat_any(&["invisible", "compressed", "without system versioning", "with system versioning", "binary", "ascii", "unicode"])
    {
        column.other.push(word.to_owned());
    } else if let (true, Some(before)) = (["deferrable", "initially deferred", NOT_ENFORCED].iter().any(|words| cursor.at(words)), constraints.last_mut()) {
        mode(cursor, &mut before.mode)?;
    } else if cursor.eat_any(&["visible", "hidden", "not deferrable", "initially immediate", "not secondary"]).is_none() {
        return None;
    }
    Some(())
}

/// `ON CONFLICT REPLACE` of SQLite.
fn conflict(cursor: &mut Cursor<'_>, column: &mut Column) -> Option<()> {
    if cursor.eat("on conflict") {
        column.other.push(format!("on conflict {}", cursor.word()?));
    }
    Some(())
}

fn identity(cursor: &mut Cursor<'_>, column: &mut Column, mode: &str) {
    column.identity = Some(mode.to_owned());
    column.not_null = true;
    if let Some(options) = cursor.parens() {
        column.other.push(format!("identity ({})", even_text(options)));
    }
}

/// One expression: at least one token, up to the next attribute.
pub(super) fn expression<'a>(cursor: &mut Cursor<'a>) -> Option<&'a [Token]> {
    let from = cursor.rest;
    if cursor.parens().is_none() {
        cursor.token()?;
    }
    cursor.until(ATTRIBUTES);
    Some(&from[..from.len() - cursor.rest.len()])
}
