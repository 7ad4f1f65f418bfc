//! The runner on real databases: a file of SQLite, a throw-away PostgreSQL, a throw-away MariaDB.
#![cfg(unix)]

mod examples;
mod generated;
mod run;
mod secrets;
mod support;
