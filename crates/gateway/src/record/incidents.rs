//! Incidents on their way to the store: so many of each cause and client a second, the rest is counted.
//!
//! The data path never waits for the disk, so the way has a bound. Whoever provokes errors as fast as can be must not
//! fill it, or those of others would be lost.

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

/// Incidents that wait.
const MAX_WAITING: usize = 10_000;
/// Places that causes and clients are counted in. Two that share one share its bound, which harms neither.
const SLOTS: usize = 4096;
/// Incidents of one cause and client that are handed on within a second.
const MAX_PER_SECOND: u64 = 100;

/// What waits to be stored.
pub(crate) struct Incidents {
    /// Each with the place that it is counted in.
    waiting: ArrayQueue<(usize, Incident)>,
    lost: AtomicU64,
    slots: Vec<Slot>,
    hasher: RandomState,
    /// The latest of each place that was taken, for what is only counted. The control plane's alone.
    latest: Mutex<HashMap<usize, Incident>>,
}

#[derive(Default)]
struct Slot {
    /// A second in the upper half, how many there were in it in the lower.
    second: AtomicU64,
    /// Those that were not handed on.
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

    /// Keeps an incident of a cause and client, or counts it: of a flood, most are not even made.
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

    /// All that wait, and for those that were only counted one that stands for them.
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

    /// Those that were lost since this was asked last, because too many waited.
    pub(crate) fn take_lost(&self) -> u64 {
        self.lost.swap(0, Ordering::Relaxed)
    }
}

impl Slot {
    /// Counts one in this second, and tells how many there were.
    fn count(&self, second: u64) -> u64 {
        let mine = second << 32;
        let next = |word: u64| if word >> 32 == second { word.saturating_add(1) } else { mine | 1 };
        // Ordering is of no matter: the bound is a guard, not a promise.
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
