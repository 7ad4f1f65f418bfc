//! What a dump says of itself. In: `pg_restore --list` of a file of `pg_dump -Fc`, or the file of `mariadb-dump`. Out: [`Evidence`].
//!
//! `pg_restore --list` reads only the table of contents, and is content with a file that was cut in half; `pg_restore -f /dev/null` reads it all.

use crate::backup::{Backup, Claims, Evidence, Level, Mark, Part, Refused, Tool, part};
use chrono::{DateTime, Local, NaiveDateTime, TimeZone, Utc};

/// The part that `pg_restore --list` prints.
pub const LIST: &str = "list";
/// The part that `pg_restore -f /dev/null` is: it prints nothing, and its end is what counts.
pub const READ: &str = "full read";
/// The part that a file of `mariadb-dump` is.
pub const FILE: &str = "dump";

/// Reads what `pg_restore` says of the file `location`, whose bytes have that hash.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn pg_dump(parts: &[Part], location: &str, sha256: &str) -> Result<Evidence, Refused> {
    let list = part(parts, LIST)?;
    let text = list.text()?;
    let field = |name: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(';')?.trim_start().strip_prefix(name));
        value.map(|value| value.trim_start_matches(':').trim()).filter(|value| !value.is_empty()).ok_or_else(|| Refused::new(name, "is missing"))
    };
    let at = field("Archive created at")?;
    let stop = utc_or_local(at).ok_or_else(|| Refused::new("Archive created at", format!("is {at:?}, which is no time")))?;
    if !text.lines().any(|line| !line.starts_with(';') && line.contains(" TABLE DATA ")) {
        return Err(Refused::new(LIST, "names the rows of no table: it is a dump of the schema alone"));
    }
    let version = field("Dumped from database version")?;
    let mut checks = vec![list.check("list", Level::Observed, "the table of contents can be read")];
    if parts.iter().any(|part| part.name == READ) {
        checks.push(part(parts, READ)?.check("full read", Level::Verified, "the whole file can be read"));
    } else {
        return Err(Refused::new(READ, "is missing: a list says nothing of the rest of the file, so let `--run` read it all"));
    }
    Ok(Evidence {
        claims: Claims { database: Some(field("dbname")?.to_owned()), server_version: Some(version.to_owned()), ..Claims::default() },
        backup: logical(Tool::PgDump, field("Dumped by pg_dump version")?, location, sha256, stop),
        log: None,
        checks,
    })
}

/// Reads the beginning and the end of the file of `mariadb-dump` that stands at `location`, whose bytes have that hash.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn mariadb_dump(parts: &[Part], location: &str, sha256: &str) -> Result<Evidence, Refused> {
    const END: &str = "-- Dump completed on ";
    let file = part(parts, FILE)?;
    let text = file.text()?;
    let last = text.trim_end().lines().next_back().unwrap_or_default();
    let end = last.strip_prefix(END).ok_or_else(|| Refused::new("Dump completed on", "is missing in the last line: the dump is cut off"))?;
    let stop = utc_or_local(end).ok_or_else(|| Refused::new("Dump completed on", format!("is {end:?}, which is no time")))?;
    let field = |name: &str| {
        let value = text.lines().take(20).find_map(|line| line.split_once(name).filter(|_| line.starts_with("-- ")).map(|(_, value)| value.trim()));
        value.filter(|value| !value.is_empty()).ok_or_else(|| Refused::new(name, "is missing in the first lines"))
    };
    let version = field("Server version")?;
    let tool = text.lines().take(5).find_map(|line| line.strip_prefix("-- ")?.split_once(" dump ")).map_or("", |(_, version)| version);
    Ok(Evidence {
        claims: Claims { database: Some(field("Database:")?.to_owned()), server_version: Some(version.to_owned()), ..Claims::default() },
        backup: logical(Tool::MariadbDump, tool, location, sha256, stop),
        log: None,
        checks: vec![file.check("last line", Level::Observed, "it says that the dump is complete")],
    })
}

fn logical(tool: Tool, version: &str, location: &str, label: &str, stop: DateTime<Utc>) -> Backup {
    Backup {
        tool,
        tool_version: Some(version.to_owned()).filter(|version| !version.is_empty()),
        location: location.to_owned(),
        label: label.to_owned(),
        kind: String::from("logical"),
        chain: Vec::new(),
        start: Mark::at(stop),
        stop: Mark::at(stop),
        size: None,
        expires: None,
    }
}

/// `2026-11-23 00:01:02`, perhaps with a zone after it. Only UTC's name means one time everywhere; others are read as this computer's zone.
fn utc_or_local(text: &str) -> Option<DateTime<Utc>> {
    let (time, zone) = text.split_at_checked(19)?;
    let time = NaiveDateTime::parse_from_str(&time.replace("  ", " 0"), "%Y-%m-%d %H:%M:%S").ok()?;
    match zone.trim() {
        "UTC" | "GMT" => Some(time.and_utc()),
        _ => Local.from_local_datetime(&time).latest().map(|time| time.to_utc()),
    }
}
