//! goose. In: `N_name.sql` with `-- +goose Up`, `Down`, `StatementBegin`, `StatementEnd`, `NO TRANSACTION`, in any case.
//! Out: migrations. goose needs StatementBegin to find a statement's end; our splitter does not, so it is only checked.

use super::flat::{self, Naming};
use super::reader::Reader;
use super::sections::{self, Grammar, Mark, direction};
use super::{Layout, ReadError};
use crate::migration::Migration;

pub(super) const GRAMMAR: Grammar = Grammar { up: "-- +goose Up", repeats: false, any_order: false, mark };

fn mark(body: &str) -> Option<Mark> {
    let (tool, rest) = body.split_at_checked("+goose".len())?;
    if !tool.eq_ignore_ascii_case("+goose") {
        return None;
    }
    let words: Vec<_> = rest.split_whitespace().map(str::to_ascii_lowercase).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    Some(match words[..] {
        ["no", "transaction"] => Mark::NoTransaction,
        ["statementbegin"] => Mark::Begin,
        ["statementend"] => Mark::End,
        ["envsub", "on" | "off"] => Mark::Other,
        [word] => direction(word).map_or(Mark::Unknown, |direction| Mark::Part(direction, false)),
        _ => Mark::Unknown,
    })
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    flat::read(reader, Naming::Digits, Layout::Goose, |path, text, engine| sections::cut(&GRAMMAR, path, text, engine))
}
