//! A gateway whose endpoints come from an OpenAPI document: what the document says holds on the wire,
//! before the upstream is asked, and costs nothing.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test says what it found by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod bodies;
mod endpoints;
mod faults;
mod nothing;
mod one_line_start;
mod parameters;
mod served;
mod shop;
mod uploads;
