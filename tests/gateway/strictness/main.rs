//! How strictly requests are read: what could be read in two ways is refused, and what the upstream gets is one
//! well-formed request, by which every check was made.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    unreachable_pub,
    missing_docs,
    reason = "a test says what it found by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod addresses;
mod cases;
mod catalogue;
mod compression;
mod cors;
mod paths;
mod recorder;
mod settings;
mod targets;
mod trailers;
