//! The end of a request: its charge, its log line, its usage.

pub(crate) mod access_log;
pub(crate) mod payment;
