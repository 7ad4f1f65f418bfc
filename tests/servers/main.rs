//! The runner on real databases: a file of SQLite, a throw-away PostgreSQL, a throw-away MariaDB.
#![cfg(unix)]

mod adopt;
mod attest;
#[cfg(target_os = "linux")]
mod chaos;
mod control;
mod doctor;
mod examples;
mod fix;
mod generated;
mod half_done;
mod link;
mod locks;
#[path = "../it/page.rs"]
#[expect(dead_code, reason = "the other binary of tests asks more of a page")]
mod page;
mod plan;
mod recover;
mod run;
mod runner;
mod save_lost;
mod secrets;
mod session;
mod state;
mod support;
mod trial;
mod truth;
