//! TLS with upstreams: what is required of them, and our own certificate.

use super::{PROVIDER, identity::Identity, roots::Roots};
use rustls::{
    ClientConfig,
    client::{ResolvesClientCert, Resumption, WebPkiServerVerifier},
    pki_types::ServerName,
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use std::{
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

/// The ALPN name of HTTP/2 (RFC 9113 section 3.1).
pub(super) const HTTP2: &[u8] = b"h2";
/// Maximum number of sessions kept for resumption.
const SESSIONS: usize = 64;

/// The TLS configuration for an upstream.
#[derive(Clone)]
pub struct Client {
    pub(super) config: Arc<ClientConfig>,
    /// The same for HTTP/2.
    pub(super) http2_config: Arc<ClientConfig>,
    pub(super) name: ServerName<'static>,
    /// A digest of the trusted roots and our certificate.
    digest: u64,
}

impl Client {
    /// `name`: the name that the upstream's certificate must have, a host name or an IP address.
    ///
    /// # Errors
    /// The error, for the operator.
    pub fn new(name: &str, roots: Roots, own: Option<&Identity>) -> Result<Self, String> {
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is not a host name"))?;
        let mut digest = DefaultHasher::new();
        match &roots {
            Roots::System(found) => (0, found).hash(&mut digest),
            Roots::Own(found) => (1, found).hash(&mut digest),
        }
        own.map(|own| &own.key.cert).hash(&mut digest);
        let digest = digest.finish();
        let store = roots.store()?.ok_or("no certificate authority is trusted: set one by `ca`")?;
        let builder = ClientConfig::builder_with_provider(Arc::clone(&PROVIDER))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| error.to_string())?;
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&PROVIDER))
            .build()
            .map_err(|error| error.to_string())?;
        let builder = builder.with_webpki_verifier(verifier);
        let mut config = match own {
            Some(own) => builder.with_client_cert_resolver(Arc::new(Own(Arc::clone(&own.key)))),
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        let mut http2_config = config.clone();
        http2_config.alpn_protocols = vec![HTTP2.to_vec()];
        // Sessions are resumed only for the protocol they were created for.
        http2_config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(Self { config: Arc::new(config), http2_config: Arc::new(http2_config), name, digest })
    }
}

impl Client {
    /// The same configuration for another name.
    ///
    /// # Errors
    /// The name is invalid.
    pub fn named(&self, name: &str) -> Result<Self, String> {
        let name =
            ServerName::try_from(name.to_owned()).map_err(|_| format!("`{name}` is not a host name"))?;
        Ok(Self { name, ..self.clone() })
    }

    /// The name that the upstream's certificate must have.
    pub fn name(&self) -> String {
        self.name.to_str().into_owned()
    }
}

/// Equal: the same name, the same roots, the same certificate of ours.
impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.digest == other.digest
    }
}

impl Eq for Client {}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Client({:?})", self.name)
    }
}

/// Our certificate, presented on request.
#[derive(Debug)]
struct Own(Arc<CertifiedKey>);

impl ResolvesClientCert for Own {
    fn resolve(&self, _: &[&[u8]], schemes: &[rustls::SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.key.choose_scheme(schemes).map(|_| Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}
