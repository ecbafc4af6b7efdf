//! The order of checks. This function is section 4 of the contract, and the only place that defines it.

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

/// Where a request goes that passed all checks.
pub(crate) enum Admitted<'s> {
    /// One of the gateway's own pages.
    Page(Page),
    /// The preflight response.
    Preflight,
    /// The state of the key's limits.
    Limits(Arc<KnownKey>),
    /// The upstream.
    Forward(Admission<'s>),
}

/// What the request may use at the upstream.
pub(crate) struct Admission<'s> {
    /// Units that are reserved and not settled. None: the endpoint is public, and addresses have no limits.
    pub(crate) owed: Option<Owed>,
    /// Name, in lower case, of the upstream's header with the cost of a success.
    pub(crate) cost_header: Option<&'s str>,
    /// The body, if a check had to read it.
    pub(crate) body: Option<BufferedBody>,
    /// Maximum size of a body that was not read yet.
    pub(crate) largest_body: u64,
}

/// Decides on a request. Only the last step reserves units, so a refusal never has to return any.
///
/// Before this function, the bytes were parsed (`http1`), and the request has its ID, so that every
/// refusal can include it.
pub(crate) async fn admit<'s>(
    context: &mut RequestContext<'s>,
    client: &mut Client,
    incoming: &mut Decoder,
) -> Result<Admitted<'s>, Refused> {
    // Before everything else, and also without TLS: it may be needed to obtain a certificate. Such
    // a page exists only while a certificate is being requested.
    if let Some(page) = pages::challenge(context) {
        return Ok(Admitted::Page(page));
    }
    // Without TLS, nothing else is served where TLS is required. A key that was sent has been
    // exposed, so its owner must learn of it.
    redirect::check_scheme(context)?;
    // Then our own pages: every refusal below links to them, so none may block them.
    if let Some(page) = pages::find(context)? {
        return Ok(Admitted::Page(page));
    }
    // All following checks cost more than this one.
    overload::check(context)?;
    // Clients that flood us with errors are refused as cheaply as possible.
    guard::check_address(context)?;
    // A browser sends a preflight before the request, without the key, and hides a refusal from the
    // page. So it gets its response regardless of what the request itself would meet, maintenance
    // included.
    if cors::is_preflight(context) {
        return Ok(Admitted::Preflight);
    }
    // Before any lookup by path: the following checks rely on the upstream reading the path as we do.
    path::check(context)?;
    // During maintenance nothing is guaranteed about the endpoints, so nothing is revealed about them.
    maintenance::check(context)?;
    // Everyone learns where a path has moved, with or without a key: links outlive keys.
    redirect::check_moved(context)?;
    redirect::check_slash(context)?;
    // Before the key: whether a key is needed, and which, depends on the endpoint.
    let purpose = route::find(context)?;
    // Maintenance of some endpoints can be checked only now; the other endpoints stay available.
    maintenance::check_endpoint(context, purpose)?;
    // A host without a service has no endpoints, so this belongs to the same question.
    route::find_service(context, purpose)?;
    // Some endpoints have moved for one method only, so the endpoint must be known; still before
    // the key, as above.
    redirect::check_endpoint(context, purpose.endpoint())?;
    // A public endpoint has no key, so no permission, no plan and no limits.
    let key = if purpose.is_public() { None } else { Some(key::check(context)?) };
    if let Some(key) = &key {
        guard::check_key(context, key)?;
        permission::check_address(context, purpose.endpoint())?;
        permission::check(key, purpose.endpoint().map_or(&[], |endpoint| &endpoint.permissions))?;
        if let Purpose::Limits = purpose {
            return Ok(Admitted::Limits(Arc::clone(key)));
        }
    } else {
        // At the place of the permission check, because it is one: it needs no key, but a required
        // key was already checked.
        permission::check_address(context, purpose.endpoint())?;
    }
    // Only now: clients without permission must not learn what an endpoint accepts.
    if let Some(rules) = purpose.endpoint().and_then(|endpoint| endpoint.rules.as_ref())
        && let body::Checked::TooLong = parameters::check(context, rules)?
    {
        Box::pin(parameters::check_elsewhere(context, client, rules)).await?;
        context.now.millis = context.shared.clock.now_millis();
    }
    upgrade::check(context)?;
    body::check_head(context, purpose.endpoint())?;
    // All checks of the head are done. The body is read here only if it is checked itself.
    let largest_body = body::largest(context, purpose.endpoint());
    let body = match body::rules(context, purpose.endpoint()) {
        Some(rules) => {
            let read = client.read_body(context, incoming, largest_body).await?;
            let read = match body::check(context, rules, &read)? {
                body::Checked::Here => read,
                // Boxed: hardly any request takes this path.
                body::Checked::TooLong => {
                    Box::pin(body::check_elsewhere(context, client, rules, read)).await?
                }
            };
            // A body of the maximum size takes minutes to arrive: the limits are checked at the time now,
            // not in a past window.
            context.now.millis = context.shared.clock.now_millis();
            Some(read)
        }
        None => None,
    };
    // Last, because it is the only step that reserves units: a refused request never held any.
    let terms = purpose.terms();
    let owed = match (context.shared.cluster.get(), &key) {
        (None, Some(key)) => Some(limits::reserve_for_key(context, key, terms)?),
        (None, None) => limits::reserve_for_address(context, terms)?,
        (Some(cluster), key) => match leases::reserve(context, cluster, key.as_deref(), terms)? {
            Reserved::Now(owed) => owed,
            // Boxed, as above: most requests find their units available.
            Reserved::Later(waiting) => {
                Box::pin(waiting.wait(context, cluster, key.as_deref(), terms)).await?
            }
        },
    };
    Ok(Admitted::Forward(Admission { owed, cost_header: terms.cost_header, body, largest_body }))
}
