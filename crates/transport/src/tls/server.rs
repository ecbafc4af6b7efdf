//! The TLS configuration for clients: certificates, versions, client authentication.

use super::{
    PROVIDER,
    challenges::Challenges,
    identity::Identity,
    names::{ACME_TLS, Names},
};
use rustls::{
    RootCertStore, ServerConfig,
    pki_types::CertificateDer,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use std::{fmt, sync::Arc};

/// ALPN protocols in order of preference; HTTP/2 comes before them, if enabled.
pub(super) const HTTP1: [&[u8]; 2] = [b"http/1.1", b"http/1.0"];
pub(super) const HTTP2: &[u8] = b"h2";

/// The protocol negotiated in the handshake (ALPN, RFC 7301).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreedProtocol {
    /// HTTP/1.1, or 1.0.
    Http1,
    /// HTTP/2.
    Http2,
}

/// The TLS configuration for clients. New connections get the latest.
#[derive(Clone)]
pub struct Server {
    with_http2: Arc<ServerConfig>,
    without_http2: Arc<ServerConfig>,
}

/// The minimum version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versions {
    /// 1.2 and 1.3.
    From12,
    /// Only 1.3.
    From13,
}

/// Whether clients must present a certificate.
#[derive(Debug, Clone)]
pub enum Asks {
    /// It is not requested.
    Nothing,
    /// Optional. It must be issued by one of these authorities, otherwise it is refused.
    Optional(Vec<CertificateDer<'static>>),
    /// Required.
    Required(Vec<CertificateDer<'static>>),
}

/// Why this configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadServer(String);

impl Server {
    /// A configuration with these certificates. If several match a name, the first one that the
    /// client supports is used.
    ///
    /// # Errors
    /// The certificate of an authority cannot be used.
    pub fn new(
        identities: &[Identity],
        asks: Asks,
        versions: Versions,
        challenges: Challenges,
    ) -> Result<Self, BadServer> {
        let bad = |error: &dyn fmt::Display| BadServer(error.to_string());
        let versions = match versions {
            Versions::From12 => &[&TLS13, &TLS12][..],
            Versions::From13 => &[&TLS13],
        };
        let verifier = match asks {
            Asks::Nothing => WebPkiClientVerifier::no_client_auth(),
            Asks::Optional(authorities) => verifier(authorities, true)?,
            Asks::Required(authorities) => verifier(authorities, false)?,
        };
        let builder = ServerConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(versions)
            .map_err(|error| bad(&error))?;
        let mut config = builder
            .with_client_cert_verifier(verifier)
            .with_cert_resolver(Arc::new(Names::new(identities, challenges)));
        config.alpn_protocols = HTTP1.iter().chain([&ACME_TLS]).map(|name| name.to_vec()).collect();
        // Tickets contain the session, so threads share no session table. Each configuration has
        // new ticket keys: a client that a change excludes has no valid ticket either.
        config.ticketer = rustls::crypto::ring::Ticketer::new().map_err(|error| bad(&error))?;
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 1;
        // Early data could be replayed by anyone who saw it, and would be charged twice.
        config.max_early_data_size = 0;
        let without_http2 = Arc::new(config.clone());
        config.alpn_protocols.insert(0, HTTP2.to_vec());
        Ok(Self { with_http2: Arc::new(config), without_http2 })
    }

    /// The configuration for a new connection.
    pub(super) fn offer(&self, speaks_http2: bool) -> Arc<ServerConfig> {
        Arc::clone(if speaks_http2 { &self.with_http2 } else { &self.without_http2 })
    }
}

fn verifier(
    authorities: Vec<CertificateDer<'static>>,
    is_optional: bool,
) -> Result<Arc<dyn ClientCertVerifier>, BadServer> {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        roots.add(authority).map_err(|error| BadServer(error.to_string()))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&PROVIDER));
    let builder = if is_optional { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(|error| BadServer(error.to_string()))
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Server")
    }
}
