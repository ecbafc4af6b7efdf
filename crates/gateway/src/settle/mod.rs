//! How a request ends: its charge, its line in the log, its share of the tallies.

pub(crate) mod access_log;
pub(crate) mod payment;
