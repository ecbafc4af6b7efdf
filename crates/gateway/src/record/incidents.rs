//! The queue of incidents for the store: bounded per cause, client and second; the rest is only counted.
//!
//! The data path never waits for the disk, so the queue is bounded. A client that causes errors at
//! a high rate must not fill it, or incidents of others would be lost.

use crate::{clock::wall_millis, record::Incident};
use crossbeam_queue::ArrayQueue;
use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Maximum number of queued incidents.
const MAX_WAITING: usize = 10_000;
/// Slots in which causes and clients are counted. Two that collide share one limit, which harms neither.
const SLOTS: usize = 4096;
/// Incidents of one cause and client that are queued within a second.
const MAX_PER_SECOND: u64 = 100;

/// The queue.
pub(crate) struct Incidents {
    /// Each incident with its slot.
    waiting: ArrayQueue<(usize, Incident)>,
    lost: AtomicU64,
    slots: Vec<Slot>,
    hasher: RandomState,
    /// The latest stored incident of each slot, to report those that were only counted. Used only
    /// by the control plane.
    latest: Mutex<HashMap<usize, Incident>>,
}

#[derive(Default)]
struct Slot {
    /// The second in the upper half, the count within it in the lower half.
    second: AtomicU64,
    /// Incidents that were not queued.
    more: AtomicU64,
}

impl Incidents {
    pub(crate) fn new() -> Self {
        Self {
            waiting: ArrayQueue::new(MAX_WAITING),
            lost: AtomicU64::new(0),
            slots: std::iter::repeat_with(Slot::default).take(SLOTS).collect(),
            hasher: RandomState::new(),
            latest: Mutex::default(),
        }
    }

    /// Queues an incident of a cause and client, or only counts it: in a flood most are not even created.
    pub(crate) fn add(
        &self,
        (cause, client): (&str, impl Hash),
        at_millis: u64,
        incident: impl FnOnce() -> Incident,
    ) {
        let number =
            usize::try_from(self.hasher.hash_one((cause, client)) % SLOTS as u64).unwrap_or_default();
        if let Some(slot) = self.slots.get(number)
            && slot.count(at_millis / 1000) > MAX_PER_SECOND
        {
            slot.more.fetch_add(1, Ordering::Relaxed);
        } else if self.waiting.push((number, incident())).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// All queued incidents, plus one for each group that was only counted.
    pub(crate) fn take(&self) -> Vec<Incident> {
        let mut taken = Vec::new();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        for (number, incident) in std::iter::from_fn(|| self.waiting.pop()).take(self.waiting.capacity()) {
            latest.insert(number, incident.clone());
            taken.push(incident);
        }
        for (number, incident) in latest.iter() {
            let more = self.slots.get(*number).map_or(0, |slot| slot.more.swap(0, Ordering::Relaxed));
            if more > 0 {
                taken.push(Incident { more, at_millis: wall_millis(), ..incident.clone() });
            }
        }
        taken
    }

    /// Incidents lost since the last call because the queue was full.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

impl Slot {
    /// Counts one in this second, and returns how many there were.
    fn count(&self, second: u64) -> u64 {
        let mine = second << 32;
        let next = |word: u64| if word >> 32 == second { word.saturating_add(1) } else { mine | 1 };
        // Ordering does not matter: the limit is a safeguard, not exact.
        let update = self.second.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| Some(next(word)));
        next(update.unwrap_or_default()) & u64::from(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    fn incident(client: &str, number: u64) -> Incident {
        Incident {
            request_id: format!("req_{number}"),
            at_millis: 5_000,
            method: "GET".into(),
            path: "/".into(),
            endpoint: None,
            key_id: None,
            address: Some(client.into()),
            cause: "the upstream cannot be reached".into(),
            detail: String::new(),
            more: 0,
        }
    }

    #[test]
    fn one_client_leaves_room_for_the_incidents_of_others_and_all_are_counted() {
        let incidents = Incidents::new();
        let made = Cell::new(0);
        let add = |client: &str, number| {
            let make = || {
                made.set(made.get() + 1);
                incident(client, number)
            };
            incidents.add(("the upstream cannot be reached", client), 5_000, make);
        };
        for number in 0..12_000 {
            add("10.0.0.1", number);
        }
        add("10.0.0.2", 1);
        assert_eq!(made.get(), MAX_PER_SECOND + 1);
        let taken = incidents.take();
        let of =
            |client: &str| taken.iter().filter(|one| one.address.as_deref() == Some(client)).count() as u64;
        let counted: u64 = taken.iter().map(|one| one.more.max(1)).sum();
        assert_eq!((of("10.0.0.1"), of("10.0.0.2"), counted), (MAX_PER_SECOND + 1, 1, 12_001));
        assert_eq!(incidents.take_lost(), 0);
        assert!(incidents.take().is_empty());
    }
}
