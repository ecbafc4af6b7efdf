//! Waiting for a condition with a deadline, so that no test sleeps for luck.

use super::wire::PATIENCE;
use std::{
    sync::{Arc, Condvar, Mutex},
    time::{Duration, Instant},
};

/// A gate that one thread waits at until another opens it for good.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    /// Waits until the gate is open. False: it was still closed after the timeout of a test.
    pub(crate) fn wait(&self) -> bool {
        let shut = self.0.0.lock().unwrap();
        let (open, _) = self.0.1.wait_timeout_while(shut, PATIENCE, |open| !*open).unwrap();
        *open
    }
}

/// Polls until there is a value; fails with `what` after the timeout of a test.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = ask() {
            return found;
        }
        assert!(Instant::now() < deadline, "timed out waiting: {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}
