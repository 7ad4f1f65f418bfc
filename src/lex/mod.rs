//! Text to statements with positions. In: SQL as it stands in a file. Out: pieces that one server call would run, in order,
//! none dropped; and the line comments outside of strings and bodies, in which layouts keep their markers.

mod scan;
pub mod secret;

use crate::engine::Engine;
pub(crate) use scan::{Kind, Scanner, is_word};
use scan::{Lexeme, find};

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// One SQL statement, without its end mark.
    Sql,
    /// A line for a client program (`\connect`, `.read`, `source`), which no server understands.
    Client,
    /// A string, a comment or a body that does not end.
    Unterminated,
}

/// One statement, or what stands in place of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub kind: PieceKind,
    /// Its text, from its first word to before its end mark.
    pub text: &'a str,
    /// Where the text starts, as a byte offset into what was split.
    pub offset: usize,
    /// Its first line, counted from the first line that was given.
    pub line: u32,
    /// Its first character's place in that line, from 1.
    pub column: u32,
    /// Its last line.
    pub end_line: u32,
}

/// A `--` (or, on MySQL and MariaDB, `#`) comment that is no part of a string or a dollar-quoted body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineComment<'a> {
    /// The comment with its mark, without the line end.
    pub text: &'a str,
    /// Where it starts, as a byte offset.
    pub offset: usize,
    /// Its line, from 1.
    pub line: u32,
    /// Nothing but white space stands before it on its line.
    pub alone: bool,
}

/// All line comments of `sql`, in order.
pub fn line_comments(sql: &str, engine: Engine) -> Vec<LineComment<'_>> {
    let (mut found, mut line, mut alone) = (Vec::new(), 1, true);
    for lexeme in Scanner::new(sql, engine) {
        match lexeme.kind {
            Kind::Newline => {
                alone = true;
                line += 1;
            }
            Kind::Space => {}
            Kind::LineComment => found.push(LineComment { text: sql[lexeme.start..lexeme.end].trim_end(), offset: lexeme.start, line, alone }),
            Kind::BlockComment | Kind::Conditional | Kind::Word | Kind::Quoted | Kind::Unterminated | Kind::Punct => alone = false,
        }
        if matches!(lexeme.kind, Kind::Quoted | Kind::BlockComment | Kind::Conditional | Kind::Unterminated) {
            line += newlines(&sql[lexeme.start..lexeme.end]);
        }
    }
    found
}

fn newlines(text: &str) -> u32 {
    text.bytes().map(|b| u32::from(b == b'\n')).sum()
}

/// The words that a statement begins with, as far as they decide where it ends.
#[derive(Default)]
struct Opening {
    words: u8,
    create: bool,
    copy: bool,
    /// A trigger, routine or event, whose body may hold semicolons.
    routine: bool,
    /// MariaDB's `BEGIN NOT ATOMIC … END`, if `ATOMIC` follows.
    block: bool,
    /// A rule, whose actions may stand in parentheses.
    rule: bool,
    depth: u32,
    parens: u32,
    last: Last,
}

#[derive(Default, PartialEq, Clone, Copy)]
enum Last {
    #[default]
    Other,
    Begin,
    End,
}

impl Opening {
    fn word(&mut self, word: &str, engine: Engine) {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        self.words = self.words.saturating_add(1);
        match self.words {
            1 => {
                self.create = is("create");
                self.copy = is("copy") && engine == Engine::Postgres;
                self.block = is("begin") && engine == Engine::Mariadb;
            }
            2 if self.block => self.block = is("not"),
            3 if self.block && is("atomic") => (self.routine, self.depth) = (true, 1),
            // `CREATE OR REPLACE DEFINER = x@y AGGREGATE FUNCTION …`: the object's kind stands early.
            2..=9 if self.create && !self.routine => {
                self.routine = is("trigger") || is("procedure") || is("function") || is("event");
                self.rule |= engine == Engine::Postgres && is("rule");
                if is("table") || is("view") || is("index") {
                    self.create = false;
                }
            }
            _ => {}
        }
        let last = std::mem::replace(&mut self.last, Last::Other);
        if !self.routine {
            return;
        }
        if engine == Engine::Postgres {
            // Only a body of standard form, `BEGIN ATOMIC … END`, stands outside of quotes.
            if last == Last::Begin && is("atomic") || self.depth > 0 && is("case") {
                self.depth += 1;
            } else if is("begin") {
                self.last = Last::Begin;
            } else if is("end") {
                self.depth = self.depth.saturating_sub(1);
            }
            return;
        }
        if is("begin") || is("case") {
            // `END CASE` closed what it names already.
            if last != Last::End {
                self.depth += 1;
            }
        } else if is("end") {
            self.depth = self.depth.saturating_sub(1);
            self.last = Last::End;
        } else if last == Last::End && ["if", "loop", "while", "repeat", "for"].iter().any(|w| is(w)) {
            self.depth += 1;
        }
    }
}

/// Splits `sql`, whose first line is `first_line` of its file, into its statements.
pub fn split(sql: &str, first_line: u32, engine: Engine) -> Vec<Piece<'_>> {
    let mut splitter = Splitter { sql, engine, scanner: Scanner::new(sql, engine), pieces: Vec::new(), line: first_line, line_start: 0, counted: (0, 1) };
    splitter.run();
    splitter.pieces
}

struct Splitter<'a> {
    sql: &'a str,
    engine: Engine,
    scanner: Scanner<'a>,
    pieces: Vec<Piece<'a>>,
    line: u32,
    line_start: usize,
    /// A place in the line and its column: a line may hold 100,000 statements, and each is counted from the one before.
    counted: (usize, u32),
}

/// The start of the statement at hand.
#[derive(Clone, Copy)]
struct Start {
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Splitter<'a> {
    fn run(&mut self) {
        let (mut delimiter, mut custom, mut opening) = (String::from(";"), false, Opening::default());
        let (mut start, mut end, mut end_line) = (None::<Start>, 0, 0);
        loop {
            let rest = &self.scanner.bytes[self.scanner.at..];
            if rest.first() == delimiter.as_bytes().first()
                && rest.starts_with(delimiter.as_bytes())
                && (custom || opening.depth == 0 && !(opening.rule && opening.parens > 0))
            {
                self.scanner.at += delimiter.len();
                let ended = start.take().map(|s| self.push(PieceKind::Sql, s, end, end_line));
                if ended.is_some() && opening.copy {
                    self.copy_data();
                }
                opening = Opening::default();
                continue;
            }
            let Some(lexeme) = self.scanner.next() else { break };
            let text = &self.sql[lexeme.start..lexeme.end];
            match lexeme.kind {
                Kind::Space | Kind::LineComment => continue,
                Kind::Newline | Kind::BlockComment => {
                    self.advance(lexeme);
                    continue;
                }
                Kind::Word | Kind::Quoted | Kind::Punct | Kind::Conditional | Kind::Unterminated => {}
            }
            let begun = match start {
                Some(start) => start,
                None => Start { offset: lexeme.start, line: self.line, column: self.column(lexeme.start) },
            };
            if start.is_none() {
                if let Some(new) = self.delimiter_command(text) {
                    custom = new != ";";
                    delimiter = new;
                    continue;
                }
                if self.client_line(text, begun) {
                    continue;
                }
            }
            match lexeme.kind {
                Kind::Word => opening.word(text, self.engine),
                Kind::Punct if text == "(" => opening.parens += 1,
                Kind::Punct if text == ")" => opening.parens = opening.parens.saturating_sub(1),
                // `\gexec` and its like end a statement in psql.
                Kind::Punct if text == "\\" && self.engine == Engine::Postgres => {
                    if let Some(s) = start.take() {
                        self.push(PieceKind::Sql, s, end, end_line);
                        opening = Opening::default();
                    }
                    let at = Start { offset: lexeme.start, line: self.line, column: self.column(lexeme.start) };
                    self.rest_of_line(at);
                    continue;
                }
                _ => {}
            }
            if lexeme.kind != Kind::Word {
                opening.last = Last::Other;
            }
            start = Some(begun);
            self.advance(lexeme);
            (end, end_line) = (lexeme.end, self.line);
            if lexeme.kind == Kind::Unterminated {
                start = None;
                self.push(PieceKind::Unterminated, begun, end, end_line);
            }
        }
        if let Some(s) = start {
            self.push(PieceKind::Sql, s, end, end_line);
        }
    }

    fn push(&mut self, kind: PieceKind, start: Start, end: usize, end_line: u32) {
        self.pieces.push(Piece { kind, text: &self.sql[start.offset..end], offset: start.offset, line: start.line, column: start.column, end_line });
    }

    fn column(&mut self, offset: usize) -> u32 {
        let (from, column) = if self.counted.0 < self.line_start { (self.line_start, 1) } else { self.counted };
        self.counted = (offset, column + self.sql[from..offset].chars().count() as u32);
        self.counted.1
    }

    /// Counts the lines of a lexeme that may hold some.
    fn advance(&mut self, lexeme: Lexeme) {
        match lexeme.kind {
            Kind::Word | Kind::Punct | Kind::LineComment | Kind::Space => return,
            Kind::Newline => {
                self.line += 1;
                self.line_start = lexeme.end;
                return;
            }
            Kind::Quoted | Kind::BlockComment | Kind::Conditional | Kind::Unterminated => {}
        }
        let text = &self.sql[lexeme.start..lexeme.end];
        if let Some(last) = text.rfind('\n') {
            self.line += newlines(text);
            self.line_start = lexeme.start + last + 1;
        }
    }

    /// `DELIMITER //` is a command of the mysql and mariadb clients.
    fn delimiter_command(&mut self, word: &str) -> Option<String> {
        if !self.engine.is_mysql_like() || !word.eq_ignore_ascii_case("delimiter") {
            return None;
        }
        let rest = &self.sql[self.scanner.at..];
        let line = rest.split('\n').next().unwrap_or(rest);
        let new = line.split_whitespace().next()?.to_owned();
        self.scanner.at += line.len();
        Some(new)
    }

    /// A line that only a client program understands, at a statement's start.
    fn client_line(&mut self, text: &str, at: Start) -> bool {
        let client = match self.engine {
            Engine::Postgres => text == "\\",
            Engine::Sqlite => text == ".",
            Engine::Mysql | Engine::Mariadb => text == "\\" || text.eq_ignore_ascii_case("source"),
        };
        if client {
            self.rest_of_line(at);
        }
        client
    }

    fn rest_of_line(&mut self, at: Start) {
        let length = self.sql[at.offset..].find('\n').unwrap_or(self.sql.len() - at.offset);
        let end = at.offset + self.sql[at.offset..at.offset + length].trim_end().len();
        self.push(PieceKind::Client, at, end, at.line);
        self.scanner.at = at.offset + length;
    }

    /// After `COPY … FROM stdin;` the rows stand in the text, up to a line `\.`.
    fn copy_data(&mut self) {
        let Some(copy) = self.pieces.last().map(|p| p.text) else { return };
        if !copy.split_whitespace().any(|word| word.eq_ignore_ascii_case("stdin")) {
            return;
        }
        let from = self.scanner.at;
        let rest = &self.sql[from..];
        let end = find(rest.as_bytes(), b"\n\\.").map_or(rest.len(), |found| found + 3);
        self.advance(Lexeme { kind: Kind::Quoted, start: from, end: from + end });
        self.scanner.at = from + end;
    }
}

#[cfg(test)]
mod tests;
