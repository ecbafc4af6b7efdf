//! The certificate in use: how old it is, and when it is due for renewal.

use super::schedule::{Validity, due, latest};
use gateway::tls::{Identity, Issued};
use instant_acme::CertificateIdentifier;
use std::time::Duration;
use tokio::time::Instant;

/// The certificate in use.
pub(super) struct Held {
    /// From when to when it is valid, in Unix seconds.
    pub(super) validity: Validity,
    /// Whether the log says that it is due too soon.
    pub(super) is_told_of: bool,
    issued: Option<Issued>,
    /// Since when it is here, and how old it was then.
    here_since: Instant,
    age_then: Duration,
    /// What the authority suggests, and the moment within it that was chosen.
    window: Option<(i64, i64)>,
    chosen: Option<i64>,
    /// When to ask the authority again. None: there is nobody to ask.
    ask_at: Option<Instant>,
    /// How often that failed in a row.
    pub(super) unanswered: u32,
}

impl Held {
    pub(super) fn new(identity: &Identity, age: Duration) -> Self {
        let here_since = Instant::now();
        Self {
            validity: identity.holds(),
            is_told_of: false,
            issued: identity.issued().cloned(),
            here_since,
            age_then: age,
            window: None,
            chosen: None,
            ask_at: identity.issued().map(|_| here_since),
            unanswered: 0,
        }
    }

    /// How long it has been in use, whatever the wall clock says now.
    pub(super) fn age(&self) -> Duration {
        self.age_then.saturating_add(self.here_since.elapsed())
    }

    /// When it is to be renewed, in Unix seconds.
    pub(super) fn due(&self) -> i64 {
        self.chosen.map_or_else(|| due(self.validity), |chosen| chosen.min(latest(self.validity)))
    }

    /// Whether its authority suggested when to renew it.
    pub(super) const fn is_suggested(&self) -> bool {
        self.chosen.is_some()
    }

    /// What names it to its authority (RFC 9773, 4.1).
    pub(super) fn renewal_id(&self) -> Option<CertificateIdentifier<'static>> {
        let Issued { authority_key, serial } = self.issued.as_ref()?;
        let id = CertificateIdentifier::new(authority_key.as_slice().into(), serial.as_slice().into());
        Some(id.into_owned())
    }

    pub(super) fn is_to_be_asked_for(&self) -> bool {
        self.ask_at.is_some_and(|at| at <= Instant::now())
    }

    /// When to ask the authority again. None: never.
    pub(super) fn ask_again(&mut self, after: Option<Duration>) {
        self.ask_at = after.map(|after| Instant::now() + after);
    }

    /// Chooses a moment within what the authority suggests, at random so that not all come at once (RFC 9773, 4.2).
    /// Returns whether the suggestion is a new one.
    pub(super) fn suggest(&mut self, start: i64, end: i64) -> bool {
        if self.window == Some((start, end)) {
            return false;
        }
        self.window = Some((start, end));
        self.chosen = Some(fastrand::i64(start..=end.max(start)));
        true
    }
}
