//! Has the control plane write down what waits in memory, now and then.

use super::tasks::Stop;
use crate::{
    Control, Unsaved,
    failure::Failure,
    lifecycle::{Alarm, Lifecycle},
};
use gateway::record::{Level, LogSink};
use std::{cell::Cell, rc::Rc, sync::Arc, time::Duration};
use store::StoreError;
use tokio::time::sleep;

/// Saves now and then.
pub(super) struct Keeper {
    control: Rc<Control>,
    every: Rc<Cell<Duration>>,
    lifecycle: Arc<Lifecycle>,
    log: LogSink,
}

impl Keeper {
    /// `every`: how often it saves.
    pub(super) fn new(
        control: Rc<Control>,
        every: Rc<Cell<Duration>>,
        lifecycle: Arc<Lifecycle>,
        log: LogSink,
    ) -> Rc<Self> {
        Rc::new(Self { control, every, lifecycle, log })
    }

    /// Saves now and then until the end, never half of it.
    pub(super) async fn run(self: Rc<Self>, mut stop: Stop) {
        loop {
            tokio::select! {
                () = sleep(self.every.get()) => {}
                () = stop.wait() => return,
            }
            let saved = self.control.save(Unsaved::Incidents).await;
            self.report(&saved);
        }
    }

    /// Saves what the data plane did last.
    pub(super) async fn save_at_the_end(&self) -> Result<(), Failure> {
        let saved = self.control.save(Unsaved::Incidents).await;
        // What of the usage cannot be written stands in the log by then; a report is no reason to fail.
        let _ = self.control.save(Unsaved::Usage).await;
        saved.map_err(|error| Failure::new(format!("the last incidents could not be saved: {error}")))
    }

    /// Reports that the store fails, once, and that it works again, once. Requests go on meanwhile; only a restart
    /// would forget what was not saved.
    fn report(&self, saved: &Result<(), StoreError>) {
        let error = saved.as_ref().err().map(ToString::to_string);
        let what = error.as_ref().map(|error| format!("the store cannot be written: {error}"));
        if !self.lifecycle.raise(Alarm::Store, what) {
            return;
        }
        match error {
            Some(error) => {
                let effect = "requests go on; what is not saved would be forgotten in a restart";
                let members = [("error", error.as_str()), ("effect", effect)];
                self.log.event(Level::Error, "the store cannot be written", &members);
            }
            None => self.log.event(Level::Info, "the store can be written again", &[]),
        }
    }
}
