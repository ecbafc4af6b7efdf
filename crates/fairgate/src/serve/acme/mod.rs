//! ACME: a certificate is fetched, kept in the store's folder, and renewed at two thirds of its life.
//!
//! Runs beside the data plane; nothing waits for it. Until there is a first certificate, handshakes fail.

mod folder;
mod http;
mod order;

use super::certificates::Certificates;
use crate::{config::tls::AcmeSettings, failure::Failure};
use folder::Folder;
use gateway::{Handle, record::Level, tls::Identity};
use std::{
    cell::RefCell,
    path::Path,
    rc::Rc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};

/// How long an authority may take for a certificate.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long is waited after a first failure. Each further one doubles it. Let's Encrypt allows five an hour.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(12 * 3600);
/// How often it is looked what time it is: clocks are set, and machines sleep.
const LOOK: Duration = Duration::from_secs(600);

/// What fetches certificates.
pub(super) struct Acme {
    settings: AcmeSettings,
    folder: Folder,
    handle: Handle,
    certificates: Rc<RefCell<Certificates>>,
    /// From when to when the present certificate holds, in Unix seconds.
    holds: Option<(i64, i64)>,
}

impl Acme {
    /// Takes up what was fetched by an earlier run.
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
        let mut acme = Self { settings, folder, handle, certificates, holds: None };
        match acme.folder.identity() {
            Ok(Some(kept)) if covers(&kept, &acme.settings.domains) => {
                acme.take(kept).map_err(Failure::new)?;
            }
            Ok(_) => {}
            // Another one can be fetched.
            Err(error) => acme.tell("the kept certificate cannot be used", &[("error", &error)]),
        }
        Ok(acme)
    }

    /// Fetches whenever it is time to, for ever.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        loop {
            let due = self.holds.map_or(0, due);
            let now = now();
            if now < due {
                sleep(Duration::from_secs((due - now).unsigned_abs()).min(LOOK)).await;
                continue;
            }
            match self.fetch().await {
                Ok(()) => failures = 0,
                Err(error) => {
                    let wait = wait(failures, fastrand::f64());
                    failures += 1;
                    let again = format!("{} s", wait.as_secs());
                    self.tell("no certificate was fetched", &[("error", &error), ("again_in", &again)]);
                    sleep(wait).await;
                }
            }
        }
    }

    async fn fetch(&mut self) -> Result<(), String> {
        let challenges = self.handle.challenges().clone();
        let fetching = order::fetch(&self.settings, &self.folder, &challenges);
        let fetched = timeout(PATIENCE, fetching).await;
        // Answers are given only while an authority may ask.
        challenges.clear();
        let (chain, key) = fetched.map_err(|_| "the authority took too long".to_owned())??;
        let identity = Identity::from_pem(chain.as_bytes(), key.as_bytes())
            .map_err(|error| format!("what the authority sent: {error}"))?;
        if !covers(&identity, &self.settings.domains) {
            return Err("the authority's certificate is for other names".to_owned());
        }
        // It is used even if it cannot be kept: then the next start fetches another one.
        let kept = self.folder.keep(&chain, &key);
        self.take(identity)?;
        let names = self.settings.domains.join(", ");
        self.handle.log().event(Level::Info, "certificate fetched", &[("names", &names)]);
        if let Err(error) = kept {
            self.tell("the certificate cannot be kept", &[("error", &error)]);
        }
        Ok(())
    }

    fn take(&mut self, identity: Identity) -> Result<(), String> {
        self.holds = Some(identity.holds());
        self.certificates.borrow_mut().take_fetched(identity)
    }

    fn tell(&self, event: &str, members: &[(&str, &str)]) {
        self.handle.log().event(Level::Error, event, members);
    }
}

/// Whether a certificate is for all of these names.
fn covers(identity: &Identity, domains: &[String]) -> bool {
    domains.iter().all(|domain| identity.names().contains(domain))
}

/// When a certificate is to be renewed: at two thirds of its life.
const fn due((from, to): (i64, i64)) -> i64 {
    from.saturating_add(to.saturating_sub(from) / 3 * 2)
}

/// How long to wait after so many failures before, shorter or longer by a quarter: `chance` is from 0 to 1.
fn wait(failures: u32, chance: f64) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << failures.min(16)).min(LONGEST_WAIT);
    doubled.mul_f64(0.75 + chance.clamp(0.0, 1.0) / 2.0)
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_renewed_at_two_thirds_of_its_life() {
        assert_eq!(due((1_000, 1_090)), 1_060);
        assert_eq!(due((1_000, 1_000)), 1_000);
    }

    #[test]
    fn waits_grow_within_a_bound_and_are_not_all_the_same() {
        let seconds = |failures, chance| wait(failures, chance).as_secs();
        assert_eq!((seconds(0, 0.0), seconds(0, 0.5), seconds(0, 1.0)), (45, 60, 75));
        assert_eq!((seconds(3, 0.5), seconds(40, 0.5)), (480, 12 * 3600));
    }
}
