//! Text to statements. In: a script. Out: every statement with its place and what it does; none is ever dropped.

pub mod action;
mod even;
pub mod names;
