//! Upstreams that speak HTTP/2, real ones and hostile ones: the same contract as over HTTP/1.1, exact charges, bounded
//! memory.
//!
//! Well-behaved ones are servers of the crate `h2`; the others are written here at the level of frames.
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

mod answers;
mod calls;
mod charges;
mod connections;
mod early_answers;
mod frames;
mod hostile;
mod large;
mod not_taken;
mod server;
mod tls;

use server::Server;
use support::{Config, Gateway};

/// The configuration of a gateway before an HTTP/2 address.
fn config(url: &str) -> Config {
    Config::of_url(url).upstream("http2 = true")
}

fn gateway(server: &Server) -> Gateway {
    Gateway::start(&config(&server.url()))
}
