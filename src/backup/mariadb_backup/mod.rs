//! mariadb-backup with the server's binary logs.

pub mod evidence;
