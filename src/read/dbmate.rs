//! dbmate. In: `N_name.sql` with `-- migrate:up` and `-- migrate:down`, each perhaps with `transaction:false`. Out: migrations.

use super::flat::{self, Naming};
use super::reader::Reader;
use super::sections::{self, Grammar, Mark};
use super::{Layout, ReadError};
use crate::migration::{Direction, Migration};

pub(super) const GRAMMAR: Grammar = Grammar { up: "-- migrate:up", repeats: true, any_order: false, mark };

fn mark(body: &str) -> Option<Mark> {
    let mut words = body.strip_prefix("migrate:")?.split(char::is_whitespace);
    let no_transaction = |words: std::str::Split<'_, _>| words.into_iter().any(|word| word == "transaction:false");
    match words.next() {
        Some("up") => Some(Mark::Part(Direction::Up, no_transaction(words))),
        Some("down") => Some(Mark::Part(Direction::Down, no_transaction(words))),
        // `migrate: …` is a directive of ours, and those know their own mistakes.
        None | Some("" | "no-transaction" | "allow") => None,
        Some(_) => Some(Mark::Unknown),
    }
}

pub(super) fn read(reader: &mut Reader) -> Result<Vec<Migration>, ReadError> {
    flat::read(reader, Naming::Glued, Layout::Dbmate, |path, text, engine| sections::cut(&GRAMMAR, path, text, engine))
}
