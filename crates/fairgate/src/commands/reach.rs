//! Reaches the control plane: that of the gateway that runs on the store, otherwise one in this process.
//!
//! A running gateway is queried even if the configuration file is broken or missing, and if the store's folder is gone:
//! it knows both, and a key may have to be revoked at 3 a.m.

use crate::{failure::Failure, output};
use config::{Config, Faults};
use control::{
    Actor, Control, FoundBy, Operation, Place, ShowStatus, Stores, ask, cluster, serve::rules, system_clock,
};
use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use store::{Embedded, StoreError};

/// So long a command waits for a store that another command, or a gateway that starts, has open.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The way to the control plane.
pub(crate) struct Reach {
    /// The configuration, or what is wrong with the file.
    config: Result<Box<Config>, Faults>,
    file: PathBuf,
    found: Option<Found>,
}

enum Found {
    /// A gateway runs.
    Gateway,
    /// None runs: the store is open here, and locked for others until the command ends.
    Own(Box<Control>),
}

impl Reach {
    pub(crate) fn new(config: Config) -> Self {
        Self { file: config.node.sources.path.clone(), config: Ok(Box::new(config)), found: None }
    }

    /// By a configuration file, which may have faults as long as a gateway runs that was started with it.
    pub(crate) fn by_file(file: &Path) -> Self {
        let config = config::load(file, config::Extent::File).map(Box::new);
        Self { config, file: file.to_owned(), found: None }
    }

    /// The configuration, if it has no faults.
    pub(crate) fn config(&self) -> Option<&Config> {
        self.config.as_deref().ok()
    }

    /// What is wrong with the file.
    pub(crate) fn faults(&self) -> Option<&Faults> {
        self.config.as_ref().err()
    }

    /// Whether a gateway did what was asked last.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.found, Some(Found::Gateway))
    }

    /// Has an operation carried out.
    ///
    /// A store that is locked by somebody who does not answer on the socket belongs to another
    /// command or to a gateway that is just starting or stopping: both are over soon.
    pub(crate) fn execute<O: Operation>(&mut self, operation: O) -> Result<O::Response, Failure> {
        if let Some(Found::Own(control)) = &self.found {
            return Ok(store::wait(control.execute(Actor::this_user(), operation))?);
        }
        let store = self.config().map(|config| config.node.store.path.clone());
        let place = Place { store, config: Some(self.file.clone()) };
        let begun = Instant::now();
        loop {
            if let Some((outcome, by)) = ask(&place, &operation)? {
                if self.found.is_none() {
                    self.found = Some(Found::Gateway);
                    self.warn(&place, by, O::NAME);
                }
                return Ok(outcome);
            }
            let config = self.config.as_deref().map_err(|faults| Failure::from(faults.clone()))?;
            let opened = match &config.node.cluster {
                None => Embedded::open(&config.node.store.path)
                    .map(|(store, secret)| (Stores::from(store), secret)),
                Some(settings) => cluster::stores(settings),
            };
            match opened {
                Ok((stores, secret)) => {
                    let rules = rules(&config.data_plane);
                    let control = Control::new(stores, secret, rules, None, system_clock);
                    let outcome = store::wait(control.execute(Actor::this_user(), operation));
                    self.found = Some(Found::Own(Box::new(control)));
                    return Ok(outcome?);
                }
                Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => thread::park_timeout(PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Warns on standard error about oddities of the gateway that was queried.
    fn warn(&self, place: &Place, by: FoundBy, asked: &str) {
        // The status contains the same, and more.
        if asked == ShowStatus::NAME {
            return;
        }
        if self.config.is_err() {
            eprintln!(
                "warning: {} cannot be used: `fairgate config check` says why. The running gateway was asked, which continues with the configuration that it read before.",
                output::plain(&self.file.display().to_string())
            );
        }
        let Ok(Some((status, _))) = ask(place, &ShowStatus {}) else { return };
        for alarm in status.alarms {
            eprintln!("warning: {}", output::plain(&alarm));
        }
        if by == FoundBy::Config
            && let Some(config) = self.config()
            && std::path::absolute(&config.node.store.path).is_ok_and(|named| named != status.store)
        {
            eprintln!(
                "warning: {} says `[store] path` {}, but the running gateway, which was asked, has its store in {}: only a restart changes that.",
                output::plain(&self.file.display().to_string()),
                output::plain(&config.node.store.path.display().to_string()),
                output::plain(&status.store.display().to_string())
            );
        }
    }
}
