//! How much each data thread has to do. A thread writes its own figures only; anybody may read them all.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// The figures of all data threads.
#[derive(Debug)]
pub(crate) struct Loads(Box<[Load]>);

/// The figures of one data thread, apart from those of the others, so that no core waits for another's cache.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct Load {
    connections: AtomicUsize,
    requests: AtomicUsize,
    /// Milliseconds.
    lag: AtomicU64,
    /// When it last looked after itself, in milliseconds since the gateway began.
    alive: AtomicU64,
}

/// What one data thread has to do at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThreadLoad {
    /// Connections of clients that are open.
    pub connections: usize,
    /// Requests that are not answered yet.
    pub requests: usize,
    /// Milliseconds that what is due waits for its turn.
    pub lag_millis: u64,
    /// Milliseconds since the thread last looked after itself, which it does twenty times a second.
    pub silent_millis: u64,
}

/// One more of something, for as long as this lives.
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

    /// Whether more than `most` requests are in flight, one of which is this thread's own.
    ///
    /// A thread that has less than a quarter of its share looks at nothing but itself. The figures are those
    /// of a moment: a guard, not a promise.
    pub(crate) fn has_more_requests_than(&self, most: usize, own: &Load) -> bool {
        let share = most / self.0.len().max(1);
        own.requests.load(Ordering::Relaxed) > share / 4
            && self.0.iter().map(|load| load.requests.load(Ordering::Relaxed)).sum::<usize>() > most
    }

    /// What all threads have to do at `now`, in milliseconds since the gateway began.
    pub(crate) fn all(&self, now: u64) -> Vec<ThreadLoad> {
        let told = |load: &Load| ThreadLoad {
            connections: load.connections.load(Ordering::Relaxed),
            requests: load.requests.load(Ordering::Relaxed),
            lag_millis: load.lag.load(Ordering::Relaxed),
            silent_millis: now.saturating_sub(load.alive.load(Ordering::Relaxed)),
        };
        self.0.iter().map(told).collect()
    }
}

impl Load {
    /// One more connection, until what is given back is dropped.
    pub(crate) fn connection(&self) -> Counted<'_> {
        Counted::new(&self.connections)
    }

    /// One more request in flight, until what is given back is dropped.
    pub(crate) fn request(&self) -> Counted<'_> {
        Counted::new(&self.requests)
    }

    pub(crate) fn lag_millis(&self) -> u64 {
        self.lag.load(Ordering::Relaxed)
    }

    /// What is due waits for so many milliseconds; told at `now`.
    pub(crate) fn tick(&self, lag: u64, now: u64) {
        self.lag.store(lag, Ordering::Relaxed);
        self.alive.store(now, Ordering::Relaxed);
    }
}

impl<'l> Counted<'l> {
    // Only the thread itself writes: no step of several is needed.
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
