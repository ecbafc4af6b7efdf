//! The request to the upstream: serialized from what was parsed.

use super::{
    forwarded,
    lists::{Lists, prolong},
    rpc::Protocol,
};
use crate::{
    context::RequestContext,
    policies::{key::is_credential, own_key},
};
use contract::key;
use http1::{
    body::Framing,
    field::{self, ForwardedKind, RequestField},
};
use upstream::{Backend, Service, location};

/// The gateway's entry in `Via`, with the received protocol version.
pub(super) const fn via(is_http11: bool, is_http2: bool) -> &'static [u8] {
    match (is_http2, is_http11) {
        (true, _) => b"2.0 fairgate",
        (false, true) => b"1.1 fairgate",
        (false, false) => b"1.0 fairgate",
    }
}

/// Appends the head, for one of the service's addresses. `slash`: the upstream requires one at the
/// end of the path.
pub(crate) fn write_head(
    context: &RequestContext<'_>,
    to: (&Service, &Backend),
    framing: Framing,
    body_was_read: bool,
    slash: bool,
    out: &mut Vec<u8>,
) {
    let start = out.len();
    // Hardly any request contains a key of ours in a wrong place: searching the output is cheaper
    // than searching each field.
    if write(context, to, framing, body_was_read, slash, Keys::LookedFor, out).is_err() {
        out.truncate(start);
        let _ = write(context, to, framing, body_was_read, slash, Keys::LeftOut, out); // contains none any more
    }
}

/// What to do with a key of ours in a wrong place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Stop at the first one.
    LookedFor,
    /// Omit what contains one: a field, a cookie, a query parameter.
    LeftOut,
}

impl Keys {
    fn leaves_out(self, value: &[u8]) -> bool {
        match self {
            Self::LookedFor => false,
            Self::LeftOut => key::position(value).is_some(),
        }
    }
}

/// A key of ours in a wrong place.
struct KeyFound;

fn write(
    context: &RequestContext<'_>,
    to: (&Service, &Backend),
    framing: Framing,
    body_was_read: bool,
    slash: bool,
    keys: Keys,
    out: &mut Vec<u8>,
) -> Result<(), KeyFound> {
    let start = out.len();
    write_request_line_and_host(context, to, slash, keys, out);
    let lists = write_fields(context, to, body_was_read, keys, out);
    // After this, everything but the received lists is our own.
    if keys == Keys::LookedFor && holds_key(context, out.get(start..).unwrap_or_default(), &lists) {
        return Err(KeyFound);
    }
    prolong(b"Via", lists.via, via(context.head.is_http11, context.head.is_http2), out);
    forwarded::write(context, &lists, out);
    field::write(b"X-Request-Id", context.id.as_bytes(), out);
    if let Some(key) = &context.key {
        field::write(b"X-Consumer-Id", key.id().as_bytes(), out);
    }
    if let (Some(name), Some(subject)) = (subject_header(context), &context.peer.subject) {
        field::write(name.as_bytes(), subject.as_bytes(), out);
    }
    match (context.upgrade, context.head.takes_trailers) {
        (Some(protocol), takes_trailers) => {
            field::write(b"Upgrade", protocol.as_bytes(), out);
            out.extend_from_slice(if takes_trailers {
                b"TE: trailers\r\nConnection: Upgrade, TE\r\n"
            } else {
                b"Connection: Upgrade\r\n"
            });
        }
        (None, true) => out.extend_from_slice(b"TE: trailers\r\nConnection: TE\r\n"),
        (None, false) => {}
    }
    write_framing(context, framing, out);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn holds_key(context: &RequestContext<'_>, written: &[u8], lists: &Lists<'_>) -> bool {
    let received = [lists.via, lists.forwarded, lists.forwarded_for];
    key::position(written).is_some()
        || received.into_iter().flatten().any(|list| key::position(list).is_some())
        || context.head.query().is_some_and(|query| key::in_encoded(query.as_bytes()).is_some())
}

fn write_request_line_and_host(
    context: &RequestContext<'_>,
    (service, backend): (&Service, &Backend),
    slash: bool,
    keys: Keys,
    out: &mut Vec<u8>,
) {
    let head = &context.head;
    let [base, path] = service.inner_path(head.path());
    for part in [head.method(), " ", base, path, if slash { "/" } else { "" }] {
        out.extend_from_slice(part.as_bytes());
    }
    match (head.query(), keys) {
        (None, _) => {}
        (Some(query), Keys::LookedFor) => {
            out.push(b'?');
            write_query(query, context.has_checked_query, out);
        }
        (Some(query), Keys::LeftOut) => write_parameters_without_key(query, context.has_checked_query, out),
    }
    let host = service.own_host(backend).unwrap_or_else(|| head.host());
    let host = if host.is_empty() { &backend.authority } else { host };
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends the query. For some servers a semicolon separates parameters like `&`; where parameters
/// were checked, the query must mean the same to the upstream.
fn write_query(query: &str, was_checked: bool, out: &mut Vec<u8>) {
    let mut rest = query.as_bytes();
    while was_checked && let Some(at) = memchr::memchr(b';', rest) {
        out.extend_from_slice(rest.get(..at).unwrap_or_default());
        out.extend_from_slice(b"%3B");
        rest = rest.get(at + 1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends the query without the parameters that contain a key.
fn write_parameters_without_key(query: &str, was_checked: bool, out: &mut Vec<u8>) {
    let mut mark = b'?';
    for parameter in query.split('&').filter(|parameter| key::find(parameter.as_bytes()).is_none()) {
        out.push(std::mem::replace(&mut mark, b'&'));
        write_query(parameter, was_checked, out);
    }
}

/// Appends the cookies that contain no key.
fn write_cookies_without_key(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let cookies = value.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    let kept: Vec<&[u8]> = cookies.filter(|cookie| key::position(cookie).is_none()).collect();
    if !kept.is_empty() {
        field::write(name, &kept.join(&b"; "[..]), out);
    }
}

/// Appends `Destination`: where COPY and MOVE lead to is a URL of this API, as the target of the request is.
fn write_destination(
    context: &RequestContext<'_>,
    (service, backend): (&Service, &Backend),
    (name, value): (&[u8], &[u8]),
    out: &mut Vec<u8>,
) {
    let url = std::str::from_utf8(value).unwrap_or_default();
    let inner = location::inner(service, url, context.public(), service.own_host(backend));
    field::write(name, inner.as_deref().map_or(value, str::as_bytes), out);
}

/// Appends the forwarded fields.
fn write_fields<'v>(
    context: &'v RequestContext<'_>,
    (service, backend): (&Service, &Backend),
    body_was_read: bool,
    keys: Keys,
    out: &mut Vec<u8>,
) -> Lists<'v> {
    let head = &context.head;
    let key_is_in_header =
        head.fields().any(|(_, value, kind)| matches!(kind, RequestField::Key(_)) && !value.is_empty());
    let mut lists = Lists::default();
    let subject = subject_header(context);
    // The outcome of such a call is in its body, which must be readable here.
    let reads_body =
        head.value(RequestField::ContentType).and_then(Protocol::of).is_some_and(Protocol::ends_in_body);
    for (name, value, kind) in head.fields() {
        // Only we may identify a client, whatever the client itself claims.
        if subject.is_some_and(|subject| field::is_same_variable(subject.as_bytes(), name)) {
            continue;
        }
        if keys.leaves_out(value) {
            if kind == RequestField::EndToEnd && name.eq_ignore_ascii_case(b"cookie") {
                write_cookies_without_key(name, value, out);
            }
            continue;
        }
        let list = match kind {
            RequestField::EndToEnd if reads_body && name.eq_ignore_ascii_case(b"accept-encoding") => continue,
            RequestField::EndToEnd if name.eq_ignore_ascii_case(b"destination") => {
                write_destination(context, (service, backend), (name, value), out);
                continue;
            }
            // Forgeable fields are dropped; those of a trusted proxy are passed on or extended.
            RequestField::Forwarded(_) if !context.is_peer_trusted => continue,
            RequestField::EndToEnd
            | RequestField::Accept
            | RequestField::ContentType
            | RequestField::Single(_)
            | RequestField::Forwarded(ForwardedKind::Proto | ForwardedKind::Host | ForwardedKind::Other) => {
                field::write(name, value, out);
                continue;
            }
            // Expect is ignored in HTTP/1.0, and without a body it has no meaning.
            RequestField::Expect if !body_was_read && head.expects_continue => {
                field::write(name, value, out);
                continue;
            }
            // The credential that admitted the request is for the gateway, and so is any other key
            // of ours. Other credentials are for the upstream.
            RequestField::Authorization
                if (context.key.is_none() || key_is_in_header || !is_credential(value))
                    && own_key::in_value(context, value).is_none() =>
            {
                field::write(name, value, out);
                continue;
            }
            RequestField::ApiKey if own_key::in_value(context, value).is_none() => {
                field::write(name, value, out);
                continue;
            }
            RequestField::Via => &mut lists.via,
            RequestField::Forwarded(ForwardedKind::Forwarded) => &mut lists.forwarded,
            RequestField::Forwarded(ForwardedKind::For) => &mut lists.forwarded_for,
            RequestField::Expect
            | RequestField::Authorization
            | RequestField::ApiKey
            | RequestField::HopByHop
            | RequestField::Host
            | RequestField::ContentLength
            | RequestField::TransferEncoding
            | RequestField::Connection
            | RequestField::Te
            | RequestField::Key(_)
            | RequestField::RequestId
            | RequestField::ConsumerId
            | RequestField::Override => continue,
        };
        if let Some(earlier) = list.replace(value) {
            field::write(name, earlier, out);
        }
    }
    lists
}

/// Name of the header with the subject of the client's certificate.
fn subject_header<'v>(context: &'v RequestContext<'_>) -> Option<&'v str> {
    context.config.settings.tls.as_ref()?.subject_header.as_deref()
}

fn write_framing(context: &RequestContext<'_>, framing: Framing, out: &mut Vec<u8>) {
    let head = &context.head;
    match framing {
        Framing::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        // A method that usually has a body sends a length of 0 without one (RFC 9110 section 8.6).
        Framing::Length(0)
            if !matches!(head.method(), "POST" | "PUT" | "PATCH")
                && head.value(RequestField::ContentLength).is_none() => {}
        Framing::Length(length) => {
            field::write_number(b"Content-Length", length, out);
        }
        Framing::UntilClose => {} // not possible in requests
    }
}
