//! Limits useless work that a peer can cause. Each kind has a leaky bucket.
//!
//! A legitimate peer sends such frames occasionally and in bursts: a browser that leaves a page
//! resets all its streams. An attacker sends them continuously. The buckets are large enough for
//! such bursts and drain fast enough for legitimate use.

/// Streams that were reset early, by either side: also resets that the peer provokes.
const RESETS: Bucket = Bucket::new(300, 30);
/// Frames without effect: SETTINGS, PING, PRIORITY, empty DATA, tiny window increments, unknown types.
const IDLE_FRAMES: Bucket = Bucket::new(3_000, 300);

/// The bucket of each kind.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    resets: Bucket,
    idle_frames: Bucket,
}

/// Counts up with each event and down with time.
#[derive(Debug, Clone)]
struct Bucket {
    /// Thousandths of events.
    level: u64,
    most: u64,
    /// Events a second, which equals thousandths of events a millisecond.
    drain: u64,
    since: u64,
}

impl Guard {
    pub(crate) const fn new() -> Self {
        Self { resets: RESETS, idle_frames: IDLE_FRAMES }
    }

    /// A stream was reset. False: too many.
    pub(crate) fn reset(&mut self, now: u64) -> bool {
        self.resets.add(now)
    }

    /// A frame without effect arrived. False: too many.
    pub(crate) fn idle_frame(&mut self, now: u64) -> bool {
        self.idle_frames.add(now)
    }
}

impl Bucket {
    const fn new(burst: u64, a_second: u64) -> Self {
        Self { level: 0, most: burst * 1_000, drain: a_second, since: 0 }
    }

    fn add(&mut self, now: u64) -> bool {
        let drained = now.saturating_sub(self.since).saturating_mul(self.drain);
        self.since = self.since.max(now);
        self.level = self.level.saturating_sub(drained).saturating_add(1_000);
        self.level <= self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_a_flood_does_not_and_time_forgives() {
        let mut guard = Guard::new();
        assert!((0..300).all(|_| guard.reset(5_000)));
        assert!(!guard.reset(5_000));
        assert!(guard.reset(5_100));
        assert!((0..290).all(|_| guard.reset(60_000)));
        // 30 a second are never a flood.
        let mut guard = Guard::new();
        assert!((0..3_000_u64).all(|n| guard.reset(n * 34)));
    }

    #[test]
    fn a_clock_that_steps_back_opens_nothing() {
        let mut guard = Guard::new();
        assert!((0..300).all(|_| guard.reset(5_000)));
        assert!(!guard.reset(1_000));
        assert!(!guard.reset(5_000));
    }
}
