//! Which certificate a client is shown: by the name that it asks for, exactly or by a wildcard, else the first.

use super::{challenges::Challenges, identity::Identity};
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use std::{collections::HashMap, fmt, sync::Arc};

/// The protocol by which a certificate authority looks at a challenge (RFC 8737).
pub(super) const ACME_TLS: &[u8] = b"acme-tls/1";

/// All certificates, by their names.
pub(super) struct Names {
    exact: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// By what stands behind `*.`.
    wildcard: HashMap<String, Vec<Arc<CertifiedKey>>>,
    /// In the order of the configuration.
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

    /// Those that stand for a name. An exact one wins over a wildcard, which covers one label. A client that names no
    /// host, or one that is not known, gets what there is: it decides by itself whether that will do.
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
            // Whoever asks so gets the proof or nothing: a real certificate would prove nothing.
            return self.challenges.certificate(&name?);
        }
        let found = self.find(name.as_deref());
        // One with a key of a kind that this client knows, if there are several.
        let fits = found.iter().find(|one| one.key.choose_scheme(hello.signature_schemes()).is_some());
        fits.or(found.first()).cloned()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Names({})", self.all.len())
    }
}
