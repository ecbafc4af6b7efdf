//! When the demo ends: at a signal, from its very beginning on.

use crate::failure::Failure;
use std::{sync::Arc, thread};
use tokio::{
    runtime::Runtime,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
};

/// Notifies every part of the demo of its end.
#[derive(Clone)]
pub(super) struct Stop(Arc<watch::Sender<bool>>);

impl Stop {
    /// One that signals trigger. From here on no signal ends the process by itself, so that the
    /// temporary folder is always removed.
    pub(super) fn on_signals() -> Result<Self, Failure> {
        let failed = |error| Failure::new(format!("cannot wait for signals: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let signals = {
            let _inside = runtime.enter();
            let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
            let [terminate, interrupt, hangup] = kinds.map(signal);
            [terminate.map_err(failed)?, interrupt.map_err(failed)?, hangup.map_err(failed)?]
        };
        let stop = Self(Arc::new(watch::Sender::new(false)));
        let notifier = stop.clone();
        let waiting = move || notifier.at_signal(&runtime, signals);
        thread::Builder::new().name("signals".into()).spawn(waiting).map_err(failed)?;
        Ok(stop)
    }

    /// Waits until the demo ends.
    pub(super) async fn wait(self) {
        // The sender lives as long as we do, so there is no error to wait for.
        let _ = self.0.subscribe().wait_for(|stops| *stops).await;
    }

    /// Whether the demo ends.
    pub(super) fn has_come(&self) -> bool {
        *self.0.borrow()
    }

    fn at_signal(&self, runtime: &Runtime, [mut terminate, mut interrupt, mut hangup]: [Signal; 3]) {
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        self.0.send_replace(true);
    }
}
