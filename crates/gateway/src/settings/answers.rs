//! Processing of responses: compression and CORS.

use std::time::Duration;

/// Headers that a page may read in addition to the safelisted ones: all that this gateway adds.
const EXPOSED: &str = "X-Request-Id, X-Rate-Limit-Limit, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, \
     RateLimit, RateLimit-Policy, Retry-After, Location, Link, Allow, Deprecation, WWW-Authenticate, Grpc-Status, Grpc-Message";

/// Which responses are compressed for clients that accept it.
#[derive(Debug, Clone)]
pub struct Compression {
    /// Media types in lower case, with at most one asterisk each.
    pub types: Vec<String>,
    /// Minimum size to compress.
    pub minimum: u64,
}

/// Which pages of other origins may read responses.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Their origins.
    pub origins: Origins,
    /// Allowed methods. Empty: the requested ones.
    pub methods: Vec<String>,
    /// Allowed headers. Empty: the requested ones.
    pub headers: Vec<String>,
    /// Whether they may send cookies and read the response.
    pub credentials: bool,
    /// How long a browser may cache the response to a preflight.
    pub max_age: Duration,
    /// Response headers that they may read, as one list.
    pub exposed: String,
}

/// Origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// All.
    Any,
    /// These.
    These(Vec<Origin>),
}

/// One origin, or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This one, as browsers serialize it.
    Exact(String),
    /// All hosts below one.
    Below {
        /// With `://`.
        scheme: String,
        /// From the dot before the name, with the port.
        tail: String,
    },
}

impl Origin {
    /// Whether it matches the Origin header of a browser.
    pub fn is(&self, origin: &[u8]) -> bool {
        match self {
            Self::Exact(exact) => origin == exact.as_bytes(),
            Self::Below { scheme, tail } => origin
                .strip_prefix(scheme.as_bytes())
                .and_then(|host| host.strip_suffix(tail.as_bytes()))
                // Only labels of a host, otherwise the match could end inside another host name.
                .is_some_and(|labels| {
                    !labels.is_empty()
                        && labels.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                }),
        }
    }
}

/// The response headers that pages may read: those that the gateway adds, and `more`.
pub fn exposed_to_pages(more: &[String]) -> String {
    let own = EXPOSED;
    std::iter::once(own).chain(more.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}
