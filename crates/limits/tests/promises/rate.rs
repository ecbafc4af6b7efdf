//! A rate with a burst against an ideal bucket, in exact fractions.

use crate::plans::{NOW, cases, limits, remaining};
use limits::{Limits, Reservation, Seat};
use proptest::prelude::*;
use std::sync::Arc;

/// A bucket of `burst` units into which `amount` flow each period. Levels are in units times the period's
/// milliseconds, so nothing is rounded.
#[derive(Debug, Clone)]
struct Ideal {
    amount: i128,
    burst: i128,
    period: i128,
    level: i128,
    at: u64,
}

impl Ideal {
    fn new(rate: &Rate, at: u64) -> Self {
        let (amount, burst, period) = (rate.amount.into(), rate.burst.into(), rate.period.1.into());
        Self { amount, burst, period, level: burst * period, at }
    }

    fn left(&mut self, now: u64) -> i128 {
        // A clock that goes back refills nothing, and takes nothing.
        let flown = i128::from(now.saturating_sub(self.at)) * self.amount;
        self.at = self.at.max(now);
        self.level = (self.level + flown).min(self.burst * self.period);
        self.level.div_euclid(self.period)
    }

    fn take(&mut self, now: u64, cost: u32) -> bool {
        let is_there = self.left(now) >= cost.into();
        if is_there {
            self.spend(now, cost);
        }
        is_there
    }

    /// Takes units, if there are enough.
    fn spend(&mut self, now: u64, cost: u32) {
        self.left(now);
        self.level -= i128::from(cost) * self.period;
    }
}

#[derive(Debug, Clone)]
struct Rate {
    amount: u32,
    burst: u32,
    period: (&'static str, u64),
}

impl Rate {
    fn limits(&self) -> Arc<Limits> {
        limits(&[&format!("{} per {}, burst {}", self.amount, self.period.0, self.burst)])
    }
}

fn rate() -> impl Strategy<Value = Rate> {
    let number = || prop_oneof![8 => 1u32..40, 1 => 1u32..1_000_000, 1 => Just(1u32 << 28)];
    let period = prop::sample::select(vec![("second", 1_000), ("minute", 60_000), ("hour", 3_600_000)]);
    (number(), number(), period).prop_map(|(amount, burst, period)| Rate { amount, burst, period })
}

/// Unix milliseconds: any, and such that the lower 32 bits of the time wrap around soon.
fn beginning() -> impl Strategy<Value = u64> {
    let wrapping = (400u64..430, 0u64..20_000).prop_map(|(high, before)| (high << 32) - before);
    prop_oneof![1_600_000_000_000u64..2_000_000_000_000, wrapping]
}

#[derive(Debug, Clone)]
struct Request {
    wait: u64,
    cost: u32,
    fails: bool,
}

fn request() -> impl Strategy<Value = Request> {
    // Up to seven days at once: by then the counter has restarted, whatever it holds.
    let wait = prop_oneof![4 => Just(0), 6 => 0u64..1_500, 3 => 0u64..200_000, 1 => 0u64..600_000_000];
    let cost = prop_oneof![6 => 1u32..4, 1 => 1u32..50, 1 => 1u32..(1 << 28)];
    (wait, cost, any::<bool>()).prop_map(|(wait, cost, fails)| Request { wait, cost, fails })
}

/// So short and cheap that the counter does not restart: that forgets what is in flight, once in six days.
fn short_request() -> impl Strategy<Value = Request> {
    let wait = prop_oneof![4 => Just(0), 6 => 0u64..1_500, 3 => 0u64..200_000];
    let cost = prop_oneof![6 => 1u32..4, 1 => 1u32..50, 1 => 1u32..(1 << 20)];
    (wait, cost, any::<bool>()).prop_map(|(wait, cost, fails)| Request { wait, cost, fails })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(500)))]

    /// The ideal bucket sees no failing requests.
    #[test]
    fn a_rate_grants_what_the_ideal_bucket_grants_and_errors_are_free(
        rate in rate(), begin in beginning(), requests in proptest::collection::vec(request(), 1..120)
    ) {
        let (limits, seat) = (rate.limits(), Seat::default());
        let (mut ideal, mut now) = (Ideal::new(&rate, begin), begin);
        for request in requests {
            now += request.wait;
            let taken = Reservation::take(&seat, &limits, None, now, request.cost);
            prop_assert_eq!(taken.is_ok(), ideal.clone().take(now, request.cost));
            if let (Ok(taken), false) = (taken, request.fails) {
                taken.charge();
                ideal.take(now, request.cost);
            }
            prop_assert_eq!(i128::from(remaining(&seat, &limits, now)[0]), ideal.left(now));
        }
    }

    /// Whatever is in flight meanwhile: from an instant at which the bucket was full on, no more than a burst and
    /// what flowed in is ever taken; and when all is settled, no less is left than if no request had failed.
    #[test]
    fn requests_in_flight_are_bounded_and_their_errors_are_free(
        rate in rate(), begin in beginning(),
        requests in proptest::collection::vec((short_request(), any::<prop::sample::Index>()), 1..120)
    ) {
        let (limits, seat) = (rate.limits(), Seat::default());
        let (mut without_errors, mut now) = (Ideal::new(&rate, begin), begin);
        let (mut in_flight, mut full_at, mut taken_since) = (vec![], begin, 0u128);
        for (request, settled) in requests {
            now += request.wait;
            if in_flight.is_empty() && remaining(&seat, &limits, now)[0] == rate.burst {
                (full_at, taken_since) = (now, 0);
            }
            if let Ok(taken) = Reservation::take(&seat, &limits, None, now, request.cost) {
                taken_since += u128::from(request.cost);
                if !request.fails {
                    without_errors.spend(now, request.cost);
                }
                in_flight.push((taken, request.fails));
            }
            if in_flight.len() > 3 {
                let (taken, fails) = in_flight.swap_remove(settled.index(in_flight.len()));
                if fails {
                    taken_since -= u128::from(taken.cost()).min(taken_since);
                    drop(taken);
                } else {
                    taken.charge();
                }
            }
            let flown = u128::from(now - full_at) * u128::from(rate.amount) / u128::from(rate.period.1);
            prop_assert!(taken_since <= u128::from(rate.burst) + flown);
        }
        for (taken, fails) in in_flight {
            if fails {
                drop(taken);
            } else {
                taken.charge();
            }
        }
        prop_assert!(i128::from(remaining(&seat, &limits, now)[0]) >= without_errors.left(now));
    }

    /// A client that waits for the reported time is admitted; a millisecond of a whole second less, and it is not.
    #[test]
    fn the_reset_of_a_denial_is_when_a_retry_succeeds(
        rate in rate(), begin in beginning(), requests in proptest::collection::vec(request(), 1..40)
    ) {
        let (limits, seat) = (rate.limits(), Seat::default());
        let mut now = begin;
        for request in requests {
            now += request.wait;
            let cost = request.cost.min(rate.burst);
            match Reservation::take(&seat, &limits, None, now, cost) {
                Ok(taken) => drop(taken.charge()),
                Err(denial) => {
                    let seconds = denial.reset.unwrap();
                    prop_assert_eq!(denial.limit().unwrap().amount, rate.amount);
                    prop_assert_eq!(denial.quota(), rate.burst);
                    prop_assert!(seconds >= 1);
                    // No plan has a rate that makes a client wait for weeks; the schedule ends here.
                    if seconds >= 20 * 86_400 {
                        return Ok(());
                    }
                    let early = now + (seconds - 1) * 1000;
                    prop_assert!(Reservation::take(&seat, &limits, None, early, cost).is_err() || seconds == 1);
                    now = denial.resets_at.unwrap() * 1000;
                    let retried = Reservation::take(&seat, &limits, None, now, cost);
                    prop_assert!(retried.is_ok());
                }
            }
        }
    }
}

#[test]
fn a_clock_that_goes_back_refills_nothing_until_it_has_caught_up() {
    let (limits, seat) = (limits(&["10 per second, burst 5"]), Seat::default());
    Reservation::take(&seat, &limits, None, NOW, 5).unwrap().charge();
    for back in [1, 999, 60_000, 86_400_000] {
        assert_eq!(remaining(&seat, &limits, NOW - back), [0]);
        assert!(Reservation::take(&seat, &limits, None, NOW - back, 1).is_err());
    }
    assert_eq!(remaining(&seat, &limits, NOW + 100), [1]);
}

#[test]
fn a_key_that_comes_back_after_weeks_finds_its_bucket_full() {
    let (limits, seat) = (limits(&["1 per hour, burst 3"]), Seat::default());
    Reservation::take(&seat, &limits, None, NOW, 3).unwrap().charge();
    for days in [1, 7, 24, 31] {
        let now = NOW + days * 86_400_000;
        assert_eq!(remaining(&seat, &limits, now), [3], "{days} days later");
    }
}

#[test]
fn a_bucket_that_is_not_full_for_months_grants_its_rate() {
    let (limits, seat) = (limits(&["1 per hour, burst 3"]), Seat::default());
    Reservation::take(&seat, &limits, None, NOW, 2).unwrap().charge();
    for hour in 0..100 * 24 {
        let now = NOW + hour * 3_600_000;
        assert_eq!(remaining(&seat, &limits, now), [1], "{hour}");
        Reservation::take(&seat, &limits, None, now, 1).unwrap().charge();
    }
}

#[test]
fn the_largest_rate_is_granted_for_ever_though_its_bucket_is_never_full() {
    let (limits, seat) = (limits(&["268435456 per second, burst 268435456"]), Seat::default());
    let half = 1 << 27;
    Reservation::take(&seat, &limits, None, NOW, half).unwrap().charge();
    for step in 0..100 {
        let now = NOW + step * 500;
        assert_eq!(remaining(&seat, &limits, now), [half], "{step}");
        Reservation::take(&seat, &limits, None, now, half).unwrap().charge();
        assert!(Reservation::take(&seat, &limits, None, now, 1).is_err());
    }
}

#[test]
fn an_error_that_took_several_periods_is_free() {
    let (limits, seat) = (limits(&["1 per second, burst 10"]), Seat::default());
    Reservation::take(&seat, &limits, None, NOW, 8).unwrap().charge();
    let in_flight = Reservation::take(&seat, &limits, None, NOW, 1).unwrap();
    Reservation::take(&seat, &limits, None, NOW + 3_000, 1).unwrap().charge();
    assert_eq!(remaining(&seat, &limits, NOW + 3_000), [3]);
    drop(in_flight);
    assert_eq!(remaining(&seat, &limits, NOW + 3_000), [4]);
}
