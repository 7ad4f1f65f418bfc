//! pgBackRest.

pub mod evidence;
