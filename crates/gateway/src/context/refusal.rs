//! A refusal: everything known about an error before it becomes HTTP.
//!
//! Text for the client and text for the operator are separate fields of separate types:
//! [`Refusal::message`] is public, [`Cause`] is never sent.

use contract::{Detail, ErrorCode};
use http1::Fault;
use limits::Denial;
use std::borrow::Cow;

/// Why a request gets an error. Boxed, because it is rare and large.
pub(crate) type Refused = Box<Refusal>;

/// Why a request gets an error.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// Public: what is wrong with this request, and what to do.
    pub(crate) message: Cow<'static, str>,
    /// Public: all violations of a validation error.
    pub(crate) details: Vec<Detail>,
    /// Public: the location of a 301.
    pub(crate) location: Option<String>,
    /// Public: `Allow` for a method that is not available.
    pub(crate) allow: Option<String>,
    /// Public: seconds until a retry makes sense.
    pub(crate) retry_after: Option<u64>,
    /// `Retry-After` of the upstream is among the kept header lines.
    pub(crate) keeps_retry_after: bool,
    /// A retry will never succeed.
    pub(crate) never_resets: bool,
    /// The limit that denied the request.
    pub(crate) denial: Option<Denial>,
    /// The code of the upstream's own error specification, if the registry does not have it.
    pub(crate) foreign_code: Option<String>,
    /// Header lines of the upstream's response that the replacement keeps.
    pub(crate) kept_headers: Vec<u8>,
    /// Public: the upstream's own body, instead of the error specification.
    pub(crate) kept_body: Option<KeptBody>,
    /// Private: the upstream's status, if it is the upstream's error.
    pub(crate) answered: Option<u16>,
    /// The upstream requires its own credentials and sent a challenge.
    pub(crate) is_challenge: bool,
    /// Private: the actual cause. Present on every 500.
    pub(crate) cause: Option<Cause>,
    /// The client's connection must be closed.
    pub(crate) closes: bool,
}

/// The body of an upstream's error, in a format that clients of its protocol expect.
#[derive(Debug)]
pub(crate) struct KeptBody {
    /// The status sent with it. None: that of the table.
    pub(crate) status: Option<u16>,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

/// The actual cause. For the incident and the log, never for the client.
#[derive(Debug)]
pub(crate) struct Cause {
    /// Identical for all incidents of one kind.
    pub(crate) group: &'static str,
    /// The details.
    pub(crate) detail: String,
}

/// What the client reads of an internal error.
const UNEXPECTED: &str = "An unexpected error occurred on our side. Nothing was charged. Please e-mail us the request id, and we will check as soon as possible.";

impl Refusal {
    pub(crate) fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Refused {
        Box::new(Self {
            code,
            message: message.into(),
            details: Vec::new(),
            location: None,
            allow: None,
            retry_after: None,
            keeps_retry_after: false,
            never_resets: false,
            denial: None,
            foreign_code: None,
            kept_headers: Vec::new(),
            kept_body: None,
            answered: None,
            is_challenge: false,
            cause: None,
            closes: false,
        })
    }

    /// An internal error. The client learns nothing else of it.
    pub(crate) fn unexpected(group: &'static str, detail: impl Into<String>) -> Refused {
        let mut refused = Self::new(ErrorCode::UnexpectedError, UNEXPECTED);
        refused.cause = Some(Cause { group, detail: detail.into() });
        refused
    }

    /// Turns a temporary error of ours into an unexpected one.
    pub(crate) fn become_unexpected(&mut self) {
        self.code = ErrorCode::UnexpectedError;
        self.message = Cow::Borrowed(UNEXPECTED);
        self.retry_after = None;
    }

    /// Malformed bytes. The framing of the connection is lost with them.
    pub(crate) fn of_fault(fault: Fault) -> Refused {
        let mut refused = Self::new(fault.code, fault.message);
        refused.closes = true;
        refused
    }

    /// The body exceeds the limit.
    pub(crate) fn body_too_large(most: u64) -> Refused {
        let mut refused = Self::new(
            ErrorCode::BodyTooLarge,
            format!(
                "The body may have at most {most} bytes. Send a smaller one, or split the work into several requests."
            ),
        );
        refused.closes = true; // the rest is not read
        refused
    }

    /// The refusal under overload. `now`: Unix milliseconds.
    pub(crate) fn overloaded(now: u64) -> Refused {
        // Different for each client, so that they do not all return at once.
        let wait = 2 + now % 4;
        let mut refused = Self::new(
            ErrorCode::Unavailable,
            format!("The API is overloaded. Nothing was charged. Try again in {wait} seconds."),
        );
        refused.retry_after = Some(wait);
        refused
    }
}
