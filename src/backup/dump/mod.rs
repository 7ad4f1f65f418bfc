//! Dumps: rows as SQL. What is written after one is lost when it is restored.

pub mod evidence;
