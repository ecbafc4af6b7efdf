//! One request and its answer between two connections, both bodies moving at the same time.

use super::{
    Sending, answer, keep_incident,
    pump::{Pump, PumpFault, Side},
};
use crate::{
    buffer,
    client::{self, Client},
    http1::{
        body::{Decoder, Framing, Step},
        field::{self, AnswerField, Field},
        response::ResponseHead,
    },
    payment::{Owed, Payment},
    policies::body::too_large,
    record::Outcome,
    refusal::{Refusal, Refused},
    thread::Thread,
    upstream::Upstream,
    visit::Visit,
};
use contract::upstream::{Disposition, disposition};
use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{io::AsyncWrite, time::Instant};

/// How long a short answer is waited for before its head is sent, so that an upstream that breaks
/// in it still becomes an error that explains itself.
const HOLD: Duration = Duration::from_millis(100);
/// 1xx answers that are passed on before a final one has to come.
const MOST_INTERIMS: u32 = 100;
/// Bytes of an error's body that are read for its message.
const LARGEST_ERROR: usize = 64 * 1024;
/// How long an error's body is waited for.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// One request on one upstream connection.
pub(super) struct Exchange<'c> {
    thread: &'c Thread,
    client: &'c mut Client,
    upstream: Upstream,
    request: Vec<u8>,
    written: usize,
    upload: Option<Pump>,
    /// The body of the request, once it has been sent or given up.
    sent: Option<Decoder>,
    fields: Vec<Field<AnswerField>>,
}

/// Why there is no answer.
pub(super) enum NotAnswered {
    /// The connection had been closed before it took the request.
    NotTaken,
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
            upload,
            sent: None,
            fields: thread.answer_fields(),
        }
    }

    /// The bytes that the answer's head stands at the front of.
    pub(super) fn answer_bytes(&self) -> &[u8] {
        self.upstream.input.filled()
    }

    /// Puts the rest of the request's body back to where it came from.
    pub(super) fn give_body_back(&mut self, incoming: &mut Decoder) {
        if let Some(rest) = self.upload.take().map(|pump| pump.into_parts().0).or_else(|| self.sent.take()) {
            *incoming = rest;
        }
    }

    // === until the answer's head ===

    /// Sends the request and reads until the head of the final answer is complete.
    pub(super) async fn read_answer(
        &mut self,
        visit: &Visit<'_>,
        is_safe: bool,
    ) -> Result<ResponseHead, NotAnswered> {
        let timeouts = visit.timeouts();
        let patience = if self.upload.is_some() { timeouts.body } else { timeouts.first_byte };
        self.client.deadline.set(visit.now.instant, patience);
        let mut is_first_look = true;
        let mut interims = 0;
        loop {
            // A final answer may have come with the 1xx before it: then there is nothing to wait for.
            if self.upstream.input.is_empty() || !is_first_look {
                let may_repeat = is_safe && self.upload.is_none() && self.sent.is_none();
                poll_fn(|cx| self.poll_head_bytes(cx, visit, may_repeat)).await?;
            }
            is_first_look = false;
            let fields = std::mem::take(&mut self.fields);
            let to_head = visit.head.method() == "HEAD";
            let read = ResponseHead::read(self.upstream.input.filled(), to_head, fields);
            match read.map_err(garbled)? {
                None => self.fields = self.thread.answer_fields(),
                Some(head) if (100..200).contains(&head.status) && head.status != 101 => {
                    if visit.head.is_http11 {
                        let interim =
                            self.upstream.input.filled().get(..head.length).unwrap_or_default().to_vec();
                        let _ = self.client.write(&interim_head(&interim, &head), timeouts.stall).await;
                    }
                    interims += 1;
                    if interims > MOST_INTERIMS {
                        return Err(unexpected(
                            "the upstream never answers finally",
                            "1xx answers without end",
                        ));
                    }
                    self.upstream.input.consume(head.length);
                    is_first_look = true;
                    self.fields = head.fields;
                    self.client.deadline.set(Instant::now(), timeouts.first_byte);
                }
                Some(head) => return Ok(head),
            }
        }
    }

    /// Ready once more of the answer was read than before.
    fn poll_head_bytes(
        &mut self,
        cx: &mut Context<'_>,
        visit: &Visit<'_>,
        may_repeat: bool,
    ) -> Poll<Result<(), NotAnswered>> {
        if self.written < self.request.len() {
            match self.poll_write_request(cx) {
                Poll::Ready(Err(_)) if self.written == 0 && self.upstream.is_reused => {
                    return Poll::Ready(Err(NotAnswered::NotTaken));
                }
                // An upstream may answer and close without reading all; what it said is still to be read.
                Poll::Ready(Err(_)) => self.written = self.request.len(),
                Poll::Ready(Ok(())) => {}
                Poll::Pending => {}
            }
        }
        if let Some(Err(not_answered)) = self.poll_upload(cx, visit) {
            return Poll::Ready(Err(not_answered));
        }
        match self.upstream.input.poll_fill(cx, &mut self.upstream.io) {
            Poll::Ready(Ok(1..)) => Poll::Ready(Ok(())),
            Poll::Ready(Ok(0)) => Poll::Ready(Err(
                self.closed(may_repeat, "the upstream closed the connection without an answer")
            )),
            Poll::Ready(Err(error)) => {
                let is_first = self.upstream.input.is_empty();
                let detail = format!("reading the answer failed: {error}");
                Poll::Ready(Err(if is_first {
                    self.closed(may_repeat, &detail)
                } else {
                    unexpected("the upstream's answer broke off", detail)
                }))
            }
            Poll::Pending => self.poll_silence(cx),
        }
    }

    fn poll_write_request(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.request.get(self.written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.upstream.io).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => self.written += count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Moves the request's body. Some(Err): the request cannot be sent.
    fn poll_upload(&mut self, cx: &mut Context<'_>, visit: &Visit<'_>) -> Option<Result<(), NotAnswered>> {
        let pump = self.upload.as_mut()?;
        let polled = pump.poll(cx, &mut self.client.io, &mut self.client.input, &mut self.upstream.io, None);
        let timeouts = visit.timeouts();
        if pump.take_progress() {
            let patience = match pump.waits_for() {
                Side::Source => timeouts.body,
                Side::Sink => timeouts.stall,
            };
            self.client.deadline.set(Instant::now(), patience);
        }
        match polled {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => {
                self.client.deadline.set(Instant::now(), timeouts.first_byte);
                self.sent = self.upload.take().map(|pump| pump.into_parts().0);
                Some(Ok(()))
            }
            Poll::Ready(Err(fault)) => {
                let untouched = pump.is_untouched();
                let most = pump.largest();
                self.sent = self.upload.take().map(|pump| pump.into_parts().0);
                match fault {
                    PumpFault::Sink(_) if untouched && self.upstream.is_reused => {
                        Some(Err(NotAnswered::NotTaken))
                    }
                    // As above: there may be an answer, given before the body was read.
                    PumpFault::Sink(_) => None,
                    PumpFault::Cut | PumpFault::Source(_) => Some(Err(client::body_cut().into())),
                    PumpFault::Framing(fault) => Some(Err(Refusal::of_fault(fault).into())),
                    PumpFault::TooLarge => Some(Err(too_large(most).into())),
                }
            }
        }
    }

    /// Nothing to read: has the upstream, or the client that still sends, been silent for too long?
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), NotAnswered>> {
        match (self.client.deadline.poll_passed(cx), &self.upload) {
            (Poll::Pending, _) => Poll::Pending,
            (Poll::Ready(()), Some(pump)) if pump.waits_for() == Side::Source => {
                Poll::Ready(Err(client::body_too_slow().into()))
            }
            (Poll::Ready(()), _) => Poll::Ready(Err(unexpected(
                "the upstream is silent",
                "no answer came within the time that is allowed",
            ))),
        }
    }

    /// The connection was closed before the first byte of an answer.
    fn closed(&self, may_repeat: bool, detail: &str) -> NotAnswered {
        if self.upstream.input.is_empty() && self.upstream.is_reused && may_repeat {
            NotAnswered::NotTaken
        } else if self.upstream.input.is_empty() {
            unexpected("the upstream closed the connection without an answer", detail)
        } else {
            unexpected("the upstream's answer broke off", format!("{detail}, within its head"))
        }
    }

    // === from the answer's head on ===

    /// Passes the answer on, or makes a refusal of it, and settles.
    pub(super) async fn pass_on(
        mut self,
        visit: &Visit<'_>,
        answer: ResponseHead,
        incoming: &mut Decoder,
        mut owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        match disposition(answer.status, &visit.config.settings.extra_codes) {
            Disposition::Replace(code) => {
                drop(owed); // given back before the answer tells what remains
                let head = self.upstream.input.filled().get(..answer.length).unwrap_or_default().to_vec();
                self.upstream.input.consume(answer.length);
                let body = self.read_error(answer.framing).await;
                let refused = answer::replace(visit, code, &answer, &head, body.as_deref());
                let is_done = answer.keep_alive && body.is_some() && self.upload.is_none();
                self.give_body_back(incoming);
                if is_done {
                    self.thread.pool.put(self.upstream, Instant::now());
                }
                Err(refused)
            }
            Disposition::Pass => {
                if let (Some(owed), Some(name)) = (&mut owed, cost_header)
                    && let Some(cost) = answer::told_cost(&answer, self.upstream.input.filled(), name)
                {
                    owed.lower_to(cost); // before the answer tells what remains
                }
                self.stream(visit, answer, incoming, owed, cost_header).await
            }
        }
    }

    /// The body of an error, if it is small and comes soon.
    async fn read_error(&mut self, framing: Framing) -> Option<Vec<u8>> {
        let mut decoder = Decoder::new(framing);
        let mut body = Vec::new();
        self.client.deadline.set(Instant::now(), ERROR_BODY);
        loop {
            match decoder.next(&mut self.upstream.input) {
                Ok(Step::End) => return Some(body),
                Ok(Step::Data(data)) if body.len() + data.len() <= LARGEST_ERROR => {
                    body.extend_from_slice(data)
                }
                Ok(Step::Data(_)) | Err(_) => return None,
                Ok(Step::More) => {
                    let filled =
                        self.upstream.input.fill(&mut self.upstream.io, &mut self.client.deadline).await;
                    match filled.and_then(Result::ok) {
                        Some(1..) => {}
                        Some(0) if decoder.ends_with_stream() => return Some(body),
                        Some(0) | None => return None,
                    }
                }
            }
        }
    }

    /// Streams a success to the client.
    async fn stream(
        mut self,
        visit: &Visit<'_>,
        answer: ResponseHead,
        incoming: &mut Decoder,
        owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        if let Err(refused) = self.hold_short(&answer).await {
            self.give_body_back(incoming);
            return Err(refused);
        }
        let framing = answer::framing(visit, &answer);
        // An upload that still runs ends with the answer; what of it is unread ends the connection.
        let keep_alive = visit.head.keep_alive
            && !self.thread.is_draining.get()
            && framing != Framing::UntilClose
            && self.upload.is_none();
        let mut head = std::mem::take(&mut self.request);
        head.clear();
        let bytes = self.upstream.input.filled();
        answer::write_head(self.thread, visit, &answer, bytes, cost_header, keep_alive, &mut head);
        self.upstream.input.consume(answer.length);
        self.client.answer_begun = true;
        let mut download = Pump::new(head, Decoder::new(answer.framing), framing, u64::MAX);
        let stall = visit.timeouts().stall;
        self.client.deadline.set(Instant::now(), stall);
        let mut payment = Payment::new(self.thread, owed, visit.now.seconds());
        let streamed = poll_fn(|cx| self.poll_stream(cx, visit, &mut download, &mut payment, stall)).await;
        self.client.sent = self.client.sent.saturating_add(download.sent());
        let has_unsent = self.upload.is_some();
        self.give_body_back(incoming);

        let status = answer.status;
        let outcome = |charged, keep_alive| Outcome { status, code: None, charged, keep_alive };
        match streamed {
            Ok(()) => {
                let charged = payment.settle(visit);
                self.thread.give_answer_fields_back(answer.fields);
                self.thread.give_head_memory(download.into_parts().1);
                if answer.keep_alive && !has_unsent {
                    self.thread.pool.put(self.upstream, Instant::now());
                }
                Ok(outcome(charged, keep_alive && incoming.is_complete() && !has_unsent))
            }
            // The client hung up on a success: it is charged.
            Err(PumpFault::Sink(_)) => Ok(outcome(payment.settle(visit), false)),
            // The upstream broke within its answer: what was promised was not delivered, so nothing is
            // charged. The client's connection ends without the end of the body, so that nobody takes
            // the half for the whole.
            Err(fault) => {
                drop(payment);
                keep_incident(visit, "the upstream's answer broke off", broke(&fault));
                if framing == Framing::UntilClose {
                    self.client.io.reset();
                }
                Ok(Outcome {
                    status,
                    code: Some("UNEXPECTED_ERROR".to_owned()),
                    charged: 0,
                    keep_alive: false,
                })
            }
        }
    }

    /// Waits for the rest of a short answer of known length, but not for long.
    async fn hold_short(&mut self, answer: &ResponseHead) -> Result<(), Refused> {
        let Framing::Length(length) = answer.framing else { return Ok(()) };
        // First of all, because a length may be any number that an upstream cares to write.
        if length > buffer::SIZE as u64 {
            return Ok(());
        }
        let whole = answer.length as u64 + length;
        if self.upstream.input.len() as u64 >= whole {
            return Ok(());
        }
        self.client.deadline.set(Instant::now(), HOLD);
        while (self.upstream.input.len() as u64) < whole {
            match self.upstream.input.fill(&mut self.upstream.io, &mut self.client.deadline).await {
                Some(Ok(1..)) => {}
                Some(Ok(0)) => return Err(broke_off("the connection was closed within the body")),
                Some(Err(error)) => return Err(broke_off(&format!("reading the body failed: {error}"))),
                None => return Ok(()), // slow, so it is streamed after all
            }
        }
        Ok(())
    }

    /// Moves the answer's body, and what is left of the request's.
    fn poll_stream(
        &mut self,
        cx: &mut Context<'_>,
        visit: &Visit<'_>,
        download: &mut Pump,
        payment: &mut Payment<'_>,
        stall: Duration,
    ) -> Poll<Result<(), PumpFault>> {
        // The client may break its own request while it is answered: then the answer still counts.
        let _ = self.poll_upload(cx, visit);
        let (source, input) = (&mut self.upstream.io, &mut self.upstream.input);
        let polled = download.poll(cx, source, input, &mut self.client.io, Some(payment));
        if polled.is_ready() {
            return polled;
        }
        if download.take_progress() {
            self.client.deadline.set(Instant::now(), stall);
        }
        self.client.deadline.poll_passed(cx).map(|()| {
            Err(match download.waits_for() {
                Side::Source => PumpFault::Source(io::ErrorKind::TimedOut.into()),
                Side::Sink => PumpFault::Sink(io::ErrorKind::TimedOut.into()),
            })
        })
    }
}

/// The head of a 1xx answer without what belongs to the upstream's connection.
fn interim_head(bytes: &[u8], head: &ResponseHead) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    crate::respond::start(
        head.status,
        std::str::from_utf8(head.reason.get(bytes)).unwrap_or_default(),
        &mut out,
    );
    for passed in head.fields.iter().filter(|field| field.kind == AnswerField::EndToEnd) {
        field::write(passed.name.get(bytes), passed.value.get(bytes), &mut out);
    }
    out.extend_from_slice(b"\r\n");
    out
}

fn garbled(reason: &'static str) -> NotAnswered {
    unexpected("the upstream's answer is garbled", reason)
}

fn unexpected(group: &'static str, detail: impl Into<String>) -> NotAnswered {
    NotAnswered::Refused(Refusal::unexpected(group, detail))
}

fn broke_off(detail: &str) -> Refused {
    Refusal::unexpected("the upstream's answer broke off", detail)
}

fn broke(fault: &PumpFault) -> String {
    match fault {
        PumpFault::Cut => "the connection was closed within the body".to_owned(),
        PumpFault::Source(error) => format!("reading the body failed: {error}"),
        PumpFault::Framing(fault) => fault.message.to_owned(),
        PumpFault::TooLarge => "the body is too large".to_owned(),
        PumpFault::Sink(error) => format!("writing to the client failed: {error}"),
    }
}
