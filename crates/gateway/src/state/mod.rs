//! What the gateway keeps from one request to the next: what all data threads share, and what each has for itself.

pub(crate) mod buffered;
pub(crate) mod checks;
pub(crate) mod load;
pub(crate) mod shared;
pub(crate) mod thread;
