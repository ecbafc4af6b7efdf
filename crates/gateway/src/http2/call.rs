//! A request on a stream, as a connection: what is written is an HTTP/1.1 request, what is read the answer to it.

use super::{Expected, Line, Opened, Outgoing, Seat, Unprocessed, gone, poll_write};
use std::{
    fmt, io,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{io::ReadBuf, time::Instant};

/// How long nothing comes on a connection, while a request waits, until it is suspected of being dead.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// One request, and its place on a connection. Dropped, it is over: what is still open of it is reset.
pub(crate) struct Call {
    line: Rc<Line>,
    /// 0: the request that opens the stream was not written yet.
    id: u32,
    outgoing: Outgoing,
    /// When it was sent.
    begun: Option<Instant>,
    unprocessed: Option<Unprocessed>,
}

impl Call {
    /// Takes a place on a connection.
    pub(crate) fn new(line: Rc<Line>) -> Self {
        line.enter();
        Self { line, id: 0, outgoing: Outgoing::new(false), begun: None, unprocessed: None }
    }

    pub(crate) fn line(&self) -> &Rc<Line> {
        &self.line
    }

    /// The upstream did not look at the request, which so may be sent again.
    pub(crate) fn unprocessed(&self) -> Option<Unprocessed> {
        let told =
            self.line.link.with(|state| state.seats.get(&self.id).and_then(|seat| seat.answer.unprocessed));
        self.unprocessed.or(told)
    }

    /// The request was reset, or its answer cannot be understood: what happened to it says nothing about the connection.
    pub(crate) fn is_reset(&self) -> bool {
        self.line.link.with(|state| {
            state.seats.get(&self.id).is_some_and(|seat| seat.reset.is_some() || seat.broken.is_some())
        })
    }

    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.line.link.with(|state| {
            let Some(seat) = state.seats.get_mut(&self.id) else { return Poll::Ready(Ok(())) };
            let is_over = seat.reset.is_some() || seat.broken.is_some() || state.is_closed;
            if is_over || seat.incoming.is_readable(&state.connection, self.id) {
                return Poll::Ready(Ok(()));
            }
            seat.reader = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = self.line.link.with(|state| {
            let Some(seat) = state.seats.get_mut(&self.id) else {
                // The request waits for its stream.
                if self.unprocessed.is_some() || state.is_closed {
                    return Poll::Ready(Err(io::Error::other(self.line.why())));
                }
                self.line.wait(cx);
                return Poll::Pending;
            };
            if seat.incoming.read(&mut state.connection, self.id, into) {
                return Poll::Ready(Ok(()));
            }
            if let Some(why) = seat.broken {
                return Poll::Ready(Err(io::Error::other(why)));
            }
            if let Some(code) = seat.reset {
                return Poll::Ready(Err(io::Error::other(format!("the stream was reset: {code}"))));
            }
            if state.is_closed {
                return Poll::Ready(Err(io::Error::other(self.line.why())));
            }
            seat.reader = Some(cx.waker().clone());
            Poll::Pending
        });
        // What was read has opened windows, which the upstream has to be told.
        if polled.is_ready() && self.line.link.with(|state| !state.connection.output().is_empty()) {
            self.line.link.wake_driver();
        }
        polled
    }

    pub(crate) fn poll_write(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.id == 0 {
            return self.poll_open(cx, bytes);
        }
        let (id, outgoing) = (self.id, &mut self.outgoing);
        let polled = self.line.link.with(|state| poll_write(state, id, outgoing, cx, bytes));
        if polled.is_ready() {
            self.line.link.wake_driver();
        }
        polled
    }

    /// Opens the stream by the head that `bytes` begin with.
    fn poll_open(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.line.is_usable() {
            self.unprocessed = Some(Unprocessed::GoneAway);
            return Poll::Ready(Err(gone()));
        }
        let (line, outgoing) = (&self.line, &mut self.outgoing);
        let opened = line.link.with(|state| {
            let begins_at = state.connection.output_end();
            let opened = outgoing.open(&mut state.connection, line.scheme(), bytes);
            if let Opened::Stream { stream, is_head, .. } = opened {
                let answer = Expected { is_to_head: is_head, begins_at, ..Expected::default() };
                state.seats.insert(stream, Seat::asking(answer));
            }
            opened
        });
        match opened {
            Opened::NotYet => Poll::Ready(Ok(bytes.len())),
            Opened::NotNow => {
                line.wait(cx);
                Poll::Pending
            }
            Opened::Stream { stream, count, .. } => {
                self.id = stream;
                self.begun = Some(Instant::now());
                line.link.wake_driver();
                Poll::Ready(Ok(count))
            }
        }
    }

    /// It was not answered, and nothing came on the connection for so long that there may be nobody there any more.
    fn found_nobody(&self) -> bool {
        let is_answered = self.line.link.with(|state| {
            let seat = state.seats.get(&self.id);
            seat.is_none_or(|seat| seat.answer.has_begun || seat.reset.is_some() || seat.broken.is_some())
        });
        let is_long = |since: Instant| since.elapsed() >= SUSPICIOUS;
        !is_answered && self.begun.is_some_and(is_long) && is_long(self.line.last_read.get())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.found_nobody() {
            // Others would wait here as long, for nothing.
            self.line.retire();
        }
        if self.id != 0 {
            self.line.link.with(|state| {
                state.connection.release(self.id);
                state.seats.remove(&self.id);
                state.wake_next();
            });
        }
        self.line.leave();
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("id", &self.id).finish_non_exhaustive()
    }
}
