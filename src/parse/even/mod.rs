//! One spelling for equal texts and types. In: SQL as tokens, as written or as sqlparser prints it. Out: text that compares equal
//! where the database would see the same thing.

mod types;

use sqlparser::tokenizer::{Token, Word};
pub use types::ty;
pub(crate) use types::{even_type, serial};

/// Words that mean something else when they are quoted, so that their quotes stay.
const SPEAKING: &[&str] = &[
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "false",
    "localtime",
    "localtimestamp",
    "null",
    "session_user",
    "true",
    "user",
    "value",
];

/// Text as written or as sqlparser prints it, with unquoted letters lower-cased and no white space but one blank between two
/// words, and quotes around names where they change something. [`even_text`] gives the same for tokens.
pub fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut quote, mut gap) = (None, false);
    let mut began = 0;
    for c in text.chars() {
        if let Some(close) = quote {
            out.push(c);
            if c == close {
                quote = None;
                // Quotes around a name are dropped where they change nothing.
                if close != '\'' && out.len() > began + 2 {
                    let inner = &out[began + 1..out.len() - 1];
                    let even = name(&if close == '`' { inner.to_lowercase() } else { inner.to_owned() });
                    out.truncate(began);
                    out.push_str(&even);
                }
            }
            continue;
        }
        if c.is_whitespace() {
            gap = true;
            continue;
        }
        let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"' | '`' | '$');
        if std::mem::take(&mut gap) && wordy(c) && out.chars().next_back().is_some_and(wordy) {
            out.push(' ');
        }
        if matches!(c, '\'' | '"' | '`') {
            (quote, began) = (Some(c), out.len());
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Tokens with a blank between two words and nowhere else: words lower-cased where they are not quoted, quotes dropped where
/// they change nothing, strings kept, all of one spelling (`$tag$ … $tag$` is `$$ … $$`).
pub(crate) fn even_text(tokens: &[Token]) -> String {
    let wordy = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\'' | '"' | '`' | '$');
    let mut text = String::new();
    for token in tokens {
        if matches!(token, Token::Whitespace(_) | Token::EOF) {
            continue;
        }
        let word = even_token(token);
        if text.ends_with(wordy) && word.starts_with(wordy) {
            text.push(' ');
        }
        text.push_str(&word);
    }
    text
}

/// The definition of an object: the even text of its CREATE, without `OR REPLACE` and `IF NOT EXISTS`, which do not outlive it.
/// Only the first words are looked at, so that a body keeps what it says.
pub(crate) fn definition(tokens: &[Token]) -> String {
    let body = |t: &Token| matches!(t, Token::LParen) || matches!(t, Token::Word(w) if ["as", "on", "begin"].iter().any(|word| is_bare(w, word)));
    let head = tokens.iter().position(body).unwrap_or(tokens.len());
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let left_out = [&["or", "replace"][..], &["if", "not", "exists"]].into_iter().find(|words| at < head && starts(&tokens[at..], words));
        match left_out {
            Some(words) => at += words.len(),
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    even_text(&kept)
}

fn starts(tokens: &[Token], words: &[&str]) -> bool {
    tokens.len() >= words.len() && words.iter().zip(tokens).all(|(word, token)| matches!(token, Token::Word(w) if is_bare(w, word)))
}

fn is_bare(word: &Word, text: &str) -> bool {
    word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text)
}

/// The even spelling of one token.
pub(crate) fn even_token(token: &Token) -> String {
    match token {
        Token::Word(word) => even_word(word),
        Token::SingleQuotedString(s) | Token::DoubleQuotedString(s) => quoted("", s),
        Token::EscapedStringLiteral(s) => quoted("e", s),
        Token::NationalStringLiteral(s) => quoted("n", s),
        Token::HexStringLiteral(s) => quoted("x", &s.to_ascii_lowercase()),
        Token::DollarQuotedString(s) => format!("$${}$$", s.value),
        other => other.to_string(),
    }
}

fn quoted(prefix: &str, text: &str) -> String {
    format!("{prefix}'{}'", text.replace('\'', "''"))
}

fn even_word(word: &Word) -> String {
    let lower = word.value.to_lowercase();
    let Some(quote) = word.quote_style else { return lower };
    // Backticks and brackets stand on engines whose names have no case.
    name(if quote == '"' { &word.value } else { &lower })
}

/// Even texts one behind the other; those that say nothing are left out.
pub(crate) fn joined<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    texts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A name as it stands in even text: in quotes where it needs them.
pub(crate) fn name(value: &str) -> String {
    let plain =
        value.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if plain && !SPEAKING.contains(&value) { value.to_owned() } else { format!("\"{}\"", value.replace('"', "\"\"")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use sqlparser::tokenizer::Tokenizer;

    fn tokens(sql: &str, engine: Engine) -> Vec<Token> {
        let all = Tokenizer::new(engine.dialect(), sql).tokenize().expect("the case is made of tokens");
        all.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect()
    }

    #[test]
    fn tokens_make_even_text() {
        for (written, expected) in [
            ("Lower( \"name\" )  <> 'It''s'", "lower(name)<>'It''s'"),
            ("\"User\" = \"user\" AND user != 1", "\"User\"=\"user\" and user<>1"),
            ("$x$ a $x$", "$$ a $$"),
        ] {
            assert_eq!(even_text(&tokens(written, Engine::Postgres)), expected);
        }
        assert_eq!(even_text(&tokens("`Name` = \"X\"", Engine::Mysql)), "name='X'");
        let trigger = tokens("CREATE TRIGGER g AFTER INSERT ON t BEGIN INSERT OR REPLACE INTO u VALUES (1); END", Engine::Sqlite);
        assert!(definition(&trigger).contains("insert or replace"));
        let view = tokens("CREATE OR REPLACE VIEW v AS SELECT replace(a, 'x', '') FROM t", Engine::Postgres);
        assert_eq!(definition(&view), "create view v as select replace(a,'x','')from t");
    }

    #[test]
    fn equal_texts_become_equal() {
        assert_eq!(text("CREATE  View v\nAS SELECT 'It''s  X' , A . b"), "create view v as select 'It''s  X',a.b");
        assert_eq!(text("lower( Email )"), text("LOWER(email)"));
    }
}
