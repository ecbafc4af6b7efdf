//! When the next order may be placed. Pure: the times are parameters.
//!
//! Two clocks are at work. When a certificate is due is a matter of the wall clock, which may be wrong. How much time has
//! passed since the last order is measured by the clock that nobody can set, so whatever the wall clock says, orders keep
//! their distance: an authority grants a few in a week.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The least time between two orders, and what doubles with each that fails or comes too soon.
pub(super) const MIN_INTERVAL: Duration = Duration::from_secs(60);
const MAX_INTERVAL: Duration = Duration::from_secs(12 * 3600);
/// The longest wait after a failure while the certificate has expired.
const MAX_INTERVAL_EXPIRED: Duration = Duration::from_secs(3600);
/// The longest that an authority's `Retry-After` is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// From when to when a certificate is valid, in Unix seconds.
pub(super) type Validity = (i64, i64);

/// The orders so far, as far as the next one depends on them. Kept across restarts, so that a gateway that is restarted
/// again and again keeps its distance, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Orders {
    /// When the last one was placed, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) placed: Option<i64>,
    /// How many failed since the last that succeeded.
    #[serde(default)]
    pub(super) failures: u32,
    /// How many in a row replaced a certificate long before its time.
    #[serde(default)]
    pub(super) premature: u32,
}

/// When a certificate is to be renewed if the authority does not say: at two thirds of its life.
pub(super) const fn due((from, to): Validity) -> i64 {
    from.saturating_add(to.saturating_sub(from) / 3 * 2)
}

/// The latest moment for a renewal, whatever the authority suggests: a tenth of the life is left for failures.
pub(super) const fn latest((from, to): Validity) -> i64 {
    to.saturating_sub(to.saturating_sub(from) / 10)
}

impl Orders {
    /// How long to wait at a start. An operator who restarts after a failure may have corrected its cause.
    pub(super) fn wait_at_start(&self, now: i64) -> Duration {
        let Some(placed) = self.placed else { return Duration::ZERO };
        let interval = if self.failures > 0 { MIN_INTERVAL } else { doubled(self.premature) };
        interval.saturating_sub(since(placed, now))
    }

    /// A certificate came. `age`: how long the one before it was in use, measured by the clock that nobody can set;
    /// `validity`: from when to when that one is valid. Returns how long the next order has to wait at least.
    pub(super) fn succeeded(&mut self, replaced: Option<(Duration, Validity)>) -> Duration {
        let is_premature = replaced.is_some_and(|(age, (from, to))| age < life((from, to)) / 3);
        self.failures = 0;
        self.premature = if is_premature { self.premature.saturating_add(1) } else { 0 };
        doubled(self.premature)
    }

    /// An order failed. `left`: what is left of the life of the certificate in use, None without one. `retry_after`: what
    /// the authority asked for. `chance`, from 0 to 1, keeps gateways from coming all at once.
    pub(super) fn failed(
        &mut self,
        left: Option<i64>,
        retry_after: Option<Duration>,
        chance: f64,
    ) -> Duration {
        let backoff = doubled(self.failures).mul_f64(1.0 + chance.clamp(0.0, 1.0) / 4.0);
        self.failures = self.failures.saturating_add(1);
        let most = match left {
            None => MAX_INTERVAL,
            // Half of what is left, so that there are some more tries, ever closer to each other.
            Some(left @ 1..) => Duration::from_secs(left.unsigned_abs() / 2),
            Some(_) => MAX_INTERVAL_EXPIRED,
        };
        let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
        backoff.min(most).max(MIN_INTERVAL).max(asked)
    }
}

/// How long ago something was. A time in the future says that the clock was set back: then nothing is known.
pub(super) fn since(then: i64, now: i64) -> Duration {
    Duration::from_secs(u64::try_from(now.saturating_sub(then)).unwrap_or(0))
}

/// How long a certificate is valid.
fn life((from, to): Validity) -> Duration {
    since(from, to)
}

fn doubled(times: u32) -> Duration {
    MIN_INTERVAL.saturating_mul(1 << times.min(16)).min(MAX_INTERVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const LIFE: Duration = Duration::from_secs(90 * 86_400);

    /// Places orders for so long, whenever they are due by a clock that is off by so many seconds. Tells when each was
    /// placed.
    fn renewals(life: i64, off: i64, window: impl Fn(Validity) -> i64, seconds: i64) -> Vec<i64> {
        let (mut orders, mut placed, mut held) = (Orders::default(), Vec::new(), None);
        let (mut now, mut not_before) = (0, 0);
        while now < seconds {
            let is_due = held.is_none_or(|validity| now + off >= window(validity));
            if is_due && now >= not_before {
                let replaced = placed.last().zip(held).map(|(last, held)| (since(*last, now), held));
                not_before = now + i64::try_from(orders.succeeded(replaced).as_secs()).unwrap();
                placed.push(now);
                held = Some((now, now + life));
            }
            now += 10;
        }
        placed
    }

    #[test]
    fn a_certificate_is_renewed_at_two_thirds_of_its_life() {
        assert_eq!(due((1_000, 1_090)), 1_060);
        assert_eq!(due((1_000, 1_000)), 1_000);
        assert_eq!(latest((1_000, 1_100)), 1_090);
        assert_eq!(renewals(90 * DAY, 0, due, 130 * DAY), [0, 60 * DAY, 120 * DAY]);
        // Neither is a life of minutes a reason to wait.
        assert_eq!(renewals(300, 0, due, 700), [0, 200, 400, 600]);
    }

    #[test]
    fn a_clock_that_is_ahead_orders_at_growing_intervals() {
        let begun = [0, 60, 180, 420, 900, 1_860];
        for off in [60 * DAY, 61 * DAY, 90 * DAY, 4_000 * DAY] {
            assert_eq!(renewals(90 * DAY, off, due, 3_600), begun, "{off}");
            assert!(renewals(90 * DAY, off, due, 7 * DAY).len() < 25, "{off}");
        }
        // Just short of two thirds each certificate is due some seconds after it came.
        let placed = renewals(90 * DAY, 60 * DAY - 30, due, 3_600);
        assert!(placed.len() <= begun.len(), "{placed:?}");
    }

    #[test]
    fn an_authority_that_always_wants_a_renewal_is_asked_at_growing_intervals() {
        assert_eq!(renewals(90 * DAY, 0, |(from, _)| from - 1, 3_600), [0, 60, 180, 420, 900, 1_860]);
    }

    #[test]
    fn a_renewal_in_time_ends_the_growth() {
        let mut orders = Orders { premature: 9, ..Orders::default() };
        assert_eq!(orders.succeeded(Some((LIFE / 3 * 2, (0, 90 * DAY)))), MIN_INTERVAL);
        assert_eq!(orders.premature, 0);
    }

    #[test]
    fn waits_after_failures_grow_within_a_bound_and_are_not_all_the_same() {
        let wait =
            |failures, chance| Orders { failures, ..Orders::default() }.failed(None, None, chance).as_secs();
        assert_eq!((wait(0, 0.0), wait(0, 0.5), wait(0, 1.0)), (60, 67, 75));
        assert_eq!((wait(3, 0.0), wait(40, 0.0)), (480, 12 * 3600));
    }

    #[test]
    fn waits_after_failures_leave_room_for_more_of_them_before_the_certificate_expires() {
        let mut orders = Orders { failures: 30, ..Orders::default() };
        let (mut left, mut tries) = (2 * DAY, 0);
        while left > 0 {
            let wait = orders.failed(Some(left), None, 1.0);
            assert!(
                wait >= MIN_INTERVAL && (wait <= MIN_INTERVAL || wait.as_secs() <= left.unsigned_abs() / 2)
            );
            left -= i64::try_from(wait.as_secs()).unwrap();
            tries += 1;
        }
        assert!((8..=16).contains(&tries), "{tries}");
        assert_eq!(orders.failed(Some(left), None, 0.0), MAX_INTERVAL_EXPIRED);
    }

    #[test]
    fn an_authority_that_asks_for_patience_gets_it() {
        let asked = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(Orders::default().failed(None, asked(7_200), 0.0).as_secs(), 7_200);
        assert_eq!(Orders::default().failed(None, asked(1), 0.0), MIN_INTERVAL);
        assert_eq!(Orders::default().failed(None, asked(u64::MAX), 0.0), MAX_RETRY_AFTER);
    }

    #[test]
    fn a_restart_is_no_way_around_the_interval() {
        let orders = |failures, premature| Orders { placed: Some(1_000), failures, premature };
        assert_eq!(Orders::default().wait_at_start(5), Duration::ZERO);
        assert_eq!(orders(0, 0).wait_at_start(1_010).as_secs(), 50);
        assert_eq!(orders(7, 0).wait_at_start(1_010).as_secs(), 50);
        assert_eq!(orders(0, 4).wait_at_start(1_010).as_secs(), 950);
        assert_eq!(orders(0, 0).wait_at_start(9_000), Duration::ZERO);
        // The clock was set back: how long ago it was is not known.
        assert_eq!(orders(0, 0).wait_at_start(10).as_secs(), 60);
    }
}
