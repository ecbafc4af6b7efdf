//! The headers that answers carry: the request's id, the limits' two families, and what goes with an error.

use super::{codes::Row, examples::REQUEST_ID};
use crate::documents::Version;
use contract::Status;
use serde_json::{Map, Value, json};

/// A header of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Header {
    RequestId,
    Limit,
    Remaining,
    Reset,
    Policy,
    Standing,
    RetryAfter,
    Location,
    Allow,
    Challenge,
}

/// Those that report the state of a key's limits.
const LIMITS: [Header; 5] =
    [Header::Limit, Header::Remaining, Header::Reset, Header::Policy, Header::Standing];

/// The headers of a success.
pub(super) fn of_success(keyed: bool) -> Vec<Header> {
    let limits = if keyed { LIMITS.as_slice() } else { &[] };
    [&[Header::RequestId], limits].concat()
}

/// The headers of an error. Limits are reported to a known key.
pub(super) fn of_row(row: Row) -> Vec<Header> {
    let mut headers = of_success(row.keyed && row.status != Status::KeyRefused);
    match row.status {
        Status::Moved if row.has_location => headers.push(Header::Location),
        Status::NotFound => headers.push(Header::Allow),
        Status::LimitExceeded | Status::Unavailable => headers.push(Header::RetryAfter),
        // RFC 9110 wants a challenge on what it calls a 401.
        Status::KeyRefused if row.number == 401 => headers.push(Header::Challenge),
        Status::Moved
        | Status::NotValid
        | Status::NoPermission
        | Status::KeyRefused
        | Status::Unprocessable
        | Status::Unexpected
        | Status::Extra(_) => {}
    }
    headers
}

impl Header {
    /// Its name on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::RequestId => "X-Request-Id",
            Self::Limit => "X-Rate-Limit-Limit",
            Self::Remaining => "X-Rate-Limit-Remaining",
            Self::Reset => "X-Rate-Limit-Reset",
            Self::Policy => "RateLimit-Policy",
            Self::Standing => "RateLimit",
            Self::RetryAfter => "Retry-After",
            Self::Location => "Location",
            Self::Allow => "Allow",
            Self::Challenge => "WWW-Authenticate",
        }
    }

    /// Its name among the components, without the prefix.
    pub(super) fn component(self) -> String {
        self.name().replace('-', "")
    }

    /// The Header Object of this version.
    pub(super) fn object(self, version: Version) -> Value {
        let (description, kind, least, example) = self.facts();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), kind.into());
        if let Some(least) = least {
            schema.insert("minimum".to_owned(), least.into());
        }
        let mut header = Map::new();
        header.insert("description".to_owned(), description.into());
        match version {
            Version::V2 => header.extend(schema),
            Version::V30 | Version::V31 | Version::V32 => {
                header.insert("schema".to_owned(), Value::Object(schema));
                header.insert("example".to_owned(), example);
            }
        }
        Value::Object(header)
    }

    fn facts(self) -> (&'static str, &'static str, Option<u64>, Value) {
        match self {
            Self::RequestId => (
                "The request id: your own, if you sent a valid one. Include it when you ask for help.",
                "string",
                None,
                json!(REQUEST_ID),
            ),
            Self::Limit => (
                "The size of the limit: the limit that denied the request, or the tightest limit of the plan.",
                "integer",
                Some(1),
                json!(1000),
            ),
            Self::Remaining => {
                ("What is left of that limit. An error costs nothing.", "integer", Some(0), json!(999))
            }
            Self::Reset => ("Seconds until that limit resets.", "integer", Some(1), json!(12812)),
            Self::Policy => (
                "All limits of the plan: `q` is the quota of each in a window of `w` seconds.",
                "string",
                None,
                json!("\"day\";q=1000;w=86400, \"second\";q=20;w=1"),
            ),
            Self::Standing => (
                "The state of all limits of the plan: `r` is what is left, `t` the seconds until the reset.",
                "string",
                None,
                json!("\"day\";r=999;t=12812, \"second\";r=19;t=1"),
            ),
            Self::RetryAfter => (
                "Seconds to wait before the next request (at most 2147483), or a date.",
                "string",
                None,
                json!("12812"),
            ),
            Self::Location => ("Where to send the request instead.", "string", None, json!("/items/7")),
            Self::Allow => (
                "The methods that the endpoint supports, if the method was wrong.",
                "string",
                None,
                json!("GET, HEAD"),
            ),
            Self::Challenge => ("How to send a key.", "string", None, json!("Bearer realm=\"Items\"")),
        }
    }
}
