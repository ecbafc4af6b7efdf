//! What an API is, as far as its reference shows. All text is the operator's own and is escaped when it is written.

use contract::{Detail, Limit, RedirectStatus, Statuses, status::ExtraStatus};
use std::{sync::Arc, time::Duration};

/// An API as its running configuration describes it. All but maintenance, which comes and goes: see [`Live`].
#[derive(Debug, Clone)]
pub struct Reference {
    /// The API's name.
    pub name: String,
    /// Where to write to after a 500.
    pub support_email: Option<String>,
    /// The public base, such as `https://api.example.com`, without a slash at its end. Empty: not known.
    pub public_url: String,
    /// What examples begin with while no public base is known, such as `http://127.0.0.1:8080`.
    pub local_url: String,
    /// Path of the reference itself, such as `/_docs`, without a slash at its end.
    pub docs_path: String,
    /// The path that lists a key's limits, such as `/_limits`.
    pub limits_path: String,
    /// Which way round 401 and 403 are.
    pub statuses: Statuses,
    /// Statuses outside the closed table that the API may send.
    pub extra_codes: Vec<ExtraStatus>,
    /// A slash at the end of a path is answered 301.
    pub redirects_slashes: bool,
    /// Requests without TLS are sent to https.
    pub redirects_to_https: bool,
    /// What redirects methods other than GET and HEAD.
    pub redirect_status: RedirectStatus,
    /// Headers that may hold the key, as they are written, without `Authorization`, which always may.
    pub key_headers: Vec<String>,
    /// What an imported key looks like. None: any format.
    pub key_pattern: Option<String>,
    /// The plans, in the order of the configuration.
    pub plans: Vec<Plan>,
    /// What one address may use of all public endpoints together. Empty: no limits.
    pub address_limits: Vec<Limit>,
    /// The endpoints, in the order of the configuration.
    pub endpoints: Vec<Endpoint>,
    /// Every path is an endpoint: none are declared, and none need be.
    pub any_path: bool,
    /// Paths that have moved for good.
    pub moved: Vec<Moved>,
    /// Ceilings on errors.
    pub ceilings: Ceilings,
    /// How large requests may be.
    pub sizes: Sizes,
    /// How long requests may take.
    pub times: Times,
    /// `openapi.json` and `openapi.yaml` are served beside the pages.
    pub has_openapi: bool,
}

/// A plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Its limits.
    pub limits: Vec<Limit>,
}

/// An endpoint.
#[derive(Debug, Clone, Default)]
pub struct Endpoint {
    /// Method in upper case.
    pub method: String,
    /// Path template, such as `/items/{id}`.
    pub path: String,
    /// One line about it. May be empty.
    pub summary: String,
    /// The tag that it is listed under. May be empty.
    pub tag: String,
    /// A key needs all permissions of one of these sets. Empty: any key will do.
    pub permissions: Vec<Vec<String>>,
    /// Open to everyone, without a key.
    pub public: bool,
    /// Units that a success costs, or the most that it can cost.
    pub cost: u32,
    /// The API itself reports what a success has cost.
    pub reports_cost: bool,
    /// The group whose limits count requests to it.
    pub group: Option<Arc<str>>,
    /// Set if it should not be used any more.
    pub deprecated: Option<Deprecation>,
    /// It answers 301 to this path, as [`Moved`] do, but with its method only.
    pub moved_to: Option<String>,
    /// Bytes that a body may have, if other than [`Sizes::body`].
    pub max_body: Option<u64>,
    /// The rules for its requests.
    pub takes: Arc<Takes>,
    /// The errors of requests that break them.
    pub refusals: Refusals,
}

/// The rules for requests of an endpoint, as far as they are checked before the API sees them.
#[derive(Debug, Clone, Default)]
pub struct Takes {
    /// Values in path, query, headers, cookies, and members of the body.
    pub checks: Vec<Check>,
    /// Media types that a body may have. Empty: any.
    pub media_types: Vec<String>,
    /// The body is read and checked.
    pub checks_body: bool,
    /// A body that passes, if one is known. Empty: none is.
    pub body: String,
}

/// The errors of requests that are wrong in a certain way, for examples. None: not known, or they pass.
#[derive(Debug, Clone, Default)]
pub struct Refusals {
    /// Of one whose Content-Type is `text/plain`.
    pub media_type: Option<String>,
    /// Of one whose body is [`MALFORMED_BODY`].
    pub malformed: Option<String>,
    /// Of one whose body is not valid: the body, and every violation.
    pub not_valid: Option<(String, Vec<Detail>)>,
}

/// A body that is not valid JSON to a strict parser.
pub const MALFORMED_BODY: &str = "{\"a\":1,\"a\":2}";

/// That an endpoint should not be used any more.
#[derive(Debug, Clone, Default)]
pub struct Deprecation {
    /// Since this Unix second, if it is known.
    pub since: Option<u64>,
}

/// A value of a request that is checked.
#[derive(Debug, Clone)]
pub struct Check {
    /// Its location.
    pub place: Place,
    /// Its name.
    pub name: String,
    /// Its absence is an error.
    pub required: bool,
    /// Its rule, such as `a whole number, at least 1`. May be empty.
    pub rule: String,
    /// A value that passes, for examples. May be empty.
    pub example: String,
    /// A value that does not pass, and the API's message. None: none is known.
    pub wrong: Option<Wrong>,
}

/// A value that does not pass its check.
#[derive(Debug, Clone)]
pub struct Wrong {
    /// The value.
    pub value: String,
    /// The API's message: `Must be at least 1, but is 0.`
    pub message: String,
}

/// The location of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A name of the path template.
    Path,
    /// The query string.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
    /// A member of the body.
    Body,
}

/// A path that has moved for good.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Path template of the old place.
    pub from: String,
    /// Path template of the new place.
    pub to: String,
}

/// Errors per minute, past which further requests are refused for a moment. None: no ceiling.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ceilings {
    /// Per key.
    pub per_key: Option<u32>,
    /// Per address.
    pub per_address: Option<u32>,
}

/// How large requests may be, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Request line and headers.
    pub head: u64,
    /// The body.
    pub body: u64,
}

/// How long requests may take.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// Between two pieces of its body.
    pub body: Duration,
    /// Until the API begins to answer.
    pub first_byte: Duration,
}

/// What changes while the gateway runs.
#[derive(Debug, Clone, Default)]
pub struct Live {
    /// Windows of maintenance, in any order; those that are over are left out by the pages.
    pub windows: Vec<Window>,
    /// Unix second of the moment that pages speak of.
    pub now: u64,
}

/// A window of maintenance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The message for clients. May be empty.
    pub message: String,
    /// Unix second of its beginning.
    pub from: u64,
    /// Unix second of its end. None: not known yet.
    pub until: Option<u64>,
    /// The endpoints that it is for, such as `GET /items/{id}`. Empty: all.
    pub endpoints: Vec<String>,
}

impl Reference {
    /// What absolute addresses begin with.
    pub(crate) fn base(&self) -> &str {
        if self.public_url.is_empty() { &self.local_url } else { &self.public_url }
    }
}

impl Place {
    /// Its name: `query parameter`, `header`.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Path => "path parameter",
            Self::Query => "query parameter",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "property of the body",
        }
    }

    /// As in the member `in` of a violation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
        }
    }
}

impl Window {
    /// Whether it is over.
    pub(crate) fn is_over(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether it is in force.
    pub(crate) fn holds(&self, now: u64) -> bool {
        self.from <= now && !self.is_over(now)
    }
}
