//! Windows remember: whatever limits apply meanwhile, what was used of a window counts until it ends.

use crate::plans::{NOW, cases, limits, remaining};
use limits::{Account, LATEST_MILLIS, Limits, Reservation, Seat, Used};
use proptest::prelude::*;
use std::sync::Arc;

/// One limit of every kind that is kept, of every period, of a zone and of a group.
const KINDS: [&str; 16] = [
    "3 per second",
    "3 per minute",
    "3 per hour",
    "3 per day",
    "3 per month",
    "3 per day in Europe/Berlin",
    "3 per month in America/New_York",
    "3 per rolling minute",
    "3 per rolling hour",
    "3 per rolling 31 days",
    "1 per hour, burst 3",
    "1 per minute, burst 3 for search",
    "3 in all",
    "3 in all for search",
    "3 per day for search",
    "3 per rolling hour for search",
];

/// What may apply meanwhile: nothing, and limits unrelated to any of [`KINDS`].
const MEANWHILE: [&[&str]; 4] = [
    &[],
    &["100 per day in Asia/Kolkata"],
    &[
        "100 per rolling 7 days",
        "100 at once",
        "100 per month for other",
        "100 per minute for other",
        "9 in all for a",
    ],
    &["100 per hour for other", "100 per second, burst 100 for other"],
];

fn take(seat: &Seat, limits: &Arc<Limits>, now: u64, cost: u32) -> Option<Reservation> {
    Reservation::take(seat, limits, Some("search"), now, cost).ok()
}

fn rows(reservation: &Reservation, second: u64) -> Vec<Used> {
    let units = reservation.cost();
    reservation.counters().map(|(tag, window)| Used { tag, window, units, second }).collect()
}

#[test]
fn what_is_used_up_stays_used_up_whatever_limits_hold_meanwhile() {
    for kind in KINDS {
        for meanwhile in MEANWHILE {
            let (before, other) = (limits(&[kind]), limits(meanwhile));
            let seat = Seat::default();
            take(&seat, &before, NOW, 3).unwrap().charge();
            for turn in 0..3 {
                take(&seat, &other, NOW, 1).unwrap().charge();
                assert!(!seat.retire(NOW), "{kind}: forgotten by a sweep");
                assert_eq!(remaining(&seat, &before, NOW), [0], "{kind} after {meanwhile:?}, turn {turn}");
                assert!(take(&seat, &before, NOW, 1).is_none(), "{kind} after {meanwhile:?}");
            }
        }
    }
}

#[test]
fn a_way_through_every_other_kind_and_back_gives_nothing_back() {
    for kind in KINDS {
        let (before, seat) = (limits(&[kind]), Seat::default());
        take(&seat, &before, NOW, 2).unwrap().charge();
        let is_rate = |text: &str| text.contains("burst");
        for other in KINDS.into_iter().filter(|other| *other != kind && !(is_rate(kind) && is_rate(other))) {
            take(&seat, &limits(&[other]), NOW, 3).unwrap().charge();
        }
        assert_eq!(remaining(&seat, &before, NOW), [1], "{kind}");
        // And nothing is left of each other one, too.
        for other in KINDS.into_iter().filter(|other| *other != kind) {
            let left = remaining(&seat, &limits(&[other]), NOW);
            assert!(left == [0] || is_rate(kind) && is_rate(other), "{other} after {kind}: {left:?}");
        }
    }
}

#[test]
fn a_window_that_has_ended_meanwhile_is_open_again_and_its_account_is_given_back() {
    for kind in KINDS.into_iter().filter(|kind| !kind.contains("in all")) {
        let (before, other) = (limits(&[kind]), limits(&[]));
        let seat = Seat::default();
        take(&seat, &before, NOW, 3).unwrap().charge();
        take(&seat, &other, NOW, 1).unwrap().charge();
        let later = NOW + 33 * 86_400_000;
        assert_eq!(remaining(&seat, &before, later), [3], "{kind}");
        let seat = Seat::default();
        take(&seat, &before, NOW, 3).unwrap().charge();
        seat.account(&other, NOW);
        assert!(!seat.retire(NOW), "{kind}");
        assert!(seat.retire(later), "{kind}: an account without counts takes memory");
    }
}

#[test]
fn a_second_that_ended_is_remembered_for_requests_that_come_late() {
    let (before, other, seat) = (limits(&["3 per second"]), limits(&[]), Seat::default());
    take(&seat, &before, NOW, 3).unwrap().charge();
    let later = NOW + 1_000 + LATEST_MILLIS - 1;
    seat.account(&other, later);
    assert!(take(&seat, &before, NOW, 1).is_none(), "its request began in the second that is used up");
    assert!(take(&seat, &before, later, 3).is_some());
}

#[test]
fn an_error_gives_back_while_its_limit_is_gone_and_when_it_has_come_back() {
    for kind in KINDS {
        for meanwhile in MEANWHILE {
            let (before, other, seat) = (limits(&[kind]), limits(meanwhile), Seat::default());
            take(&seat, &before, NOW, 1).unwrap().charge();
            let fails_meanwhile = take(&seat, &before, NOW, 1).unwrap();
            let fails_after = take(&seat, &before, NOW, 1).unwrap();
            seat.account(&other, NOW);
            drop(fails_meanwhile);
            seat.account(&limits(&["7 per day for unused"]), NOW);
            assert_eq!(remaining(&seat, &before, NOW), [1], "{kind} after {meanwhile:?}");
            drop(fails_after);
            assert_eq!(remaining(&seat, &before, NOW), [2], "{kind} after {meanwhile:?}");
        }
    }
}

#[test]
fn a_success_of_before_is_charged_once_whenever_it_is_settled() {
    for kind in KINDS {
        let (before, other, seat) = (limits(&[kind]), limits(&["9 per day for other"]), Seat::default());
        let [meanwhile, mut less, after] = [(); 3].map(|()| take(&seat, &before, NOW, 1).unwrap());
        seat.account(&other, NOW);
        let connection = meanwhile.charge();
        less.lower_to(0);
        less.charge();
        // A connection that remembers the earlier account gets nothing of it.
        let again = Reservation::take_again(connection, &seat, &other, Some("search"), NOW, 1);
        again.unwrap().charge();
        assert_eq!(remaining(&seat, &before, NOW), [1], "{kind}");
        after.charge();
        assert_eq!(remaining(&seat, &before, NOW), [1], "{kind}");
    }
}

#[test]
fn a_request_in_flight_keeps_its_slot_while_the_limit_is_gone() {
    let (before, other, seat) = (limits(&["3 at once"]), limits(&["9 per day"]), Seat::default());
    let stays = take(&seat, &before, NOW, 1).unwrap().charge_and_stay().unwrap();
    let fails = take(&seat, &before, NOW, 1).unwrap();
    let mut lands = take(&seat, &before, NOW, 1).unwrap();
    seat.account(&other, NOW);
    assert!(!seat.retire(NOW + 99 * 86_400_000), "as long as one is in flight");
    assert_eq!(remaining(&seat, &before, NOW), [0]);
    seat.account(&other, NOW);
    drop(fails);
    lands.land();
    assert_eq!(remaining(&seat, &before, NOW), [2]);
    seat.account(&other, NOW);
    drop(stays);
    drop(lands);
    assert_eq!(remaining(&seat, &before, NOW), [3]);
    seat.account(&other, NOW);
    assert!(seat.retire(NOW), "nothing is in flight, so nothing is remembered");
}

#[test]
fn what_the_disk_remembers_of_other_limits_is_there_when_they_come_back() {
    for kind in KINDS {
        for meanwhile in MEANWHILE {
            let (before, other) = (limits(&[kind]), limits(meanwhile));
            let taken = take(&Seat::default(), &before, NOW, 2).unwrap();
            let written = rows(&taken, NOW / 1000);
            let seat = Seat::from(Account::restored(Arc::clone(&other), &written, NOW));
            take(&seat, &other, NOW, 1).unwrap().charge();
            assert!(!seat.retire(NOW), "{kind}");
            assert_eq!(remaining(&seat, &before, NOW), [1], "{kind} after {meanwhile:?}");
            // Whatever its kind, after 32 days it no longer counts, unless it never resets.
            let seat = Seat::from(Account::restored(Arc::clone(&other), &written, NOW));
            assert_eq!(seat.retire(NOW + 33 * 86_400_000), !kind.contains("in all"), "{kind}");
            taken.charge();
        }
    }
}

/// The disk does not record the length of its window, so the longest possible one is assumed.
#[test]
fn what_the_disk_remembers_of_another_limit_counts_to_the_end_of_the_longest_window() {
    const DECEMBER: u64 = 1_796_083_200_000;
    const LATER: u64 = DECEMBER + 31 * 86_400_000 - 1;
    for kind in ["3 per month", "3 per rolling 31 days", "3 per day"] {
        let before = limits(&[kind]);
        let written = rows(&take(&Seat::default(), &before, DECEMBER, 3).unwrap(), DECEMBER / 1000);
        let seat = Seat::from(Account::restored(limits(&[]), &written, LATER));
        let left = if kind == "3 per day" { 3 } else { 0 };
        assert_eq!(remaining(&seat, &before, LATER), [left], "{kind}");
    }
}

#[test]
fn however_many_limits_came_and_went_none_of_them_grants_again() {
    let distinct = |number: u32| limits(&[&format!("3 per rolling {} minutes", number + 1)]);
    let (seat, for_ever) = (Seat::default(), limits(&["3 in all"]));
    take(&seat, &for_ever, NOW, 3).unwrap().charge();
    let granted = |number| take(&seat, &distinct(number), NOW, 3).map(Reservation::charge).is_some();
    let granted = (0..200).filter(|number| granted(*number)).count();
    assert!(granted >= 32, "each that is remembered by itself begins with nothing used: {granted}");
    for number in 0..200 {
        assert!(take(&seat, &distinct(number), NOW, 1).is_none(), "{number}");
    }
    assert!(take(&seat, &for_ever, NOW, 1).is_none());
    // When the last of them has ended, everything is reset.
    let later = NOW + 201 * 60_000 * 17 / 16 + LATEST_MILLIS;
    assert_eq!(remaining(&seat, &distinct(250), later), [3]);
    assert_eq!(remaining(&seat, &limits(&["3 per second, burst 3"]), later), [3]);
}

#[test]
fn a_limit_of_which_too_much_was_forgotten_begins_used_of_every_kind() {
    for kind in KINDS {
        let seat = Seat::default();
        for number in 0..40 {
            let distinct = limits(&[&format!("2 per rolling {} minutes", number + 100)]);
            let _ = take(&seat, &distinct, NOW, 2).map(Reservation::charge);
        }
        let left = if kind.contains("in all") { 3 } else { 1 };
        assert_eq!(remaining(&seat, &limits(&[kind]), NOW), [left], "{kind}");
    }
}

// === rates ===

#[test]
fn of_limits_that_never_reset_none_grants_again_either() {
    let seat = Seat::default();
    for number in 0..40 {
        let distinct = limits(&[&format!("2 in all for g{number}")]);
        let _ =
            Reservation::take(&seat, &distinct, Some(&format!("g{number}")), NOW, 2).map(Reservation::charge);
    }
    assert_eq!(remaining(&seat, &limits(&["3 in all"]), NOW), [1]);
}

#[test]
fn a_rate_whose_speed_changes_does_not_begin_full() {
    for (one, other) in [
        ("1 per hour, burst 9", "2 per hour, burst 9"),
        ("2 per hour, burst 9", "1 per hour, burst 9"),
        ("1 per hour, burst 9", "10 per minute, burst 9"),
        ("1 per hour, burst 9 for search", "1 per minute, burst 9 for search"),
        ("1 per hour, burst 9", "1 per hour, burst 9"),
    ] {
        let (one, other, seat) = (limits(&[one]), limits(&[other]), Seat::default());
        take(&seat, &one, NOW, 9).unwrap().charge();
        for turn in 0..5 {
            assert_eq!(remaining(&seat, &other, NOW), [0], "turn {turn}");
            assert_eq!(remaining(&seat, &one, NOW), [0], "turn {turn}");
        }
        // With a time without any rate in between.
        seat.account(&limits(&[]), NOW);
        assert_eq!(remaining(&seat, &other, NOW), [0]);
    }
}

#[test]
fn a_rate_of_another_speed_goes_on_from_what_was_not_refilled() {
    let (slow, fast) = (limits(&["60 per hour, burst 10"]), limits(&["120 per hour, burst 20"]));
    let seat = Seat::default();
    take(&seat, &slow, NOW, 8).unwrap().charge();
    // Three minutes bring three back; five of twenty are taken, of which two come back a minute.
    assert_eq!(remaining(&seat, &fast, NOW + 180_000), [15]);
    assert_eq!(remaining(&seat, &fast, NOW + 240_000), [17]);
    take(&seat, &fast, NOW + 240_000, 4).unwrap().charge();
    // Back again: seven are taken; by the old one alone it would be eight less four.
    assert_eq!(remaining(&seat, &slow, NOW + 240_000), [3]);
    // A smaller bucket is at worst empty.
    assert_eq!(remaining(&seat, &limits(&["1 per hour, burst 2"]), NOW + 240_000), [0]);
    assert_eq!(remaining(&seat, &limits(&["1 per hour, burst 2"]), NOW + 240_000 + 3_600_000), [1]);
}

#[test]
fn a_bucket_that_a_fast_time_would_have_filled_is_as_it_was() {
    let (slow, fast) = (limits(&["1 per hour, burst 5"]), limits(&["100 per second, burst 5"]));
    let seat = Seat::default();
    take(&seat, &slow, NOW, 5).unwrap().charge();
    assert_eq!(remaining(&seat, &fast, NOW), [0]);
    assert_eq!(remaining(&seat, &fast, NOW + 10), [1]);
    take(&seat, &fast, NOW + 10_000, 5).unwrap().charge();
    assert_eq!(remaining(&seat, &slow, NOW + 20_000), [0]);
}

#[test]
fn a_request_that_comes_late_to_a_new_speed_brings_no_time_with_it() {
    let slow = limits(&["60 per minute, burst 60"]);
    let fast = |since: u64| {
        let fast = limits(&["120 per minute, burst 60"]).iter().cloned().collect();
        Arc::new(Limits::new(fast).unwrap().since(since))
    };
    let at = |seat: &Seat, fast: &Arc<Limits>, now: u64| remaining(seat, fast, now)[0];
    // It began before the whole bucket was taken, and is the first to meet the new limits.
    let (seat, fast_now) = (Seat::default(), fast(NOW));
    take(&seat, &slow, NOW, 60).unwrap().charge();
    assert!(take(&seat, &fast_now, NOW - LATEST_MILLIS, 1).is_none());
    assert_eq!((at(&seat, &fast_now, NOW), at(&seat, &fast_now, NOW + 500)), (0, 1));
    // A clock that was ahead when they were loaded delays the bucket no longer than that.
    let (seat, ahead) = (Seat::default(), fast(NOW + 86_400_000));
    take(&seat, &slow, NOW, 60).unwrap().charge();
    let later = [0, LATEST_MILLIS, LATEST_MILLIS + 500].map(|later| at(&seat, &ahead, NOW + later));
    assert_eq!(later, [0, 0, 1]);
}

#[test]
fn errors_of_before_a_change_of_speed_are_given_back_in_every_bucket_that_they_came_along_to() {
    let [one, two, three] =
        ["1 per hour, burst 9", "2 per hour, burst 9", "3 per hour, burst 9"].map(|text| limits(&[text]));
    let seat = Seat::default();
    take(&seat, &one, NOW, 2).unwrap().charge();
    let [first, second, third] = [2, 1, 1].map(|cost| take(&seat, &one, NOW, cost).unwrap());
    assert_eq!(remaining(&seat, &two, NOW), [3]);
    drop(first);
    assert_eq!(remaining(&seat, &two, NOW), [5]);
    let of_two = take(&seat, &two, NOW, 1).unwrap();
    assert_eq!(remaining(&seat, &three, NOW), [4]);
    drop(second);
    drop(of_two);
    assert_eq!(remaining(&seat, &three, NOW), [6]);
    assert_eq!(remaining(&seat, &one, NOW), [6]);
    drop(third);
    for limits in [&one, &two, &three] {
        assert_eq!(remaining(&seat, limits, NOW), [7]);
    }
}

#[test]
fn no_more_is_given_back_than_came_along() {
    let [one, two] = ["1 per hour, burst 9", "2 per hour, burst 9"].map(|text| limits(&[text]));
    let seat = Seat::default();
    take(&seat, &one, NOW, 5).unwrap().charge();
    // Of the six taken here, five are of the first; so one is carried back to it.
    let failing = [(); 1].map(|()| take(&seat, &two, NOW, 1).unwrap());
    assert_eq!(remaining(&seat, &one, NOW), [3]);
    drop(failing);
    assert_eq!(remaining(&seat, &one, NOW), [4]);
    assert_eq!(remaining(&seat, &two, NOW), [4]);
}

#[test]
fn rates_beside_each_other_are_not_taken_for_one_another() {
    let seat = Seat::default();
    let both = limits(&["1 per hour, burst 9", "10 per hour, burst 20 for search"]);
    take(&seat, &both, NOW, 9).unwrap().charge();
    // A rate that is added to one of its group is another limit, and so is one of another group.
    let more = limits(&["1 per hour, burst 9", "10 per hour, burst 20 for search", "1 per minute, burst 50"]);
    assert_eq!(remaining(&seat, &more, NOW), [0, 11, 50]);
    let of_groups = limits(&["1 per hour, burst 9 for a", "11 per hour, burst 20 for search"]);
    assert_eq!(remaining(&seat, &of_groups, NOW), [9, 11]);
}

#[test]
fn a_rate_of_another_group_takes_the_place_of_none() {
    let before = limits(&["1 per hour, burst 9"]);
    let seat = Seat::default();
    take(&seat, &before, NOW, 9).unwrap().charge();
    let after = limits(&["1 per minute, burst 9", "5 per hour, burst 9 for search"]);
    assert_eq!(remaining(&seat, &after, NOW), [0, 9]);
}

#[test]
fn a_restart_after_a_change_of_speed_does_not_fill_the_bucket() {
    let [slow, fast, gone] = [&["1 per hour, burst 9"][..], &["2 per hour, burst 10"], &[]].map(limits);
    let first = take(&Seat::default(), &slow, NOW, 9).unwrap();
    let mut written = rows(&first, NOW / 1000);
    first.charge();
    let restored = |limits: &Arc<Limits>, rows: &[Used], now: u64| {
        Seat::from(Account::restored(Arc::clone(limits), rows, now))
    };
    assert_eq!(remaining(&restored(&fast, &written, NOW), &fast, NOW), [1]);
    assert_eq!(remaining(&restored(&gone, &written, NOW), &slow, NOW), [0]);
    assert_eq!(remaining(&restored(&gone, &written, NOW), &fast, NOW), [1]);
    // It is unknown how long each of the two applied; so an hour refills by the slower one.
    let hour = NOW + 3_600_000;
    assert_eq!(remaining(&restored(&fast, &written, hour), &fast, hour), [2]);
    // What was charged at the new speed is there as well, and is added.
    let seat = restored(&fast, &written, NOW);
    let one = take(&seat, &fast, NOW, 1).unwrap();
    written.extend(rows(&one, NOW / 1000));
    one.charge();
    assert_eq!(remaining(&seat, &fast, NOW), [0]);
    assert_eq!(remaining(&restored(&fast, &written, NOW), &fast, NOW), [0]);
    assert_eq!(remaining(&restored(&slow, &written, NOW), &slow, NOW), [0]);
}

#[test]
fn a_bucket_that_was_written_down_under_its_former_tag_is_found() {
    let rate = limits(&["1 per hour, burst 9"]);
    let limit = rate.iter().next().unwrap();
    let row = |tag, window: u64, units| Used { tag, window: window as u32, units, second: NOW / 1000 };
    let former = |window, units| row(limit.former_tag().unwrap(), window, units);
    for (rows, left) in [
        (vec![former(NOW, 4)], 5),
        (vec![former(NOW, 4), row(limit.tag(), NOW, 2)], 3),
        (vec![former(NOW - 1, 4), row(limit.tag(), NOW, 2)], 7),
        (vec![row(limit.tag(), NOW, 2), former(NOW - 1, 4)], 7),
    ] {
        let seat = Seat::from(Account::restored(Arc::clone(&rate), &rows, NOW));
        assert_eq!(remaining(&seat, &rate, NOW), [left], "{rows:?}");
    }
}

#[test]
fn a_bucket_that_was_full_when_its_speed_changed_is_full_after_a_restart() {
    let [one, two] = ["60 per minute, burst 9", "120 per minute, burst 9"].map(|text| limits(&[text]));
    // Never full for an hour, and nearly so at its last charge: the tag gives what was refilled since.
    let written = [Used {
        tag: one.iter().next().unwrap().tag(),
        window: NOW as u32,
        units: 3_000,
        second: NOW / 1000 + 3_600,
    }];
    let later = NOW + 3_600_000;
    let seat = Seat::from(Account::restored(Arc::clone(&two), &written, later));
    assert_eq!(remaining(&seat, &two, later), [9]);
}

#[derive(Debug, Clone)]
enum Step {
    Take { cost: u32, fails: bool },
    Settle(prop::sample::Index),
    Wait(u64),
    Change(usize),
    Sweep,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(500)))]

    /// In any order: a change of speed grants nothing, and errors are free in every bucket.
    #[test]
    fn no_change_of_speed_fills_a_bucket_and_errors_stay_free(steps in proptest::collection::vec(prop_oneof![
        6 => (1u32..4, any::<bool>()).prop_map(|(cost, fails)| Step::Take { cost, fails }),
        4 => any::<prop::sample::Index>().prop_map(Step::Settle),
        2 => (0u64..200_000).prop_map(Step::Wait),
        3 => (0usize..4).prop_map(Step::Change),
        1 => Just(Step::Sweep),
    ], 1..120), waits in any::<bool>()) {
        let rates = ["1 per minute, burst 9", "3 per minute, burst 9", "2 per hour, burst 9", "7 per minute, burst 9"];
        let all = rates.map(|text| limits(&[text]));
        let (seat, twin, mut now, mut holds) = (Seat::default(), Seat::default(), NOW, 0);
        let (mut changes, mut waited) = (0, false);
        let mut in_flight: Vec<(Reservation, bool)> = Vec::new();
        let taken = |seat: &Seat, limits: &Arc<Limits>, now: u64| 9 - remaining(seat, limits, now)[0];
        for step in steps {
            match step {
                Step::Take { cost, fails } => {
                    if let Some(reservation) = take(&seat, &all[holds], now, cost) {
                        if !fails {
                            // The twin sees no failing requests.
                            if let Some(reservation) = take(&twin, &all[holds], now, cost) {
                                reservation.charge();
                            }
                        }
                        in_flight.push((reservation, fails));
                    }
                }
                Step::Settle(which) if !in_flight.is_empty() => {
                    let (reservation, fails) = in_flight.swap_remove(which.index(in_flight.len()));
                    if !fails {
                        reservation.charge();
                    }
                }
                Step::Settle(_) => {}
                Step::Wait(millis) if waits => (now, waited) = (now + millis, true),
                Step::Wait(_) => {}
                Step::Change(next) => {
                    let before = taken(&seat, &all[holds], now);
                    (holds, changes) = (next, changes + 1);
                    prop_assert!(taken(&seat, &all[holds], now) >= before, "a change filled the bucket");
                    taken(&twin, &all[holds], now);
                }
                Step::Sweep => { seat.retire(now); }
            }
        }
        drop(in_flight.extract_if(.., |(_, fails)| *fails).collect::<Vec<_>>());
        let (with, without) = (taken(&seat, &all[holds], now), taken(&twin, &all[holds], now));
        // A bucket that is full without the failed requests restarts at another moment; and the fraction of the next
        // unit that was refilled when the speed changed is lost. So each change may set them a unit apart.
        let apart = if waited { changes + 1 } else { 0 };
        prop_assert!(with <= without + apart, "errors cost {} units", with.saturating_sub(without));
        prop_assert!(waited || with == without, "{} units too many came back", without.saturating_sub(with));
    }
}
