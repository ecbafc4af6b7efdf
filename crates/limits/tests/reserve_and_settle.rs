//! The account against a model of a few lines, over random schedules, and under racing threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use contract::{Limit, Period};
use limits::{Account, Reservation, Used};
use proptest::prelude::*;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

fn account(limits: &[&str]) -> Arc<Account> {
    Arc::new(Account::new(limits.iter().map(|limit| limit.parse().unwrap()).collect(), &[]))
}

/// The reference: for each limit and window, units taken. Nothing cleverer.
#[derive(Default)]
struct Model {
    taken: HashMap<(Period, u32), u32>,
    newest: HashMap<Period, u32>,
}

impl Model {
    fn window(&mut self, period: Period, now: u64) -> u32 {
        let newest = self.newest.entry(period).or_default();
        *newest = (*newest).max(period.index(now));
        *newest
    }

    fn peek(&self, period: Period, now: u64) -> u32 {
        self.newest.get(&period).copied().unwrap_or_default().max(period.index(now))
    }

    fn left(&self, limit: Limit, now: u64) -> u32 {
        let window = self.peek(limit.period, now);
        limit.amount - self.taken.get(&(limit.period, window)).copied().unwrap_or_default()
    }

    fn take(&mut self, limits: &[Limit], now: u64, cost: u32) -> Option<Vec<(Period, u32)>> {
        if limits.iter().any(|&limit| self.left(limit, now) < cost) {
            return None;
        }
        let keys: Vec<_> =
            limits.iter().map(|limit| (limit.period, self.window(limit.period, now))).collect();
        for key in &keys {
            *self.taken.entry(*key).or_default() += cost;
        }
        Some(keys)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Take { cost: u32 },
    Charge { which: usize },
    Release { which: usize },
    Time { forward: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1u32..4).prop_map(|cost| Step::Take { cost }),
        2 => (0usize..8).prop_map(|which| Step::Charge { which }),
        2 => (0usize..8).prop_map(|which| Step::Release { which }),
        1 => (-90i64..200).prop_map(|forward| Step::Time { forward }),
    ]
}

proptest! {
    #[test]
    fn the_account_does_what_the_model_says(steps in proptest::collection::vec(step(), 1..200)) {
        let limits: Vec<Limit> = ["3 per second", "7 per minute", "20 per hour"].map(|l| l.parse().unwrap()).to_vec();
        let account = Arc::new(Account::new(limits.clone().into(), &[]));
        let mut model = Model::default();
        let mut held = Vec::new();
        let mut now: u64 = 1_000_000;
        for step in steps {
            match step {
                Step::Take { cost } => {
                    let expected = model.take(&limits, now, cost);
                    let got = Reservation::take(Arc::clone(&account), now, cost);
                    prop_assert_eq!(expected.is_some(), got.is_ok());
                    if let (Some(keys), Ok(reservation)) = (expected, got) {
                        held.push((keys, reservation));
                    }
                }
                Step::Charge { which } if which < held.len() => held.swap_remove(which).1.charge(|_| ()),
                Step::Release { which } if which < held.len() => {
                    let (keys, reservation) = held.swap_remove(which);
                    for key in keys {
                        *model.taken.get_mut(&key).unwrap() -= reservation.cost();
                    }
                    drop(reservation);
                }
                Step::Charge { .. } | Step::Release { .. } => {}
                Step::Time { forward } => now = now.saturating_add_signed(forward),
            }
            for (standing, limit) in account.standings(now).zip(&limits) {
                prop_assert_eq!(standing.remaining, model.left(*limit, now));
            }
        }
    }
}

#[test]
fn remaining_counts_down_to_zero_and_stays_there() {
    let account = account(&["6 per day"]);
    let mut seen = Vec::new();
    for _ in 0..8 {
        if let Ok(reservation) = Reservation::take(Arc::clone(&account), 5, 1) {
            reservation.charge(|_| ());
        }
        seen.push(account.standings(5).next().unwrap().remaining);
    }
    assert_eq!(seen, [5, 4, 3, 2, 1, 0, 0, 0]);
}

#[test]
fn a_denial_changes_nothing_and_names_the_limit_that_resets_last() {
    let account = account(&["1 per second", "1 per day", "100 per month"]);
    Reservation::take(Arc::clone(&account), 10, 1).unwrap().charge(|_| ());
    let before: Vec<_> = account.standings(10).collect();
    let denial = Reservation::take(Arc::clone(&account), 10, 1).unwrap_err();
    assert_eq!(denial.limit.period, Period::Day);
    assert_eq!((denial.position, denial.reset, denial.resets_at), (1, 86_390, 86_400));
    assert_eq!(account.standings(10).collect::<Vec<_>>(), before);
}

#[test]
fn a_panic_gives_the_units_back() {
    let account = account(&["1 per day"]);
    let held = Arc::clone(&account);
    let thread = std::thread::spawn(move || {
        let _reservation = Reservation::take(held, 0, 1).unwrap();
        std::panic::resume_unwind(Box::new("a policy panicked"));
    });
    assert!(thread.join().is_err());
    assert_eq!(account.standings(0).next().unwrap().remaining, 1);
}

#[test]
fn what_was_used_comes_back_after_a_restart() {
    let before = account(&["10 per day", "20 per second"]);
    Reservation::take(Arc::clone(&before), 86_400 * 3, 4).unwrap().charge(|_| ());
    let _in_flight = Reservation::take(Arc::clone(&before), 86_400 * 3, 2).unwrap();
    let rows: Vec<Used> = before.used().collect();
    let after = Account::new(vec!["10 per day".parse().unwrap()].into(), &rows);
    assert_eq!(after.standings(86_400 * 3 + 5).next().unwrap().remaining, 6);
    assert_eq!(after.standings(86_400 * 4).next().unwrap().remaining, 10);
}

#[test]
fn an_account_is_handed_over_once_until_it_is_saved() {
    let account = account(&["10 per day"]);
    let mut handed = 0;
    for _ in 0..3 {
        Reservation::take(Arc::clone(&account), 0, 1).unwrap().charge(|_| handed += 1);
    }
    assert_eq!(handed, 1);
    account.begin_saving();
    Reservation::take(Arc::clone(&account), 0, 1).unwrap().charge(|_| handed += 1);
    assert_eq!(handed, 2);
}

#[test]
fn racing_threads_never_get_more_than_the_limit() {
    for round in 0..200 {
        let account = account(&["1000 per day", "10 per hour"]);
        let admitted = AtomicU32::new(0);
        std::thread::scope(|scope| {
            for thread in 0..8u32 {
                let (account, admitted) = (&account, &admitted);
                scope.spawn(move || {
                    for turn in 0..20u32 {
                        let Ok(reservation) = Reservation::take(Arc::clone(account), round, 1) else {
                            continue;
                        };
                        if (thread + turn) % 3 == 0 {
                            drop(reservation);
                        } else {
                            admitted.fetch_add(1, Ordering::Relaxed);
                            reservation.charge(|_| ());
                        }
                    }
                });
            }
        });
        assert_eq!(admitted.load(Ordering::Relaxed), 10);
        assert_eq!(account.standings(round).map(|s| s.remaining).collect::<Vec<_>>(), [990, 0]);
        assert_eq!(account.used().map(|u| u.units).collect::<Vec<_>>(), [10, 10]);
    }
}
