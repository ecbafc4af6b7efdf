//! What is recorded of a request: a log line, and for a 500 an incident.

pub(crate) mod handshakes;
pub(crate) mod incidents;
pub mod usage;

use crate::{
    clock::{text, wall_millis},
    settings::LogFormat,
};
use std::{
    borrow::Cow,
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
};

/// Maximum number of batches waiting to be written.
const MAX_BATCHES: usize = 256;

/// The record of a 500, so that support can answer an e-mail with a request ID.
#[derive(Debug, Clone)]
pub struct Incident {
    /// The request's ID.
    pub request_id: String,
    /// Unix milliseconds.
    pub at_millis: u64,
    /// The method of the request.
    pub method: String,
    /// Path of the request, without its query.
    pub path: String,
    /// Template of the endpoint.
    pub endpoint: Option<String>,
    /// The ID of the key.
    pub key_id: Option<String>,
    /// The client's address, or its network, if there is no key.
    pub address: Option<String>,
    /// Identical for all incidents of one kind.
    pub cause: String,
    /// The details.
    pub detail: String,
    /// If not 0: it represents this many that were only counted, and is the latest of their kind
    /// that was stored.
    pub more: u64,
}

/// How a request ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    /// The error code, if it is an error.
    pub(crate) code: Option<Cow<'static, str>>,
    /// For a 500 or 503, the actual cause in one line.
    pub(crate) cause: Option<String>,
    /// Units charged.
    pub(crate) charged: u32,
    /// The connection is kept.
    pub(crate) keep_alive: bool,
}

/// Bytes that a request transferred.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moved {
    /// Of the request's body, as far as it was read, and received through a tunnel.
    pub(crate) received: u64,
    /// Of the response: head and body, including preceding 1xx responses.
    pub(crate) sent: u64,
}

/// The log: a bounded queue to a thread that writes to standard error.
///
/// A blocked standard error never blocks a request: lines are dropped, and their number is logged
/// once there is room again.
#[derive(Debug, Clone)]
pub struct LogSink {
    batches: SyncSender<Vec<u8>>,
    lost: Arc<AtomicU64>,
    is_text: Arc<AtomicBool>,
}

/// The severity of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Normal.
    Info,
    /// Needs attention.
    Warn,
    /// Something failed.
    Error,
}

/// The value of an event's field.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// A text.
    Text(&'a str),
    /// A number.
    Number(u64),
    /// A number written with one decimal.
    Decimal(f64),
}

/// The writing side of a [`LogSink`]: ends once all sinks are gone and all lines are written.
#[derive(Debug)]
pub struct LogWriter(std::thread::JoinHandle<()>);

// === impl LogSink ===

impl LogSink {
    /// A sink to standard error, and the thread that writes.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn to_standard_error(format: LogFormat) -> std::io::Result<(Self, LogWriter)> {
        let (batches, receiver) = sync_channel(MAX_BATCHES);
        let lost = Arc::new(AtomicU64::new(0));
        let is_text = Arc::new(AtomicBool::new(is_for_people(format)));
        let (counter, form) = (Arc::clone(&lost), Arc::clone(&is_text));
        let thread = std::thread::Builder::new()
            .name("log".into())
            .spawn(move || write_batches(&receiver, &counter, &form))?;
        Ok((Self { batches, lost, is_text }, LogWriter(thread)))
    }

    /// Changes the format of future lines.
    pub fn set_format(&self, format: LogFormat) {
        self.is_text.store(is_for_people(format), Ordering::Relaxed);
    }

    pub(crate) fn is_text(&self) -> bool {
        self.is_text.load(Ordering::Relaxed)
    }

    /// Writes an event of the gateway, such as `listening`, with its fields.
    pub fn event(&self, level: Level, event: &str, members: &[(&str, &str)]) {
        self.write_event(level, event, members.iter().map(|(name, text)| (*name, Value::Text(text))));
    }

    /// Writes an event with numeric fields, which are numbers in JSON too.
    pub fn event_of(&self, level: Level, event: &str, members: &[(&str, Value<'_>)]) {
        self.write_event(level, event, members.iter().copied());
    }

    fn write_event<'v>(
        &self,
        level: Level,
        event: &str,
        members: impl Iterator<Item = (&'v str, Value<'v>)>,
    ) {
        let mut line = Vec::new();
        let is_text = self.is_text();
        begin(wall_millis(), level, event, is_text, &mut line);
        for (name, value) in members {
            let _ = match (value, is_text) {
                (Value::Text(text), true) => write!(line, "  {name}: {text}"),
                (Value::Number(number), true) => write!(line, "  {name}: {number}"),
                (Value::Decimal(number), true) => write!(line, "  {name}: {number:.1}"),
                (Value::Decimal(number), false) => write!(line, ",\"{name}\":{number:.1}"),
                (Value::Text(text), false) => {
                    string(name, text, &mut line);
                    Ok(())
                }
                (Value::Number(number), false) => write!(line, ",\"{name}\":{number}"),
            };
        }
        end(is_text, &mut line);
        self.hand_over(line, 1);
    }

    /// Hands lines to the writing thread, or counts them as lost if it does not keep up.
    pub(crate) fn hand_over(&self, batch: Vec<u8>, lines: u64) {
        if self.batches.try_send(batch).is_err() {
            self.lost.fetch_add(lines, Ordering::Relaxed);
        }
    }
}

impl LogWriter {
    /// Waits until all lines are written. Every sink must be gone, otherwise this waits forever.
    pub fn finish(self) {
        let _ = self.0.join();
    }
}

fn is_for_people(format: LogFormat) -> bool {
    match format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    }
}

fn write_batches(receiver: &Receiver<Vec<u8>>, lost: &AtomicU64, form: &AtomicBool) {
    while let Ok(mut batch) = receiver.recv() {
        let count = lost.swap(0, Ordering::Relaxed);
        if count > 0 {
            let is_text = form.load(Ordering::Relaxed);
            begin(wall_millis(), Level::Warn, "log lines were lost", is_text, &mut batch);
            if is_text {
                let _ = write!(batch, "  count: {count}");
            } else {
                let _ = write!(batch, ",\"count\":{count}");
            }
            end(is_text, &mut batch);
        }
        // Standard error may be closed; then there is nowhere to report it. The lock is held for
        // one batch only: other parts of this process may write to standard error too.
        let _ = std::io::stderr().lock().write_all(&batch);
    }
}

/// Begins a line.
pub(crate) fn begin(now: u64, level: Level, event: &str, is_text: bool, line: &mut Vec<u8>) {
    let word = match level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let time = text::log_time(now);
    if is_text {
        let mark = match level {
            Level::Info => " ",
            Level::Warn => "!",
            Level::Error => "✗",
        };
        let _ = write!(line, "{time} {mark} {event}");
    } else {
        let _ = write!(line, "{{\"time\":\"{time}\",\"level\":\"{word}\",\"event\":\"{event}\"");
    }
}

/// Ends a line.
pub(crate) fn end(is_text: bool, line: &mut Vec<u8>) {
    line.extend_from_slice(if is_text { b"\n" } else { b"}\n" });
}

/// Appends a field. Most values need no escaping, which this check detects faster than a serializer.
pub(crate) fn string(name: &str, value: &str, line: &mut Vec<u8>) {
    line.extend_from_slice(b",\"");
    line.extend_from_slice(name.as_bytes());
    line.extend_from_slice(b"\":");
    if value.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') {
        line.push(b'"');
        line.extend_from_slice(value.as_bytes());
        line.push(b'"');
    } else {
        // Serialising a string into a Vec cannot fail.
        let _ = serde_json::to_writer(line, value);
    }
}
