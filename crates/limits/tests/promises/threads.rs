//! Real threads on the same accounts: what they were granted against the counters.

use crate::plans::{NOW, limits, remaining};
use contract::limit::Tag;
use limits::{Addresses, Reservation, Seat, Who};
use std::{
    collections::HashMap,
    sync::{
        Barrier, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

const THREADS: usize = 4;

/// Runs the same in a few threads that begin at once.
fn in_threads(run: impl Fn(usize) + Sync) {
    let begin = Barrier::new(THREADS);
    thread::scope(|scope| {
        for number in 0..THREADS {
            let (run, begin) = (&run, &begin);
            scope.spawn(move || {
                begin.wait();
                run(number);
            });
        }
    });
}

#[test]
fn threads_get_every_unit_once_through_errors_changes_of_limits_and_accounts_given_back() {
    let plans = [
        limits(&["5000 per month", "5000 per rolling 31 days", "5000 in all", "64 at once"]),
        limits(&["5000 in all", "1 per hour, burst 100000", "5000 per month", "5000 per rolling 31 days"]),
    ];
    let (seat, charged) = (Seat::default(), AtomicU32::new(0));
    in_threads(|number| {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let mut turn = 0;
        while charged.load(Ordering::Relaxed) < 5000 && turn < 100_000 {
            turn += 1;
            let plan = &plans[usize::from(random.u8(..) < 16)];
            match random.u8(..) {
                0..4 => drop(seat.retire(NOW)),
                _ => match Reservation::take(&seat, plan, None, NOW, 1) {
                    Ok(taken) if random.bool() => {
                        charged.fetch_add(1, Ordering::Relaxed);
                        taken.charge();
                    }
                    Ok(_) | Err(_) => {}
                },
            }
        }
    });
    assert_eq!(charged.into_inner(), 5000);
    assert_eq!(remaining(&seat, &plans[0], NOW), [0, 0, 0, 64]);
}

#[test]
fn no_more_requests_are_in_flight_than_the_limit_allows() {
    let compiled = limits(&["3 at once"]);
    let (seat, in_flight, most) = (Seat::default(), AtomicU32::new(0), AtomicU32::new(0));
    in_threads(|_| {
        for _ in 0..20_000 {
            if let Ok(taken) = Reservation::take(&seat, &compiled, None, NOW, 7) {
                most.fetch_max(in_flight.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                in_flight.fetch_sub(1, Ordering::SeqCst);
                taken.charge();
            }
        }
    });
    assert!((1..=3).contains(&most.into_inner()));
    assert_eq!(remaining(&seat, &compiled, NOW), [3]);
}

/// Addresses that share one set of the table, more than it has room for, so that accounts come and go.
#[test]
fn no_address_is_granted_more_than_its_limit_in_any_race() {
    const PHASES: u64 = 200;
    let addresses = Addresses::new(limits(&["4 per second", "12 per minute"]));
    let granted: Mutex<HashMap<(Who, Tag, u32), u32>> = Mutex::default();
    let phase = Barrier::new(THREADS);
    in_threads(|number| {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let mut mine = HashMap::<(Who, Tag, u32), u32>::new();
        for second in 0..PHASES {
            for _ in 0..100 {
                let mut who = [7; 16];
                who[15] = random.u8(..12) + u8::try_from(second / 50).unwrap() * 12;
                let now = NOW + second * 1000 - random.u64(..2_000);
                if let Ok((_, taken)) = addresses.take(who, None, now, 1)
                    && random.bool()
                {
                    // A late request takes from the newest window.
                    for (tag, window) in taken.counters() {
                        *mine.entry((who, tag, window)).or_default() += 1;
                    }
                    taken.charge();
                }
            }
            // No thread is later than others by more than `LATEST_MILLIS`.
            phase.wait();
        }
        let mut all = granted.lock().unwrap();
        for (place, units) in mine {
            *all.entry(place).or_default() += units;
        }
    });
    let granted = granted.into_inner().unwrap();
    let amounts: HashMap<_, _> = addresses.limits().iter().map(|limit| (limit.tag(), limit.amount)).collect();
    for ((who, tag, window), units) in &granted {
        assert!(units <= &amounts[tag], "{units} of {} in {window} for {}", amounts[tag], who[15]);
    }
    assert!(granted.len() > 100);
}

/// Check before taking: a request that one limit denies never holds another limit that others need.
#[test]
fn requests_that_are_denied_take_nothing_from_others_meanwhile() {
    let compiled = limits(&["1 per month", "1 per month for search"]);
    let seat = Seat::default();
    // Of the two, only the group's is used up.
    Reservation::take(&seat, &limits(&["1 per month for search"]), Some("search"), NOW, 1).unwrap().charge();
    in_threads(|number| {
        for _ in 0..20_000 {
            let group = (number > 0).then_some("search");
            let taken = Reservation::take(&seat, &compiled, group, NOW, 1);
            assert_eq!(taken.is_ok(), group.is_none());
        }
    });
    assert_eq!(remaining(&seat, &compiled, NOW), [1, 0]);
}

#[test]
fn addresses_that_have_room_each_get_all_of_their_limit() {
    let addresses = Addresses::new(limits(&["25 per month"]));
    let granted: Vec<AtomicU32> = (0..200).map(|_| AtomicU32::new(0)).collect();
    in_threads(|_| {
        for (number, granted) in granted.iter().enumerate() {
            let mut who = [0; 16];
            who[0] = u8::try_from(number).unwrap();
            for _ in 0..40 {
                if let Ok((whose, taken)) = addresses.take(who, None, NOW, 1) {
                    assert_eq!(whose, who);
                    granted.fetch_add(1, Ordering::Relaxed);
                    taken.charge();
                }
            }
        }
    });
    assert!(granted.iter().all(|granted| granted.load(Ordering::Relaxed) == 25));
}

#[test]
fn a_look_at_a_busy_key_reports_no_more_than_its_limit() {
    let (compiled, seat) = (limits(&["50 per month"]), Seat::default());
    in_threads(|number| {
        for _ in 0..5_000 {
            if number == 0 {
                assert!(remaining(&seat, &compiled, NOW)[0] <= 50);
            } else {
                drop(Reservation::take(&seat, &compiled, None, NOW, 1));
            }
        }
    });
    assert_eq!(remaining(&seat, &compiled, NOW), [50]);
}
