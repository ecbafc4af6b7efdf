//! Header fields by what the gateway has to do with them.

use super::Span;

/// One header field of a head.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field {
    pub(crate) name: Span,
    pub(crate) value: Span,
    pub(crate) kind: FieldKind,
}

/// What a header field means to the gateway. Everything else is [`FieldKind::EndToEnd`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldKind {
    /// Passed on untouched.
    EndToEnd,
    /// Of this connection only (RFC 9110 section 7.6.1): never passed on.
    HopByHop,
    Host,
    ContentLength,
    TransferEncoding,
    Connection,
    Te,
    Expect,
    Accept,
    ContentType,
    Authorization,
    /// One of the headers of `[keys] headers`, by its position there.
    Key(u8),
    RequestId,
    Via,
    /// `Forwarded`, `X-Forwarded-*`: written anew.
    Forwarded(ForwardedKind),
    /// What only the gateway may say to the upstream (`X-Consumer-Id`).
    ConsumerId,
    /// What only the gateway may say to the client (`X-Rate-Limit-*`, `RateLimit*`).
    RateLimit,
    Location,
}

/// Which of the fields that tell where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForwardedKind {
    Forwarded,
    For,
    Proto,
    Host,
    /// `X-Forwarded-Port`, `X-Real-IP` and others: passed on only from a trusted proxy.
    Other,
}

/// What a request's field is. `keys` are the configured key headers in lower case.
///
/// The length is looked at first: most fields are told apart by it alone.
pub(crate) fn of_request(name: &[u8], keys: &[String]) -> FieldKind {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if let Some(position) = keys.iter().position(|key| key.len() == name.len() && is(key)) {
        return FieldKind::Key(u8::try_from(position).unwrap_or(u8::MAX));
    }
    match name.len() {
        2 if is("te") => FieldKind::Te,
        3 if is("via") => FieldKind::Via,
        4 if is("host") => FieldKind::Host,
        6 if is("expect") => FieldKind::Expect,
        6 if is("accept") => FieldKind::Accept,
        7 if is("upgrade") => FieldKind::HopByHop,
        9 if is("x-real-ip") => FieldKind::Forwarded(ForwardedKind::Other),
        9 if is("forwarded") => FieldKind::Forwarded(ForwardedKind::Forwarded),
        10 if is("connection") => FieldKind::Connection,
        10 if is("keep-alive") => FieldKind::HopByHop,
        12 if is("content-type") => FieldKind::ContentType,
        12 if is("x-request-id") => FieldKind::RequestId,
        13 if is("authorization") => FieldKind::Authorization,
        13 if is("x-consumer-id") => FieldKind::ConsumerId,
        14 if is("content-length") => FieldKind::ContentLength,
        14 if is("http2-settings") => FieldKind::HopByHop,
        15 if is("x-forwarded-for") => FieldKind::Forwarded(ForwardedKind::For),
        16 if is("proxy-connection") => FieldKind::HopByHop,
        16 if is("x-forwarded-host") => FieldKind::Forwarded(ForwardedKind::Host),
        17 if is("transfer-encoding") => FieldKind::TransferEncoding,
        17 if is("x-forwarded-proto") => FieldKind::Forwarded(ForwardedKind::Proto),
        19 if is("proxy-authorization") => FieldKind::HopByHop,
        14.. if name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"x-forwarded-")) => {
            FieldKind::Forwarded(ForwardedKind::Other)
        }
        _ => FieldKind::EndToEnd,
    }
}

/// What a field of an upstream's answer is.
pub(crate) fn of_response(name: &[u8]) -> FieldKind {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    match name.len() {
        3 if is("via") => FieldKind::Via,
        7 if is("upgrade") => FieldKind::HopByHop,
        8 if is("location") => FieldKind::Location,
        9 if is("ratelimit") => FieldKind::RateLimit,
        10 if is("connection") => FieldKind::Connection,
        10 if is("keep-alive") => FieldKind::HopByHop,
        12 if is("x-request-id") => FieldKind::RequestId,
        14 if is("content-length") => FieldKind::ContentLength,
        16 if is("ratelimit-policy") => FieldKind::RateLimit,
        16 if is("proxy-connection") => FieldKind::HopByHop,
        16 if is("content-location") => FieldKind::Location,
        17 if is("transfer-encoding") => FieldKind::TransferEncoding,
        18 if is("x-rate-limit-limit") || is("x-rate-limit-reset") => FieldKind::RateLimit,
        18 if is("proxy-authenticate") => FieldKind::HopByHop,
        22 if is("x-rate-limit-remaining") => FieldKind::RateLimit,
        _ => FieldKind::EndToEnd,
    }
}

/// The members of a comma-separated list, without white space around them.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// Whether a trailer field may be passed on: nothing that frames, routes or authenticates
/// (RFC 9110 section 6.5.1).
pub(crate) fn may_trail(name: &[u8]) -> bool {
    const NEVER: [&str; 12] = [
        "content-type",
        "content-encoding",
        "content-range",
        "trailer",
        "te",
        "cache-control",
        "set-cookie",
        "authorization",
        "www-authenticate",
        "x-consumer-id",
        "x-request-id",
        "cookie",
    ];
    let reserved = of_request(name, &[]) != FieldKind::EndToEnd || of_response(name) != FieldKind::EndToEnd;
    !reserved && !NEVER.iter().any(|never| name.eq_ignore_ascii_case(never.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_field_is_found_by_its_length() {
        for (name, kind) in [
            ("TE", FieldKind::Te),
            ("Via", FieldKind::Via),
            ("HOST", FieldKind::Host),
            ("Expect", FieldKind::Expect),
            ("Accept", FieldKind::Accept),
            ("Upgrade", FieldKind::HopByHop),
            ("Forwarded", FieldKind::Forwarded(ForwardedKind::Forwarded)),
            ("Connection", FieldKind::Connection),
            ("Keep-Alive", FieldKind::HopByHop),
            ("Content-Type", FieldKind::ContentType),
            ("X-Request-Id", FieldKind::RequestId),
            ("Authorization", FieldKind::Authorization),
            ("X-Consumer-Id", FieldKind::ConsumerId),
            ("Content-Length", FieldKind::ContentLength),
            ("HTTP2-Settings", FieldKind::HopByHop),
            ("X-Forwarded-For", FieldKind::Forwarded(ForwardedKind::For)),
            ("Proxy-Connection", FieldKind::HopByHop),
            ("X-Forwarded-Host", FieldKind::Forwarded(ForwardedKind::Host)),
            ("Transfer-Encoding", FieldKind::TransferEncoding),
            ("X-Forwarded-Port", FieldKind::Forwarded(ForwardedKind::Other)),
            ("X-Real-IP", FieldKind::Forwarded(ForwardedKind::Other)),
            ("X-Forwarded-Proto", FieldKind::Forwarded(ForwardedKind::Proto)),
            ("Proxy-Authorization", FieldKind::HopByHop),
            ("X-API-Key", FieldKind::Key(0)),
            ("User-Agent", FieldKind::EndToEnd),
        ] {
            assert_eq!(of_request(name.as_bytes(), &["x-api-key".into()]), kind, "{name}");
        }
        for (name, kind) in [
            ("Location", FieldKind::Location),
            ("Content-Location", FieldKind::Location),
            ("RateLimit", FieldKind::RateLimit),
            ("RateLimit-Policy", FieldKind::RateLimit),
            ("X-Rate-Limit-Limit", FieldKind::RateLimit),
            ("X-Rate-Limit-Remaining", FieldKind::RateLimit),
            ("X-Rate-Limit-Reset", FieldKind::RateLimit),
            ("Proxy-Authenticate", FieldKind::HopByHop),
            ("X-Request-ID", FieldKind::RequestId),
            ("Server", FieldKind::EndToEnd),
        ] {
            assert_eq!(of_response(name.as_bytes()), kind, "{name}");
        }
    }

    #[test]
    fn a_trailer_cannot_smuggle_what_frames_or_authenticates() {
        for never in [
            "Content-Length",
            "Transfer-Encoding",
            "Host",
            "Authorization",
            "Set-Cookie",
            "X-Consumer-Id",
            "Location",
        ] {
            assert!(!may_trail(never.as_bytes()), "{never}");
        }
        assert!(may_trail(b"Grpc-Status") && may_trail(b"X-Checksum"));
    }
}
