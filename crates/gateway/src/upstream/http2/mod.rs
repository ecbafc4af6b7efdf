//! HTTP/2 to upstreams: many requests on one connection of a data thread to an address.
//!
//! A [`Call`](crate::http2::Call) is one request on a stream. It is written and read as a connection of HTTP/1.1 is, so that forwarding,
//! time-outs, retries and charges are the same for both; what HTTP/2 calls its parts is made of the pieces that streams of
//! clients are made of (`crate::http2`). A [`Line`](crate::http2::Line) is a connection: one task drives it (`driver`) and alone touches the
//! socket. [`Lines`] are those of one thread: which of them a request goes to, and when another one is opened.

mod driver;
mod lines;

pub(crate) use lines::{Lines, NoCall, call_alone};
use std::time::Duration;

/// How long something is waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// By whoever opens a connection: that it comes about, and then its greeting.
    pub(crate) connect: Duration,
    /// By a request: both.
    pub(crate) open: Duration,
    /// The rest of a frame, or that the upstream reads.
    pub(crate) stall: Duration,
    /// A place, where the upstream takes no more requests at once.
    pub(crate) place: Duration,
}
