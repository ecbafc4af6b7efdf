//! The kinds of header fields.

use crate::Span;

/// A header field.
#[derive(Debug, Clone, Copy)]
pub struct Field<K> {
    /// Its name, as received.
    pub name: Span,
    /// Its value, without surrounding white space.
    pub value: Span,
    /// Its kind.
    pub kind: K,
}

/// Kinds that requests and responses have in common.
pub trait Kind: Copy + PartialEq {
    /// Forwarded unchanged.
    const END_TO_END: Self;
    /// Hop-by-hop: never forwarded.
    const HOP_BY_HOP: Self;
    /// `Connection` itself.
    const CONNECTION: Self;
}

/// What a field of a request means to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestField {
    /// Forwarded unchanged.
    EndToEnd,
    /// Hop-by-hop (RFC 9110 section 7.6.1): never forwarded.
    HopByHop,
    /// `Host`.
    Host,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Connection`.
    Connection,
    /// `TE`.
    Te,
    /// `Expect`.
    Expect,
    /// `Accept`.
    Accept,
    /// `Content-Type`.
    ContentType,
    /// `Authorization`.
    Authorization,
    /// `X-API-Key` if `[keys] headers` has other names: it belongs to the upstream, unless it
    /// contains a key of this API.
    ApiKey,
    /// One of the headers of `[keys] headers`, by its position there.
    Key(u8),
    /// `X-Request-Id`.
    RequestId,
    /// `Via`.
    Via,
    /// `Forwarded`, `X-Forwarded-*`: replaced by our own.
    Forwarded(ForwardedKind),
    /// A field that only the gateway may send to the upstream (`X-Consumer-Id`).
    ConsumerId,
    /// Forwarded unchanged, but at most once: its bit in the set of fields already seen.
    Single(u8),
    /// Some servers take the path or method from it instead of the request line.
    Override,
}

/// What a field of an upstream's response means to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseField {
    /// Forwarded unchanged.
    EndToEnd,
    /// Hop-by-hop (RFC 9110 section 7.6.1): never forwarded.
    HopByHop,
    /// `Connection`.
    Connection,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Via`.
    Via,
    /// `Location` and `Content-Location`: may contain the upstream's own origin.
    Location,
    /// `Access-Control-*`: the upstream's own CORS policy.
    Cors,
    /// Fields that only the gateway may send to the client: `X-Request-Id`, `X-Rate-Limit-*`, `RateLimit*`.
    GatewayOnly,
    /// `Retry-After`.
    RetryAfter,
    /// Rate-limit fields of a limiter at the upstream.
    Limiter,
}

/// Which of the fields that state where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedKind {
    /// `Forwarded`.
    Forwarded,
    /// `X-Forwarded-For`.
    For,
    /// `X-Forwarded-Proto`.
    Proto,
    /// `X-Forwarded-Host`.
    Host,
    /// `X-Forwarded-Port`, `X-Real-IP` and others: forwarded only from a trusted proxy.
    Other,
}

impl Kind for RequestField {
    const END_TO_END: Self = Self::EndToEnd;
    const HOP_BY_HOP: Self = Self::HopByHop;
    const CONNECTION: Self = Self::Connection;
}

impl Kind for ResponseField {
    const END_TO_END: Self = Self::EndToEnd;
    const HOP_BY_HOP: Self = Self::HopByHop;
    const CONNECTION: Self = Self::Connection;
}
