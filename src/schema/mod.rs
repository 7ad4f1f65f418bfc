//! The catalog that scripts leave behind, and how two states of it differ.

pub mod application;
pub mod apply;
pub mod catalog;
pub mod diff;
mod entries;
pub mod entry;
pub mod inverse;
mod loosely;
mod naming;
pub mod reconcile;
pub mod types;
mod written;
