//! What mariadb-backup leaves. In: `xtrabackup_info` (newer: `mariadb_backup_info`), `xtrabackup_checkpoints` and the server's list of its binary
//! logs. Out: [`Evidence`].
//!
//! No file of it says of which server it is; only the position, held against the live one, tells. Its times are those of the computer that made it,
//! without a zone, so they are read in this computer's.

use crate::backup::{Backup, Claims, Evidence, Level, Log, Mark, Part, Refused, Tool, part};
use crate::observed::site::{Binlog, numbered};
use chrono::{DateTime, Local, NaiveDateTime, TimeZone, Utc};

/// The part that `xtrabackup_info` is.
pub const INFO: &str = "info";
/// The part that `xtrabackup_checkpoints` is.
pub const CHECKPOINTS: &str = "checkpoints";
/// The part that the names of the server's binary logs are, one a line.
pub const BINLOGS: &str = "binary logs";

/// Which part `bytes` are.
pub fn role(bytes: &[u8]) -> &'static str {
    match String::from_utf8_lossy(bytes) {
        text if text.starts_with("backup_type = ") => CHECKPOINTS,
        text if text.starts_with("uuid = ") => INFO,
        _ => BINLOGS,
    }
}

/// Reads the output of a backup in the folder `location`.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn read(parts: &[Part], location: &str) -> Result<Evidence, Refused> {
    let (info, checkpoints, binlogs) = (part(parts, INFO)?, part(parts, CHECKPOINTS)?, part(parts, BINLOGS)?);
    let of_info = |name: &str| field(info, name);
    for (name, why) in [("partial", "it lacks tables"), ("incremental", "without those before it, it restores nothing; attest a full one")] {
        if of_info(name)? != "N" {
            return Err(Refused::new(name, format!("is {}: {why}", of_info(name)?)));
        }
    }
    let kind = field(checkpoints, "backup_type")?;
    if !["full-backuped", "full-prepared", "log-applied"].contains(&kind) {
        return Err(Refused::new("backup_type", format!("is {kind:?}, which is no full backup")));
    }
    let of_both = |name: &str, in_info: &str| {
        let (info, checkpoints) = (of_info(in_info)?, field(checkpoints, name)?);
        if info == checkpoints { Ok(()) } else { Err(Refused::new(name, format!("is {checkpoints}, but {in_info} is {info}: the files are of two backups"))) }
    };
    of_both("to_lsn", "innodb_to_lsn")?;
    let (binlog, gtid) = position(of_info("binlog_pos")?)?;
    let (start, stop) = (time("start_time", of_info("start_time")?)?, time("end_time", of_info("end_time")?)?);
    let last = series(binlogs, &binlog)?;
    Ok(Evidence {
        claims: Claims { server_version: Some(of_info("server_version")?.to_owned()), ..Claims::default() },
        backup: Backup {
            tool: Tool::MariadbBackup,
            tool_version: Some(of_info("tool_version")?.to_owned()),
            location: location.to_owned(),
            label: of_info("uuid")?.to_owned(),
            kind: String::from("full"),
            chain: Vec::new(),
            start: Mark::at(start),
            stop: Mark { binlog: Some(binlog.clone()), gtid, ..Mark::at(stop) },
            size: None,
            expires: None,
        },
        log: Some(Log {
            location: None,
            first: binlog.file,
            last,
            gap_free: Some(String::from("names of the server's binary logs are consecutive")),
            observed: binlogs.at,
        }),
        checks: vec![
            info.check("info", Level::Observed, format!("complete, ended {stop}")),
            checkpoints.check("checkpoints", Level::Observed, kind),
            binlogs.check("binary logs", Level::Observed, "the server has all of them from the backup on"),
        ],
    })
}

fn field<'a>(part: &'a Part, name: &str) -> Result<&'a str, Refused> {
    let mut values = part.text()?.lines().filter_map(|line| line.strip_prefix(name)?.trim_start().strip_prefix('=')).map(str::trim);
    match (values.next(), values.next()) {
        (Some(value), None) if !value.is_empty() => Ok(value),
        (Some(_), None) => Err(Refused::new(name, format!("is empty in the {}: the backup did not come to its end", part.name))),
        (None, _) => Err(Refused::new(name, format!("is missing in the {}", part.name))),
        (Some(_), Some(_)) => Err(Refused::new(name, format!("stands twice in the {}", part.name))),
    }
}

/// `filename 'bin.000001', position '39651201', GTID of the last change '0-1-7'`.
fn position(text: &str) -> Result<(Binlog, Option<String>), Refused> {
    let after = |word: &str| text.split_once(word)?.1.trim_start().strip_prefix('\'')?.split_once('\'').map(|(value, _)| value.to_owned());
    let wrong = || Refused::new("binlog_pos", format!("is {text:?}, which names no position"));
    let file = after("filename").filter(|file| numbered(file).is_some()).ok_or_else(wrong)?;
    let position = after("position").and_then(|position| position.parse().ok()).ok_or_else(wrong)?;
    Ok((Binlog { file, position }, after("GTID of the last change").filter(|gtid| !gtid.is_empty())))
}

fn time(name: &str, text: &str) -> Result<DateTime<Utc>, Refused> {
    let wrong = || Refused::new(name, format!("is {text:?}, which is no time"));
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").map_err(|_| wrong())?;
    Local.from_local_datetime(&time).latest().map(|time| time.to_utc()).ok_or_else(wrong)
}

/// The last of the server's binary logs, where none is missing from `first` on.
pub fn series(binlogs: &Part, first: &Binlog) -> Result<String, Refused> {
    let Some((series, from)) = first.numbered() else {
        return Err(Refused::new("binlog_pos", format!("is in {:?}, which is no binary log", first.file)));
    };
    // A line may be a path, and hold the file's size after it.
    let names = binlogs.text()?.lines().filter_map(|line| line.split_whitespace().next()?.rsplit('/').next());
    let mut numbers: Vec<u64> = names.filter_map(numbered).filter(|(of, number)| *of == series && *number >= from).map(|(_, number)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.first() != Some(&from) {
        return Err(Refused::new(BINLOGS, format!("lack {}, in which the backup ended: it was purged, or is another server's", first.file)));
    }
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] + 1 != pair[1]) {
        return Err(Refused::new(BINLOGS, format!("have a gap after {series}.{:06}", pair[0])));
    }
    Ok(format!("{series}.{:06}", numbers[numbers.len() - 1]))
}
