//! Text to statements. In: a script. Out: every statement with its place and what it does; none is ever dropped.

pub mod action;
mod cursor;
pub mod even;
mod functions;
mod kinds;
mod lower;
pub mod manner;
pub mod names;
mod recognise;

use crate::engine::Engine;
use crate::lex::{self, PieceKind};
use crate::migration::Script;
use crate::table::Kind;
use action::{Action, Op};
use lower::Lower;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

/// One statement of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// Its text without its end mark.
    pub text: String,
    /// The file's line that it starts on, from 1.
    pub line: u32,
    /// The place in that line, from 1.
    pub column: u32,
    /// The file's line that it ends on.
    pub end_line: u32,
    /// What it does, in order; more than one for an ALTER TABLE with several parts, none where it only tells the server how.
    pub actions: Vec<Action>,
    /// sqlparser reads it whole. What only its words tell may be SQL that no server accepts.
    pub parsed: bool,
}

impl Statement {
    /// Its first words in upper case.
    fn opening(&self, words: usize) -> Vec<String> {
        self.text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).take(words).map(str::to_uppercase).collect()
    }

    /// Whether it begins or ends a transaction: the runner makes its own.
    pub fn is_transaction_frame(&self) -> bool {
        let opening = self.opening(2);
        let words: Vec<&str> = opening.iter().map(String::as_str).collect();
        self.actions.iter().all(|a| a.kind == Kind::Transaction) && matches!(words.as_slice(), ["BEGIN" | "COMMIT" | "END", ..] | ["START", "TRANSACTION"])
    }

    /// Whether it builds or drops an index beside the application's work (PostgreSQL).
    pub fn is_concurrent(&self) -> bool {
        self.opening(4).iter().any(|word| word == "CONCURRENTLY")
    }

    /// Whether the database lets it run inside a transaction (PostgreSQL manual, each statement's notes; SQLite: VACUUM).
    pub fn runs_in_transaction(&self, engine: Engine) -> bool {
        let opening = self.opening(6);
        let words: Vec<&str> = opening.iter().map(String::as_str).collect();
        match (engine, words.as_slice()) {
            (_, ["VACUUM", ..]) => false,
            (
                Engine::Postgres,
                ["CREATE" | "DROP", "DATABASE" | "TABLESPACE" | "SUBSCRIPTION", ..]
                | ["ALTER", "SYSTEM", ..]
                | ["ALTER", "DATABASE", _, "SET", "TABLESPACE", ..],
            ) => false,
            (Engine::Postgres, ["CREATE" | "DROP" | "REINDEX", rest @ ..]) => !rest.contains(&"CONCURRENTLY"),
            (Engine::Postgres, ["ALTER", "TABLE", ..]) => !self.text.to_uppercase().contains(" CONCURRENTLY"),
            _ => true,
        }
    }
}

/// A statement longer than this is judged by its first words: sqlparser needs some 70 times its text in memory.
const MAX_TEXT: usize = 1 << 20;
/// What is read of such a statement.
const HEAD: usize = 4 << 10;
/// A tree of more tokens than this may overflow the stack where it is built or dropped (100,000 `UNION ALL` do).
const MAX_TOKENS: usize = 50_000;
/// Set operators and opening brackets are not counted by sqlparser's own limit on depth.
const MAX_UNCOUNTED: usize = 1_000;

/// The statements of `script`, in order.
pub fn script(script: &Script, engine: Engine) -> Vec<Statement> {
    let mut statements = Vec::new();
    for segment in &script.segments {
        for piece in lex::split(&segment.text, segment.first_line, engine) {
            let (actions, parsed) = match piece.kind {
                PieceKind::Sql => actions(piece.text, engine),
                PieceKind::Client => (vec![lower::action(Kind::ClientCommand, "", Op::Unseen)], false),
                PieceKind::Unterminated => (vec![not_understood()], false),
            };
            statements.push(Statement { text: piece.text.to_owned(), line: piece.line, column: piece.column, end_line: piece.end_line, actions, parsed });
        }
    }
    statements
}

/// Whether two scripts differ in comments and white space alone.
pub fn same_words(a: &Script, b: &Script, engine: Engine) -> bool {
    let all = |script: &Script| {
        let mut all = Vec::new();
        for segment in &script.segments {
            for piece in lex::split(&segment.text, segment.first_line, engine) {
                let tokens = Tokenizer::new(engine.dialect(), &runnable(piece.text, engine)).tokenize_with_location().ok()?;
                all.push(words(tokens));
            }
        }
        Some(all)
    };
    all(a).is_some_and(|words| all(b) == Some(words))
}

fn not_understood() -> Action {
    lower::action(Kind::NotUnderstood, "", Op::Unseen)
}

/// What the statement `sql` does, and whether sqlparser read it.
fn actions(sql: &str, engine: Engine) -> (Vec<Action>, bool) {
    let by_words = |actions: Option<Vec<Action>>| (actions.unwrap_or_else(|| vec![not_understood()]), false);
    if sql.len() > MAX_TEXT {
        let head = &sql[..sql.floor_char_boundary(HEAD)];
        return by_words(recognise::by_head(&first_tokens(head, engine), engine));
    }
    let run = runnable(sql, engine);
    let Ok(tokens) = Tokenizer::new(engine.dialect(), &run).tokenize_with_location() else {
        return by_words(None);
    };
    if tokens.len() > MAX_TOKENS || tokens.iter().filter(|t| uncounted(&t.token)).count() > MAX_UNCOUNTED {
        return by_words(recognise::by_head(&words(tokens), engine));
    }
    let mut parser = Parser::new(engine.dialect()).with_tokens_with_locations(tokens);
    match parse(&mut parser, engine) {
        Some(Some(actions)) => (actions, true),
        tree => {
            let part = |tokens| parse(&mut Parser::new(engine.dialect()).with_tokens(tokens), engine).flatten();
            let (actions, _) = by_words(recognise::recognise(&words(parser.into_tokens()), engine, &part));
            (actions, tree.is_some())
        }
    }
}

fn words(tokens: Vec<TokenWithSpan>) -> Vec<Token> {
    tokens.into_iter().map(|t| t.token).filter(|t| !matches!(t, Token::Whitespace(_))).collect()
}

fn uncounted(token: &Token) -> bool {
    match token {
        Token::LBracket => true,
        Token::Word(word) => matches!(word.keyword, Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT),
        _ => false,
    }
}

/// The parser's tokens as one whole statement: `None` where sqlparser refuses, `Some(None)` where only its words tell what it does.
fn parse(parser: &mut Parser<'_>, engine: Engine) -> Option<Option<Vec<Action>>> {
    let statement = parser.parse_statement().ok()?;
    (parser.peek_token().token == Token::EOF).then(|| Lower { engine }.statement(&statement))
}

/// The tokens of a text that may break off anywhere.
fn first_tokens(head: &str, engine: Engine) -> Vec<Token> {
    let mut tokens = Vec::new();
    // A string cut in half is an error that comes last; the tokens before it are kept.
    let _ = Tokenizer::new(engine.dialect(), head).tokenize_with_location_into_buf(&mut tokens);
    words(tokens)
}

/// `sql` with what MySQL and MariaDB run inside of `/*! … */` laid open, and what they skip blanked out.
fn runnable(sql: &str, engine: Engine) -> std::borrow::Cow<'_, str> {
    if !engine.is_mysql_like() || !sql.contains("/*!") && !sql.contains("/*M!") {
        return sql.into();
    }
    let (mut out, mut rest) = (String::with_capacity(sql.len()), sql);
    while let Some(open) = rest.find("/*!").into_iter().chain(rest.find("/*M!")).min() {
        out.push_str(&rest[..open]);
        let mariadb_only = rest[open..].starts_with("/*M!");
        let inner = rest[open..].trim_start_matches("/*").trim_start_matches('M').trim_start_matches('!');
        let (inner, after) = inner.split_once("*/").unwrap_or((inner, ""));
        let digits = inner.len() - inner.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let version: u32 = inner[..digits].parse().unwrap_or(0);
        // MariaDB skips what MySQL 5.7 and later are told (manual, "Comment Syntax").
        let runs = match engine {
            Engine::Mariadb => mariadb_only && version < 120_000 || !mariadb_only && !(50_700..=99_999).contains(&version),
            Engine::Sqlite | Engine::Postgres | Engine::Mysql => !mariadb_only && version < 90_000,
        };
        out.push(' ');
        if runs {
            out.push_str(&inner[digits..]);
        }
        out.push(' ');
        rest = after;
    }
    out.push_str(rest);
    out.into()
}
