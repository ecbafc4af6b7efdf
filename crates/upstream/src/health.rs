//! The health of an address: whether it gets requests, and how it comes back.
//!
//! Two mechanisms. *Outlier detection*: too many consecutive failures of requests eject an address,
//! each time for longer. *Health checks*, if configured, probe it independently. Both write here; a
//! request to a healthy address reads one atomic and writes none.

use crate::settings;
use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A full share of requests, in thousandths.
pub(crate) const WHOLE: u32 = 1000;
/// The initial share of an address that just came back, in thousandths.
const LEAST: u64 = 100;

/// The health of an address. Times are those of [`super::millis`].
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Health {
    /// There is state to evaluate below. False: it gets its full share.
    is_marked: AtomicBool,
    /// The latest result of health checks: one of the constants.
    checked: AtomicU8,
    /// Consecutive failures.
    in_a_row: AtomicU32,
    /// How often it was ejected since it was last healthy for some time.
    times_out: AtomicU32,
    /// It is ejected until then. 0: it is not.
    out_until: AtomicU64,
    /// When it came back, or will. 0: it was never ejected.
    back_at: AtomicU64,
    /// All failures of requests.
    failures: AtomicU64,
    /// Unix milliseconds of the last change. 0: none.
    since: AtomicU64,
}

const NOT_CHECKED: u8 = 0;
const HEALTHY: u8 = 1;
const UNHEALTHY: u8 = 2;

/// The share of requests that the address gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// This many thousandths.
    Of(u32),
    /// It is ejected because requests failed: none for a time.
    Out,
    /// Its checks fail: none.
    Unhealthy,
}

/// The time of an event.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Monotonic, see [`super::millis`].
    pub millis: u64,
    /// Wall clock, for display.
    pub unix_millis: u64,
}

impl Health {
    /// The share of requests that the address gets.
    pub fn share(&self, detection: &settings::OutlierDetection, now: impl FnOnce() -> u64) -> Share {
        if !self.is_marked.load(Relaxed) {
            return Share::Of(WHOLE);
        }
        if self.checked.load(Relaxed) == UNHEALTHY {
            return Share::Unhealthy;
        }
        let now = now();
        if now < self.out_until.load(Relaxed) {
            return Share::Out;
        }
        let back = now.saturating_sub(self.back_at.load(Relaxed));
        let slow = in_millis(detection.slow_start);
        if back >= slow.max(in_millis(detection.base_ejection_time)) {
            // It was healthy for long enough: reset the history.
            self.times_out.store(0, Relaxed);
            self.is_marked.store(false, Relaxed);
        }
        let part = back.saturating_mul(u64::from(WHOLE)).checked_div(slow).unwrap_or(u64::from(WHOLE));
        Share::Of(u32::try_from(part.clamp(LEAST, u64::from(WHOLE))).unwrap_or(WHOLE))
    }

    /// A request got a response.
    pub fn succeeded(&self) {
        // Nearly always it is 0 already, and a cache line that is not written is not contended.
        if self.in_a_row.load(Relaxed) != 0 {
            self.in_a_row.store(0, Relaxed);
        }
    }

    /// A request failed: no connection, no response, or a malformed one. Some: the address is
    /// ejected for this long. `may_go`: another address is available. `random`: 0 to 1, so that not
    /// all come back at once.
    pub fn failed(
        &self,
        detection: &settings::OutlierDetection,
        now: Now,
        may_go: bool,
        random: f64,
    ) -> Option<Duration> {
        self.failures.fetch_add(1, Relaxed);
        let in_a_row = self.in_a_row.fetch_add(1, Relaxed).saturating_add(1);
        let most = detection.consecutive_failures?;
        let until = self.out_until.load(Relaxed);
        // Requests that were in flight when it was ejected are no new information.
        if now.millis < until || !may_go {
            return None;
        }
        let times = self.times_out.load(Relaxed);
        // An address that just came back is on trial: one failure is enough.
        let is_on_trial = times > 0 && self.is_marked.load(Relaxed);
        if in_a_row < most && !is_on_trial {
            return None;
        }
        let grown =
            detection.base_ejection_time.saturating_mul(1 << times.min(16)).min(detection.max_ejection_time);
        let time = grown.mul_f64(0.75 + 0.5 * random);
        let end = now.millis.saturating_add(in_millis(time).max(1));
        // If several threads see it fail at the same time, one of them ejects it.
        self.out_until.compare_exchange(until, end, Relaxed, Relaxed).ok()?;
        self.times_out.store(times.saturating_add(1), Relaxed);
        self.in_a_row.store(0, Relaxed);
        self.back_at.store(end, Relaxed);
        self.since.store(now.unix_millis, Relaxed);
        self.is_marked.store(true, Relaxed);
        Some(time)
    }

    /// Sets the result of health checks. True: it changed.
    pub fn set_checked(&self, is_healthy: bool, now: Now) -> bool {
        let verdict = if is_healthy { HEALTHY } else { UNHEALTHY };
        let before = self.checked.swap(verdict, Relaxed);
        // Until its first check an address counts as healthy: a gateway that just started must serve.
        let has_changed = before != verdict && !(before == NOT_CHECKED && is_healthy);
        if has_changed {
            self.since.store(now.unix_millis, Relaxed);
            if is_healthy {
                self.in_a_row.store(0, Relaxed);
                self.back_at.fetch_max(now.millis, Relaxed);
            }
            self.is_marked.store(true, Relaxed);
        }
        has_changed
    }

    /// There are no health checks any more.
    pub fn forget_checks(&self) {
        if self.checked.load(Relaxed) != NOT_CHECKED {
            self.checked.store(NOT_CHECKED, Relaxed);
        }
    }

    /// All failures of requests.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// Unix milliseconds of the last change. None: there was none.
    pub fn since(&self) -> Option<u64> {
        Some(self.since.load(Relaxed)).filter(|since| *since > 0)
    }
}

fn in_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DETECTION: settings::OutlierDetection = settings::OutlierDetection {
        consecutive_failures: Some(3),
        base_ejection_time: Duration::from_secs(10),
        max_ejection_time: Duration::from_secs(60),
        slow_start: Duration::from_secs(20),
    };

    fn at(millis: u64) -> Now {
        Now { millis, unix_millis: 1_000_000 + millis }
    }

    fn share(health: &Health, millis: u64) -> Share {
        health.share(&DETECTION, || millis)
    }

    #[test]
    fn consecutive_failures_eject_it_and_it_comes_back_slowly() {
        let health = Health::default();
        for _ in 0..2 {
            assert_eq!(health.failed(&DETECTION, at(1), true, 0.5), None);
        }
        health.succeeded();
        for _ in 0..2 {
            assert_eq!(health.failed(&DETECTION, at(2), true, 0.5), None);
        }
        assert_eq!(share(&health, 2), Share::Of(WHOLE));
        assert_eq!(health.failed(&DETECTION, at(100), true, 0.5), Some(Duration::from_secs(10)));
        assert_eq!(health.since(), Some(1_000_100));
        assert_eq!(share(&health, 10_099), Share::Out);
        // Requests that were in flight change nothing.
        assert_eq!(health.failed(&DETECTION, at(200), true, 0.5), None);
        assert_eq!(share(&health, 10_100), Share::Of(100));
        assert_eq!(share(&health, 20_100), Share::Of(500));
        assert_eq!(share(&health, 30_100), Share::Of(WHOLE));
        // After that the history is reset: it takes three failures again.
        assert_eq!(health.failed(&DETECTION, at(30_200), true, 0.5), None);
        assert_eq!(health.failures(), 7);
    }

    #[test]
    fn each_time_it_is_out_for_longer_and_on_trial_one_failure_is_enough() {
        let health = Health::default();
        let mut now = 1;
        for expected in [10, 20, 40, 60, 60] {
            let mut out = None;
            for _ in 0..if expected == 10 { 3 } else { 1 } {
                out = health.failed(&DETECTION, at(now), true, 0.5);
            }
            assert_eq!(out, Some(Duration::from_secs(expected)));
            now += expected * 1000 + 1;
            assert!(matches!(share(&health, now), Share::Of(_)));
        }
        let health = Health::default();
        let times: Vec<_> = [0.0, 1.0]
            .iter()
            .map(|random| {
                (0..3).filter_map(|_| health.failed(&DETECTION, at(1), true, *random)).last();
                Health::default().failed(
                    &settings::OutlierDetection { consecutive_failures: Some(1), ..DETECTION },
                    at(1),
                    true,
                    *random,
                )
            })
            .collect();
        assert_eq!(times, [Some(Duration::from_millis(7500)), Some(Duration::from_millis(12_500))]);
    }

    #[test]
    fn the_last_one_stays_and_so_does_any_where_that_is_off() {
        let health = Health::default();
        for _ in 0..100 {
            assert_eq!(health.failed(&DETECTION, at(1), false, 0.5), None);
        }
        assert_eq!(share(&health, 2), Share::Of(WHOLE));
        let off = settings::OutlierDetection { consecutive_failures: None, ..DETECTION };
        for _ in 0..100 {
            assert_eq!(health.failed(&off, at(1), true, 0.5), None);
        }
    }

    #[test]
    fn checks_take_it_out_and_bring_it_back_slowly() {
        let health = Health::default();
        assert!(!health.set_checked(true, at(5)));
        assert_eq!(share(&health, 6), Share::Of(WHOLE));
        assert!(health.set_checked(false, at(10)));
        assert!(!health.set_checked(false, at(11)));
        assert_eq!(share(&health, 12), Share::Unhealthy);
        assert!(health.set_checked(true, at(100)));
        assert_eq!(share(&health, 100), Share::Of(100));
        assert_eq!(share(&health, 20_100), Share::Of(WHOLE));
        // An address that fails from its first check on.
        let health = Health::default();
        assert!(health.set_checked(false, at(10)));
        health.forget_checks();
        assert_ne!(share(&health, 12), Share::Unhealthy);
    }
}
