//! A statement to sqlparser's tokens. In: the text of one statement. Out: its tokens, white space left out where nothing can hang on it.
//!
//! Most statements are bare words, whole numbers, short strings and a few marks. Our own scanner has the bounds of those, and makes
//! tokens of them at a third of what sqlparser's tokenizer takes, which allocates three times a word. Where anything else stands
//! in a statement, that tokenizer reads all of it.

use crate::engine::Engine;
use crate::lex::{Kind, Scanner};
use sqlparser::keywords::{ALL_KEYWORDS, ALL_KEYWORDS_INDEX, Keyword};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, Word};

/// Longer texts are counted in sqlparser's own tokens before they are parsed.
const MAX_PLAIN: usize = 16 << 10;

/// The tokens of `sql`; `None` where sqlparser's tokenizer refuses it. Spans are left out: positions come from `lex`.
pub(super) fn tokens(sql: &str, engine: Engine) -> Option<Vec<TokenWithSpan>> {
    if sql.len() <= MAX_PLAIN
        && let Some(tokens) = plain(sql, engine)
    {
        return Some(tokens);
    }
    Tokenizer::new(engine.dialect(), sql).tokenize_with_location().ok()
}

/// The tokens of a statement in which nothing stands that the dialects read in different ways.
fn plain(sql: &str, engine: Engine) -> Option<Vec<TokenWithSpan>> {
    let bytes = sql.as_bytes();
    let mut tokens: Vec<TokenWithSpan> = Vec::with_capacity(sql.len() / 6 + 4);
    let mut name_ends = None;
    for lexeme in Scanner::new(sql, engine) {
        let (text, next) = (&sql[lexeme.start..lexeme.end], bytes.get(lexeme.end).copied().unwrap_or(b' '));
        let mut is_name = false;
        let token = match (lexeme.kind, bytes[lexeme.start]) {
            (Kind::Space | Kind::Newline, _) => continue,
            (Kind::Word, b'0'..=b'9') if is_number(text) && ends_word(next) && next != b'.' => Token::Number(text.to_owned(), false),
            (Kind::Word, b'a'..=b'z' | b'A'..=b'Z' | b'_') if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && ends_word(next) => {
                is_name = true;
                Token::Word(Word { value: text.to_owned(), quote_style: None, keyword: keyword(text) })
            }
            (Kind::Quoted, quote @ (b'\'' | b'"' | b'`')) => {
                let inner = &text[1..text.len() - 1];
                // Doubled quotes, escapes, and strings that go on behind a line end.
                if inner.bytes().any(|b| b == quote || b == b'\\') || matches!(tokens.last().map(|t| &t.token), Some(Token::SingleQuotedString(_))) {
                    return None;
                }
                match (quote, engine) {
                    (b'\'', _) => Token::SingleQuotedString(inner.to_owned()),
                    (b'"', Engine::Postgres | Engine::Sqlite) | (b'`', _) => {
                        is_name = true;
                        Token::make_word(inner, Some(char::from(quote)))
                    }
                    _ => return None,
                }
            }
            (Kind::Punct, b'(') => Token::LParen,
            (Kind::Punct, b')') => Token::RParen,
            (Kind::Punct, b',') => Token::Comma,
            (Kind::Punct, b';') => Token::SemiColon,
            (Kind::Punct, b'*') => Token::Mul,
            (Kind::Punct, b'=') if !matches!(next, b'=' | b'>') => Token::Eq,
            (Kind::Punct, b'<') if next == b' ' => Token::Lt,
            (Kind::Punct, b'>') if next == b' ' => Token::Gt,
            (Kind::Punct, b'.') if name_ends == Some(lexeme.start) && !matches!(next, b'0'..=b'9' | b'.') => Token::Period,
            _ => return None,
        };
        name_ends = is_name.then_some(lexeme.end);
        tokens.push(TokenWithSpan::wrap(token));
    }
    Some(tokens)
}

/// What each keyword of sqlparser's list begins with, in the order of that list, which is sorted.
const HEADS: [u64; ALL_KEYWORDS.len()] = {
    let (mut heads, mut at) = ([0; ALL_KEYWORDS.len()], 0);
    while at < ALL_KEYWORDS.len() {
        heads[at] = head(ALL_KEYWORDS[at].as_bytes());
        at += 1;
    }
    heads
};

/// The first eight bytes of `word` as a number that sorts as they do.
const fn head(word: &[u8]) -> u64 {
    let (mut head, mut at) = ([0; 8], 0);
    while at < word.len() && at < head.len() {
        head[at] = word[at].to_ascii_uppercase();
        at += 1;
    }
    u64::from_be_bytes(head)
}

/// The keyword that `word` is, as sqlparser's tokenizer would find it.
fn keyword(word: &str) -> Keyword {
    let head = head(word.as_bytes());
    let from = HEADS.partition_point(|other| *other < head);
    let alike = HEADS[from..].iter().take_while(|other| **other == head).count();
    let found = ALL_KEYWORDS[from..from + alike].iter().position(|keyword| keyword.eq_ignore_ascii_case(word));
    found.map_or(Keyword::NoKeyword, |found| ALL_KEYWORDS_INDEX[from + found])
}

/// Whether `text`, which begins with a digit, is digits alone, or digits around one point.
fn is_number(text: &str) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    [whole, fraction].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// Whether `next` cannot belong to the word or number before it, nor make it the prefix of a string.
fn ends_word(next: u8) -> bool {
    matches!(next, b' ' | b'\t' | b'\r' | b'\n' | b'(' | b')' | b',' | b';' | b'.' | b'=')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::TABLE;

    #[test]
    fn keywords_are_found_in_any_case() {
        for (keyword, expected) in ALL_KEYWORDS.iter().zip(ALL_KEYWORDS_INDEX) {
            for word in [keyword.to_lowercase(), (*keyword).to_owned(), format!("{keyword}x"), keyword[1..].to_owned(), "x".repeat(100)] {
                let Token::Word(made) = Token::make_word(&word, None) else { panic!("a word") };
                assert!(word.is_empty() || super::keyword(&word) == made.keyword, "{word}");
            }
            assert_eq!(super::keyword(keyword), *expected);
        }
    }

    /// Every line of every page, prose and SQL, and every paragraph.
    #[test]
    fn plain_tokens_are_those_of_sqlparser() {
        let mut seen = 0;
        let own = [
            "a 'x'\n'y'",
            "a._b",
            "a ._b",
            "n'x'",
            "e 'x'",
            "a.1",
            "1.5",
            "1.5,-1",
            "(1.,2)",
            "(.5, 1.5.5)",
            "1.5e5 ",
            "1e5",
            "0x1f",
            "x''",
            "f(1)::int",
            "''",
            "'a''b'",
            "'a\\'b'",
            "\"a b\".c",
            "a`b`",
            "a\"b\"",
        ];
        let pages = TABLE.iter().flat_map(|row| row.page.lines().chain(row.page.split("\n\n")));
        for text in own.into_iter().chain(pages) {
            for engine in Engine::ALL {
                let Some(plain) = plain(text, engine) else { continue };
                let all = Tokenizer::new(engine.dialect(), text).tokenize().unwrap_or_else(|error| panic!("{text} on {engine}: {error}"));
                let all: Vec<Token> = all.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).collect();
                assert_eq!(plain.into_iter().map(|t| t.token).collect::<Vec<_>>(), all, "{text} on {engine}");
                seen += usize::from(!all.is_empty());
            }
        }
        assert!(seen > 5_000, "only {seen} texts are plain");
    }
}
