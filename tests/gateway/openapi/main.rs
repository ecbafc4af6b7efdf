//! A gateway whose endpoints come from an OpenAPI document: what the document declares is enforced on the wire,
//! before the upstream gets the request, and free of charge.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test reports what it finds by panicking"
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
