//! A scripted upstream that misbehaves in every way: each fault gives the contract's response, none
//! is charged, every 500 is among the incidents, and the next good response passes.
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

mod addresses;
mod bounds;
mod broken_answers;
mod broken_streams;
mod checks;
mod kept_connections;
mod mapped_statuses;
mod messages_kept;
mod misdeeds;
mod names;
mod odd_answers;
mod retries;
mod reuse;
mod services;
mod silence;
mod unreachable;
mod waits;
