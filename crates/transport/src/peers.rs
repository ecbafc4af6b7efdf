//! The number of connections of each address, in a table of fixed size shared by all data threads.
//!
//! Two rows, in each of which an address has one slot by a different hash: the smaller of both
//! counts is never below the true number, and rarely above (a count-min sketch).

use std::{
    hash::{BuildHasher, RandomState},
    net::IpAddr,
    sync::atomic::{AtomicU32, Ordering},
};

/// Slots in a row, a power of two.
const PLACES: usize = 1 << 15;

/// The connections of all addresses.
#[derive(Debug)]
pub struct Peers {
    rows: [Box<[AtomicU32]>; 2],
    hasher: RandomState,
}

impl Default for Peers {
    fn default() -> Self {
        let row = || std::iter::repeat_with(AtomicU32::default).take(PLACES).collect();
        Self { rows: [row(), row()], hasher: RandomState::new() }
    }
}

impl Peers {
    /// Counts a connection. False: the address already has `most`, and this one is not counted.
    pub fn enter(&self, address: IpAddr, most: u32) -> bool {
        let places = self.places(address);
        let counts = places.clone().map(|place| place.fetch_add(1, Ordering::Relaxed));
        let may = counts.min().is_none_or(|before| before < most);
        if !may {
            places.for_each(leave);
        }
        may
    }

    /// A counted connection has ended.
    pub fn leave(&self, address: IpAddr) {
        self.places(address).for_each(leave);
    }

    fn places(&self, address: IpAddr) -> impl Iterator<Item = &AtomicU32> + Clone {
        // IPv6 by /64, as everywhere: the smallest network that a customer gets.
        let hash = match address.to_canonical() {
            IpAddr::V4(v4) => self.hasher.hash_one(v4.octets()),
            IpAddr::V6(v6) => self.hasher.hash_one(v6.to_bits() >> 64),
        };
        let [low, high] = [hash, hash >> 32].map(|part| part as usize & (PLACES - 1));
        self.rows.iter().zip([low, high]).filter_map(|(row, place)| row.get(place))
    }
}

fn leave(place: &AtomicU32) {
    let _ = place.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_limited_to_its_connections_whatever_others_have() {
        let peers = Peers::default();
        let address = |number: u32| IpAddr::from((0x0a00_0000 + number).to_be_bytes());
        for number in 1..2000 {
            assert!(peers.enter(address(number), 100), "{number}");
        }
        for _ in 0..3 {
            assert!(peers.enter(address(0), 5));
        }
        let more = (0..10).filter(|_| peers.enter(address(0), 5)).count();
        assert!(more <= 2);
        for _ in 0..more + 3 {
            peers.leave(address(0));
        }
        assert!(peers.enter(address(0), 5));
    }

    #[test]
    fn ipv6_is_counted_by_64() {
        let peers = Peers::default();
        assert!(peers.enter("2001:db8::1".parse().unwrap(), 1));
        assert!(!peers.enter("2001:db8::2".parse().unwrap(), 1));
    }
}
