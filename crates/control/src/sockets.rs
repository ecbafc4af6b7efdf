//! The listening sockets of a gateway, as they are handed from one process to the next.

use std::net::TcpListener;

/// The listening sockets of a gateway.
#[derive(Default)]
pub struct Sockets {
    /// Those for requests.
    pub requests: Vec<TcpListener>,
    /// The one of `[admin] address`.
    pub admin: Option<TcpListener>,
}

impl Sockets {
    pub(super) fn all(&self) -> impl Iterator<Item = &TcpListener> {
        self.requests.iter().chain(&self.admin)
    }
}
