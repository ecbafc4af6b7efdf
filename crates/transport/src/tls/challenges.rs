//! Responses to ACME challenges (RFC 8555): a certificate authority verifies that a name leads here.

use super::identity::Identity;
use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;
use std::{collections::HashMap, fmt, sync::Arc};

/// Responses to ACME challenges.
#[derive(Clone, Default)]
pub struct Challenges(Arc<ArcSwap<Answers>>);

/// The responses by challenge.
#[derive(Default, Clone)]
struct Answers {
    /// By token: the body of `/.well-known/acme-challenge/TOKEN`.
    texts: HashMap<String, String>,
    /// By name: the certificate to present.
    certificates: HashMap<String, Arc<CertifiedKey>>,
}

impl Challenges {
    /// Responds over HTTP: with this text for this token.
    pub fn set_text(&self, token: &str, text: &str) {
        self.change(|answers| drop(answers.texts.insert(token.to_owned(), text.to_owned())));
    }

    /// Responds within TLS: with this certificate for this name.
    pub fn set_certificate(&self, name: &str, identity: &Identity) {
        let name = name.to_ascii_lowercase();
        self.change(|answers| drop(answers.certificates.insert(name.clone(), Arc::clone(&identity.key))));
    }

    /// Removes all responses.
    pub fn clear(&self) {
        self.0.store(Arc::default());
    }

    /// The text for a path, if it is a challenge path.
    pub fn text(&self, path: &str) -> Option<String> {
        let token = path.strip_prefix("/.well-known/acme-challenge/")?;
        self.0.load().texts.get(token).cloned()
    }

    pub(super) fn certificate(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        self.0.load().certificates.get(name).cloned()
    }

    fn change(&self, change: impl Fn(&mut Answers)) {
        self.0.rcu(|answers| {
            let mut answers = Answers::clone(answers);
            change(&mut answers);
            answers
        });
    }
}

impl fmt::Debug for Challenges {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Challenges")
    }
}
