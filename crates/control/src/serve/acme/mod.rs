//! ACME: a certificate is ordered, kept in the store's folder, and renewed when the authority suggests it (RFC 9773),
//! else at two thirds of its life.
//!
//! Runs beside the data plane; nothing waits for it. Until there is a first certificate, handshakes fail.

mod folder;
mod held;
mod http;
mod order;
mod renewal;
mod schedule;

use super::certificates::Certificates;
use crate::failure::Failure;
use config::tls::AcmeSettings;
use folder::Folder;
use gateway::{Handle, record::Level, tls::Identity};
use held::Held;
use order::Order;
use schedule::{MIN_INTERVAL, Orders, since};
use std::{
    cell::RefCell,
    path::Path,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{Instant, sleep, timeout};

/// How long an authority may take for a certificate.
const ORDER_TIMEOUT: Duration = Duration::from_secs(300);
/// How often the wall clock is read: clocks are set, and machines sleep.
const MAX_SLEEP: Duration = Duration::from_secs(5);
/// How far the clock may be behind the beginning of a certificate's life without a word about it.
const CLOCK_TOLERANCE: i64 = 60;

/// What orders certificates.
pub(super) struct Acme {
    settings: AcmeSettings,
    folder: Folder,
    handle: Handle,
    certificates: Rc<RefCell<Certificates>>,
    /// The certificate in use.
    held: Option<Held>,
    orders: Orders,
    /// When the next order may be placed, by the clock that nobody can set.
    not_before: Instant,
}

impl Acme {
    /// Uses the certificate that an earlier run got.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub(super) fn new(
        settings: AcmeSettings,
        store: &Path,
        handle: Handle,
        certificates: Rc<RefCell<Certificates>>,
    ) -> Result<Self, Failure> {
        let folder = Folder::open(store, &settings.directory).map_err(Failure::new)?;
        let orders = folder.orders();
        let not_before = Instant::now() + orders.wait_at_start(now());
        let mut acme = Self { settings, folder, handle, certificates, held: None, orders, not_before };
        match acme.folder.identity() {
            Ok(Some(kept)) if covers(&kept, &acme.settings.domains) => {
                let age = since(acme.orders.placed.unwrap_or(kept.holds().0), now());
                acme.take(kept, age).map_err(Failure::new)?;
            }
            Ok(_) => {}
            // Another one can be ordered.
            Err(error) => {
                acme.event(Level::Error, "the kept certificate cannot be used", &[("error", &error)])
            }
        }
        if acme.held.is_none() {
            // For other names than before, for one: how long the old one was in use says nothing about that.
            acme.orders.premature = 0;
            acme.not_before = Instant::now() + acme.orders.wait_at_start(now());
        }
        Ok(acme)
    }

    /// Places an order whenever it is time to, for ever.
    pub(super) async fn run(mut self) {
        let wait = self.not_before.saturating_duration_since(Instant::now());
        if self.held.is_none() && !wait.is_zero() {
            let again = format!("{} s", wait.as_secs().max(1));
            self.event(Level::Info, "the next order waits", &[("again_in", &again)]);
        }
        loop {
            self.ask_for_window().await;
            let due = self.held.as_ref().map_or(i64::MIN, Held::due);
            let until_due = since(now(), due);
            let until_allowed = self.not_before.saturating_duration_since(Instant::now());
            let wait = until_due.max(until_allowed);
            if wait.is_zero() {
                self.order().await;
                continue;
            }
            if until_due.is_zero() {
                self.warn_of_clock(until_allowed);
            }
            sleep(wait.min(MAX_SLEEP)).await;
        }
    }

    /// Asks the authority when it wants the certificate to be renewed, if it is time to.
    async fn ask_for_window(&mut self) {
        let Some(held) = self.held.as_mut().filter(|held| held.is_to_be_asked_for()) else { return };
        match renewal::ask(&self.settings, &self.folder, held).await {
            Ok(Some(window)) => {
                let (start, end) = (told_time(window.start), told_time(window.end));
                let mut members = vec![("from", start.as_str()), ("until", end.as_str())];
                members.extend(window.explanation.as_deref().map(|page| ("explanation", page)));
                self.event(Level::Info, "renewal window", &members);
            }
            Ok(None) => {}
            Err(error) => {
                let members = [("error", error.as_str()), ("effect", "renewal at two thirds of the life")];
                self.event(Level::Warn, "no renewal window", &members);
            }
        }
    }

    async fn order(&mut self) {
        self.orders.placed = Some(now());
        // Written down first: a gateway that ends within the order keeps its distance as well.
        self.keep_orders();
        let mut order = Order {
            settings: &self.settings,
            folder: &self.folder,
            replaces: self.held.as_ref().filter(|_| self.orders.failures == 0).and_then(Held::renewal_id),
            retry_after: None,
        };
        let challenges = self.handle.challenges().clone();
        let ordered = timeout(ORDER_TIMEOUT, order.place(&challenges)).await;
        // Answers are given only while an authority may ask.
        challenges.clear();
        let retry_after = order.retry_after;
        let ordered = ordered.unwrap_or_else(|_| Err("the authority took too long".to_owned()));
        let replaced = self.held.as_ref().map(|held| (held.age(), held.validity));
        let wait = match ordered.and_then(|(chain, key)| self.deliver(&chain, &key)) {
            Ok(()) => self.orders.succeeded(replaced),
            Err(error) => {
                let left = self.held.as_ref().map(|held| held.validity.1.saturating_sub(now()));
                let wait = self.orders.failed(left, retry_after, fastrand::f64());
                let again = format!("{} s", wait.as_secs());
                let members = [("error", error.as_str()), ("again_in", again.as_str())];
                self.event(Level::Error, "no certificate was fetched", &members);
                wait
            }
        };
        self.not_before = Instant::now() + wait.max(MIN_INTERVAL);
        self.keep_orders();
    }

    /// Uses and keeps what the authority sent.
    fn deliver(&mut self, chain: &str, key: &str) -> Result<(), String> {
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes())
            .map_err(|error| format!("what the authority sent: {error}"))?;
        if !covers(&identity, &self.settings.domains) {
            return Err("the authority's certificate is for other names".to_owned());
        }
        // It is used even if it cannot be kept: then the next start orders another one.
        let kept = self.folder.keep(chain, key);
        let (from, until) = identity.holds();
        self.take(identity, Duration::ZERO)?;
        let (names, from_told, until) = (self.settings.domains.join(", "), told_time(from), told_time(until));
        let members = [("names", names.as_str()), ("valid_from", &from_told), ("valid_until", &until)];
        self.event(Level::Info, "certificate fetched", &members);
        if let Err(error) = kept {
            self.event(Level::Error, "the certificate cannot be kept", &[("error", &error)]);
        }
        if from > now().saturating_add(CLOCK_TOLERANCE) {
            let clock = told_time(now());
            let members = [
                ("clock", clock.as_str()),
                ("valid_from", &from_told),
                ("reason", "the clock may be behind"),
            ];
            self.event(Level::Warn, "a new certificate is not valid yet", &members);
        }
        Ok(())
    }

    fn take(&mut self, identity: Identity, age: Duration) -> Result<(), String> {
        self.held = Some(Held::new(&identity, age));
        self.certificates.borrow_mut().take_fetched(identity)
    }

    /// Says once of a certificate that it is due for renewal although it has just come.
    fn warn_of_clock(&mut self, wait: Duration) {
        if self.orders.failures > 0 {
            return; // told already
        }
        let Some(held) = self.held.as_mut().filter(|held| !held.is_told_of) else { return };
        held.is_told_of = true;
        let (from, until) = held.validity;
        let (clock, from, until) = (told_time(now()), told_time(from), told_time(until));
        let (due, again) = (told_time(held.due()), format!("{} s", wait.as_secs()));
        let reason = if held.is_suggested() {
            "the authority asks for it, or the clock is wrong"
        } else {
            "the clock may be ahead"
        };
        let members = [
            ("clock", clock.as_str()),
            ("valid_from", &from),
            ("valid_until", &until),
            ("renewal_due", &due),
            ("reason", reason),
            ("again_in", &again),
        ];
        self.event(Level::Warn, "a new certificate is already due for renewal", &members);
    }

    fn keep_orders(&self) {
        if let Err(error) = self.folder.keep_orders(&self.orders) {
            self.event(Level::Error, "the time of the order cannot be kept", &[("error", &error)]);
        }
    }

    fn event(&self, level: Level, event: &str, members: &[(&str, &str)]) {
        self.handle.log().event(level, event, members);
    }
}

/// Whether a certificate is for all of these names.
fn covers(identity: &Identity, domains: &[String]) -> bool {
    domains.iter().all(|domain| identity.names().contains(domain))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn told_time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
