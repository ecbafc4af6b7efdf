//! Who may have the demo's ports: while a gateway that was killed is away, another demo would take its port.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

static USERS: Mutex<Users> = Mutex::new(Users { count: 0, is_alone: false });
static CHANGED: Condvar = Condvar::new();

struct Users {
    count: usize,
    is_alone: bool,
}

/// A demo runs.
pub(crate) struct Ports(());

fn users() -> MutexGuard<'static, Users> {
    USERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ports {
    /// Beside other demos.
    pub(crate) fn shared() -> Self {
        let wait = CHANGED.wait_while(users(), |users| users.is_alone);
        wait.unwrap_or_else(PoisonError::into_inner).count += 1;
        Self(())
    }

    /// While no other demo runs.
    pub(crate) fn alone() -> Self {
        let wait = CHANGED.wait_while(users(), |users| users.count > 0);
        let mut users = wait.unwrap_or_else(PoisonError::into_inner);
        (users.count, users.is_alone) = (1, true);
        Self(())
    }
}

impl Drop for Ports {
    fn drop(&mut self) {
        let mut users = users();
        (users.count, users.is_alone) = (users.count - 1, false);
        CHANGED.notify_all();
    }
}
