//! Any other tool: a person writes down what it made.

pub mod evidence;
