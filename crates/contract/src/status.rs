//! The closed table: the only statuses from 301 downwards that a client ever gets.

/// A row of the closed table (other than success), named by its meaning.
///
/// The number on the wire depends on [`Statuses`] for two of the rows, so a status is converted to
/// a number in one place only: [`Status::on_the_wire`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// 301: the endpoint has moved, or the path ends in a slash.
    Moved,
    /// 400: headers, parameters or the bytes themselves are not valid.
    NotValid,
    /// 401 (403 under [`Statuses::Rfc9110`]): the key is correct but lacks the permission.
    NoPermission,
    /// 403 (401 under [`Statuses::Rfc9110`]): the key is not set or is incorrect.
    KeyRefused,
    /// 404: no such resource, path or method.
    NotFound,
    /// 422: well formed, but cannot be processed.
    Unprocessable,
    /// 429: the limits of this key are exceeded.
    LimitExceeded,
    /// 500: an unexpected error on our side.
    Unexpected,
    /// 503: maintenance, overload, or a 503 of the upstream.
    Unavailable,
    /// A status outside the table that the operator added for this API with `extra_codes`.
    Extra(ExtraStatus),
}

/// Which of 401 and 403 means "no permission" and which means "no or incorrect key".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Statuses {
    /// 401 = the key lacks the permission, 403 = the key is not set or incorrect. The default.
    #[default]
    Fairgate,
    /// Swapped, as in RFC 9110.
    Rfc9110,
}

/// The statuses that an operator may add to the table (`extra_codes`).
///
/// Closed on purpose: a status is here only if its meaning cannot be confused with a row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of the IANA status registry")]
pub enum ExtraStatus {
    PaymentRequired,
    MethodNotAllowed,
    NotAcceptable,
    Conflict,
    Gone,
    PreconditionFailed,
    ContentTooLarge,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    Locked,
    FailedDependency,
    PreconditionRequired,
    UnavailableForLegalReasons,
}

// === impl Status ===

impl Status {
    /// The number on the wire.
    pub const fn on_the_wire(self, statuses: Statuses) -> u16 {
        match (self, statuses) {
            (Self::Moved, _) => 301,
            (Self::NotValid, _) => 400,
            (Self::NoPermission, Statuses::Fairgate) | (Self::KeyRefused, Statuses::Rfc9110) => 401,
            (Self::KeyRefused, Statuses::Fairgate) | (Self::NoPermission, Statuses::Rfc9110) => 403,
            (Self::NotFound, _) => 404,
            (Self::Unprocessable, _) => 422,
            (Self::LimitExceeded, _) => 429,
            (Self::Unexpected, _) => 500,
            (Self::Unavailable, _) => 503,
            (Self::Extra(extra), _) => extra.number(),
        }
    }

    /// The meaning of the row in one sentence, for pages and tables.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Moved => "The endpoint has changed, or you are using a slash at the end of the URL.",
            Self::NotValid => {
                "Some request headers or parameters are not valid and the request can't be executed."
            }
            Self::NoPermission => {
                "Your API key seems to be correct, but you may not have sufficient permissions to access the requested resource."
            }
            Self::KeyRefused => "Your API key is not set or is incorrect.",
            Self::NotFound => "The resource you're looking for is not found, or the endpoint doesn't exist.",
            Self::Unprocessable => {
                "Unprocessable entity. You will find more information in the error message returned in the response."
            }
            Self::LimitExceeded => "You have exceeded your allowed API limits.",
            Self::Unexpected => "An unexpected error occurred on our side.",
            Self::Unavailable => "Maintenance period. You can keep making requests until it's available.",
            Self::Extra(_) => "An error that this API adds to the common table.",
        }
    }
}

/// The reason phrase of a status line. An unknown status has none: RFC 9112 allows an empty one.
pub const fn reason_phrase(number: u16) -> &'static str {
    match number {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        410 => "Gone",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        451 => "Unavailable For Legal Reasons",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}

// === impl ExtraStatus ===

impl ExtraStatus {
    /// All statuses that `extra_codes` may list.
    pub const ALL: [Self; 13] = [
        Self::PaymentRequired,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::Conflict,
        Self::Gone,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::RangeNotSatisfiable,
        Self::Locked,
        Self::FailedDependency,
        Self::PreconditionRequired,
        Self::UnavailableForLegalReasons,
    ];

    /// The number on the wire.
    pub const fn number(self) -> u16 {
        match self {
            Self::PaymentRequired => 402,
            Self::MethodNotAllowed => 405,
            Self::NotAcceptable => 406,
            Self::Conflict => 409,
            Self::Gone => 410,
            Self::PreconditionFailed => 412,
            Self::ContentTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::RangeNotSatisfiable => 416,
            Self::Locked => 423,
            Self::FailedDependency => 424,
            Self::PreconditionRequired => 428,
            Self::UnavailableForLegalReasons => 451,
        }
    }

    /// The extra status with this number, if `extra_codes` may list it.
    pub fn from_number(number: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|extra| extra.number() == number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn rfc9110_swaps_401_and_403_and_nothing_else() {
        let rows = [
            Status::Moved,
            Status::NotValid,
            Status::NotFound,
            Status::Unprocessable,
            Status::LimitExceeded,
            Status::Unexpected,
            Status::Unavailable,
        ];
        for row in rows {
            assert_eq!(row.on_the_wire(Statuses::Fairgate), row.on_the_wire(Statuses::Rfc9110));
        }
        assert_eq!(Status::NoPermission.on_the_wire(Statuses::Fairgate), 401);
        assert_eq!(Status::KeyRefused.on_the_wire(Statuses::Fairgate), 403);
        assert_eq!(Status::NoPermission.on_the_wire(Statuses::Rfc9110), 403);
        assert_eq!(Status::KeyRefused.on_the_wire(Statuses::Rfc9110), 401);
    }

    #[test]
    fn every_status_that_can_be_sent_has_a_reason_phrase() {
        for extra in ExtraStatus::ALL {
            assert_ne!(reason_phrase(extra.number()), "", "{extra:?}");
            assert_eq!(ExtraStatus::from_number(extra.number()), Some(extra));
        }
        for number in [301, 400, 401, 403, 404, 422, 429, 500, 503] {
            assert_ne!(reason_phrase(number), "", "{number}");
        }
    }

    #[test]
    fn reason_phrases_are_those_of_rfc_9110_and_of_the_registry() {
        let registered = "200 OK, 201 Created, 202 Accepted, 204 No Content, 206 Partial Content, \
            301 Moved Permanently, 302 Found, 303 See Other, 304 Not Modified, 307 Temporary Redirect, \
            308 Permanent Redirect, 400 Bad Request, 401 Unauthorized, 402 Payment Required, 403 Forbidden, \
            404 Not Found, 405 Method Not Allowed, 406 Not Acceptable, 409 Conflict, 410 Gone, \
            412 Precondition Failed, 413 Content Too Large, 415 Unsupported Media Type, \
            416 Range Not Satisfiable, 422 Unprocessable Content, 423 Locked, 424 Failed Dependency, \
            428 Precondition Required, 429 Too Many Requests, 451 Unavailable For Legal Reasons, \
            500 Internal Server Error, 503 Service Unavailable";
        let named = |number: &u16| !reason_phrase(*number).is_empty();
        let phrases: Vec<String> =
            (0..1000).filter(named).map(|number| format!("{number} {}", reason_phrase(number))).collect();
        assert_eq!(phrases.join(", "), registered);
    }

    #[test]
    fn each_row_states_its_meaning_in_a_sentence_of_its_own() {
        let rows = [
            Status::Moved,
            Status::NotValid,
            Status::NoPermission,
            Status::KeyRefused,
            Status::NotFound,
            Status::Unprocessable,
            Status::LimitExceeded,
            Status::Unexpected,
            Status::Unavailable,
            Status::Extra(ExtraStatus::Conflict),
        ];
        let meanings: HashSet<_> = rows.map(Status::meaning).into_iter().collect();
        assert_eq!(meanings.len(), rows.len());
        assert!(meanings.iter().all(|meaning| meaning.contains(' ') && meaning.ends_with('.')));
    }
}
