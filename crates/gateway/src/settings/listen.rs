//! Listeners, and the protocols with clients.

use std::{net::SocketAddr, time::Duration};

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Address and port; with port 0 the system chooses one.
    pub address: SocketAddr,
    /// Data threads, at least 1.
    pub threads: usize,
    /// Each connection begins with a PROXY protocol header, sent by a trusted proxy.
    pub proxy_protocol: bool,
}

/// TLS with clients. Certificates are passed separately, because they change: [`crate::Handle::offer`].
#[derive(Debug, Clone)]
pub struct Tls {
    /// Address and port; with port 0 the system chooses one.
    pub address: SocketAddr,
    /// What [`Listen::address`] is used for.
    pub plain: Plain,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// Each connection begins with a PROXY protocol header, sent by a trusted proxy.
    pub proxy_protocol: bool,
    /// The value of `Strict-Transport-Security` (RFC 6797) in responses over TLS.
    pub strict: Option<String>,
    /// Name, in lower case, of the header that passes the subject of the client's certificate to
    /// the upstream.
    pub subject_header: Option<String>,
    /// Clients must present a certificate. A proxy's report that a client used https does not count as one.
    pub requires_certificate: bool,
}

/// How to treat requests without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// Serve them.
    Serve,
    /// Redirect them to https.
    Redirect,
    /// Do not listen.
    Off,
}

/// HTTP/2 with clients.
#[derive(Debug, Clone, Copy)]
pub struct Http2 {
    /// Clients may speak it.
    pub enabled: bool,
    /// Maximum number of streams that a client may have open on a connection.
    pub streams: u32,
    /// The initial window of a stream in bytes, at least 65,535.
    pub window: u32,
}
