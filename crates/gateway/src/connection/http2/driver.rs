//! The task of a connection: reads, starts streams, writes their output, and ends it.

use super::{
    serve::{self, Asked},
    settling::Settling,
};
use crate::{
    client::Client,
    context::peer::Peer,
    io::{
        Io,
        http2::{Connection, LastBytes, State},
    },
    settings::Settings,
    state::thread::Thread,
};
use ::http2::{Config, ErrorCode, Event, Malformed, Request, Role};
use http1::request::RequestHead;
use multiplex::{Body, StreamState, Wire, wake, write_request};
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};
use transport::{Deadline, connection_state::ConnectionState};

/// How many streams may have a full window of unread body data. A slow reader does not block the others.
const WHOLE_WINDOWS: u32 = 16;
/// What a list of fields counts in addition to the bytes of its head in HTTP/1.1, for 100 fields.
const LIST_OVERHEAD: usize = 100 * 32;
/// How long a request may take to end after it was responded to in full: once to twice this. Most
/// clients have sent the rest already, or stop on their own; others are asked to stop.
const GRACE: Duration = Duration::from_millis(150);

/// A connection and its socket.
struct Driver {
    connection: Rc<Connection>,
    wire: Wire,
    requests: Requests,
    settling: Settling,
    /// The thread's state of the connection.
    connection_state: Rc<ConnectionState>,
    is_resting: bool,
    deadline: Deadline,
    waits: Waits,
    /// When to check requests that were responded to in full before they ended.
    grace: Option<Pin<Box<Sleep>>>,
}

/// What the requests of a connection share.
struct Requests {
    thread: Rc<Thread>,
    peer: Rc<Peer>,
    /// The connection limit is exceeded: the first request gets that error.
    turns_away: bool,
}

/// What a connection waits for, which determines the timeout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The client's SETTINGS, or the end of a header block: total time.
    Head,
    /// The rest of a frame: time between two reads.
    Frame,
    /// The client does not read.
    Write,
    /// The next request.
    Request,
    /// Its streams, which have their own timeouts.
    Streams,
}

/// Serves an HTTP/2 client, beginning with its preface, which is in the buffer of `client`.
pub(crate) async fn serve(
    thread: Rc<Thread>,
    client: Client,
    peer: Rc<Peer>,
    connection_state: Rc<ConnectionState>,
) {
    drive(thread, client, peer, connection_state, false).await;
}

/// Responds to an HTTP/2 client that exceeds the connection limit, on the first stream that it
/// opens. Other streams are refused, so that they can be retried elsewhere.
pub(crate) async fn turn_away(thread: Rc<Thread>, client: Client, peer: Rc<Peer>) {
    drive(thread, client, peer, Rc::new(ConnectionState::default()), true).await;
}

async fn drive(
    thread: Rc<Thread>,
    client: Client,
    peer: Rc<Peer>,
    connection_state: Rc<ConnectionState>,
    turns_away: bool,
) {
    let config = thread.config();
    let connection = Rc::new(Connection::new(::http2::Connection::new(bounds(&config.settings))));
    let Client { io, input, deadline, .. } = client;
    let Io::Socket(io) = io else { return }; // a stream never gets here
    thread.http2_connections.add(&connection);
    let mut driver = Driver {
        connection: Rc::clone(&connection),
        wire: Wire::new(io, input),
        requests: Requests { thread: Rc::clone(&thread), peer, turns_away },
        settling: Settling::new(Rc::clone(&thread)),
        connection_state,
        is_resting: false,
        deadline,
        waits: Waits::Request,
        grace: None,
    };
    drop(config);
    driver.requests.receive(&connection, &mut driver.wire);
    let ended = poll_fn(|cx| driver.poll(cx)).await;
    thread.http2_connections.remove(&connection);
    if ended.is_ok() {
        let config = thread.config();
        Client::new(Io::Socket(driver.wire.io), &config.settings.timeouts)
            .close_soon(&driver.requests.thread)
            .await;
    }
    // Tasks of streams notice the end at their next write, and settle as on any connection that the
    // client has left. The connection ends after them.
    connection.end();
    poll_fn(|cx| {
        connection.with(|state| {
            state.driver = Some(cx.waker().clone());
            if state.streams.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
    })
    .await;
}

fn bounds(settings: &Settings) -> Config {
    Config {
        role: Role::Server,
        max_concurrent_streams: settings.http2.streams,
        window: settings.http2.window,
        connection_window: settings.http2.window.saturating_mul(WHOLE_WINDOWS).min(i32::MAX as u32),
        max_header_list_size: u32::try_from(settings.sizes.head.saturating_add(LIST_OVERHEAD))
            .unwrap_or(u32::MAX),
    }
}

impl Driver {
    /// Ready once the connection has ended. An error: the client is gone.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.with(|state| state.driver = Some(cx.waker().clone()));
        let is_dismissed = self.connection_state.poll_dismissed(cx).is_ready();
        let is_draining = self.requests.thread.is_draining.get();
        self.connection.with(|state| {
            if is_draining || is_dismissed && state.streams.is_empty() {
                state.protocol.drain();
            }
        });
        self.poll_grace(cx);
        let (connection, requests, settling) = (&self.connection, &self.requests, &mut self.settling);
        let written = self.wire.poll_turn(
            cx,
            connection,
            |wire| requests.receive(connection, wire),
            |cx, io, state| settling.poll_write(cx, io, state),
        )?;
        self.note_state();
        let (is_over, waits) =
            self.connection.with(|state| (self.is_over(state), self.waits(state, written)));
        if is_over && written.is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.poll_deadline(cx, waits)
    }

    /// Asks clients to stop sending the rest of requests that were responded to (RFC 9113 section
    /// 8.1). A client that counts such streams towards its limit could otherwise run out of
    /// streams.
    fn poll_grace(&mut self, cx: &mut Context<'_>) {
        self.connection.with(|state| {
            if !state.protocol.has_left() {
                self.grace = None;
                return;
            }
            let is_last = state.protocol.is_draining() && state.streams.is_empty();
            if is_last {
                state.protocol.reset_left();
            }
            let grace = self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
            while state.protocol.has_left() && grace.as_mut().poll(cx).is_ready() {
                state.protocol.reset_stale();
                grace.as_mut().reset(Instant::now() + GRACE);
            }
        });
    }

    /// Updates whether the connection is waiting for a request.
    fn note_state(&mut self) {
        let rests = self.connection.with(|state| state.streams.is_empty());
        if rests != std::mem::replace(&mut self.is_resting, rests) {
            if rests { self.connection_state.rest() } else { self.connection_state.work() }
        }
    }

    fn is_over(&self, state: &State) -> bool {
        let no_more_requests =
            state.is_closed || state.protocol.is_draining() || state.protocol.peer_is_going();
        state.protocol.failed().is_some() || no_more_requests && state.streams.is_empty()
    }

    fn waits(&self, state: &State, written: Poll<()>) -> Waits {
        if written.is_pending() {
            Waits::Write
        } else if !state.protocol.has_settings() || state.protocol.is_within_block() {
            Waits::Head
        } else if !self.wire.input.is_empty() {
            Waits::Frame
        } else if state.streams.is_empty() {
            Waits::Request
        } else {
            Waits::Streams
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, waits: Waits) -> Poll<io::Result<()>> {
        let has_moved = std::mem::take(&mut self.wire.has_moved);
        let is_new = std::mem::replace(&mut self.waits, waits) != waits;
        let config = self.requests.thread.config();
        let timeouts = &config.settings.timeouts;
        let patience: Duration = match waits {
            Waits::Head => timeouts.head,
            Waits::Frame => timeouts.body,
            Waits::Write => timeouts.stall,
            Waits::Request if self.requests.turns_away => timeouts.head,
            Waits::Request => timeouts.keep_alive,
            Waits::Streams => return Poll::Pending,
        };
        // The timeout covers the whole block, even if it arrives byte by byte.
        if is_new || has_moved && waits != Waits::Head {
            self.deadline.set(Instant::now(), patience);
        }
        ready!(self.deadline.poll_passed(cx));
        match waits {
            Waits::Head | Waits::Frame => {
                self.say_goodbye(cx, ErrorCode::PROTOCOL_ERROR, "a frame took too long")
            }
            Waits::Request => self.say_goodbye(cx, ErrorCode::NO_ERROR, ""),
            Waits::Write | Waits::Streams => {
                // Otherwise the kernel would keep unread data for as long as the client likes.
                self.wire.io.reset();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Ends the connection. It does not wait for the client to read the last frame: the timeout has passed.
    fn say_goodbye(
        &mut self,
        cx: &mut Context<'_>,
        code: ErrorCode,
        why: &'static str,
    ) -> Poll<io::Result<()>> {
        self.connection.with(|state| state.protocol.fail(code, why));
        let settling = &mut self.settling;
        let _ = self.wire.poll_flush(&self.connection, |io, state| settling.poll_write(cx, io, state))?;
        Poll::Ready(Ok(()))
    }
}

impl Requests {
    /// Processes what was read.
    fn receive(&self, connection: &Rc<Connection>, wire: &mut Wire) {
        connection.with(|state| wire.receive(state, |state, event| self.follow(connection, state, event)));
    }

    /// Wakes the streams that an event concerns.
    fn follow(&self, connection: &Rc<Connection>, state: &mut State, event: Event) {
        match event {
            Event::Head { stream, fields, malformed, ended } => {
                let asked = begin(&self.thread, state, stream, &fields, malformed, ended, self.turns_away);
                if self.turns_away {
                    state.protocol.drain();
                }
                let (thread, connection) = (Rc::clone(&self.thread), Rc::clone(connection));
                // Constructed in place: a task is moved several times before it runs, and this one is large.
                let serving = Box::write(
                    Box::new_uninit(),
                    serve::serve(thread, connection, Rc::clone(&self.peer), asked),
                );
                tokio::task::spawn_local(Box::into_pin(serving));
            }
            Event::Readable(stream) => {
                if let Some(known) = state.streams.get_mut(&stream) {
                    wake(&mut known.reader);
                }
            }
            Event::Writable(0) => state.wake_writers(),
            Event::Writable(stream) => {
                if let Some(known) = state.streams.get_mut(&stream)
                    && let LastBytes::NotSent = known.own
                {
                    wake(&mut known.writer);
                }
            }
            Event::Broken { stream, why } => {
                if let Some(known) = state.streams.get_mut(&stream) {
                    known.broken = Some(why);
                    wake(&mut known.watcher);
                }
            }
            Event::Reset { stream, code } => {
                if let Some(known) = state.streams.get_mut(&stream) {
                    known.reset = Some(code);
                    known.wake_all();
                }
            }
            // Its streams continue; the connection ends after them.
            Event::GoAway { .. } => {}
        }
    }
}

/// Starts the task of a stream.
fn begin(
    thread: &Thread,
    state: &mut State,
    stream: u32,
    fields: &::http2::Fields,
    malformed: Option<Malformed>,
    ended: bool,
    turned_away: bool,
) -> Asked {
    let mut known = StreamState::default();
    // A malformed request may have no valid method, but the response to HEAD never has a body.
    let is_head = fields.iter().any(|(name, value)| name == b":method" && value == b"HEAD");
    let mut is_https = false;
    match (malformed, Request::of(fields)) {
        (None, Ok(request)) => {
            is_https = request.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"));
            known.incoming.head(|out| write_request(fields, &request, ended, out));
        }
        (_, _) => known.incoming.head(|_| Body::None),
    }
    if let Some(Malformed::Broken(why)) = malformed {
        known.broken = Some(why);
    }
    state.streams.insert(stream, known);
    // A complete and well-formed request cannot become malformed.
    let may_be_refused = turned_away || malformed.is_some() || !ended;
    let remains = if may_be_refused {
        RequestHead::of_remains(fields.iter(), &thread.config().reading)
    } else {
        RequestHead::default()
    };
    Asked { stream, is_head, malformed, remains, is_https, turned_away }
}
