//! `unmigrate`: database migrations you can take back.
//!
//! Data flows down the list of modules below, and a module uses only those listed above it: files become
//! [`migration::Migration`]s ([`read`]), their text becomes statements ([`parse`]), statements change a catalog
//! ([`schema`]), the catalog before and after gives a verdict ([`assess`]), the verdict meets the policy ([`gate`]), and
//! what is cleared runs ([`run`]). Everything above [`run`] is pure: values in, values out.

pub mod engine;
pub mod exit;

pub mod migration;
pub mod pin;
pub mod table;
pub mod target;

pub mod lock_table;
pub mod newer;
pub mod observed;
pub mod proved;

pub mod lex;

pub mod read;

pub mod foreign;

pub mod parse;

pub mod schema;

pub mod assess;

pub mod backup;

pub mod gate;
pub mod recover;

pub mod run;

pub mod config;
pub mod report;

pub mod cli;
