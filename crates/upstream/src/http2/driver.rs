//! The task of a connection to an upstream: opens it, reads, writes the output of its requests, and ends it.

use super::{
    StreamTimeouts,
    connection::{Connection, ToUpstream, Unprocessed},
};
use crate::{
    backend::Backend,
    dial::{Speaks, open},
};
use ::http2::{ErrorCode, Event, Fields, Malformed, Response};
use buffer::Buffer;
use multiplex::{Wire, poll_write_output, wake, write_answer};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{io::AsyncWrite, time::Instant};
use transport::Deadline;

type State = multiplex::State<ToUpstream>;

/// How long a connection without requests is kept.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// Limit of unread interim responses. An upstream that sends more of them is flooding.
const MAX_INTERIM_TEXT: usize = 64 * 1024;

/// A connection and its socket.
struct Driver {
    connection: Rc<Connection>,
    wire: Wire,
    timeouts: StreamTimeouts,
    deadline: Deadline,
    waits: Waits,
}

/// What a connection waits for, which determines the timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The upstream's SETTINGS: total time.
    Greeting,
    /// The end of a header block: total time.
    Block,
    /// The rest of a frame: time between two reads.
    Frame,
    /// The upstream does not read.
    Write,
    /// The next request.
    Request,
    /// Its requests, which have their own timeouts.
    Streams,
}

/// Opens a connection and drives it, until one side ends it.
pub(super) async fn run(connection: Rc<Connection>, backend: Arc<Backend>, timeouts: StreamTimeouts) {
    let (io, generation) = match open(&backend, timeouts.connect, Speaks::Http2).await {
        Ok(opened) => opened,
        Err(why) => return connection.end(why),
    };
    connection.generation.set(Some(generation));
    let mut driver = Driver {
        connection: Rc::clone(&connection),
        wire: Wire::new(io, Buffer::default()),
        timeouts,
        deadline: Deadline::after(Instant::now(), timeouts.connect),
        waits: Waits::Greeting,
    };
    let why = poll_fn(|cx| driver.poll(cx)).await;
    connection.end(why);
    // The last frame has been sent, as far as the upstream takes it.
    let _ = poll_fn(|cx| Pin::new(&mut driver.wire.io).poll_shutdown(cx)).await;
}

impl Driver {
    /// Ready once the connection has ended, with the reason.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        self.connection.shared.with(|state| state.driver = Some(cx.waker().clone()));
        match self.poll_to_the_end(cx) {
            Poll::Ready(Ok(why)) => Poll::Ready(why),
            Poll::Ready(Err(error)) => Poll::Ready(format!("the connection broke: {error}")),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_to_the_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<String>> {
        if self.connection.is_going() && self.connection.requests() == 0 {
            self.connection.shared.with(|state| state.protocol.drain());
        }
        let connection = &self.connection;
        let turn = self.wire.poll_turn(
            cx,
            &connection.shared,
            |wire| receive(connection, wire),
            |cx, io, state| poll_write_output(cx, io, state),
        );
        let written = match turn {
            Ok(written) => written,
            // An upstream may respond and close without reading everything; its response is still to be read.
            Err(error) => {
                while self.wire.poll_read(cx, &connection.shared)? {
                    receive(connection, &mut self.wire);
                }
                return Poll::Ready(Err(error));
            }
        };
        // An upstream that closed the connection reads nothing more; otherwise the last frame is
        // still to be written.
        let is_closed = self.connection.shared.with(|state| state.is_closed);
        if let Some(why) = self.is_over().filter(|_| is_closed || written.is_ready()) {
            return Poll::Ready(Ok(why));
        }
        self.poll_deadline(cx, written)
    }

    /// Why it has ended.
    fn is_over(&self) -> Option<String> {
        self.connection.shared.with(|state| {
            let protocol = &state.protocol;
            if let (Some(code), Some(why)) = (protocol.failed(), protocol.why_failed()) {
                return Some(format!("the upstream broke the protocol: {why} ({code})"));
            }
            if state.is_closed {
                return Some("the upstream closed the connection".to_owned());
            }
            protocol.is_draining().then(|| "the connection was no longer needed".to_owned())
        })
    }

    fn waits(&self, written: Poll<()>) -> Waits {
        let is_within_block = self.connection.shared.with(|state| state.protocol.is_within_block());
        if !self.connection.has_greeted() {
            Waits::Greeting
        } else if written.is_pending() {
            Waits::Write
        } else if is_within_block {
            Waits::Block
        } else if !self.wire.input.is_empty() {
            Waits::Frame
        } else if self.connection.requests() == 0 {
            Waits::Request
        } else {
            Waits::Streams
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, written: Poll<()>) -> Poll<io::Result<String>> {
        let waits = self.waits(written);
        let has_moved = std::mem::take(&mut self.wire.has_moved);
        let is_new = std::mem::replace(&mut self.waits, waits) != waits;
        let (timeouts, is_put_off) = match waits {
            Waits::Greeting => (self.timeouts.connect, false),
            Waits::Block => (self.timeouts.stall, false),
            Waits::Frame | Waits::Write => (self.timeouts.stall, true),
            Waits::Request => (LONGEST_IDLE, true),
            Waits::Streams => return Poll::Pending,
        };
        if is_new || has_moved && is_put_off {
            self.deadline.set(Instant::now(), timeouts);
        }
        ready!(self.deadline.poll_passed(cx));
        let why = match waits {
            Waits::Greeting => "the upstream sent no HTTP/2 SETTINGS frame within `connect_timeout`",
            Waits::Block | Waits::Frame => "a frame took too long",
            Waits::Write => "the upstream does not read",
            Waits::Request | Waits::Streams => "the connection was no longer needed",
        };
        // It does not wait for the upstream to read the last frame: the timeout has passed.
        self.connection.shared.with(|state| match waits {
            Waits::Request | Waits::Streams => state.protocol.drain(),
            Waits::Greeting | Waits::Block | Waits::Frame | Waits::Write => {
                state.protocol.fail(ErrorCode::PROTOCOL_ERROR, why);
            }
        });
        let _ =
            self.wire.poll_flush(&self.connection.shared, |io, state| poll_write_output(cx, io, state))?;
        Poll::Ready(Ok(why.to_owned()))
    }
}

/// Processes what was read.
fn receive(connection: &Connection, wire: &mut Wire) {
    connection.last_read.set(Instant::now());
    connection.shared.with(|state| {
        if !connection.has_greeted() && wire.input.filled().starts_with(b"HTTP/1.") {
            let why = "the upstream speaks HTTP/1.1, not HTTP/2: set `http2 = false` for it";
            state.protocol.fail(ErrorCode::PROTOCOL_ERROR, why);
        }
        wire.receive(state, |state, event| follow(connection, state, event));
        if state.protocol.has_settings() {
            connection.greeted();
        }
    });
}

/// Notifies the requests that an event concerns.
fn follow(connection: &Connection, state: &mut State, event: Event) {
    match event {
        Event::Head { stream, fields, malformed, ended } => {
            connection.has_answered.set(true);
            // Other requests should not meet what may be an attack.
            if !answered(state, stream, &fields, malformed, ended) {
                connection.distrust();
            }
        }
        Event::Readable(stream) => {
            if let Some(known) = state.streams.get_mut(&stream) {
                wake(&mut known.reader);
            }
        }
        Event::Writable(0) => {
            state.wake_writers();
            connection.wake_waiting();
        }
        Event::Writable(stream) => {
            if let Some(known) = state.streams.get_mut(&stream) {
                wake(&mut known.writer);
            }
        }
        Event::Broken { stream, why } => {
            connection.distrust();
            if let Some(known) = state.streams.get_mut(&stream) {
                known.broken = Some(why);
                wake(&mut known.reader);
                wake(&mut known.writer);
            }
        }
        Event::Reset { stream, code } => {
            // Whichever side detected it: something is wrong on this connection.
            if !matches!(
                code,
                ErrorCode::NO_ERROR
                    | ErrorCode::CANCEL
                    | ErrorCode::REFUSED_STREAM
                    | ErrorCode::INTERNAL_ERROR
            ) {
                connection.distrust();
            }
            if let Some(known) = state.streams.get_mut(&stream) {
                known.reset = Some(code);
                if code == ErrorCode::REFUSED_STREAM && !known.own.has_begun {
                    known.own.unprocessed = Some(Unprocessed::Refused);
                }
                wake(&mut known.reader);
                wake(&mut known.writer);
            }
        }
        // Current requests continue; the connection ends after them.
        Event::GoAway { last, code } => {
            for (_, known) in state.streams.iter_mut().filter(|(stream, _)| **stream > last) {
                known.reset = Some(code);
                known.own.unprocessed = (!known.own.has_begun).then_some(Unprocessed::GoneAway);
                wake(&mut known.reader);
                wake(&mut known.writer);
            }
            connection.wake_waiting();
        }
    }
}

/// Passes a response, including interim ones, to the request that waits for it. False: it is invalid.
fn answered(
    state: &mut State,
    stream: u32,
    fields: &Fields,
    malformed: Option<Malformed>,
    ended: bool,
) -> bool {
    let Some(known) = state.streams.get_mut(&stream) else { return true };
    known.own.has_begun = true;
    let is_flood = known.incoming.unread_text() > MAX_INTERIM_TEXT;
    known.broken = match (malformed, Response::of(fields)) {
        (None, Ok(_)) if is_flood => Some("1xx responses come faster than they can be forwarded"),
        (None, Ok(answer)) => {
            let is_to_head = known.own.is_to_head;
            known.incoming.head(|out| write_answer(fields, &answer, ended, is_to_head, out));
            None
        }
        (Some(Malformed::Broken(why)), _) | (_, Err(Malformed::Broken(why))) => Some(why),
        (Some(Malformed::TooLarge), _) | (_, Err(Malformed::TooLarge)) => {
            Some("the response headers are larger than 64 KiB")
        }
    };
    wake(&mut known.reader);
    let is_understood = known.broken.is_none();
    if !is_understood {
        wake(&mut known.writer);
        state.protocol.reset(stream, ErrorCode::ENHANCE_YOUR_CALM);
    }
    is_understood
}
