//! Writes the output of a client's connection, with the charges that are due with it.

use crate::{
    io::http2::{Due, State, written},
    state::thread::Thread,
};
use journal::MAX_TOGETHER;
use multiplex::poll_write_output;
use smallvec::SmallVec;
use std::{
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use transport::Socket;

/// Bytes of one TLS record.
const ONE_RECORD: u64 = 16 * 1024;

/// Writes, and records the charges of responses in the same step as their last frames.
pub(super) struct Settling {
    thread: Rc<Thread>,
    /// How many responses end with a write that has begun. Under TLS it must be repeated with the
    /// same bytes until it succeeds.
    begun: Option<usize>,
}

impl Settling {
    pub(super) const fn new(thread: Rc<Thread>) -> Self {
        Self { thread, begun: None }
    }

    /// Writes once.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        io: &mut Socket,
        state: &mut State,
    ) -> Poll<io::Result<usize>> {
        let settling = self.begun.take().unwrap_or_else(|| together(state, io));
        let Some(last) = settling.checked_sub(1).and_then(|last| state.own.due.get(last)) else {
            return poll_write_output(cx, io, state);
        };
        let bytes = state.protocol.output();
        let front = state.protocol.output_front();
        let within = |at: u64| usize::try_from(at.saturating_sub(front)).unwrap_or(usize::MAX);
        let bytes = bytes.get(..within(last.at)).unwrap_or(bytes);
        let due = state.own.due.iter().take(settling);
        let mut charged = 0;
        let mut journal = self.thread.journal.borrow_mut();
        let polled = match journal.as_mut() {
            Some(journal) => {
                let is_read_by_record = io.is_read_by_record();
                io.poll_write_last(cx, bytes, |socket, wire| {
                    let end = |at| if is_read_by_record { wire.len() } else { within(at) };
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
                let polled = Pin::new(io).poll_write(cx, bytes);
                if let Poll::Ready(Ok(taken)) = polled {
                    charged = due.take_while(|due| within(due.at) <= taken).count();
                }
                polled
            }
        };
        drop(journal);
        if polled.is_pending() {
            self.begun = Some(settling);
        }
        for _ in 0..charged {
            let Some(Due { stream, .. }) = state.own.due.pop_front() else { break };
            written(state, stream);
        }
        polled
    }
}

/// How many responses the next write ends: under TLS, those that end in the same record; the first
/// one in any case.
fn together(state: &State, io: &Socket) -> usize {
    let front = state.protocol.output_front();
    let most = if io.is_read_by_record() { ONE_RECORD } else { u64::MAX };
    let due = state.own.due.iter().take(MAX_TOGETHER);
    let fitting = due.take_while(|due| due.at.saturating_sub(front) <= most).count();
    fitting.max(state.own.due.len().min(1))
}
