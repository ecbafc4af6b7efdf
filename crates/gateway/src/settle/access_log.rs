//! Records a completed request: its log line and its usage.

use crate::{
    context::RequestContext,
    record::{Level, LogSink, Moved, Outcome, begin, end, string, usage::MAX_TALLIES},
    settings::LogRequests,
    state::thread::Thread,
};
use ::usage::Sample;
use std::{io::Write, sync::atomic::Ordering};

/// Characters of a cause in the log. The incident has all of it.
const LONGEST_CAUSE: usize = 300;

impl Thread {
    /// Records a completed request.
    pub(crate) fn record(&self, context: &RequestContext<'_>, outcome: &Outcome, moved: Moved) {
        let micros = u64::try_from(context.now.instant.elapsed().as_micros()).unwrap_or(u64::MAX);
        if context.config.settings.tallies_usage {
            self.tally(context, outcome, moved, micros);
        }
        if wants(context.config.settings.log.requests, outcome) {
            self.log(|lines| write_line(&self.shared.log, context, outcome, micros, lines));
        }
    }

    /// Counts a request in the tally of its key and endpoint. It counts in the minute of its
    /// arrival, as for the limits, so that both agree.
    fn tally(&self, context: &RequestContext<'_>, outcome: &Outcome, moved: Moved, micros: u64) {
        let sample = Sample {
            code: outcome.code.as_deref(),
            charged: outcome.charged,
            bytes_in: moved.received,
            bytes_out: moved.sent,
            micros,
        };
        let minute = u32::try_from(context.now.millis / 60_000).unwrap_or(u32::MAX);
        let add = || {
            let mut sheet = self.usage.borrow_mut();
            let tally = sheet.tally(context.key.as_ref(), context.place, minute, MAX_TALLIES);
            tally.map(|tally| tally.add(&sample)).is_some()
        };
        if add() {
            return;
        }
        self.hand_usage_over();
        if !add() {
            self.shared.lost_usage.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Whether errors are logged at all.
pub(crate) const fn wants_errors(requests: LogRequests) -> bool {
    match requests {
        LogRequests::All | LogRequests::Errors => true,
        LogRequests::None => false,
    }
}

/// The actual cause for the log: one line of limited length.
pub(crate) fn cause_line(context: &RequestContext<'_>, group: &str, detail: &str) -> String {
    let mut line = group.to_owned();
    if let Some(backend) = context.backend {
        line.push_str(": ");
        line.push_str(&backend.authority);
    }
    let first = detail.lines().next().unwrap_or_default();
    if !first.is_empty() {
        line.push_str(": ");
        line.extend(first.chars().filter(|c| !c.is_control()).take(LONGEST_CAUSE));
    }
    line
}

/// Whether a request with this outcome is to be logged.
const fn wants(requests: LogRequests, outcome: &Outcome) -> bool {
    match requests {
        LogRequests::All => true,
        LogRequests::Errors => outcome.code.is_some(),
        LogRequests::None => false,
    }
}

/// Appends the log line of a request.
fn write_line(
    sink: &LogSink,
    context: &RequestContext<'_>,
    outcome: &Outcome,
    micros: u64,
    line: &mut Vec<u8>,
) {
    let level = match outcome.status {
        500 => Level::Error,
        503 => Level::Warn,
        _ => Level::Info,
    };
    let (millis, rest) = (micros / 1000, micros % 1000);
    let key = context.key.as_ref().map(|key| key.id());
    let key = key.as_deref().unwrap_or_default();
    let code = outcome.code.as_deref().unwrap_or_default();
    // Whoever reads the log may not use the key.
    let path = contract::key::masked(context.head.path());
    let is_text = sink.is_text();
    if is_text {
        begin(context.now.millis, level, "", true, line);
        let _ = write!(
            line,
            "{} {:<6} {}  {code}{}{key}  {millis}.{rest:03} ms  {}",
            outcome.status,
            context.head.method(),
            path,
            if code.is_empty() || key.is_empty() { "" } else { "  " },
            context.id.as_str()
        );
        if let Some(cause) = &outcome.cause {
            let _ = write!(line, "  {cause}");
        }
    } else {
        begin(context.now.millis, level, "request", false, line);
        string("request_id", context.id.as_str(), line);
        string("method", context.head.method(), line);
        string("path", &path, line);
        let _ = write!(line, ",\"status\":{}", outcome.status);
        if !code.is_empty() {
            string("code", code, line);
        }
        if !key.is_empty() {
            string("key", key, line);
        }
        if let Some(cause) = &outcome.cause {
            string("cause", cause, line);
        }
        let _ = write!(
            line,
            ",\"address\":\"{}\",\"millis\":{millis}.{rest:03},\"charged\":{}",
            context.address, outcome.charged
        );
    }
    end(is_text, line);
}
