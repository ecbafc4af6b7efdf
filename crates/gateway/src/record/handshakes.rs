//! Failed TLS handshakes, collected for the log.

use crate::record::{Level, LogSink, Value};
use std::net::IpAddr;

/// Handshakes that failed since the last log line, and the reason of the latest one. Logged at most
/// once a second, so that the log cannot be flooded.
#[derive(Debug, Default)]
pub(crate) struct FailedHandshakes {
    count: u64,
    latest: String,
}

impl FailedHandshakes {
    pub(crate) fn add(&mut self, address: &IpAddr, error: &std::io::Error) {
        self.count += 1;
        self.latest = format!("{address}: {error}");
    }

    /// Logs them, if there were any.
    pub(crate) fn log(&mut self, log: &LogSink) {
        let failed = std::mem::take(self);
        if failed.count > 0 {
            let members = [("count", Value::Number(failed.count)), ("latest", Value::Text(&failed.latest))];
            log.event_of(Level::Warn, "TLS handshakes failed", &members);
        }
    }
}
