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

#[cfg(test)]
mod tests {
    use super::*;

    /// With the right checksum of its own.
    fn manifest(body: &str) -> String {
        format!("{body}\"Manifest-Checksum\": \"{}\"}}\n", hex::encode(Sha256::digest(body)))
    }

    const BODY: &str = r#"{ "PostgreSQL-Backup-Manifest-Version": 1,
"Files": [
{ "Path": "backup_label", "Size": 227, "Last-Modified": "2026-11-23 00:01:07 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "aa" },
{ "Path": "PG_VERSION", "Size": 3, "Last-Modified": "2026-11-20 00:00:00 GMT", "Checksum-Algorithm": "SHA256", "Checksum": "bb" }],
"WAL-Ranges": [
{ "Timeline": 1, "Start-LSN": "0/30000028", "End-LSN": "0/31000050" }],
"#;
    const CONTROL_DATA: &str = "pg_control version number:            1300\nDatabase system identifier:           7711149864107111904\n";
    const ENDED: &str = "START WAL LOCATION: 0/30000028 (file 000000010000000000000030)
STOP WAL LOCATION: 0/31000050 (file 000000010000000000000031)
START TIME: 2026-11-23 00:01:02 UTC
START TIMELINE: 1
STOP TIME: 2026-11-23 00:01:08 UTC
STOP TIMELINE: 1
";
    const NAMES: &str = "000000010000000000000030\n000000010000000000000030.00000028.backup\n000000010000000000000031\n000000010000000000000032\n";

    fn of(manifest: &str, control: &str, history: &str, names: &str) -> Result<Evidence, String> {
        let part = |name: &'static str, text: &str| Part { name, source: String::new(), bytes: text.as_bytes().to_vec(), at: Utc::now() };
        let mut parts = vec![part(MANIFEST, manifest), part(HISTORY, history), part(ARCHIVE, names)];
        if !control.is_empty() {
            parts.push(part(CONTROL, control));
        }
        read(&parts, "/backup/b1", Some("/archive")).map_err(|refused| refused.to_string())
    }

    #[test]
    fn the_parts_tell_of_one_backup() {
        let evidence = of(&manifest(BODY), CONTROL_DATA, ENDED, NAMES).unwrap();
        assert_eq!(evidence.claims.system_identifier, Some(7711149864107111904));
        assert_eq!((evidence.backup.label.as_str(), evidence.backup.size), ("000000010000000000000030.00000028.backup", Some(230)));
        assert_eq!(evidence.backup.stop.at.to_rfc3339(), "2026-11-23T00:01:08+00:00");
        assert_eq!(evidence.log.unwrap().last, "000000010000000000000032");
        // From release 17 on the manifest says it itself; the history's zone may be one whose name means several.
        let newer = BODY.replacen("Version\": 1,", "Version\": 2,\n\"System-Identifier\": 42,", 1);
        let evidence = of(&manifest(&newer), "", &ENDED.replace("UTC", "CST"), NAMES).unwrap();
        assert_eq!((evidence.claims.system_identifier, evidence.backup.stop.at.to_rfc3339()), (Some(42), String::from("2026-11-23T00:01:07+00:00")));
        for (bytes, name) in [(manifest(BODY), MANIFEST), (CONTROL_DATA.into(), CONTROL), (ENDED.into(), HISTORY), (NAMES.into(), ARCHIVE)] {
            assert_eq!(role(bytes.as_bytes()), name);
        }
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        let good = manifest(BODY);
        for (text, control, history, names, words) in [
            (String::new(), CONTROL_DATA, ENDED, NAMES, "manifest is empty"),
            (good[..good.len() / 2].to_owned(), CONTROL_DATA, ENDED, NAMES, "Manifest-Checksum is missing"),
            (good.replace("227", "228"), CONTROL_DATA, ENDED, NAMES, "Manifest-Checksum is"),
            (manifest(&BODY.replace("Version\": 1", "Version\": 9")), CONTROL_DATA, ENDED, NAMES, "Manifest-Version"),
            (manifest(&BODY.replace("\"Size\": 3", "\"Size\": 3, \"Size\": 4")), CONTROL_DATA, ENDED, NAMES, "twice"),
            (manifest(&BODY.replace("}],\n\"WAL", "}, {}],\n\"WAL")), CONTROL_DATA, ENDED, NAMES, "manifest cannot be read"),
            (good.clone(), "", ENDED, NAMES, "Database system identifier is missing"),
            (good.clone(), "Database system identifier:  many\n", ENDED, NAMES, "which is no number"),
            (good.clone(), CONTROL_DATA, "", NAMES, "backup history is empty"),
            (good.clone(), CONTROL_DATA, &ENDED[..70], NAMES, "STOP WAL LOCATION"),
            (good.clone(), CONTROL_DATA, &ENDED.replace("0/30000028", "0/2F000028"), NAMES, "the history of another backup"),
            (good.clone(), CONTROL_DATA, &ENDED.replace("0/31000050", "0/30000050"), NAMES, "STOP WAL LOCATION is 0/30000050"),
            (good.clone(), CONTROL_DATA, &ENDED.replace("STOP TIMELINE: 1", "STOP TIMELINE: 2"), NAMES, "STOP TIMELINE"),
            (good.clone(), CONTROL_DATA, ENDED, "", "archive is empty"),
            (
                good.clone(),
                CONTROL_DATA,
                ENDED,
                &NAMES.replace("000000010000000000000030.00000028.backup\n", ""),
                "lacks 000000010000000000000030.00000028.backup",
            ),
            (good.clone(), CONTROL_DATA, ENDED, &NAMES.replace("000000010000000000000031\n", ""), "000000010000000000000031 is missing"),
        ] {
            let found = of(&text, control, history, names).map_or_else(|words| words, |_| String::from("good"));
            assert!(found.contains(words), "{words}: {found}");
        }
    }
}
