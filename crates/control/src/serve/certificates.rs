//! Certificates: handed to the data plane at the start, and again whenever their files change.

use crate::failure::Failure;
use config::tls::{Stamp, TlsSettings};
use gateway::{Handle, record::Level, tls::Identity};
use std::{cell::RefCell, rc::Rc, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether files have changed. That costs a system call for each.
const LOOK: Duration = Duration::from_secs(1);

/// What clients are offered, and from which files.
pub(super) struct Certificates {
    settings: TlsSettings,
    handle: Handle,
    /// How the files stood when they were read, and when they were last looked at.
    read: Vec<Stamp>,
    seen: Vec<Stamp>,
    /// The certificate that came by ACME.
    fetched: Option<Identity>,
}

impl Certificates {
    /// Makes the first offer.
    ///
    /// # Errors
    /// A file cannot be used. Without certificates a gateway does not start: nobody would notice until it is too late.
    pub(super) fn new(settings: TlsSettings, handle: Handle) -> Result<Rc<RefCell<Self>>, Failure> {
        let stamps = settings.stamps();
        let new = Self { settings, handle, read: stamps.clone(), seen: stamps, fetched: None };
        new.offer().map_err(|error| Failure::new(format!("TLS cannot be offered: {error}")))?;
        Ok(Rc::new(RefCell::new(new)))
    }

    fn offer(&self) -> Result<(), String> {
        let server = self.settings.server(self.fetched.clone(), self.handle.challenges().clone())?;
        self.handle.offer(server);
        Ok(())
    }

    /// Takes over a certificate that came by ACME.
    pub(super) fn take_fetched(&mut self, identity: Identity) -> Result<(), String> {
        self.fetched = Some(identity);
        self.offer()
    }

    /// Takes over files that have changed, once they have stopped changing. A bad one is told once, and what was
    /// offered before goes on being offered.
    fn look(&mut self) {
        let now = self.settings.stamps();
        let is_still = now == self.seen;
        self.seen = now;
        if !is_still || self.seen == self.read {
            return;
        }
        self.read.clone_from(&self.seen);
        match self.offer() {
            Ok(()) => self.handle.log().event(Level::Info, "certificates read again", &[]),
            Err(error) => {
                let members = [("error", error.as_str()), ("effect", "the old ones go on being used")];
                self.handle.log().event(Level::Error, "certificates not taken over", &members);
            }
        }
    }
}

/// Looks after the files, for ever.
pub(super) async fn follow(certificates: Rc<RefCell<Certificates>>) {
    let mut tick = interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        certificates.borrow_mut().look();
    }
}
