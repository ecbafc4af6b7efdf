//! Classifies header fields by what the gateway does with them.

mod kinds;
mod of_proxies;

pub use self::kinds::{Field, ForwardedKind, Kind, RequestField, ResponseField};
use self::of_proxies::is_of_a_proxy;
pub use crate::locate::is_token;
use crate::{
    Span,
    reading::{Reading, Treatment},
};

/// Classifies a field of a request. `keys` are the configured key headers in lower case.
///
/// The length is compared first: it alone distinguishes most fields.
pub fn of_request(name: &[u8], keys: &[String]) -> RequestField {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    if let Some(position) = keys.iter().position(|key| key.len() == name.len() && is(key)) {
        return RequestField::Key(u8::try_from(position).unwrap_or(u8::MAX));
    }
    match name.len() {
        2 if is("te") => RequestField::Te,
        3 if is("via") => RequestField::Via,
        4 if is("host") => RequestField::Host,
        4 if is("from") => RequestField::Single(0),
        5 if is("range") => RequestField::Single(1),
        6 if is("origin") => RequestField::Single(2),
        6 if is("expect") => RequestField::Expect,
        6 if is("accept") => RequestField::Accept,
        7 if is("upgrade") => RequestField::HopByHop,
        7 if is("referer") => RequestField::Single(3),
        8 if is("if-match") => RequestField::Single(4),
        8 if is("if-range") => RequestField::Single(5),
        // CGI turns it into `HTTP_PROXY`, which many libraries take as the proxy to use (httpoxy).
        5 if is("proxy") => RequestField::HopByHop,
        9 if is("x-api-key") => RequestField::ApiKey,
        9 if is("forwarded") => RequestField::Forwarded(ForwardedKind::Forwarded),
        10 if is("connection") => RequestField::Connection,
        10 if is("keep-alive") => RequestField::HopByHop,
        10 if is("user-agent") => RequestField::Single(6),
        12 if is("content-type") => RequestField::ContentType,
        12 if is("max-forwards") => RequestField::Single(7),
        12 if is("x-request-id") => RequestField::RequestId,
        13 if is("x-rewrite-url") || is("x-rewrite-uri") || is("x-http-method") => RequestField::Override,
        13 if is("if-none-match") => RequestField::Single(8),
        13 if is("content-range") => RequestField::Single(9),
        13 if is("authorization") => RequestField::Authorization,
        13 if is("x-consumer-id") => RequestField::ConsumerId,
        14 if is("content-length") => RequestField::ContentLength,
        14 if is("http2-settings") => RequestField::HopByHop,
        14 if is("x-original-url") || is("x-original-uri") || is("x-override-url") => RequestField::Override,
        15 if is("idempotency-key") => RequestField::Single(10),
        15 if is("x-forwarded-for") => RequestField::Forwarded(ForwardedKind::For),
        15 if is("x-original-path")
            || is("x-override-path")
            || is("x-path-override")
            || is("x-host-override") =>
        {
            RequestField::Override
        }
        16 | 19 if is("proxy-connection") || is("proxy-authorization") => RequestField::HopByHop,
        16 if is("content-location") => RequestField::Single(11),
        16 if is("x-forwarded-host") => RequestField::Forwarded(ForwardedKind::Host),
        17 if is("if-modified-since") => RequestField::Single(12),
        17 if is("x-method-override") || is("x-original-method") => RequestField::Override,
        17 if is("transfer-encoding") => RequestField::TransferEncoding,
        17 if is("x-forwarded-proto") => RequestField::Forwarded(ForwardedKind::Proto),
        19 if is("if-unmodified-since") => RequestField::Single(13),
        20 if is("x-http-path-override") || is("x-http-host-override") => RequestField::Override,
        22 if is("x-http-method-override") || is("x-original-request-uri") => RequestField::Override,
        6.. if is_of_a_proxy(name) => RequestField::Forwarded(ForwardedKind::Other),
        _ => RequestField::EndToEnd,
    }
}

/// Classifies a field of an upstream's response.
pub fn of_response(name: &[u8]) -> ResponseField {
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    match name.len() {
        2 if is("te") => ResponseField::HopByHop,
        3 if is("via") => ResponseField::Via,
        7 if is("upgrade") => ResponseField::HopByHop,
        8 if is("location") => ResponseField::Location,
        9 if is("ratelimit") => ResponseField::GatewayOnly,
        10 if is("connection") => ResponseField::Connection,
        10 if is("keep-alive") => ResponseField::HopByHop,
        11 if is("retry-after") => ResponseField::RetryAfter,
        12 if is("x-request-id") => ResponseField::GatewayOnly,
        14 if is("content-length") => ResponseField::ContentLength,
        16 if is("ratelimit-policy") => ResponseField::GatewayOnly,
        16 if is("proxy-connection") => ResponseField::HopByHop,
        16 if is("content-location") => ResponseField::Location,
        17 if is("transfer-encoding") => ResponseField::TransferEncoding,
        18 if is("x-rate-limit-limit") || is("x-rate-limit-reset") => ResponseField::GatewayOnly,
        18 if is("proxy-authenticate") => ResponseField::HopByHop,
        22 if is("x-rate-limit-remaining") => ResponseField::GatewayOnly,
        16.. if name.get(..15).is_some_and(|start| start.eq_ignore_ascii_case(b"access-control-")) => {
            ResponseField::Cors
        }
        11.. if is_of_a_limiter(name) => ResponseField::Limiter,
        _ => ResponseField::EndToEnd,
    }
}

/// `RateLimit-Limit` and similar fields of earlier drafts, `X-RateLimit` and `X-Rate-Limit` alone
/// and with a suffix.
fn is_of_a_limiter(name: &[u8]) -> bool {
    let is_of = |family: &[u8]| match name.split_at_checked(family.len()) {
        Some((start, rest)) => start.eq_ignore_ascii_case(family) && matches!(rest, [] | [b'-', ..]),
        None => false,
    };
    // One byte excludes nearly every name.
    match name.get(2).map(u8::to_ascii_lowercase) {
        Some(b't') => is_of(b"ratelimit"),
        Some(b'r') => is_of(b"x-ratelimit") || is_of(b"x-rate-limit"),
        Some(_) | None => false,
    }
}

/// Marks the fields that `Connection` lists as hop-by-hop. Fields that the gateway uses keep their
/// kind: a client cannot get Host or the key dropped by listing them there.
pub fn drop_nominated<K: Kind>(fields: &mut [Field<K>], bytes: &[u8]) {
    let connections: Vec<Span> =
        fields.iter().filter(|field| field.kind == K::CONNECTION).map(|field| field.value).collect();
    let nominated = |name: &[u8]| {
        let mut options = connections.iter().flat_map(|value| list(value.get(bytes)));
        options.any(|option| option.eq_ignore_ascii_case(name))
    };
    for field in fields {
        if field.kind == K::END_TO_END && nominated(field.name.get(bytes)) {
            field.kind = K::HOP_BY_HOP;
        }
    }
}

/// Whether `Connection` may list this field. End-to-end fields on which others rely may not be
/// listed (RFC 9110 section 7.6.1): otherwise a client could get them removed here and make the
/// upstream believe they were never sent.
pub fn may_be_nominated(option: &[u8], keys: &[String]) -> bool {
    const NEVER: [&str; 8] = [
        "cookie",
        "cache-control",
        "pragma",
        "content-encoding",
        "content-language",
        "content-disposition",
        "accept-encoding",
        "date",
    ];
    match of_request(option, keys) {
        RequestField::HopByHop | RequestField::Te | RequestField::Connection => true,
        RequestField::EndToEnd => !NEVER.iter().any(|never| option.eq_ignore_ascii_case(never.as_bytes())),
        RequestField::Host
        | RequestField::ContentLength
        | RequestField::TransferEncoding
        | RequestField::Expect
        | RequestField::Accept
        | RequestField::ContentType
        | RequestField::Authorization
        | RequestField::ApiKey
        | RequestField::Key(_)
        | RequestField::RequestId
        | RequestField::Via
        | RequestField::Forwarded(_)
        | RequestField::ConsumerId
        | RequestField::Single(_)
        | RequestField::Override => false,
    }
}

/// Whether a name has only letters, digits and hyphens. Servers that pass headers on as variables
/// (CGI, WSGI, PHP) turn every other character, and also the hyphen, into an underscore: for them
/// `X_Consumer_Id` is `X-Consumer-Id`.
pub fn is_plain_name(name: &[u8]) -> bool {
    name.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whether two names become the same variable on such servers: `X-Client` and `x_client` do.
pub fn is_same_variable(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().map(in_variable).eq(other.iter().map(in_variable))
}

fn in_variable(byte: &u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

/// The plain name that becomes the same variable.
fn with_hyphens(name: &[u8]) -> Vec<u8> {
    name.iter().map(in_variable).collect()
}

/// How to treat a field whose name has other characters than letters, digits and hyphens. It is
/// never forwarded if a server could mistake it for a key, a field that only the gateway may set,
/// or a field that a check relied on.
pub fn of_odd_name(name: &[u8], reading: &Reading) -> Treatment {
    let is_known = |known: &String| name.eq_ignore_ascii_case(known.as_bytes());
    let treatment = if reading.asked_for.iter().any(is_known) { Treatment::Pass } else { reading.odd_names };
    if treatment == Treatment::Pass && is_variant_spelling(name, &reading.keys) {
        return Treatment::Drop;
    }
    treatment
}

fn is_variant_spelling(name: &[u8], keys: &[String]) -> bool {
    match of_request(&with_hyphens(name), &[]) {
        RequestField::EndToEnd | RequestField::Accept | RequestField::Single(_) => {
            keys.iter().any(|key| is_same_variable(key.as_bytes(), name))
        }
        RequestField::HopByHop
        | RequestField::Host
        | RequestField::ContentLength
        | RequestField::TransferEncoding
        | RequestField::Connection
        | RequestField::Te
        | RequestField::Expect
        | RequestField::ContentType
        | RequestField::Authorization
        | RequestField::ApiKey
        | RequestField::Key(_)
        | RequestField::RequestId
        | RequestField::Via
        | RequestField::Forwarded(_)
        | RequestField::ConsumerId
        | RequestField::Override => true,
    }
}

/// Appends a parsed field as a header line.
#[inline]
pub fn write(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    for part in [name, b": ", value, b"\r\n"] {
        out.extend_from_slice(part);
    }
}

/// Appends a field whose value is a number.
#[inline]
pub fn write_number(name: &[u8], value: u64, out: &mut Vec<u8>) {
    write(name, itoa::Buffer::new().format(value).as_bytes(), out);
}

/// The members of a comma-separated list, without surrounding white space.
#[inline]
pub fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// How to treat a trailer field of a request. A server may merge it into the headers, so it is
/// checked like one.
pub fn of_request_trailer(name: &[u8], reading: &Reading) -> Treatment {
    let mut ours = reading.keys.iter().chain(&reading.subject);
    if ours.any(|own| is_same_variable(own.as_bytes(), name)) {
        return Treatment::Drop; // like the header
    }
    if !is_plain_name(name) {
        let treatment = of_odd_name(name, reading);
        let may_pass = treatment != Treatment::Pass || may_trail(&with_hyphens(name));
        return if may_pass { treatment } else { Treatment::Drop };
    }
    if may_trail(name) { Treatment::Pass } else { Treatment::Refuse }
}

/// Whether a trailer field may be forwarded: no field for framing, routing or authentication (RFC
/// 9110 section 6.5.1).
pub fn may_trail(name: &[u8]) -> bool {
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
    // gRPC sends such fields in trailers.
    let passing = [ResponseField::EndToEnd, ResponseField::RetryAfter, ResponseField::Limiter];
    let reserved = of_request(name, &[]) != RequestField::EndToEnd || !passing.contains(&of_response(name));
    !reserved && !NEVER.iter().any(|never| name.eq_ignore_ascii_case(never.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_field_is_found_by_its_length() {
        for (name, kind) in [
            ("TE", RequestField::Te),
            ("Via", RequestField::Via),
            ("HOST", RequestField::Host),
            ("Expect", RequestField::Expect),
            ("Accept", RequestField::Accept),
            ("Upgrade", RequestField::HopByHop),
            ("Forwarded", RequestField::Forwarded(ForwardedKind::Forwarded)),
            ("Connection", RequestField::Connection),
            ("Keep-Alive", RequestField::HopByHop),
            ("Content-Type", RequestField::ContentType),
            ("X-Request-Id", RequestField::RequestId),
            ("Authorization", RequestField::Authorization),
            ("X-Consumer-Id", RequestField::ConsumerId),
            ("Content-Length", RequestField::ContentLength),
            ("HTTP2-Settings", RequestField::HopByHop),
            ("X-Forwarded-For", RequestField::Forwarded(ForwardedKind::For)),
            ("Proxy-Connection", RequestField::HopByHop),
            ("X-Forwarded-Host", RequestField::Forwarded(ForwardedKind::Host)),
            ("Transfer-Encoding", RequestField::TransferEncoding),
            ("X-Forwarded-Port", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Real-IP", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Forwarded-Proto", RequestField::Forwarded(ForwardedKind::Proto)),
            ("Proxy-Authorization", RequestField::HopByHop),
            ("X-API-Key", RequestField::Key(0)),
            ("User-Agent", RequestField::Single(6)),
            ("If-None-Match", RequestField::Single(8)),
            ("X-HTTP-Method-Override", RequestField::Override),
            ("X-Original-URL", RequestField::Override),
            ("True-Client-IP", RequestField::Forwarded(ForwardedKind::Other)),
            ("Proxy", RequestField::HopByHop),
            ("X-HTTP-Path-Override", RequestField::Override),
            ("X-HTTP-Host-Override", RequestField::Override),
            ("X-Original-Method", RequestField::Override),
            ("X-Original-Path", RequestField::Override),
            ("X-Envoy-Original-Path", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Envoy-External-Address", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Original-Host", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Forwarded", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Scheme", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Url-Scheme", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Real-Port", RequestField::Forwarded(ForwardedKind::Other)),
            ("Front-End-Https", RequestField::Forwarded(ForwardedKind::Other)),
            ("X-Elapsed-Time", RequestField::EndToEnd),
            ("Cookie", RequestField::EndToEnd),
        ] {
            assert_eq!(of_request(name.as_bytes(), &["x-api-key".into()]), kind, "{name}");
        }
        for (name, kind) in [
            ("Location", ResponseField::Location),
            ("Content-Location", ResponseField::Location),
            ("RateLimit", ResponseField::GatewayOnly),
            ("RateLimit-Policy", ResponseField::GatewayOnly),
            ("X-Rate-Limit-Limit", ResponseField::GatewayOnly),
            ("X-Rate-Limit-Remaining", ResponseField::GatewayOnly),
            ("X-Rate-Limit-Reset", ResponseField::GatewayOnly),
            ("Proxy-Authenticate", ResponseField::HopByHop),
            ("X-Request-ID", ResponseField::GatewayOnly),
            ("Access-Control-Allow-Origin", ResponseField::Cors),
            ("X-RateLimit", ResponseField::Limiter),
            ("X-Rate-Limit", ResponseField::Limiter),
            ("X-RateLimit-Limit", ResponseField::Limiter),
            ("RateLimit-Reset", ResponseField::Limiter),
            ("X-RateLimited", ResponseField::EndToEnd),
            ("TE", ResponseField::HopByHop),
            ("Server", ResponseField::EndToEnd),
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
        // Custom metadata of gRPC, which is sent in the trailers of a response.
        assert!(may_trail(b"app_code") && may_trail(b"app.code-bin"));
        assert!(may_trail(b"Retry-After") && may_trail(b"X-RateLimit-Remaining"));
    }

    #[test]
    fn a_name_that_becomes_the_same_variable_as_another_never_passes() {
        let reading = |odd_names| Reading {
            keys: vec!["x-api-key".into()],
            asked_for: vec!["x_declared".into(), "x_api_key".into()],
            odd_names,
            subject: Some("X-Client-Subject".into()),
            ..Reading::default()
        };
        let pass = reading(Treatment::Pass);
        for name in [
            "X_API_Key",
            "x.api.key",
            "X_Consumer_Id",
            "X_Forwarded_For",
            "X_HTTP_Method_Override",
            "Proxy_",
            "X_Request_Id",
            "x.request.id",
            "Content_Type",
            "Remote_User",
            "Client.Cert",
            "X_SSL_Client_Cert",
        ] {
            let expected = if name == "Proxy_" { Treatment::Pass } else { Treatment::Drop };
            assert_eq!(of_odd_name(name.as_bytes(), &pass), expected, "{name}");
            assert_eq!(of_request_trailer(name.as_bytes(), &pass), expected, "{name}");
        }
        // Trailers exclude even fields that are allowed as headers.
        for name in ["Content_Range", "If_Match", "Idempotency_Key", "Cache_Control", "Cookie_"] {
            let expected = if name == "Cookie_" { Treatment::Pass } else { Treatment::Drop };
            assert_eq!(of_odd_name(name.as_bytes(), &pass), Treatment::Pass, "{name}");
            assert_eq!(of_request_trailer(name.as_bytes(), &pass), expected, "{name}");
        }
        assert_eq!(
            of_odd_name(b"X_API_Key", &Reading { keys: Vec::new(), ..reading(Treatment::Pass) }),
            Treatment::Drop
        );
        assert_eq!(of_odd_name(b"x_declared", &reading(Treatment::Refuse)), Treatment::Pass);
        assert_eq!(of_odd_name(b"X_API_Key", &reading(Treatment::Refuse)), Treatment::Drop);
        assert_eq!(of_odd_name(b"X_A", &reading(Treatment::Refuse)), Treatment::Refuse);
        for (name, expected) in [
            ("X-Sum", Treatment::Pass),
            ("X_A", Treatment::Drop),
            ("X-API-Key", Treatment::Drop),
            ("x-client-subject", Treatment::Drop),
            ("X_Client_Subject", Treatment::Drop),
            ("Authorization", Treatment::Refuse),
            ("X-Consumer-Id", Treatment::Refuse),
        ] {
            assert_eq!(of_request_trailer(name.as_bytes(), &reading(Treatment::Drop)), expected, "{name}");
        }
    }
}
