//! What pgBackRest says of its backups. In: `info --output=json` and `repo-ls archive/STANZA/ID --recurse --output=json`. Out: [`Evidence`] of the
//! newest backup, or of one by its label.
//!
//! Read with 2.45 and 2.60. Fields that are not needed are passed over: the tool adds some with each release.

use crate::backup::wal::{Segment, consecutive};
use crate::backup::{Backup, Claims, Evidence, Level, Log, Mark, Part, Refused, Tool, one_key_once, part};
use crate::observed::site::Lsn;
use chrono::DateTime;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The part that `info` is.
pub const INFO: &str = "info";
/// The part that the archive's listing is.
pub const ARCHIVE: &str = "archive";

#[derive(Deserialize)]
struct Stanza {
    name: String,
    status: Status,
    #[serde(default)]
    db: Vec<Db>,
    #[serde(default)]
    archive: Vec<Archive>,
    #[serde(default)]
    backup: Vec<Entry>,
}

#[derive(Deserialize)]
struct Status {
    code: i64,
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Db {
    id: u64,
    repo_key: u64,
    system_id: u64,
    version: String,
}

#[derive(Deserialize)]
struct Archive {
    id: String,
    database: DbRef,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct DbRef {
    id: u64,
    repo_key: u64,
}

#[derive(Deserialize)]
struct Entry {
    label: String,
    #[serde(rename = "type")]
    kind: String,
    /// `None` where the cluster has no checksums of its pages.
    error: Option<bool>,
    #[serde(default)]
    reference: Option<Vec<String>>,
    archive: Names,
    lsn: Span<String>,
    timestamp: Span<i64>,
    #[serde(default)]
    info: Sizes,
    #[serde(default)]
    backrest: Version,
    database: DbRef,
}

#[derive(Deserialize)]
struct Names {
    start: Option<String>,
    stop: Option<String>,
}

#[derive(Deserialize)]
struct Span<T> {
    start: T,
    stop: T,
}

#[derive(Deserialize, Default)]
struct Sizes {
    size: Option<u64>,
}

#[derive(Deserialize, Default)]
struct Version {
    version: Option<String>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    size: Option<u64>,
}

/// Which part `bytes` are: `info` is a list, the archive's listing is not.
pub fn role(bytes: &[u8]) -> &'static str {
    if bytes.trim_ascii_start().starts_with(b"[") { INFO } else { ARCHIVE }
}

/// The names of the archive's folder, as `repo-ls` wants it: `archive/shop/15-1`; for whoever runs the tool.
///
/// # Errors
/// [`Refused`], where `info` does not hold.
pub fn archive_folder(info: &Part, stanza: Option<&str>) -> Result<String, Refused> {
    let stanza = self::stanza(info, stanza)?;
    let (_, archive) = current(&stanza)?;
    Ok(format!("archive/{}/{}", stanza.name, archive.id))
}

/// Reads the output; `label` picks a backup, else the newest is it.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn read(parts: &[Part], stanza: Option<&str>, label: Option<&str>) -> Result<Evidence, Refused> {
    let (info, listing) = (part(parts, INFO)?, part(parts, ARCHIVE)?);
    let stanza = self::stanza(info, stanza)?;
    let (db, archive) = current(&stanza)?;
    let chosen = match label {
        Some(label) => stanza.backup.iter().find(|entry| entry.label == label),
        None => stanza.backup.iter().max_by_key(|entry| entry.timestamp.stop),
    };
    let Some(entry) = chosen else {
        let which = label.map_or_else(|| String::from("is empty: there is no backup"), |label| format!("holds no backup {label}"));
        return Err(Refused::new("backup", which));
    };
    if (entry.database.id, entry.database.repo_key) != (db.id, db.repo_key) {
        return Err(Refused::new("backup.database.id", format!("is {}, but the stanza's database is {} now", entry.database.id, db.id)));
    }
    if entry.error == Some(true) {
        return Err(Refused::new("backup.error", format!("is true: pages of {} failed their checksums", entry.label)));
    }
    let chain = entry.reference.clone().unwrap_or_default();
    if let Some(gone) = chain.iter().find(|needed| !stanza.backup.iter().any(|entry| entry.label == **needed)) {
        return Err(Refused::new("backup.reference", format!("names {gone}, which {} needs and the catalogue does not hold", entry.label)));
    }
    let segment = |field: &str, name: &Option<String>| {
        let name = name.as_deref().ok_or_else(|| Refused::new(field, "is missing"))?;
        Segment::from_name(name).ok_or_else(|| Refused::new(field, format!("is {name:?}, which is no segment")))
    };
    let (first, stop) = (segment("backup.archive.start", &entry.archive.start)?, segment("backup.archive.stop", &entry.archive.stop)?);
    let mark = |edge: &str, lsn: &str, seconds: i64, segment: Segment| {
        let lsn: Lsn = lsn.parse().map_err(|error| Refused::new(format!("backup.lsn.{edge}"), format!("is {lsn:?}: {error}")))?;
        let at = DateTime::from_timestamp_secs(seconds)
            .ok_or_else(|| Refused::new(format!("backup.timestamp.{edge}"), format!("is {seconds}, which is no time")))?;
        Ok(Mark { timeline: Some(segment.timeline), lsn: Some(lsn), ..Mark::at(at) })
    };
    let (start, stop) = (mark("start", &entry.lsn.start, entry.timestamp.start, first)?, mark("stop", &entry.lsn.stop, entry.timestamp.stop, stop)?);
    let names = listed(listing)?;
    let last = consecutive(names.iter().map(String::as_str), first)?;
    let pages = if entry.error == Some(false) { "page checksums good" } else { "page checksums unknown" };
    Ok(Evidence {
        claims: Claims { system_identifier: Some(db.system_id), server_version: Some(db.version.clone()), ..Claims::default() },
        backup: Backup {
            tool: Tool::PgBackRest,
            tool_version: entry.backrest.version.clone(),
            location: stanza.name.clone(),
            label: entry.label.clone(),
            kind: entry.kind.clone(),
            chain,
            start,
            stop,
            size: entry.info.size,
            expires: None,
        },
        log: Some(Log {
            location: Some(archive.id.clone()),
            first: first.name(),
            last: last.name(),
            gap_free: Some(String::from("names of the archive's files are consecutive")),
            observed: listing.at,
        }),
        checks: vec![
            info.check("catalogue", Level::Observed, format!("{} is listed, status ok, {pages}", entry.label)),
            listing.check("archive", Level::Observed, format!("no gap from {} to {}", first.name(), last.name())),
        ],
    })
}

/// The stanza of that name, or the only one.
fn stanza(info: &Part, name: Option<&str>) -> Result<Stanza, Refused> {
    info.text()?;
    one_key_once(&info.bytes).map_err(|error| Refused::new(INFO, format!("cannot be read: {error}")))?;
    let all: Vec<Stanza> = serde_json::from_slice(&info.bytes).map_err(|error| Refused::new(INFO, format!("cannot be read: {error}")))?;
    let stanza = match (name, all.len()) {
        (None, 0) => return Err(Refused::new(INFO, "names no stanza")),
        (None, 1) => all.into_iter().next(),
        (None, _) => return Err(Refused::new(INFO, "names more than one stanza: say which with `--stanza`")),
        (Some(name), _) => all.into_iter().find(|stanza| stanza.name == name),
    };
    let stanza = stanza.ok_or_else(|| Refused::new(INFO, format!("has no stanza {}", name.unwrap_or_default())))?;
    match &stanza.status {
        Status { code: 0, .. } => Ok(stanza),
        Status { code, message } => Err(Refused::new("status.code", format!("is {code} ({message})"))),
    }
}

/// The stanza's database as it is now, after upgrades, and its archive.
fn current(stanza: &Stanza) -> Result<(&Db, &Archive), Refused> {
    let db = stanza.db.iter().max_by_key(|db| db.id).ok_or_else(|| Refused::new("db", "is empty"))?;
    let archive = stanza.archive.iter().find(|archive| (archive.database.id, archive.database.repo_key) == (db.id, db.repo_key));
    Ok((db, archive.ok_or_else(|| Refused::new("archive", "has none of the database as it is now"))?))
}

/// The files of a listing; an empty one was cut off while it was pushed.
fn listed(listing: &Part) -> Result<Vec<String>, Refused> {
    listing.text()?;
    one_key_once(&listing.bytes).map_err(|error| Refused::new(ARCHIVE, format!("cannot be read: {error}")))?;
    let all: BTreeMap<String, Listed> = serde_json::from_slice(&listing.bytes).map_err(|error| Refused::new(ARCHIVE, format!("cannot be read: {error}")))?;
    Ok(all.into_iter().filter(|(_, listed)| listed.kind == "file" && listed.size != Some(0)).map(|(name, _)| name).collect())
}
