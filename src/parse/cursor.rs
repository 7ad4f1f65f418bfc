//! A place in a row of tokens. In: tokens without white space. Out: words, names and lists, one after the other.

use super::action::Name;
use super::names::{fold, join};
use crate::engine::Engine;
use sqlparser::tokenizer::Token;

/// More parts than any engine's name has; a longer one is no name.
const MAX_PARTS: usize = 4;

/// What is still to be read. A copy is a place to come back to.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a> {
    /// The tokens not read yet.
    pub(crate) rest: &'a [Token],
    /// Whose SQL it is.
    pub(crate) engine: Engine,
}

/// `token` is this word, not quoted, in any case.
pub(crate) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(w) if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word))
}

/// The place of `phrase` outside of all parentheses.
pub(crate) fn find(tokens: &[Token], phrase: &str) -> Option<usize> {
    let first = phrase.split(' ').next()?;
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            word if depth == 0 && is_word(word, first) && starts(&tokens[at..], phrase) => return Some(at),
            _ => {}
        }
    }
    None
}

fn starts(tokens: &[Token], phrase: &str) -> bool {
    let mut tokens = tokens.iter();
    phrase.split(' ').all(|word| tokens.next().is_some_and(|token| is_word(token, word)))
}

/// The items between the commas that stand outside of all parentheses; none for no tokens.
pub(crate) fn items(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut depth, mut from) = (Vec::new(), 0_usize, 0);
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::LParen | Token::LBracket => depth += 1,
            Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                found.push(&tokens[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    if !tokens.is_empty() {
        found.push(&tokens[from..]);
    }
    found
}

/// `tokens` without the parentheses around the whole of it.
pub(crate) fn bare(tokens: &[Token]) -> &[Token] {
    let mut cursor = Cursor::new(tokens, Engine::Postgres);
    match cursor.parens() {
        Some(inner) if cursor.rest.is_empty() => inner,
        _ => tokens,
    }
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(rest: &'a [Token], engine: Engine) -> Cursor<'a> {
        Cursor { rest, engine }
    }

    pub(crate) fn done(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next words are those of `phrase`.
    pub(crate) fn at(&self, phrase: &str) -> bool {
        starts(self.rest, phrase)
    }

    /// Steps over `phrase` if it stands here.
    pub(crate) fn eat(&mut self, phrase: &str) -> bool {
        let found = self.at(phrase);
        if found {
            self.rest = &self.rest[phrase.split(' ').count()..];
        }
        found
    }

    /// Steps over the first of `phrases` that stands here.
    pub(crate) fn eat_any(&mut self, phrases: &[&'static str]) -> Option<&'static str> {
        phrases.iter().copied().find(|phrase| self.eat(phrase))
    }

    /// Steps over this mark if it stands here.
    pub(crate) fn mark(&mut self, mark: &Token) -> bool {
        let found = self.rest.first() == Some(mark);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// `=` or `:=`.
    pub(crate) fn equals(&mut self) -> bool {
        self.mark(&Token::Eq) || self.mark(&Token::Assignment)
    }

    /// The next token, whatever it is.
    pub(crate) fn token(&mut self) -> Option<&'a Token> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// The next word in lower case, if it is not quoted.
    pub(crate) fn word(&mut self) -> Option<String> {
        match self.rest.first() {
            Some(Token::Word(word)) if word.quote_style.is_none() => {
                self.rest = &self.rest[1..];
                Some(word.value.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    /// One part of a name.
    pub(crate) fn part(&mut self) -> Option<Name> {
        let name = match self.rest.first()? {
            Token::Word(word) => fold(&word.value, word.quote_style.is_some(), self.engine),
            // SQLite takes a string for a name, MySQL does so for accounts.
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) if self.engine != Engine::Postgres => fold(text, true, self.engine),
            _ => return None,
        };
        self.rest = &self.rest[1..];
        Some(name)
    }

    /// A name with its schema.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let first = self.part()?;
        if self.rest.first() != Some(&Token::Period) {
            return Some(first);
        }
        let mut parts = vec![first];
        while self.mark(&Token::Period) {
            parts.push(self.part()?);
            if parts.len() > MAX_PARTS {
                return None;
            }
        }
        Some(join(&parts, self.engine))
    }

    /// A user or role: `bob`, `'bob'@'localhost'`, which the tokenizer cuts in several ways.
    pub(crate) fn account(&mut self) -> Option<Name> {
        let mut name = self.part()?;
        if self.mark(&Token::Colon) {
            // A role of a database's own has no place here.
            return None;
        }
        match self.rest.first() {
            Some(Token::Word(word)) if word.value.starts_with('@') && word.quote_style.is_none() => {
                name.push_str(&word.value.to_lowercase());
                let host_follows = word.value == "@";
                self.rest = &self.rest[1..];
                if host_follows {
                    name.push_str(&self.part()?);
                }
            }
            Some(Token::AtSign) => {
                self.rest = &self.rest[1..];
                name.push('@');
                name.push_str(&self.part()?);
            }
            _ => {}
        }
        if self.mark(&Token::LParen) {
            // `CURRENT_USER()`.
            return self.mark(&Token::RParen).then_some(name);
        }
        Some(name)
    }

    /// What stands between the parenthesis here and the one that closes it.
    pub(crate) fn parens(&mut self) -> Option<&'a [Token]> {
        if self.rest.first() != Some(&Token::LParen) {
            return None;
        }
        let mut depth = 0_usize;
        for (at, token) in self.rest.iter().enumerate() {
            match token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                let inside = &self.rest[1..at];
                self.rest = &self.rest[at + 1..];
                return Some(inside);
            }
        }
        None
    }

    /// The tokens up to the first of `stops` outside of all parentheses, or all.
    pub(crate) fn until(&mut self, stops: &[&str]) -> &'a [Token] {
        let mut depth = 0_usize;
        let mut end = self.rest.len();
        for (at, token) in self.rest.iter().enumerate() {
            match token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                Token::Word(_) if depth == 0 && stops.iter().any(|stop| starts(&self.rest[at..], stop)) => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// The tokens before the next `=` or `:=`.
    pub(crate) fn until_equals(&mut self) -> &'a [Token] {
        let end = self.rest.iter().position(|t| matches!(t, Token::Eq | Token::Assignment)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// All that is left.
    pub(crate) fn all(&mut self) -> &'a [Token] {
        std::mem::take(&mut self.rest)
    }
}
