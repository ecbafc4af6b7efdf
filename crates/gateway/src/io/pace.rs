//! How slowly a client may send a body: between two reads, and over any longer span.
//!
//! A bound between two reads alone would let a byte every half minute hold a connection for ever; one on the average of all
//! bytes would let ten megabytes that came at once hold it for a day.

use std::time::Duration;
use tokio::time::Instant;

/// How fast the body of the present request has come.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When it was asked for last, and the time that it may still take without sending anything.
    last: Option<(Instant, Duration)>,
    /// Bytes that had come then.
    received: u64,
    /// Since when the client is not waited for, because the upstream does not take more.
    paused: Option<Instant>,
}

/// What is asked of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// The longest time between two reads, and in which nothing has to have come at all.
    pub(crate) gap: Duration,
    /// Bytes a second over any longer span. 0: any.
    pub(crate) rate: u64,
}

impl Pace {
    /// How long the next bytes may take, of a body of which so many have come.
    pub(crate) fn patience(&mut self, now: Instant, received: u64, demand: Demand) -> Duration {
        // Of a pause nothing counts but the time before it.
        let until = self.paused.take().unwrap_or(now);
        let (last, left) = self.last.unwrap_or((until, demand.gap));
        let came = u128::from(received.saturating_sub(self.received)) * 1_000_000_000;
        let left = match came.checked_div(u128::from(demand.rate)) {
            None => demand.gap,
            Some(nanos) => {
                let earned = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
                let spent = until.saturating_duration_since(last);
                // What came faster than it had to is good for the next `gap`, not for ever.
                left.saturating_add(earned).saturating_sub(spent).min(demand.gap)
            }
        };
        self.received = received;
        self.last = Some((now, left));
        left
    }

    /// The client is not waited for from now on, until it is asked for its patience again.
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
    fn a_byte_at_a_time_is_not_waited_for_for_ever() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        assert_eq!(pace.patience(begin, 0, DEMAND), 30 * SECOND);
        assert_eq!(pace.patience(begin + 29 * SECOND, 1, DEMAND), SECOND + Duration::from_millis(10));
        assert_eq!(pace.patience(begin + 40 * SECOND, 2, DEMAND), Duration::ZERO);
        assert_eq!(pace.patience(begin + 40 * SECOND, 4000, DEMAND), 30 * SECOND);
        assert_eq!(pace.patience(begin + 400 * SECOND, 4000, Demand { rate: 0, ..DEMAND }), 30 * SECOND);
    }

    #[test]
    fn what_came_at_once_buys_no_more_than_one_gap() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let _ = pace.patience(begin, 0, DEMAND);
        assert_eq!(pace.patience(begin + SECOND, 10 << 20, DEMAND), 30 * SECOND);
        let later = begin + 21 * SECOND;
        assert!(pace.patience(later, (10 << 20) + 1, DEMAND) <= 11 * SECOND);
        assert_eq!(pace.patience(later + 20 * SECOND, (10 << 20) + 2, DEMAND), Duration::ZERO);
    }

    #[test]
    fn bytes_at_the_rate_that_is_asked_for_may_come_for_ever() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let mut left = pace.patience(begin, 0, DEMAND);
        // Two hours, one byte each hundredth of a second, and a look at each of them.
        for hundredth in 1..=720_000_u64 {
            let now = begin + Duration::from_millis(10 * hundredth);
            left = pace.patience(now, hundredth, DEMAND);
        }
        assert_eq!(left, 30 * SECOND);
    }

    #[test]
    fn time_in_which_the_upstream_takes_nothing_is_not_the_clients() {
        let (mut pace, begin) = (Pace::default(), Instant::now());
        let _ = pace.patience(begin, 0, DEMAND);
        pace.pause(begin + 10 * SECOND);
        pace.pause(begin + 50 * SECOND);
        assert_eq!(pace.patience(begin + 110 * SECOND, 0, DEMAND), 20 * SECOND);
    }
}
