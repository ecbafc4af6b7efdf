//! The endpoints of the API, and those that have moved.

use super::Access;
use contract::RedirectStatus;
use openapi::rules::RequestRules;
use reference::Takes;
use std::sync::Arc;

/// Which requests there are endpoints for.
///
/// The two are different types of API, and an empty list never stands for one of them: a document that lost its
/// operations would open every path.
#[derive(Debug, Clone)]
pub enum Endpoints {
    /// Every path and method is one and needs only a key: nothing declares endpoints.
    AnyPath,
    /// These and no others. Of an empty list every request is answered 404.
    Declared(Vec<Endpoint>),
}

impl Default for Endpoints {
    /// Closed.
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
    /// Method in upper case.
    pub method: String,
    /// Path template such as `/items/{id}`. A slash at its end is kept.
    pub path: String,
    /// What a key has to have: all permissions of one of these sets. Empty: any key will do.
    pub permissions: Vec<Vec<String>>,
    /// Open to everyone, without a key.
    pub public: bool,
    /// Units that a success costs, at least 1. With `cost_header`, the most that it can cost.
    pub cost: u32,
    /// Name, in lower case, of the upstream's header that names the cost of a success. None: always `cost`.
    pub cost_header: Option<String>,
    /// The group whose limits count requests to it, apart from limits of all endpoints.
    pub group: Option<Arc<str>>,
    /// Overrides [`Sizes::body`].
    pub max_body: Option<u64>,
    /// Which addresses may use it, of those that may use the API.
    pub access: Access,
    /// What parameters and body have to be, checked before the request is forwarded. None: anything passes.
    pub rules: Option<Arc<RequestRules>>,
    /// It has moved for good to this path template, which uses only names of `path`.
    pub moved_to: Option<String>,
    /// It still works, but clients should stop using it.
    pub deprecated: Option<Deprecated>,
    /// The service that its requests go to. None: the one that host and path lead to.
    pub service: Option<Arc<str>>,
    /// The operation of the document that it is, if that has a name.
    pub operation: Option<OperationName>,
    /// What it does, in one line, for the reference. May be empty.
    pub summary: String,
    /// The group that it stands in, for the reference. May be empty.
    pub tag: String,
    /// What `rules` check, in words, for the reference.
    pub takes: Arc<Takes>,
}

/// What a document calls an operation. On several base paths it is several endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationName {
    /// Its `operationId`.
    pub id: String,
    /// Its path without a base path.
    pub path: String,
}

/// An endpoint that is an operation with a name.
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

/// A path that has moved for good.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Path template of the old place.
    pub from: String,
    /// Path template of the new place; it uses only names of `from`.
    pub to: String,
}

/// The rule of the 301 row.
#[derive(Debug, Clone)]
pub struct Redirects {
    /// What a slash at the end of a path does.
    pub trailing_slash: TrailingSlash,
    /// What methods other than GET and HEAD get.
    pub status: RedirectStatus,
}

/// What a slash at the end of a path does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrailingSlash {
    /// 301 to the same path without it.
    Redirect,
    /// Nothing: the path is taken as it is.
    Keep,
}
