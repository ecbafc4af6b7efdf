//! Upgrades: which of the protocols that a client wants to switch its connection to may be asked of the upstream.

use crate::context::{
    RequestContext,
    refusal::{Refusal, Refused},
};
use contract::ErrorCode;
use http1::{
    body::Framing,
    field::{self, RequestField},
};

/// Notes the protocol that the upstream is to be asked for, if there is one.
///
/// What is not allowed is not refused but ignored, as RFC 9110 section 7.8 has it: the request is answered as if it
/// had no `Upgrade`. Above all that holds for `h2c`: whoever switched a connection to it could send whole requests
/// past every check.
pub(crate) fn check(context: &mut RequestContext<'_>) -> Result<(), Refused> {
    // Nearly every request ends here.
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
        // RFC 6455 section 4.1: any other method is no handshake. An answer to HEAD is a head and nothing more.
        ("websocket", _) | (_, "HEAD") => return Ok(()),
        (_, _) => {}
    }
    // Nobody could say where the body ends and the other protocol begins, if the two sides disagreed.
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

/// Whether the connection is to be switched at all. Of HTTP/1.0 clients `Upgrade` is ignored (RFC 9110 section 7.8),
/// and without its name in `Connection` it was not meant for us.
fn is_asked(context: &RequestContext<'_>) -> bool {
    let mut options = context.head.values(RequestField::Connection).flat_map(field::list);
    context.head.is_http11 && options.any(|option| option.eq_ignore_ascii_case(b"upgrade"))
}
