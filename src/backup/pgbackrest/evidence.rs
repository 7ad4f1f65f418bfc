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

/// Where the log of a backup is.
pub struct Archived {
    /// The stanza.
    pub stanza: String,
    /// The repository's number.
    pub repository: u64,
    /// The folder, as `repo-ls` wants it: `archive/shop/15-1`.
    pub folder: String,
}

/// Where the log of a backup is, for whoever lists it; `label` picks the backup, else the newest is it.
///
/// # Errors
/// [`Refused`], where `info` does not hold.
pub fn archived(info: &Part, stanza: Option<&str>, label: Option<&str>) -> Result<Archived, Refused> {
    let stanza = self::stanza(info, stanza)?;
    let (_, db, archive) = chosen(&stanza, label)?;
    Ok(Archived { folder: format!("archive/{}/{}", stanza.name, archive.id), repository: db.repo_key, stanza: stanza.name })
}

/// Reads the output; `label` picks a backup, else the newest is it.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn read(parts: &[Part], stanza: Option<&str>, label: Option<&str>) -> Result<Evidence, Refused> {
    let (info, listing) = (part(parts, INFO)?, part(parts, ARCHIVE)?);
    let stanza = self::stanza(info, stanza)?;
    let (entry, db, archive) = chosen(&stanza, label)?;
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

/// The backup of that label, or the newest, with the entries of its database and its archive. The database must be the stanza's as it is now, after
/// upgrades.
fn chosen<'a>(stanza: &'a Stanza, label: Option<&str>) -> Result<(&'a Entry, &'a Db, &'a Archive), Refused> {
    let found = match label {
        Some(label) => stanza.backup.iter().find(|entry| entry.label == label),
        None => stanza.backup.iter().max_by_key(|entry| entry.timestamp.stop),
    };
    let Some(entry) = found else {
        let which = label.map_or_else(|| String::from("is empty: there is no backup"), |label| format!("holds no backup {label}"));
        return Err(Refused::new("backup", which));
    };
    let DbRef { id, repo_key } = &entry.database;
    let newest = stanza.db.iter().map(|db| db.id).max().ok_or_else(|| Refused::new("db", "is empty"))?;
    if *id != newest {
        return Err(Refused::new("backup.database.id", format!("is {id}, but the stanza's database is {newest} now")));
    }
    let db = stanza.db.iter().find(|db| (db.id, db.repo_key) == (*id, *repo_key));
    let archive = stanza.archive.iter().find(|archive| (archive.database.id, archive.database.repo_key) == (*id, *repo_key));
    let missing = |field: &str| Refused::new(field, format!("has none of the backup's database {id} in repository {repo_key}"));
    Ok((entry, db.ok_or_else(|| missing("db"))?, archive.ok_or_else(|| missing("archive"))?))
}

/// The files of a listing; an empty one was cut off while it was pushed.
fn listed(listing: &Part) -> Result<Vec<String>, Refused> {
    listing.text()?;
    one_key_once(&listing.bytes).map_err(|error| Refused::new(ARCHIVE, format!("cannot be read: {error}")))?;
    let all: BTreeMap<String, Listed> = serde_json::from_slice(&listing.bytes).map_err(|error| Refused::new(ARCHIVE, format!("cannot be read: {error}")))?;
    Ok(all.into_iter().filter(|(_, listed)| listed.kind == "file" && listed.size != Some(0)).map(|(name, _)| name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::Utc;
    use serde_json::{Value, json};

    /// Two repositories, and a second database after an upgrade.
    fn info() -> Value {
        let backup = |label: &str, repository: u64, at: i64, id: u64| {
            json!({"label": label, "type": "full", "prior": null, "reference": null, "error": false, "annotation": {"a": "b"},
                "archive": {"start": "000000010000000000000030", "stop": "000000010000000000000031"}, "lsn": {"start": "0/30000028", "stop": "0/31000050"},
                "timestamp": {"start": at - 6, "stop": at}, "info": {"size": 672791037_u64}, "backrest": {"format": 5, "version": "2.45"},
                "database": {"id": id, "repo-key": repository}})
        };
        let db = |id: u64, repository: u64| json!({"id": id, "repo-key": repository, "system-id": 7711149864107111904_u64 + id, "version": "15"});
        let archive = |id: u64, repository: u64| json!({"id": format!("15-{id}"), "min": "x", "max": "y", "database": {"id": id, "repo-key": repository}});
        json!([{"name": "shop", "status": {"code": 0, "message": "ok", "lock": {}}, "repo": [{"key": 1}, {"key": 2}],
            "db": [db(1, 1), db(2, 1), db(1, 2), db(2, 2)], "archive": [archive(1, 1), archive(2, 1), archive(2, 2)],
            "backup": [backup("old", 1, 1_795_392_000, 1), backup("first", 1, 1_795_392_100, 2), backup("newest", 1, 1_795_392_300, 2), backup("second", 2, 1_795_392_200, 2)]}])
    }

    fn part(name: &'static str, value: &Value) -> Part {
        Part { name, source: String::new(), bytes: value.to_string().into_bytes(), at: Utc::now() }
    }

    fn listing(names: &[&str]) -> Value {
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "file", "size": 7}))).collect()
    }

    const SEGMENTS: [&str; 3] = [
        "0000000100000000/000000010000000000000030-aa.gz",
        "0000000100000000/000000010000000000000031-bb.gz",
        "0000000100000000/000000010000000000000032-cc.gz",
    ];

    fn refusal(info: &Value, names: &[&str], label: Option<&str>) -> String {
        read(&[part(INFO, info), part(ARCHIVE, &listing(names))], None, label).map_or_else(|refused| refused.to_string(), |_| String::from("good"))
    }

    #[test]
    fn each_repository_has_an_archive_of_its_own() {
        let info = info();
        let of = |label: Option<&str>| archived(&part(INFO, &info), None, label).map(|found| (found.repository, found.folder));
        assert_eq!(of(None).unwrap(), (1, String::from("archive/shop/15-2")), "of the newest backup");
        assert_eq!(of(Some("second")).unwrap(), (2, String::from("archive/shop/15-2")));
        let evidence = read(&[part(INFO, &info), part(ARCHIVE, &listing(&SEGMENTS))], Some("shop"), Some("first")).unwrap();
        assert_eq!(evidence.claims.system_identifier, Some(7711149864107111906));
        assert_eq!((evidence.backup.label.as_str(), evidence.backup.stop.timeline), ("first", Some(1)));
        assert_eq!(evidence.log.unwrap().last, "000000010000000000000032");
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        let edited = |place: &str, value: Value| {
            let mut info = info();
            *info.pointer_mut(place).unwrap() = value;
            info
        };
        assert_eq!(refusal(&info(), &SEGMENTS, None), "good");
        for (info, names, label, words) in [
            (info(), &SEGMENTS[..], Some("old"), "backup.database.id is 1"),
            (info(), &SEGMENTS, Some("none"), "holds no backup none"),
            (info(), &SEGMENTS[1..], None, "000000010000000000000030 is missing"),
            (info(), &[SEGMENTS[0], SEGMENTS[2]], None, "000000010000000000000031 is missing"),
            (json!([]), &SEGMENTS, None, "names no stanza"),
            (edited("/0/status/code", json!(5)), &SEGMENTS, None, "status.code is 5"),
            (edited("/0/backup", json!([])), &SEGMENTS, None, "there is no backup"),
            (edited("/0/backup/2/error", json!(true)), &SEGMENTS, None, "backup.error"),
            (edited("/0/backup/2/reference", json!(["gone"])), &SEGMENTS, None, "names gone"),
            (edited("/0/backup/2/lsn/stop", json!("31000050")), &SEGMENTS, None, "backup.lsn.stop"),
            (edited("/0/backup/2/archive/stop", json!(null)), &SEGMENTS, None, "backup.archive.stop is missing"),
            (edited("/0/backup/2/timestamp", json!({"start": 1})), &SEGMENTS, None, "missing field `stop`"),
            (edited("/0/db/1/system-id", json!("x")), &SEGMENTS, None, "info cannot be read"),
        ] {
            let found = refusal(&info, names, label);
            assert!(found.contains(words), "{words}: {found}");
        }
        // A file that was cut off while it was pushed is no part of the log.
        let mut cut = listing(&SEGMENTS);
        cut[SEGMENTS[1]]["size"] = json!(0);
        assert!(read(&[part(INFO, &info()), part(ARCHIVE, &cut)], None, None).is_err());
    }
}
