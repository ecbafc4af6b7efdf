//! Answers to a certificate authority (RFC 8555) that wants to see that a name leads here.

use super::identity::Identity;
use arc_swap::ArcSwap;
use rustls::sign::CertifiedKey;
use std::{collections::HashMap, fmt, sync::Arc};

/// Answers to a certificate authority that wants to see that a name leads here.
#[derive(Clone, Default)]
pub struct Challenges(Arc<ArcSwap<Answers>>);

/// Answers by what is asked for.
#[derive(Default, Clone)]
struct Answers {
    /// By token: the text for `/.well-known/acme-challenge/TOKEN`.
    texts: HashMap<String, String>,
    /// By name: the certificate to show.
    certificates: HashMap<String, Arc<CertifiedKey>>,
}

impl Challenges {
    /// Answers over HTTP: this text for this token.
    pub fn tell(&self, token: &str, text: &str) {
        self.change(|answers| drop(answers.texts.insert(token.to_owned(), text.to_owned())));
    }

    /// Answers within TLS: this certificate for this name.
    pub fn show(&self, name: &str, identity: &Identity) {
        let name = name.to_ascii_lowercase();
        self.change(|answers| drop(answers.certificates.insert(name.clone(), Arc::clone(&identity.key))));
    }

    /// Forgets all answers.
    pub fn clear(&self) {
        self.0.store(Arc::default());
    }

    /// The text for a path, if it is one that a certificate authority asks for.
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
