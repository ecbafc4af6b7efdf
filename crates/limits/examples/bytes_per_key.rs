//! Bytes that counters take on the heap for each key, beside the keyed limiter of `governor`: `cargo run --release
//! -p fairgate-limits --example bytes_per_key`.

use contract::{Limit, LimitError};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use limits::{Limits, Reservation, Seat, Who};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::{alloc::System, error::Error, num::NonZeroU32, sync::Arc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const KEYS: u32 = 1_000_000;
const NOW: u64 = 1_790_000_000_000;
const PLANS: [&[&str]; 6] = [
    &["9 per day"],
    &["9 per second, burst 9"],
    &["9 per minute", "9 per day", "9 per month"],
    &["9 per minute", "9 per day", "9 per month", "9 in all"],
    &["9 per rolling hour"],
    &["9 per minute", "9 per day", "9 per rolling hour"],
];

fn main() -> Result<(), Box<dyn Error>> {
    let seat = size_of::<Seat>();
    println!("{seat:>6} a key that has used nothing");
    for texts in PLANS {
        let parsed: Result<Vec<_>, LimitError> =
            texts.iter().map(|text| Limit::parse(text, &mut |_| None)).collect();
        let limits = Arc::new(Limits::new(parsed?)?);
        let seats: Vec<Seat> = (0..KEYS).map(|_| Seat::default()).collect();
        let bytes = held(|| {
            let charge = |seat| Reservation::take(seat, &limits, None, NOW, 1).map(Reservation::charge);
            seats.iter().all(|seat| charge(seat).is_ok())
        });
        println!("{:>6} {}", seat + bytes, texts.join(" + "));
    }
    let limiter: DefaultKeyedRateLimiter<Who> = RateLimiter::keyed(Quota::per_second(NonZeroU32::MAX));
    let bytes = held(|| (0..KEYS).all(|key| limiter.check_key(&who(key)).is_ok()));
    println!("{bytes:>6} governor, with the map that finds the key");
    Ok(())
}

fn who(number: u32) -> Who {
    let mut who = [0; 16];
    let (place, _) = who.split_at_mut(4);
    place.copy_from_slice(&number.to_le_bytes());
    who
}

/// Bytes on the heap, a key, that are held when `run` is over.
fn held(run: impl FnOnce() -> bool) -> usize {
    let region = Region::new(ALLOCATOR);
    let all_went_well = run();
    let change = region.change();
    assert!(all_went_well, "a request was denied");
    (change.bytes_allocated - change.bytes_deallocated) / KEYS as usize
}
