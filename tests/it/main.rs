//! The library and the binary from outside. One binary of tests, so that they link once.

mod application;
mod attestation;
mod cli;
mod cli_errors;
mod cli_json;
mod examples;
mod fix;
mod fuzz;
mod help;
mod layers;
mod layouts;
mod layouts_odd;
mod locks;
mod log;
mod page;
mod page_format;
mod readme;
mod rules;
mod run_output;
mod sqlite;
mod sqlite_pin;
mod sqlite_recover;
mod support;
mod target;
