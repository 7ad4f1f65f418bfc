//! Our own layout: one file a migration. In: `V20240116_Add_Column.sql`. Out: what stands after `-- UP` and after `-- DOWN`.
//!
//! A part begins with a line comment alone on its line:
//!
//! - `-- migrate:up`, `-- migrate:down`;
//! - firmly, the word `UP` or `DOWN` in any case, with decoration (`-- === UP ===`) and the word `migration` around it, that
//!   ends the line or goes on with `(`, `:`, or a dash;
//! - loosely, `UP` or `DOWN` in capitals before free words.
//!
//! So `-- Up to now …` and `-- down the road` are prose. A loose marker counts only where its part may begin; elsewhere it is
//! prose too. A firm one in a wrong place is an error, because statements that end up on the wrong side are the worst that
//! can happen. A second marker of the part at hand is prose as long as nothing can change side by it. What stands before the
//! first marker holds no statement; its directives are for both parts. A file without any marker is all UP.

use super::directive::{self, body};
use super::flat::{self, Naming};
use super::parts::{Cut, Parts};
use super::reader::Reader;
use super::{Layout, ReadError};
use crate::engine::Engine;
use crate::lex::{self, LineComment};
use crate::migration::{Direction, Migration};

/// A comment that may begin a part.
#[derive(Clone, Copy)]
struct Mark {
    direction: Direction,
    firm: bool,
    no_transaction: bool,
    /// Nothing but the word.
    bare: bool,
}

const DECORATION: [char; 9] = ['=', '-', '*', '#', '~', '>', '<', ' ', '\t'];

fn direction(word: &str) -> Option<Direction> {
    [Direction::Up, Direction::Down].into_iter().find(|d| d.name().eq_ignore_ascii_case(word))
}

fn mark(body: &str) -> Option<Mark> {
    let body = body.trim_start_matches(DECORATION);
    let word_end = |text: &str| text.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (word, after) = body.split_at(word_end(body));
    if word.eq_ignore_ascii_case("migrate") {
        let (word, options) = after.strip_prefix(':')?.split_at(word_end(after.strip_prefix(':')?));
        let no_transaction = options.split_whitespace().any(|option| option == "transaction:false");
        return direction(word).map(|direction| Mark { direction, firm: true, no_transaction, bare: true });
    }
    let direction = direction(word)?;
    let rest = after.trim_start();
    let rest = match rest.split_at(word_end(rest)) {
        (noun, rest) if noun.eq_ignore_ascii_case("migration") => rest.trim_start(),
        _ => rest,
    };
    let dash = rest.starts_with(DECORATION) || rest.starts_with(['–', '—']);
    // `up-to-date` is a word of its own.
    let joined = after.starts_with('-') && after[1..].starts_with(char::is_alphanumeric);
    let firm = rest.is_empty() || rest.starts_with(['(', ':']) || dash && !joined;
    let loose = after.starts_with(char::is_whitespace) && word.bytes().all(|b| b.is_ascii_uppercase());
    (firm || loose).then_some(Mark { direction, firm, no_transaction: false, bare: after.trim_matches(DECORATION).is_empty() })
}

/// `-- migrate:dwon`: what follows would run in the wrong direction. Directives without their space know their own mistake.
fn unknown<'a>(comment: &LineComment<'a>) -> Option<&'a str> {
    let word = body(comment).strip_prefix("migrate:")?;
    (comment.alone && word.starts_with(|c: char| c.is_ascii_alphabetic()) && !directive::is_known(word)).then_some(comment.text)
}

/// Whether a file's comments are those of this layout: UP before any statement, or a bare `-- DOWN`, for to read its file
/// as if it all went forward would run both.
pub(super) fn shows(text: &str, comments: &[LineComment], engine: Engine) -> bool {
    comments.iter().filter(|c| c.alone).find_map(|c| Some((c, mark(body(c))?))).is_some_and(|(comment, mark)| match mark.direction {
        Direction::Up => lex::split(&text[..comment.offset], 1, engine).is_empty(),
        Direction::Down => mark.bare,
    })
}

pub(super) fn cut(path: &str, text: &str, engine: Engine) -> Result<Cut, ReadError> {
    let out_of_place = |line: u32, what: &str| Err(ReadError::MarkerOutOfPlace { path: path.to_owned(), line, what: what.to_owned() });
    let mut parts = Parts::new(path, text);
    for comment in lex::line_comments(text, engine) {
        let Some(mark) = comment.alone.then(|| mark(body(&comment))).flatten() else {
            if let Some(marker) = unknown(&comment) {
                return Err(ReadError::UnknownMarker { path: path.to_owned(), line: comment.line, marker: marker.to_owned() });
            }
            parts.comment(&comment)?;
            continue;
        };
        match (parts.current(), mark.direction) {
            (None, Direction::Up) => {
                if let Some(statement) = lex::split(&text[..comment.offset], 1, engine).first() {
                    return out_of_place(statement.line, "a statement before the line that begins UP");
                }
                parts.begin(Direction::Up, &comment);
            }
            (Some(Direction::Up), Direction::Down) => parts.begin(Direction::Down, &comment),
            (None, Direction::Down) if mark.firm => return out_of_place(comment.line, "DOWN begins here, but no line before it begins UP"),
            (Some(Direction::Down), Direction::Up) if mark.firm => return out_of_place(comment.line, "UP begins here, but DOWN has begun before it"),
            (Some(Direction::Down), Direction::Down) if mark.firm && !lex::split(parts.since_marker(comment.offset), 1, engine).is_empty() => {
                return out_of_place(comment.line, "DOWN begins here a second time");
            }
            _ => continue,
        }
        if mark.no_transaction {
            parts.no_transaction();
        }
    }
    if parts.current().is_none() {
        parts.begin_at_start(Direction::Up);
    }
    Ok(parts.finish().look_for_hidden(text, |body| mark(body).is_some_and(|m| m.bare && m.direction == Direction::Down)))
}

/// The line that begins DOWN, in the manner of the one that begins UP; `None` where no line does.
pub(super) fn down_marker(text: &str, engine: Engine) -> Option<String> {
    let comments = lex::line_comments(text, engine);
    let up = comments.iter().filter(|c| c.alone).map(body).find(|body| mark(body).is_some_and(|m| m.direction == Direction::Up))?;
    let word = up.trim_start_matches(DECORATION);
    Some(
        match word {
            _ if word.starts_with("migrate:") => "-- migrate:down",
            _ if word.starts_with("UP") => "-- DOWN",
            _ if word.starts_with("up") => "-- down",
            _ => "-- Down",
        }
        .to_owned(),
    )
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    flat::read(reader, Naming::Native, Layout::Native, cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_and_prose_are_told_apart() {
        for (comment, expected) in [
            ("UP", "firm up"),
            ("Down", "firm down"),
            ("UP (forward migration)", "firm up"),
            ("down(rollback)", "firm down"),
            ("Up Migration", "firm up"),
            ("DOWN migration: drop it", "firm down"),
            ("=== UP ===", "firm up"),
            ("-------- down --------", "firm down"),
            ("DOWN - drop the table", "firm down"),
            ("Up — forward", "firm up"),
            ("migrate:up", "firm up"),
            ("migrate:down transaction:false", "firm down, no transaction"),
            ("UP create the table", "loose up"),
            ("DOWN TIME EXPECTED", "loose down"),
            ("Up to now nobody needed it", "prose"),
            ("down the road", "prose"),
            ("up-to-date rows", "prose"),
            ("UP-TO-DATE rows", "prose"),
            ("UPDATE follows", "prose"),
            ("up/down in one file", "prose"),
            ("Down migration of this would be wrong", "prose"),
            ("migrate:sideways", "prose"),
            ("", "prose"),
        ] {
            let said = mark(comment).map_or("prose".to_owned(), |m| {
                format!("{} {}{}", if m.firm { "firm" } else { "loose" }, m.direction.name(), if m.no_transaction { ", no transaction" } else { "" })
            });
            assert_eq!(said, expected, "{comment}");
        }
    }
}
