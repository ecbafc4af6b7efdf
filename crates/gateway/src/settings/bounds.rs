//! Timeouts, sizes and overload limits.

use std::time::Duration;

/// The timeouts of client connections.
#[derive(Debug, Clone, Copy)]
pub struct ClientTimeouts {
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between two reads of a request's body.
    pub body: Duration,
    /// An idle connection.
    pub keep_alive: Duration,
    /// Between two writes of a response that the gateway makes.
    pub stall: Duration,
    /// How long running responses may take after SIGTERM.
    pub drain: Duration,
}

/// Maximum sizes of head and body.
#[derive(Debug, Clone)]
pub struct Sizes {
    /// Bytes of a request's head, including the request line.
    pub head: usize,
    /// Bytes of a request's body. An endpoint may override it.
    pub body: u64,
    /// Values of a validated body: all values of JSON, the pairs of a form.
    pub body_values: usize,
}

/// Ceilings on errors per minute. Beyond them the response is `TOO_MANY_ERRORS`; limits are not affected.
#[derive(Debug, Clone, Copy)]
pub struct Abuse {
    /// Errors per minute and key. None: no ceiling.
    pub errors_per_key: Option<u32>,
    /// Errors per minute and address (IPv6: per /64). None: no ceiling.
    pub errors_per_address: Option<u32>,
}

/// Overload limits. Beyond them the response is `UNAVAILABLE`.
#[derive(Debug, Clone, Copy)]
pub struct Overload {
    /// Connections of clients, if the system allows the process that many.
    pub connections: usize,
    /// Connections of one address that is not a trusted proxy. None: unlimited.
    pub connections_per_address: Option<u32>,
    /// Requests in flight.
    pub requests: usize,
    /// How far a data thread may lag behind. None: unlimited.
    pub lag: Option<Duration>,
    /// Minimum rate of a request's body in bytes a second, over any span of [`ClientTimeouts::body`]. 0: none.
    pub body_rate: u64,
    /// Bytes of buffered bodies that are to be validated, of all requests together.
    pub buffered_bytes: usize,
}
