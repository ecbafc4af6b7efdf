//! The phases of the gateway: starting, ready, draining; and its alarms. Asked for by whoever decides where requests go.

use crate::cluster_health::{ClusterHealth, Figures};
use gateway::{Handle, ThreadLoad};
use std::{
    collections::BTreeMap,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, Ordering},
    },
};

/// A data thread that has not looked after itself for so long is stuck: it does so twenty times a second.
const STUCK: u64 = 10_000;

/// A phase of the gateway's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Requests wait in the system's queues, or cannot connect yet.
    Starting,
    /// Requests are let in.
    Serving,
    /// Running answers end, and nobody is let in.
    Draining,
}

/// The phase that the gateway is in, and its alarms. Shared by all who report them.
#[derive(Default)]
pub(crate) struct Lifecycle {
    phase: AtomicU8,
    handle: OnceLock<Handle>,
    /// What is wrong at present, each with all that an operator needs to know.
    alarms: Mutex<BTreeMap<Alarm, String>>,
    cluster: ClusterHealth,
}

/// What can be wrong while requests are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Alarm {
    /// The store's folder was removed or replaced.
    StoreGone,
    /// Charges cannot be written down.
    Charges,
    /// Incidents cannot be written.
    Store,
    /// The records of the cluster are out of reach.
    Records,
    /// The copy of the cluster's records cannot be kept.
    Copy,
    /// This node does not fit into its cluster.
    Member,
    /// The ledger of shared limits cannot be reached.
    Ledger,
    /// The ledger grants nothing to this node.
    NotGranted,
    /// Members have not said their totals since the ledger was replaced.
    Awaited,
}

impl Lifecycle {
    /// A phase begins.
    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// From now on there are data threads to look at.
    pub(crate) fn know(&self, handle: Handle) {
        let _ = self.handle.set(handle);
    }

    pub(crate) fn phase(&self) -> Phase {
        let is = |phase: Phase| self.phase.load(Ordering::Relaxed) == phase as u8;
        if is(Phase::Serving) {
            Phase::Serving
        } else if is(Phase::Draining) {
            Phase::Draining
        } else {
            Phase::Starting
        }
    }

    /// What the data threads have to do. Empty: there are none yet.
    pub(crate) fn loads(&self) -> Vec<ThreadLoad> {
        self.handle.get().map(Handle::loads).unwrap_or_default()
    }

    /// How the servers are that the nodes of a cluster share.
    pub(crate) const fn cluster(&self) -> &ClusterHealth {
        &self.cluster
    }

    /// What this node has of shared limits. None: it shares none.
    pub(crate) fn figures(&self) -> Option<Figures> {
        self.handle.get()?.cluster().map(|cluster| Figures::of(cluster))
    }

    /// Something is wrong from now on, or no more. Tells whether that is news.
    pub(crate) fn raise(&self, alarm: Alarm, what: Option<String>) -> bool {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            Some(what) => alarms.insert(alarm, what).is_none(),
            None => alarms.remove(&alarm).is_some(),
        }
    }

    /// All that is wrong at present.
    pub(crate) fn alarms(&self) -> Vec<String> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn is_raised(&self, alarm: Alarm) -> bool {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&alarm)
    }

    /// In one word how it stands: `ready`, or why it is not.
    pub(crate) fn word(&self) -> &'static str {
        match self.phase() {
            Phase::Starting => "starting",
            Phase::Draining => "draining",
            // First, because it can be why charges cannot be saved.
            Phase::Serving if self.is_raised(Alarm::StoreGone) => "store gone",
            Phase::Serving if self.handle.get().is_some_and(Handle::is_stopped) => "stopped by a full disk",
            Phase::Serving => "ready",
        }
    }

    /// Whether requests should be sent here.
    pub(crate) fn is_ready(&self) -> bool {
        self.word() == "ready"
    }

    /// Whether it works at all, so that ending it would help nobody.
    pub(crate) fn is_live(&self) -> bool {
        self.phase() == Phase::Starting || self.loads().iter().all(|load| load.silent_millis < STUCK)
    }
}
