//! The DNS result of an upstream address.

use std::net::{IpAddr, SocketAddr};

/// The DNS result of a name.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Its addresses. Empty: not resolved yet.
    pub addresses: Vec<SocketAddr>,
    /// Incremented whenever the addresses change.
    pub generation: u32,
    /// Why the last query failed.
    pub error: Option<String>,
}

impl Resolved {
    /// The state before the first query.
    pub fn first(host: &str, port: u16) -> Self {
        let addresses = host.parse().map(|address: IpAddr| vec![SocketAddr::new(address, port)]);
        Self { addresses: addresses.unwrap_or_default(), generation: 0, error: None }
    }
}
