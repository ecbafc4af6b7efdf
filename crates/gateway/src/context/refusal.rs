//! A refusal: everything that is known of an error before it becomes HTTP.
//!
//! What the client may read and what only the operator may read are different fields of different
//! types: [`Refusal::message`] is public, [`Cause`] never leaves the house.

use contract::{Detail, ErrorCode};
use http1::Fault;
use limits::Denial;
use std::borrow::Cow;

/// Why a request is not answered with a success. Boxed, because it is rare and large.
pub(crate) type Refused = Box<Refusal>;

/// Why a request is not answered with a success.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: ErrorCode,
    /// Public: what is wrong with this request, and what to do next.
    pub(crate) message: Cow<'static, str>,
    /// Public: all violations of a validation error.
    pub(crate) details: Vec<Detail>,
    /// Public: where to go after a 301.
    pub(crate) location: Option<String>,
    /// Public: `Allow` of a method that is not available.
    pub(crate) allow: Option<String>,
    /// Public: seconds until a retry makes sense.
    pub(crate) retry_after: Option<u64>,
    /// They stand among the kept header lines already, as the upstream said it.
    pub(crate) keeps_retry_after: bool,
    /// No retry will ever make sense.
    pub(crate) never_resets: bool,
    /// The limit that denied.
    pub(crate) denial: Option<Denial>,
    /// An error specification of the upstream's own: its code and details.
    pub(crate) foreign: Option<(String, Option<serde_json::Value>)>,
    /// Header lines of the upstream's answer that survive its replacement.
    pub(crate) kept_headers: Vec<u8>,
    /// Public: the upstream's own body, in place of the error specification.
    pub(crate) kept_body: Option<KeptBody>,
    /// Private: the status that the upstream answered, if it is its error.
    pub(crate) answered: Option<u16>,
    /// The upstream wants credentials of its own, and says which.
    pub(crate) is_challenge: bool,
    /// Private: what really happened. Present on every 500.
    pub(crate) cause: Option<Cause>,
    /// The client's connection cannot go on.
    pub(crate) closes: bool,
}

/// The body of an upstream's error that clients of its protocol read.
#[derive(Debug)]
pub(crate) struct KeptBody {
    /// The status that is kept with it. None: that of the table.
    pub(crate) status: Option<u16>,
    pub(crate) media_type: String,
    pub(crate) body: Vec<u8>,
}

/// What really happened. For the incident and the log, never for the client.
#[derive(Debug)]
pub(crate) struct Cause {
    /// The same for all incidents of one kind.
    pub(crate) group: &'static str,
    /// In full.
    pub(crate) detail: String,
}

/// What a client reads of an error that is none of its business.
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
            foreign: None,
            kept_headers: Vec::new(),
            kept_body: None,
            answered: None,
            is_challenge: false,
            cause: None,
            closes: false,
        })
    }

    /// An unexpected error on our side. The client reads that, and no more.
    pub(crate) fn unexpected(group: &'static str, detail: impl Into<String>) -> Refused {
        let mut refused = Self::new(ErrorCode::UnexpectedError, UNEXPECTED);
        refused.cause = Some(Cause { group, detail: detail.into() });
        refused
    }

    /// Makes an error of ours that seemed to pass by itself an unexpected one.
    pub(crate) fn become_unexpected(&mut self) {
        self.code = ErrorCode::UnexpectedError;
        self.message = Cow::Borrowed(UNEXPECTED);
        self.retry_after = None;
    }

    /// Bytes that are not the request they should be. The connection's framing is lost with them.
    pub(crate) fn of_fault(fault: Fault) -> Refused {
        let mut refused = Self::new(fault.code, fault.message);
        refused.closes = true;
        refused
    }

    /// The body is larger than it may be.
    pub(crate) fn body_too_large(most: u64) -> Refused {
        let mut refused = Self::new(
            ErrorCode::BodyTooLarge,
            format!(
                "The body may have at most {most} bytes. Send a smaller one, or split the work into several requests."
            ),
        );
        refused.closes = true; // the rest of it is not worth reading
        refused
    }

    /// What is said to whoever is turned away. `now`: Unix milliseconds.
    pub(crate) fn overloaded(now: u64) -> Refused {
        // Not the same for all, or they would all come back at once.
        let wait = 2 + now % 4;
        let mut refused = Self::new(
            ErrorCode::Unavailable,
            format!("The API is overloaded. Nothing was charged. Try again in {wait} seconds."),
        );
        refused.retry_after = Some(wait);
        refused
    }
}
