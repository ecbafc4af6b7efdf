//! TLS on the wire: to clients, to upstreams, between proxies, and certificates that come and go.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    reason = "a test reports what it finds by panicking"
)]

#[allow(dead_code, reason = "tests/gateway/clocks uses the rest")]
#[path = "../clocks/fake_time.rs"]
mod fake_time;
#[path = "../support/mod.rs"]
mod support;

mod acme;
mod certificates;
mod charges;
mod handshakes;
mod mutual;
mod other_clients;
mod proxies;
mod schemes;
mod upstreams;
