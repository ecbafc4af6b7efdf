//! Selects the certificate for a client by SNI: an exact match, a wildcard, otherwise the first one.

use super::{challenges::Challenges, identity::Identity};
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{collections::HashMap, fmt, sync::Arc};

/// The ALPN protocol of TLS-ALPN challenges (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// All certificates, by their names.
pub(super) struct Names {
    exact: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// By the part after `*.`.
    wildcard: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// In order of configuration.
    all: Vec<Arc<CertifiedKey>>,
    challenges: Challenges,
}

impl Names {
    pub(super) fn new(identities: &[Identity], challenges: Challenges) -> Self {
        let mut names = Self { exact: HashMap::new(), wildcard: HashMap::new(), all: Vec::new(), challenges };
        for identity in identities {
            for name in identity.names() {
                let (map, name) = match name.strip_prefix("*.") {
                    Some(parent) => (&mut names.wildcard, parent),
                    None => (&mut names.exact, name.as_str()),
                };
                map.entry(name.to_owned()).or_default().push(Arc::clone(&identity.key));
            }
            names.all.push(Arc::clone(&identity.key));
        }
        names
    }

    /// The certificates for a name. An exact match takes precedence over a wildcard, which covers
    /// one label. A client without SNI, or with an unknown name, gets all: it decides by itself
    /// whether that is acceptable.
    fn find(&self, name: Option<&str>) -> &[Arc<CertifiedKey>] {
        let exact = |name: &str| self.exact.get(name);
        let wildcard = |name: &str| self.wildcard.get(name.split_once('.')?.1);
        let found = name.and_then(|name| exact(name).or_else(|| wildcard(name)));
        found.unwrap_or(&self.all)
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        if hello.alpn().is_some_and(|mut offered| offered.any(|one| one == ACME_TLS)) {
            // Such a client gets the challenge certificate or none: a real certificate would prove nothing.
            return self.challenges.certificate(&name?);
        }
        let found = self.find(name.as_deref());
        // One with a key type that this client supports, if there are several.
        let fits = found.iter().find(|one| one.key.choose_scheme(hello.signature_schemes()).is_some());
        fits.or(found.first()).cloned()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Names({})", self.all.len())
    }
}
