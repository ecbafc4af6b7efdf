//! HTTP/2 to upstreams: many requests on one connection of a data thread to an address.
//!
//! A [`Stream`] is one request. It is written and read as a connection of HTTP/1.1 is, so that forwarding, time-outs,
//! retries and charges are the same for both (`multiplex`). One task drives a [`Connection`] (`driver`) and alone touches
//! the socket. A [`Pool`] has those of one thread: which of them a request goes to, and when another one is opened.

mod connection;
mod driver;
mod pool;
mod stream;

pub use connection::Unprocessed;
pub use pool::NoStream;
pub(crate) use pool::{Pool, open_alone};
pub(crate) use stream::Stream;

use std::time::Duration;

/// How long something is waited for.
#[derive(Debug, Clone, Copy)]
pub struct StreamTimeouts {
    /// By whoever opens a connection: that it comes about, and then its greeting.
    pub connect: Duration,
    /// By a request: both.
    pub open: Duration,
    /// The rest of a frame, or that the upstream reads.
    pub stall: Duration,
    /// A place, where the upstream takes no more requests at once.
    pub pending: Duration,
}
