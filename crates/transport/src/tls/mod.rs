//! TLS: certificates and keys, what is offered to clients and asked of upstreams, the handshake, the stream.
//!
//! Reading files is not done here: whoever has read them hands over their bytes, and does so again when they change.

mod challenges;
mod client;
mod handshake;
mod identity;
mod names;
mod records;
mod server;
mod stream;
mod subject;

pub use challenges::Challenges;
pub use client::{Client, Roots};
pub use identity::{BadIdentity, Identity, Issued, certificates};
pub use server::{AgreedProtocol, Asks, BadServer, Server, Versions};

pub use handshake::connect;
pub use stream::TlsStream;

pub(crate) use handshake::{Accepted, accept};

pub use rustls::pki_types::CertificateDer;

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

/// The cryptography: ring, which builds in seconds and without further tools. No setting of the process is used.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
