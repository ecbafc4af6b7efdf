//! The path of a request, from top to bottom: admit, forward, respond, settle and record.

use crate::{
    admit::{Admitted, admit},
    client::Client,
    cluster::Places,
    config::Config,
    context::{
        Moment, RequestContext,
        origin::Origin,
        peer::Peer,
        refusal::{Refusal, Refused},
        request_id::RequestId,
    },
    forward::{forward, keep_incident},
    keyring::LastKey,
    pages,
    policies::leases,
    record::{Moved, Outcome, usage::Place},
    respond,
    settle::{access_log, payment::Owed},
    state::{shared::Shared, thread::Thread},
};
use contract::Status;
use http1::{Fault, body::Decoder, field::RequestField, request::RequestHead};
use std::{
    borrow::Cow,
    cell::Cell,
    future::poll_fn,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
};

/// The gateway's own pages are sent in one write up to this size, including the head.
const SENT_AT_ONCE: usize = 256 << 10;

/// Handles a request. True: the connection is kept.
pub(crate) async fn handle(
    thread: &Thread,
    config: &Config,
    client: &mut Client,
    peer: &Peer,
    head: RequestHead,
    last_key: &mut LastKey,
) -> bool {
    let _in_flight = thread.load().request();
    let mut incoming = Decoder::of_request(head.framing, &config.reading);
    let mut context = context(thread, config, peer, head, std::mem::take(last_key));

    let answered = match admit(&mut context, client, &mut incoming).await {
        Ok(Admitted::Forward(admission)) => {
            let places = admission.owed.as_ref().and_then(Owed::places);
            let forwarded = {
                let forwarding = pin!(forward(thread, &mut context, client, &mut incoming, admission));
                match places {
                    None => Some(forwarding.await),
                    Some(places) => until_lost(forwarding, places).await,
                }
            };
            forwarded.unwrap_or_else(|| cut_off(config, client))
        }
        Ok(Admitted::Page(page)) => Ok(answer_own(thread, &context, client, &mut incoming, page).await),
        Ok(Admitted::Preflight) => Ok(answer_preflight(thread, &context, client, &mut incoming).await),
        Ok(Admitted::Limits(key)) => {
            leases::look(&mut context, &key).await;
            let page = pages::limits(&context, &key);
            Ok(answer_own(thread, &context, client, &mut incoming, page).await)
        }
        Err(refused) => Err(refused),
    };
    let outcome = match answered {
        Ok(outcome) => outcome,
        Err(refused) => refuse(thread, &mut context, client, &mut incoming, refused).await,
    };
    thread.record(
        &context,
        &outcome,
        Moved { received: incoming.taken() + client.tunnelled, sent: client.sent },
    );

    context.last_key.remember(context.settled.take());
    *last_key = context.last_key;
    let (bytes, notes) = context.head.into_memory();
    client.input.lend(bytes);
    thread.give_back(notes);
    outcome.keep_alive
}

/// Responds to a request that exceeds the connection limit, whatever it is. The connection is
/// closed. `head`: what of it determines the form of the response.
pub(crate) async fn turn_away(thread: &Thread, client: &mut Client, peer: &Peer, head: RequestHead) {
    let config = thread.config();
    let mut context = context(thread, &config, peer, head, LastKey::default());
    let mut nothing = Decoder::new(context.head.framing);
    let mut refused = Refusal::overloaded(context.now.millis);
    refused.closes = true;
    let outcome = refuse(thread, &mut context, client, &mut nothing, refused).await;
    thread.record(&context, &outcome, Moved { received: 0, sent: client.sent });
}

/// Responds to malformed bytes. The connection is closed: it is unknown where the next request begins.
///
/// `head`: what could be parsed of it; by default nothing.
pub(crate) async fn refuse_bytes(
    thread: &Thread,
    client: &mut Client,
    peer: &Peer,
    head: RequestHead,
    fault: Fault,
) {
    let config = thread.config();
    let mut context = context(thread, &config, peer, head, LastKey::default());
    let mut nothing = Decoder::new(context.head.framing);
    let outcome = refuse(thread, &mut context, client, &mut nothing, Refusal::of_fault(fault)).await;
    thread.record(&context, &outcome, Moved { received: 0, sent: client.sent });
}

/// Responds to a request whose handling panicked, if nothing of a response was sent.
pub(crate) async fn refuse_panicked(thread: &Thread, client: &mut Client, peer: &Peer) {
    let config = thread.config();
    let mut context = context(thread, &config, peer, RequestHead::default(), LastKey::default());
    let mut nothing = Decoder::new(context.head.framing);
    let mut refused =
        Refusal::unexpected("the gateway panicked", "A bug in the gateway; standard error has the location.");
    refused.closes = true;
    let outcome = refuse(thread, &mut context, client, &mut nothing, refused).await;
    thread.record(&context, &outcome, Moved { received: 0, sent: client.sent });
}

fn context<'t>(
    thread: &'t Thread,
    config: &'t Config,
    peer: &'t Peer,
    head: RequestHead,
    last_key: LastKey,
) -> RequestContext<'t> {
    let shared: &Shared = &thread.shared;
    let now = Moment::now(&shared.clock);
    // An ID is repeated in many places, so it must not contain a key.
    let given = head.value(RequestField::RequestId).filter(|id| contract::key::position(id).is_none());
    let id = given.and_then(RequestId::of_client);
    let id = id.unwrap_or_else(|| RequestId::new(now.millis, &mut thread.random.borrow_mut()));
    let Origin { address, is_peer_trusted } = Origin::of(&head, peer.address, &config.settings);
    let is_peer = address == peer.address;
    let address_key = if is_peer { peer.address_key } else { shared.address_errors.key(address) };
    RequestContext {
        shared,
        config,
        load: thread.load(),
        address_key,
        head,
        id,
        now,
        peer,
        address,
        is_peer_trusted,
        key: None,
        has_no_key: false,
        last_key,
        template: None,
        has_checked_query: false,
        service: None,
        backend: None,
        has_broken: Cell::new(false),
        group: None,
        upgrade: None,
        counted: None,
        counted_at: None,
        settled: Cell::new(None),
        place: Place::None,
        deprecated: None,
    }
}

async fn answer_own(
    thread: &Thread,
    context: &RequestContext<'_>,
    client: &mut Client,
    incoming: &mut Decoder,
    mut page: pages::Page,
) -> Outcome {
    page.compress(context);
    let keep_alive = goes_on(thread, context, client, incoming);
    let mut out = thread.head_memory();
    respond::write_own(thread, context, &page, keep_alive, &mut out);
    let has_body = context.head.method() != "HEAD";
    let body = page.body.pieces().take_while(|_| has_body);
    let keep_alive = send(thread, context, client, incoming, out, body, keep_alive).await;
    Outcome { status: 200, code: None, cause: None, charged: 0, keep_alive }
}

async fn answer_preflight(
    thread: &Thread,
    context: &RequestContext<'_>,
    client: &mut Client,
    incoming: &mut Decoder,
) -> Outcome {
    let keep_alive = goes_on(thread, context, client, incoming);
    let mut out = thread.head_memory();
    respond::write_preflight(thread, context, keep_alive, &mut out);
    let keep_alive = send(thread, context, client, incoming, out, std::iter::empty(), keep_alive).await;
    Outcome { status: 204, code: None, cause: None, charged: 0, keep_alive }
}

/// The result of `forwarding`. None: its places among the requests in flight were lost first, so it
/// is aborted.
async fn until_lost<T>(mut forwarding: Pin<&mut impl Future<Output = T>>, places: Places) -> Option<T> {
    let mut lost = pin!(places.lost());
    poll_fn(|cx| match forwarding.as_mut().poll(cx) {
        Poll::Ready(answered) => Poll::Ready(Some(answered)),
        Poll::Pending => lost.as_mut().poll(cx).map(|()| None),
    })
    .await
}

/// The outcome of a request whose places were lost.
fn cut_off(config: &Config, client: &mut Client) -> Result<Outcome, Refused> {
    let refused = leases::lost();
    if !client.response_begun {
        return Err(refused);
    }
    // The client must not take the truncated response for a complete one.
    client.cut();
    let code = Some(refused.code.name().into());
    Ok(Outcome {
        status: refused.code.status().on_the_wire(config.settings.statuses),
        code,
        cause: None,
        charged: 0,
        keep_alive: false,
    })
}

/// Turns a refusal into a response, and stores its cause.
async fn refuse(
    thread: &Thread,
    context: &mut RequestContext<'_>,
    client: &mut Client,
    incoming: &mut Decoder,
    mut refused: Refused,
) -> Outcome {
    let keep_alive = !refused.closes && goes_on(thread, context, client, incoming);
    if let (None, Some(key)) = (&context.counted, &context.key) {
        let key = Arc::clone(key);
        leases::look(context, &key).await;
    }
    let mut out = thread.head_memory();
    let status = respond::write_refusal(thread, context, &refused, keep_alive, &mut out);
    let line = cause_of(context, &refused);
    if let Some(cause) = refused.cause.take() {
        keep_incident(context, cause.group, cause.detail);
    }
    let keep_alive = send(thread, context, client, incoming, out, std::iter::empty(), keep_alive).await;
    let code = refused.foreign_code.take().map_or(Cow::Borrowed(refused.code.name()), Cow::from);
    Outcome { status, code: Some(code), cause: line, charged: 0, keep_alive }
}

/// The cause that is logged for a 500 or 503.
fn cause_of(context: &RequestContext<'_>, refused: &Refusal) -> Option<String> {
    match refused.code.status() {
        Status::Unexpected | Status::Unavailable => {}
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::NotFound
        | Status::Unprocessable
        | Status::LimitExceeded
        | Status::Extra(_) => return None,
    }
    if !access_log::wants_errors(context.config.settings.log.requests) {
        return None;
    }
    Some(match (&refused.cause, refused.answered) {
        (Some(cause), _) => access_log::cause_line(context, cause.group, &cause.detail),
        (None, Some(status)) => access_log::cause_line(context, "the upstream answered", &status.to_string()),
        // Maintenance or overload: the client gets the same text.
        (None, None) => refused.message.to_string(),
    })
}

fn goes_on(thread: &Thread, context: &RequestContext<'_>, client: &Client, incoming: &Decoder) -> bool {
    context.head.keep_alive && !thread.is_draining.get() && client.can_discard(context, incoming)
}

/// Sends a response followed by `more`, and reads the rest of the request. True: the connection is kept.
async fn send(
    thread: &Thread,
    context: &RequestContext<'_>,
    client: &mut Client,
    incoming: &mut Decoder,
    mut out: Vec<u8>,
    more: impl Iterator<Item = &[u8]>,
    keep_alive: bool,
) -> bool {
    let timeouts = &context.config.settings.timeouts;
    client.response_begun = true;
    let mut is_sent = true;
    for piece in more {
        if out.len() + piece.len() <= SENT_AT_ONCE {
            out.extend_from_slice(piece);
            continue;
        }
        is_sent = is_sent && client.write(&out, timeouts.stall).await.is_ok();
        out.clear();
        if piece.len() <= SENT_AT_ONCE {
            out.extend_from_slice(piece);
        } else {
            is_sent = is_sent && client.write(piece, timeouts.stall).await.is_ok();
        }
        if !is_sent {
            break;
        }
    }
    is_sent = is_sent && client.write(&out, timeouts.stall).await.is_ok();
    thread.give_head_memory(out);
    is_sent && keep_alive && client.discard(incoming, context).await
}
