//! Whether a backup belongs to a database and ends before where that stands now. In: what the evidence says, the live [`Site`]. Out: nothing, or the
//! field that does not fit.

use super::wal::Segment;
use super::{Backup, Claims, Log, Refused};
use crate::observed::site::{Lsn, Server, Site, gtid_includes, numbered};
use chrono::{DateTime, TimeDelta, Utc};

/// How far the clocks of two computers may be apart.
pub const SKEW: TimeDelta = TimeDelta::seconds(60);

/// How many whole segments an archive may lag behind the server before it counts as stopped: a busy server is always a little ahead.
const LAG: u64 = 4;

/// Whether `claims` are of the server of `site`.
///
/// # Errors
/// [`Refused`], with the claim that is not.
pub fn same_server(claims: &Claims, site: &Site) -> Result<(), Refused> {
    let differs = |field: &str, claimed: &dyn std::fmt::Display, live: &dyn std::fmt::Display| {
        Err(Refused::new(field, format!("is {claimed}, but that of this database is {live}: it is the backup of another one")))
    };
    match (&site.server, claims.system_identifier) {
        (Server::Postgres { system_identifier, .. }, Some(claimed)) if claimed != *system_identifier => {
            return differs("system identifier", &claimed, system_identifier);
        }
        (Server::Mysql { .. } | Server::Sqlite { .. }, Some(claimed)) => return differs("system identifier", &claimed, &site.engine),
        _ => {}
    }
    if let Some(database) = claims.database.as_ref().filter(|database| **database != site.database) {
        return differs("database", database, &site.database);
    }
    let live = match &site.server {
        Server::Postgres { data_directory, .. } => data_directory.as_deref(),
        Server::Mysql { datadir, .. } => Some(datadir.as_str()),
        Server::Sqlite { .. } => None,
    };
    if let (Some(claimed), Some(live)) = (claims.data_directory.as_deref(), live)
        && claimed.trim_end_matches('/') != live.trim_end_matches('/')
    {
        return differs("data directory", &claimed, &live);
    }
    // The tools write 15 where the server says 15.20, and 10.11.19-MariaDB-0+deb12u1 where it says that with -log.
    let number = |version: &str| version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned();
    if let Some(claimed) = claims.server_version.as_ref().filter(|claimed| number(claimed) != number(&site.version)) {
        return differs("server version", claimed, &site.version);
    }
    Ok(())
}

/// Whether `backup` is finished, ends before `site` and on its timeline, and `log`, if there is one, leads on from it.
///
/// # Errors
/// [`Refused`], with the field that is wrong.
pub fn covers(backup: &Backup, log: Option<&Log>, site: &Site) -> Result<(), Refused> {
    let (start, stop) = (&backup.start, &backup.stop);
    if !backup.tool.serves(site.engine) {
        return Err(Refused::new("backup.tool", format!("is {}, which backs up no {}", backup.tool.name(), site.engine)));
    }
    if start.at > stop.at {
        return Err(Refused::new("backup.stop.at", format!("is {}, before its beginning at {}", stop.at, start.at)));
    }
    if stop.at > site.clock + SKEW {
        return Err(Refused::new("backup.stop.at", format!("is {}, and the database's clock says {}: it lies in the future", stop.at, site.clock)));
    }
    if let Some(expires) = backup.expires.filter(|expires| *expires <= site.clock) {
        return Err(Refused::new("backup.expires", format!("is {expires}: its retention has dropped it")));
    }
    match &site.server {
        Server::Postgres { timeline, lsn, .. } => {
            if backup.tool.has_positions() && (stop.lsn.is_none() || start.lsn.is_none() || stop.timeline.is_none()) {
                return Err(Refused::new("backup.stop.lsn", "is missing: nobody can tell whether the backup comes before this moment"));
            }
            if let Some(of_backup) = stop.timeline.filter(|of_backup| of_backup != timeline) {
                let why = "it was restored or failed over since, so take a new backup";
                return Err(Refused::new("backup.stop.timeline", format!("is {of_backup}, but the server is on timeline {timeline}: {why}")));
            }
            if let (Some(start), Some(stop)) = (start.lsn, stop.lsn)
                && start > stop
            {
                return Err(Refused::new("backup.stop.lsn", format!("is {stop}, before the beginning at {start}")));
            }
            if let Some(stop) = stop.lsn.filter(|stop| stop > lsn) {
                let why = "this is another server, or an older copy of it";
                return Err(Refused::new("backup.stop.lsn", format!("is {stop}, but the server stands only at {lsn}: {why}")));
            }
        }
        Server::Mysql { binlog, gtid, uuid, .. } => {
            if backup.tool.has_positions() && stop.binlog.is_none() {
                return Err(Refused::new("backup.stop.binlog", "is missing: nobody can tell whether the backup comes before this moment"));
            }
            match (&stop.binlog, binlog) {
                (Some(of_backup), Some(live)) if !of_backup.is_no_later_than(live) => {
                    let why = "this is another server, or an older copy of it";
                    return Err(Refused::new("backup.stop.binlog", format!("is {of_backup}, but the server stands only at {live}: {why}")));
                }
                (Some(_), None) => return Err(Refused::new("binlog", "is off on this server, or may not be asked for: nothing leads on from the backup")),
                _ => {}
            }
            // MySQL's sets are of another form, and it has a number of its own for the server.
            if let Some(of_backup) = stop.gtid.as_ref().filter(|of_backup| uuid.is_none() && !gtid_includes(gtid.as_deref().unwrap_or_default(), of_backup)) {
                let live = gtid.as_deref().unwrap_or("nothing");
                return Err(Refused::new(
                    "backup.stop.gtid",
                    format!("is {of_backup}, and this server has only {live}: this is another server, or an older copy of it"),
                ));
            }
        }
        Server::Sqlite { .. } => {}
    }
    leads_on(backup, log, site)
}

/// Whether the log goes from the backup to about now.
fn leads_on(backup: &Backup, log: Option<&Log>, site: &Site) -> Result<(), Refused> {
    let Some(log) = log else {
        if !backup.tool.has_positions() {
            return Ok(());
        }
        return Err(Refused::new("log", "is missing: a backup of files without the log that follows it restores nothing written since"));
    };
    if log.observed > site.clock + SKEW {
        return Err(Refused::new("log.observed", format!("is {}, and the database's clock says {}: it lies in the future", log.observed, site.clock)));
    }
    match &site.server {
        Server::Postgres { .. } => {
            let named = |field: &str, name: &str| Segment::from_name(name).ok_or_else(|| Refused::new(field, format!("is {name:?}, which is no segment")));
            let (first, last) = (named("log.first", &log.first)?, named("log.last", &log.last)?);
            let (Some(timeline), Some(start), Some(stop)) = (backup.stop.timeline, backup.start.lsn, backup.stop.lsn) else { return Ok(()) };
            if first.timeline != timeline || first.number > Segment::holding(timeline, start).number {
                return Err(Refused::new("log.first", format!("is {}, but the backup begins at {start}", log.first)));
            }
            // The end of a record may be the very beginning of the next segment.
            let needed = Segment::holding(timeline, Lsn(stop.0.saturating_sub(1)));
            if last.timeline != timeline || last.number < needed.number {
                return Err(Refused::new("log.last", format!("is {}, but the backup ends at {stop}", log.last)));
            }
            Ok(())
        }
        Server::Mysql { .. } => {
            fn named<'a>(field: &str, name: &'a str) -> Result<(&'a str, u64), Refused> {
                numbered(name).ok_or_else(|| Refused::new(field, format!("is {name:?}, which is no binary log")))
            }
            let ((series, first), (last_series, last)) = (named("log.first", &log.first)?, named("log.last", &log.last)?);
            let Some((of_backup, stop)) = backup.stop.binlog.as_ref().and_then(|binlog| binlog.numbered()) else { return Ok(()) };
            if series != of_backup || first > stop {
                return Err(Refused::new("log.first", format!("is {}, but the backup ends in {of_backup}.{stop:06}", log.first)));
            }
            if last_series != of_backup || last < stop {
                return Err(Refused::new("log.last", format!("is {}, but the backup ends in {of_backup}.{stop:06}", log.last)));
            }
            Ok(())
        }
        Server::Sqlite { .. } => Ok(()),
    }
}

/// Whether MariaDB really had what the backup says when its log stood where the backup ended: `live` is what the server tells of that place. Servers
/// that were set up alike name their logs and count their transactions alike.
///
/// # Errors
/// [`Refused`], where it had something else.
pub fn same_transactions(backup: &Backup, live: Option<&str>) -> Result<(), Refused> {
    match (&backup.stop.binlog, &backup.stop.gtid) {
        (Some(place), Some(gtid)) if live != Some(gtid) => {
            let live = live.unwrap_or("nothing");
            Err(Refused::new("backup.stop.gtid", format!("is {gtid}, but at {place} this server had {live}: it is the backup of another one")))
        }
        _ => Ok(()),
    }
}

/// Whether `log`, looked at just now, keeps up with the server.
///
/// # Errors
/// [`Refused`], where the archive has stopped.
pub fn keeps_up(log: &Log, site: &Site) -> Result<(), Refused> {
    let behind = |live: String| Err(Refused::new("log.last", format!("is {}, and the server writes {live} by now: the archive has stopped", log.last)));
    match &site.server {
        Server::Postgres { timeline, lsn, .. } => match Segment::from_name(&log.last) {
            Some(last) if last.number + LAG < Segment::holding(*timeline, *lsn).number => behind(Segment::holding(*timeline, *lsn).name()),
            _ => Ok(()),
        },
        // The server may have begun another one since they were listed.
        Server::Mysql { binlog: Some(binlog), .. } => match (numbered(&log.last), binlog.numbered()) {
            (Some((series, last)), Some((live_series, live))) if series == live_series && last + 1 >= live => Ok(()),
            _ => behind(binlog.file.clone()),
        },
        Server::Mysql { .. } | Server::Sqlite { .. } => Ok(()),
    }
}

/// Whether `moment` may be now, by this computer's clock and the database's.
///
/// # Errors
/// [`Refused`], where they are so far apart that no expiry means anything.
pub fn clocks_agree(moment: DateTime<Utc>, site: &Site) -> Result<(), Refused> {
    if (moment - site.clock).abs() > SKEW {
        return Err(Refused::new("clock", format!("of this computer says {moment}, and the database's says {}: set them right first", site.clock)));
    }
    Ok(())
}
