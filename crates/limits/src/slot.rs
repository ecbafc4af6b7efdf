//! Atomics and the swapped pointer, in one place so that a model checker can replace them.
//!
//! `cargo test -p fairgate-limits --features loom` runs the crate on loom's atomics, which try
//! every interleaving. The pointer itself (arc-swap) is assumed to be correct; only its use is
//! checked.

#[cfg(not(feature = "loom"))]
pub(crate) use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "loom")]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "loom")]
mod checked;
#[cfg(feature = "loom")]
pub(crate) use checked::Slot;

#[cfg(not(feature = "loom"))]
use std::sync::Arc;

/// A slot for one value or none, replaced as a whole.
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

    /// Passes the value to `look` without incrementing a reference count.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Option<&T>) -> R) -> R {
        look(self.0.load().as_deref())
    }

    /// Stores `next` if the slot still has `expected`. True: it did.
    pub(crate) fn swap_if(&self, expected: Option<&Arc<T>>, next: Option<Arc<T>>) -> bool {
        let expected = expected.map_or(std::ptr::null(), Arc::as_ptr);
        let found = self.0.compare_and_swap(expected, next);
        found.as_ref().map_or(std::ptr::null(), Arc::as_ptr) == expected
    }
}
