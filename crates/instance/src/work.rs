//! Bounds the work of a check: a limit that is checked while it runs, wherever it is.
//!
//! A validator of another crate cannot be interrupted. But it accesses everything through
//! [`Part`](crate::Part), where the limit is checked: for long arrays and objects, for long
//! strings, and when a reference is followed. Once the limit is exceeded, arrays and objects appear
//! empty, so that all loops end soon, and the result is not used.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Work between two checks of the clock: roughly bytes of text, or values.
const BETWEEN_LOOKS: u32 = 2_048;
/// A longer string may take a pattern longer than a data thread can wait: no check is possible
/// inside of a match.
const LONGEST_TEXT: usize = 2_048;
/// Larger arrays and objects count as work.
pub(crate) const FEW: usize = 64;

/// The limit of a check.
#[derive(Debug, Clone)]
pub enum TimeLimit {
    /// A duration, or until a string is found that may take longer to match. It starts at the first
    /// check of the clock, so that a small check needs no clock.
    Short(Duration),
    /// As long as the result is wanted.
    While(Arc<AtomicBool>),
}

/// Why loops end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    No,
    /// Enough errors were collected.
    Enough,
    /// The limit was exceeded.
    Stopped,
}

/// Accessed all the time, so it has no destructor.
struct Work {
    left: Cell<u32>,
    halt: Cell<Halt>,
    /// Errors still wanted. None: errors are not collected.
    errors: Cell<Option<u32>>,
    /// Maximum length of a string in bytes.
    longest: Cell<usize>,
}

thread_local! {
    static WORK: Work = const {
        Work {
            left: Cell::new(BETWEEN_LOOKS),
            halt: Cell::new(Halt::No),
            errors: Cell::new(None),
            longest: Cell::new(usize::MAX),
        }
    };
    /// The limit, and when the check began.
    static TIME_LIMIT: RefCell<Option<(TimeLimit, Option<Instant>)>> = const { RefCell::new(None) };
}

/// Ends what [`within`] started, also on a panic.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        TIME_LIMIT.with(|limit| limit.replace(None));
        WORK.with(|work| {
            work.halt.set(Halt::No);
            work.errors.set(None);
            work.longest.set(usize::MAX);
        });
    }
}

/// Runs a check. None: the limit was exceeded.
pub fn within<T>(limit: TimeLimit, check: impl FnOnce() -> T) -> Option<T> {
    let longest = match &limit {
        TimeLimit::Short(_) => LONGEST_TEXT,
        TimeLimit::While(_) => usize::MAX,
    };
    TIME_LIMIT.with(|here| here.replace(Some((limit, None))));
    WORK.with(|work| {
        work.longest.set(longest);
        work.left.set(BETWEEN_LOOKS);
        work.halt.set(Halt::No);
    });
    let running = Running;
    let result = check();
    let is_stopped = is_stopped();
    drop(running);
    (!is_stopped).then_some(result)
}

/// Counts work. False: the check should stop.
#[inline]
pub fn spend(cost: u32) -> bool {
    WORK.with(|work| {
        let left = work.left.get();
        if cost <= left {
            work.left.set(left - cost);
            work.halt.get() == Halt::No
        } else {
            look(work)
        }
    })
}

#[cold]
fn look(work: &Work) -> bool {
    work.left.set(BETWEEN_LOOKS);
    let goes_on = TIME_LIMIT.with(|limit| match &mut *limit.borrow_mut() {
        None => true,
        Some((TimeLimit::Short(time), began)) => {
            let now = Instant::now();
            now.saturating_duration_since(*began.get_or_insert(now)) < *time
        }
        Some((TimeLimit::While(is_wanted), _)) => is_wanted.load(Ordering::Relaxed),
    });
    if !goes_on {
        work.halt.set(Halt::Stopped);
    }
    work.halt.get() == Halt::No
}

/// Whether the limit was exceeded.
pub(crate) fn is_stopped() -> bool {
    WORK.with(|work| work.halt.get() == Halt::Stopped)
}

/// Whether loops should end.
#[inline]
pub(crate) fn is_over() -> bool {
    WORK.with(|work| work.halt.get() != Halt::No)
}

/// A string is processed as a whole. If that could take too long, the check is stopped before.
#[inline]
pub(crate) fn reads_text(length: usize) {
    let cost = u32::try_from(length).unwrap_or(u32::MAX);
    WORK.with(|work| {
        if length > work.longest.get() {
            work.halt.set(Halt::Stopped);
        }
        let left = work.left.get();
        if cost <= left {
            work.left.set(left - cost);
        } else {
            look(work);
        }
    });
}

/// Collects errors, at most this many and a few more. Returns whether there may be more.
pub(crate) fn gathering<T>(most: u32, gather: impl FnOnce() -> T) -> (T, bool) {
    WORK.with(|work| work.errors.set(Some(most)));
    let gathered = gather();
    let has_more = WORK.with(|work| {
        work.errors.set(None);
        let has_more = work.halt.get() != Halt::No;
        if work.halt.get() == Halt::Enough {
            work.halt.set(Halt::No);
        }
        has_more
    });
    (gathered, has_more)
}

/// An error occurred. False: errors are not collected now.
pub(crate) fn makes_error() -> bool {
    WORK.with(|work| {
        let Some(errors) = work.errors.get() else { return false };
        work.errors.set(Some(errors.saturating_sub(1)));
        if errors <= 1 && work.halt.get() == Halt::No {
            work.halt.set(Halt::Enough);
        }
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_without_end_is_stopped() {
        let began = Instant::now();
        assert_eq!(within(TimeLimit::Short(Duration::from_millis(5)), || while spend(1) {}), None);
        assert!(began.elapsed() >= Duration::from_millis(5));
        // The next check is not affected.
        assert_eq!(within(TimeLimit::Short(Duration::from_secs(60)), || spend(1)), Some(true));
    }

    #[test]
    fn unwanted_work_is_stopped() {
        let is_wanted = Arc::new(AtomicBool::new(true));
        let limit = || TimeLimit::While(Arc::clone(&is_wanted));
        assert_eq!(within(limit(), || (0..100_000).all(|_| spend(1))), Some(true));
        let ended = within(limit(), || {
            is_wanted.store(false, Ordering::Relaxed);
            while spend(1) {}
        });
        assert_eq!(ended, None);
    }

    #[test]
    fn a_panic_leaves_no_state() {
        let end = TimeLimit::Short(Duration::ZERO);
        let panicked = std::panic::catch_unwind(|| {
            within(end, || {
                while spend(1) {}
                assert!(!is_stopped(), "on purpose");
            })
        });
        assert!(panicked.is_err() && !is_over());
    }
}
