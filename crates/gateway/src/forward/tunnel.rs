//! Tunnels: a connection that the upstream has switched to another protocol, until one side ends it.
//!
//! The 101 is the requested success: it is charged in the same step in which it is sent. The data
//! in the tunnel is not inspected. Each direction holds at most one buffer, and only while it
//! contains bytes; a side that does not read blocks the other. The place among the requests in
//! flight stays taken until the end.

use super::{answer, exchange::Exchange};
use crate::{
    client::Client,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    record::Outcome,
    settle::payment::{Owed, Payment},
    state::thread::Thread,
};
use buffer::{self, Buffer};
use http1::response::ResponseHead;
use std::{
    future::{Future, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::futures::Notified,
    time::Instant,
};
use transport::{Fill, Readable};
use upstream::Upstream;

/// How long before the end of the drain a tunnel ends, so that its end is still recorded.
const BEFORE_THE_CUT: Duration = Duration::from_millis(50);

/// One direction of a tunnel.
#[derive(Debug, Default)]
struct Lane {
    /// Bytes written.
    moved: u64,
    /// The source has ended.
    has_ended: bool,
    /// The sink was shut down.
    is_shut: bool,
    /// Something was moved since the last check.
    has_moved: bool,
}

/// Why a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Both sides have ended.
    Finished,
    /// One side is gone.
    Broken,
    /// Idle for too long, the key is no longer valid, or the gateway ends.
    Closed,
}

impl Exchange<'_> {
    /// Sends the 101, charges, and moves bytes in both directions until the end.
    pub(super) async fn switch(
        mut self,
        context: &mut RequestContext<'_>,
        switched: ResponseHead,
        mut owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        let bytes = self.upstream.input.filled();
        // Fail closed: the two sides would speak a protocol that the client did not request.
        if !context.upgrade.is_some_and(|protocol| answer::switches_to(protocol, &switched, bytes)) {
            return Err(Refusal::unexpected(
                "the upstream switched to a protocol that was not requested",
                "The upstream answered 101 without the requested protocol in Upgrade.",
            ));
        }
        if let (Some(owed), Some(name)) = (&mut owed, cost_header)
            && let Some(cost) = answer::reported_cost(&switched, bytes, name)
        {
            owed.lower_to(cost);
        }
        let mut head = std::mem::take(&mut self.request);
        head.clear();
        answer::write_head(self.thread, context, &switched, bytes, cost_header, true, &mut head);
        self.upstream.input.consume(switched.length);
        self.thread.give_response_fields_back(switched.fields);

        self.client.response_begun = true;
        let mut payment = Payment::new(self.thread, owed, context.now.seconds());
        let stall = context.timeouts().stall;
        // From here on it may last for as long as both sides want.
        self.client.deadline.bound(None);
        let is_sent = self.client.write_switch(&head, &mut payment, stall).await.is_ok();
        // As with every response: a client that hangs up on a success is charged.
        let (charged, _places) = payment.settle_and_stay();
        self.thread.give_head_memory(head);
        if is_sent {
            // A tunnel may last for hours, so it holds no unneeded memory.
            buffer::give_back(context.head.shrink());
            self.client.input.rest();
            if run(self.thread, context, self.client, &mut self.upstream).await == End::Broken {
                self.client.cut();
                self.upstream.io.reset();
            }
        }
        Ok(Outcome { status: 101, code: None, cause: None, charged, keep_alive: false })
    }
}

/// Moves bytes until the end.
async fn run(
    thread: &Thread,
    context: &RequestContext<'_>,
    client: &mut Client,
    upstream: &mut Upstream,
) -> End {
    let silence = context.timeouts().stream;
    let (mut up, mut down) = (Lane::default(), Lane::default());
    let mut drain = pin!(thread.drain_begun.notified());
    // From here on the start of the drain is not missed.
    drain.as_mut().enable();
    let mut drain = Some(drain);
    // The total timeout ended with the 101.
    client.deadline.bound(None);
    client.deadline.set(Instant::now(), silence);
    let end = poll_fn(|cx| {
        if drain.as_mut().is_some_and(|begun| has_begun(thread, begun.as_mut(), cx)) {
            drain = None;
        }
        if is_revoked(context) {
            return Poll::Ready(End::Closed);
        }
        let Client { io, input, .. } = &mut *client;
        let polled_up = up.poll(cx, io, input, &mut upstream.io);
        let polled_down = down.poll(cx, &mut upstream.io, &mut upstream.input, io);
        match (polled_up, polled_down) {
            (Poll::Ready(Err(_)), _) | (_, Poll::Ready(Err(_))) => return Poll::Ready(End::Broken),
            (Poll::Ready(Ok(())), Poll::Ready(Ok(()))) => return Poll::Ready(End::Finished),
            (Poll::Pending, _) | (_, Poll::Pending) => {}
        }
        // Both are called, so that neither keeps its flag.
        if up.take_progress() | down.take_progress() {
            client.deadline.set(Instant::now(), silence);
        }
        if let (None, Some(cut)) = (&drain, thread.drain_end.get()) {
            client.deadline.hasten(cut.checked_sub(BEFORE_THE_CUT).unwrap_or(cut));
        }
        client.deadline.poll_passed(cx).map(|()| End::Closed)
    })
    .await;
    client.tunnelled = up.moved;
    client.sent = client.sent.saturating_add(down.moved);
    end
}

fn has_begun(thread: &Thread, begun: Pin<&mut Notified<'_>>, cx: &mut Context<'_>) -> bool {
    thread.is_draining.get() || begun.poll(cx).is_ready()
}

/// Whether the key was revoked meanwhile: then no further byte passes.
fn is_revoked(context: &RequestContext<'_>) -> bool {
    context.key.as_ref().is_some_and(|key| !key.is_valid(context.shared.clock.now_millis() / 1000))
}

impl Lane {
    /// Moves what can be moved. Ready once the source has ended and the sink was shut down.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl Readable + AsyncRead + Unpin),
        input: &mut Buffer,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        loop {
            if self.is_shut {
                return Poll::Ready(Ok(()));
            }
            if !input.is_empty() {
                match ready!(Pin::new(&mut *sink).poll_write(cx, input.filled()))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    count => {
                        input.consume(count);
                        self.moved = self.moved.saturating_add(count as u64);
                        self.has_moved = true;
                    }
                }
            } else if self.has_ended {
                ready!(Pin::new(&mut *sink).poll_shutdown(cx))?;
                self.is_shut = true;
                self.has_moved = true;
            } else {
                // Memory to read into is held only while there is something to read.
                if source.poll_readable(cx)?.is_pending() {
                    input.rest();
                    return Poll::Pending;
                }
                match input.poll_fill(cx, source)? {
                    Poll::Ready(0) => {
                        self.has_ended = true;
                        input.rest();
                    }
                    Poll::Ready(_) => self.has_moved = true,
                    Poll::Pending => {
                        input.rest();
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    const fn take_progress(&mut self) -> bool {
        std::mem::replace(&mut self.has_moved, false)
    }
}
