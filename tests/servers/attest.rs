//! `migrate attest` and the gate that takes what it writes, through the front door, with the backup tools themselves.

#[cfg(target_os = "linux")]
mod cheats;
mod mariadb;
#[cfg(target_os = "linux")]
mod postgres;
pub(crate) mod stage;
