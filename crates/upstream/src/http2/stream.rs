//! A request on a stream, as a connection: an HTTP/1.1 request is written, and its response is read.

use super::connection::{Connection, Expected, Unprocessed};
use multiplex::{Incoming, Opened, Outgoing, StreamState, gone, poll_write};
use std::{
    fmt, io,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{io::ReadBuf, time::Instant};

/// How long a connection may be silent while a request waits, until it is suspected to be dead.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// One request, and its place on a connection. When dropped, it ends: what is still open is reset.
pub struct Stream {
    connection: Rc<Connection>,
    /// 0: no stream was opened yet.
    id: u32,
    outgoing: Outgoing,
    /// When it was sent.
    begun: Option<Instant>,
    unprocessed: Option<Unprocessed>,
}

impl Stream {
    /// Takes a place on a connection.
    pub(crate) fn new(connection: Rc<Connection>) -> Self {
        connection.enter();
        Self { connection, id: 0, outgoing: Outgoing::new(false), begun: None, unprocessed: None }
    }

    pub(crate) fn connection(&self) -> &Rc<Connection> {
        &self.connection
    }

    /// The upstream did not process the request, so it can be retried.
    pub(crate) fn unprocessed(&self) -> Option<Unprocessed> {
        let reported = self
            .connection
            .shared
            .with(|state| state.streams.get(&self.id).and_then(|known| known.own.unprocessed));
        self.unprocessed.or(reported)
    }

    /// The request was reset, or its response is invalid: this does not concern the connection.
    pub(crate) fn is_reset(&self) -> bool {
        self.connection.shared.with(|state| {
            state.streams.get(&self.id).is_some_and(|known| known.reset.is_some() || known.broken.is_some())
        })
    }

    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.connection.shared.with(|state| {
            let Some(known) = state.streams.get_mut(&self.id) else { return Poll::Ready(Ok(())) };
            let is_over = known.reset.is_some() || known.broken.is_some() || state.is_closed;
            if is_over || known.incoming.is_readable(&state.protocol, self.id) {
                return Poll::Ready(Ok(()));
            }
            known.reader = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = self.connection.shared.with(|state| {
            let Some(known) = state.streams.get_mut(&self.id) else {
                // The request waits for its stream.
                if self.unprocessed.is_some() || state.is_closed {
                    return Poll::Ready(Err(io::Error::other(self.connection.why())));
                }
                self.connection.wait(cx);
                return Poll::Pending;
            };
            if known.incoming.read(&mut state.protocol, self.id, into) {
                return Poll::Ready(Ok(()));
            }
            if let Some(why) = known.broken {
                return Poll::Ready(Err(io::Error::other(why)));
            }
            if let Some(code) = known.reset {
                return Poll::Ready(Err(io::Error::other(format!("the stream was reset: {code}"))));
            }
            if state.is_closed {
                return Poll::Ready(Err(io::Error::other(self.connection.why())));
            }
            known.reader = Some(cx.waker().clone());
            Poll::Pending
        });
        // Reading may have opened windows, which must be announced to the upstream.
        if polled.is_ready() && self.connection.shared.with(|state| !state.protocol.output().is_empty()) {
            self.connection.shared.wake_driver();
        }
        polled
    }

    pub(crate) fn poll_write(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.id == 0 {
            return self.poll_open(cx, bytes);
        }
        let (id, outgoing) = (self.id, &mut self.outgoing);
        let polled = self.connection.shared.with(|state| poll_write(state, id, outgoing, cx, bytes));
        if polled.is_ready() {
            self.connection.shared.wake_driver();
        }
        polled
    }

    /// Opens the stream with the head at the beginning of `bytes`.
    fn poll_open(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.connection.is_usable() {
            self.unprocessed = Some(Unprocessed::GoneAway);
            return Poll::Ready(Err(gone()));
        }
        let (connection, outgoing) = (&self.connection, &mut self.outgoing);
        let opened = connection.shared.with(|state| {
            let begins_at = state.protocol.output_end();
            let opened = outgoing.open(&mut state.protocol, connection.scheme(), bytes);
            if let Opened::Stream { stream, is_head, .. } = opened {
                let answer = Expected { is_to_head: is_head, begins_at, ..Expected::default() };
                state.streams.insert(stream, StreamState::new(Incoming::waiting(), answer));
            }
            opened
        });
        match opened {
            Opened::NotYet => Poll::Ready(Ok(bytes.len())),
            Opened::NotNow => {
                connection.wait(cx);
                Poll::Pending
            }
            Opened::Stream { stream, count, .. } => {
                self.id = stream;
                self.begun = Some(Instant::now());
                connection.shared.wake_driver();
                Poll::Ready(Ok(count))
            }
        }
    }

    /// There was no response, and the connection was silent for so long that it may be dead.
    fn seems_dead(&self) -> bool {
        let is_answered = self.connection.shared.with(|state| {
            let known = state.streams.get(&self.id);
            known.is_none_or(|known| known.own.has_begun || known.reset.is_some() || known.broken.is_some())
        });
        let is_long = |since: Instant| since.elapsed() >= SUSPICIOUS;
        !is_answered && self.begun.is_some_and(is_long) && is_long(self.connection.last_read.get())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.seems_dead() {
            // Other requests would wait here as long, for nothing.
            self.connection.retire();
        }
        if self.id != 0 {
            self.connection.shared.with(|state| {
                state.protocol.release(self.id);
                state.streams.remove(&self.id);
                state.wake_next();
            });
        }
        self.connection.leave();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).finish_non_exhaustive()
    }
}
