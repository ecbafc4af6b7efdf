//! The core against a reference of some twenty lines, over random schedules of requests, errors, cancels,
//! windows, changes of limits, and freed memory.
#![cfg(not(feature = "loom"))]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

use contract::{
    Limit,
    limit::{Kind, Tag},
};
use limits::{Limits, Remembered, Reservation, Seat};
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc};

/// One unit taken: by which request, when, and whether that is in flight. Limits are queries on this
/// list, nothing else.
#[derive(Clone, Copy)]
struct Unit {
    request: usize,
    at: u64,
    is_in_flight: bool,
}

/// The reference.
#[derive(Default)]
struct Model(HashMap<Tag, Vec<Unit>>);

impl Model {
    /// Units that count against a limit at `now`.
    fn counted(&self, limit: &Limit, now: u64) -> usize {
        let Some(units) = self.0.get(&limit.tag()) else { return 0 };
        let in_window = |unit: &&Unit| match &limit.kind {
            Kind::Calendar { period, zone } => {
                zone.index(*period, unit.at / 1000) == zone.index(*period, now / 1000)
            }
            Kind::Rolling { seconds } => {
                let part = u64::from(*seconds) * 1000 / 16;
                now / part - unit.at / part <= 16
            }
            Kind::Concurrent => unit.is_in_flight,
            Kind::Lifetime => true,
            Kind::Rate { .. } => unreachable!("rates have their own test"),
        };
        units.iter().filter(in_window).count()
    }

    fn admits(&self, limits: &[Limit], now: u64, cost: usize) -> bool {
        let units = |limit: &Limit| if limit.kind == Kind::Concurrent { 1 } else { cost };
        limits.iter().all(|limit| self.counted(limit, now) + units(limit) <= limit.amount as usize)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Request { cost: u32, group: bool, remembers: bool },
    Land { which: usize },
    Charge { which: usize },
    ChargeLess { which: usize, cost: u32 },
    Fail { which: usize },
    Wait { millis: u64 },
    Change { plan: usize },
    Retire,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1u32..4, any::<bool>(), any::<bool>())
            .prop_map(|(cost, group, remembers)| Step::Request { cost, group, remembers }),
        1 => (0usize..8).prop_map(|which| Step::Land { which }),
        2 => (0usize..8).prop_map(|which| Step::Charge { which }),
        1 => (0usize..8, 0u32..4).prop_map(|(which, cost)| Step::ChargeLess { which, cost }),
        3 => (0usize..8).prop_map(|which| Step::Fail { which }),
        1 => (0u64..5_000).prop_map(|millis| Step::Wait { millis }),
        1 => (0u64..400_000).prop_map(|millis| Step::Wait { millis }),
        1 => (0usize..6).prop_map(|plan| Step::Change { plan }),
        1 => Just(Step::Retire),
    ]
}

fn plans() -> Vec<(Vec<Limit>, Arc<Limits>)> {
    let plans: [&[&str]; 6] = [
        &["3 per second", "7 per minute", "40 per hour", "5 at once", "6 per rolling 2 minutes"],
        &["9 per minute", "12 per rolling 2 minutes", "2 per minute for search", "200 in all"],
        &[
            "2 per second",
            "5 per minute",
            "20 per hour",
            "100 per day",
            "3 at once",
            "4 per minute for search",
        ],
        &["1000 per month"],
        &["5 per minute"],
        &["4 at once"],
    ];
    let compiled = |texts: &&[&str]| {
        let limits: Vec<_> = texts.iter().map(|text| Limit::parse(text, &mut |_| None).unwrap()).collect();
        (limits.clone(), Arc::new(Limits::new(limits).unwrap()))
    };
    plans.iter().map(compiled).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_core_matches_the_reference(steps in proptest::collection::vec(step(), 1..150)) {
        let plans = plans();
        let (mut limits, mut compiled) = plans[0].clone();
        let (seat, mut model) = (Seat::default(), Model::default());
        // What is in flight: the reservation, and the index of its units in the reference.
        let mut in_flight: Vec<(Reservation, Vec<(Tag, Unit)>)> = Vec::new();
        // What a connection remembers of the last charge, whatever happened to that account since.
        let mut connection = Remembered::nothing();
        let mut now: u64 = 1_790_000_000_000;
        for (request, step) in steps.into_iter().enumerate() {
            match step {
                Step::Request { cost, group, remembers } => {
                    let group = group.then_some("search");
                    let applying: Vec<_> = limits.iter().filter(|limit| limit.applies_to(group)).cloned().collect();
                    let remembered = if remembers { std::mem::take(&mut connection) } else { Remembered::nothing() };
                    let taken = Reservation::take_again(remembered, &seat, &compiled, group, now, cost);
                    prop_assert_eq!(taken.is_ok(), model.admits(&applying, now, cost as usize));
                    let Ok(taken) = taken else { continue };
                    let unit = Unit { request, at: now, is_in_flight: true };
                    let units = |limit: &Limit| if limit.kind == Kind::Concurrent { 1 } else { cost as usize };
                    let places: Vec<_> =
                        applying.iter().flat_map(|limit| vec![(limit.tag(), unit); units(limit)]).collect();
                    for (tag, unit) in &places {
                        model.0.entry(*tag).or_default().push(*unit);
                    }
                    in_flight.push((taken, places));
                }
                Step::Charge { which } if which < in_flight.len() => {
                    let (taken, places) = in_flight.swap_remove(which);
                    model.settle(&places, usize::MAX);
                    connection = taken.charge();
                }
                Step::ChargeLess { which, cost } if which < in_flight.len() => {
                    let (mut taken, places) = in_flight.swap_remove(which);
                    model.settle(&places, cost as usize);
                    taken.lower_to(cost);
                    connection = taken.charge();
                }
                Step::Fail { which } if which < in_flight.len() => {
                    let (taken, places) = in_flight.swap_remove(which);
                    model.settle(&places, 0);
                    drop(taken);
                }
                Step::Land { which } if which < in_flight.len() => {
                    in_flight[which].0.land();
                    model.land(&in_flight[which].1, &plans);
                }
                Step::Land { .. } | Step::Charge { .. } | Step::ChargeLess { .. } | Step::Fail { .. } => {}
                Step::Wait { millis } => now += millis,
                Step::Change { plan } => {
                    (limits, compiled) = plans[plan].clone();
                    // What was used of a window counts until it ends, whatever limits apply meanwhile.
                    seat.account(&compiled, now);
                }
                Step::Retire => { seat.retire(now); }
            }
            let account = seat.account(&compiled, now);
            for ((_, standing), limit) in account.standings(now, compiled.all()).zip(&limits) {
                let left = (limit.amount as usize).saturating_sub(model.counted(limit, now));
                prop_assert_eq!(standing.remaining as usize, left, "{} at {}", limit, now);
            }
        }
    }
}

impl Model {
    /// Settles a request: so many units of each limit stay, and none of those that count requests in flight.
    fn settle(&mut self, places: &[(Tag, Unit)], keep: usize) {
        let mut seen: HashMap<Tag, usize> = HashMap::new();
        for (tag, unit) in places {
            let Some(units) = self.0.get_mut(tag) else { continue };
            let Some(place) =
                units.iter().position(|known| known.is_in_flight && known.request == unit.request)
            else {
                continue; // its slot among the requests in flight is free already
            };
            let kept = seen.entry(*tag).or_default();
            *kept += 1;
            if *kept <= keep {
                units[place].is_in_flight = false;
            } else {
                units.swap_remove(place);
            }
        }
    }
}

impl Model {
    /// The response is complete: limits on requests in flight no longer count this one.
    fn land(&mut self, places: &[(Tag, Unit)], plans: &[(Vec<Limit>, Arc<Limits>)]) {
        let all = plans.iter().flat_map(|(limits, _)| limits);
        for limit in all.filter(|limit| limit.kind == Kind::Concurrent) {
            let Some(units) = self.0.get_mut(&limit.tag()) else { continue };
            units.retain(|known| !places.iter().any(|(_, unit)| unit.request == known.request));
        }
    }
}

/// More by hand: `PROPTEST_CASES=100000 cargo test --release -p fairgate-limits --test model`.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(2_000)
}
