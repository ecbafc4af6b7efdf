//! How slowly a client may send a body: between two reads, and over any longer span.
//!
//! A limit between two reads alone would let one byte every half minute hold a connection forever;
//! a limit on the average rate would let ten megabytes that arrived at once hold it for a day.

use std::time::Duration;
use tokio::time::Instant;

/// The pace of the current request's body.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When it was last checked, and how much longer it may take without sending anything.
    last: Option<(Instant, Duration)>,
    /// Bytes received at that time.
    received: u64,
    /// Since when the client is not waited for, because the upstream does not take more.
    paused: Option<Instant>,
}

/// The requirements for a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// The maximum time between two reads, and the span in which nothing needs to arrive at all.
    pub(crate) gap: Duration,
    /// Minimum bytes a second over any longer span. 0: any.
    pub(crate) rate: u64,
}

impl Pace {
    /// How long the next bytes may take, after this many bytes were received.
    pub(crate) fn allowance(&mut self, now: Instant, received: u64, demand: Demand) -> Duration {
        // Of a pause, only the time before it counts.
        let until = self.paused.take().unwrap_or(now);
        let (last, left) = self.last.unwrap_or((until, demand.gap));
        let came = u128::from(received.saturating_sub(self.received)) * 1_000_000_000;
        let left = match came.checked_div(u128::from(demand.rate)) {
            None => demand.gap,
            Some(nanos) => {
                let earned = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                let spent = until.saturating_duration_since(last);
                // A faster pace earns time for the next `gap`, not forever.
                left.saturating_add(earned).saturating_sub(spent).min(demand.gap)
            }
        };
        self.received = received;
        self.last = Some((now, left));
        left
    }

    /// The client is not waited for from now on, until `allowance` is called again.
    pub(crate) fn pause(&mut self, now: Instant) {
        self.paused.get_or_insert(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const DEMAND: Demand = Demand { gap: Duration::from_secs(30), rate: 100 };

    #[test]
    fn single_bytes_are_not_waited_for_forever() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.allowance(begin, 0, DEMAND), 30 * SECOND);
        assert_eq!(pace.allowance(begin + 29 * SECOND, 1, DEMAND), SECOND + Duration::from_millis(10));
        assert_eq!(pace.allowance(begin + 40 * SECOND, 2, DEMAND), Duration::ZERO);
        assert_eq!(pace.allowance(begin + 40 * SECOND, 4000, DEMAND), 30 * SECOND);
        assert_eq!(pace.allowance(begin + 400 * SECOND, 4000, Demand { rate: 0, ..DEMAND }), 30 * SECOND);
    }

    #[test]
    fn a_burst_earns_at_most_one_gap() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let _ = pace.allowance(begin, 0, DEMAND);
        assert_eq!(pace.allowance(begin + SECOND, 10 << 20, DEMAND), 30 * SECOND);
        let later = begin + 21 * SECOND;
        assert!(pace.allowance(later, (10 << 20) + 1, DEMAND) <= 11 * SECOND);
        assert_eq!(pace.allowance(later + 20 * SECOND, (10 << 20) + 2, DEMAND), Duration::ZERO);
    }

    #[test]
    fn bytes_at_the_rate_that_is_asked_for_may_come_for_ever() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let mut left = pace.allowance(begin, 0, DEMAND);
        // Two hours, one byte each hundredth of a second, and a check at each of them.
        for hundredth in 1..=720_000_u64 {
            let now = begin + Duration::from_millis(10 * hundredth);
            left = pace.allowance(now, hundredth, DEMAND);
        }
        assert_eq!(left, 30 * SECOND);
    }

    #[test]
    fn time_in_which_the_upstream_takes_nothing_is_not_the_clients() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let _ = pace.allowance(begin, 0, DEMAND);
        pace.pause(begin + 10 * SECOND);
        pace.pause(begin + 50 * SECOND);
        assert_eq!(pace.allowance(begin + 110 * SECOND, 0, DEMAND), 20 * SECOND);
    }
}
