//! The way back on PostgreSQL, by a second cluster beside the live one that is recovered to the pin. In: the pin, where the backup is, what the
//! live database says. Out: a runbook.
//!
//! The second cluster archives nothing, follows the pin's timeline alone, is promoted at the pin (the migration's lock is in the log, so a paused
//! one would hold its tables), and takes no connection but through a socket in its own folder.

mod book;
mod live;
mod side;

pub use book::{Story, runbook};
pub use side::conninfo;

/// A backup that a cluster can be recovered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A plain folder that `pg_basebackup` made, and what fetches a segment of the log.
    BaseBackup {
        /// The folder.
        backup: String,
        /// `restore_command`, with `%f` and `%p`.
        restore_command: String,
        /// It copies from a folder that was named.
        of_folder: bool,
    },
    /// A backup in a repository of pgBackRest.
    PgBackRest {
        /// The stanza.
        stanza: String,
        /// The backup's label: by a name alone, a recovery takes the newest backup, which may be too new.
        label: String,
    },
}

/// What the live database says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// How `psql` reaches it, without a password.
    pub conninfo: String,
    /// The database's user.
    pub user: String,
    /// This user may put triggers aside.
    pub superuser: bool,
    /// The folder of the server's programs, where this user may know it.
    pub programs: Option<String>,
    /// The folder of its data, likewise.
    pub data_directory: Option<String>,
    /// Bytes of log since the pin.
    pub wal_bytes: String,
    /// The cluster's timeline.
    pub timeline: String,
    /// The newest segment that is archived, and how many attempts have failed.
    pub archived: String,
    /// The segment of the pin is archived.
    pub pin_archived: bool,
    /// The database's size in bytes.
    pub bytes: String,
    /// Rows written since, table by table; those of a table that took too long are unknown.
    pub written: Vec<(String, Option<u64>)>,
}

/// The query for the bytes of log since `lsn`.
pub fn wal_bytes(lsn: &str) -> String {
    format!("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '{lsn}')")
}

/// The query for what the archiver did.
pub const ARCHIVED: &str = "SELECT coalesce(last_archived_wal, 'nothing') || ', ' || failed_count || ' failed' FROM pg_stat_archiver";

/// The query for the rows of `table` that were written by the migration's transaction or a later one.
pub fn written(table: &str, xid: &str) -> String {
    // A transaction's number wraps around in rows.
    let xid = xid.parse::<u64>().unwrap_or_default() & u64::from(u32::MAX);
    format!("SELECT count(*) FROM {table} WHERE age(xmin) <= age('{xid}'::xid)")
}
