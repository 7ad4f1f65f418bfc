//! `pg_basebackup` with a folder that `archive_command` fills.

pub mod evidence;
