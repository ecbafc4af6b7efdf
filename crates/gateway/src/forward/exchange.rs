//! One request on an upstream connection, until the head of its response is complete. `deliver`
//! does the rest.

use super::{
    Sending,
    answer::{is_named, links},
    pump::{Pump, PumpFault, Side},
};
use crate::{
    client::{self, Client},
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    state::{buffered::Share, thread::Thread},
};
use contract::grpc;
use http1::{
    body::{Decoder, Framing},
    field::{self, Field, RequestField, ResponseField},
    response::ResponseHead,
};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::AsyncWrite;
use transport::{Fill, turn};
use upstream::{Unprocessed, Upstream};

/// Maximum number of 1xx responses passed on before the final one.
const MAX_INTERIMS: u32 = 100;

/// One request on one upstream connection.
pub(super) struct Exchange<'c> {
    pub(super) thread: &'c Thread,
    pub(super) client: &'c mut Client,
    pub(super) upstream: Upstream,
    pub(super) request: Vec<u8>,
    written: usize,
    /// A 1xx response arrived, whether or not it was passed on.
    pub(super) has_interim: bool,
    pub(super) upload: Option<Pump>,
    /// Some of the request's body was moved since the last check.
    upload_moved: bool,
    /// The body of the request, after it was sent or given up.
    sent: Option<Decoder>,
    /// The upstream has a part of the request and will never get the rest.
    is_cut: bool,
    /// The memory share of a buffered body, while some of it is still to be sent.
    pub(super) share: Option<Share>,
    fields: Vec<Field<ResponseField>>,
}

/// Why there is no response.
pub(super) enum NotAnswered {
    /// The connection was closed before it took the request.
    NotTaken,
    /// The upstream reported that it did not process the request.
    Unprocessed(Unprocessed),
    Refused(Refused),
}

impl From<Refused> for NotAnswered {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl<'c> Exchange<'c> {
    pub(super) fn new(
        thread: &'c Thread,
        client: &'c mut Client,
        upstream: Upstream,
        request: Vec<u8>,
        sending: Sending,
    ) -> Self {
        let upload = match sending {
            Sending::Whole => None,
            Sending::Stream(pump) => Some(pump),
        };
        Self {
            thread,
            client,
            upstream,
            request,
            written: 0,
            has_interim: false,
            upload,
            upload_moved: false,
            sent: None,
            is_cut: false,
            share: None,
            fields: thread.response_fields(),
        }
    }

    /// The bytes that begin with the response's head.
    pub(super) fn response_bytes(&self) -> &[u8] {
        self.upstream.input.filled()
    }

    /// Puts the rest of the request's body back to where it came from.
    pub(super) fn give_body_back(&mut self, incoming: &mut Decoder) {
        if let Some(rest) = self.upload.take().map(|pump| pump.into_parts().0).or_else(|| self.sent.take()) {
            *incoming = rest;
        }
    }

    /// Part of the request was handed to the kernel.
    pub(super) const fn has_sent(&self) -> bool {
        self.written > 0
    }

    /// The upstream has the complete request: the next bytes written are the next request.
    pub(super) fn has_sent_all(&self) -> bool {
        self.upload.is_none() && !self.has_unsent() && !self.is_cut
    }

    /// Part of the request is available and was not handed to the kernel.
    pub(super) const fn has_unsent(&self) -> bool {
        self.written < self.request.len()
    }

    /// The client has not sent all of the request's body, or it was not all read.
    pub(super) fn has_unread(&self) -> bool {
        self.upload.is_some() || self.sent.as_ref().is_some_and(|body| !body.is_complete())
    }

    /// Everything taken from the client of the request's body is still available.
    pub(super) fn has_whole_body(&self) -> bool {
        self.upload.as_ref().map_or(0, Pump::received) == 0
            && self.sent.as_ref().map_or(0, Decoder::taken) == 0
    }

    // === until the response's head ===

    /// Sends the request and reads until the head of the final response is complete.
    pub(super) async fn read_answer(
        &mut self,
        context: &RequestContext<'_>,
        cost_header: Option<&str>,
        is_safe: bool,
    ) -> Result<ResponseHead, NotAnswered> {
        let timeouts = context.timeouts();
        let allowance =
            if self.upload.is_some() { context.config.settings.timeouts.body } else { timeouts.first_byte };
        if self.upload.is_some() {
            // The upstream's timeout begins when the whole body was sent, or when it responds before that.
            self.client.deadline.bound(None);
        }
        // It starts now, whatever was waited for before: a body to check, a place among the
        // requests, a connection.
        self.client.deadline.set(turn::now(), allowance);
        let mut is_first_look = true;
        let mut interims = 0;
        loop {
            // A final response may have arrived together with the 1xx: then there is nothing to wait for.
            if self.upstream.input.is_empty() || !is_first_look {
                let may_repeat = is_safe && self.upload.is_none() && self.sent.is_none();
                poll_fn(|cx| self.poll_head_bytes(cx, context, may_repeat)).await?;
            }
            is_first_look = false;
            let fields = std::mem::take(&mut self.fields);
            let to_head = context.head.method() == "HEAD";
            let read = ResponseHead::read(self.upstream.input.filled(), to_head, fields);
            match read.map_err(garbled)? {
                None => self.fields = self.thread.response_fields(),
                Some(head) if (100..200).contains(&head.status) && head.status != 101 => {
                    // A client that sends no body does not need permission to send one.
                    let is_needless = head.status == 100 && context.head.framing == Framing::Length(0);
                    if context.head.is_http11 && !is_needless {
                        let interim =
                            self.upstream.input.filled().get(..head.length).unwrap_or_default().to_vec();
                        let _ = self
                            .client
                            .write(&interim_head(context, &interim, &head, cost_header), timeouts.stall)
                            .await;
                    }
                    interims += 1;
                    self.has_interim = true;
                    if interims > MAX_INTERIMS {
                        return Err(unexpected(
                            "the upstream never sends a final response",
                            "endless 1xx responses",
                        ));
                    }
                    self.upstream.input.consume(head.length);
                    is_first_look = true;
                    self.fields = head.fields;
                    self.client.deadline.set(turn::now(), timeouts.first_byte);
                }
                Some(mut head) => {
                    if self.upload.is_some() {
                        self.bound_total(context);
                    }
                    head.is_http2 = self.upstream.io.is_stream();
                    return Ok(head);
                }
            }
        }
    }

    /// Ready once more of the response was read.
    fn poll_head_bytes(
        &mut self,
        cx: &mut Context<'_>,
        context: &RequestContext<'_>,
        may_repeat: bool,
    ) -> Poll<Result<(), NotAnswered>> {
        if self.write_request(cx).is_err() {
            if self.written == 0 && self.upstream.is_reused {
                return Poll::Ready(Err(NotAnswered::NotTaken));
            }
            // An upstream may respond and close without reading everything; its response is still to be read.
            self.give_up_the_rest();
        }
        let uploaded = self.poll_upload(cx);
        self.put_deadline_off(context, uploaded.is_some());
        if let Some(Err(not_answered)) = uploaded {
            return Poll::Ready(Err(not_answered));
        }
        match self.upstream.input.poll_fill(cx, &mut self.upstream.io) {
            Poll::Ready(Ok(1..)) => Poll::Ready(Ok(())),
            Poll::Ready(Ok(0)) => Poll::Ready(Err(
                self.closed(may_repeat, "the upstream closed the connection without a response")
            )),
            Poll::Ready(Err(error)) => {
                let is_first = self.upstream.input.is_empty();
                let detail = format!("reading the response failed: {error}");
                Poll::Ready(Err(if is_first {
                    self.closed(may_repeat, &detail)
                } else {
                    unexpected("the upstream's response was cut off", detail)
                }))
            }
            Poll::Pending => self.poll_silence(cx),
        }
    }

    /// Hands as much to the kernel as it takes now.
    fn write_request(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while let Some(rest) = self.request.get(self.written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.upstream.io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Nothing more of the request is sent.
    const fn give_up_the_rest(&mut self) {
        self.written = self.request.len();
        self.is_cut = true;
    }

    /// Sends the rest of a request that already got its response. True: the upstream took some of it.
    pub(super) fn poll_rest(&mut self, cx: &mut Context<'_>) -> bool {
        let before = self.written;
        let is_refused = self.write_request(cx).is_err();
        let has_sent = self.written > before;
        if is_refused {
            self.give_up_the_rest();
        }
        if (has_sent || is_refused) && !self.has_unsent() {
            (self.request, self.share) = (Vec::new(), None);
        }
        // The client may break its own request during the response: the response still counts.
        let _ = self.poll_upload(cx);
        has_sent
    }

    /// Extends the deadline while the request's body moves, and when it is complete.
    fn put_deadline_off(&mut self, context: &RequestContext<'_>, has_ended: bool) {
        let (now, timeouts) = (turn::now(), context.timeouts());
        let received = self.upload.as_ref().map_or(0, Pump::received);
        let allowance = match self.upload.as_ref().map(Pump::waits_for) {
            _ if !std::mem::take(&mut self.upload_moved) => return,
            // A gRPC call may stay open for as long as both sides like, whichever has to send next.
            Some(Side::Source) if context.key.is_some() && is_grpc(context) => timeouts.stream,
            Some(Side::Source) => self.client.pace.allowance(now, received, context.body_demand()),
            Some(Side::Sink) => {
                self.client.pace.pause(now);
                timeouts.stall
            }
            None if has_ended => {
                self.bound_total(context);
                timeouts.first_byte
            }
            None => return,
        };
        self.client.deadline.set(now, allowance);
    }

    /// From now on the upstream has its full timeout.
    fn bound_total(&mut self, context: &RequestContext<'_>) {
        self.client.deadline.bound(context.timeouts().total.map(|total| turn::now() + total));
    }

    /// Moves the request's body. Some: it is complete, or cannot be sent.
    fn poll_upload(&mut self, cx: &mut Context<'_>) -> Option<Result<(), NotAnswered>> {
        let pump = self.upload.as_mut()?;
        let polled = pump.poll(cx, &mut self.client.io, &mut self.client.input, &mut self.upstream.io);
        self.upload_moved |= pump.take_progress();
        match polled {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => {
                self.upload_moved = true;
                self.sent = self.upload.take().map(|pump| pump.into_parts().0);
                Some(Ok(()))
            }
            Poll::Ready(Err(fault)) => {
                self.is_cut = true;
                // A stream that was opened counts as processed, unless the upstream reports otherwise.
                let untouched = pump.is_untouched() && !(self.upstream.io.is_stream() && pump.sent() > 0);
                let most = pump.largest();
                self.sent = self.upload.take().map(|pump| pump.into_parts().0);
                match fault {
                    PumpFault::Sink(_) if untouched && self.upstream.is_reused => {
                        Some(Err(NotAnswered::NotTaken))
                    }
                    // As above: there may be a response that was sent before the body was read.
                    PumpFault::Sink(_) => None,
                    PumpFault::Cut | PumpFault::Source(_) => Some(Err(client::body_cut().into())),
                    PumpFault::Framing(fault) => Some(Err(Refusal::of_fault(fault).into())),
                    PumpFault::TooLarge => Some(Err(Refusal::body_too_large(most).into())),
                }
            }
        }
    }

    /// Nothing to read: checks whether the upstream, or the client that is still sending, was
    /// silent for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NotAnswered>> {
        match (self.client.deadline.poll_passed(cx), &self.upload) {
            (Poll::Pending, _) => Poll::Pending,
            (Poll::Ready(()), Some(pump)) if pump.waits_for() == Side::Source => {
                Poll::Ready(Err(client::body_too_slow().into()))
            }
            (Poll::Ready(()), _) => Poll::Ready(Err(unexpected(
                "the upstream did not respond in time",
                "no response came within the allowed time",
            ))),
        }
    }

    /// The connection was closed before the first byte of a final response. After a 1xx the upstream has the request, and the
    /// client would get a second 1xx if it were sent again.
    fn closed(&self, may_repeat: bool, detail: &str) -> NotAnswered {
        let is_silent = self.upstream.input.is_empty() && !self.has_interim;
        if let (true, Some(why)) = (is_silent, self.upstream.io.unprocessed()) {
            NotAnswered::Unprocessed(why)
        } else if is_silent && self.upstream.is_reused && may_repeat && !self.upstream.io.is_reset() {
            NotAnswered::NotTaken
        } else if self.upstream.input.is_empty() {
            unexpected("the upstream closed the connection without a response", detail)
        } else {
            unexpected("the upstream's response was cut off", format!("{detail}, within its headers"))
        }
    }
}

fn is_grpc(context: &RequestContext<'_>) -> bool {
    context.head.value(RequestField::ContentType).is_some_and(grpc::is_grpc)
}

/// The head of a 1xx response without the fields of the upstream's connection.
fn interim_head(
    context: &RequestContext<'_>,
    bytes: &[u8],
    head: &ResponseHead,
    cost_header: Option<&str>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    crate::respond::start(head.status, head.reason.get(bytes), &mut out);
    for passed in head.fields.iter().filter(|field| field.kind == ResponseField::EndToEnd) {
        let name = passed.name.get(bytes);
        let value = passed.value.get(bytes);
        if name.eq_ignore_ascii_case(b"link") {
            field::write(name, &links(context, value), &mut out);
        } else if !is_named(name, cost_header) {
            // The cost is for the gateway only.
            field::write(name, value, &mut out);
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn garbled(reason: &'static str) -> NotAnswered {
    unexpected("the upstream's response is malformed", reason)
}

fn unexpected(group: &'static str, detail: impl Into<String>) -> NotAnswered {
    NotAnswered::Refused(Refusal::unexpected(group, detail))
}
