//! The abuse guard: since errors are free, a ceiling on them per key and per address.
//!
//! It never affects an account's limits. Its memory does not grow with the number of addresses: an
//! address may be forgotten early (its ceiling is then higher), but attackers cannot make addresses
//! collide.

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
};

/// Errors within the current minute.
#[derive(Debug, Default)]
pub struct ErrorCount(AtomicU64);

/// Errors per address within the current minute, in a table of fixed size.
#[derive(Debug)]
pub struct AddressGuard {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

/// The slots of an address. Computed once for each connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressKey {
    first_slot: usize,
    tag: u64,
}

/// The number of slots that an address may use.
const WAYS: usize = 4;
/// The total number of slots: 512 KiB.
const SLOTS: usize = 1 << 16;

const TAG_BITS: u32 = 20;
const MINUTE_BITS: u32 = 24;
const COUNT_BITS: u32 = 20;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
const MINUTE_MASK: u64 = (1 << MINUTE_BITS) - 1;

// === impl ErrorCount ===

impl ErrorCount {
    /// Counts an error at `now` (Unix seconds).
    pub fn count(&self, now: u64) {
        let minute = now / 60;
        // Ordering does not matter: the ceiling is a safeguard, not exact.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            Some(if word >> 32 == minute { word.saturating_add(1) } else { (minute << 32) | 1 })
        });
    }

    /// A copy of the count.
    pub(crate) fn copy(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Relaxed)))
    }

    /// Errors within the minute of `now`.
    pub fn within_minute(&self, now: u64) -> u64 {
        let word = self.0.load(Ordering::Relaxed);
        if word >> 32 == now / 60 { word & 0xffff_ffff } else { 0 }
    }
}

// === impl AddressGuard ===

impl Default for AddressGuard {
    fn default() -> Self {
        let slots = std::iter::repeat_with(AtomicU64::default).take(SLOTS).collect();
        Self { slots, hasher: RandomState::new() }
    }
}

impl AddressGuard {
    /// The slots of an address. IPv6 addresses are counted by /64, the smallest network that a customer gets.
    pub fn key(&self, address: IpAddr) -> AddressKey {
        let hash = match address.to_canonical() {
            IpAddr::V4(v4) => self.hasher.hash_one(v4.octets()),
            IpAddr::V6(v6) => self.hasher.hash_one(v6.to_bits() >> 64),
        };
        let sets = (SLOTS / WAYS) as u64;
        AddressKey { first_slot: (hash % sets) as usize * WAYS, tag: hash >> (64 - TAG_BITS) }
    }

    /// Counts an error at `now` (Unix seconds).
    pub fn count(&self, key: AddressKey, now: u64) {
        let minute = (now / 60) & MINUTE_MASK;
        let set = self.set(key);
        let fresh = pack(key.tag, minute, 1);
        if let Some(slot) = set.iter().find(|slot| same(slot.load(Ordering::Relaxed), key.tag, minute)) {
            let _ = slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                (same(word, key.tag, minute) && word & COUNT_MASK < COUNT_MASK).then_some(word + 1)
            });
            return;
        }
        // The address gets the slot of a past minute, otherwise the one with the fewest errors.
        let value =
            |word: u64| if (word >> COUNT_BITS) & MINUTE_MASK == minute { word & COUNT_MASK } else { 0 };
        if let Some(slot) = set.iter().min_by_key(|slot| value(slot.load(Ordering::Relaxed))) {
            slot.store(fresh, Ordering::Relaxed);
        }
    }

    /// Errors within the minute of `now`.
    pub fn within_minute(&self, key: AddressKey, now: u64) -> u64 {
        let minute = (now / 60) & MINUTE_MASK;
        let words = self.set(key).iter().map(|slot| slot.load(Ordering::Relaxed));
        words.filter(|&word| same(word, key.tag, minute)).map(|word| word & COUNT_MASK).next().unwrap_or(0)
    }

    fn set(&self, key: AddressKey) -> &[AtomicU64] {
        self.slots.get(key.first_slot..key.first_slot + WAYS).unwrap_or_default()
    }
}

const fn pack(tag: u64, minute: u64, count: u64) -> u64 {
    (tag << (MINUTE_BITS + COUNT_BITS)) | (minute << COUNT_BITS) | count
}

const fn same(word: u64, tag: u64, minute: u64) -> bool {
    word >> COUNT_BITS == (tag << MINUTE_BITS) | minute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_within_a_minute_and_forgotten_after_it() {
        let errors = ErrorCount::default();
        for _ in 0..3 {
            errors.count(119);
        }
        assert_eq!(errors.within_minute(119), 3);
        assert_eq!(errors.within_minute(120), 0);
        errors.count(120);
        assert_eq!(errors.within_minute(120), 1);
    }

    #[test]
    fn addresses_are_counted_apart_and_ipv6_by_64() {
        let guard = AddressGuard::default();
        let one = guard.key("2001:db8::1".parse().unwrap());
        assert_eq!(one, guard.key("2001:db8::ffff:1".parse().unwrap()));
        let two = guard.key("2001:db8:0:1::1".parse().unwrap());
        guard.count(one, 60);
        guard.count(one, 61);
        guard.count(two, 61);
        assert_eq!(guard.within_minute(one, 61), 2);
        assert_eq!(guard.within_minute(two, 61), 1);
        assert_eq!(guard.within_minute(one, 121), 0);
        let v4 = guard.key("192.0.2.1".parse().unwrap());
        assert_eq!(v4, guard.key("::ffff:192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn a_flood_of_addresses_does_not_bury_the_worst_ones() {
        let guard = AddressGuard::default();
        let worst = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|last| guard.key([192, 0, 2, last].into()));
        for key in worst {
            for _ in 0..1000 {
                guard.count(key, 0);
            }
        }
        for other in 0..200_000u32 {
            guard.count(guard.key(IpAddr::from((other + 0x0a00_0000).to_be_bytes())), 0);
        }
        assert_eq!(worst.map(|key| guard.within_minute(key, 0)), [1000; 10]);
        let empty = guard.slots.iter().filter(|slot| slot.load(Ordering::Relaxed) == 0).count();
        assert!(empty < SLOTS / 10, "all of the table is used but for {empty} slots");
    }

    #[test]
    fn more_errors_than_a_slot_counts_stay_the_most_that_it_counts() {
        let guard = AddressGuard::default();
        let key = guard.key("192.0.2.1".parse().unwrap());
        let [first, ..] = guard.set(key) else { panic!("a set has slots") };
        first.store(pack(key.tag, 2, COUNT_MASK - 1), Ordering::Relaxed);
        for _ in 0..3 {
            guard.count(key, 120);
            assert_eq!(guard.within_minute(key, 120), COUNT_MASK);
        }
    }
}
