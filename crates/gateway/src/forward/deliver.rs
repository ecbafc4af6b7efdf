//! The answer to the client: a success streamed and settled, or a refusal made of an error.

use super::{
    BROKE_OFF, answer,
    exchange::Exchange,
    keep_incident, packed,
    pump::{Pump, PumpFault, Side},
};
use crate::{
    buffer,
    compression::{self, Packer},
    http1::{
        body::{Decoder, Framing, Step},
        response::{Packing, ResponseHead},
    },
    payment::{Owed, Payment},
    policies::guard,
    record::Outcome,
    refusal::{Refusal, Refused},
    settings::Timeouts,
    turn,
    visit::Visit,
};
use contract::{
    ErrorCode, grpc,
    upstream::{Disposition, disposition},
};
use std::{
    future::poll_fn,
    io,
    task::{Context, Poll},
    time::Duration,
};

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
                let said = body.as_deref().and_then(|body| packed::unpacked(&answer, &head, body));
                let refused = answer::replace(visit, code, &answer, &head, said.as_deref());
                let is_done = answer.keep_alive && body.is_some() && self.upload.is_none();
                self.give_body_back(incoming);
                if is_done {
                    self.thread.pool.put(self.upstream, turn::now());
                }
                Err(refused)
            }
            Disposition::Pass => {
                if let (Some(owed), Some(name)) = (&mut owed, cost_header)
                    && let Some(cost) = answer::told_cost(&answer, self.upstream.input.filled(), name)
                {
                    owed.lower_to(cost); // before the answer tells what remains
                }
                let nature = Nature::of(&answer, self.upstream.input.filled());
                if nature.is_refused() {
                    owed = None; // an error of gRPC's in a 200: given back, as above
                }
                self.stream(visit, answer, nature, incoming, owed, cost_header).await
            }
        }
    }

    /// The body of an error, if it is small and comes soon.
    async fn read_error(&mut self, framing: Framing) -> Option<Vec<u8>> {
        let mut decoder = Decoder::new(framing);
        let mut body = Vec::new();
        self.client.deadline.set(turn::now(), ERROR_BODY);
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
        mut answer: ResponseHead,
        nature: Nature,
        incoming: &mut Decoder,
        owed: Option<Owed>,
        cost_header: Option<&str>,
    ) -> Result<Outcome, Refused> {
        answer.packing = compression::of_answer(visit, &answer, self.upstream.input.filled());
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
        if answer.packing == Packing::Gzip && answer.framing != Framing::Length(0) {
            download.pack(Packer::new());
        }
        if nature == Nature::GrpcCall {
            download = download.judged_by_trailers();
        }
        let timeouts = visit.timeouts();
        self.client.deadline.set(turn::now(), timeouts.stall);
        let mut payment = Payment::new(self.thread, owed, visit.now.seconds());
        let streamed =
            poll_fn(|cx| self.poll_stream(cx, timeouts, nature, &mut download, &mut payment)).await;
        self.client.sent = self.client.sent.saturating_add(download.sent());
        let has_unsent = self.upload.is_some();
        self.give_body_back(incoming);

        let status = answer.status;
        let code = nature.refusal(&download, streamed.is_ok());
        if let Some(code) = code {
            note_refusal(visit, code);
        }
        let code = code.map(|code| code.name().into());
        let outcome = |charged, keep_alive| Outcome { status, code, charged, keep_alive };
        match streamed {
            Ok(()) => {
                let charged = payment.settle(visit);
                self.thread.give_answer_fields_back(answer.fields);
                self.thread.give_head_memory(download.into_parts().1);
                if answer.keep_alive && !has_unsent {
                    self.thread.pool.put(self.upstream, turn::now());
                }
                Ok(outcome(charged, keep_alive && incoming.is_complete() && !has_unsent))
            }
            // The client hung up on a success: it is charged.
            Err(PumpFault::Sink(error)) => {
                self.client.cut_if_stalled(&error);
                Ok(outcome(payment.settle(visit), false))
            }
            // The upstream broke within its answer: what was promised was not delivered, so nothing is
            // charged. The client's connection ends without the end of the body, so that nobody takes
            // the half for the whole.
            Err(fault) => {
                drop(payment);
                visit.has_broken.set(true);
                keep_incident(visit, BROKE_OFF, broke(&fault));
                if framing == Framing::UntilClose {
                    self.client.cut();
                }
                Ok(Outcome {
                    status,
                    code: Some(ErrorCode::UnexpectedError.name().into()),
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
        self.client.deadline.set(turn::now(), HOLD);
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
        timeouts: &Timeouts,
        nature: Nature,
        download: &mut Pump,
        payment: &mut Payment<'_>,
    ) -> Poll<Result<(), PumpFault>> {
        // The client may break its own request while it is answered: then the answer still counts.
        let _ = self.poll_upload(cx);
        let (source, input) = (&mut self.upstream.io, &mut self.upstream.input);
        let polled = download.poll(cx, source, input, &mut self.client.io, Some(payment));
        if polled.is_ready() {
            return polled;
        }
        // Nobody writes to a client while the upstream has nothing to say, so nobody would notice for an hour that it
        // is gone, and its place among the requests at once would stay taken.
        let is_waiting = download.waits_for() == Side::Source && self.upload.is_none();
        if nature.may_be_silent() && is_waiting && self.client.io.poll_hung_up(cx).is_ready() {
            return Poll::Ready(Err(PumpFault::Sink(io::ErrorKind::ConnectionReset.into())));
        }
        if download.take_progress() {
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

/// What kind of answer a success of HTTP is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Plain,
    /// Server-sent events: may be silent for long.
    Events,
    /// An answer of gRPC: may be silent for long, and its trailers tell whether it is a success.
    GrpcCall,
    /// An error of gRPC without a message before it, told by the head: its status.
    GrpcRefused(u32),
}

impl Nature {
    fn of(answer: &ResponseHead, bytes: &[u8]) -> Self {
        let values = |wanted: &'static [u8]| {
            let mut fields = answer.fields.iter();
            std::iter::from_fn(move || {
                let field = fields.find(|field| field.name.get(bytes).eq_ignore_ascii_case(wanted))?;
                Some(field.value.get(bytes))
            })
        };
        let Some(media_type) = values(b"content-type").next() else { return Self::Plain };
        if media_type.get(..17).is_some_and(|start| start.eq_ignore_ascii_case(b"text/event-stream")) {
            return Self::Events;
        }
        if !grpc::is_grpc(media_type) {
            return Self::Plain;
        }
        let mut told = values(b"grpc-status");
        match (told.next(), told.next()) {
            (None, _) => Self::GrpcCall,
            // What is no number is no success either.
            (Some(value), None) => match grpc::status(value) {
                Some(0) => Self::Plain,
                status => Self::GrpcRefused(status.unwrap_or(grpc::UNKNOWN)),
            },
            (Some(_), Some(_)) => Self::GrpcRefused(grpc::UNKNOWN),
        }
    }

    /// Whether nothing may come for long.
    const fn may_be_silent(self) -> bool {
        match self {
            Self::Events | Self::GrpcCall => true,
            Self::Plain | Self::GrpcRefused(_) => false,
        }
    }

    const fn is_refused(self) -> bool {
        match self {
            Self::GrpcRefused(_) => true,
            Self::Plain | Self::Events | Self::GrpcCall => false,
        }
    }

    /// What the answer is recorded as, if it turned out to be an error.
    fn refusal(self, download: &Pump, is_whole: bool) -> Option<ErrorCode> {
        match self {
            Self::Plain | Self::Events => None,
            Self::GrpcRefused(status) => Some(grpc::recorded_as(status)),
            // A call that broke off, or was left by its client, has told no status yet.
            Self::GrpcCall if !is_whole => None,
            Self::GrpcCall => match download.grpc_status() {
                Some(0) => None,
                status => Some(grpc::recorded_as(status.unwrap_or(grpc::UNKNOWN))),
            },
        }
    }
}

/// An error that was passed on as it came counts as one that was made here.
fn note_refusal(visit: &Visit<'_>, code: ErrorCode) {
    guard::count(visit, code);
    if code == ErrorCode::UnexpectedError {
        keep_incident(
            visit,
            "the upstream answered with an error",
            "The upstream answered 200, with a grpc-status that is an error, or with none.".to_owned(),
        );
    }
}

fn broke_off(detail: &str) -> Refused {
    Refusal::unexpected(BROKE_OFF, detail)
}

fn broke(fault: &PumpFault) -> String {
    match fault {
        PumpFault::Cut => "the connection was closed within the body".to_owned(),
        PumpFault::Source(error) => format!("reading the body failed: {error}"),
        PumpFault::Framing(fault) => fault.message.clone().into_owned(),
        PumpFault::TooLarge => "the body is too large".to_owned(),
        PumpFault::Sink(error) => format!("writing to the client failed: {error}"),
    }
}
