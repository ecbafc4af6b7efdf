//! Where the name of an upstream address leads to.

use std::net::{IpAddr, SocketAddr};

/// What is known of a name.
#[derive(Debug, Clone, Default)]
pub struct Resolved {
    /// Where it leads to. Empty: nothing was found yet.
    pub addresses: Vec<SocketAddr>,
    /// Counts how often it led to something else than before.
    pub generation: u32,
    /// Why the last question had no answer.
    pub error: Option<String>,
}

impl Resolved {
    /// What is known before anybody was asked.
    pub fn first(host: &str, port: u16) -> Self {
        let addresses = host.parse().map(|address: IpAddr| vec![SocketAddr::new(address, port)]);
        Self { addresses: addresses.unwrap_or_default(), generation: 0, error: None }
    }
}
