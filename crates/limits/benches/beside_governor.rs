//! Reserve and settle beside `governor`, the ecosystem's rate limiter, which cannot refund: `cargo bench -p
//! fairgate-limits`.
//!
//! Nobody is ever denied, so that all of it is the way of a request that is admitted. `timed` reads a clock
//! for each request, as a gateway has to: we the system's, governor its own. `untimed` reads none.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot begin has to say so")]
#![allow(clippy::indexing_slicing, reason = "the index is a random number below the length")]

use contract::Limit;
use divan::Bencher;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::FakeRelativeClock};
use limits::{Limits, Remembered, Reservation, Seat, Who};
use std::{
    cell::Cell,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, SystemTime},
};

fn main() {
    divan::main();
}

/// What is measured of every kind of limit.
const KINDS: [&str; 7] = [
    "2147483647 per day",
    "200000000 per second, burst 268435456",
    "2147483647 in all",
    "20 at once",
    "2147483647 per minute + 2147483647 per day + 2147483647 per month",
    "100000000 per second, burst 268435456 + 2147483647 per day + 20 at once",
    "2147483647 per rolling hour",
];
const DAY: &str = KINDS[0];
/// Requests in a sample: so many that two threads really meet.
const REQUESTS: u32 = 20_000;
const KEYS: usize = 100_000;

fn limits(texts: &str) -> Arc<Limits> {
    let limits = texts.split(" + ").map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect();
    Arc::new(Limits::new(limits).unwrap())
}

/// A unit a nanosecond, and four seconds' worth of them at once: more than anybody can ask for.
fn quota() -> Quota {
    Quota::with_period(Duration::from_nanos(1)).unwrap().allow_burst(NonZeroU32::MAX)
}

fn now() -> u64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    u64::try_from(since_epoch.as_millis()).unwrap()
}

fn who(number: usize) -> Who {
    // Spread, as digests are.
    let mixed = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    mixed.to_be_bytes()
}

fn charge(seat: &Seat, limits: &Arc<Limits>, now: u64) {
    Reservation::take(seat, limits, None, now, 1).unwrap().charge();
}

thread_local! {
    /// What this thread's connection remembers. Of another benchmark: other limits, so it is passed over.
    static CONNECTION: Cell<Remembered> = const { Cell::new(Remembered::nothing()) };
}

fn charge_again(connection: &mut Remembered, seat: &Seat, limits: &Arc<Limits>, now: u64) {
    let account = std::mem::take(connection);
    *connection = Reservation::take_again(account, seat, limits, None, now, 1).unwrap().charge();
}

fn release(seat: &Seat, limits: &Arc<Limits>, now: u64) {
    drop(Reservation::take(seat, limits, None, now, 1).unwrap());
}

/// One key, from one thread and from two at once.
mod one_key {
    use super::*;

    mod timed {
        use super::*;

        #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
        fn governor_check(bencher: Bencher<'_, '_>) {
            let limiter = RateLimiter::direct(quota());
            bencher.bench(|| limiter.check().unwrap());
        }

        #[divan::bench(args = KINDS, threads = [1, 2], sample_size = REQUESTS)]
        fn fairgate_charge(bencher: Bencher<'_, '_>, kind: &str) {
            let (seat, limits) = (Seat::default(), limits(kind));
            bencher.bench(|| charge(&seat, &limits, now()));
        }

        #[divan::bench(args = KINDS, threads = [1, 2], sample_size = REQUESTS)]
        fn fairgate_release(bencher: Bencher<'_, '_>, kind: &str) {
            let (seat, limits) = (Seat::default(), limits(kind));
            bencher.bench(|| release(&seat, &limits, now()));
        }

        #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
        fn fairgate_denial(bencher: Bencher<'_, '_>) {
            let (seat, limits) = (Seat::default(), limits("1 per month"));
            charge(&seat, &limits, now());
            bencher.bench(|| Reservation::take(&seat, &limits, None, now(), 1).unwrap_err());
        }
    }

    mod untimed {
        use super::*;

        #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
        fn governor_check(bencher: Bencher<'_, '_>) {
            let clock = FakeRelativeClock::default();
            let limiter = RateLimiter::direct_with_clock(quota(), clock);
            bencher.bench(|| limiter.check().unwrap());
        }

        #[divan::bench(args = KINDS, threads = [1, 2], sample_size = REQUESTS)]
        fn fairgate_charge(bencher: Bencher<'_, '_>, kind: &str) {
            let (seat, limits, now) = (Seat::default(), limits(kind), now());
            bencher.bench(|| charge(&seat, &limits, divan::black_box(now)));
        }

        /// On a connection that remembers the account of its key, as the gateway's do.
        #[divan::bench(args = KINDS, sample_size = REQUESTS)]
        fn fairgate_charge_again(bencher: Bencher<'_, '_>, kind: &str) {
            let (seat, limits, now) = (Seat::default(), limits(kind), now());
            let mut connection = Remembered::nothing();
            bencher.bench_local(|| charge_again(&mut connection, &seat, &limits, divan::black_box(now)));
        }

        /// The same from two connections at once, each with a thread of its own.
        #[divan::bench(args = KINDS, threads = [2], sample_size = REQUESTS)]
        fn fairgate_charge_again_from_two(bencher: Bencher<'_, '_>, kind: &str) {
            let (seat, limits, now) = (Seat::default(), limits(kind), now());
            bencher.bench(|| {
                CONNECTION.with(|place| {
                    let mut connection = place.take();
                    charge_again(&mut connection, &seat, &limits, divan::black_box(now));
                    place.set(connection);
                });
            });
        }
    }
}

/// One of 100,000 keys at random, from one thread and from two at once.
mod many_keys {
    use super::*;

    #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
    fn governor_check_key(bencher: Bencher<'_, '_>) {
        let limiter: DefaultKeyedRateLimiter<Who> = RateLimiter::keyed(quota());
        let keys: Vec<Who> = (0..KEYS).map(who).collect();
        keys.iter().for_each(|key| limiter.check_key(key).unwrap());
        bencher.bench(|| limiter.check_key(&keys[fastrand::usize(..KEYS)]).unwrap());
    }

    /// With the map that the gateway finds its keys in.
    #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
    fn fairgate_find_and_charge(bencher: Bencher<'_, '_>) {
        let (seats, limits) = (papaya::HashMap::<Who, Seat>::with_capacity(2 * KEYS), limits(DAY));
        let keys: Vec<Who> = (0..KEYS).map(who).collect();
        for key in &keys {
            charge(seats.pin().get_or_insert_with(*key, Seat::default), &limits, now());
        }
        bencher.bench(|| charge(seats.pin().get(&keys[fastrand::usize(..KEYS)]).unwrap(), &limits, now()));
    }

    /// On a connection that remembers its key.
    #[divan::bench(threads = [1, 2], sample_size = REQUESTS)]
    fn fairgate_charge(bencher: Bencher<'_, '_>) {
        let limits = limits(DAY);
        let seats: Vec<Seat> = (0..KEYS).map(|_| Seat::default()).collect();
        seats.iter().for_each(|seat| charge(seat, &limits, now()));
        bencher.bench(|| charge(&seats[fastrand::usize(..KEYS)], &limits, now()));
    }
}
