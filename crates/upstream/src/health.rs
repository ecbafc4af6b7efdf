//! Whether an address is asked: what its answers and its checks say, and how it comes back.
//!
//! Two judges. *Requests*: too many failures in a row take an address out for a time that grows each time. *Checks*, if
//! they are configured, ask it beside the requests. Both write here; a request that asks a healthy address reads one
//! atomic and writes none.

use crate::settings;
use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// A whole share of requests, in thousandths.
pub(crate) const WHOLE: u32 = 1000;
/// What an address that just came back gets of its share at first, in thousandths.
const LEAST: u64 = 100;

/// The health of one address. Times are those of [`super::millis`].
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Health {
    /// There is something to look at below. False: it gets its whole share.
    is_marked: AtomicBool,
    /// What the checks found last: one of the constants.
    checked: AtomicU8,
    /// Failures since the last success.
    in_a_row: AtomicU32,
    /// How often it was taken out since it was well for some time.
    times_out: AtomicU32,
    /// Requests take it out until then. 0: they do not.
    out_until: AtomicU64,
    /// When it came back or will. 0: it was never out.
    back_at: AtomicU64,
    /// Failures of requests, ever.
    failures: AtomicU64,
    /// Unix milliseconds of the last change. 0: there was none.
    since: AtomicU64,
}

const NOT_CHECKED: u8 = 0;
const WELL: u8 = 1;
const ILL: u8 = 2;

/// What the address gets of its share of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// So many thousandths.
    Of(u32),
    /// Its requests failed, so for a time none.
    Out,
    /// Its checks fail, so none.
    Unhealthy,
}

/// When something happened.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// By [`super::millis`].
    pub millis: u64,
    /// By the clock on the wall, to be shown.
    pub unix_millis: u64,
}

impl Health {
    /// What the address gets of its share of requests.
    pub fn share(&self, detection: &settings::OutlierDetection, now: impl FnOnce() -> u64) -> Share {
        if !self.is_marked.load(Relaxed) {
            return Share::Of(WHOLE);
        }
        if self.checked.load(Relaxed) == ILL {
            return Share::Unhealthy;
        }
        let now = now();
        if now < self.out_until.load(Relaxed) {
            return Share::Out;
        }
        let back = now.saturating_sub(self.back_at.load(Relaxed));
        let slow = in_millis(detection.slow_start);
        if back >= slow.max(in_millis(detection.base_ejection_time)) {
            // It was well for long enough: what was before is forgotten.
            self.times_out.store(0, Relaxed);
            self.is_marked.store(false, Relaxed);
        }
        let part = back.saturating_mul(u64::from(WHOLE)).checked_div(slow).unwrap_or(u64::from(WHOLE));
        Share::Of(u32::try_from(part.clamp(LEAST, u64::from(WHOLE))).unwrap_or(WHOLE))
    }

    /// A request was answered.
    pub fn succeeded(&self) {
        // Nearly always it is 0 already, and a line that nobody writes costs nobody anything.
        if self.in_a_row.load(Relaxed) != 0 {
            self.in_a_row.store(0, Relaxed);
        }
    }

    /// A request failed: it was not connected, not answered, or garbage came. Some: the address is out for this long.
    /// `may_go`: there is another one that can be asked. `random`: 0 to 1, so that not all come back at once.
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
        // Requests that were in flight when it went out say nothing new.
        if now.millis < until || !may_go {
            return None;
        }
        let times = self.times_out.load(Relaxed);
        // Who just came back has to show that he is well: one failure is enough.
        let is_on_trial = times > 0 && self.is_marked.load(Relaxed);
        if in_a_row < most && !is_on_trial {
            return None;
        }
        let grown =
            detection.base_ejection_time.saturating_mul(1 << times.min(16)).min(detection.max_ejection_time);
        let time = grown.mul_f64(0.75 + 0.5 * random);
        let end = now.millis.saturating_add(in_millis(time).max(1));
        // Of several threads that see it fail at the same time, one takes it out.
        self.out_until.compare_exchange(until, end, Relaxed, Relaxed).ok()?;
        self.times_out.store(times.saturating_add(1), Relaxed);
        self.in_a_row.store(0, Relaxed);
        self.back_at.store(end, Relaxed);
        self.since.store(now.unix_millis, Relaxed);
        self.is_marked.store(true, Relaxed);
        Some(time)
    }

    /// What the checks find from now on. True: it is something else than before.
    pub fn set_checked(&self, is_well: bool, now: Now) -> bool {
        let verdict = if is_well { WELL } else { ILL };
        let before = self.checked.swap(verdict, Relaxed);
        // Until its first check an address counts as well: a gateway that just started answers.
        let has_changed = before != verdict && !(before == NOT_CHECKED && is_well);
        if has_changed {
            self.since.store(now.unix_millis, Relaxed);
            if is_well {
                self.in_a_row.store(0, Relaxed);
                self.back_at.fetch_max(now.millis, Relaxed);
            }
            self.is_marked.store(true, Relaxed);
        }
        has_changed
    }

    /// There are no checks any more.
    pub fn forget_checks(&self) {
        if self.checked.load(Relaxed) != NOT_CHECKED {
            self.checked.store(NOT_CHECKED, Relaxed);
        }
    }

    /// Failures of requests, ever.
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
    fn failures_in_a_row_take_it_out_and_it_comes_back_slowly() {
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
        // Those that were in flight change nothing.
        assert_eq!(health.failed(&DETECTION, at(200), true, 0.5), None);
        assert_eq!(share(&health, 10_100), Share::Of(100));
        assert_eq!(share(&health, 20_100), Share::Of(500));
        assert_eq!(share(&health, 30_100), Share::Of(WHOLE));
        // After that all is forgotten: it takes three failures again.
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
        // One that is ill from its first check on.
        let health = Health::default();
        assert!(health.set_checked(false, at(10)));
        health.forget_checks();
        assert_ne!(share(&health, 12), Share::Unhealthy);
    }
}
