//! Upgrades: which of the protocols that a client requests may be requested from the upstream.

use crate::context::{
    RequestContext,
    refusal::{Refusal, Refused},
};
use contract::ErrorCode;
use http1::{
    body::Framing,
    field::{self, RequestField},
};

/// Records the protocol to request from the upstream, if any.
///
/// A protocol that is not allowed is not refused but ignored (RFC 9110 section 7.8): the request is
/// handled as if it had no `Upgrade`. That matters most for `h2c`: a client with such a connection
/// could send whole requests past every check.
pub(crate) fn check(context: &mut RequestContext<'_>) -> Result<(), Refused> {
    // Nearly every request returns here.
    if context.head.value(RequestField::Connection).is_none() || !is_asked(context) {
        return Ok(());
    }
    let config = context.config;
    let allowed = &config.settings.upgrades;
    let mut wanted = context.head.named("upgrade").flat_map(field::list);
    let found = wanted.find_map(|name| allowed.iter().find(|own| name.eq_ignore_ascii_case(own.as_bytes())));
    let Some(protocol) = found else { return Ok(()) };
    match (protocol.as_str(), context.head.method()) {
        ("websocket", "GET") => {}
        // RFC 6455 section 4.1: the handshake requires GET. A response to HEAD has only a head.
        ("websocket", _) | (_, "HEAD") => return Ok(()),
        (_, _) => {}
    }
    // If both sides disagreed, it would be unclear where the body ends and the other protocol begins.
    if context.head.framing != Framing::Length(0) {
        return Err(Refusal::new(
            ErrorCode::RequestMalformed,
            format!(
                "A request that asks for an upgrade to {protocol} cannot have a body. Send it without one."
            ),
        ));
    }
    context.upgrade = Some(protocol);
    Ok(())
}

/// Whether an upgrade is requested at all. `Upgrade` is ignored in HTTP/1.0 requests (RFC 9110
/// section 7.8), and without the option in `Connection` it was not meant for us.
fn is_asked(context: &RequestContext<'_>) -> bool {
    let mut options = context.head.values(RequestField::Connection).flat_map(field::list);
    context.head.is_http11 && options.any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}
