//! State between requests: shared by all data threads, and of each thread.

pub(crate) mod buffered;
pub(crate) mod checks;
pub(crate) mod load;
pub(crate) mod shared;
pub(crate) mod thread;
