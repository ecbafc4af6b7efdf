//! The registry of error codes: one row a code, and nothing about a code stands anywhere else.
//!
//! To add a code, add a row. The enum, its list and its texts come from the rows, and the compiler
//! and the tests then ask for everything else: a case on the wire in `tests/contract`, for a start.

use crate::status::{ExtraStatus, Status};

/// Who has to act for the error to go away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Whoever sends the request.
    Client,
    /// Whoever gives out keys, plans and permissions.
    Operator,
    /// The API behind the gateway.
    Upstream,
}

/// One row of the registry.
#[derive(Debug)]
struct Row {
    name: &'static str,
    status: Status,
    owner: Owner,
    title: &'static str,
    meaning: &'static str,
    what_to_do: &'static str,
    /// Both, as one text.
    explanation: &'static str,
}

macro_rules! registry {
    ($($code:ident: $name:literal, $status:expr, $owner:ident, $title:literal, $meaning:literal, $what_to_do:literal;)+) => {
        /// A stable code of the error specification. Its name never changes once it was released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = $meaning] $code,)+
        }

        impl ErrorCode {
            /// Every code, in the order of the table.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$code),+];

            const fn row(self) -> &'static Row {
                match self {
                    $(Self::$code => &Row {
                        name: $name,
                        status: $status,
                        owner: Owner::$owner,
                        title: $title,
                        meaning: $meaning,
                        what_to_do: $what_to_do,
                        explanation: concat!($meaning, " ", $what_to_do),
                    },)+
                }
            }
        }
    };
}

registry! {
    EndpointMoved: "ENDPOINT_MOVED", Status::Moved, Client, "Endpoint moved",
        "The endpoint has a new address.",
        "Send the request to the address in `location`, and use that address from now on.";
    TrailingSlash: "TRAILING_SLASH", Status::Moved, Client, "Slash at the end",
        "The path ends in a slash.",
        "Leave the slash at the end of the path out.";

    RequestMalformed: "REQUEST_MALFORMED", Status::NotValid, Client, "Malformed request",
        "The bytes that arrived are not a valid HTTP request, or the API could not make sense of it.",
        "Compare the request with the message; a common HTTP client library never sends such a request.";
    HeadersTooLarge: "HEADERS_TOO_LARGE", Status::NotValid, Client, "Head too large",
        "The request line and the headers together are larger than this API takes.",
        "Send fewer or shorter headers (cookies are the usual cause), or a shorter URL.";
    BodyTooLarge: "BODY_TOO_LARGE", Status::NotValid, Client, "Body too large",
        "The body is larger than this endpoint takes.",
        "Send a smaller body, or split the work into several requests.";
    RequestTimeout: "REQUEST_TIMEOUT", Status::NotValid, Client, "Request too slow",
        "The request did not arrive completely within the time that is allowed.",
        "Send the whole request without pauses; check the connection if it is slow.";
    ParameterMissing: "PARAMETER_MISSING", Status::NotValid, Client, "Parameter missing",
        "A parameter that this endpoint requires is not there.",
        "Add each parameter that `details` names.";
    ParameterNotValid: "PARAMETER_NOT_VALID", Status::NotValid, Client, "Parameter not valid",
        "A parameter has a value that this endpoint does not take.",
        "Correct each parameter that `details` names.";
    HeaderMissing: "HEADER_MISSING", Status::NotValid, Client, "Header missing",
        "A header that this endpoint requires is not there.",
        "Add each header that `details` names.";
    HeaderNotValid: "HEADER_NOT_VALID", Status::NotValid, Client, "Header not valid",
        "A header has a value that this endpoint does not take.",
        "Correct each header that `details` names.";
    BodyMalformed: "BODY_MALFORMED", Status::NotValid, Client, "Malformed body",
        "The body is not valid JSON, or names a member twice.",
        "Serialise the body with a JSON library; the message says where it breaks.";
    MediaTypeNotSupported: "MEDIA_TYPE_NOT_SUPPORTED", Status::NotValid, Client, "Media type not supported",
        "The body has a media type that this endpoint does not take.",
        "Send a body of a type that the message names, with a matching Content-Type.";
    KeyFormatIncorrect: "KEY_FORMAT_INCORRECT", Status::NotValid, Client, "Key has a wrong format",
        "What was sent as the API key cannot be a key: its format is wrong.",
        "Copy the whole key once more, without spaces or quotes around it.";
    HttpsRequired: "HTTPS_REQUIRED", Status::NotValid, Client, "HTTPS required",
        "An API key was sent without TLS, to an API that requires HTTPS.",
        "Have the key replaced, because others may have read it, and send requests to the https address.";

    PermissionDenied: "PERMISSION_DENIED", Status::NoPermission, Operator, "No permission",
        "The API key is correct, but it does not have the permission for this resource.",
        "Use a key that has the permission, or ask the operator of the API for it.";

    KeyNotSet: "KEY_NOT_SET", Status::KeyRefused, Client, "No key",
        "The request has no API key.",
        "Send the API key in the header that the message names.";
    KeyNotValid: "KEY_NOT_VALID", Status::KeyRefused, Client, "Unknown key",
        "The API key is not known.",
        "Check that the key is complete and belongs to this API.";
    KeyRevoked: "KEY_REVOKED", Status::KeyRefused, Operator, "Key revoked",
        "The API key was revoked.",
        "Use a newer key, or ask the operator of the API for one.";
    KeyExpired: "KEY_EXPIRED", Status::KeyRefused, Operator, "Key expired",
        "The API key is past its date of expiry.",
        "Use a newer key, or ask the operator of the API for one.";

    EndpointNotFound: "ENDPOINT_NOT_FOUND", Status::NotFound, Client, "No such endpoint",
        "No endpoint of this API has this path.",
        "Compare the path with the documentation of the API.";
    MethodNotAvailable: "METHOD_NOT_AVAILABLE", Status::NotFound, Client, "No such method",
        "The endpoint exists, but not with this method.",
        "Use a method that the `Allow` header names.";
    ResourceNotFound: "RESOURCE_NOT_FOUND", Status::NotFound, Client, "No such resource",
        "The endpoint exists, but there is nothing at this address.",
        "Check the identifiers in the URL; the resource may have been removed.";

    BodyNotValid: "BODY_NOT_VALID", Status::Unprocessable, Client, "Body not valid",
        "The body is well formed, but its content is not what this endpoint takes.",
        "Correct each member that `details` names.";
    Unprocessable: "UNPROCESSABLE", Status::Unprocessable, Client, "Cannot be processed",
        "The request is well formed, but the API cannot carry it out in the present state of things.",
        "Read the message: it says what stands in the way.";

    ApiLimitExceeded: "API_LIMIT_EXCEEDED", Status::LimitExceeded, Client, "Limit used up",
        "All that the plan of the API key grants for this period is used.",
        "Wait until the reset that the message names, or move to a larger plan.";
    RateExceeded: "RATE_EXCEEDED", Status::LimitExceeded, Client, "Too fast",
        "More requests arrived within one second than the plan of the API key allows.",
        "Spread requests out, and wait as long as `Retry-After` says before the next one.";
    TooManyErrors: "TOO_MANY_ERRORS", Status::LimitExceeded, Client, "Too many errors",
        "So many requests of this key or address ended in an error that further ones are refused for a moment.",
        "Correct the requests that fail, then go on after `Retry-After`. The limits of the plan are untouched.";

    UnexpectedError: "UNEXPECTED_ERROR", Status::Unexpected, Upstream, "Unexpected error",
        "An unexpected error occurred on our side.",
        "Write to the address in `contact` and name the request id, so that it can be looked up.";

    Maintenance: "MAINTENANCE", Status::Unavailable, Operator, "Maintenance",
        "The API is in a maintenance period.",
        "Go on requesting after `Retry-After`; nothing is charged meanwhile.";
    Unavailable: "UNAVAILABLE", Status::Unavailable, Upstream, "Not available",
        "The API cannot answer for the moment.",
        "Send the request again after `Retry-After`.";

    PaymentRequired: "PAYMENT_REQUIRED", Status::Extra(ExtraStatus::PaymentRequired), Client, "Payment required",
        "The API asks for a payment before it carries out this request.",
        "Read the message, and settle what it names.";
    MethodNotAllowed: "METHOD_NOT_ALLOWED", Status::Extra(ExtraStatus::MethodNotAllowed), Client, "Method not allowed",
        "The resource does not take this method.",
        "Use a method that the `Allow` header names.";
    NotAcceptable: "NOT_ACCEPTABLE", Status::Extra(ExtraStatus::NotAcceptable), Client, "Not acceptable",
        "The API has no representation that the `Accept` headers of the request take.",
        "Accept a media type that the API offers.";
    Conflict: "CONFLICT", Status::Extra(ExtraStatus::Conflict), Client, "Conflict",
        "The request conflicts with the present state of the resource.",
        "Read the resource again, then repeat the change on what it is now.";
    Gone: "GONE", Status::Extra(ExtraStatus::Gone), Client, "Gone",
        "The resource existed, and was removed for good.",
        "Stop asking for it.";
    PreconditionFailed: "PRECONDITION_FAILED", Status::Extra(ExtraStatus::PreconditionFailed), Client, "Precondition failed",
        "A condition in the headers of the request does not hold.",
        "Read the resource again, and repeat the request with its present version.";
    ContentTooLarge: "CONTENT_TOO_LARGE", Status::Extra(ExtraStatus::ContentTooLarge), Client, "Content too large",
        "The API does not take a body of this size.",
        "Send a smaller body.";
    UnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE", Status::Extra(ExtraStatus::UnsupportedMediaType), Client, "Unsupported media type",
        "The API does not take a body of this media type.",
        "Send a body of a type that the API documents.";
    RangeNotSatisfiable: "RANGE_NOT_SATISFIABLE", Status::Extra(ExtraStatus::RangeNotSatisfiable), Client, "Range not satisfiable",
        "The range that the request asks for lies outside of the resource.",
        "Ask for a range within the resource's size.";
    Locked: "LOCKED", Status::Extra(ExtraStatus::Locked), Client, "Locked",
        "The resource is locked.",
        "Wait until the lock is gone, then repeat the request.";
    FailedDependency: "FAILED_DEPENDENCY", Status::Extra(ExtraStatus::FailedDependency), Client, "Failed dependency",
        "The request depends on another one that failed.",
        "Repair the request that failed first.";
    PreconditionRequired: "PRECONDITION_REQUIRED", Status::Extra(ExtraStatus::PreconditionRequired), Client, "Precondition required",
        "The API takes this request only with a condition, such as `If-Match`.",
        "Read the resource, and repeat the request with its version as the condition.";
    UnavailableForLegalReasons: "UNAVAILABLE_FOR_LEGAL_REASONS", Status::Extra(ExtraStatus::UnavailableForLegalReasons), Operator, "Unavailable for legal reasons",
        "The resource is withheld for legal reasons.",
        "Nothing can be done with another request; the message may name who to ask.";
}

impl ErrorCode {
    /// The stable name: `error.code` on the wire.
    pub const fn name(self) -> &'static str {
        self.row().name
    }

    /// The row of the closed table that this code belongs to.
    pub const fn status(self) -> Status {
        self.row().status
    }

    /// Who has to act.
    pub const fn owner(self) -> Owner {
        self.row().owner
    }

    /// A few words: the heading of its page, and `title` of RFC 9457.
    pub const fn title(self) -> &'static str {
        self.row().title
    }

    /// What the code means, in one sentence.
    pub const fn meaning(self) -> &'static str {
        self.row().meaning
    }

    /// What the reader can do about it, in one sentence.
    pub const fn what_to_do(self) -> &'static str {
        self.row().what_to_do
    }

    /// What it means and what to do about it: the message of an error of which nothing more is known.
    pub const fn explanation(self) -> &'static str {
        self.row().explanation
    }

    /// The code of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The code of a status that the operator added by `extra_codes`.
    pub const fn of_extra(status: ExtraStatus) -> Self {
        match status {
            ExtraStatus::PaymentRequired => Self::PaymentRequired,
            ExtraStatus::MethodNotAllowed => Self::MethodNotAllowed,
            ExtraStatus::NotAcceptable => Self::NotAcceptable,
            ExtraStatus::Conflict => Self::Conflict,
            ExtraStatus::Gone => Self::Gone,
            ExtraStatus::PreconditionFailed => Self::PreconditionFailed,
            ExtraStatus::ContentTooLarge => Self::ContentTooLarge,
            ExtraStatus::UnsupportedMediaType => Self::UnsupportedMediaType,
            ExtraStatus::RangeNotSatisfiable => Self::RangeNotSatisfiable,
            ExtraStatus::Locked => Self::Locked,
            ExtraStatus::FailedDependency => Self::FailedDependency,
            ExtraStatus::PreconditionRequired => Self::PreconditionRequired,
            ExtraStatus::UnavailableForLegalReasons => Self::UnavailableForLegalReasons,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_can_stand_in_a_url() {
        let names: HashSet<_> = ErrorCode::ALL.into_iter().map(ErrorCode::name).collect();
        assert_eq!(names.len(), ErrorCode::ALL.len());
        for code in ErrorCode::ALL {
            assert!(code.name().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'), "{}", code.name());
            assert_eq!(ErrorCode::from_name(code.name()), Some(code));
        }
    }

    #[test]
    fn every_row_says_what_it_means_and_what_to_do_in_whole_sentences() {
        for code in ErrorCode::ALL {
            assert!(!code.title().is_empty(), "{}", code.name());
            for text in [code.meaning(), code.what_to_do()] {
                assert!(text.len() > 15 && text.ends_with('.'), "{}: {text:?}", code.name());
            }
        }
    }

    #[test]
    fn an_extra_status_has_a_code_of_its_own() {
        for extra in ExtraStatus::ALL {
            assert_eq!(ErrorCode::of_extra(extra).status(), Status::Extra(extra));
        }
    }
}
