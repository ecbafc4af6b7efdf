//! Who is at the other end of a client's connection, and by which scheme it was reached. Known once, when the
//! connection begins; the same for all its requests.

use http1::target::Scheme;
use limits::guard::{AddressGuard, AddressKey};
use std::net::IpAddr;

/// The other end of a client's connection.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    /// Who opened it.
    pub(crate) address: IpAddr,
    /// Where its errors are counted.
    pub(crate) address_key: AddressKey,
    /// By which it was reached.
    pub(crate) scheme: Scheme,
    /// It came without TLS where TLS is spoken.
    pub(crate) is_at_https: bool,
    /// The subject of the certificate that the client proved to have.
    pub(crate) subject: Option<Box<str>>,
}

impl Peer {
    pub(crate) fn new(address: IpAddr, scheme: Scheme, errors: &AddressGuard) -> Self {
        Self { address, address_key: errors.key(address), scheme, is_at_https: false, subject: None }
    }
}
