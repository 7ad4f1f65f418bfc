//! Whether an attestation opens the gate. In: its bytes and signature, who may sign; then a migration, the policy, the clock; then the live database
//! and its history. Out: at each of these three steps more is known, and the last gives an [`Accepted`], which nothing else makes.

use super::error::Unfit;
use super::policy::Policy;
use super::signature;
use super::signers::Signers;
use super::statement::{Predicate, Statement, subjects};
use crate::backup::fit::{SKEW, covers};
use crate::backup::{Level, Refused};
use crate::observed::Applied;
use crate::observed::site::{Server, Site, gtid_includes};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A statement that was signed by somebody who may.
#[derive(Clone, Debug)]
pub struct Attestation {
    statement: Statement,
    text: String,
    signature: String,
}

/// What an attestation is held against beside the database.
#[derive(Clone, Copy, Debug)]
pub struct Now<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The database's clock; offline this computer's.
    pub clock: DateTime<Utc>,
}

/// A migration that an attestation lets run on one database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    version: String,
    up_sha256: String,
    record: String,
}

/// What the history keeps of an accepted attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// The attestation, exactly as it was signed.
    pub attestation: String,
    /// The signature.
    pub signature: String,
    /// When it was accepted, by the database's clock.
    pub accepted_at: DateTime<Utc>,
}

/// What `row` keeps of the attestation that let it run; `None` where none did, or where the words are not this program's.
pub fn recorded(row: &Applied) -> Option<(Recorded, Statement)> {
    let recorded: Recorded = serde_json::from_str(row.attestation.as_deref()?).ok()?;
    let statement = Statement::read(recorded.attestation.as_bytes()).ok()?;
    Some((recorded, statement))
}

/// Whether the bytes of an attestation, signed or not, speak of this migration by name; for picking one of many.
pub fn says(bytes: &[u8], version: &str, name: &str) -> bool {
    let named = subjects(version, name, "", None);
    Statement::read(bytes).is_ok_and(|statement| statement.subject.iter().any(|subject| named.iter().any(|named| named.name == subject.name)))
}

impl Attestation {
    /// Reads an attestation and its signature.
    ///
    /// # Errors
    /// [`Unfit`], where it is none, or nobody who may has signed exactly these bytes.
    pub fn verified(bytes: &[u8], signature: &[u8], signers: &Signers, now: DateTime<Utc>) -> Result<Attestation, Unfit> {
        let statement = Statement::read(bytes)?;
        signature::verify(bytes, signature, signers, &statement.predicate.issuer, now)?;
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|error| Unfit::Malformed(error.to_string()));
        Ok(Attestation { text: text(bytes)?, signature: text(signature)?, statement })
    }

    /// What it says.
    pub fn predicate(&self) -> &Predicate {
        &self.statement.predicate
    }

    /// Whether it is for this migration and for now, and the backup is as young and as well known as the policy wants: all that can be told offline.
    ///
    /// # Errors
    /// [`Unfit`].
    pub fn is_for(&self, version: &str, name: &str, up_sha256: &str, down_sha256: Option<&str>, now: Now<'_>) -> Result<(), Unfit> {
        let other = |why: String| Unfit::OtherMigration { migration: format!("{version} {name}"), why };
        let wanted = subjects(version, name, up_sha256, down_sha256);
        for wanted in &wanted {
            let mut of_that_name = self.statement.subject.iter().filter(|subject| subject.name == wanted.name);
            match (of_that_name.next(), of_that_name.next()) {
                (Some(subject), None) if subject.digest == wanted.digest => {}
                (Some(_), None) => return Err(other(format!("{} is another text than the one that was attested for", wanted.name))),
                (Some(_), Some(_)) => return Err(other(format!("it names {} twice", wanted.name))),
                (None, _) => return Err(other(format!("it does not name {}", wanted.name))),
            }
        }
        if let Some(gone) = self.statement.subject.iter().find(|subject| subject.name == format!("{version}_{name}.down")).filter(|_| down_sha256.is_none()) {
            return Err(other(format!("it names {}, which is not there any more", gone.name)));
        }
        let Predicate { issued_at, expires_at, backup, checks, .. } = &self.statement.predicate;
        if *issued_at > now.clock + SKEW {
            return Err(Unfit::NotYet { issued: *issued_at, now: now.clock });
        }
        if *expires_at <= now.clock {
            return Err(Unfit::Expired { expired: *expires_at, now: now.clock });
        }
        let (limit, setting) = if backup.tool.is_logical() { (now.policy.max_gap, "max-gap") } else { (now.policy.max_age, "max-age") };
        let (age, limit) = (now.clock - backup.stop.at, delta(limit));
        if age > limit {
            return Err(Unfit::TooOld { age, limit, setting });
        }
        if let Some((at, check)) = checks.iter().enumerate().find(|(_, check)| check.at > *issued_at + SKEW) {
            let why = format!("is {}, and the attestation was issued at {issued_at}: nobody saw that yet", check.at);
            return Err(Unfit::Backup(Refused::new(format!("checks[{at}].at"), why)));
        }
        let restored_since = now.clock.checked_sub_signed(delta(now.policy.restored_within)).unwrap_or(DateTime::<Utc>::MIN_UTC);
        let (found, wanted) = (self.statement.predicate.level(restored_since), now.policy.min_level);
        if found < wanted {
            return Err(Unfit::Level { found, wanted });
        }
        Ok(())
    }

    /// Whether it is for this very database, the backup comes before where that stands, and no other attestation of its history bears the nonce. To
    /// be asked after [`Attestation::is_for`], with the clock of `site`.
    ///
    /// # Errors
    /// [`Unfit`].
    #[expect(clippy::too_many_arguments, reason = "a migration's four words, and what it meets")]
    pub fn accept(
        &self,
        version: &str,
        name: &str,
        up_sha256: &str,
        down_sha256: Option<&str>,
        policy: &Policy,
        site: &Site,
        history: &[Applied],
    ) -> Result<Accepted, Unfit> {
        self.is_for(version, name, up_sha256, down_sha256, Now { policy, clock: site.clock })?;
        let Predicate { database, backup, log, nonce, .. } = &self.statement.predicate;
        same_database(database, site).map_err(Unfit::OtherDatabase)?;
        covers(backup, log.as_ref(), site)?;
        if log.as_ref().is_some_and(|log| log.gap_free.is_none()) && policy.min_level > Level::Claimed {
            return Err(Unfit::Backup(Refused::new("log.gap_free", "is missing: nobody looked whether the archive has a gap")));
        }
        let other =
            |row: &&Applied| recorded(row).is_some_and(|(recorded, statement)| statement.predicate.nonce == *nonce && recorded.attestation != self.text);
        if let Some(row) = history.iter().find(other) {
            return Err(Unfit::Nonce { migration: format!("{} {}", row.version, row.name), row: row.seq });
        }
        let recorded = Recorded { attestation: self.text.clone(), signature: self.signature.clone(), accepted_at: site.clock };
        let record = serde_json::to_string(&recorded).map_err(|error| Unfit::Malformed(error.to_string()))?;
        Ok(Accepted { version: version.to_owned(), up_sha256: up_sha256.to_owned(), record })
    }
}

impl Accepted {
    /// Whether it is for the migration with this version and this UP.
    pub(crate) fn covers(&self, version: &str, up_sha256: &str) -> bool {
        self.version == version && self.up_sha256 == up_sha256
    }

    /// What the history keeps.
    pub(crate) fn record(&self) -> &str {
        &self.record
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

/// Whether `live` is the database that `attested` was, at the same moment or later.
fn same_database(attested: &Site, live: &Site) -> Result<(), Refused> {
    fn same<T: PartialEq + std::fmt::Debug>(field: &str, attested: &T, live: &T) -> Result<(), Refused> {
        if attested == live { Ok(()) } else { Err(Refused::new(format!("database.{field}"), format!("is {attested:?} in it, and {live:?} here"))) }
    }
    same("engine", &attested.engine, &live.engine)?;
    same("database", &attested.database, &live.database)?;
    same("address", &attested.address, &live.address)?;
    let major = |version: &str| version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default().to_owned();
    same("version", &major(&attested.version), &major(&live.version))?;
    if attested.clock > live.clock + SKEW {
        return Err(Refused::new("database.clock", format!("is {} in it, and {} here: it lies in the future", attested.clock, live.clock)));
    }
    let behind = |field: &str, attested: &dyn std::fmt::Display, live: &dyn std::fmt::Display| {
        let why = "this is an older copy of it";
        Err(Refused::new(format!("database.server.{field}"), format!("is {attested} in it, and this server stands only at {live}: {why}")))
    };
    match (&attested.server, &live.server) {
        (
            Server::Postgres { system_identifier, data_directory, timeline, lsn },
            Server::Postgres { system_identifier: live_identifier, data_directory: live_directory, timeline: live_timeline, lsn: live_lsn },
        ) => {
            same("server.system_identifier", system_identifier, live_identifier)?;
            // Who may not read the setting leaves it out, on either side.
            if let (Some(attested), Some(live)) = (data_directory, live_directory) {
                same("server.data_directory", attested, live)?;
            }
            same("server.timeline", timeline, live_timeline)?;
            if lsn > live_lsn { behind("lsn", lsn, live_lsn) } else { Ok(()) }
        }
        (
            Server::Mysql { uuid, server_id, hostname, port, datadir, binlog, gtid },
            Server::Mysql {
                uuid: live_uuid,
                server_id: live_id,
                hostname: live_hostname,
                port: live_port,
                datadir: live_datadir,
                binlog: live_binlog,
                gtid: live_gtid,
            },
        ) => {
            same("server.uuid", uuid, live_uuid)?;
            same("server.server_id", server_id, live_id)?;
            same("server.hostname", hostname, live_hostname)?;
            same("server.port", port, live_port)?;
            same("server.datadir", datadir, live_datadir)?;
            match (binlog, live_binlog) {
                (Some(attested), Some(live)) if !attested.is_no_later_than(live) => return behind("binlog", attested, live),
                (attested, live) => same("server.binlog", &attested.is_some(), &live.is_some())?,
            }
            match (gtid, live_gtid) {
                (Some(attested), live) if uuid.is_none() && !gtid_includes(live.as_deref().unwrap_or_default(), attested) => {
                    behind("gtid", attested, &live.as_deref().unwrap_or("nothing"))
                }
                _ => Ok(()),
            }
        }
        (Server::Sqlite { path, device, inode }, Server::Sqlite { path: live_path, device: live_device, inode: live_inode }) => {
            same("server.path", path, live_path)?;
            same("server.device", device, live_device)?;
            same("server.inode", inode, live_inode)
        }
        _ => Err(Refused::new("database.server.kind", "is that of another engine")),
    }
}
