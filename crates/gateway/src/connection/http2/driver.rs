//! The task of a connection: reads, lets streams begin, writes what they have to say, and ends it.

use super::serve::{self, Asked};
use crate::{
    client::Client,
    http2::{Body, Due, LastBytes, Link, MAX_WAITING_TO_READ, Seat, State, wake, write_request},
    io::Io,
    peer::Peer,
    settings::Settings,
    thread::Thread,
};
use ::http2::{Config, Connection, ErrorCode, Event, Malformed, Request, Role};
use buffer::Buffer;
use http1::request::RequestHead;
use journal::MAX_TOGETHER;
use smallvec::SmallVec;
use std::{
    future::{Future, poll_fn},
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::AsyncWrite,
    time::{Instant, Sleep, sleep},
};
use transport::{Deadline, Fill, Socket, presence::Presence};

/// Streams whose whole window of bodies may be here at once, unread. One that is slow to be read does not
/// keep the others waiting.
const WHOLE_WINDOWS: u32 = 16;
/// What a list of fields counts beyond the bytes of its head in HTTP/1.1, for 100 fields.
const LIST_OVERHEAD: usize = 100 * 32;
/// Bytes that TLS carries in one record.
const ONE_RECORD: u64 = 16 * 1024;
/// How long a request that was answered in full before it ended may take to end: once to twice as long. Most clients have sent
/// the rest already, or stop by themselves; any other is asked to.
const GRACE: Duration = Duration::from_millis(150);

/// A connection and its socket.
struct Driver {
    thread: Rc<Thread>,
    link: Rc<Link>,
    io: Socket,
    input: Buffer,
    peer: Rc<Peer>,
    /// What the thread knows of the connection.
    presence: Rc<Presence>,
    /// There is no room for it: its first request is told so.
    turns_away: bool,
    is_resting: bool,
    deadline: Deadline,
    waits: Waits,
    begun: Instant,
    /// Something was read or written since the deadline was last looked at.
    has_moved: bool,
    /// When requests that were answered in full before they ended are looked at.
    grace: Option<Pin<Box<Sleep>>>,
    /// The number of answers that a write which was begun ends with. Under TLS it is made of the same bytes until it is
    /// through.
    settling: Option<usize>,
}

/// What a connection waits for, and so how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waits {
    /// The client's settings, or the end of a header block: for so long in all.
    Head,
    /// The rest of a frame: for so long between two reads.
    Frame,
    /// The client does not read.
    Write,
    /// The next request.
    Request,
    /// Its streams, which have their own times.
    Streams,
}

/// Serves a client that speaks HTTP/2, from its preface on, which stands in `client`'s buffer.
pub(crate) async fn serve(thread: Rc<Thread>, client: Client, peer: Rc<Peer>, presence: Rc<Presence>) {
    drive(thread, client, peer, presence, false).await;
}

/// Tells a client that speaks HTTP/2 that there is no room for it, on the first stream that it opens. Others are refused,
/// so that they may be sent again elsewhere.
pub(crate) async fn turn_away(thread: Rc<Thread>, client: Client, peer: Rc<Peer>) {
    drive(thread, client, peer, Rc::new(Presence::default()), true).await;
}

async fn drive(thread: Rc<Thread>, client: Client, peer: Rc<Peer>, presence: Rc<Presence>, turns_away: bool) {
    let config = thread.config();
    let link = Rc::new(Link::new(Connection::new(bounds(&config.settings))));
    let Client { io, input, deadline, .. } = client;
    let Io::Socket(io) = io else { return }; // a stream is none of these connections
    thread.links.add(&link);
    let mut driver = Driver {
        thread: Rc::clone(&thread),
        link: Rc::clone(&link),
        io,
        input,
        peer,
        presence,
        turns_away,
        is_resting: false,
        deadline,
        waits: Waits::Request,
        begun: Instant::now(),
        has_moved: true,
        grace: None,
        settling: None,
    };
    drop(config);
    driver.receive();
    let ended = poll_fn(|cx| driver.poll(cx)).await;
    thread.links.remove(&link);
    if ended.is_ok() {
        let config = thread.config();
        Client::new(Io::Socket(driver.io), &config.settings.timeouts).close().await;
    }
    // Whoever still works on a stream finds out when he writes. What he owes is settled as on any connection that the
    // client has left; only then is this one over.
    link.end();
    poll_fn(|cx| {
        link.with(|state| {
            state.driver = Some(cx.waker().clone());
            if state.seats.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
    })
    .await;
}

fn bounds(settings: &Settings) -> Config {
    Config {
        role: Role::Server,
        most_streams: settings.http2.streams,
        window: settings.http2.window,
        connection_window: settings.http2.window.saturating_mul(WHOLE_WINDOWS).min(i32::MAX as u32),
        largest_list: u32::try_from(settings.sizes.head.saturating_add(LIST_OVERHEAD)).unwrap_or(u32::MAX),
    }
}

impl Driver {
    /// Ready once the connection is over. An error: the client is gone, and nothing more can be said.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.link.with(|state| state.driver = Some(cx.waker().clone()));
        let is_dismissed = self.presence.poll_dismissed(cx).is_ready();
        let is_draining = self.thread.is_draining.get();
        self.link.with(|state| {
            if is_draining || is_dismissed && state.seats.is_empty() {
                state.connection.drain();
            }
        });
        self.poll_grace(cx);
        let mut can_read = true;
        let written = loop {
            let written = self.poll_flush(cx)?;
            if !can_read || !self.poll_receive(cx)? {
                break written;
            }
            // What is answered to control frames must be taken before more of them is read.
            can_read = self.link.with(|state| state.connection.output().len() < MAX_WAITING_TO_READ);
        };
        self.tell_presence();
        let (is_over, waits) = self.link.with(|state| (self.is_over(state), self.waits(state, written)));
        if is_over && written.is_ready() {
            return Poll::Ready(Ok(()));
        }
        self.poll_deadline(cx, waits)
    }

    /// Asks clients to stop sending what is left of requests that were answered (RFC 9113 section 8.1). A client that counts
    /// such a stream among those that it may have open would otherwise open no more of them one day.
    fn poll_grace(&mut self, cx: &mut Context<'_>) {
        self.link.with(|state| {
            if !state.connection.has_left() {
                self.grace = None;
                return;
            }
            let is_last = state.connection.is_draining() && state.seats.is_empty();
            if is_last {
                state.connection.reset_left();
            }
            let grace = self.grace.get_or_insert_with(|| Box::pin(sleep(GRACE)));
            while state.connection.has_left() && grace.as_mut().poll(cx).is_ready() {
                state.connection.reset_stale();
                grace.as_mut().reset(Instant::now() + GRACE);
            }
        });
    }

    /// Lets the thread know whether the connection waits for a request.
    fn tell_presence(&mut self) {
        let rests = self.link.with(|state| state.seats.is_empty());
        if rests != std::mem::replace(&mut self.is_resting, rests) {
            if rests { self.presence.rest() } else { self.presence.work() }
        }
    }

    fn is_over(&self, state: &State) -> bool {
        let nobody_comes =
            state.is_closed || state.connection.is_draining() || state.connection.peer_is_going();
        state.connection.failed().is_some() || nobody_comes && state.seats.is_empty()
    }

    fn waits(&self, state: &State, written: Poll<()>) -> Waits {
        if written.is_pending() {
            Waits::Write
        } else if !state.connection.has_settings() || state.connection.is_within_block() {
            Waits::Head
        } else if !self.input.is_empty() {
            Waits::Frame
        } else if state.seats.is_empty() {
            Waits::Request
        } else {
            Waits::Streams
        }
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>, waits: Waits) -> Poll<io::Result<()>> {
        let has_moved = std::mem::take(&mut self.has_moved);
        let is_new = std::mem::replace(&mut self.waits, waits) != waits;
        let config = self.thread.config();
        let timeouts = &config.settings.timeouts;
        let patience: Duration = match waits {
            Waits::Head => timeouts.head,
            Waits::Frame => timeouts.body,
            Waits::Write => timeouts.stall,
            Waits::Request if self.turns_away => timeouts.head,
            Waits::Request => timeouts.keep_alive,
            Waits::Streams => return Poll::Pending,
        };
        // A block that comes byte by byte has no more time than one that comes at once.
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
                // Else the system would keep what the client does not take for as long as he likes.
                self.io.reset();
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    /// Ends the connection. That the client takes the last frame as well is not waited for: it has had its time.
    fn say_goodbye(
        &mut self,
        cx: &mut Context<'_>,
        code: ErrorCode,
        why: &'static str,
    ) -> Poll<io::Result<()>> {
        self.link.with(|state| state.connection.fail(code, why));
        let _ = self.poll_flush(cx)?;
        Poll::Ready(Ok(()))
    }

    // === reading ===

    /// Reads once. False: there is nothing to read now.
    fn poll_receive(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        if self.link.with(|state| state.is_closed || state.connection.failed().is_some()) {
            return Ok(false);
        }
        // Memory to read into is held only while there is something to read.
        if self.input.is_empty() && self.io.poll_readable(cx).is_pending() {
            self.input.rest();
            self.link.with(|state| {
                if state.seats.is_empty() && state.connection.output().is_empty() {
                    state.connection.rest();
                    state.rest();
                }
            });
            return Ok(false);
        }
        match self.input.poll_fill(cx, &mut self.io) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => {
                // Nothing more will be asked. What was asked is answered, if it can be.
                self.link.with(|state| {
                    state.is_closed = true;
                    state.wake_all();
                });
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
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let link = Rc::clone(&self.link);
        link.with(|state| {
            loop {
                let used = state.connection.receive(self.input.filled(), now);
                self.input.consume(used);
                while let Some(event) = state.connection.next_event() {
                    self.follow(state, event);
                }
                // Many heads are looked at in turns.
                if used == 0 || self.input.is_empty() {
                    break;
                }
            }
        });
    }

    fn follow(&self, state: &mut State, event: Event) {
        match event {
            Event::Head { stream, fields, malformed, ended } => {
                let asked = begin(state, stream, &fields, malformed, ended, self.turns_away);
                if self.turns_away {
                    state.connection.drain();
                }
                let (thread, link) = (Rc::clone(&self.thread), Rc::clone(&self.link));
                // Made where it lies: a task is moved several times before it runs, and this one is large.
                let serving =
                    Box::write(Box::new_uninit(), serve::serve(thread, link, Rc::clone(&self.peer), asked));
                tokio::task::spawn_local(Box::into_pin(serving));
            }
            Event::Readable(stream) => {
                if let Some(seat) = state.seats.get_mut(&stream) {
                    wake(&mut seat.reader);
                }
            }
            Event::Writable(0) => state.wake_writers(),
            Event::Writable(stream) => {
                if let Some(seat) = state.seats.get_mut(&stream)
                    && let LastBytes::NotSent = seat.last_bytes
                {
                    wake(&mut seat.writer);
                }
            }
            Event::Broken { stream, why } => {
                if let Some(seat) = state.seats.get_mut(&stream) {
                    seat.broken = Some(why);
                    wake(&mut seat.watcher);
                }
            }
            Event::Reset { stream, code } => {
                if let Some(seat) = state.seats.get_mut(&stream) {
                    seat.reset = Some(code);
                    for waker in [&mut seat.reader, &mut seat.writer, &mut seat.watcher] {
                        wake(waker);
                    }
                }
            }
            // Its streams go on; when they have ended, so has the connection.
            Event::GoAway { .. } => {}
        }
    }

    // === writing ===

    /// Writes what waits, and charges what is due with it. Pending: the client does not take it now.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> io::Result<Poll<()>> {
        let link = Rc::clone(&self.link);
        loop {
            let polled = link.with(|state| self.poll_write(cx, state));
            match polled {
                None => return Ok(Poll::Ready(())),
                Some(Poll::Pending) => return Ok(Poll::Pending),
                Some(Poll::Ready(Ok(0))) => return Err(io::ErrorKind::WriteZero.into()),
                Some(Poll::Ready(Ok(count))) => {
                    self.has_moved = true;
                    link.with(|state| {
                        state.connection.take_output(count);
                        state.wake_next();
                    });
                }
                Some(Poll::Ready(Err(error))) => return Err(error),
            }
        }
    }

    /// Writes once; None: nothing waits. With the last frames of answers their charges are written down, in one step.
    fn poll_write(&mut self, cx: &mut Context<'_>, state: &mut State) -> Option<Poll<io::Result<usize>>> {
        let bytes = state.connection.output();
        if bytes.is_empty() {
            return None;
        }
        let settling = self.settling.take().unwrap_or_else(|| together(state, &self.io));
        let Some(last) = settling.checked_sub(1).and_then(|last| state.due.get(last)) else {
            return Some(Pin::new(&mut self.io).poll_write(cx, bytes));
        };
        let front = state.connection.output_front();
        let within = |at: u64| usize::try_from(at.saturating_sub(front)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..within(last.at)).unwrap_or(bytes);
        let due = state.due.iter().take(settling);
        let mut charged = 0;
        let mut journal = self.thread.journal.borrow_mut();
        let written = match journal.as_mut() {
            Some(journal) => {
                let is_of_use_whole = self.io.is_of_use_whole();
                self.io.poll_write_last(cx, bytes, |socket, wire| {
                    let end = |at| if is_of_use_whole { wire.len() } else { within(at) };
                    let owed = due.clone().map(|due| journal::Due {
                        end: end(due.at),
                        charge: &due.charge,
                        now_seconds: due.now,
                    });
                    let owed: SmallVec<[_; MAX_TOGETHER]> = owed.collect();
                    let sent = journal.send_last(socket, wire, &owed)?;
                    charged = sent.charged;
                    Ok(sent.taken)
                })
            }
            None => {
                let written = Pin::new(&mut self.io).poll_write(cx, bytes);
                if let Poll::Ready(Ok(taken)) = written {
                    charged = due.take_while(|due| within(due.at) <= taken).count();
                }
                written
            }
        };
        drop(journal);
        if written.is_pending() {
            self.settling = Some(settling);
        }
        for _ in 0..charged {
            let Some(Due { stream, .. }) = state.due.pop_front() else { break };
            state.written(stream);
        }
        Some(written)
    }
}

/// How many answers the next write ends with: those that end in one record, under TLS; the first one in any case.
fn together(state: &State, io: &Socket) -> usize {
    let front = state.connection.output_front();
    let most = if io.is_of_use_whole() { ONE_RECORD } else { u64::MAX };
    let due = state.due.iter().take(MAX_TOGETHER);
    let fitting = due.take_while(|due| due.at.saturating_sub(front) <= most).count();
    fitting.max(state.due.len().min(1))
}

/// Gives a request its seat.
fn begin(
    state: &mut State,
    stream: u32,
    fields: &::http2::Fields,
    malformed: Option<Malformed>,
    ended: bool,
    turned_away: bool,
) -> Asked {
    let mut seat = Seat::default();
    // If it is malformed the method may be none, but an answer to HEAD has no body even so.
    let is_head = fields.iter().any(|(name, value)| name == b":method" && value == b"HEAD");
    let mut is_https = false;
    match (malformed, Request::of(fields)) {
        (None, Ok(request)) => {
            is_https = request.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"));
            seat.incoming.head(|out| write_request(fields, &request, ended, out));
        }
        (_, _) => seat.incoming.head(|_| Body::None),
    }
    if let Some(Malformed::Broken(why)) = malformed {
        seat.broken = Some(why);
    }
    state.seats.insert(stream, seat);
    // A request that is whole and well-formed cannot break any more.
    let may_be_refused = turned_away || malformed.is_some() || !ended;
    let remains =
        if may_be_refused { RequestHead::of_remains(fields.iter()) } else { RequestHead::default() };
    Asked { stream, is_head, malformed, remains, is_https, turned_away }
}
