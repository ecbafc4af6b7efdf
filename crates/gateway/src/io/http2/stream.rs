//! A stream as a connection: reading returns an HTTP/1.1 request, and a response to it is written.

use super::{Connection, Due, LastBytes};
use ::http2::ErrorCode;
use journal::Charge;
use multiplex::{Outgoing, gone, poll_write};
use std::{
    fmt, io,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::ReadBuf;

/// A stream of a connection. Dropping it ends it: what is still open is reset.
pub(crate) struct Stream {
    connection: Rc<Connection>,
    id: u32,
    outgoing: Outgoing,
}

impl Stream {
    pub(crate) fn new(connection: Rc<Connection>, id: u32, is_to_head: bool) -> Self {
        Self { connection, id, outgoing: Outgoing::new(is_to_head) }
    }

    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.connection.with(|state| {
            let Some(known) = state.streams.get_mut(&self.id) else { return Poll::Ready(Err(gone())) };
            if known.incoming.is_readable(&state.protocol, self.id)
                || known.reset.is_some()
                || state.is_closed
            {
                return Poll::Ready(Ok(()));
            }
            known.reader = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    /// Ready once the peer has reset the stream or left.
    pub(crate) fn poll_hung_up(&self, cx: &Context<'_>) -> Poll<()> {
        self.connection.with(|state| {
            let Some(known) = state.streams.get_mut(&self.id) else { return Poll::Ready(()) };
            if known.reset.is_some() || state.is_closed {
                return Poll::Ready(());
            }
            known.watcher = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = self.connection.with(|state| {
            let Some(known) = state.streams.get_mut(&self.id) else { return Poll::Ready(Err(gone())) };
            if known.incoming.read(&mut state.protocol, self.id, into) {
                return Poll::Ready(Ok(()));
            }
            if known.reset.is_some() || state.is_closed {
                return Poll::Ready(Err(gone()));
            }
            known.reader = Some(cx.waker().clone());
            Poll::Pending
        });
        // Reading may have opened windows, which must be announced to the client.
        if polled.is_ready() && self.connection.with(|state| !state.protocol.output().is_empty()) {
            self.connection.wake_driver();
        }
        polled
    }

    pub(crate) fn poll_write(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (connection, id, outgoing) = (&self.connection, self.id, &mut self.outgoing);
        let polled = connection.with(|state| poll_write(state, id, outgoing, cx, bytes));
        if polled.is_ready() {
            self.connection.wake_driver();
        }
        polled
    }

    /// Writes the last bytes of a response, and records `charge` in the same step as its last
    /// frame. Ready once that is done, or with part of the bytes before. `now`: a Unix second.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &Context<'_>,
        bytes: &[u8],
        charge: &Charge,
        now: u64,
    ) -> Poll<io::Result<LastWritten>> {
        let (connection, id, outgoing) = (&self.connection, self.id, &mut self.outgoing);
        let polled = connection.with(|state| {
            let state_of_last = state.streams.get(&id).map(|known| known.own);
            match state_of_last {
                Some(LastBytes::Written(count)) => {
                    return Poll::Ready(Ok(LastWritten { count, is_recorded: true }));
                }
                Some(LastBytes::Waiting(_)) if state.is_dead => return Poll::Ready(Err(gone())),
                Some(LastBytes::Waiting(_)) => {
                    if let Some(known) = state.streams.get_mut(&id) {
                        known.writer = Some(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
                Some(LastBytes::NotSent) | None => {}
            }
            let count = std::task::ready!(poll_write(state, id, outgoing, cx, bytes))?;
            let at = state.protocol.output_end();
            let is_whole = outgoing.has_ended() && count == bytes.len();
            match state.streams.get_mut(&id).filter(|_| is_whole) {
                Some(known) => {
                    known.own = LastBytes::Waiting(count);
                    known.writer = Some(cx.waker().clone());
                    state.own.due.push_back(Due { at, stream: id, charge: *charge, now });
                    Poll::Pending
                }
                None => Poll::Ready(Ok(LastWritten { count, is_recorded: false })),
            }
        });
        self.connection.wake_driver();
        polled
    }

    /// Ends the stream with a reset, for a response that broke off.
    pub(crate) fn reset(&self) {
        self.connection.with(|state| state.protocol.reset(self.id, ErrorCode::INTERNAL_ERROR));
        self.connection.wake_driver();
    }
}

/// The result of writing the last bytes of a response.
pub(crate) struct LastWritten {
    /// Bytes taken.
    pub(crate) count: usize,
    /// All of them were taken, and the charge is recorded.
    pub(crate) is_recorded: bool,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.connection.with(|state| {
            let is_broken = state.streams.get(&self.id).is_some_and(|known| known.broken.is_some());
            if is_broken {
                // It got its response; now follow the protocol (RFC 9113 section 8.1.1).
                state.protocol.reset(self.id, ErrorCode::PROTOCOL_ERROR);
            }
            state.protocol.release(self.id);
            state.streams.remove(&self.id);
            state.wake_next();
        });
        self.connection.wake_driver();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).finish_non_exhaustive()
    }
}
