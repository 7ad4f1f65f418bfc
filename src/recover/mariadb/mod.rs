//! The way back on MariaDB, by a second server beside the live one: a backup of mariadb-backup, and the binary log up to the pin. In: the pin, where
//! the backup is, what the live server says. Out: a runbook.
//!
//! The second server writes no log, runs no event and no replica, and listens on a socket in its own folder alone.

mod book;
mod live;
mod side;
mod whole;

pub use book::{Story, runbook};

/// What the live server says now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Live {
    /// How the client reaches it, as its arguments, without a password.
    pub arguments: Vec<String>,
    /// The newest log, and where it ends.
    pub log: String,
    /// The pin's log is still there.
    pub log_is_there: bool,
    /// `lower_case_table_names`, which a server with these data must have as well.
    pub lower_case: String,
    /// The file with the number of the server's process.
    pub pid_file: String,
    /// The database's size in bytes.
    pub bytes: String,
    /// Columns that a change of their row sets by themselves: schema, table, name.
    pub set_by_change: Vec<[String; 3]>,
}

/// The query for the columns that a change of their row sets.
pub const SET_BY_CHANGE: &str =
    "SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND extra LIKE '%on update%'";

/// The query for the database's size.
pub const BYTES: &str = "SELECT CAST(COALESCE(SUM(data_length + index_length), 0) AS CHAR) FROM information_schema.tables WHERE table_schema = DATABASE()";
