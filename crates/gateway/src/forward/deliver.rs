//! The answer to the client: a success streamed and settled, or a refusal made of an error.

use super::{
    answer,
    exchange::Exchange,
    keep_incident,
    pump::{Pump, PumpFault, Side},
};
use crate::{
    buffer,
    http1::{
        body::{Decoder, Framing, Step},
        response::ResponseHead,
    },
    payment::{Owed, Payment},
    record::Outcome,
    refusal::{Refusal, Refused},
    visit::Visit,
};
use contract::upstream::{Disposition, disposition};
use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Instant;

/// How long a short answer is waited for before its head is sent, so that an upstream that breaks
/// in it still becomes an error that explains itself.
const HOLD: Duration = Duration::from_millis(100);
/// Bytes of an error's body that are read for its message.
const LARGEST_ERROR: usize = 64 * 1024;
/// How long an error's body is waited for.
const ERROR_BODY: Duration = Duration::from_secs(2);

impl Exchange<'_> {
    /// Passes the answer on, or makes a refusal of it, and settles.
    pub(super) async fn pass_on(
        mut self,
        visit: &mut Visit<'_>,
        answer: ResponseHead,
        incoming: &mut Decoder,
        mut owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        if answer.status == 101 && visit.upgrade.is_some() {
            self.give_body_back(incoming);
            return self.switch(visit, answer, owed, cost_header).await;
        }
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
        let stall = visit.config.settings.timeouts.stall;
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
                    self.client.cut();
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
