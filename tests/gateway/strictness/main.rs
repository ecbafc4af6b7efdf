//! How strictly requests are read: what can be read in two ways is refused, and the upstream gets one
//! well-formed request, the same one that was checked.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    unreachable_pub,
    missing_docs,
    reason = "a test reports what it finds by panicking"
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
