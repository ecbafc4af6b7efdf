//! A slot based on a lock of loom, which its scheduler treats as one step.

use loom::sync::{Mutex, MutexGuard};
use std::sync::{Arc, PoisonError};

/// A slot for one value or none, replaced as a whole.
#[derive(Debug)]
pub(crate) struct Slot<T>(Mutex<Option<Arc<T>>>);

impl<T> Slot<T> {
    pub(crate) fn new(value: Option<Arc<T>>) -> Self {
        Self(Mutex::new(value))
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

    fn held(&self) -> MutexGuard<'_, Option<Arc<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
