//! The order of checks. This function is the contract's section 4, and the only place that knows it.

use crate::{
    client::Client,
    context::{RequestContext, refusal::Refused},
    keyring::KnownKey,
    pages::{self, Page},
    policies::{
        body, cors, guard, key,
        leases::{self, Reserved},
        limits, maintenance, overload, parameters, path, permission, redirect,
        route::{self, Purpose},
        upgrade,
    },
    settle::payment::Owed,
    state::buffered::BufferedBody,
};
use http1::body::Decoder;
use std::sync::Arc;

/// What a request that passed all checks is for.
pub(crate) enum Admitted<'s> {
    /// One of the gateway's own pages.
    Page(Page),
    /// What a page of another origin may send.
    Preflight,
    /// How the limits of the key stand.
    Limits(Arc<KnownKey>),
    /// The upstream.
    Forward(Admission<'s>),
}

/// What the request may use at the upstream.
pub(crate) struct Admission<'s> {
    /// Units that are taken and not settled yet. None: the endpoint is public, and addresses have no limits.
    pub(crate) owed: Option<Owed>,
    /// Name, in lower case, of the upstream's header that tells what a success has cost.
    pub(crate) cost_header: Option<&'s str>,
    /// The body, if a check had to read it.
    pub(crate) body: Option<BufferedBody>,
    /// Bytes that a body which was not read yet may have.
    pub(crate) largest_body: u64,
}

/// Decides on a request. Whatever refuses it has taken nothing: only the last step takes.
///
/// Before this: bytes and framing were understood (`http1`), or the request would have no head to
/// look at; and the request has its id, so that every refusal can name it.
pub(crate) async fn admit<'s>(
    context: &mut RequestContext<'s>,
    client: &mut Client,
    incoming: &mut Decoder,
) -> Result<Admitted<'s>, Refused> {
    // Before all else, and without TLS: a certificate may be what it is about. There is a page only while an authority
    // has been asked for one.
    if let Some(page) = pages::challenge(context) {
        return Ok(Admitted::Page(page));
    }
    // Where nothing is served without TLS, that is all there is to say; but a key has been read by others already, and
    // whoever sent it must not go on without knowing.
    redirect::check_scheme(context)?;
    // Then our own pages: every refusal below links to them, so none of them may stand in their way.
    if let Some(page) = pages::find(context)? {
        return Ok(Admitted::Page(page));
    }
    // All that follows costs more than this one.
    overload::check(context)?;
    // Whoever floods us with errors is turned away as cheaply as possible.
    guard::check_address(context)?;
    // A browser asks before it sends the request, without the key, and shows the page nothing of a refusal; so it is
    // answered whatever the request itself would meet, maintenance included.
    if cors::is_preflight(context) {
        return Ok(Admitted::Preflight);
    }
    // Before anything is looked up by the path: what follows may rely on the upstream reading it as we do.
    path::check(context)?;
    // During maintenance nothing about the endpoints is promised, so nothing is said about them.
    maintenance::check(context)?;
    // Where a path has gone is told to everyone, with or without a key: links outlive keys.
    redirect::check_moved(context)?;
    redirect::check_slash(context)?;
    // Before the key: which key is needed, if any, depends on the endpoint.
    let purpose = route::find(context)?;
    // Maintenance of some endpoints has to wait until the endpoint is known; the others go on.
    maintenance::check_endpoint(context, purpose)?;
    // A host that nobody answers for has no endpoints, so this is a part of the same question.
    route::find_service(context, purpose)?;
    // Some move with one method only, so the endpoint has to be known; still before the key, as above.
    redirect::check_endpoint(context, purpose.endpoint())?;
    // An open endpoint has no key, so no permission, no plan and no limits.
    let key = if purpose.is_public() { None } else { Some(key::check(context)?) };
    if let Some(key) = &key {
        guard::check_key(context, key)?;
        permission::check_address(context, purpose.endpoint())?;
        permission::check(key, purpose.endpoint().map_or(&[], |endpoint| &endpoint.permissions))?;
        if let Purpose::Limits = purpose {
            return Ok(Admitted::Limits(Arc::clone(key)));
        }
    } else {
        // In the place of the permission, because it is one: it needs no key, but whoever needs one has shown it.
        permission::check_address(context, purpose.endpoint())?;
    }
    // Only now: what an endpoint takes is nobody's business who may not use it.
    if let Some(rules) = purpose.endpoint().and_then(|endpoint| endpoint.rules.as_ref())
        && let body::Checked::TooLong = parameters::check(context, rules)?
    {
        Box::pin(parameters::check_elsewhere(context, client, rules)).await?;
        context.now.millis = context.shared.clock.now_millis();
    }
    upgrade::check(context)?;
    body::check_head(context, purpose.endpoint())?;
    // All that the head can decide is decided. The body is read here only if it is checked itself.
    let largest_body = body::largest(context, purpose.endpoint());
    let body = match body::rules(context, purpose.endpoint()) {
        Some(rules) => {
            let read = client.read_body(context, incoming, largest_body).await?;
            let read = match body::check(context, rules, &read)? {
                body::Checked::Here => read,
                // On the heap: next to no request comes here.
                body::Checked::TooLong => {
                    Box::pin(body::check_elsewhere(context, client, rules, read)).await?
                }
            };
            // The maximum size of a body takes minutes: what is asked of the limits is asked now, not in a window of the past.
            context.now.millis = context.shared.clock.now_millis();
            Some(read)
        }
        None => None,
    };
    // Last, because it is the only check that takes something: what is refused above was never taken.
    let terms = purpose.terms();
    let owed = match (context.shared.cluster.get(), &key) {
        (None, Some(key)) => Some(limits::reserve_for_key(context, key, terms)?),
        (None, None) => limits::reserve_for_address(context, terms)?,
        (Some(cluster), key) => match leases::reserve(context, cluster, key.as_deref(), terms)? {
            Reserved::Now(owed) => owed,
            // On the heap, as above: most requests find what they need at hand.
            Reserved::Later(waiting) => {
                Box::pin(waiting.wait(context, cluster, key.as_deref(), terms)).await?
            }
        },
    };
    Ok(Admitted::Forward(Admission { owed, cost_header: terms.cost_header, body, largest_body }))
}
