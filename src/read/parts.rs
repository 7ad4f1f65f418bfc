//! One file's text cut into what goes forward and what goes back. In: markers and comments in order. Out: two scripts with
//! what was declared in them.

use super::ReadError;
use super::directive::{self, Said};
use crate::lex::LineComment;
use crate::migration::{Allow, Direction, Script, Segment};

/// One direction of a migration.
#[derive(Default)]
pub(super) struct Part {
    pub(super) script: Script,
    pub(super) allows: Vec<Allow>,
    pub(super) irreversible: Option<String>,
}

/// The parts of a file so far.
pub(super) struct Parts<'a> {
    path: &'a str,
    text: &'a str,
    /// The direction at hand, where its stretch starts, and on which line.
    open: Option<(Direction, usize, u32)>,
    header: Part,
    up: Option<Part>,
    down: Option<Part>,
}

/// The parts of a whole file.
pub(super) struct Cut {
    pub(super) up: Option<Part>,
    pub(super) down: Option<Part>,
    /// Where DOWN is missing: a line that looks like its marker, but stands in a string, a body or a block comment.
    pub(super) hidden: Option<u32>,
}

impl<'a> Parts<'a> {
    pub(super) fn new(path: &'a str, text: &'a str) -> Self {
        Parts { path, text, open: None, header: Part::default(), up: None, down: None }
    }

    /// The direction of what stands here.
    pub(super) fn current(&self) -> Option<Direction> {
        self.open.map(|(direction, ..)| direction)
    }

    pub(super) fn has(&self, direction: Direction) -> bool {
        match direction {
            Direction::Up => self.up.is_some(),
            Direction::Down => self.down.is_some(),
        }
    }

    /// What stands between the last marker and `offset`.
    pub(super) fn since_marker(&self, offset: usize) -> &'a str {
        let start = self.open.map_or(0, |(_, start, _)| start);
        self.text.get(start..offset).unwrap_or_default()
    }

    /// The file's first line belongs to `direction`.
    pub(super) fn begin_at_start(&mut self, direction: Direction) {
        self.part(direction);
        self.open = Some((direction, 0, 1));
    }

    /// The line after `marker` belongs to `direction`.
    pub(super) fn begin(&mut self, direction: Direction, marker: &LineComment) {
        self.close(self.text[..marker.offset].rfind('\n').map_or(0, |at| at + 1));
        let start = self.text[marker.offset..].find('\n').map_or(self.text.len(), |at| marker.offset + at + 1);
        self.part(direction);
        self.open = Some((direction, start, marker.line + 1));
    }

    /// The part at hand (before the first marker: both parts) does not run inside a transaction.
    pub(super) fn no_transaction(&mut self) {
        self.at_hand().script.no_transaction = true;
    }

    /// Neither direction runs inside a transaction.
    pub(super) fn no_transaction_at_all(&mut self) {
        self.header.script.no_transaction = true;
    }

    /// Takes a comment that is no marker.
    pub(super) fn comment(&mut self, comment: &LineComment) -> Result<(), ReadError> {
        match directive::read(comment, self.path)? {
            Some(Said::NoTransaction) => self.no_transaction(),
            Some(Said::Allow(allow)) => self.at_hand().allows.push(allow),
            Some(Said::Irreversible(reason)) if self.current() == Some(Direction::Down) => {
                self.at_hand().irreversible.get_or_insert(reason);
            }
            Some(Said::Irreversible(_)) | None => {}
        }
        Ok(())
    }

    fn part(&mut self, direction: Direction) -> &mut Part {
        match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        }
        .get_or_insert_default()
    }

    fn at_hand(&mut self) -> &mut Part {
        match self.current() {
            Some(direction) => self.part(direction),
            None => &mut self.header,
        }
    }

    fn close(&mut self, end: usize) {
        if let Some((direction, start, first_line)) = self.open.take() {
            let segment = Segment { text: self.text[start..end.max(start)].to_owned(), first_line };
            let segments = &mut self.part(direction).script.segments;
            // Mostly the only one, and there are many migrations.
            segments.reserve_exact(1);
            segments.push(segment);
        }
    }

    pub(super) fn finish(mut self) -> Cut {
        self.close(self.text.len());
        if self.header.script.no_transaction {
            for part in [&mut self.up, &mut self.down].into_iter().flatten() {
                part.script.no_transaction = true;
            }
        }
        if let Some(up) = &mut self.up {
            up.allows.splice(0..0, self.header.allows);
        }
        Cut { up: self.up, down: self.down, hidden: None }
    }
}

impl Cut {
    /// Looks for a line that would begin DOWN if it were a comment.
    pub(super) fn look_for_hidden(mut self, text: &str, begins_down: impl Fn(&str) -> bool) -> Cut {
        if self.down.is_none() {
            let line = text.lines().position(|line| line.trim_start().strip_prefix("--").is_some_and(|body| begins_down(body.trim())));
            self.hidden = line.map(|at| at as u32 + 1);
        }
        self
    }

    /// The part of a file that has but one.
    pub(super) fn one(self, direction: Direction) -> Part {
        match direction {
            Direction::Up => self.up,
            Direction::Down => self.down,
        }
        .unwrap_or_default()
    }
}
