//! The load of each data thread. A thread writes only its own figures; any thread may read them all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The figures of all data threads.
#[derive(Debug)]
pub(crate) struct Loads(Box<[Load]>);

/// The figures of one data thread, on separate cache lines to avoid false sharing.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Load {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Milliseconds.
    lag: AtomicU64,
    /// When the thread last did its periodic work, in milliseconds since the gateway started.
    alive: AtomicU64,
}

/// The load of a data thread at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadLoad {
    /// Open connections of clients.
    pub connections: usize,
    /// Requests in progress.
    pub requests: usize,
    /// How many milliseconds due work waits for its turn.
    pub lag_millis: u64,
    /// Milliseconds since the thread last did its periodic work, which happens twenty times a second.
    pub silent_millis: u64,
}

/// Increments a counter for as long as it lives.
pub(crate) struct Counted<'l>(&'l AtomicUsize);

impl Loads {
    pub(crate) fn new(threads: usize) -> Self {
        Self(std::iter::repeat_with(Load::default).take(threads).collect())
    }

    /// The figures of one thread.
    pub(crate) fn of(&self, thread: usize) -> Option<&Load> {
        self.0.get(thread)
    }

    /// Connections of all threads.
    pub(crate) fn connections(&self) -> usize {
        self.0.iter().map(|load| load.connections.load(Ordering::Relaxed)).sum()
    }

    /// Whether more than `most` requests are in flight, one of which belongs to this thread.
    ///
    /// A thread with less than a quarter of its share reads only its own figure. The figures are
    /// approximate: a safeguard, not exact.
    pub(crate) fn has_more_requests_than(&self, most: usize, own: &Load) -> bool {
        let share = most / self.0.len().max(1);
        own.requests.load(Ordering::Relaxed) > share / 4
            && self.0.iter().map(|load| load.requests.load(Ordering::Relaxed)).sum::<usize>() > most
    }

    /// The load of all threads at `now`, in milliseconds since the gateway started.
    pub(crate) fn all(&self, now: u64) -> Vec<ThreadLoad> {
        let load_of = |load: &Load| ThreadLoad {
            connections: load.connections.load(Ordering::Relaxed),
            requests: load.requests.load(Ordering::Relaxed),
            lag_millis: load.lag.load(Ordering::Relaxed),
            silent_millis: now.saturating_sub(load.alive.load(Ordering::Relaxed)),
        };
        self.0.iter().map(load_of).collect()
    }
}

impl Load {
    /// Counts a connection until the returned value is dropped.
    pub(crate) fn connection(&self) -> Counted<'_> {
        Counted::new(&self.connections)
    }

    /// Counts a request in flight until the returned value is dropped.
    pub(crate) fn request(&self) -> Counted<'_> {
        Counted::new(&self.requests)
    }

    pub(crate) fn lag_millis(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    /// Due work waits for this many milliseconds, measured at `now`.
    pub(crate) fn tick(&self, lag: u64, now: u64) {
        self.lag.store(lag, Ordering::Relaxed);
        self.alive.store(now, Ordering::Relaxed);
    }
}

impl<'l> Counted<'l> {
    // Only the thread itself writes, so no atomic read-modify-write is needed.
    fn new(counter: &'l AtomicUsize) -> Self {
        counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        Self(counter)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.store(self.0.load(Ordering::Relaxed).saturating_sub(1), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_that_of_all_threads_together() {
        let loads = Loads::new(2);
        let (one, other) = (loads.of(0).unwrap(), loads.of(1).unwrap());
        let held: Vec<_> = (0..3).map(|_| one.request()).collect();
        assert!(!loads.has_more_requests_than(3, one));
        let more = other.request();
        assert!(loads.has_more_requests_than(3, one) && loads.has_more_requests_than(3, other));
        assert!(!loads.has_more_requests_than(4, one) && loads.has_more_requests_than(2, other));
        drop((held, more));
        assert!(!loads.has_more_requests_than(0, one));
        assert_eq!(
            loads.all(7)[0],
            ThreadLoad { connections: 0, requests: 0, lag_millis: 0, silent_millis: 7 }
        );
    }
}
