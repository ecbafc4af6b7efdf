//! Reserves and settles so many times: `settle KIND charge|charge again|release|denial COUNT`, KIND such as `"9 per day + 5 at
//! once"`, or `governor` for the check of the ecosystem's rate limiter. For `bench/instructions.py`.

use contract::Limit;
use governor::{Quota, RateLimiter, clock::FakeRelativeClock};
use limits::{Limits, Remembered, Reservation, Seat};
use std::{hint::black_box, num::NonZeroU32, process::ExitCode, sync::Arc, time::Duration};

const NOW: u64 = 1_790_000_000_000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [kind, end, count] = arguments.as_slice() else { return ExitCode::from(2) };
    let Ok(count) = count.parse() else { return ExitCode::from(2) };
    let as_expected = if kind == "governor" { check(count) } else { settle(kind, end, count) };
    match as_expected {
        Some(true) => ExitCode::SUCCESS,
        Some(false) => ExitCode::FAILURE,
        None => ExitCode::from(2),
    }
}

/// Whether each of so many requests ended as it had to. None: the arguments are wrong.
fn settle(kind: &str, end: &str, count: u32) -> Option<bool> {
    let parsed: Result<_, _> = kind.split(" + ").map(|text| Limit::parse(text, &mut |_| None)).collect();
    let limits = Arc::new(Limits::new(parsed.ok()?).ok()?);
    let seat = Seat::default();
    let take = || Reservation::take(black_box(&seat), black_box(&limits), None, black_box(NOW), 1);
    Some(match end {
        "charge" => (0..count).all(|_| take().map(Reservation::charge).is_ok()),
        "charge again" => {
            let (mut connection, place) = (Remembered::nothing(), black_box(&seat));
            let mut charge = || {
                let account = std::mem::take(&mut connection);
                let taken =
                    Reservation::take_again(account, place, black_box(&limits), None, black_box(NOW), 1);
                taken.map(|reservation| connection = reservation.charge()).is_ok()
            };
            (0..count).all(|_| charge())
        }
        "release" => (0..count).all(|_| take().map(drop).is_ok()),
        "denial" => (0..count).all(|_| take().is_err()),
        _ => return None,
    })
}

fn check(count: u32) -> Option<bool> {
    let quota = Quota::with_period(Duration::from_nanos(1))?.allow_burst(NonZeroU32::MAX);
    let limiter = RateLimiter::direct_with_clock(quota, FakeRelativeClock::default());
    Some((0..count).all(|_| black_box(&limiter).check().is_ok()))
}
