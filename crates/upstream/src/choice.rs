//! Load balancing: the less busy of two random addresses.
//!
//! All threads at once would find the least busy address of all, and overload it; one random
//! address may be busy while others are idle. Choosing between two, drawn by weight, avoids both.

use super::{
    backend::Backend,
    health::{Share, WHOLE},
};
use crate::settings::{OutlierDetection, UpstreamAddress};
use std::sync::Arc;

const MAX_ADDRESSES: usize = crate::settings::Upstream::MAX_ADDRESSES;

/// The result of a choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// The address at this position.
    One(usize),
    /// All remaining addresses have their maximum of requests in flight.
    Busy,
    /// The health checks of all fail.
    Unhealthy,
    /// All were tried.
    Tried,
}

/// The constraints of a choice.
pub(crate) struct Terms<'s> {
    pub(crate) outlier_detection: &'s OutlierDetection,
    /// Maximum number of requests in flight at one address.
    pub(crate) max_requests: Option<u32>,
    /// A bit for each position that was tried already.
    pub(crate) tried: u64,
}

/// Chooses among the addresses of a service, by state and settings. `random` returns a number below
/// its argument, which is never 0.
pub(crate) fn choose(
    backends: &[Arc<Backend>],
    addresses: &[UpstreamAddress],
    terms: &Terms<'_>,
    now: impl Fn() -> u64,
    mut random: impl FnMut(u64) -> u64,
) -> Chosen {
    let mut weights = [0u64; MAX_ADDRESSES];
    // Outlier detection may be wrong: that all addresses are ejected says more about the requests,
    // or about something behind all addresses, than about each one. Using none would turn some
    // failures into a complete outage.
    for heeds_failures in [true, false] {
        let (mut total, mut busy, mut unhealthy, mut tried) = (0u64, false, false, false);
        let all = backends.iter().zip(addresses).zip(&mut weights).enumerate();
        for (position, ((backend, address), weight)) in all {
            *weight = 0;
            if terms.tried >> position & 1 == 1 {
                tried = true;
                continue;
            }
            let share = match backend.health.share(terms.outlier_detection, &now) {
                Share::Of(share) => share,
                Share::Out if heeds_failures => 0,
                Share::Out => WHOLE,
                Share::Unhealthy => {
                    unhealthy = true;
                    0
                }
            };
            if share > 0 && terms.max_requests.is_some_and(|most| backend.in_flight() >= most) {
                busy = true;
                continue;
            }
            *weight = u64::from(address.weight) * u64::from(share);
            total += *weight;
        }
        if total > 0 {
            return Chosen::One(less_busy_of_two(backends, &weights, total, &mut random));
        }
        if busy {
            return Chosen::Busy;
        }
        if !heeds_failures && unhealthy && !tried {
            return Chosen::Unhealthy;
        }
    }
    Chosen::Tried
}

fn less_busy_of_two(
    backends: &[Arc<Backend>],
    weights: &[u64; MAX_ADDRESSES],
    total: u64,
    random: &mut impl FnMut(u64) -> u64,
) -> usize {
    let weight = |position: usize| weights.get(position).copied().unwrap_or_default();
    let draw = |mut at: u64, without: Option<usize>| {
        let mut last = without.unwrap_or_default();
        for position in
            (0..backends.len()).filter(|position| Some(*position) != without && weight(*position) > 0)
        {
            last = position;
            match at.checked_sub(weight(position)) {
                Some(rest) => at = rest,
                None => break,
            }
        }
        last
    };
    let first = draw(random(total), None);
    let rest = total.saturating_sub(weight(first));
    if rest == 0 {
        return first;
    }
    let second = draw(random(rest), Some(first));
    // The first is kept unless the other, with this request, is not busier than the first without
    // it, relative to their capacities. So weights determine the distribution when nothing is busy,
    // and give way when something is.
    let in_flight =
        |position: usize| u64::from(backends.get(position).map_or(0, |backend| backend.in_flight()));
    let first_load = in_flight(first).saturating_mul(weight(second));
    let second_load = in_flight(second).saturating_add(1).saturating_mul(weight(first));
    if first_load >= second_load { second } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Now;
    use std::time::Duration;

    const DETECTION: OutlierDetection = OutlierDetection {
        consecutive_failures: Some(1),
        base_ejection_time: Duration::from_secs(10),
        max_ejection_time: Duration::from_secs(60),
        slow_start: Duration::from_secs(10),
    };

    fn address(weight: u32) -> UpstreamAddress {
        UpstreamAddress { host: "127.0.0.1".into(), port: 1, weight, tls: None, speaks_http2: false }
    }

    fn backends(count: usize) -> Vec<Arc<Backend>> {
        (0..count).map(|_| Arc::new(Backend::new("a", &address(1)))).collect()
    }

    fn counts(backends: &[Arc<Backend>], weights: &[u32], terms: &Terms<'_>, now: u64) -> Vec<u32> {
        let all: Vec<_> = weights.iter().copied().map(address).collect();
        let mut random = fastrand::Rng::with_seed(7);
        let mut counts = vec![0; backends.len()];
        for _ in 0..10_000 {
            if let Chosen::One(position) = choose(backends, &all, terms, || now, |below| random.u64(0..below))
            {
                counts[position] += 1;
            }
        }
        counts
    }

    fn assert_near(counts: &[u32], expected: &[u32]) {
        let near = |(count, expected): (&u32, &u32)| count.abs_diff(*expected) < 250;
        assert!(counts.iter().zip(expected).all(near), "{counts:?}, not {expected:?}");
    }

    #[test]
    fn weights_hold_where_nothing_is_busy() {
        let terms = Terms { outlier_detection: &DETECTION, max_requests: None, tried: 0 };
        let four = backends(4);
        assert_near(&counts(&four, &[1, 2, 3, 4], &terms, 1), &[1000, 2000, 3000, 4000]);
        let tried = Terms { tried: 0b1001, ..terms };
        assert_near(&counts(&four, &[1, 2, 3, 4], &tried, 1), &[0, 4000, 6000, 0]);
        assert_eq!(counts(&backends(1), &[1], &terms, 1), [10_000]);
    }

    #[test]
    fn a_busy_address_gets_less_relative_to_its_weight() {
        let terms = Terms { outlier_detection: &DETECTION, max_requests: None, tried: 0 };
        let two = backends(2);
        let _busy: Vec<_> = (0..5).map(|_| two[0].begin(None).unwrap()).collect();
        assert_eq!(counts(&two, &[1, 1], &terms, 1), [0, 10_000]);
        assert_near(&counts(&two, &[9, 1], &terms, 1), &[9000, 1000]);
        let full = Terms { max_requests: Some(5), ..terms };
        assert_eq!(counts(&two, &[60, 1], &full, 1), [0, 10_000]);
    }

    #[test]
    fn one_that_is_out_gets_nothing_then_a_little_then_its_share() {
        let terms = Terms { outlier_detection: &DETECTION, max_requests: None, tried: 0 };
        let two = backends(2);
        two[0].health.failed(&DETECTION, Now { millis: 1, unix_millis: 1 }, true, 0.5).unwrap();
        assert_eq!(counts(&two, &[1, 1], &terms, 10_000), [0, 10_000]);
        assert_near(&counts(&two, &[1, 1], &terms, 10_001), &[909, 9091]);
        assert_near(&counts(&two, &[1, 1], &terms, 15_001), &[3333, 6667]);
        assert_near(&counts(&two, &[1, 1], &terms, 20_001), &[5000, 5000]);
    }

    #[test]
    fn if_the_requests_of_all_fail_all_are_asked_but_not_those_whose_checks_fail() {
        let terms = Terms { outlier_detection: &DETECTION, max_requests: None, tried: 0 };
        let now = Now { millis: 1, unix_millis: 1 };
        let three = backends(3);
        for backend in &three {
            backend.health.failed(&DETECTION, now, true, 0.5).unwrap();
        }
        three[2].health.set_checked(false, now);
        assert_near(&counts(&three, &[1, 1, 1], &terms, 2), &[5000, 5000, 0]);
        let chosen = |backends: &[Arc<Backend>], terms: &Terms<'_>| {
            let all: Vec<_> = backends.iter().map(|_| address(1)).collect();
            choose(backends, &all, terms, || 2, |_| 0)
        };
        assert_eq!(chosen(&three[2..], &terms), Chosen::Unhealthy);
        assert_eq!(chosen(&three, &Terms { tried: 0b011, ..terms }), Chosen::Tried);
        assert_eq!(chosen(&three, &Terms { max_requests: Some(0), ..terms }), Chosen::Busy);
    }
}
