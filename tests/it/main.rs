//! The library and the binary from outside. One binary of tests, so that they link once.

mod layers;
mod layouts;
mod layouts_odd;
mod page;
mod page_format;
mod rules;
