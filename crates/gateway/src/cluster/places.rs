//! Lost places among the requests in flight: the ledger may give them to other nodes, so their
//! requests are ended.

use super::{Cluster, State};
use smallvec::SmallVec;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The places of a request.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    cluster: Arc<Cluster>,
    flags: SmallVec<[Arc<AtomicBool>; 1]>,
}

impl Places {
    pub(super) const fn new(cluster: Arc<Cluster>, flags: SmallVec<[Arc<AtomicBool>; 1]>) -> Self {
        Self { cluster, flags }
    }

    /// Waits until one of them is lost.
    pub(crate) async fn lost(&self) {
        loop {
            let mut lost = pin!(self.cluster.lost.notified());
            // Before the check, so that no notification is missed.
            lost.as_mut().enable();
            if self.flags.iter().any(|flag| flag.load(Ordering::Acquire)) {
                return;
            }
            lost.await;
        }
    }
}

impl State {
    /// Marks the places that were lost. True: there were some.
    pub(super) fn lose_places(&mut self) -> bool {
        let mut has_any = false;
        while let Some(handle) = self.node.lost_places() {
            if let Some(flag) = self.places.remove(&handle) {
                flag.store(true, Ordering::Release);
                has_any = true;
            }
        }
        has_any
    }

    /// Removes the flags that no request holds.
    pub(super) fn sweep_places(&mut self) {
        self.places.retain(|_, flag| Arc::strong_count(flag) > 1);
    }
}
