//! What every layout reads with. In: a folder and an engine. Out: whole files as one direction of a migration, and notes.

use super::folder::{Folder, Text};
use super::parts::{Part, Parts};
use super::{Layout, Note, ReadError, directive};
use crate::engine::Engine;
use crate::lex;
use crate::migration::{Direction, Migration, Script, Version};
use std::path::Path;

pub(super) struct Reader {
    pub(super) folder: Folder,
    pub(super) engine: Engine,
    pub(super) notes: Vec<Note>,
    /// Two migrations of one version are both read.
    pub(super) twins: bool,
}

impl Reader {
    pub(super) fn open(dir: &Path, engine: Engine, twins: bool) -> Result<Reader, ReadError> {
        let folder = Folder::open(dir)?;
        let mut reader = Reader { folder, engine, notes: Vec::new(), twins };
        for path in std::mem::take(&mut reader.folder.odd) {
            reader.note("ignored", &path, None, "its name is no UTF-8, so it is not read".into());
        }
        Ok(reader)
    }

    pub(super) fn note(&mut self, code: &'static str, path: &str, line: Option<u32>, message: String) {
        self.notes.push(Note { code, path: Some(path.to_owned()), line, message });
    }

    /// An SQL file beside the migrations that is none: `why` ends the sentence.
    pub(super) fn ignored(&mut self, path: &str, why: &str) {
        self.note("ignored", path, None, format!("not read: {why}"));
    }

    /// A migration in another language.
    pub(super) fn code(&mut self, path: &str) {
        self.note("code", path, None, "not read: a migration that is no SQL; what it changes is not known here".into());
    }

    /// The error for a folder in which nothing was found.
    pub(super) fn no_migrations(&self, layout: Option<Layout>) -> ReadError {
        let sql = self.folder.files.iter().filter(|file| file.ends_with(".sql")).count();
        let seen = match self.notes.iter().find(|note| note.code == "other-engine") {
            Some(note) => format!(": {}", note.message),
            None if sql > 0 => format!("; of its {sql} SQL files none has a name or a marker that says where it belongs"),
            None if self.folder.files.is_empty() && self.folder.folders.is_empty() => "; it is empty".into(),
            None => String::new(),
        };
        ReadError::NoMigrations { path: self.folder.shown(), layout, seen, below: self.folder.with_sql() }
    }

    /// A file's text, noting what is odd about its bytes.
    pub(super) fn text(&mut self, path: &str) -> Result<String, ReadError> {
        let text = self.folder.take(path)?;
        Ok(self.noted(path, text))
    }

    fn noted(&mut self, path: &str, text: Text) -> String {
        if let Some(line) = text.latin1 {
            self.note("not-utf-8", path, Some(line), "holds bytes that are no UTF-8; the file was read as Latin-1".into());
        }
        text.text
    }

    /// A whole file as one direction.
    pub(super) fn whole(&mut self, path: &str, direction: Direction) -> Result<Part, ReadError> {
        let text = self.text(path)?;
        self.part(path, text, direction)
    }

    /// A whole file as one direction, where there is such a file.
    pub(super) fn whole_if_there(&mut self, path: &str, direction: Direction) -> Result<Option<Part>, ReadError> {
        match self.folder.take_if_there(path)? {
            Some(text) => {
                let text = self.noted(path, text);
                self.part(path, text, direction).map(Some)
            }
            None => Ok(None),
        }
    }

    fn part(&self, path: &str, text: String, direction: Direction) -> Result<Part, ReadError> {
        // Few files hold a directive; the others need no scan.
        if !directive::may_stand_in(&text) {
            return Ok(Part { script: Script::whole(text), ..Part::default() });
        }
        let mut parts = Parts::new(path, &text);
        parts.begin_at_start(direction);
        for comment in lex::line_comments(&text, self.engine) {
            parts.comment(&comment)?;
        }
        Ok(parts.finish().one(direction))
    }

    /// A note where UP is an empty file, which no tool's author leaves on purpose.
    pub(super) fn note_empty(&mut self, path: &str, up: &Script) {
        if up.segments.iter().all(|segment| segment.text.trim().is_empty()) {
            self.note("empty-file", path, None, "the file is empty: this migration does nothing".into());
        }
    }
}

/// A migration of one UP and perhaps one DOWN.
pub(super) fn migration(version: Version, name: String, path: String, up: Part, down: Option<(Option<String>, Part)>) -> Migration {
    let mut allows = up.allows;
    let (mut down_path, mut script, mut irreversible) = (None, None, None);
    if let Some((path, part)) = down {
        (down_path, script, irreversible) = (path, Some(part.script), part.irreversible);
        allows.extend(part.allows);
    }
    Migration { version, name, path, down_path, up: up.script, down: script, irreversible, allows }
}
