//! Tools that mark parts of a file by comments at a line's beginning. In: how a tool writes its marks. Out: the file cut.

use super::ReadError;
use super::directive::body;
use super::parts::{Cut, Parts};
use crate::engine::Engine;
use crate::lex::{self, LineComment};
use crate::migration::Direction;

/// What a tool's comment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A part begins; `true`: outside of a transaction.
    Part(Direction, bool),
    /// Nothing in the file runs inside a transaction.
    NoTransaction,
    /// What follows is one statement.
    Begin,
    /// … up to here.
    End,
    /// Something that changes nothing for us.
    Other,
    /// A mark of this tool that it would not understand.
    Unknown,
}

/// How a tool marks the parts of a file.
pub(super) struct Grammar {
    /// The line that begins UP, for messages.
    pub(super) up: &'static str,
    /// Whether UP and DOWN may begin more than once.
    pub(super) repeats: bool,
    /// Whether DOWN may begin before UP.
    pub(super) any_order: bool,
    /// Reads a comment's words.
    pub(super) mark: fn(&str) -> Option<Mark>,
}

/// The mark that a comment is: it starts its line, and with `--`.
pub(super) fn mark_of(grammar: &Grammar, text: &str, comment: &LineComment) -> Option<Mark> {
    let starts_line = comment.offset == 0 || text.as_bytes()[comment.offset - 1] == b'\n';
    if starts_line && comment.text.starts_with("--") { (grammar.mark)(body(comment)) } else { None }
}

pub(super) fn cut(grammar: &Grammar, path: &str, text: &str, engine: Engine) -> Result<Cut, ReadError> {
    let out_of_place = |line: u32, what: String| Err(ReadError::MarkerOutOfPlace { path: path.to_owned(), line, what });
    let mut parts = Parts::new(path, text);
    let mut statement = None;
    for comment in lex::line_comments(text, engine) {
        let Some(mark) = mark_of(grammar, text, &comment) else {
            parts.comment(&comment)?;
            continue;
        };
        match mark {
            Mark::Part(direction, no_transaction) => {
                let name = direction.name().to_uppercase();
                if parts.current().is_none()
                    && let Some(statement) = lex::split(&text[..comment.offset], 1, engine).first()
                {
                    return out_of_place(statement.line, format!("a statement before the line that begins {name}"));
                }
                if let Some(line) = statement {
                    return out_of_place(comment.line, format!("{name} begins inside the statement that was opened on line {line}"));
                }
                if !grammar.repeats && parts.has(direction) {
                    return out_of_place(comment.line, format!("{name} begins here a second time"));
                }
                if direction == Direction::Down && !grammar.any_order && !parts.has(Direction::Up) {
                    return out_of_place(comment.line, format!("DOWN begins here, but no line `{}` stands before it", grammar.up));
                }
                if !grammar.repeats && direction == Direction::Up && parts.has(Direction::Down) {
                    return out_of_place(comment.line, "UP begins here, but DOWN has begun before it".into());
                }
                parts.begin(direction, &comment);
                if no_transaction {
                    parts.no_transaction();
                }
            }
            Mark::NoTransaction => parts.no_transaction_at_all(),
            Mark::Begin => statement = Some(comment.line),
            Mark::End if statement.take().is_none() => return out_of_place(comment.line, "a statement ends here that was not opened".into()),
            Mark::End | Mark::Other => {}
            Mark::Unknown => return Err(ReadError::UnknownMarker { path: path.to_owned(), line: comment.line, marker: comment.text.to_owned() }),
        }
    }
    if let Some(line) = statement {
        return out_of_place(line, "a statement is opened here and never ended".into());
    }
    if !parts.has(Direction::Up) {
        return Err(ReadError::MarkerMissing { path: path.to_owned(), marker: grammar.up });
    }
    Ok(parts.finish().look_for_hidden(text, |body| matches!((grammar.mark)(body), Some(Mark::Part(Direction::Down, _)))))
}

/// The direction that a word names, in any case.
pub(super) fn direction(word: &str) -> Option<Direction> {
    [Direction::Up, Direction::Down].into_iter().find(|d| d.name().eq_ignore_ascii_case(word))
}
