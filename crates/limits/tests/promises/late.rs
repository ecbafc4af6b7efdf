//! Requests whose time is behind that of others, because their bodies arrived slowly: no window is granted twice.

use crate::plans::{NOW, cases, limits};
use contract::limit::{Class, Tag};
use limits::{LATEST_MILLIS, Reservation, Seat};
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
struct Request {
    wait: u64,
    late: u64,
    fails: bool,
    settles: prop::sample::Index,
    sweeps: bool,
}

fn request() -> impl Strategy<Value = Request> {
    let wait = prop_oneof![4 => Just(0u64), 4 => 0u64..1_500, 2 => 0u64..90_000];
    let late = prop_oneof![2 => Just(0u64), 2 => 0u64..3_000, 1 => 0..=LATEST_MILLIS];
    (wait, late, any::<bool>(), any::<prop::sample::Index>(), prop::bool::weighted(0.3))
        .prop_map(|(wait, late, fails, settles, sweeps)| Request { wait, late, fails, settles, sweeps })
}

/// Units by counter and window.
type Ledger = BTreeMap<(Tag, u32), u32>;

fn enter(ledger: &mut Ledger, taken: &Reservation) {
    for place in taken.counters() {
        *ledger.entry(place).or_default() += taken.cost();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(500)))]

    #[test]
    fn no_window_is_granted_twice(requests in proptest::collection::vec(request(), 1..150)) {
        let compiled = limits(&["3 per second", "5 per minute", "6 per rolling minute"]);
        let (seat, mut charged, mut in_flight, mut now) = (Seat::default(), Ledger::new(), vec![], NOW);
        for request in requests {
            now += request.wait;
            if let Ok(taken) = Reservation::take(&seat, &compiled, None, now - request.late, 1) {
                in_flight.push((taken, request.fails));
            }
            if in_flight.len() > 2 {
                let (taken, fails) = in_flight.swap_remove(request.settles.index(in_flight.len()));
                if !fails {
                    enter(&mut charged, &taken);
                    taken.charge();
                }
            }
            if request.sweeps {
                seat.retire(now);
            }
            let mut all = charged.clone();
            in_flight.iter().for_each(|(taken, _)| enter(&mut all, taken));
            for limit in compiled.iter() {
                let tag = limit.tag();
                let of = |from: u32, to: u32| all.range((tag, from)..=(tag, to)).map(|(_, units)| units).sum::<u32>();
                for &(_, window) in all.keys().filter(|(other, _)| *other == tag) {
                    let back = if tag.class() == Class::Rolling { 16 } else { 0 };
                    prop_assert!(of(window - back, window) <= limit.amount, "{} in {}", limit, window);
                }
            }
        }
    }

    /// However requests of different times alternate, each refill while they may be late happens once.
    #[test]
    fn no_time_refills_a_bucket_twice(requests in proptest::collection::vec(request(), 1..150)) {
        let compiled = limits(&["2 per second, burst 5"]);
        let (seat, mut now, mut charged) = (Seat::default(), NOW + LATEST_MILLIS, vec![]);
        for request in requests {
            now += request.wait;
            if let Ok(taken) = Reservation::take(&seat, &compiled, None, now - request.late, 1)
                && !request.fails
            {
                taken.charge();
                charged.push(now);
            }
            for (position, begin) in charged.iter().enumerate() {
                let flown = (now + LATEST_MILLIS - begin) * 2 / 1_000;
                prop_assert!(charged.len() - position <= 5 + flown as usize);
            }
            if request.sweeps {
                seat.retire(now);
            }
        }
    }
}

#[test]
fn an_error_that_empties_a_bucket_does_not_let_late_requests_refill_it() {
    let (limits, seat) = (limits(&["10 per second, burst 10"]), Seat::default());
    drop(Reservation::take(&seat, &limits, None, NOW, 1).unwrap());
    Reservation::take(&seat, &limits, None, NOW - 1_000, 10).unwrap().charge();
    assert!(Reservation::take(&seat, &limits, None, NOW, 1).is_err());
    assert!(Reservation::take(&seat, &limits, None, NOW + 100, 1).is_ok());
}
