//! The endpoints of the API, and those that have moved.

use super::Access;
use contract::RedirectStatus;
use openapi::rules::RequestRules;
use reference::Takes;
use std::sync::Arc;

/// The declared endpoints.
///
/// Two variants, so that an empty list never means "every path": a document that lost its
/// operations would open every path.
#[derive(Debug, Clone)]
pub enum Endpoints {
    /// No endpoints are declared: every path and method is allowed with a key.
    AnyPath,
    /// Only these. If the list is empty, every request gets a 404.
    Declared(Vec<Endpoint>),
}

impl Default for Endpoints {
    /// Fails closed.
    fn default() -> Self {
        Self::Declared(Vec::new())
    }
}

impl Endpoints {
    /// The declared ones.
    pub fn declared(&self) -> &[Endpoint] {
        match self {
            Self::AnyPath => &[],
            Self::Declared(endpoints) => endpoints,
        }
    }
}

/// An endpoint of the API.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The method in upper case.
    pub method: String,
    /// Path template such as `/items/{id}`. A trailing slash is kept.
    pub path: String,
    /// The required permissions: a key must have all of one of these sets. Empty: any key is sufficient.
    pub permissions: Vec<Vec<String>>,
    /// Open to everyone, without a key.
    pub public: bool,
    /// The cost of a success in units, at least 1. With `cost_header`, the maximum cost.
    pub cost: u32,
    /// Name, in lower case, of the upstream's header with the cost of a success. None: always `cost`.
    pub cost_header: Option<String>,
    /// The group whose limits count requests to it, in addition to limits of all endpoints.
    pub group: Option<Arc<str>>,
    /// Overrides [`Sizes::body`].
    pub max_body: Option<u64>,
    /// Which of the addresses that may use the API may use it.
    pub access: Access,
    /// Rules for parameters and body, checked before the request is forwarded. None: anything passes.
    pub rules: Option<Arc<RequestRules>>,
    /// It has moved permanently to this path template, which uses only parameters of `path`.
    pub moved_to: Option<String>,
    /// It still works, but clients should stop using it.
    pub deprecated: Option<Deprecated>,
    /// The service that its requests go to. None: the one for their host and path.
    pub service: Option<Arc<str>>,
    /// Its operation in the document, if named.
    pub operation: Option<OperationName>,
    /// A one-line description for the reference. May be empty.
    pub summary: String,
    /// Its group in the reference. May be empty.
    pub tag: String,
    /// A description of `rules` for the reference.
    pub takes: Arc<Takes>,
}

/// The name of an operation in a document. With several base paths it is several endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationName {
    /// Its `operationId`.
    pub id: String,
    /// Its path without a base path.
    pub path: String,
}

/// An endpoint that is a named operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedEndpoint {
    /// Its operation.
    pub operation: OperationName,
    /// Its method.
    pub method: String,
    /// Its path template.
    pub path: String,
}

/// An endpoint that clients should stop using (RFC 9745).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecated {
    /// Since when, in Unix seconds.
    pub since: u64,
}

/// A path that has moved permanently.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The old path template.
    pub from: String,
    /// The new path template; it uses only parameters of `from`.
    pub to: String,
}

/// The rules for 301 responses.
#[derive(Debug, Clone)]
pub struct Redirects {
    /// How to treat a trailing slash.
    pub trailing_slash: TrailingSlash,
    /// The status for methods other than GET and HEAD.
    pub status: RedirectStatus,
}

/// How to treat a trailing slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailingSlash {
    /// 301 to the same path without it.
    Redirect,
    /// Keep the path unchanged.
    Keep,
}
