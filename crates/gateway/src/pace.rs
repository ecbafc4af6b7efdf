//! How slowly a client may send a body: between two reads, and on average.
//!
//! A bound between two reads alone would let a byte every half minute hold a connection for ever.

use std::time::Duration;
use tokio::time::Instant;

/// How fast the body of the present request has come.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// When it was waited for first, put off by all the time that it was not waited for.
    began: Option<Instant>,
    /// Since when the client is not waited for, because the upstream does not take more.
    paused: Option<Instant>,
}

/// What is asked of a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// The longest time between two reads, and that in which nothing has to have come at all.
    pub(crate) gap: Duration,
    /// Bytes a second after that, on average. 0: any.
    pub(crate) rate: u64,
}

impl Pace {
    /// How long the next bytes may take, of a body of which so many have come.
    pub(crate) fn patience(&mut self, now: Instant, received: u64, demand: Demand) -> Duration {
        let began = match (self.began, self.paused.take()) {
            (None, _) => now,
            (Some(began), None) => began,
            (Some(began), Some(paused)) => began + now.saturating_duration_since(paused),
        };
        self.began = Some(began);
        if demand.rate == 0 {
            return demand.gap;
        }
        let earned = Duration::from_millis(received.saturating_mul(1000) / demand.rate);
        let spent = now.saturating_duration_since(began);
        demand.gap.saturating_add(earned).saturating_sub(spent).min(demand.gap)
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
        assert_eq!(pace.patience(begin + 400 * SECOND, 2, Demand { rate: 0, ..DEMAND }), 30 * SECOND);
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
