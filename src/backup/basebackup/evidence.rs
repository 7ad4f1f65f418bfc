//! What `pg_basebackup` leaves. In: `backup_manifest`, what `pg_controldata` says of the backup, the backup's history file and the names in the
//! archive. Out: [`Evidence`].
//!
//! The history file (`000000010000000000000030.00000028.backup`) is written when the backup has ended, so it is what proves the end. The manifest
//! of releases before 17 does not say of which cluster it is; `pg_controldata` does.

use crate::backup::wal::{Segment, consecutive};
use crate::backup::{Backup, Claims, Evidence, Level, Log, Mark, Part, Refused, Tool, one_key_once, part};
use crate::observed::site::Lsn;
use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The part that `backup_manifest` is.
pub const MANIFEST: &str = "manifest";
/// The part that `pg_controldata` prints of the backup's folder.
pub const CONTROL: &str = "control data";
/// The part that the backup's history file is.
pub const HISTORY: &str = "backup history";
/// The part that the names in the archive's folder are, one a line.
pub const ARCHIVE: &str = "archive";
/// The part that `pg_verifybackup` prints; not needed.
pub const VERIFY: &str = "pg_verifybackup";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    #[serde(rename = "PostgreSQL-Backup-Manifest-Version")]
    version: u64,
    #[serde(rename = "System-Identifier")]
    system_identifier: Option<u64>,
    files: Vec<ManifestFile>,
    #[serde(rename = "WAL-Ranges")]
    wal_ranges: Vec<Range>,
}

#[derive(Deserialize)]
struct ManifestFile {
    #[serde(rename = "Size")]
    size: u64,
    #[serde(rename = "Last-Modified")]
    last_modified: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Range {
    timeline: u32,
    #[serde(rename = "Start-LSN")]
    start: Lsn,
    #[serde(rename = "End-LSN")]
    end: Lsn,
}

/// Which part `bytes` are.
pub fn role(bytes: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(bytes);
    match text.trim_start() {
        text if text.starts_with('{') => MANIFEST,
        text if text.starts_with("START WAL LOCATION") => HISTORY,
        text if text.contains("Database system identifier:") => CONTROL,
        text if text.contains("backup successfully verified") => VERIFY,
        _ => ARCHIVE,
    }
}

/// The name of the backup's history file, by its manifest.
///
/// # Errors
/// [`Refused`], where the manifest does not hold.
pub fn history_name(manifest: &Part) -> Result<String, Refused> {
    let (_, range) = read_manifest(manifest)?;
    // One more part of the name than a segment has: where in the segment the backup begins.
    Ok(format!("{}.{:08X}.backup", Segment::holding(range.timeline, range.start).name(), range.start.0 % crate::backup::wal::SEGMENT))
}

/// Reads the output of a backup in the folder `location`, whose log goes to `archive`.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn read(parts: &[Part], location: &str, archive: Option<&str>) -> Result<Evidence, Refused> {
    let (manifest_part, history, listing) = (part(parts, MANIFEST)?, part(parts, HISTORY)?, part(parts, ARCHIVE)?);
    let (manifest, range) = read_manifest(manifest_part)?;
    let system_identifier = match parts.iter().any(|part| part.name == CONTROL) {
        true => Some(of_control_data(part(parts, CONTROL)?)?),
        false => manifest.system_identifier,
    };
    let Some(system_identifier) = system_identifier else {
        return Err(Refused::new("Database system identifier", "is missing: the manifest does not say it before PostgreSQL 17, `pg_controldata FOLDER` does"));
    };
    let name = history_name(manifest_part)?;
    let fields = history.text()?;
    let field = |name: &str| {
        let value = fields.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.map(str::trim).ok_or_else(|| Refused::new(name, "is missing in the backup's history file"))
    };
    let location_of = |name: &str| {
        let value = field(name)?;
        let lsn = value.split(' ').next().unwrap_or_default();
        lsn.parse::<Lsn>().map_err(|error| Refused::new(name, format!("is {value:?}: {error}")))
    };
    let (start, stop) = (location_of("START WAL LOCATION")?, location_of("STOP WAL LOCATION")?);
    if start != range.start {
        return Err(Refused::new(
            "START WAL LOCATION",
            format!("is {start}, but that of the manifest is {}: it is the history of another backup", range.start),
        ));
    }
    if stop < range.end {
        return Err(Refused::new("STOP WAL LOCATION", format!("is {stop}, but the manifest needs the log up to {}", range.end)));
    }
    for name in ["START TIMELINE", "STOP TIMELINE"] {
        if field(name)?.parse::<u32>() != Ok(range.timeline) {
            return Err(Refused::new(name, format!("is {}, but that of the manifest is {}", field(name)?, range.timeline)));
        }
    }
    let written = manifest.files.iter().filter_map(|file| gmt(&file.last_modified)).max();
    let time = |name: &str| {
        // The server writes its own zone; only UTC's name means one time everywhere. The manifest's times are always GMT.
        let value = field(name)?;
        let known = value.strip_suffix(" UTC").or(value.strip_suffix(" GMT")).and_then(|time| NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").ok());
        known.map(|time| time.and_utc()).or(written).ok_or_else(|| Refused::new(name, format!("is {value:?}, which is no time in UTC")))
    };
    let mark = |at: DateTime<Utc>, lsn: Lsn| Mark { timeline: Some(range.timeline), lsn: Some(lsn), ..Mark::at(at) };
    let (start, stop) = (mark(time("START TIME")?, start), mark(time("STOP TIME")?, stop));
    let first = Segment::holding(range.timeline, range.start);
    let names = listing.text()?;
    if !names.lines().any(|line| line.trim().rsplit('/').next() == Some(&name)) {
        return Err(Refused::new(ARCHIVE, format!("lacks {name}, which is written when the backup has ended")));
    }
    let last = consecutive(names.lines().map(str::trim), first)?;
    let mut checks = vec![
        manifest_part.check("manifest", Level::Observed, format!("its own checksum is right, {} files", manifest.files.len())),
        history.check("backup history", Level::Observed, format!("the backup ended at {}", stop.at)),
        listing.check("archive", Level::Observed, format!("no gap from {} to {}", first.name(), last.name())),
    ];
    if parts.iter().any(|part| part.name == VERIFY) {
        let verify = part(parts, VERIFY)?;
        if !verify.text()?.contains("backup successfully verified") {
            return Err(Refused::new(VERIFY, "does not say that the backup is good"));
        }
        checks.push(verify.check("checksums", Level::Verified, "every file is what the manifest says"));
    }
    Ok(Evidence {
        claims: Claims { system_identifier: Some(system_identifier), ..Claims::default() },
        backup: Backup {
            tool: Tool::PgBasebackup,
            tool_version: None,
            location: location.to_owned(),
            label: name,
            kind: String::from("full"),
            chain: Vec::new(),
            start,
            stop,
            size: Some(manifest.files.iter().map(|file| file.size).sum()),
            expires: None,
        },
        log: Some(Log {
            location: archive.map(str::to_owned),
            first: first.name(),
            last: last.name(),
            gap_free: Some(String::from("names of the archive's files are consecutive")),
            observed: listing.at,
        }),
        checks,
    })
}

/// The manifest and the log that it needs, where its checksum, which is over all lines before its own, is right (PostgreSQL manual, "Backup
/// Manifest Format").
fn read_manifest(part: &Part) -> Result<(Manifest, Range), Refused> {
    const CHECKSUM: &str = "Manifest-Checksum";
    let text = part.text()?;
    let at = text.rfind(&format!("\"{CHECKSUM}\"")).ok_or_else(|| Refused::new(CHECKSUM, "is missing: the manifest is cut off"))?;
    let claimed = text[at..].split('"').nth(3).unwrap_or_default();
    let seen = hex::encode(Sha256::digest(&text.as_bytes()[..at]));
    if !claimed.eq_ignore_ascii_case(&seen) {
        return Err(Refused::new(CHECKSUM, format!("is {claimed:?}, but the manifest's own is {seen}: it is damaged")));
    }
    one_key_once(&part.bytes).map_err(|error| Refused::new(MANIFEST, format!("cannot be read: {error}")))?;
    let manifest: Manifest = serde_json::from_str(text).map_err(|error| Refused::new(MANIFEST, format!("cannot be read: {error}")))?;
    if !(1..=2).contains(&manifest.version) {
        return Err(Refused::new("PostgreSQL-Backup-Manifest-Version", format!("is {}, which this program does not know", manifest.version)));
    }
    if manifest.files.is_empty() {
        return Err(Refused::new("Files", "is empty"));
    }
    let mut ranges = manifest.wal_ranges.iter();
    match (ranges.next(), ranges.next()) {
        (Some(range), None) => {
            let range = Range { timeline: range.timeline, start: range.start, end: range.end };
            Ok((manifest, range))
        }
        (None, _) => Err(Refused::new("WAL-Ranges", "is empty")),
        (Some(_), Some(_)) => Err(Refused::new("WAL-Ranges", "has more than one: the backup began before a failover, take a new one")),
    }
}

/// The cluster's number.
fn of_control_data(part: &Part) -> Result<u64, Refused> {
    const FIELD: &str = "Database system identifier";
    let value = part.text()?.lines().find_map(|line| line.strip_prefix(FIELD)?.strip_prefix(':'));
    let value = value.map(str::trim).ok_or_else(|| Refused::new(FIELD, "is missing: `LC_ALL=C pg_controldata FOLDER` prints it"))?;
    value.parse().map_err(|_| Refused::new(FIELD, format!("is {value:?}, which is no number")))
}

/// `2026-11-23 00:01:02 GMT`.
fn gmt(text: &str) -> Option<DateTime<Utc>> {
    NaiveDateTime::parse_from_str(text.strip_suffix(" GMT")?, "%Y-%m-%d %H:%M:%S").ok().map(|time| time.and_utc())
}
