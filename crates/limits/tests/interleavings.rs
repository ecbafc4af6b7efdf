//! Every interleaving of a few threads, by loom: `cargo test --release -p fairgate-limits --features loom
//! --test interleavings`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use contract::Limit;
use limits::{Limits, Reservation, Seat};
use std::sync::Arc;

fn limits(texts: &[&str]) -> Arc<Limits> {
    let limits = texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect();
    Arc::new(Limits::new(limits).unwrap())
}

fn remaining(seat: &Seat, limits: &Arc<Limits>, now: u64) -> Vec<u32> {
    let account = seat.account(limits, now);
    account.standings(now, limits.all()).map(|(_, standing)| standing.remaining).collect()
}

/// Runs `check` for every interleaving with at most three preemptions.
fn every_interleaving(check: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(check);
}

/// One request: true if it was admitted. Every other one fails after it was admitted.
fn request(seat: &Seat, limits: &Arc<Limits>, now: u64, succeeds: bool) -> bool {
    match Reservation::take(seat, limits, None, now, 1) {
        Ok(reservation) if succeeds => {
            reservation.charge();
            true
        }
        Ok(_) | Err(_) => false,
    }
}

#[test]
fn the_last_unit_goes_to_one_of_two() {
    every_interleaving(|| {
        let limits = limits(&["1 per day"]);
        let seat = Arc::new(Seat::default());
        let other = {
            let (seat, limits) = (Arc::clone(&seat), Arc::clone(&limits));
            loom::thread::spawn(move || request(&seat, &limits, 0, true))
        };
        let mine = request(&seat, &limits, 0, true);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(remaining(&seat, &limits, 0), [0]);
    });
}

#[test]
fn two_limits_are_taken_both_or_none_in_any_race() {
    every_interleaving(|| {
        let limits = limits(&["2 per hour", "1 per day"]);
        let seat = Arc::new(Seat::default());
        let other = {
            let (seat, limits) = (Arc::clone(&seat), Arc::clone(&limits));
            loom::thread::spawn(move || request(&seat, &limits, 0, true))
        };
        let mine = request(&seat, &limits, 0, true);
        assert!(mine ^ other.join().unwrap());
        assert_eq!(remaining(&seat, &limits, 0), [1, 0]);
    });
}

#[test]
fn an_error_gives_back_across_a_window_that_begins_meanwhile() {
    every_interleaving(|| {
        let limits = limits(&["1 per second", "5 per day"]);
        let seat = Arc::new(Seat::default());
        let failing = Reservation::take(&seat, &limits, None, 0, 1).unwrap();
        let other = {
            let (seat, limits) = (Arc::clone(&seat), Arc::clone(&limits));
            loom::thread::spawn(move || request(&seat, &limits, 1000, true))
        };
        drop(failing);
        assert!(other.join().unwrap());
        assert_eq!(remaining(&seat, &limits, 1000), [0, 4]);
    });
}

#[test]
fn a_rolling_window_and_a_rate_grant_the_last_unit_once() {
    for texts in [["1 per rolling hour"], ["1 per hour, burst 1"]] {
        every_interleaving(move || {
            let limits = limits(&texts);
            let seat = Arc::new(Seat::default());
            let failing = Reservation::take(&seat, &limits, None, 0, 1).unwrap();
            let other = {
                let (seat, limits) = (Arc::clone(&seat), Arc::clone(&limits));
                loom::thread::spawn(move || request(&seat, &limits, 1, true))
            };
            drop(failing);
            let mine = request(&seat, &limits, 1, true);
            let others = other.join().unwrap();
            assert!(mine || others, "the unit came back, and the last request finds it");
            assert!(!(mine && others));
            assert_eq!(remaining(&seat, &limits, 1), [0]);
        });
    }
}

#[test]
fn a_change_of_limits_loses_no_unit_and_grants_none_twice() {
    every_interleaving(|| {
        let (before, after) = (limits(&["2 per day"]), limits(&["3 per day", "9 per hour"]));
        let seat = Arc::new(Seat::default());
        assert!(request(&seat, &before, 0, true));
        let in_flight = Reservation::take(&seat, &before, None, 0, 1).unwrap();
        let mover = {
            let (seat, after) = (Arc::clone(&seat), Arc::clone(&after));
            loom::thread::spawn(move || request(&seat, &after, 0, true))
        };
        drop(in_flight);
        assert!(mover.join().unwrap(), "one of three was used, one in flight");
        // The unit of the failed request came back, in the current account.
        assert_eq!(remaining(&seat, &after, 0), [1, 8]);
    });
}

#[test]
fn a_limit_that_goes_and_comes_back_finds_its_units_despite_concurrent_releases() {
    every_interleaving(|| {
        let (with, without) = (limits(&["3 per day"]), limits(&[]));
        let seat = Arc::new(Seat::default());
        assert!(request(&seat, &with, 0, true));
        let in_flight = Reservation::take(&seat, &with, None, 0, 1).unwrap();
        let mover = {
            let (seat, with, without) = (Arc::clone(&seat), Arc::clone(&with), Arc::clone(&without));
            loom::thread::spawn(move || {
                seat.account(&without, 0);
                request(&seat, &with, 0, true)
            })
        };
        drop(in_flight);
        assert!(mover.join().unwrap(), "two of three were used or in flight");
        assert_eq!(remaining(&seat, &with, 0), [1]);
    });
}

#[test]
fn an_error_is_given_back_once_in_each_bucket_while_the_speed_of_a_rate_changes() {
    every_interleaving(|| {
        let (slow, fast) = (limits(&["1 per hour, burst 4"]), limits(&["2 per hour, burst 4"]));
        let seat = Arc::new(Seat::default());
        assert!(request(&seat, &slow, 1, true));
        let in_flight = Reservation::take(&seat, &slow, None, 1, 1).unwrap();
        let mover = {
            let (seat, fast) = (Arc::clone(&seat), Arc::clone(&fast));
            loom::thread::spawn(move || request(&seat, &fast, 1, true))
        };
        drop(in_flight);
        assert!(mover.join().unwrap());
        assert_eq!(remaining(&seat, &fast, 1), [2]);
        assert_eq!(remaining(&seat, &slow, 1), [2]);
    });
}

#[test]
fn two_threads_that_change_limits_agree_on_one_successor() {
    every_interleaving(|| {
        let (before, after) = (limits(&["2 per day"]), limits(&["2 per day", "9 per hour"]));
        let seat = Arc::new(Seat::default());
        assert!(request(&seat, &before, 0, true));
        let other = {
            let (seat, after) = (Arc::clone(&seat), Arc::clone(&after));
            loom::thread::spawn(move || request(&seat, &after, 0, true))
        };
        let mine = request(&seat, &after, 0, true);
        assert!(mine ^ other.join().unwrap(), "one unit was left");
        assert_eq!(remaining(&seat, &after, 0), [0, 8]);
    });
}

#[test]
fn an_account_that_is_given_back_grants_nothing_any_more() {
    const LATER: u64 = 1_000 + limits::LATEST_MILLIS;
    every_interleaving(|| {
        let limits = limits(&["1 per second"]);
        let seat = Arc::new(Seat::default());
        assert!(request(&seat, &limits, 0, true));
        let other = {
            let (seat, limits) = (Arc::clone(&seat), Arc::clone(&limits));
            loom::thread::spawn(move || request(&seat, &limits, LATER, true))
        };
        let retired = seat.retire(LATER);
        let mine = request(&seat, &limits, LATER, true);
        let others = other.join().unwrap();
        assert!(mine ^ others, "{mine} {others} {retired}");
    });
}

/// A connection remembers the account while another thread replaces it, or gives it back.
#[test]
fn an_account_that_is_remembered_grants_nothing_once_it_is_replaced() {
    const LATER: u64 = 1_000 + limits::LATEST_MILLIS;
    every_interleaving(|| {
        let (before, after) = (limits(&["1 per second"]), limits(&["1 per second", "9 per hour"]));
        let seat = Arc::new(Seat::default());
        let connection = Reservation::take(&seat, &before, None, 0, 1).unwrap().charge();
        let other = {
            let (seat, before, after) = (Arc::clone(&seat), Arc::clone(&before), Arc::clone(&after));
            loom::thread::spawn(move || {
                seat.retire(LATER);
                let moved = request(&seat, &after, LATER, true);
                moved || request(&seat, &before, LATER, true)
            })
        };
        let mine = Reservation::take_again(connection, &seat, &before, None, LATER, 1).map(|taken| {
            taken.charge();
        });
        assert!(mine.is_ok() ^ other.join().unwrap(), "the one unit of the second goes to one of two");
    });
}
