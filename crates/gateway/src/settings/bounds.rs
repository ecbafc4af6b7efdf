//! How long things may take, how large they may be, and how much is too much.

use std::time::Duration;

/// How large a head and a body may be.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Bytes of a request's head, request line included.
    pub head: usize,
    /// Bytes of a request's body. An endpoint may set its own.
    pub body: u64,
    /// Values of a body that is checked: of JSON all of them, of a form its pairs.
    pub body_values: usize,
}

/// Ceilings on errors per minute. They answer `TOO_MANY_ERRORS` and never touch a limit.
#[derive(Debug, Clone, Copy)]
pub struct Abuse {
    /// Errors per minute and key. None: no ceiling.
    pub errors_per_key: Option<u32>,
    /// Errors per minute and address (IPv6: per /64). None: no ceiling.
    pub errors_per_address: Option<u32>,
}

/// What is too much at once. It answers `UNAVAILABLE`.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Connections of clients, if the system lets the process have as many.
    pub connections: usize,
    /// Connections of one address that is no trusted proxy. None: any number.
    pub connections_per_address: Option<u32>,
    /// Requests in flight.
    pub requests: usize,
    /// How far a data thread may be behind. None: as far as it comes.
    pub lag: Option<Duration>,
    /// Bytes a second that a request's body has to come with, over any span of [`Timeouts::body`]. 0: any.
    pub body_rate: u64,
    /// Bytes of bodies that are held to be checked, of all requests together.
    pub buffered_bytes: usize,
}
