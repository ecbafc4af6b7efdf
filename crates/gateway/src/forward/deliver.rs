//! The response to the client: a success is streamed and settled, an error becomes a refusal.

use super::{
    BROKE_OFF, answer, decode,
    exchange::Exchange,
    keep_incident,
    pump::{Charged, Pump, PumpFault, Side},
    rpc::{Judge, Protocol},
};
use crate::{
    client::compression::{self, Compressor},
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    policies::guard,
    record::Outcome,
    settings::Timeouts,
    settle::{
        access_log,
        payment::{Owed, Payment},
    },
};
use contract::{
    ErrorCode,
    upstream::{Disposition, disposition},
};
use http1::{
    body::{Decoder, Framing, Step},
    field::{Field, RequestField, ResponseField},
    response::{Coding, ResponseHead},
};
use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};
use transport::{Fill, turn};

/// How long to wait for a short response before its head is sent, so that an upstream that breaks
/// off meanwhile still becomes a proper error.
const HOLD: Duration = Duration::from_millis(100);
/// Bytes of an error's body that are read for its message.
const MAX_ERROR_SIZE: usize = 64 * 1024;
/// The incident group of remote procedure calls that got a plain HTTP response.
const NOT_RPC: &str = "the upstream's response does not use the protocol of the call";
/// How long to wait for an error's body.
const ERROR_BODY: Duration = Duration::from_secs(2);

impl Exchange<'_> {
    /// Passes the response on, or turns it into a refusal, and settles.
    pub(super) async fn pass_on(
        mut self,
        context: &mut RequestContext<'_>,
        answer: ResponseHead,
        incoming: &mut Decoder,
        mut owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        if answer.status == 101 && context.upgrade.is_some() {
            self.give_body_back(incoming);
            return self.switch(context, answer, owed, cost_header).await;
        }
        match disposition(answer.status, &context.config.settings.extra_codes) {
            Disposition::Replace(code) => {
                drop(owed); // released before the response states what remains
                let thread = self.thread;
                let (bytes, has_body) = self.take_error(&answer, incoming).await;
                let (head, body) = bytes.split_at_checked(answer.length).unwrap_or_default();
                let text = Some(body).filter(|_| has_body);
                let text = text.and_then(|body| decode::decoded(&answer, head, body));
                let refused = answer::replace(context, code, &answer, head, text.as_deref());
                thread.give_head_memory(bytes);
                thread.give_response_fields_back(answer.fields);
                Err(refused)
            }
            Disposition::Pass => {
                let call = context.head.value(RequestField::ContentType).and_then(Protocol::of);
                if let Some(call) = call
                    && let Some(detail) = not_understood(call, &answer, self.upstream.input.filled())
                {
                    drop(owed);
                    let thread = self.thread;
                    let (bytes, _) = self.take_error(&answer, incoming).await;
                    thread.give_head_memory(bytes);
                    return Err(Refusal::unexpected(NOT_RPC, detail));
                }
                if let (Some(owed), Some(name)) = (&mut owed, cost_header)
                    && let Some(cost) = answer::reported_cost(&answer, self.upstream.input.filled(), name)
                {
                    owed.lower_to(cost); // before the response states what remains
                }
                let (nature, judge) = nature(call, &answer, self.upstream.input.filled());
                if judge.as_ref().and_then(Judge::error).is_some() {
                    owed = None; // an error in a 200: released, as above
                }
                self.stream(context, answer, (nature, judge), incoming, owed, cost_header).await
            }
        }
    }

    /// Reads a response that is not passed on: its head, followed by its body. False: the body is
    /// incomplete, because it is large or slow.
    async fn take_error(mut self, answer: &ResponseHead, incoming: &mut Decoder) -> (Vec<u8>, bool) {
        let has_sent_all = self.has_sent_all();
        let mut bytes = self.head_memory();
        bytes.extend_from_slice(self.upstream.input.take(answer.length));
        let has_body = self.read_error(answer.framing, &mut bytes).await;
        let is_done = answer.keep_alive && has_body && has_sent_all;
        self.give_body_back(incoming);
        if is_done {
            self.thread.pool.put(self.upstream, turn::now());
        }
        (bytes, has_body)
    }

    /// Appends the body of an error. False: it is too large or too slow.
    async fn read_error(&mut self, framing: Framing, out: &mut Vec<u8>) -> bool {
        let mut decoder = Decoder::new(framing);
        let largest = out.len() + MAX_ERROR_SIZE;
        self.client.deadline.set(turn::now(), ERROR_BODY);
        loop {
            match decoder.next(&mut self.upstream.input) {
                Ok(Step::End) => return true,
                Ok(Step::Data(data)) if out.len() + data.len() <= largest => out.extend_from_slice(data),
                Ok(Step::Data(_)) | Err(_) => return false,
                Ok(Step::More) => {
                    let filled =
                        self.upstream.input.fill(&mut self.upstream.io, &mut self.client.deadline).await;
                    match filled.and_then(Result::ok) {
                        Some(1..) => {}
                        Some(0) if decoder.ends_with_stream() => return true,
                        Some(0) | None => return false,
                    }
                }
            }
        }
    }

    /// Streams a success to the client.
    async fn stream(
        mut self,
        context: &RequestContext<'_>,
        mut answer: ResponseHead,
        (nature, judge): (Nature, Option<Judge>),
        incoming: &mut Decoder,
        owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        answer.coding = compression::of_response(context, &answer, self.upstream.input.filled());
        if let Err(refused) = self.hold_short(&answer).await {
            self.give_body_back(incoming);
            return Err(refused);
        }
        let framing = answer::framing(context, &answer);
        // An unfinished upload ends with the response; its unread rest makes the connection close.
        let keep_alive = context.head.keep_alive
            && !self.thread.is_draining.get()
            && framing != Framing::UntilClose
            && !self.has_unread();
        let mut head = self.head_memory();
        let bytes = self.upstream.input.filled();
        answer::write_head(self.thread, context, &answer, bytes, cost_header, keep_alive, &mut head);
        self.upstream.input.consume(answer.length);
        self.client.response_begun = true;
        let mut download =
            Pump::new(head, Decoder::of_response(answer.framing, cost_header), framing, u64::MAX);
        if answer.coding == Coding::Gzip && answer.framing != Framing::Length(0) {
            download.compress(Compressor::new());
        }
        if let Some(judge) = judge {
            download = download.judged_by(judge);
        }
        let timeouts = context.timeouts();
        self.client.deadline.set(turn::now(), timeouts.stall);
        let mut payment = Payment::new(self.thread, owed, context.now.seconds());
        let streamed =
            poll_fn(|cx| self.poll_stream(cx, timeouts, nature, &mut download, &mut payment)).await;
        let is_unsent = download.sent() == 0;
        self.client.sent = self.client.sent.saturating_add(download.sent());
        let (has_sent_all, has_unread) = (self.has_sent_all(), self.has_unread());
        self.give_body_back(incoming);

        let status = answer.status;
        // A call that broke off, or whose client left, may have reported an error before.
        let code = download.error();
        let mut cause = None;
        if let Some(code) = code {
            payment.waive();
            cause = note_refusal(context, code);
        }
        let code = code.map(|code| code.name().into());
        let outcome = |charged, keep_alive| Outcome { status, code, cause, charged, keep_alive };
        match streamed {
            Ok(()) => {
                let charged = payment.settle(context);
                self.thread.give_response_fields_back(answer.fields);
                self.thread.give_head_memory(download.into_parts().1);
                if answer.keep_alive && has_sent_all {
                    self.thread.pool.put(self.upstream, turn::now());
                }
                Ok(outcome(charged, keep_alive && incoming.is_complete() && !has_unread))
            }
            Err(fault) if self.is_delivered(nature, &fault) => Ok(outcome(payment.settle(context), false)),
            // Nothing was sent, not even the head: the client gets the usual error for a broken response.
            Err(fault) if is_unsent => {
                drop(payment);
                self.client.response_begun = false;
                Err(broke_off(&broke(&fault)))
            }
            // The upstream broke off in the middle of its response: it was not delivered, so
            // nothing is charged. The client's connection ends without the end of the body, so that
            // nobody takes the truncated response for a complete one.
            Err(fault) => {
                drop(payment);
                if framing == Framing::UntilClose {
                    self.client.cut();
                }
                Ok(broken(context, status, &fault))
            }
        }
    }

    /// Whether a response that did not complete counts as delivered nevertheless.
    fn is_delivered(&mut self, nature: Nature, fault: &PumpFault) -> bool {
        match fault {
            // The client hung up on a success: it is charged.
            PumpFault::Sink(error) => {
                self.client.cut_if_stalled(error);
                true
            }
            // A stream that reached its `total` timeout is charged too: neither the upstream ended
            // it nor its silence. Timeouts of the kernel have an error number.
            PumpFault::Source(error) => {
                nature.may_be_silent()
                    && error.kind() == io::ErrorKind::TimedOut
                    && error.raw_os_error().is_none()
                    && self.client.deadline.is_last()
            }
            PumpFault::Cut | PumpFault::Framing(_) | PumpFault::TooLarge => false,
        }
    }

    /// Memory for the head of the response: that of the request, unless it holds body data, or some
    /// of it is still to be sent. The response may take forever.
    fn head_memory(&mut self) -> Vec<u8> {
        if self.has_unsent() {
            return self.thread.head_memory();
        }
        let mut head = std::mem::take(&mut self.request);
        head.clear();
        if head.capacity() > MAX_ERROR_SIZE { self.thread.head_memory() } else { head }
    }

    /// Waits briefly for the rest of a short response of known length.
    async fn hold_short(&mut self, answer: &ResponseHead) -> Result<(), Refused> {
        let Framing::Length(length) = answer.framing else { return Ok(()) };
        // Checked first, because an upstream may send any length.
        if length > buffer::SIZE as u64 {
            return Ok(());
        }
        let whole = answer.length as u64 + length;
        if self.upstream.input.len() as u64 >= whole {
            return Ok(());
        }
        self.client.deadline.set(turn::now(), HOLD);
        while (self.upstream.input.len() as u64) < whole {
            match self.upstream.input.fill(&mut self.upstream.io, &mut self.client.deadline).await {
                Some(Ok(1..)) => {}
                Some(Ok(0)) => return Err(broke_off("the connection was closed in the middle of the body")),
                Some(Err(error)) => return Err(broke_off(&format!("reading the body failed: {error}"))),
                None => return Ok(()), // slow: stream it
            }
        }
        Ok(())
    }

    /// Moves the response's body, and the rest of the request's.
    fn poll_stream(
        &mut self,
        cx: &mut Context<'_>,
        timeouts: &Timeouts,
        nature: Nature,
        download: &mut Pump,
        payment: &mut Payment<'_>,
    ) -> Poll<Result<(), PumpFault>> {
        let has_sent = self.poll_rest(cx);
        let (source, input) = (&mut self.upstream.io, &mut self.upstream.input);
        let polled = download.poll(cx, source, input, &mut Charged { io: &mut self.client.io, payment });
        if polled.is_ready() {
            return polled;
        }
        // Nothing is written to the client while the upstream is silent, so a lost client could
        // remain unnoticed for an hour and occupy a place among the requests in flight.
        let is_waiting = download.waits_for() == Side::Source && self.upload.is_none();
        if nature.may_be_silent() && is_waiting && self.client.io.poll_hung_up(cx).is_ready() {
            return Poll::Ready(Err(PumpFault::Sink(io::ErrorKind::ConnectionReset.into())));
        }
        if download.take_progress() | has_sent {
            let patience = match (nature, download.waits_for()) {
                (nature, Side::Source) if nature.may_be_silent() => timeouts.stream,
                (_, Side::Source | Side::Sink) => timeouts.stall,
            };
            self.client.deadline.set(turn::now(), patience);
        }
        self.client.deadline.poll_passed(cx).map(|()| {
            Err(match download.waits_for() {
                Side::Source => PumpFault::Source(io::ErrorKind::TimedOut.into()),
                Side::Sink => PumpFault::Sink(io::ErrorKind::TimedOut.into()),
            })
        })
    }
}

/// The kind of a successful response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Plain,
    /// Server-sent events: may be silent for long.
    Events,
    /// The response to a remote procedure call: may be silent for long.
    Call,
}

impl Nature {
    /// Whether it may be silent for long.
    const fn may_be_silent(self) -> bool {
        match self {
            Self::Events | Self::Call => true,
            Self::Plain => false,
        }
    }
}

/// The kind of this response, and the reader that determines whether it is a success. `call`: the
/// protocol of the request.
fn nature(call: Option<Protocol>, answer: &ResponseHead, bytes: &[u8]) -> (Nature, Option<Judge>) {
    let Some(media_type) = media_type(answer, bytes) else { return (Nature::Plain, None) };
    if media_type.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream")) {
        return (Nature::Events, None);
    }
    let Some(protocol) = Protocol::of(media_type) else { return (Nature::Plain, None) };
    (Nature::Call, Some(Judge::new(protocol.read_as(call), answer, bytes)))
}

/// Why the client of this call cannot understand the response. None: it can.
fn not_understood(call: Protocol, answer: &ResponseHead, bytes: &[u8]) -> Option<String> {
    let media_type = media_type(answer, bytes);
    if answer.status == 200 && call.understands(media_type.and_then(Protocol::of)) {
        return None;
    }
    let media_type = media_type.map_or("no Content-Type".into(), String::from_utf8_lossy);
    Some(format!("The upstream answered a call of {} with {} and {media_type}.", call.name(), answer.status))
}

fn media_type<'b>(answer: &ResponseHead, bytes: &'b [u8]) -> Option<&'b [u8]> {
    let is = |field: &&Field<ResponseField>| field.name.get(bytes).eq_ignore_ascii_case(b"content-type");
    answer.fields.iter().find(is).map(|field| field.value.get(bytes))
}

/// The outcome of a request whose response the upstream broke off.
fn broken(context: &RequestContext<'_>, status: u16, fault: &PumpFault) -> Outcome {
    context.has_broken.set(true);
    let detail = broke(fault);
    let cause = access_log::cause_line(context, BROKE_OFF, &detail);
    keep_incident(context, BROKE_OFF, detail);
    let code = Some(ErrorCode::UnexpectedError.name().into());
    Outcome { status, code, cause: Some(cause), charged: 0, keep_alive: false }
}

/// Counts an error that was passed on unchanged like one of our own. Returns the cause for the log.
fn note_refusal(context: &RequestContext<'_>, code: ErrorCode) -> Option<String> {
    const GROUP: &str = "the upstream answered with an error";
    guard::count(context, code);
    if code != ErrorCode::UnexpectedError {
        return None;
    }
    let detail = "The upstream answered a remote procedure call with 200 and an error of its protocol (`grpc-status` of \
                  gRPC), or without a final status.";
    keep_incident(context, GROUP, detail.to_owned());
    Some(access_log::cause_line(context, GROUP, detail))
}

fn broke_off(detail: &str) -> Refused {
    Refusal::unexpected(BROKE_OFF, detail)
}

fn broke(fault: &PumpFault) -> String {
    match fault {
        PumpFault::Cut => "the connection was closed in the middle of the body".to_owned(),
        PumpFault::Source(error) => format!("reading the body failed: {error}"),
        PumpFault::Framing(fault) => fault.message.clone().into_owned(),
        PumpFault::TooLarge => "the body is too large".to_owned(),
        PumpFault::Sink(error) => format!("writing to the client failed: {error}"),
    }
}
