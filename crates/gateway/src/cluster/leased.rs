//! Units taken from leases: settled together with their reservation, or returned.

use super::{Cluster, Places, State};
use lease::{Micros, Receipt, Waiting};
use smallvec::SmallVec;
use std::sync::{Arc, atomic::AtomicBool};

/// Units of every limit that applies to a request. When dropped, they return to the leases.
#[derive(Debug)]
pub(crate) struct Leased {
    cluster: Arc<Cluster>,
    parts: SmallVec<[Part; 3]>,
    /// Set when a place was lost.
    flags: SmallVec<[Arc<AtomicBool>; 1]>,
}

/// The units of one limit.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    Held(Held),
    /// The ledger was asked.
    Waits {
        waiting: Waiting,
        position: usize,
        keeps_charges: bool,
    },
}

/// Units taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub(super) receipt: Receipt,
    /// False: a place among the requests in flight.
    pub(super) keeps_charges: bool,
}

impl Leased {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self { cluster, parts: SmallVec::new(), flags: SmallVec::new() }
    }

    pub(super) const fn cluster(&self) -> &Arc<Cluster> {
        &self.cluster
    }

    /// Whether some of the units are still requested from the ledger.
    pub(crate) fn waits(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Waits { .. }))
    }

    /// Keeps only `cost` units of each limit, and returns the rest.
    pub(crate) fn lower_to(&mut self, cost: u32) {
        let (cluster, parts) = (Arc::clone(&self.cluster), &mut self.parts);
        cluster.with(|state, now| {
            for part in parts {
                let Part::Held(Held { receipt, keeps_charges: true }) = part else { continue };
                let surplus = receipt.units.saturating_sub(cost);
                if surplus > 0 {
                    state.node.release(now, Receipt { units: surplus, ..*receipt });
                    receipt.units -= surplus;
                }
            }
        });
    }

    /// Returns the places among the requests in flight, and nothing else.
    pub(crate) fn land(&mut self) {
        if !self.has_places() {
            return;
        }
        let cluster = Arc::clone(&self.cluster);
        cluster.with(|state, now| self.parts.retain(|part| !is_released_place(part, state, now)));
        self.flags.clear();
    }

    /// The units are charged; places are returned on drop, like everything that is not charged.
    pub(crate) fn charge(mut self: Box<Self>) {
        self.charge_all();
    }

    /// The units are charged; the returned value keeps the places.
    pub(crate) fn charge_and_stay(mut self: Box<Self>) -> Option<Box<Self>> {
        self.charge_all();
        self.has_places().then_some(self)
    }

    /// Notifies when a place was lost. None: there are no places.
    pub(crate) fn places(&self) -> Option<Places> {
        let has_any = !self.flags.is_empty();
        has_any.then(|| Places::new(Arc::clone(&self.cluster), self.flags.clone()))
    }

    pub(super) fn add(&mut self, state: &mut State, part: Part) {
        if let Part::Held(held) = &part {
            self.note_place(state, held);
        }
        self.parts.push(part);
    }

    /// Replaces what is waiting by the result of `look`: units, more waiting, or nothing.
    pub(super) fn replace_waiting(
        &mut self,
        state: &mut State,
        mut look: impl FnMut(&mut State, Waiting, usize) -> Option<Result<Receipt, Waiting>>,
    ) {
        for part in std::mem::take(&mut self.parts) {
            let Part::Waits { waiting, position, keeps_charges } = part else {
                self.parts.push(part);
                continue;
            };
            match look(state, waiting, position) {
                Some(Ok(receipt)) => self.add(state, Part::Held(Held { receipt, keeps_charges })),
                Some(Err(waiting)) => self.parts.push(Part::Waits { waiting, position, keeps_charges }),
                None => {}
            }
        }
    }

    pub(super) fn give_back(&mut self, state: &mut State, now: Micros) {
        for part in self.parts.drain(..) {
            match part {
                Part::Held(held) => state.node.release(now, held.receipt),
                Part::Waits { waiting, .. } => state.node.abandon(waiting),
            }
        }
        self.flags.clear();
    }

    fn has_places(&self) -> bool {
        !self.flags.is_empty()
    }

    fn note_place(&mut self, state: &mut State, held: &Held) {
        if !held.keeps_charges && held.receipt.units > 0 {
            let flag = state.places.entry(held.receipt.lease).or_default();
            self.flags.push(Arc::clone(flag));
        }
    }

    fn charge_all(&mut self) {
        let cluster = Arc::clone(&self.cluster);
        cluster.with(|state, now| {
            self.parts.retain(|part| match part {
                Part::Held(Held { receipt, keeps_charges: true }) => {
                    state.node.charge(now, *receipt, receipt.units);
                    false
                }
                Part::Held(Held { keeps_charges: false, .. }) | Part::Waits { .. } => true,
            });
        });
    }
}

fn is_released_place(part: &Part, state: &mut State, now: Micros) -> bool {
    match part {
        Part::Held(Held { receipt, keeps_charges: false }) => {
            state.node.release(now, *receipt);
            true
        }
        Part::Held(Held { keeps_charges: true, .. }) | Part::Waits { .. } => false,
    }
}

impl Drop for Leased {
    fn drop(&mut self) {
        if !self.parts.is_empty() {
            let cluster = Arc::clone(&self.cluster);
            cluster.with(|state, now| self.give_back(state, now));
        }
    }
}
