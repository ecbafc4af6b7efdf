//! The registry of error codes: one row for each code, and the only place with its texts.
//!
//! To add a code, add a row. The enum, its list and its texts are generated from the rows, and the
//! compiler and the tests then require everything else, beginning with a case on the wire in
//! `tests/gateway/contract`.

use crate::{
    grpc_status::GrpcStatus,
    status::{ExtraStatus, Status},
};

/// Who must act to resolve the error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The sender of the request.
    Client,
    /// Those who issue keys, plans and permissions.
    Operator,
    /// The API behind the gateway.
    Upstream,
}

/// One row of the registry.
#[derive(Debug)]
struct Row {
    name: &'static str,
    status: Status,
    grpc_status: GrpcStatus,
    owner: Owner,
    title: &'static str,
    meaning: &'static str,
    what_to_do: &'static str,
    /// Both texts joined.
    explanation: &'static str,
}

macro_rules! registry {
    ($($code:ident: $name:literal, $status:expr, $grpc_status:ident, $owner:ident, $title:literal, $meaning:literal, $what_to_do:literal;)+) => {
        /// A stable code of the error specification. Its name never changes after its release.
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
                        grpc_status: GrpcStatus::$grpc_status,
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

// A gRPC method is a path: one that does not exist, or no longer does, is `Unimplemented`. gRPC clients fetch new credentials
// only at `Unauthenticated`, so a malformed key gets it as well; without TLS they would send those in the clear, too.
registry! {
    EndpointMoved: "ENDPOINT_MOVED", Status::Moved, Unimplemented, Client, "Endpoint moved",
        "The endpoint has a new address.",
        "Use the address in `location` from now on.";
    TrailingSlash: "TRAILING_SLASH", Status::Moved, Unimplemented, Client, "Trailing slash",
        "The path ends in a slash.",
        "Remove the slash at the end of the path.";

    RequestMalformed: "REQUEST_MALFORMED", Status::NotValid, InvalidArgument, Client, "Malformed request",
        "The request is not valid HTTP, or the API could not understand it.",
        "Correct what the message describes. Common HTTP client libraries never send such a request.";
    HeadersTooLarge: "HEADERS_TOO_LARGE", Status::NotValid, InvalidArgument, Client, "Headers too large",
        "The request line and headers together are larger than this API accepts.",
        "Send fewer or shorter headers (cookies are the usual cause) or a shorter URL.";
    BodyTooLarge: "BODY_TOO_LARGE", Status::NotValid, InvalidArgument, Client, "Body too large",
        "The body is larger than this endpoint accepts.",
        "Send a smaller body, or split the work into several requests.";
    RequestTimeout: "REQUEST_TIMEOUT", Status::NotValid, DeadlineExceeded, Client, "Request timeout",
        "The request did not arrive completely within the allowed time.",
        "Send the whole request without pauses, and check the connection if it is slow.";
    ParameterMissing: "PARAMETER_MISSING", Status::NotValid, InvalidArgument, Client, "Missing parameter",
        "A parameter that this endpoint requires is missing.",
        "Add each parameter listed in `details`.";
    ParameterNotValid: "PARAMETER_NOT_VALID", Status::NotValid, InvalidArgument, Client, "Invalid parameter",
        "A parameter has a value that this endpoint does not accept.",
        "Correct each parameter listed in `details`.";
    HeaderMissing: "HEADER_MISSING", Status::NotValid, InvalidArgument, Client, "Missing header",
        "A header that this endpoint requires is missing.",
        "Add each header listed in `details`.";
    HeaderNotValid: "HEADER_NOT_VALID", Status::NotValid, InvalidArgument, Client, "Invalid header",
        "A header has a value that this endpoint does not accept.",
        "Correct each header listed in `details`.";
    BodyMalformed: "BODY_MALFORMED", Status::NotValid, InvalidArgument, Client, "Malformed body",
        "The body is not valid JSON, or contains a duplicate property.",
        "Serialise the body with a JSON library; the message says where parsing failed.";
    MediaTypeNotSupported: "MEDIA_TYPE_NOT_SUPPORTED", Status::NotValid, InvalidArgument, Client, "Media type not supported",
        "The body has a media type that this endpoint does not accept.",
        "Send a media type that the message lists, with a matching Content-Type.";
    KeyFormatIncorrect: "KEY_FORMAT_INCORRECT", Status::NotValid, Unauthenticated, Client, "Incorrect key format",
        "The value sent as the API key does not have the format of a key.",
        "Copy the whole key again, without spaces or quotes around it.";
    HttpsRequired: "HTTPS_REQUIRED", Status::NotValid, FailedPrecondition, Client, "HTTPS required",
        "An API key was sent without TLS to an API that requires HTTPS.",
        "Have the key replaced, because others may have read it, and use the https address.";

    PermissionDenied: "PERMISSION_DENIED", Status::NoPermission, PermissionDenied, Operator, "Permission denied",
        "The API key is correct but does not have sufficient permissions for this resource.",
        "Use a key that has the permission, or ask the operator of the API for it.";

    KeyNotSet: "KEY_NOT_SET", Status::KeyRefused, Unauthenticated, Client, "No API key",
        "The request has no API key.",
        "Send the API key in the header that the message names.";
    KeyNotValid: "KEY_NOT_VALID", Status::KeyRefused, Unauthenticated, Client, "Unknown API key",
        "The API key is unknown.",
        "Check that the key is complete and belongs to this API.";
    KeyRevoked: "KEY_REVOKED", Status::KeyRefused, Unauthenticated, Operator, "Key revoked",
        "The API key has been revoked.",
        "Use another key, or ask the operator of the API for one.";
    KeyExpired: "KEY_EXPIRED", Status::KeyRefused, Unauthenticated, Operator, "Key expired",
        "The API key has expired.",
        "Use another key, or ask the operator of the API for one.";

    EndpointNotFound: "ENDPOINT_NOT_FOUND", Status::NotFound, Unimplemented, Client, "Endpoint not found",
        "This API has no endpoint at this path.",
        "Check the path against the API documentation.";
    MethodNotAvailable: "METHOD_NOT_AVAILABLE", Status::NotFound, Unimplemented, Client, "Method not available",
        "The endpoint exists, but does not support this method.",
        "Use a method listed in the `Allow` header.";
    ResourceNotFound: "RESOURCE_NOT_FOUND", Status::NotFound, NotFound, Client, "Resource not found",
        "The endpoint exists, but the resource was not found.",
        "Check the identifiers in the URL; the resource may have been removed.";

    BodyNotValid: "BODY_NOT_VALID", Status::Unprocessable, InvalidArgument, Client, "Invalid body",
        "The body is well formed, but its content does not match what this endpoint accepts.",
        "Correct each property listed in `details`.";
    Unprocessable: "UNPROCESSABLE", Status::Unprocessable, FailedPrecondition, Client, "Unprocessable entity",
        "The request is well formed, but the API cannot process it.",
        "The message says why.";

    ApiLimitExceeded: "API_LIMIT_EXCEEDED", Status::LimitExceeded, ResourceExhausted, Client, "API limit exceeded",
        "The API key has exceeded a limit of its plan.",
        "Wait for the reset given in the message, or move to a larger plan.";
    RateExceeded: "RATE_EXCEEDED", Status::LimitExceeded, ResourceExhausted, Client, "Rate exceeded",
        "The API key sends requests faster than its plan allows.",
        "Spread out requests, and wait for the time in `Retry-After` before the next one.";
    TooManyErrors: "TOO_MANY_ERRORS", Status::LimitExceeded, ResourceExhausted, Client, "Too many errors",
        "Too many requests from this key or address failed, so further requests are rejected for a moment.",
        "Correct the failing requests, then retry after the time in `Retry-After`. The limits of the plan are not affected.";

    UnexpectedError: "UNEXPECTED_ERROR", Status::Unexpected, Internal, Upstream, "Unexpected error",
        "An unexpected error occurred on our side.",
        "E-mail the request id to the address in `contact`, and we will check as soon as possible.";

    Maintenance: "MAINTENANCE", Status::Unavailable, Unavailable, Operator, "Maintenance",
        "The API is under maintenance.",
        "You can keep making requests until it is available; nothing is charged meanwhile.";
    Unavailable: "UNAVAILABLE", Status::Unavailable, Unavailable, Upstream, "Unavailable",
        "The API is temporarily unavailable.",
        "Retry after the time in `Retry-After`.";

    PaymentRequired: "PAYMENT_REQUIRED", Status::Extra(ExtraStatus::PaymentRequired), FailedPrecondition, Client, "Payment required",
        "The API requires a payment before it processes this request.",
        "The message says what to pay.";
    MethodNotAllowed: "METHOD_NOT_ALLOWED", Status::Extra(ExtraStatus::MethodNotAllowed), Unimplemented, Client, "Method not allowed",
        "The resource does not support this method.",
        "Use a method listed in the `Allow` header.";
    NotAcceptable: "NOT_ACCEPTABLE", Status::Extra(ExtraStatus::NotAcceptable), InvalidArgument, Client, "Not acceptable",
        "The API has no representation that the `Accept` headers of the request allow.",
        "Accept a media type that the API offers.";
    Conflict: "CONFLICT", Status::Extra(ExtraStatus::Conflict), Aborted, Client, "Conflict",
        "The request conflicts with the current state of the resource.",
        "Fetch the resource again, then apply the change to its current state.";
    Gone: "GONE", Status::Extra(ExtraStatus::Gone), NotFound, Client, "Gone",
        "The resource existed but was permanently removed.",
        "Stop requesting it.";
    PreconditionFailed: "PRECONDITION_FAILED", Status::Extra(ExtraStatus::PreconditionFailed), FailedPrecondition, Client, "Precondition failed",
        "A condition in the request headers is not met.",
        "Fetch the resource again, and repeat the request with its current version.";
    ContentTooLarge: "CONTENT_TOO_LARGE", Status::Extra(ExtraStatus::ContentTooLarge), InvalidArgument, Client, "Content too large",
        "The API does not accept a body of this size.",
        "Send a smaller body.";
    UnsupportedMediaType: "UNSUPPORTED_MEDIA_TYPE", Status::Extra(ExtraStatus::UnsupportedMediaType), InvalidArgument, Client, "Unsupported media type",
        "The API does not support the media type of this body.",
        "Send a media type that the API documents.";
    RangeNotSatisfiable: "RANGE_NOT_SATISFIABLE", Status::Extra(ExtraStatus::RangeNotSatisfiable), OutOfRange, Client, "Range not satisfiable",
        "The requested range is outside the resource.",
        "Request a range within the size of the resource.";
    Locked: "LOCKED", Status::Extra(ExtraStatus::Locked), FailedPrecondition, Client, "Locked",
        "The resource is locked.",
        "Wait until it is unlocked, then repeat the request.";
    FailedDependency: "FAILED_DEPENDENCY", Status::Extra(ExtraStatus::FailedDependency), FailedPrecondition, Client, "Failed dependency",
        "The request depends on another request that failed.",
        "Fix the request that failed first.";
    PreconditionRequired: "PRECONDITION_REQUIRED", Status::Extra(ExtraStatus::PreconditionRequired), FailedPrecondition, Client, "Precondition required",
        "The API requires a condition, such as `If-Match`, on this request.",
        "Fetch the resource, and repeat the request with its version as the condition.";
    UnavailableForLegalReasons: "UNAVAILABLE_FOR_LEGAL_REASONS", Status::Extra(ExtraStatus::UnavailableForLegalReasons), PermissionDenied, Operator, "Unavailable for legal reasons",
        "The resource is unavailable for legal reasons.",
        "Another request will not help; the message may say whom to ask.";
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

    /// The gRPC status of the code.
    pub const fn grpc_status(self) -> GrpcStatus {
        self.row().grpc_status
    }

    /// Who must act.
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

    /// What to do about it, in one sentence.
    pub const fn what_to_do(self) -> &'static str {
        self.row().what_to_do
    }

    /// What it means and what to do: the message of an error without further information.
    pub const fn explanation(self) -> &'static str {
        self.row().explanation
    }

    /// The code with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.name() == name)
    }

    /// The code of a status that the operator added with `extra_codes`.
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
    fn every_row_states_meaning_and_remedy_in_whole_sentences() {
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
