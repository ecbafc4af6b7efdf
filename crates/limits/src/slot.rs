//! Atomics and the swapped pointer, in one place so that a model checker can put its own beneath them.
//!
//! `cargo test -p fairgate-limits --features loom` runs the crate on loom's atomics, which try every
//! interleaving. The pointer itself (arc-swap) is taken as correct there; what is checked is our use of it.

#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "loom")]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

use std::sync::Arc;

/// A place that holds one value or none, replaced as a whole.
#[cfg(not(feature = "loom"))]
#[derive(Debug)]
pub(crate) struct Slot<T>(arc_swap::ArcSwapOption<T>);

#[cfg(not(feature = "loom"))]
impl<T> Slot<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Self {
        Self(arc_swap::ArcSwapOption::new(value))
    }

    pub(crate) fn load(&self) -> Option<Arc<T>> {
        self.0.load_full()
    }

    /// Hands the value to `look` without counting a reference.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        look(self.0.load().as_deref())
    }

    /// Puts `next` in if the place still holds `expected`. True: it did.
    pub(crate) fn swap_if(&self, expected: Option<&Arc<T>>, next: Option<Arc<T>>) -> bool {
        let expected = expected.map_or(std::ptr::null(), Arc::as_ptr);
        let found = self.0.compare_and_swap(expected, next);
        found.as_ref().map_or(std::ptr::null(), Arc::as_ptr) == expected
    }
}

/// The same over a lock of loom's, which its scheduler sees as one step.
#[cfg(feature = "loom")]
#[derive(Debug)]
pub(crate) struct Slot<T>(loom::sync::Mutex<Option<Arc<T>>>);

#[cfg(feature = "loom")]
impl<T> Slot<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn load(&self) -> Option<Arc<T>> {
        self.held().clone()
    }

    pub(crate) fn look<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        look(self.load().as_deref())
    }

    pub(crate) fn swap_if(&self, expected: Option<&Arc<T>>, next: Option<Arc<T>>) -> bool {
        let mut held = self.held();
        let pointer = |value: Option<&Arc<T>>| value.map_or(std::ptr::null(), Arc::as_ptr);
        let is_there = pointer(held.as_ref()) == pointer(expected);
        if is_there {
            *held = next;
        }
        is_there
    }

    fn held(&self) -> loom::sync::MutexGuard<'_, Option<Arc<T>>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
