//! The socket of a connection. Only the connection's task uses it.

use crate::connection::{Connection, MAX_WAITING_TO_READ, Side, State};
use buffer::Buffer;
use http2::Event;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::{io::AsyncWrite, time::Instant};
use transport::{Fill, Readable, Socket};

/// A socket, and bytes read from it.
pub struct Wire {
    /// The socket.
    pub io: Socket,
    /// Bytes that were read and not processed yet: part of a frame.
    pub input: Buffer,
    begun: Instant,
    /// Something was read or written since the last check.
    pub has_moved: bool,
}

impl Wire {
    /// `input`: bytes that were already read.
    pub fn new(io: Socket, input: Buffer) -> Self {
        Self { io, input, begun: Instant::now(), has_moved: true }
    }

    /// One turn of the connection's task: writes the output and reads what is available, repeatedly
    /// until there is nothing to read. `receive` processes what was read, with [`Wire::receive`];
    /// `write` is that of [`Wire::poll_flush`]. Pending: the peer does not take the rest.
    ///
    /// # Errors
    /// The connection broke.
    pub fn poll_turn<S: Side>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Connection<S>,
        mut receive: impl FnMut(&mut Self),
        mut write: impl FnMut(&mut Context<'_>, &mut Socket, &mut State<S>) -> Poll<io::Result<usize>>,
    ) -> io::Result<Poll<()>> {
        let mut can_read = true;
        loop {
            let written = self.poll_flush(connection, |io, state| write(cx, io, state))?;
            if !can_read || !self.poll_read(cx, connection)? {
                return Ok(written);
            }
            receive(self);
            // Replies to control frames must be taken before more of them are read.
            can_read = connection.with(|state| state.protocol.output().len() < MAX_WAITING_TO_READ);
        }
    }

    /// Reads once. False: there is nothing to read now.
    ///
    /// # Errors
    /// The connection broke.
    pub fn poll_read<S: Side>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &Connection<S>,
    ) -> io::Result<bool> {
        if connection.with(|state| state.is_closed || state.protocol.failed().is_some()) {
            return Ok(false);
        }
        // Memory to read into is held only while there is something to read.
        if self.input.is_empty() && self.io.poll_readable(cx).is_pending() {
            self.input.rest();
            connection.with(State::rest_if_idle);
            return Ok(false);
        }
        match self.input.poll_fill(cx, &mut self.io) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(0)) => {
                // Nothing more will arrive. What has arrived still gets a response, and responses
                // are still read if possible.
                connection.with(|state| {
                    state.is_closed = true;
                    state.wake_all();
                });
                Ok(false)
            }
            Poll::Ready(Ok(_)) => {
                self.has_moved = true;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(error),
        }
    }

    /// Processes what was read, and passes on the events.
    pub fn receive<S: Side>(&mut self, state: &mut State<S>, mut follow: impl FnMut(&mut State<S>, Event)) {
        let now = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        loop {
            let used = state.protocol.receive(self.input.filled(), now);
            self.input.consume(used);
            while let Some(event) = state.protocol.next_event() {
                follow(state, event);
            }
            // Many heads are processed in turns.
            if used == 0 || self.input.is_empty() {
                break;
            }
        }
    }

    /// Writes the output with `write`, which is called while there is some. Pending: the peer does
    /// not take it now.
    ///
    /// # Errors
    /// The connection broke.
    pub fn poll_flush<S: Side>(
        &mut self,
        connection: &Connection<S>,
        mut write: impl FnMut(&mut Socket, &mut State<S>) -> Poll<io::Result<usize>>,
    ) -> io::Result<Poll<()>> {
        loop {
            let io = &mut self.io;
            let polled =
                connection.with(|state| (!state.protocol.output().is_empty()).then(|| write(io, state)));
            match polled {
                None => return Ok(Poll::Ready(())),
                Some(Poll::Pending) => return Ok(Poll::Pending),
                Some(Poll::Ready(Ok(0))) => return Err(io::ErrorKind::WriteZero.into()),
                Some(Poll::Ready(Ok(count))) => {
                    self.has_moved = true;
                    connection.with(|state| {
                        state.protocol.take_output(count);
                        state.wake_next();
                    });
                }
                Some(Poll::Ready(Err(error))) => return Err(error),
            }
        }
    }
}

/// Writes the output unchanged.
pub fn poll_write_output<S: Side>(
    cx: &mut Context<'_>,
    io: &mut Socket,
    state: &State<S>,
) -> Poll<io::Result<usize>> {
    Pin::new(io).poll_write(cx, state.protocol.output())
}
