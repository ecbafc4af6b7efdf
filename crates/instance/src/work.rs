//! How much work a check may be: an end that is looked for while it runs, wherever it is.
//!
//! A validator of another crate cannot be stopped. But whatever it looks at, it asks of [`Part`](crate::Part), and this is
//! asked there: of long arrays and objects, of long texts, and by whoever follows a reference. Once the end has come, arrays
//! and objects seem empty, so that all loops end soon, and what was found out is not used.

use std::{
    cell::{Cell, RefCell},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Work between two looks at the clock: about as many bytes of text, or values.
const BETWEEN_LOOKS: u32 = 2_048;
/// A text of more bytes may take a pattern longer than a data thread can wait: no look is possible within it.
const LONGEST_TEXT: usize = 2_048;
/// An array or an object of more is counted.
pub(crate) const FEW: usize = 64;

/// For how long a check goes on.
#[derive(Debug, Clone)]
pub enum Patience {
    /// For a time, or until a text is met that may take longer to be matched. It begins at the first look at the clock, so that
    /// a small check takes none.
    Short(Duration),
    /// For as long as somebody wants its result.
    While(Arc<AtomicBool>),
}

/// Why loops end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Halt {
    No,
    /// As many errors were gathered as are wanted.
    Enough,
    /// Patience is at its end.
    Stopped,
}

/// Looked at all the time, so it has nothing to be dropped.
struct Work {
    left: Cell<u32>,
    halt: Cell<Halt>,
    /// Errors that are still wanted. None: no errors are gathered.
    errors: Cell<Option<u32>>,
    /// Bytes that a text may have.
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
    /// And when it began.
    static PATIENCE: RefCell<Option<(Patience, Option<Instant>)>> = const { RefCell::new(None) };
}

/// Ends what [`within`] began, also by a panic.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        PATIENCE.with(|patience| patience.replace(None));
        WORK.with(|work| {
            work.halt.set(Halt::No);
            work.errors.set(None);
            work.longest.set(usize::MAX);
        });
    }
}

/// Runs a check. None: patience came to its end before.
pub fn within<T>(patience: Patience, check: impl FnOnce() -> T) -> Option<T> {
    let longest = match &patience {
        Patience::Short(_) => LONGEST_TEXT,
        Patience::While(_) => usize::MAX,
    };
    PATIENCE.with(|here| here.replace(Some((patience, None))));
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

/// Does some work. False: there is no sense in doing it.
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
    let goes_on = PATIENCE.with(|patience| match &mut *patience.borrow_mut() {
        None => true,
        Some((Patience::Short(time), began)) => {
            let now = Instant::now();
            now.saturating_duration_since(*began.get_or_insert(now)) < *time
        }
        Some((Patience::While(is_wanted), _)) => is_wanted.load(Ordering::Relaxed),
    });
    if !goes_on {
        work.halt.set(Halt::Stopped);
    }
    work.halt.get() == Halt::No
}

/// Whether patience came to its end.
pub(crate) fn is_stopped() -> bool {
    WORK.with(|work| work.halt.get() == Halt::Stopped)
}

/// Whether loops are to end.
#[inline]
pub(crate) fn is_over() -> bool {
    WORK.with(|work| work.halt.get() != Halt::No)
}

/// A text is looked at whole. What takes it too long is stopped here, before it is begun.
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

/// Gathers errors, at most so many and a few more. Tells whether there may be more.
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

/// An error is made. False: none are gathered now.
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
        assert_eq!(within(Patience::Short(Duration::from_millis(5)), || while spend(1) {}), None);
        assert!(began.elapsed() >= Duration::from_millis(5));
        // What comes after it is not.
        assert_eq!(within(Patience::Short(Duration::from_secs(60)), || spend(1)), Some(true));
    }

    #[test]
    fn work_that_nobody_wants_is_stopped() {
        let is_wanted = Arc::new(AtomicBool::new(true));
        let patience = || Patience::While(Arc::clone(&is_wanted));
        assert_eq!(within(patience(), || (0..100_000).all(|_| spend(1))), Some(true));
        let ended = within(patience(), || {
            is_wanted.store(false, Ordering::Relaxed);
            while spend(1) {}
        });
        assert_eq!(ended, None);
    }

    #[test]
    fn a_panic_leaves_nothing_behind() {
        let end = Patience::Short(Duration::ZERO);
        let panicked = std::panic::catch_unwind(|| {
            within(end, || {
                while spend(1) {}
                assert!(!is_stopped(), "on purpose");
            })
        });
        assert!(panicked.is_err() && !is_over());
    }
}
