//! The peer of a client's connection, and the scheme of the connection. Determined once, when the
//! connection begins, and the same for all its requests.

use http1::target::Scheme;
use limits::guard::{AddressGuard, AddressKey};
use std::net::IpAddr;

/// The peer of a client's connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Its address.
    pub(crate) address: IpAddr,
    /// Where its errors are counted.
    pub(crate) address_key: AddressKey,
    /// The scheme of the connection.
    pub(crate) scheme: Scheme,
    /// It came without TLS to a port that speaks TLS.
    pub(crate) is_at_https: bool,
    /// The subject of the client's verified certificate.
    pub(crate) subject: Option<Box<str>>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, scheme: Scheme, errors: &AddressGuard) -> Self {
        Self { address, address_key: errors.key(address), scheme, is_at_https: false, subject: None }
    }
}
