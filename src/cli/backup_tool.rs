//! Where the evidence of a backup comes from. In: a tool and where its backup is, or files that somebody saved. Out: the [`Evidence`].

use super::failure::Failure;
use crate::backup::basebackup::evidence as basebackup;
use crate::backup::dump::evidence as dump;
use crate::backup::generic::evidence as generic;
use crate::backup::mariadb_backup::evidence as mariadb_backup;
use crate::backup::pgbackrest::evidence::{self as pgbackrest, Archived};
use crate::backup::{Evidence, Part, Refused, Tool};
use crate::run::tool::{self, ToolError};
use crate::run::{Interrupt, RunError, Signal};
use chrono::Utc;
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// No output of a tool is longer, in bytes; a manifest has a line for each file of the cluster.
const LIMIT: u64 = 256 << 20;

/// How much of a dump's beginning and end is looked at, in bytes.
const EDGE: usize = 8 << 10;

/// Where a backup is, as far as its tool must be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// pgBackRest's stanza.
    pub(super) stanza: Option<String>,
    /// Which backup of the stanza; the newest, where nobody says.
    pub(super) label: Option<String>,
    /// The backup's folder or file.
    pub(super) backup: Option<PathBuf>,
    /// The folder that `archive_command` fills.
    pub(super) archive: Option<PathBuf>,
}

/// Why there is no evidence.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoEvidence {
    /// This computer cannot look: the tool or the folder is not here.
    #[error("{0}")]
    Unseen(String),
    /// What was seen does not hold.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A signal came.
    #[error("interrupted by {}", .0.name())]
    Interrupted(Signal),
    /// Something must be said first.
    #[error("say where {what} is, with `{flag}`")]
    Unsaid { what: &'static str, flag: &'static str },
}

impl From<ToolError> for NoEvidence {
    fn from(error: ToolError) -> NoEvidence {
        match error {
            ToolError::Interrupted { signal, .. } => NoEvidence::Interrupted(signal),
            ToolError::Missing(_) => NoEvidence::Unseen(error.to_string()),
            // It is here and looked.
            ToolError::Failed { .. } => Refused::new("backup", error.to_string()).into(),
        }
    }
}

/// Runs the tool, or looks into its folder. `binlogs` are those of the live server; `thorough` reads every file of a backup of files, which takes its
/// time.
pub(super) async fn look(tool: Tool, place: &Place, binlogs: Option<&[String]>, thorough: bool, interrupt: &Interrupt) -> Result<Evidence, NoEvidence> {
    let needed = |path: &Option<PathBuf>, what, flag| path.clone().ok_or(NoEvidence::Unsaid { what, flag });
    let backup = || -> Result<PathBuf, NoEvidence> {
        let path = needed(&place.backup, "the backup", "--backup PATH")?;
        // On another computer nothing of the path is there; here the rest of it is.
        if is_gone(&path) { Err(Refused::new("backup", format!("is not at {} (any more)", path.display())).into()) } else { Ok(path) }
    };
    let parts = match tool {
        Tool::PgBackRest => {
            let stanza = place.stanza.as_ref().map(|stanza| format!("--stanza={stanza}"));
            let arguments: Vec<&str> = stanza.as_deref().into_iter().chain(["info", "--output=json"]).collect();
            let info = ran(pgbackrest::INFO, "pgbackrest", &arguments, interrupt).await?;
            let Archived { stanza, repository, folder } = pgbackrest::archived(&info, place.stanza.as_deref(), place.label.as_deref())?;
            let (stanza, repository) = (format!("--stanza={stanza}"), format!("--repo={repository}"));
            let listing = [&stanza, &repository, "repo-ls", &folder, "--recurse", "--output=json"];
            let archive = ran(pgbackrest::ARCHIVE, "pgbackrest", &listing, interrupt).await?;
            vec![info, archive]
        }
        Tool::PgBasebackup => {
            let (backup, archive) = (backup()?, needed(&place.archive, "the archive", "--archive FOLDER")?);
            let manifest = file(basebackup::MANIFEST, &backup.join("backup_manifest"))?;
            let folder = backup.display().to_string();
            let control = ran(basebackup::CONTROL, &postgres_program("pg_controldata"), &[&folder], interrupt).await?;
            let history = file(basebackup::HISTORY, &archive.join(basebackup::history_name(&manifest)?))?;
            let mut parts = vec![manifest, control, history, names(&archive)?];
            if thorough {
                parts.extend(verified(&folder, interrupt).await?);
            }
            parts
        }
        Tool::MariadbBackup => {
            let backup = backup()?;
            let named = |newer: &str, older: &str| if backup.join(newer).exists() { backup.join(newer) } else { backup.join(older) };
            let info = file(mariadb_backup::INFO, &named("mariadb_backup_info", "xtrabackup_info"))?;
            let checkpoints = file(mariadb_backup::CHECKPOINTS, &named("mariadb_backup_checkpoints", "xtrabackup_checkpoints"))?;
            let names = binlogs.ok_or_else(|| Refused::new(mariadb_backup::BINLOGS, "are off on this server, or this user may not list them"))?;
            let (bytes, source) = (names.join("\n").into_bytes(), String::from("SHOW BINARY LOGS"));
            vec![info, checkpoints, Part { name: mariadb_backup::BINLOGS, source, bytes, at: Utc::now() }]
        }
        Tool::PgDump => {
            let path = backup()?.display().to_string();
            let list = ran(dump::LIST, &postgres_program("pg_restore"), &["--list", &path], interrupt).await?;
            let read = ran(dump::READ, &postgres_program("pg_restore"), &["-f", "/dev/null", &path], interrupt).await;
            let read = read.map_err(|error| match error {
                NoEvidence::Refused(refused) => Refused::new(dump::READ, refused.what).into(),
                other => other,
            })?;
            vec![list, read]
        }
        // All of it is read below, and once.
        Tool::MariadbDump => {
            backup()?;
            Vec::new()
        }
        Tool::Generic => return Err(NoEvidence::Unseen(String::from("no program tells of it"))),
    };
    read(tool, &parts, place)
}

/// Reads what somebody saved.
pub(super) fn saved(tool: Tool, files: &[PathBuf], place: &Place) -> Result<Evidence, NoEvidence> {
    let mut parts = Vec::new();
    for path in files {
        if !path.exists() {
            return Err(NoEvidence::Unseen(format!("{} does not exist", path.display())));
        }
        if tool == Tool::MariadbDump {
            parts.push(edges(path)?.0);
            continue;
        }
        let mut part = file("", path)?;
        part.name = match tool {
            Tool::PgBackRest => pgbackrest::role(&part.bytes),
            Tool::PgBasebackup => basebackup::role(&part.bytes),
            Tool::MariadbBackup => mariadb_backup::role(&part.bytes),
            Tool::PgDump | Tool::MariadbDump => dump::LIST,
            Tool::Generic => generic::CLAIM,
        };
        parts.push(part);
    }
    let place = Place { backup: place.backup.clone().or_else(|| files.first().filter(|_| tool == Tool::MariadbDump).cloned()), ..place.clone() };
    read(tool, &parts, &place)
}

fn read(tool: Tool, parts: &[Part], place: &Place) -> Result<Evidence, NoEvidence> {
    let backup = || place.backup.as_ref().ok_or(NoEvidence::Unsaid { what: "the backup", flag: "--backup PATH" });
    // What another computer, or another folder to start from, would not find is no place.
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string();
    Ok(match tool {
        Tool::PgBackRest => pgbackrest::read(parts, place.stanza.as_deref(), place.label.as_deref())?,
        Tool::PgBasebackup => basebackup::read(parts, &absolute(backup()?), place.archive.as_ref().map(absolute).as_deref())?,
        Tool::MariadbBackup => mariadb_backup::read(parts, &absolute(backup()?))?,
        Tool::PgDump => dump::pg_dump(parts, &absolute(backup()?), &edges(backup()?)?.1)?,
        Tool::MariadbDump => {
            let (file, sha256, inserts) = edges(backup()?)?;
            if !inserts {
                return Err(Refused::new(dump::FILE, "holds no row of any table: it is a dump of the schema alone").into());
            }
            let saved = if parts.is_empty() { std::slice::from_ref(&file) } else { parts };
            dump::mariadb_dump(saved, &absolute(backup()?), &sha256)?
        }
        Tool::Generic => generic::read(parts)?,
    })
}

/// What `pg_verifybackup` says; nothing where it is not here.
async fn verified(folder: &str, interrupt: &Interrupt) -> Result<Option<Part>, NoEvidence> {
    // The log is in the archive as well, where its names are looked at.
    match tool::output(&postgres_program("pg_verifybackup"), &["--no-parse-wal", folder], interrupt).await {
        Ok(output) => Ok(Some(Part { name: basebackup::VERIFY, source: output.command, bytes: output.bytes, at: Utc::now() })),
        Err(ToolError::Missing(_)) => Ok(None),
        Err(ToolError::Failed { message, .. }) => Err(Refused::new("backup", format!("is damaged: {message}")).into()),
        Err(interrupted) => Err(interrupted.into()),
    }
}

async fn ran(name: &'static str, program: &str, arguments: &[&str], interrupt: &Interrupt) -> Result<Part, NoEvidence> {
    let output = tool::output(program, arguments, interrupt).await?;
    Ok(Part { name, source: output.command, bytes: output.bytes, at: Utc::now() })
}

/// Debian keeps a server's own programs out of the path.
fn postgres_program(name: &str) -> String {
    let on_path = std::env::var_os("PATH").is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    let version = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let newest = debian.filter(|folder| folder.join(name).is_file()).max_by_key(version).filter(|_| !on_path);
    newest.map_or_else(|| name.to_owned(), |folder| folder.join(name).display().to_string())
}

/// Whether nothing stands at `path`, though its folder is here.
fn is_gone(path: &Path) -> bool {
    !path.exists() && path.parent().is_some_and(|parent| parent.parent().is_some() && parent.is_dir())
}

fn unread(path: &Path, error: &std::io::Error) -> NoEvidence {
    let told = format!("cannot read {}: {error}", path.display());
    if is_gone(path) { Refused::new("backup", told).into() } else { NoEvidence::Unseen(told) }
}

fn file(name: &'static str, path: &Path) -> Result<Part, NoEvidence> {
    let bytes = limited(path, LIMIT).map_err(|error| unread(path, &error))?;
    Ok(Part { name, source: path.display().to_string(), bytes, at: Utc::now() })
}

/// The names in the archive's folder; those of empty files are left out, for an archive command that was cut off leaves such.
fn names(folder: &Path) -> Result<Part, NoEvidence> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unread(folder, &error))? {
        let entry = entry.map_err(|error| unread(folder, &error))?;
        if entry.metadata().is_ok_and(|entry| entry.len() > 0) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(Part {
        name: basebackup::ARCHIVE,
        source: format!("ls {}", tool::quoted(&folder.display().to_string())),
        bytes: names.join("\n").into_bytes(),
        at: Utc::now(),
    })
}

/// The beginning and the end of a dump, the SHA-256 of all of it, and whether some line of it inserts rows.
fn edges(path: &Path) -> Result<(Part, String, bool), NoEvidence> {
    const INSERT: &[u8] = b"INSERT INTO";
    let read = || -> std::io::Result<(Vec<u8>, String, bool)> {
        let mut file = std::fs::File::open(path)?;
        let (mut hash, mut head, mut tail, mut buffer) = (Sha256::new(), Vec::new(), Vec::new(), vec![0; 1 << 20]);
        let (mut line, mut inserts) = (Vec::new(), false);
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            let read = &buffer[..count];
            hash.update(read);
            for (at, piece) in read.split(|byte| *byte == b'\n').enumerate() {
                if at > 0 {
                    line.clear();
                }
                line.extend_from_slice(&piece[..piece.len().min(INSERT.len() - line.len())]);
                inserts |= line == INSERT;
            }
            let (first, rest) = read.split_at(read.len().min(EDGE.saturating_sub(head.len())));
            head.extend_from_slice(first);
            tail.extend_from_slice(&rest[rest.len().saturating_sub(2 * EDGE)..]);
            tail.drain(..tail.len().saturating_sub(EDGE));
        }
        Ok(([head, tail].concat(), hex::encode(hash.finalize()), inserts))
    };
    let (bytes, sha256, inserts) = read().map_err(|error| unread(path, &error))?;
    // A letter of several bytes may be cut at the seam, and data may be none.
    let bytes = String::from_utf8_lossy(&bytes).into_owned().into_bytes();
    Ok((Part { name: dump::FILE, source: path.display().to_string(), bytes, at: Utc::now() }, sha256, inserts))
}

/// All of a file, or of what a shell pipes into one, where it holds no more than `limit` bytes.
pub(super) fn limited(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(std::io::Error::other(format!("it is longer than {limit} bytes"))) } else { Ok(bytes) }
}

impl NoEvidence {
    /// What stops a command that needs the evidence.
    pub(super) fn stops(self, tool: Tool) -> anyhow::Error {
        match self {
            NoEvidence::Interrupted(signal) => RunError::Interrupted(signal).into(),
            other => other.failure(tool).into(),
        }
    }

    fn failure(&self, tool: Tool) -> Failure {
        match self {
            NoEvidence::Unseen(_) => Failure::usage(
                "no-evidence",
                format!("{self}: there is no evidence of a backup by {}", tool.name()),
                "run this where the tool is, or save its output there and give that: --evidence FILE; `migrate explain attestation` lists what",
            ),
            NoEvidence::Refused(_) => Failure {
                exit: crate::exit::Exit::Blocked,
                ..Failure::usage(
                    "evidence-refused",
                    format!("the evidence of {} does not hold: {self}", tool.name()),
                    "mend that, or take a new backup and attest it; `migrate explain attestation` says what is looked at",
                )
            },
            NoEvidence::Unsaid { .. } | NoEvidence::Interrupted(_) => {
                Failure::usage("where-is-the-backup", self.to_string(), "`migrate explain attestation` lists what each tool must be told")
            }
        }
    }
}
