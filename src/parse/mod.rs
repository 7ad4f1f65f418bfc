//! Text to statements. In: a script. Out: every statement with its place and what it does; none is ever dropped.

pub mod action;
pub(crate) mod cursor;
pub mod even;
mod functions;
mod kinds;
mod lower;
pub mod manner;
pub mod names;
pub(crate) mod policy;
mod recognise;
mod tokens;

use crate::engine::Engine;
use crate::lex::{self, PieceKind};
use crate::migration::Script;
use crate::table::Kind;
use action::{Action, Op};
use lower::Lower;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};
use tokens::tokens;

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
}

impl Statement {
    /// Its words, from the first; whether they stand in quotes is not looked at.
    pub(crate) fn words(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.text.as_bytes().split(|byte| !lex::is_word(*byte)).filter(|word| !word.is_empty())
    }

    /// Whether `word` is one of its words, in any case.
    pub(crate) fn says(&self, word: &str) -> bool {
        self.words().any(|own| own.eq_ignore_ascii_case(word.as_bytes()))
    }

    /// Whether it begins or ends a transaction: the runner makes its own.
    pub fn is_transaction_frame(&self) -> bool {
        let mut words = self.words();
        let first = words.next();
        let frames = is_any(first, &["begin", "commit", "end"]) || is_any(first, &["start"]) && is_any(words.next(), &["transaction"]);
        frames && self.actions.iter().all(|a| a.kind == Kind::Transaction)
    }

    /// Whether it ends a transaction otherwise than by COMMIT: within the runner's own, nobody could say what stands.
    pub fn breaks_transaction(&self) -> bool {
        let mut words = self.words();
        match words.next() {
            first if is_any(first, &["rollback"]) => !words.any(|word| word.eq_ignore_ascii_case(b"to")),
            first if is_any(first, &["abort", "xa"]) => true,
            first if is_any(first, &["prepare"]) => is_any(words.next(), &["transaction"]),
            _ => false,
        }
    }

    /// Whether it builds or drops an index beside the application's work (PostgreSQL).
    pub fn is_concurrent(&self) -> bool {
        self.words().take(4).any(|word| word.eq_ignore_ascii_case(b"concurrently"))
    }

    /// Whether the database lets it run inside a transaction (PostgreSQL manual, each statement's notes).
    pub fn runs_in_transaction(&self, engine: Engine) -> bool {
        let mut words = self.words();
        let first = words.next();
        match engine {
            _ if is_any(first, &["vacuum"]) => false,
            // Into and out of the write-ahead log is refused there (sqlite.org/pragma.html#pragma_journal_mode).
            Engine::Sqlite => !(is_any(first, &["pragma"]) && is_any(words.next(), &["journal_mode"])),
            Engine::Mysql | Engine::Mariadb => true,
            Engine::Postgres if is_any(first, &["discard"]) => !is_any(words.next(), &["all"]),
            Engine::Postgres if is_any(first, &["cluster"]) => words.next().is_some(),
            Engine::Postgres if is_any(first, &["reindex"]) && is_any(words.clone().next(), &["database", "system", "schema"]) => false,
            Engine::Postgres if is_any(first, &["create", "drop", "reindex"]) => {
                let beyond = !is_any(first, &["reindex"]) && is_any(words.clone().next(), &["database", "tablespace", "subscription"]);
                !beyond && !words.take(5).any(|word| word.eq_ignore_ascii_case(b"concurrently"))
            }
            Engine::Postgres if is_any(first, &["alter"]) => match words.next() {
                // DETACH PARTITION alone has the word.
                Some(of) if of.eq_ignore_ascii_case(b"table") => {
                    let detaches = |kind| matches!(kind, Kind::DetachPartition | Kind::DropPartition | Kind::NotUnderstood);
                    !(self.actions.iter().any(|a| detaches(a.kind)) && self.says("concurrently"))
                }
                Some(of) if of.eq_ignore_ascii_case(b"database") => !(is_any(words.nth(1), &["set"]) && is_any(words.next(), &["tablespace"])),
                of => !is_any(of, &["system"]),
            },
            Engine::Postgres => true,
        }
    }
}

fn is_any(word: Option<&[u8]>, of: &[&str]) -> bool {
    word.is_some_and(|word| of.iter().any(|other| word.eq_ignore_ascii_case(other.as_bytes())))
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
            let actions = match piece.kind {
                PieceKind::Sql => actions(piece.text, engine),
                PieceKind::Client => vec![lower::action(Kind::ClientCommand, "", Op::Unseen)],
                PieceKind::Unterminated => vec![not_understood()],
            };
            statements.push(Statement { text: piece.text.to_owned(), line: piece.line, column: piece.column, end_line: piece.end_line, actions });
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

/// What the statement `sql` does.
fn actions(sql: &str, engine: Engine) -> Vec<Action> {
    if sql.len() > MAX_TEXT {
        let head = &sql[..sql.floor_char_boundary(HEAD)];
        return recognise::by_head(&first_tokens(head, engine), engine).unwrap_or_else(|| vec![not_understood()]);
    }
    let run = runnable(sql, engine);
    let Some(tokens) = tokens(&run, engine) else { return vec![not_understood()] };
    let found = if tokens.len() > MAX_TOKENS || tokens.iter().filter(|t| uncounted(&t.token)).count() > MAX_UNCOUNTED {
        recognise::by_head(&words(tokens), engine)
    } else {
        let mut parser = Parser::new(engine.dialect()).with_tokens_with_locations(tokens);
        let tree = if told_by_words(&parser) { None } else { parse(&mut parser, engine) };
        tree.or_else(|| {
            let part = |tokens| parse(&mut Parser::new(engine.dialect()).with_tokens(tokens), engine);
            recognise::recognise(&words(parser.into_tokens()), engine, &part)
        })
    };
    found.unwrap_or_else(|| vec![not_understood()])
}

/// Whether the statement begins like those that [`Lower`] leaves to their words: then sqlparser need not be asked.
fn told_by_words(parser: &Parser<'_>) -> bool {
    let keyword = |n| match &parser.peek_nth_token_ref(n).token {
        Token::Word(word) => word.keyword,
        _ => Keyword::NoKeyword,
    };
    match keyword(0) {
        Keyword::SET | Keyword::COMMENT | Keyword::GRANT | Keyword::REVOKE => true,
        Keyword::ALTER => keyword(1) != Keyword::TABLE,
        Keyword::DROP => !matches!(keyword(1), Keyword::TABLE | Keyword::TEMPORARY | Keyword::INDEX),
        Keyword::CREATE => matches!(
            keyword(if keyword(1) == Keyword::OR { 3 } else { 1 }),
            Keyword::VIEW
                | Keyword::MATERIALIZED
                | Keyword::FUNCTION
                | Keyword::PROCEDURE
                | Keyword::TRIGGER
                | Keyword::TYPE
                | Keyword::SEQUENCE
                | Keyword::EXTENSION
        ),
        _ => false,
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

/// What the parser's tokens do as one whole statement: `None` where sqlparser refuses, or where only their words tell.
fn parse(parser: &mut Parser<'_>, engine: Engine) -> Option<Vec<Action>> {
    let statement = parser.parse_statement().ok()?;
    if parser.peek_token_ref().token == Token::EOF { Lower { engine }.statement(&statement) } else { None }
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
