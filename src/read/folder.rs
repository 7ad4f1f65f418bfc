//! A folder's listing and its files' texts. In: a path. Out: names in order, and text whatever the bytes were.

use super::ReadError;
use foldhash::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A listed folder. Names that begin with a dot are left out, as every tool does.
pub(super) struct Folder {
    dir: PathBuf,
    /// Files directly in the folder, by name.
    pub(super) files: Vec<String>,
    /// Folders directly in the folder, by name.
    pub(super) folders: Vec<String>,
    /// Files whose names are no UTF-8, as well as they can be shown.
    pub(super) odd: Vec<String>,
    /// What was read to find the layout and is wanted again to read the migrations.
    kept: HashMap<String, Text>,
}

/// A file's text.
#[derive(Clone, Default)]
pub(super) struct Text {
    /// The text without a byte-order mark.
    pub(super) text: String,
    /// The first line that was no UTF-8; the whole file was then taken as Latin-1.
    pub(super) latin1: Option<u32>,
}

#[derive(Default)]
struct Listing {
    files: Vec<String>,
    folders: Vec<String>,
    odd: Vec<String>,
}

/// Lists `dir`, with `prefix` before each name.
fn list(dir: &Path, prefix: &str, follow: bool) -> std::io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let name = match entry.file_name().into_string() {
            Ok(name) if name.starts_with('.') => continue,
            Ok(name) => format!("{prefix}{name}"),
            Err(name) => {
                listing.odd.push(format!("{prefix}{}", name.to_string_lossy()));
                continue;
            }
        };
        // A link to nothing counts as a file: reading it then says what is wrong.
        let is_dir = kind.is_dir() || follow && kind.is_symlink() && std::fs::metadata(entry.path()).is_ok_and(|m| m.is_dir());
        if is_dir { &mut listing.folders } else { &mut listing.files }.push(name);
    }
    listing.files.sort_unstable();
    listing.folders.sort_unstable();
    Ok(listing)
}

impl Folder {
    pub(super) fn open(dir: &Path) -> Result<Folder, ReadError> {
        let Listing { files, folders, odd } = list(dir, "", true).map_err(|source| match source.kind() {
            ErrorKind::NotFound => ReadError::NoFolder { path: shown(dir), is_file: false },
            ErrorKind::NotADirectory => ReadError::NoFolder { path: shown(dir), is_file: true },
            _ => ReadError::Unreadable { path: shown(dir), source },
        })?;
        Ok(Folder { dir: dir.to_owned(), files, folders, odd, kept: HashMap::default() })
    }

    /// The folder as it was given.
    pub(super) fn shown(&self) -> String {
        shown(&self.dir)
    }

    /// All files in this folder and those below, `/` between parts.
    pub(super) fn nested(&self) -> Result<Vec<String>, ReadError> {
        let (mut files, mut open) = (self.files.clone(), self.folders.clone());
        while let Some(folder) = open.pop() {
            // Links below are not followed: they may lead back up.
            let listing = list(&self.dir.join(&folder), &format!("{folder}/"), false).map_err(|source| ReadError::Unreadable { path: folder, source })?;
            files.extend(listing.files);
            open.extend(listing.folders);
        }
        files.sort_unstable();
        Ok(files)
    }

    /// The folders in this one that hold SQL files themselves or one level below, for a hint.
    pub(super) fn with_sql(&self) -> Vec<String> {
        let sql = |path: &Path, depth| holds_sql(path, depth);
        self.folders.iter().filter(|name| sql(&self.dir.join(name), 1)).take(8).cloned().collect()
    }

    /// Whether that file exists.
    pub(super) fn has(&self, path: &str) -> bool {
        self.dir.join(path).is_file()
    }

    /// The file's text, which is kept for [`Folder::take`].
    pub(super) fn peek(&mut self, path: &str) -> Result<&str, ReadError> {
        if !self.kept.contains_key(path) {
            let text = self.read(path)?;
            self.kept.insert(path.to_owned(), text);
        }
        Ok(&self.kept[path].text)
    }

    /// The file's text.
    pub(super) fn take(&mut self, path: &str) -> Result<Text, ReadError> {
        match self.kept.remove(path) {
            Some(text) => Ok(text),
            None => self.read(path),
        }
    }

    /// The file's text; `None` where there is no such file.
    pub(super) fn take_if_there(&mut self, path: &str) -> Result<Option<Text>, ReadError> {
        match self.take(path) {
            Err(ReadError::Unreadable { source, .. }) if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
            other => other.map(Some),
        }
    }

    fn read(&self, path: &str) -> Result<Text, ReadError> {
        let bytes = std::fs::read(self.dir.join(path)).map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })?;
        decode(bytes).ok_or_else(|| ReadError::Utf16 { path: path.to_owned() })
    }
}

fn shown(dir: &Path) -> String {
    dir.display().to_string()
}

fn holds_sql(dir: &Path, depth: u32) -> bool {
    let Ok(listing) = list(dir, "", false) else { return false };
    listing.files.iter().any(|f| f.ends_with(".sql")) || depth > 0 && listing.folders.iter().any(|f| holds_sql(&dir.join(f), depth - 1))
}

/// Bytes to text: UTF-8, else Latin-1, in which every byte is a character. `None` for UTF-16.
fn decode(mut bytes: Vec<u8>) -> Option<Text> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return None;
    }
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        bytes.drain(..3);
    }
    Some(match String::from_utf8(bytes) {
        Ok(text) => Text { text, latin1: None },
        Err(error) => {
            let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + good.iter().map(|b| u32::from(*b == b'\n')).sum::<u32>();
            Text { text: error.as_bytes().iter().map(|b| char::from(*b)).collect(), latin1: Some(line) }
        }
    })
}
