//! Why a folder could not be read. In: what was met. Out: a message with file and line, a stable code, and what to do next.

use super::directive;

/// Why a folder of migrations could not be read. Paths are relative to the folder, but for those of the folder itself.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The folder does not exist, or is a file.
    #[error("{path}: {}", if *.is_file { "is a file, not a folder" } else { "no such folder" })]
    NoFolder {
        /// The folder as given.
        path: String,
        /// Something of that name exists, but is a file.
        is_file: bool,
    },
    /// Nothing in the folder is a migration.
    #[error("{path}: holds no migrations{}{seen}", .layout.map(|l| format!(" in the layout {l}")).unwrap_or_default())]
    NoMigrations {
        /// The folder as given.
        path: String,
        /// The layout that was asked for or found.
        layout: Option<super::Layout>,
        /// What stands there instead, as the end of the sentence.
        seen: String,
        /// Folders below that hold SQL files.
        below: Vec<String>,
    },
    /// Two migrations with one version.
    #[error("{first} and {second} have the same version, {version}")]
    DuplicateVersion {
        /// The version.
        version: String,
        /// The first file.
        first: String,
        /// The other one.
        second: String,
    },
    /// A DOWN whose UP is missing.
    #[error("{path}: DOWN of version {version}, but there is no UP of that version")]
    DownWithoutUp {
        /// The DOWN file.
        path: String,
        /// Its version.
        version: String,
    },
    /// `-- migrate: WORD` with a word that means nothing.
    #[error("{path}:{line}: unknown directive `{word}`; known are {}", directive::KNOWN)]
    UnknownDirective {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: u32,
        /// The directive as written.
        word: String,
    },
    /// `-- migrate: allow` without a rule or without a reason in quotes.
    #[error("{path}:{line}: `allow` needs a rule and a reason in double quotes")]
    AllowWithoutReason {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: u32,
    },
    /// A file without the marker that its layout demands.
    #[error("{path}: no line `{marker}`")]
    MarkerMissing {
        /// The file.
        path: String,
        /// The marker as it is written in this layout.
        marker: &'static str,
    },
    /// A marker where none can stand, or a statement before the first.
    #[error("{path}:{line}: {what}")]
    MarkerOutOfPlace {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: u32,
        /// What is wrong there.
        what: String,
    },
    /// A marker that the layout does not know.
    #[error("{path}:{line}: unknown marker `{marker}`")]
    UnknownMarker {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: u32,
        /// The marker as written.
        marker: String,
    },
    /// A version that is no number.
    #[error("{path}: `{version}` is no version: a version is a number")]
    VersionNotNumber {
        /// The file or folder.
        path: String,
        /// What stands in the version's place.
        version: String,
    },
    /// `U1__x.sql` without a `V1__…`, which one tool runs forward and the other to undo.
    #[error("{path}: refinery would run this file forward, Flyway would run it to undo a V file of the same version, and there is none")]
    UndoOrForward {
        /// The file.
        path: String,
    },
    /// A file beside the SQL (a plan, metadata) that cannot be understood.
    #[error("{path}{}: {what}", .line.map(|l| format!(":{l}")).unwrap_or_default())]
    BadPlan {
        /// The file.
        path: String,
        /// Its line, from 1.
        line: Option<u32>,
        /// What is wrong there.
        what: String,
    },
    /// The operating system would not give the file.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// The file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// UTF-16, which no database takes as SQL.
    #[error("{path}: is UTF-16, not UTF-8")]
    Utf16 {
        /// The file.
        path: String,
    },
}

impl ReadError {
    /// A stable name for machines.
    pub fn code(&self) -> &'static str {
        match self {
            ReadError::NoFolder { .. } => "no-folder",
            ReadError::NoMigrations { .. } => "no-migrations",
            ReadError::DuplicateVersion { .. } => "duplicate-version",
            ReadError::DownWithoutUp { .. } => "down-without-up",
            ReadError::UnknownDirective { .. } => "unknown-directive",
            ReadError::AllowWithoutReason { .. } => "allow-without-reason",
            ReadError::MarkerMissing { .. } => "marker-missing",
            ReadError::MarkerOutOfPlace { .. } => "marker-out-of-place",
            ReadError::UnknownMarker { .. } => "unknown-marker",
            ReadError::VersionNotNumber { .. } => "version-no-number",
            ReadError::UndoOrForward { .. } => "undo-or-forward",
            ReadError::BadPlan { .. } => "bad-plan",
            ReadError::Unreadable { .. } => "unreadable-file",
            ReadError::Utf16 { .. } => "utf-16",
        }
    }

    /// The files or folders that the error is about.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            ReadError::DuplicateVersion { first, second, .. } => vec![first, second],
            ReadError::NoFolder { path, .. }
            | ReadError::NoMigrations { path, .. }
            | ReadError::DownWithoutUp { path, .. }
            | ReadError::UnknownDirective { path, .. }
            | ReadError::AllowWithoutReason { path, .. }
            | ReadError::MarkerMissing { path, .. }
            | ReadError::MarkerOutOfPlace { path, .. }
            | ReadError::UnknownMarker { path, .. }
            | ReadError::VersionNotNumber { path, .. }
            | ReadError::UndoOrForward { path }
            | ReadError::BadPlan { path, .. }
            | ReadError::Unreadable { path, .. }
            | ReadError::Utf16 { path } => vec![path],
        }
    }

    /// The line in the first of [`ReadError::paths`], from 1.
    pub fn line(&self) -> Option<u32> {
        match self {
            ReadError::UnknownDirective { line, .. }
            | ReadError::AllowWithoutReason { line, .. }
            | ReadError::MarkerOutOfPlace { line, .. }
            | ReadError::UnknownMarker { line, .. } => Some(*line),
            ReadError::BadPlan { line, .. } => *line,
            _ => None,
        }
    }

    /// What to do next.
    pub fn help(&self) -> String {
        match self {
            ReadError::NoFolder { is_file: true, .. } => "name the folder that the file stands in, with `--dir`".into(),
            ReadError::NoFolder { .. } => "name the folder of migrations with `--dir`, or make the first migration with `migrate new NAME`".into(),
            ReadError::NoMigrations { below, .. } if !below.is_empty() => format!("name one of the folders in it with `--dir`: {}", below.join(", ")),
            ReadError::NoMigrations { layout: Some(_), .. } => "leave `--layout` out to have the layout found, or name another folder with `--dir`".into(),
            ReadError::NoMigrations { .. } => "make the first migration with `migrate new NAME`, or name another folder with `--dir`".into(),
            ReadError::DuplicateVersion { .. } => "give one of them a version of its own, the one that no database has run yet".into(),
            ReadError::DownWithoutUp { .. } => "add the UP file of that version, or delete the DOWN file".into(),
            ReadError::UnknownDirective { .. } => {
                "use one of those; a comment that is no directive must not begin with `migrate:` (write `-- note: migrate …`)".into()
            }
            ReadError::AllowWithoutReason { .. } => "write `-- migrate: allow drop-column \"why it is all right\"`".into(),
            ReadError::MarkerMissing { marker, .. } => {
                format!("put a line `{marker}` before the statements that go forward, or name the layout with `--layout`")
            }
            ReadError::MarkerOutOfPlace { .. } => {
                "let UP come first and DOWN after it, each begun by one marker; reword a comment that only looks like a marker".into()
            }
            ReadError::UnknownMarker { .. } => "correct its spelling: what follows a marker that is not understood would run in the wrong direction".into(),
            ReadError::VersionNotNumber { .. } => "begin the name with digits, such as 20240116_add_column".into(),
            ReadError::UndoOrForward { .. } => "say which it is with `--layout refinery` or `--layout flyway`".into(),
            ReadError::BadPlan { .. } => "correct that file".into(),
            ReadError::Unreadable { .. } => "look at the file's permissions and whether it is a link to nothing".into(),
            ReadError::Utf16 { .. } => "save the file as UTF-8".into(),
        }
    }
}
