//! The kinds of header fields.

use crate::Span;

/// One header field of a head.
#[derive(Debug, Clone, Copy)]
pub struct Field<K> {
    /// Its name, as it was written.
    pub name: Span,
    /// Its value, without white space around it.
    pub value: Span,
    /// What it means.
    pub kind: K,
}

/// What a field is to the connection that it came on, in requests and answers alike.
pub trait Kind: Copy + PartialEq {
    /// Passed on untouched.
    const END_TO_END: Self;
    /// Of this connection only: never passed on.
    const HOP_BY_HOP: Self;
    /// `Connection` itself.
    const CONNECTION: Self;
}

/// What a field of a request means to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestField {
    /// Passed on untouched.
    EndToEnd,
    /// Of this connection only (RFC 9110 section 7.6.1): never passed on.
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
    /// `X-API-Key` where `[keys] headers` has other names: the upstream's, unless somebody sent a key of this API there.
    ApiKey,
    /// One of the headers of `[keys] headers`, by its position there.
    Key(u8),
    /// `X-Request-Id`.
    RequestId,
    /// `Via`.
    Via,
    /// `Forwarded`, `X-Forwarded-*`: written anew.
    Forwarded(ForwardedKind),
    /// What only the gateway may say to the upstream (`X-Consumer-Id`).
    ConsumerId,
    /// Passed on untouched, but only once: by its bit in a set of those that were seen.
    Single(u8),
    /// Some servers take another path or method from it than from the request line.
    Override,
}

/// What a field of an upstream's answer means to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerField {
    /// Passed on untouched.
    EndToEnd,
    /// Of this connection only (RFC 9110 section 7.6.1): never passed on.
    HopByHop,
    /// `Connection`.
    Connection,
    /// `Content-Length`.
    ContentLength,
    /// `Transfer-Encoding`.
    TransferEncoding,
    /// `Via`.
    Via,
    /// `Location` and `Content-Location`: may name the upstream's own origin.
    Location,
    /// `Access-Control-*`: the upstream's word on which pages may read its answer.
    Cors,
    /// What only the gateway may say to the client: `X-Request-Id`, `X-Rate-Limit-*`, `RateLimit*`.
    GatewayOnly,
    /// `Retry-After`.
    RetryAfter,
    /// What a limiter of the upstream's own says of its limits.
    Limiter,
}

/// Which of the fields that tell where a request came from.
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
    /// `X-Forwarded-Port`, `X-Real-IP` and others: passed on only from a trusted proxy.
    Other,
}

impl Kind for RequestField {
    const END_TO_END: Self = Self::EndToEnd;
    const HOP_BY_HOP: Self = Self::HopByHop;
    const CONNECTION: Self = Self::Connection;
}

impl Kind for AnswerField {
    const END_TO_END: Self = Self::EndToEnd;
    const HOP_BY_HOP: Self = Self::HopByHop;
    const CONNECTION: Self = Self::Connection;
}
