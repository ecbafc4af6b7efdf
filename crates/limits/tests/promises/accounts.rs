//! Counts outlive their account: recorded and restored, and carried over to other limits.

use crate::plans::{NOW, cases, limits, remaining};
use contract::{Limit, limit::Kind};
use limits::{Account, Limits, MAX_LIMITS, Reservation, Seat, Used};
use proptest::prelude::*;
use std::sync::Arc;

/// One limit of every kind, of every period, of a zone and of a group.
const KINDS: [&str; 16] = [
    "20 per second",
    "20 per minute",
    "20 per hour",
    "20 per day",
    "20 per month",
    "20 per day in Europe/Berlin",
    "20 per month in Europe/Berlin",
    "20 per rolling minute",
    "20 per rolling hour",
    "20 per rolling 31 days",
    "1 per hour, burst 20",
    "1 per minute, burst 20",
    "20 in all",
    "20 at once",
    "20 in all for search",
    "20 per day for search",
];

fn take(seat: &Seat, limits: &Arc<Limits>, now: u64, cost: u32) -> Reservation {
    Reservation::take(seat, limits, Some("search"), now, cost).unwrap()
}

fn is_concurrent(limit: &Limit) -> bool {
    limit.kind == Kind::Concurrent
}

fn rows(reservation: &Reservation) -> Vec<Used> {
    let units = reservation.cost();
    reservation.counters().map(|(tag, window)| Used { tag, window, units, second: NOW / 1000 }).collect()
}

#[test]
fn what_is_written_down_of_every_kind_is_what_comes_back() {
    for kind in KINDS {
        let compiled = limits(&[kind]);
        let before = Seat::default();
        let taken = take(&before, &compiled, NOW, 7);
        let written = rows(&taken);
        taken.charge();
        let after = Seat::from(Account::restored(Arc::clone(&compiled), &written, NOW));
        assert_eq!(remaining(&after, &compiled, NOW), remaining(&before, &compiled, NOW), "{kind}");
        let kept = if is_concurrent(compiled.get(0).unwrap()) { 20 } else { 13 };
        assert_eq!(remaining(&after, &compiled, NOW), [kept], "{kind}");
    }
}

#[test]
fn a_reservation_names_the_account_that_its_units_are_taken_in() {
    let (compiled, seat) = (limits(&["20 per day"]), Seat::default());
    let taken = take(&seat, &compiled, NOW, 7);
    assert!(Arc::ptr_eq(taken.account().unwrap(), &seat.account(&compiled, NOW)));
}

#[test]
fn a_success_that_goes_on_keeps_its_units_and_its_place_until_it_ends() {
    let (compiled, seat) = (limits(&["20 per day", "2 at once"]), Seat::default());
    let goes_on = take(&seat, &compiled, NOW, 7).charge_and_stay().unwrap();
    assert_eq!(remaining(&seat, &compiled, NOW), [13, 1]);
    drop(goes_on);
    assert_eq!(remaining(&seat, &compiled, NOW), [13, 2]);
    // A request that has released its slot already, or has no such limit, has none to keep.
    let mut landed = take(&seat, &compiled, NOW, 1);
    landed.land();
    assert!(landed.charge_and_stay().is_none());
    assert_eq!(remaining(&seat, &compiled, NOW), [12, 2]);
    let (compiled, seat) = (limits(&["20 per day"]), Seat::default());
    assert!(take(&seat, &compiled, NOW, 1).charge_and_stay().is_none());
    assert_eq!(remaining(&seat, &compiled, NOW), [19]);
}

#[test]
fn rows_of_other_limits_are_passed_over() {
    let (one, other) = (limits(&["20 per day"]), limits(&["20 per month", "20 per rolling hour"]));
    let seat = Seat::default();
    let written = rows(&take(&seat, &one, NOW, 7));
    let restored = Seat::from(Account::restored(Arc::clone(&other), &written, NOW));
    assert_eq!(remaining(&restored, &other, NOW), [20, 20]);
}

#[test]
fn more_units_than_a_counter_holds_grant_nothing() {
    for kind in ["20 per day", "20 per rolling hour", "20 in all", "1 per hour, burst 20"] {
        let compiled = limits(&[kind]);
        let written = rows(&take(&Seat::default(), &compiled, NOW, 1));
        let used: Vec<_> = written.iter().map(|row| Used { units: u32::MAX, ..*row }).collect();
        let seat = Seat::from(Account::restored(Arc::clone(&compiled), &used, NOW));
        assert_eq!(remaining(&seat, &compiled, NOW), [0], "{kind}");
        assert!(Reservation::take(&seat, &compiled, None, NOW, 1).is_err());
    }
}

#[test]
fn a_seat_that_has_an_account_is_not_restored_over() {
    let compiled = limits(&["20 per day"]);
    let seat = Seat::default();
    assert!(seat.restore(Account::new(Arc::clone(&compiled))));
    take(&seat, &compiled, NOW, 7).charge();
    assert!(!seat.restore(Account::new(Arc::clone(&compiled))));
    assert_eq!(remaining(&seat, &compiled, NOW), [13]);
}

/// From each kind to each: what both count is carried over with what is in flight, what only one counts is not; and
/// a request that began before the move releases after it.
#[test]
fn a_key_that_moves_between_plans_of_every_kind_takes_its_counts_along() {
    for from in KINDS {
        for to in KINDS {
            let (before, after) = (limits(&[from]), limits(&["100 per month for other", to]));
            let seat = Seat::default();
            take(&seat, &before, NOW, 4).charge();
            let in_flight = take(&seat, &before, NOW, 3);
            let (charged, held) = if is_concurrent(before.get(0).unwrap()) { (0, 1) } else { (4, 3) };
            // A rate of another speed continues where the previous one was.
            let is_rate = |text: &str| text.contains("burst");
            let is_same = from == to || is_rate(from) && is_rate(to);
            let counted = |units: u32| vec![100, 20 - if is_same { units } else { 0 }];
            assert_eq!(remaining(&seat, &after, NOW), counted(charged + held), "{from} -> {to}");
            drop(in_flight);
            assert_eq!(remaining(&seat, &after, NOW), counted(charged), "{from} -> {to}");
        }
    }
}

#[test]
fn a_limit_that_is_lowered_below_what_is_used_grants_nothing_and_one_that_is_raised_the_rest() {
    let texts = |amount: u32| {
        let texts =
            ["per day", "in all", "per rolling hour", "per month"].map(|rest| format!("{amount} {rest}"));
        limits(&texts.each_ref().map(String::as_str))
    };
    let (before, lower, higher) = (texts(20), texts(5), texts(30));
    let seat = Seat::default();
    take(&seat, &before, NOW, 12).charge();
    assert_eq!(remaining(&seat, &lower, NOW), [0; 4]);
    assert!(Reservation::take(&seat, &lower, None, NOW, 1).is_err());
    assert_eq!(remaining(&seat, &higher, NOW), [18; 4]);
}

#[test]
fn errors_of_the_abuse_guard_move_along() {
    let (before, after) = (limits(&["20 per day"]), limits(&["20 per month"]));
    let seat = Seat::default();
    let now = NOW / 1000;
    for _ in 0..5 {
        seat.account(&before, NOW).errors().count(now);
    }
    assert_eq!(seat.account(&after, NOW).errors().within_minute(now), 5);
    assert_eq!(seat.account(&after, NOW).errors().within_minute(now + 60), 0);
}

#[test]
fn an_account_is_given_back_when_nothing_of_it_counts_any_more_and_not_before() {
    for kind in KINDS {
        let compiled = limits(&[kind]);
        let seat = Seat::default();
        assert!(seat.retire(NOW), "there is none yet");
        let taken = take(&seat, &compiled, NOW, 7);
        assert!(!seat.retire(NOW), "{kind}: in flight");
        let limit = compiled.get(0).unwrap();
        taken.charge();
        assert_eq!(seat.retire(NOW), is_concurrent(limit), "{kind}");
        let counts_for_ever = limit.kind == Kind::Lifetime;
        assert_eq!(seat.retire(NOW + 36 * 86_400_000), !counts_for_ever, "{kind}");
        assert_eq!(seat.look(|account| account.is_some()), counts_for_ever, "{kind}");
    }
}

#[test]
fn an_account_with_errors_of_this_minute_is_not_given_back() {
    let compiled = limits(&["20 per day"]);
    let seat = Seat::default();
    seat.account(&compiled, NOW).errors().count(NOW / 1000);
    assert!(!seat.retire(NOW));
    assert_eq!(seat.account(&compiled, NOW).errors().within_minute(NOW / 1000), 1);
    assert!(seat.retire(NOW + 60_000));
}

#[test]
fn more_limits_than_an_account_holds_are_refused() {
    let limit = Limit::parse("1 per day", &mut |_| None).unwrap();
    assert!(Limits::new(vec![limit.clone(); MAX_LIMITS]).is_ok());
    assert!(Limits::new(vec![limit; MAX_LIMITS + 1]).is_err());
    let seat = Seat::default();
    assert_eq!(remaining(&seat, &Arc::new(Limits::none()), NOW), Vec::<u32>::new());
    assert!(Reservation::take(&seat, &Arc::new(Limits::none()), None, NOW, u32::MAX).is_ok());
}

#[test]
fn only_limits_of_the_group_and_of_no_group_apply() {
    let compiled = limits(&["20 per day", "20 per hour for search", "20 in all", "20 per month for mail"]);
    let applying = |group: Option<&str>| {
        let bits = compiled.applying(group);
        [0, 1, 2, 3, 4, 8, 200].map(|position| bits.contains(position))
    };
    assert_eq!(applying(None), [true, false, true, false, false, false, false]);
    assert_eq!(applying(Some("search")), [true, true, true, false, false, false, false]);
    assert_eq!(applying(Some("mail")), [true, false, true, true, false, false, false]);
    assert!(compiled.all().contains(3) && !compiled.all().contains(MAX_LIMITS));
    let seat = Seat::default();
    Reservation::take(&seat, &compiled, Some("mail"), NOW, 2).unwrap().charge();
    assert_eq!(remaining(&seat, &compiled, NOW), [18, 20, 18, 18]);
}

#[test]
fn a_request_outside_the_group_of_the_only_limit_takes_nothing() {
    let (compiled, seat) = (limits(&["1 per day for search"]), Seat::default());
    for _ in 0..3 {
        Reservation::take(&seat, &compiled, None, NOW, 1).unwrap().charge();
    }
    assert_eq!(remaining(&seat, &compiled, NOW), [1]);
}

#[test]
fn a_denial_names_the_first_of_limits_that_reset_together() {
    for texts in [["2 per day", "2 per day for search"], ["2 per day for search", "2 per day"]] {
        let (compiled, seat) = (limits(&texts), Seat::default());
        take(&seat, &compiled, NOW, 2).charge();
        let denial = Reservation::take(&seat, &compiled, Some("search"), NOW, 1).unwrap_err();
        assert_eq!(denial.limit().unwrap().to_string(), texts[0]);
    }
}

#[test]
fn a_denial_names_the_limit_that_resets_last_whatever_their_order() {
    let texts = ["2 per second", "2 per month", "2 per day"];
    for order in [[0, 1, 2], [1, 2, 0], [2, 0, 1]] {
        let compiled = limits(&order.map(|place| texts[place]));
        let seat = Seat::default();
        take(&seat, &compiled, NOW, 2).charge();
        let denial = Reservation::take(&seat, &compiled, None, NOW, 1).unwrap_err();
        assert_eq!(denial.limit().unwrap().to_string(), "2 per month");
        assert_eq!(denial.quota(), 2);
    }
    // A limit that never resets is later than everything.
    for texts in [["2 per month", "2 in all"], ["2 in all", "2 per month"]] {
        let (compiled, seat) = (limits(&texts), Seat::default());
        take(&seat, &compiled, NOW, 2).charge();
        let denial = Reservation::take(&seat, &compiled, None, NOW, 1).unwrap_err();
        assert_eq!((denial.limit().unwrap().to_string().as_str(), denial.reset), ("2 in all", None));
    }
    // Requests in flight may end at any moment, which is earlier than any window.
    for texts in [["1 at once", "1 per hour"], ["1 per hour", "1 at once"]] {
        let (compiled, seat) = (limits(&texts), Seat::default());
        let _held = take(&seat, &compiled, NOW, 1);
        let denial = Reservation::take(&seat, &compiled, None, NOW, 1).unwrap_err();
        assert_eq!(denial.limit().unwrap().to_string(), "1 per hour");
    }
}

#[test]
fn a_denial_by_one_limit_changes_none_of_the_others() {
    for kind in KINDS {
        for denying in ["1 per hour", "1 per rolling 2 hours", "1 per second, burst 1"] {
            for texts in [[kind, denying], [denying, kind]] {
                let (compiled, seat) = (limits(&texts), Seat::default());
                take(&seat, &compiled, NOW, 1).charge();
                let before = remaining(&seat, &compiled, NOW);
                assert!(Reservation::take(&seat, &compiled, Some("search"), NOW, 1).is_err());
                assert_eq!(remaining(&seat, &compiled, NOW), before, "{texts:?}");
            }
        }
    }
}

#[test]
fn standings_report_spans_and_resets() {
    let standing = |text: &str, used: u32| {
        let (compiled, seat) = (limits(&[text]), Seat::default());
        if used > 0 {
            take(&seat, &compiled, NOW, used).charge();
        }
        let account = seat.account(&compiled, NOW);
        let (_, standing) = account.standings(NOW, compiled.all()).next().unwrap();
        (standing.quota, standing.remaining, standing.reset, standing.window_seconds)
    };
    assert_eq!(standing("20 in all", 5), (20, 15, None, None));
    assert_eq!(standing("20 at once", 5), (20, 20, Some(1), None));
    // The bucket of 20 is full again after 7.5 of 30 seconds' worth of refill.
    assert_eq!(standing("40 per minute, burst 20", 5), (20, 15, Some(8), Some(30)));
    assert_eq!(standing("40 per minute, burst 20", 0), (20, 20, Some(1), Some(30)));
    assert_eq!(standing("1000 per second, burst 2", 1), (2, 1, Some(1), Some(1)));
    // Some of it comes back when its sixteenth is over, and sixteen more.
    let part = 3_600_000 / 16;
    let freed = ((NOW / part + 17) * part - NOW).div_ceil(1000);
    assert_eq!(standing("20 per rolling hour", 5), (20, 15, Some(freed), Some(3600)));
    assert_eq!(standing("20 per rolling hour", 0), (20, 20, Some(3600), Some(3600)));
}

#[test]
fn a_reservation_that_is_lowered_gives_the_rest_back() {
    let (compiled, seat) = (limits(&["20 per day", "20 at once", "20 per rolling hour"]), Seat::default());
    let mut taken = take(&seat, &compiled, NOW, 9);
    taken.lower_to(12);
    assert_eq!((taken.cost(), remaining(&seat, &compiled, NOW)), (9, vec![11, 19, 11]));
    taken.lower_to(4);
    assert_eq!((taken.cost(), remaining(&seat, &compiled, NOW)), (4, vec![16, 19, 16]));
    let mut other = take(&seat, &compiled, NOW, 9);
    other.lower_to(2);
    drop(other);
    assert_eq!(remaining(&seat, &compiled, NOW), [16, 19, 16]);
    taken.lower_to(0);
    taken.charge();
    assert_eq!(remaining(&seat, &compiled, NOW), [20, 20, 20]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(200)))]

    /// Charges in any order of their windows, restored in any order of their rows, count as they did.
    #[test]
    fn rows_of_a_rolling_window_may_come_in_any_order(
        charges in proptest::collection::vec((0u64..90_000, 1u32..4), 1..20), seed in any::<u64>()
    ) {
        let compiled = limits(&["1000 per rolling minute"]);
        let (seat, mut written, mut now) = (Seat::default(), vec![], NOW);
        for (wait, cost) in charges {
            now += wait;
            let taken = take(&seat, &compiled, now, cost);
            written.extend(rows(&taken));
            taken.charge();
        }
        fastrand::Rng::with_seed(seed).shuffle(&mut written);
        let restored = Seat::from(Account::restored(Arc::clone(&compiled), &written, NOW));
        for later in [0, 4_000, 30_000, 60_000, 80_000] {
            let (a, b) = (remaining(&restored, &compiled, now + later), remaining(&seat, &compiled, now + later));
            prop_assert_eq!(a, b);
        }
    }
}
