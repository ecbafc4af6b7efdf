//! A client's connection: reading heads and bodies, and closing it so that the last response arrives.

pub(crate) mod compression;

use crate::{
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    io::{Io, pace::Pace},
    settings::ClientTimeouts,
    settle::payment::Payment,
    state::{buffered::BufferedBody, thread::Thread},
};
use buffer::Buffer;
use contract::ErrorCode;
use http1::{
    Fault,
    body::{Decoder, Step},
    scan::HeadScanner,
};
use std::{
    cell::Cell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{io::AsyncWrite, time::Instant};
use transport::{Deadline, Fill, Readable, turn};

/// How much of an unneeded body is read to keep the connection.
const WORTH_DISCARDING: u64 = 64 * 1024;
/// How long a closing connection is read without a byte arriving, so that a reset does not destroy
/// the response.
const LINGER: Duration = Duration::from_secs(2);
/// How long it is read in total if the client goes on sending.
const MAX_LINGER: Duration = Duration::from_secs(30);
/// The same beyond [`MAX_LINGERING`] connections, and while the thread drains.
const SHORT_LINGER: Duration = Duration::from_secs(1);
/// How many connections of a thread may linger for long at the same time, which bounds their cost.
const MAX_LINGERING: usize = 256;

/// A client's connection.
pub(crate) struct Client {
    pub(crate) io: Io,
    pub(crate) input: Buffer,
    pub(crate) deadline: Deadline,
    /// Bytes of the current response were sent: it can no longer be replaced.
    pub(crate) response_begun: bool,
    /// Bytes of the current response sent so far.
    pub(crate) sent: u64,
    /// Bytes received through a tunnel.
    pub(crate) tunnelled: u64,
    sent_continue: bool,
    /// How fast the body of the current request arrives.
    pub(crate) pace: Pace,
    is_cut: bool,
}

/// A connection among those of a thread that may linger for long.
struct Lingering<'t>(&'t Cell<usize>);

/// What arrived next on a connection.
pub(crate) enum Next {
    /// A head of this length is at the front of the buffer.
    Head(usize),
    /// Invalid bytes instead of a head.
    Refused(Fault),
    /// The client closed the connection, or it broke.
    Closed,
}

impl Client {
    pub(crate) fn new(io: Io, timeouts: &ClientTimeouts) -> Self {
        let deadline = Deadline::after(turn::now(), timeouts.keep_alive);
        Self {
            io,
            input: Buffer::default(),
            deadline,
            response_begun: false,
            sent: 0,
            tunnelled: 0,
            sent_continue: false,
            pace: Pace::default(),
            is_cut: false,
        }
    }

    /// Waits until the next request begins. False: there is none.
    pub(crate) async fn wait(&mut self, keep_alive: Duration) -> bool {
        if !self.input.is_empty() {
            return true;
        }
        self.input.rest();
        self.deadline.set(turn::now(), keep_alive);
        poll_fn(|cx| {
            // A readiness event can be spurious, so only bytes count. Memory for them is held only during
            // the read.
            if self.io.poll_readable(cx).is_ready() {
                match self.input.poll_fill(cx, &mut self.io) {
                    Poll::Ready(result) => return Poll::Ready(matches!(result, Ok(1..))),
                    Poll::Pending => self.input.rest(),
                }
            }
            self.deadline.poll_passed(cx).map(|()| false)
        })
        .await
    }

    /// Reads until a head is complete.
    pub(crate) async fn next_head(&mut self, timeouts: &ClientTimeouts, largest: usize) -> Next {
        self.response_begun = false;
        self.sent = 0;
        self.tunnelled = 0;
        self.sent_continue = false;
        self.pace = Pace::default();
        let mut scanner = HeadScanner::default();
        let (mut is_timed, mut may_be_empty) = (false, true);
        loop {
            // RFC 9112 section 2.2: one empty line before a request is ignored. A second one is an error.
            if may_be_empty && self.input.filled().starts_with(b"\r\n") && scanner.is_untouched() {
                self.input.consume(2);
                may_be_empty = false;
            }
            if self.input.filled() != b"\r" || !may_be_empty || !scanner.is_untouched() {
                match scanner.scan(self.input.filled()) {
                    Ok(Some(length)) if length <= largest => return Next::Head(length),
                    Ok(None) if self.input.len() < largest => {}
                    Ok(Some(_) | None) => {
                        return Next::Refused(Fault::new(
                            ErrorCode::HeadersTooLarge,
                            "The request line and headers together are larger than this API accepts.",
                        ));
                    }
                    Err(fault) => return Next::Refused(fault),
                }
            }
            if !is_timed && !self.input.is_empty() {
                self.deadline.set(turn::now(), timeouts.head);
                is_timed = true;
            }
            match self.input.fill(&mut self.io, &mut self.deadline).await {
                Some(Ok(0)) if self.input.is_empty() => return Next::Closed,
                Some(Ok(0)) => {
                    return Next::Refused(Fault::malformed(
                        "The connection was closed before the request headers were complete.",
                    ));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) => return Next::Closed,
                None if self.input.is_empty() => return Next::Closed,
                None => {
                    return Next::Refused(Fault::new(
                        ErrorCode::RequestTimeout,
                        "The request headers did not arrive completely within the allowed time.",
                    ));
                }
            }
        }
    }

    /// Reads a body of at most `largest` bytes completely, to be checked.
    pub(crate) async fn read_body(
        &mut self,
        context: &RequestContext<'_>,
        incoming: &mut Decoder,
        largest: u64,
    ) -> Result<BufferedBody, Refused> {
        self.send_continue(context).await;
        let mut body = BufferedBody::default();
        let longest = usize::try_from(incoming.left().unwrap_or(largest).min(largest)).unwrap_or(usize::MAX);
        let most = context.config.settings.overload.buffered_bytes;
        loop {
            match incoming.next(&mut self.input) {
                Ok(Step::End) => return Ok(body),
                Ok(Step::Data(data)) if body.bytes().len() as u64 + data.len() as u64 > largest => {
                    return Err(Refusal::body_too_large(largest));
                }
                Ok(Step::Data(data)) if body.extend(data, longest, &context.shared.buffered, most) => {}
                Ok(Step::Data(_)) => {
                    let mut refused = Refusal::overloaded(context.shared.clock.now_millis());
                    refused.closes = true; // the rest is not read
                    return Err(refused);
                }
                Ok(Step::More) => self.fill_body(context, incoming.taken()).await?,
                Err(fault) => return Err(Refusal::of_fault(fault)),
            }
        }
    }

    async fn fill_body(&mut self, context: &RequestContext<'_>, received: u64) -> Result<(), Refused> {
        let now = Instant::now();
        let allowance = self.pace.allowance(now, received, context.body_demand());
        self.deadline.set(now, allowance);
        match self.input.fill(&mut self.io, &mut self.deadline).await {
            Some(Ok(1..)) => Ok(()),
            Some(Ok(0) | Err(_)) => Err(body_cut()),
            None => Err(body_too_slow()),
        }
    }

    /// Sends `100 Continue` to a client that waits for it, once.
    async fn send_continue(&mut self, context: &RequestContext<'_>) {
        if context.head.expects_continue && !self.sent_continue && self.input.is_empty() {
            self.sent_continue = true;
            // If the write fails, reading the body fails next, and that error is reported.
            let _ =
                self.write(b"HTTP/1.1 100 Continue\r\n\r\n", context.config.settings.timeouts.stall).await;
        }
    }

    /// Writes all of `bytes`. An error: the client is gone, or does not read.
    pub(crate) async fn write(&mut self, bytes: &[u8], timeout: Duration) -> std::io::Result<()> {
        let mut rest = bytes;
        let mut is_timed = false;
        poll_fn(|cx| {
            loop {
                if rest.is_empty() {
                    return Poll::Ready(Ok(()));
                }
                match Pin::new(&mut self.io).poll_write(cx, rest) {
                    Poll::Ready(Ok(0)) => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                    Poll::Ready(Ok(count)) => {
                        rest = rest.get(count..).unwrap_or_default();
                        self.sent = self.sent.saturating_add(count as u64);
                        is_timed = false;
                    }
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => {
                        if !std::mem::replace(&mut is_timed, true) {
                            self.deadline.set(turn::now(), timeout);
                        }
                        ready!(self.deadline.poll_passed(cx));
                        self.io.give_up_write();
                        return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
                    }
                }
            }
        })
        .await
    }

    /// Writes the head of a 101, which is charged with its last byte.
    pub(crate) async fn write_switch(
        &mut self,
        head: &[u8],
        payment: &mut Payment<'_>,
        timeout: Duration,
    ) -> std::io::Result<()> {
        let mut rest = head;
        self.deadline.set(turn::now(), timeout);
        poll_fn(|cx| {
            while !rest.is_empty() {
                let Poll::Ready(written) = payment.poll_write_charged(cx, &mut self.io, rest) else {
                    ready!(self.deadline.poll_passed(cx));
                    return Poll::Ready(Err(std::io::ErrorKind::TimedOut.into()));
                };
                match written? {
                    0 => return Poll::Ready(Err(std::io::ErrorKind::WriteZero.into())),
                    count => {
                        rest = rest.get(count..).unwrap_or_default();
                        self.sent = self.sent.saturating_add(count as u64);
                    }
                }
            }
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Whether the rest of an unneeded body is small enough to be read, so that the connection can
    /// be reused. A client that waits for `100 Continue` may never send it.
    pub(crate) fn can_discard(&self, context: &RequestContext<'_>, incoming: &Decoder) -> bool {
        let waits = context.head.expects_continue && !self.sent_continue && !incoming.is_complete();
        !waits && incoming.left().is_some_and(|left| left <= WORTH_DISCARDING)
    }

    /// Reads the rest of an unneeded body. False: the connection cannot be reused.
    pub(crate) async fn discard(&mut self, incoming: &mut Decoder, context: &RequestContext<'_>) -> bool {
        loop {
            match incoming.next(&mut self.input) {
                Ok(Step::End) => return true,
                Ok(Step::Data(_)) => {}
                Ok(Step::More) => {
                    if self.fill_body(context, incoming.taken()).await.is_err() {
                        return false;
                    }
                }
                Err(_) => return false,
            }
        }
    }

    /// Resets the connection if the client did not read in time: after an orderly close, the kernel
    /// would keep the unread data for minutes.
    pub(crate) fn cut_if_stalled(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::TimedOut {
            self.cut();
        }
    }

    /// Makes the connection end with a reset, so that the client does not take a truncated response
    /// for a complete one.
    pub(crate) fn cut(&mut self) {
        self.is_cut = true;
        self.io.reset();
    }

    /// Closes the connection: our side at once, the other once the client has read our response. If
    /// unread bytes were still arriving at a closed socket, the kernel would reset the connection
    /// and the response would be lost. So they are read, within bounds (RFC 9112 section 9.6).
    pub(crate) async fn close(self, thread: &Thread) {
        self.close_within(thread, Lingering::of(thread)).await;
    }

    /// The same for HTTP/2, where clients that upload have been asked to stop on each stream.
    pub(crate) async fn close_soon(self, thread: &Thread) {
        self.close_within(thread, None).await;
    }

    async fn close_within(mut self, thread: &Thread, counted: Option<Lingering<'_>>) {
        if self.is_cut {
            return; // an orderly close would hide the reset that follows
        }
        let begun = Instant::now();
        self.deadline = Deadline::after(begun, if counted.is_some() { LINGER } else { SHORT_LINGER });
        poll_fn(|cx| {
            let is_short = counted.is_none() || thread.is_draining.get();
            self.poll_close(cx, begun + if is_short { SHORT_LINGER } else { MAX_LINGER })
        })
        .await;
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, end: Instant) -> Poll<()> {
        if Pin::new(&mut self.io).poll_shutdown(cx).is_pending() {
            return self.deadline.poll_passed(cx);
        }
        loop {
            self.input.consume(usize::MAX);
            match self.input.poll_fill(cx, &mut self.io) {
                Poll::Ready(Ok(1..)) => {}
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Pending => return self.deadline.poll_passed(cx),
            }
            // A client that goes on sending must not occupy us forever.
            let now = Instant::now();
            if now >= end {
                return Poll::Ready(());
            }
            self.deadline.set(now, LINGER.min(end.saturating_duration_since(now)));
        }
    }
}

impl<'t> Lingering<'t> {
    /// None: the maximum was reached.
    fn of(thread: &'t Thread) -> Option<Self> {
        let count = &thread.lingering;
        (count.get() < MAX_LINGERING).then(|| {
            count.set(count.get() + 1);
            Self(count)
        })
    }
}

impl Drop for Lingering<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

/// The client closed its side in the middle of a body.
pub(crate) fn body_cut() -> Refused {
    Refusal::of_fault(Fault::malformed("The connection was closed before the request body was complete."))
}

/// The client stopped sending in the middle of a body.
pub(crate) fn body_too_slow() -> Refused {
    Refusal::of_fault(Fault::new(
        ErrorCode::RequestTimeout,
        "The request body did not arrive completely within the allowed time.",
    ))
}
