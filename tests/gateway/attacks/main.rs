//! Clients that mean harm or are broken: whatever they do, others are served, and memory and descriptors have bounds.
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

mod bounds;
mod checks;
mod slowness;
mod volume;

use support::{Gateway, Key, get};

/// A client that means well is served, and does not wait for long.
#[track_caller]
fn others_are_served(gateway: &Gateway, key: &Key) {
    let begun = std::time::Instant::now();
    let answer = gateway.send(&get("/items/7").key(key));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(begun.elapsed().as_secs() < 5, "a good client waited for {:?}", begun.elapsed());
}
