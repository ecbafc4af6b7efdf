//! Everything that is not a short response: tunnels, event streams, gRPC, trailers, ranges, bodies of any size.
//! Each row of the table in docs/streams.md has its test here.
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

mod bench;
mod events;
mod framing;
mod grpc;
mod large;
mod remote_calls;
mod tunnels;
mod upgrades;
