//! The task of a connection to an upstream: opens it, reads, writes what its requests have to say, and ends it.

use super::Patience;
use crate::{
    http2::{Line, MAX_WAITING_TO_READ, State, Unprocessed, wake, write_answer},
    upstream::{
        backend::Backend,
        connect::{Speaks, open},
    },
};
use ::http2::{ErrorCode, Event, Fields, Malformed, Response};
use buffer::Buffer;
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
use transport::{Deadline, Fill, Socket};

/// How long a connection without requests is kept.
const LONGEST_IDLE: Duration = Duration::from_secs(60);
/// Bytes of interim answers that may wait to be read. Whoever sends more of them sends them for their own sake.
const MAX_INTERIM_TEXT: usize = 64 * 1024;

/// A connection and its socket.
struct Driver {
    line: Rc<Line>,
    io: Socket,
    input: Buffer,
    patience: Patience,
    deadline: Deadline,
    waits: Waits,
    begun: Instant,
    /// Something was read or written since the deadline was last looked at.
    has_moved: bool,
}

/// What a connection waits for, and so how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The upstream's settings: for so long in all.
    Greeting,
    /// The end of a header block: for so long in all.
    Block,
    /// The rest of a frame: for so long between two reads.
    Frame,
    /// The upstream does not read.
    Write,
    /// The next request.
    Request,
    /// Its requests, which have their own times.
    Calls,
}

/// Opens a connection and drives it, until one side has enough.
pub(super) async fn run(line: Rc<Line>, backend: Arc<Backend>, patience: Patience) {
    let (io, generation) = match open(&backend, patience.connect, Speaks::Http2).await {
        Ok(opened) => opened,
        Err(why) => return line.end(why),
    };
    line.generation.set(Some(generation));
    let mut driver = Driver {
        line: Rc::clone(&line),
        io,
        input: Buffer::default(),
        patience,
        deadline: Deadline::after(Instant::now(), patience.connect),
        waits: Waits::Greeting,
        begun: Instant::now(),
        has_moved: true,
    };
    let why = poll_fn(|cx| driver.poll(cx)).await;
    line.end(why);
    // The word that it is over has been sent, as far as the upstream takes it.
    let _ = poll_fn(|cx| Pin::new(&mut driver.io).poll_shutdown(cx)).await;
}

impl Driver {
    /// Ready once the connection is over, with the reason.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<String> {
        self.line.link.with(|state| state.driver = Some(cx.waker().clone()));
        match self.poll_to_the_end(cx) {
            Poll::Ready(Ok(why)) => Poll::Ready(why),
            Poll::Ready(Err(error)) => Poll::Ready(format!("the connection broke: {error}")),
            Poll::Pending => Poll::Pending,
        }
    }

    fn poll_to_the_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<String>> {
        if self.line.is_going() && self.line.calls() == 0 {
            self.line.link.with(|state| state.connection.drain());
        }
        let mut can_read = true;
        let written = loop {
            let written = match self.poll_flush(cx) {
                Ok(written) => written,
                // An upstream may answer and close without reading all; what it said is still to be read.
                Err(error) => {
                    while self.poll_receive(cx)? {}
                    return Poll::Ready(Err(error));
                }
            };
            if !can_read || !self.poll_receive(cx)? {
                break written;
            }
            // What is answered to control frames must be taken before more of them is read.
            can_read = self.line.link.with(|state| state.connection.output().len() < MAX_WAITING_TO_READ);
        };
        // Who has closed the connection takes nothing any more; else the last frame is still to be written.
        let is_closed = self.line.link.with(|state| state.is_closed);
        if let Some(why) = self.is_over().filter(|_| is_closed || written.is_ready()) {
            return Poll::Ready(Ok(why));
        }
        self.poll_deadline(cx, written)
    }

    /// Why it is over.
    fn is_over(&self) -> Option<String> {
        self.line.link.with(|state| {
            let connection = &state.connection;
            if let (Some(code), Some(why)) = (connection.failed(), connection.why_failed()) {
                return Some(format!("the upstream broke the protocol: {why} ({code})"));
            }
            if state.is_closed {
                return Some("the upstream closed the connection".to_owned());
            }
            connection.is_draining().then(|| "the connection was not needed any more".to_owned())
        })
    }

    fn waits(&self, written: Poll<()>) -> Waits {
        let is_within_block = self.line.link.with(|state| state.connection.is_within_block());
        if !self.line.has_greeted() {
            Waits::Greeting
        } else if written.is_pending() {
            Waits::Write
        } else if is_within_block {
            Waits::Block
        } else if !self.input.is_empty() {
            Waits::Frame
        } else if self.line.calls() == 0 {
            Waits::Request
        } else {
            Waits::Calls
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, written: Poll<()>) -> Poll<io::Result<String>> {
        let waits = self.waits(written);
        let has_moved = std::mem::take(&mut self.has_moved);
        let is_new = std::mem::replace(&mut self.waits, waits) != waits;
        let (patience, is_put_off) = match waits {
            Waits::Greeting => (self.patience.connect, false),
            Waits::Block => (self.patience.stall, false),
            Waits::Frame | Waits::Write => (self.patience.stall, true),
            Waits::Request => (LONGEST_IDLE, true),
            Waits::Calls => return Poll::Pending,
        };
        if is_new || has_moved && is_put_off {
            self.deadline.set(Instant::now(), patience);
        }
        ready!(self.deadline.poll_passed(cx));
        let why = match waits {
            Waits::Greeting => {
                "the upstream sent no SETTINGS, the greeting of HTTP/2, within `connect_timeout`"
            }
            Waits::Block | Waits::Frame => "a frame took too long",
            Waits::Write => "the upstream takes nothing",
            Waits::Request | Waits::Calls => "the connection was not needed any more",
        };
        // That the upstream takes the last frame as well is not waited for: it has had its time.
        self.line.link.with(|state| match waits {
            Waits::Request | Waits::Calls => state.connection.drain(),
            Waits::Greeting | Waits::Block | Waits::Frame | Waits::Write => {
                state.connection.fail(ErrorCode::PROTOCOL_ERROR, why);
            }
        });
        let _ = self.poll_flush(cx)?;
        Poll::Ready(Ok(why.to_owned()))
    }

    // === reading ===

    /// Reads once. False: there is nothing to read now.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.line.link.with(|state| state.is_closed || state.connection.failed().is_some()) {
            return Ok(false);
        }
        // Memory to read into is held only while there is something to read.
        if self.input.is_empty() && self.io.poll_readable(cx).is_pending() {
            self.input.rest();
            let is_idle = self.line.calls() == 0;
            self.line.link.with(|state| {
                if is_idle && state.connection.output().is_empty() {
                    state.connection.rest();
                }
            });
            return Ok(false);
        }
        match self.input.poll_fill(cx, &mut self.io) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => {
                // Answers that are here whole are still read.
                self.line.link.with(|state| state.is_closed = true);
                Ok(false)
            }
            Poll::Ready(Ok(_)) => {
                self.receive();
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(error),
        }
    }

    fn receive(&mut self) {
        self.has_moved = true;
        self.line.last_read.set(Instant::now());
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = Rc::clone(&self.line);
        line.link.with(|state| {
            if !line.has_greeted() && self.input.filled().starts_with(b"HTTP/1.") {
                let why = "the upstream speaks HTTP/1.1, not HTTP/2: set `http2 = false` for it";
                state.connection.fail(ErrorCode::PROTOCOL_ERROR, why);
            }
            loop {
                let used = state.connection.receive(self.input.filled(), now);
                self.input.consume(used);
                while let Some(event) = state.connection.next_event() {
                    follow(&line, state, event);
                }
                // Many heads are looked at in turns.
                if used == 0 || self.input.is_empty() {
                    break;
                }
            }
            if state.connection.has_settings() {
                line.greeted();
            }
        });
    }

    // === writing ===

    /// Writes what waits. Pending: the upstream does not take it now.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        loop {
            let io = &mut self.io;
            let polled = self.line.link.with(|state| {
                let bytes = state.connection.output();
                (!bytes.is_empty()).then(|| Pin::new(io).poll_write(cx, bytes))
            });
            match polled {
                None => return Ok(Poll::Ready(())),
                Some(Poll::Pending) => return Ok(Poll::Pending),
                Some(Poll::Ready(Ok(0))) => return Err(io::ErrorKind::WriteZero.into()),
                Some(Poll::Ready(Ok(count))) => {
                    self.has_moved = true;
                    self.line.link.with(|state| {
                        state.connection.take_output(count);
                        state.wake_next();
                    });
                }
                Some(Poll::Ready(Err(error))) => return Err(error),
            }
        }
    }
}

/// Tells whom it concerns what has happened.
fn follow(line: &Line, state: &mut State, event: Event) {
    match event {
        Event::Head { stream, fields, malformed, ended } => {
            line.has_answered.set(true);
            // Others need not meet what may be an attack.
            if !answered(state, stream, &fields, malformed, ended) {
                line.distrust();
            }
        }
        Event::Readable(stream) => {
            if let Some(seat) = state.seats.get_mut(&stream) {
                wake(&mut seat.reader);
            }
        }
        Event::Writable(0) => {
            state.wake_writers();
            line.wake_waiting();
        }
        Event::Writable(stream) => {
            if let Some(seat) = state.seats.get_mut(&stream) {
                wake(&mut seat.writer);
            }
        }
        Event::Broken { stream, why } => {
            line.distrust();
            if let Some(seat) = state.seats.get_mut(&stream) {
                seat.broken = Some(why);
                wake(&mut seat.reader);
                wake(&mut seat.writer);
            }
        }
        Event::Reset { stream, code } => {
            // Whichever side found it: something is not as it should be on this connection.
            if !matches!(
                code,
                ErrorCode::NO_ERROR
                    | ErrorCode::CANCEL
                    | ErrorCode::REFUSED_STREAM
                    | ErrorCode::INTERNAL_ERROR
            ) {
                line.distrust();
            }
            if let Some(seat) = state.seats.get_mut(&stream) {
                seat.reset = Some(code);
                if code == ErrorCode::REFUSED_STREAM && !seat.answer.has_begun {
                    seat.answer.unprocessed = Some(Unprocessed::Refused);
                }
                wake(&mut seat.reader);
                wake(&mut seat.writer);
            }
        }
        // The others go on; when they have ended, so has the connection.
        Event::GoAway { last, code } => {
            for (_, seat) in state.seats.iter_mut().filter(|(stream, _)| **stream > last) {
                seat.reset = Some(code);
                seat.answer.unprocessed = (!seat.answer.has_begun).then_some(Unprocessed::GoneAway);
                wake(&mut seat.reader);
                wake(&mut seat.writer);
            }
            line.wake_waiting();
        }
    }
}

/// Gives an answer, an interim one too, to whoever waits for it. False: it cannot be understood.
fn answered(
    state: &mut State,
    stream: u32,
    fields: &Fields,
    malformed: Option<Malformed>,
    ended: bool,
) -> bool {
    let Some(seat) = state.seats.get_mut(&stream) else { return true };
    seat.answer.has_begun = true;
    let is_flood = seat.incoming.unread_text() > MAX_INTERIM_TEXT;
    seat.broken = match (malformed, Response::of(fields)) {
        (None, Ok(_)) if is_flood => Some("1xx answers come faster than they can be passed on"),
        (None, Ok(answer)) => {
            let is_to_head = seat.answer.is_to_head;
            seat.incoming.head(|out| write_answer(fields, &answer, ended, is_to_head, out));
            None
        }
        (Some(Malformed::Broken(why)), _) | (_, Err(Malformed::Broken(why))) => Some(why),
        (Some(Malformed::TooLarge), _) | (_, Err(Malformed::TooLarge)) => {
            Some("the head of the answer is larger than 64 KiB")
        }
    };
    wake(&mut seat.reader);
    let is_understood = seat.broken.is_none();
    if !is_understood {
        wake(&mut seat.writer);
        state.connection.reset(stream, ErrorCode::ENHANCE_YOUR_CALM);
    }
    is_understood
}
