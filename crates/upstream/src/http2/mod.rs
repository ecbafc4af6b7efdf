//! HTTP/2 to upstreams: many concurrent requests on one connection of a data thread to an address.
//!
//! A [`Stream`] is one request. It is written and read like an HTTP/1.1 connection, so that
//! forwarding, timeouts, retries and charges are the same for both (`multiplex`). One task drives a
//! [`Connection`] (`driver`), and only this task uses the socket. A [`Pool`] has the connections of
//! one thread: it chooses one for a request, and decides when to open another.

mod connection;
mod driver;
mod pool;
mod stream;

pub use connection::Unprocessed;
pub use pool::NoStream;
pub(crate) use pool::{Pool, open_alone};
pub(crate) use stream::Stream;

use std::time::Duration;

/// Timeouts of streams.
#[derive(Debug, Clone, Copy)]
pub struct StreamTimeouts {
    /// For opening a connection, and then for its SETTINGS.
    pub connect: Duration,
    /// For a request to wait for both.
    pub open: Duration,
    /// For the rest of a frame, or for the upstream to read.
    pub stall: Duration,
    /// For a place, if the upstream accepts no more concurrent requests.
    pub pending: Duration,
}
