//! A stream as a connection: what is read is an HTTP/1.1 request, what is written an answer to it.

use super::{
    link::{LastBytes, Link, MAX_WAITING, State},
    outgoing::Outgoing,
};
use ::http2::ErrorCode;
use journal::Charge;
use std::{
    fmt, io,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::ReadBuf;

/// A stream of a connection. Dropped, it is over: what is still open of it is reset.
pub(crate) struct Stream {
    link: Rc<Link>,
    id: u32,
    outgoing: Outgoing,
}

impl Stream {
    pub(crate) fn new(link: Rc<Link>, id: u32, is_to_head: bool) -> Self {
        Self { link, id, outgoing: Outgoing::new(is_to_head) }
    }

    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<io::Result<()>> {
        self.link.with(|state| {
            let Some(seat) = state.seats.get_mut(&self.id) else { return Poll::Ready(Err(gone())) };
            if seat.incoming.is_readable(&state.connection, self.id)
                || seat.reset.is_some()
                || state.is_closed
            {
                return Poll::Ready(Ok(()));
            }
            seat.reader = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    /// Ready once the peer has reset the stream or left.
    pub(crate) fn poll_hung_up(&self, cx: &Context<'_>) -> Poll<()> {
        self.link.with(|state| {
            let Some(seat) = state.seats.get_mut(&self.id) else { return Poll::Ready(()) };
            if seat.reset.is_some() || state.is_closed {
                return Poll::Ready(());
            }
            seat.watcher = Some(cx.waker().clone());
            Poll::Pending
        })
    }

    pub(crate) fn poll_read(&self, cx: &Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let polled = self.link.with(|state| {
            let Some(seat) = state.seats.get_mut(&self.id) else { return Poll::Ready(Err(gone())) };
            if seat.incoming.read(&mut state.connection, self.id, into) {
                return Poll::Ready(Ok(()));
            }
            if seat.reset.is_some() || state.is_closed {
                return Poll::Ready(Err(gone()));
            }
            seat.reader = Some(cx.waker().clone());
            Poll::Pending
        });
        // What was read has opened windows, which the client has to be told.
        if polled.is_ready() && self.link.with(|state| !state.connection.output().is_empty()) {
            self.link.wake_driver();
        }
        polled
    }

    pub(crate) fn poll_write(&mut self, cx: &Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let (link, id, outgoing) = (&self.link, self.id, &mut self.outgoing);
        let polled = link.with(|state| poll_write(state, id, outgoing, cx, bytes));
        if polled.is_ready() {
            self.link.wake_driver();
        }
        polled
    }

    /// Writes the last bytes of an answer, and has `charge` written down in the same step as its last frame. Ready
    /// once that has happened, or with part of the bytes before. `now`: a Unix second.
    pub(crate) fn poll_write_last(
        &mut self,
        cx: &Context<'_>,
        bytes: &[u8],
        charge: &Charge,
        now: u64,
    ) -> Poll<io::Result<LastWritten>> {
        let (link, id, outgoing) = (&self.link, self.id, &mut self.outgoing);
        let polled = link.with(|state| {
            let stands = state.seats.get(&id).map(|seat| seat.last_bytes);
            match stands {
                Some(LastBytes::Written(count)) => {
                    return Poll::Ready(Ok(LastWritten { count, is_recorded: true }));
                }
                Some(LastBytes::Waiting(_)) if state.is_dead => return Poll::Ready(Err(gone())),
                Some(LastBytes::Waiting(_)) => {
                    if let Some(seat) = state.seats.get_mut(&id) {
                        seat.writer = Some(cx.waker().clone());
                    }
                    return Poll::Pending;
                }
                Some(LastBytes::NotSent) | None => {}
            }
            let count = std::task::ready!(poll_write(state, id, outgoing, cx, bytes))?;
            let at = state.connection.output_end();
            let is_whole = outgoing.has_ended() && count == bytes.len();
            match state.seats.get_mut(&id).filter(|_| is_whole) {
                Some(seat) => {
                    seat.last_bytes = LastBytes::Waiting(count);
                    seat.writer = Some(cx.waker().clone());
                    state.due.push_back(super::link::Due { at, stream: id, charge: *charge, now });
                    Poll::Pending
                }
                None => Poll::Ready(Ok(LastWritten { count, is_recorded: false })),
            }
        });
        self.link.wake_driver();
        polled
    }

    /// Has the stream end in a reset, for an answer that broke off.
    pub(crate) fn reset(&self) {
        self.link.with(|state| state.connection.reset(self.id, ErrorCode::INTERNAL_ERROR));
        self.link.wake_driver();
    }
}

/// How the last bytes of an answer went.
pub(crate) struct LastWritten {
    /// Bytes that were taken.
    pub(crate) count: usize,
    /// They were all, and the charge is written down.
    pub(crate) is_recorded: bool,
}

/// Takes what can be sent now of a message's bytes. Pending: the stream waits for its turn, or for its window.
pub(crate) fn poll_write(
    state: &mut State,
    id: u32,
    outgoing: &mut Outgoing,
    cx: &Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let is_reset = state.seats.get(&id).is_none_or(|seat| seat.reset.is_some());
    if is_reset || state.is_dead || !outgoing.has_ended() && !state.connection.can_send(id) {
        return Poll::Ready(Err(gone()));
    }
    if state.connection.output().len() >= MAX_WAITING {
        state.wait_for_room(id, cx);
        return Poll::Pending;
    }
    let count = outgoing.take(&mut state.connection, id, bytes);
    if let Some(seat) = state.seats.get_mut(&id) {
        seat.has_answered |= outgoing.has_begun();
    }
    if count > 0 || bytes.is_empty() {
        return Poll::Ready(Ok(count));
    }
    // Whoever says nothing more opens no window either.
    if state.is_closed {
        return Poll::Ready(Err(gone()));
    }
    if state.connection.is_held_by_stream(id) {
        if let Some(seat) = state.seats.get_mut(&id) {
            seat.writer = Some(cx.waker().clone());
        }
        // It was this stream's turn, and it cannot use it.
        state.wake_next();
    } else {
        state.wait_for_room(id, cx);
    }
    Poll::Pending
}

pub(crate) fn gone() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.link.with(|state| {
            let is_broken = state.seats.get(&self.id).is_some_and(|seat| seat.broken.is_some());
            if is_broken {
                // It was answered; now the protocol has its due (RFC 9113 section 8.1.1).
                state.connection.reset(self.id, ErrorCode::PROTOCOL_ERROR);
            }
            state.connection.release(self.id);
            state.seats.remove(&self.id);
            state.wake_next();
        });
        self.link.wake_driver();
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).finish_non_exhaustive()
    }
}
