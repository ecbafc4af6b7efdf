//! Forwarding: the request to the upstream, the response back, both as streams.

mod answer;
mod attempts;
mod decode;
mod deliver;
mod exchange;
mod forwarded;
mod lists;
mod pump;
mod request;
mod retry_after;
mod rpc;
mod tunnel;
mod unavailable;

use crate::{
    admit::Admission,
    client::Client,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    record::{Incident, Outcome},
    state::{buffered::BufferedBody, thread::Thread},
};
use attempts::{Again, Attempts, NotConnected};
use contract::ErrorCode;
use exchange::{Exchange, NotAnswered};
use http1::body::{Decoder, Framing, Step, encode};
use pump::Pump;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};
use transport::turn;
use upstream::{Backend, NoStream, Upstream};

/// The incident group of responses that began and did not complete.
const BROKE_OFF: &str = "the upstream's response was cut off";

/// A request to send: complete, if its body is available already, otherwise a head and a stream.
enum Sending {
    Whole,
    Stream(Pump),
}

/// Forwards the request and passes the response on. The reservation is settled when the response
/// ends: charged if the upstream delivered a success, released in all other cases.
pub(crate) async fn forward<'s>(
    thread: &Thread,
    context: &mut RequestContext<'s>,
    client: &mut Client,
    incoming: &mut Decoder,
    admission: Admission<'_>,
) -> Result<Outcome, Refused> {
    // Every request has a service here; without one there would be nowhere to send it.
    let Some(service) = context.service else {
        return Err(Refusal::unexpected("the request has no upstream", "A bug in the gateway."));
    };
    // The upstream's total timeout. It begins now, and again when a body that is still arriving is
    // complete (`exchange`): `pace` limits how long the client takes to send one.
    let last = service.timeouts().total.map(|total| turn::now() + total);
    client.deadline.bound(last);
    let answered = ask(thread, context, client, incoming, admission, Attempts::new(service, last)).await;
    client.deadline.bound(None);
    answered
}

/// Tries one address after another, until one responds or retrying makes no sense.
async fn ask<'s>(
    thread: &Thread,
    context: &mut RequestContext<'s>,
    client: &mut Client,
    incoming: &mut Decoder,
    mut admission: Admission<'_>,
    mut attempts: Attempts<'s>,
) -> Result<Outcome, Refused> {
    let is_safe = matches!(context.head.method(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "QUERY");
    let (body, mut share) = admission.body.take().map(BufferedBody::into_parts).unzip();
    let body_was_read = body.is_some();
    let mut whole_body = match body {
        Some(body) => Some(body),
        None => take_arrived_body(client, incoming, admission.largest_body)?,
    };
    let framing = whole_body.as_ref().map_or(context.head.framing, |body| Framing::Length(body.len() as u64));
    let has_body = framing != Framing::Length(0);
    let mut slash = false;
    loop {
        let (backend, _in_flight) = attempts.next(thread, context).await?;
        let upstream = match connect(thread, context, &attempts, backend, is_safe).await {
            Ok(upstream) => upstream,
            Err(why) => {
                attempts.not_connected(thread, context, why)?;
                continue;
            }
        };
        let mut bytes = thread.head_memory();
        request::write_head(context, (attempts.service, backend), framing, body_was_read, slash, &mut bytes);
        let sending =
            Sending::of(whole_body.as_deref(), &mut bytes, incoming, framing, admission.largest_body);
        let sent_before = client.sent;
        let mut exchange = Exchange::new(thread, client, upstream, bytes, sending);
        match exchange.read_answer(context, admission.cost_header, is_safe).await {
            Ok(answer) if answer::only_adds_slash(context, &answer, exchange.response_bytes()) => {
                // Our own rule removed the slash that this upstream requires. Without a body the
                // request can be sent again, as the client would do after the redirect.
                exchange.give_body_back(incoming);
                if slash || has_body {
                    return Err(slash_in_a_circle(&contract::key::masked(context.head.path())));
                }
                slash = true;
            }
            Ok(answer) => {
                // Nothing is sent again from here on, and the response may take forever.
                drop(whole_body.take());
                exchange.share = share.take().flatten().filter(|_| exchange.has_unsent());
                let passed =
                    exchange.pass_on(context, answer, incoming, admission.owed, admission.cost_header).await;
                let refused = passed.as_ref().err();
                let cause = refused.and_then(|refused| refused.cause.as_ref());
                let has_broken =
                    context.has_broken.get() || cause.is_some_and(|cause| cause.group == BROKE_OFF);
                attempts.note_answer(thread, context, backend, has_broken);
                return attempts.report_first(passed);
            }
            Err(NotAnswered::NotTaken) => {
                // The connection was closed before it took the request; use a new one.
                let was_sent = exchange.has_sent();
                exchange.give_body_back(incoming);
                attempts.take_fresh(was_sent);
            }
            Err(NotAnswered::Unprocessed(why)) => {
                let is_whole = exchange.has_whole_body();
                exchange.give_body_back(incoming);
                attempts.unprocessed(thread, context, why, is_whole && client.sent == sent_before)?;
            }
            Err(NotAnswered::Refused(refused)) => {
                let has_answered = exchange.has_interim || !exchange.response_bytes().is_empty();
                exchange.give_body_back(incoming);
                let is_ours = refused.code == ErrorCode::UnexpectedError;
                if !is_ours {
                    return Err(refused); // the client's fault: another upstream would not help
                }
                // Not after the first byte of a response, including an interim response that was
                // passed on. The content of QUERY is in its body; one that is completely available
                // can be sent again.
                let is_repeatable = !has_body || context.head.method() == "QUERY" && whole_body.is_some();
                let may = is_safe && is_repeatable && !has_answered && client.sent == sent_before;
                attempts.failed(thread, context, refused, if may { Again::Counted } else { Again::Never })?;
            }
        }
    }
}

impl Sending {
    /// A body that is available is sent after the head; one that is still arriving is taken over
    /// with its reader.
    fn of(
        body: Option<&[u8]>,
        head: &mut Vec<u8>,
        incoming: &mut Decoder,
        framing: Framing,
        largest: u64,
    ) -> Self {
        if let Some(body) = body {
            encode(Framing::Length(0), body, head);
            return Self::Whole;
        }
        let decoder = std::mem::replace(incoming, Decoder::new(Framing::Length(0)));
        Self::Stream(Pump::new(std::mem::take(head), decoder, framing, largest))
    }
}

fn slash_in_a_circle(path: &str) -> Refused {
    Refusal::unexpected(
        "the upstream wants a slash at the end of the path",
        format!(
            "The upstream redirects {path} to {path}/, and the slash rule leads back. Declare the endpoint as \
             `{path}/`, or set trailing_slash = \"keep\"."
        ),
    )
}

/// A small body that arrived together with its head is sent with it, in one write, and can be sent again.
fn take_arrived_body(
    client: &mut Client,
    incoming: &mut Decoder,
    largest: u64,
) -> Result<Option<Vec<u8>>, Refused> {
    match incoming.left() {
        Some(0) => Ok(Some(Vec::new())),
        Some(left) if left <= client.input.len() as u64 && left <= largest.min(buffer::SIZE as u64) => {
            match incoming.next(&mut client.input) {
                Ok(Step::Data(data)) => Ok(Some(data.to_vec())),
                Ok(Step::End | Step::More) => Ok(Some(Vec::new())),
                Err(fault) => Err(Refusal::of_fault(fault)),
            }
        }
        Some(_) | None => Ok(None),
    }
}

async fn connect(
    thread: &Thread,
    context: &RequestContext<'_>,
    attempts: &Attempts<'_>,
    backend: &Arc<Backend>,
    is_safe: bool,
) -> Result<Upstream, NotConnected> {
    let failed = |reason| NotConnected::Failed(unavailable::unreachable(thread, reason));
    // HTTP/2 has no Upgrade.
    if backend.speaks_http2 && context.upgrade.is_none() {
        let opened = thread.pool.open_stream(backend, attempts.stream_timeouts()).await;
        let mut upstream = opened.map_err(|why| match why {
            NoStream::Failed(reason) => failed(reason),
            NoStream::Busy => NotConnected::Busy,
        })?;
        upstream.is_reused &= attempts.may_reuse();
        return Ok(upstream);
    }
    // Not the time of arrival: the body may have taken long, and the connection was idle meanwhile.
    let take = || thread.pool.take(backend, turn::now(), is_safe);
    if let Some(upstream) = attempts.may_reuse().then(take).flatten() {
        return Ok(upstream);
    }
    let connected = upstream::connect(backend, attempts.time_to_connect()).await;
    connected.map_err(failed)
}

/// Stores the actual cause.
pub(crate) fn keep_incident(context: &RequestContext<'_>, group: &str, detail: String) {
    let key = context.key.as_deref();
    let network = key.is_none().then(|| network(context.address));
    context.shared.incidents.add((group, (key, network)), context.now.millis, || Incident {
        request_id: context.id.as_str().to_owned(),
        at_millis: context.now.millis,
        method: context.head.method().to_owned(),
        path: contract::key::masked(context.head.path()).into_owned(),
        endpoint: context.template.map(str::to_owned),
        address: network.map(|network| match network {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(prefix) => format!("{prefix}/64"),
        }),
        key_id: key.map(|key| key.id().to_string()),
        cause: group.to_owned(),
        detail: match context.backend {
            Some(backend) => format!("{}, {}: {detail}", backend.service, backend.authority),
            None => detail,
        },
        more: 0,
    });
}

/// An address; for IPv6 its network: one client has all addresses of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}
