//! Where the gateway listens, and how it speaks with clients.

use std::{net::SocketAddr, time::Duration};

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// Data threads, at least 1.
    pub threads: usize,
    /// Each connection begins with a header of the PROXY protocol, sent by a trusted proxy.
    pub proxy_protocol: bool,
}

/// TLS to clients. What they are offered is handed over apart, because it changes: [`crate::Handle::offer`].
#[derive(Debug, Clone)]
pub struct Tls {
    /// Address and port; port 0 lets the system choose.
    pub address: SocketAddr,
    /// What is done at [`Listen::address`].
    pub plain: Plain,
    /// How long a handshake may take.
    pub handshake: Duration,
    /// Each connection begins with a header of the PROXY protocol, sent by a trusted proxy.
    pub proxy_protocol: bool,
    /// What every answer over TLS says in `Strict-Transport-Security` (RFC 6797).
    pub strict: Option<String>,
    /// Name, in lower case, of the header that passes the subject of the client's certificate to the upstream.
    pub subject_header: Option<String>,
    /// Clients have to show a certificate. A proxy's word that a client came by https does not stand for one.
    pub requires_certificate: bool,
}

/// What is done where requests come in without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    /// They are served.
    Serve,
    /// They are sent to the same address under https.
    Redirect,
    /// Nobody listens there.
    Off,
}

/// How HTTP/2 is spoken with clients.
#[derive(Debug, Clone, Copy)]
pub struct Http2 {
    /// Clients may speak it.
    pub enabled: bool,
    /// Streams that a client may have open at once on a connection.
    pub streams: u32,
    /// Bytes of one stream's body that a client may send ahead, at least 65,535.
    pub window: u32,
}
