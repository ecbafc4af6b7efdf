//! Hostile or broken clients: whatever they do, others are served, and memory and descriptors are bounded.
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

mod bounds;
mod checks;
mod slowness;
mod volume;

use support::{Gateway, Key, get};

/// A well-behaved client is served without a long wait.
#[track_caller]
fn others_are_served(gateway: &Gateway, key: &Key) {
    let begun = std::time::Instant::now();
    let answer = gateway.send(&get("/items/7").key(key));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(begun.elapsed().as_secs() < 5, "a good client waited for {:?}", begun.elapsed());
}
