//! TLS: certificates and keys, the configuration for clients and upstreams, the handshake, the stream.
//!
//! It reads no files: the caller passes their content, again after each change. Only the roots of this machine are loaded here.

mod challenges;
mod client;
mod handshake;
mod identity;
mod names;
mod records;
mod roots;
mod server;
mod stream;
mod subject;

pub use challenges::Challenges;
pub use client::Client;
pub use identity::{BadIdentity, Identity, Issued, certificates};
pub use roots::{Roots, authorities};
pub use server::{AgreedProtocol, Asks, BadServer, Server, Versions};

pub use handshake::connect;
pub use stream::TlsStream;

pub(crate) use handshake::{Accepted, accept};

pub use rustls::pki_types::CertificateDer;

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

/// The cryptography: ring, which builds quickly and without further tools. No process-wide default is set.
static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));
