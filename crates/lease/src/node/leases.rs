//! All leases of a node: found by counter and slice, or by a handle that notices when its lease is gone.

use super::lease::Lease;
use crate::counter::CounterId;
use std::collections::HashMap;

/// A lease of a node. It does not outlive the lease: what is done with it later does nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Handle {
    index: u32,
    generation: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Leases {
    slots: Vec<Slot>,
    free: Vec<u32>,
    found: HashMap<(CounterId, u64), Handle>,
}

#[derive(Debug)]
struct Slot {
    generation: u32,
    lease: Option<Lease>,
}

impl Leases {
    pub(crate) fn find(&self, counter: CounterId, slice: u64) -> Option<Handle> {
        self.found.get(&(counter, slice)).copied()
    }

    #[inline]
    pub(crate) fn get(&self, handle: Handle) -> Option<&Lease> {
        let slot = self.slots.get(handle.index as usize)?;
        slot.lease.as_ref().filter(|_| slot.generation == handle.generation)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, handle: Handle) -> Option<&mut Lease> {
        let slot = self.slots.get_mut(handle.index as usize)?;
        slot.lease.as_mut().filter(|_| slot.generation == handle.generation)
    }

    /// Adds one. `None`: there are four thousand million.
    pub(crate) fn add(&mut self, lease: Lease) -> Option<Handle> {
        let key = (lease.counter, lease.slice);
        let index = match self.free.pop() {
            Some(index) => index,
            None => {
                self.slots.push(Slot { generation: 0, lease: None });
                u32::try_from(self.slots.len() - 1).ok()?
            }
        };
        let slot = self.slots.get_mut(index as usize)?;
        slot.lease = Some(lease);
        let handle = Handle { index, generation: slot.generation };
        self.found.insert(key, handle);
        Some(handle)
    }

    pub(crate) fn remove(&mut self, handle: Handle) {
        let Some(slot) = self.slots.get_mut(handle.index as usize) else { return };
        if slot.generation == handle.generation
            && let Some(lease) = slot.lease.take()
        {
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(handle.index);
            self.found.remove(&(lease.counter, lease.slice));
        }
    }

    /// All of them, in an order that does not depend on chance.
    pub(crate) fn handles(&self) -> impl Iterator<Item = Handle> {
        let slots = (0_u32..).zip(&self.slots).filter(|(_, slot)| slot.lease.is_some());
        slots.map(|(index, slot)| Handle { index, generation: slot.generation })
    }

    /// Those of at most `most` slots from `from` on, and where the slots behind them begin. `None`: there are none behind them.
    pub(crate) fn some(&self, from: usize, most: usize) -> (impl Iterator<Item = &Lease>, Option<usize>) {
        let rest = self.slots.get(from..).unwrap_or_default();
        let next = (rest.len() > most).then(|| from + most);
        (rest.iter().take(most).filter_map(|slot| slot.lease.as_ref()), next)
    }

    pub(crate) fn len(&self) -> usize {
        self.found.len()
    }
}
