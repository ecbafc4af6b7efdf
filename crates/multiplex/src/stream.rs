//! Writing on a stream: it shares the output and the connection's window with all others.

use crate::{
    connection::{MAX_WAITING, Side, State},
    outgoing::Outgoing,
};
use std::{
    io,
    task::{Context, Poll},
};

/// Takes the bytes of a message that can be sent now. Pending: the stream waits for its turn, or
/// for its window.
pub fn poll_write<S: Side>(
    state: &mut State<S>,
    id: u32,
    outgoing: &mut Outgoing,
    cx: &Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let is_reset = state.streams.get(&id).is_none_or(|known| known.reset.is_some());
    if is_reset || state.is_dead || !outgoing.has_ended() && !state.protocol.can_send(id) {
        return Poll::Ready(Err(gone()));
    }
    if state.protocol.output().len() >= MAX_WAITING {
        state.wait_for_room(id, cx);
        return Poll::Pending;
    }
    let count = outgoing.take(&mut state.protocol, id, bytes);
    if let Some(known) = state.streams.get_mut(&id) {
        known.has_answered |= outgoing.has_begun();
    }
    if count > 0 || bytes.is_empty() {
        return Poll::Ready(Ok(count));
    }
    // A peer that closed its side opens no window either.
    if state.is_closed {
        return Poll::Ready(Err(gone()));
    }
    if state.protocol.is_held_by_stream(id) {
        if let Some(known) = state.streams.get_mut(&id) {
            known.writer = Some(cx.waker().clone());
        }
        // It was this stream's turn, but it cannot use it.
        state.wake_next();
    } else {
        state.wait_for_room(id, cx);
    }
    Poll::Pending
}

/// The stream or its connection has ended.
pub fn gone() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}
