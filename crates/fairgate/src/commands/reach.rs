//! Reaches the control plane: that of the gateway that runs on the store, else one of our own.

use crate::{
    admin::{Control, Offline, Operation, OperationError, Outcome, Rules, ask, system_clock},
    config::Config,
    failure::Failure,
    limit,
};
use std::{
    thread,
    time::{Duration, Instant},
};
use store::{Embedded, StoreError};

/// So long a command waits for a store that another command, or a gateway that starts, has open.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// The way to the control plane.
pub(crate) struct Reach {
    config: Config,
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
        Self { config, found: None }
    }

    /// Whether a gateway did what was asked last.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.found, Some(Found::Gateway))
    }

    /// Has an operation carried out.
    ///
    /// A store that is locked by somebody who does not answer on the socket belongs to another
    /// command or to a gateway that is just starting or stopping: both are over soon.
    pub(crate) fn execute(&mut self, operation: Operation) -> Result<Outcome, Failure> {
        if let Some(Found::Own(control)) = &mut self.found {
            return Ok(control.execute(operation)?);
        }
        let begun = Instant::now();
        loop {
            if let Some(outcome) = ask(&self.config.store.path, &operation)? {
                self.found = Some(Found::Gateway);
                return Ok(outcome);
            }
            match Embedded::open(&self.config.store.path) {
                Ok((store, secret)) => {
                    let rules = rules(&self.config);
                    let live = Box::new(Offline);
                    let mut control = Control::new(Box::new(store), secret, rules, live, system_clock);
                    let outcome = control.execute(operation);
                    self.found = Some(Found::Own(Box::new(control)));
                    return Ok(outcome?);
                }
                Err(StoreError::Locked { .. }) if begun.elapsed() < PATIENCE => thread::park_timeout(PAUSE),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// What the control plane needs to know about keys.
pub(crate) fn rules(config: &Config) -> Rules {
    Rules {
        plans: config.settings.plans.clone(),
        read_limit: |text| limit::read(text).map_err(|wrong| format!("{}; {}", wrong.why, wrong.help)),
        pattern: config.settings.keys.pattern.clone(),
    }
}

/// The gateway answered something else than what was asked.
pub(crate) fn mismatch() -> Failure {
    let why = "its answer fits another question".into();
    Failure::from(OperationError::NotUnderstood { why })
}
