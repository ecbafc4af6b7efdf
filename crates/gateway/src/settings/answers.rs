//! What is done to answers: compression, and CORS.

use std::time::Duration;

/// What a page may read of an answer beside what every page may: all that this gateway tells in headers.
const EXPOSED: &str = "X-Request-Id, X-Rate-Limit-Limit, X-Rate-Limit-Remaining, X-Rate-Limit-Reset, \
     RateLimit, RateLimit-Policy, Retry-After, Location, Link, Allow, Deprecation, WWW-Authenticate, Grpc-Status, Grpc-Message";

/// Which answers are compressed for clients that accept it.
#[derive(Debug, Clone)]
pub struct Compression {
    /// Media types in small letters, with at most one star each.
    pub types: Vec<String>,
    /// Bytes from which on it is worth it.
    pub minimum: u64,
}

/// Which pages of other origins may read answers.
#[derive(Debug, Clone)]
pub struct Cors {
    /// Whose pages.
    pub origins: Origins,
    /// Methods that they may use. Empty: those that they ask for.
    pub methods: Vec<String>,
    /// Headers that they may send. Empty: those that they ask for.
    pub headers: Vec<String>,
    /// Whether they may send cookies and read what they get for them.
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight.
    pub max_age: Duration,
    /// Headers of answers that they may read, as one list.
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

/// An origin, or many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This one, as browsers write it.
    Exact(String),
    /// All hosts below one.
    Below {
        /// With `://`.
        scheme: String,
        /// From the dot before the name on, with the port.
        tail: String,
    },
}

impl Origin {
    /// Whether a browser that says this means it.
    pub fn is(&self, said: &[u8]) -> bool {
        match self {
            Self::Exact(origin) => said == origin.as_bytes(),
            Self::Below { scheme, tail } => said
                .strip_prefix(scheme.as_bytes())
                .and_then(|host| host.strip_suffix(tail.as_bytes()))
                // Labels of a host only, or what looks like one host could end in another one.
                .is_some_and(|labels| {
                    !labels.is_empty()
                        && labels.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
                }),
        }
    }
}

/// The response headers that pages may read: those that the gateway itself adds, and `more`.
pub fn exposed_to_pages(more: &[String]) -> String {
    let own = EXPOSED;
    std::iter::once(own).chain(more.iter().map(String::as_str)).collect::<Vec<_>>().join(", ")
}
