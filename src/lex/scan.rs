//! Bytes to lexemes, just fine enough to know where a statement ends and what is a comment.
//!
//! sqlparser's tokenizer reads each statement later; it builds one token a literal, which for a 50 MB INSERT means
//! gigabytes, and one unterminated quote costs it the whole file. This scanner keeps nothing and never fails.

use crate::engine::Engine;

/// What a stretch of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// White space other than line ends.
    Space,
    /// One line end.
    Newline,
    /// `-- …` or `# …`, without the line end.
    LineComment,
    /// `/* … */`.
    BlockComment,
    /// `/*! … */`: MySQL and MariaDB run what stands in it.
    Conditional,
    /// A bare word, number included.
    Word,
    /// A string, a quoted name or a dollar-quoted body.
    Quoted,
    /// Like `Quoted` or a comment, but the text ends before it does.
    Unterminated,
    /// Any other character.
    Punct,
}

/// A stretch of the text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lexeme {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Walks over a text.
pub(crate) struct Scanner<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
    engine: Engine,
}

/// The bytes that words are made of, `$` left out, which begins none: a look-up costs less than the question, and every byte asks.
const WORDY: [bool; 256] = {
    let (mut wordy, mut byte) = ([false; 256], 0_usize);
    while byte < 256 {
        wordy[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_' || byte >= 0x80;
        byte += 1;
    }
    wordy
};

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | 0x0b | 0x0c)
}

pub(crate) fn is_word(byte: u8) -> bool {
    WORDY[usize::from(byte)]
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, engine: Engine) -> Self {
        Scanner { bytes: text.as_bytes(), at: 0, engine }
    }

    fn byte(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Where the bytes from `from` on end that `keep` is true of.
    fn run(&self, from: usize, keep: impl Fn(u8) -> bool) -> usize {
        self.bytes[from..].iter().position(|&b| !keep(b)).map_or(self.bytes.len(), |length| from + length)
    }

    /// A lexeme that is neither a word nor one of the commonest marks.
    fn rest(&self, start: usize, byte: u8) -> (Kind, usize) {
        let (engine, next) = (self.engine, self.byte(start + 1));
        let mysql = engine.is_mysql_like();
        match byte {
            _ if is_space(byte) => (Kind::Space, self.run(start + 1, is_space)),
            // MySQL and MariaDB want white space after `--`, else it is two minus signs.
            b'-' if next == b'-' && (!mysql || self.byte(start + 2) <= b' ') => (Kind::LineComment, self.run(start, |b| b != b'\n')),
            b'#' if mysql => (Kind::LineComment, self.run(start, |b| b != b'\n')),
            b'/' if next == b'*' => self.block_comment(start),
            b'\'' => self.quoted(start + 1, b'\'', mysql),
            b'"' => self.quoted(start + 1, b'"', mysql),
            b'`' if engine != Engine::Postgres => self.quoted(start + 1, b'`', false),
            b'[' if engine == Engine::Sqlite => self.until(start + 1, b"]", Kind::Quoted),
            b'$' if engine == Engine::Postgres => self.dollar(start),
            b'e' | b'E' => self.quoted(start + 2, b'\'', true),
            _ => (Kind::Punct, start + 1),
        }
    }

    /// The end of what starts at `from` and closes with `quote`; doubled quotes stay inside, and `\x` with `escapes`.
    fn quoted(&self, from: usize, quote: u8, escapes: bool) -> (Kind, usize) {
        let mut at = from;
        while at < self.bytes.len() {
            let byte = self.bytes[at];
            if byte == quote {
                if self.byte(at + 1) != quote {
                    return (Kind::Quoted, at + 1);
                }
                at += 2;
            } else if byte == b'\\' && escapes {
                at += 2;
            } else {
                at += 1;
            }
        }
        (Kind::Unterminated, self.bytes.len())
    }

    fn until(&self, from: usize, close: &[u8], kind: Kind) -> (Kind, usize) {
        match find(&self.bytes[from.min(self.bytes.len())..], close) {
            Some(found) => (kind, from + found + close.len()),
            None => (Kind::Unterminated, self.bytes.len()),
        }
    }

    /// `/* … */`; PostgreSQL nests them, and MySQL and MariaDB run `/*! … */`.
    fn block_comment(&self, start: usize) -> (Kind, usize) {
        if self.engine.is_mysql_like() && (self.byte(start + 2) == b'!' || (self.engine == Engine::Mariadb && self.bytes[start..].starts_with(b"/*M!"))) {
            return self.until(start + 2, b"*/", Kind::Conditional);
        }
        if self.engine != Engine::Postgres {
            return self.until(start + 2, b"*/", Kind::BlockComment);
        }
        let (mut at, mut depth) = (start + 2, 1);
        while at < self.bytes.len() {
            match (self.bytes[at], self.byte(at + 1)) {
                (b'*', b'/') => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        return (Kind::BlockComment, at);
                    }
                }
                (b'/', b'*') => {
                    depth += 1;
                    at += 2;
                }
                _ => at += 1,
            }
        }
        (Kind::Unterminated, self.bytes.len())
    }

    /// `$tag$ … $tag$`, or a lone `$`.
    fn dollar(&self, start: usize) -> (Kind, usize) {
        let mut at = start + 1;
        while is_word(self.byte(at)) {
            at += 1;
        }
        if self.byte(at) != b'$' || self.byte(start + 1).is_ascii_digit() {
            return (Kind::Punct, start + 1);
        }
        let tag = &self.bytes[start..=at];
        self.until(at + 1, tag, Kind::Quoted)
    }
}

/// Where `needle` first stands in `hay`.
pub(crate) fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut from = 0;
    while let Some(found) = hay[from..].iter().position(|&b| b == first) {
        let at = from + found;
        if hay[at..].starts_with(needle) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

impl Iterator for Scanner<'_> {
    type Item = Lexeme;

    #[inline]
    fn next(&mut self) -> Option<Lexeme> {
        let start = self.at;
        let byte = *self.bytes.get(start)?;
        // The most common first. On PostgreSQL `e'…'` is a string.
        let (kind, end) = match byte {
            b' ' => (Kind::Space, self.run(start + 1, is_space)),
            b'\n' => (Kind::Newline, start + 1),
            _ if is_word(byte) && (byte | 0x20 != b'e' || self.engine != Engine::Postgres || self.byte(start + 1) != b'\'') => {
                (Kind::Word, self.run(start + 1, |b| is_word(b) || b == b'$'))
            }
            b'(' | b')' | b',' | b';' | b'=' | b'.' => (Kind::Punct, start + 1),
            _ => self.rest(start, byte),
        };
        self.at = end.min(self.bytes.len());
        Some(Lexeme { kind, start, end: self.at })
    }
}
