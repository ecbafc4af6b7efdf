//! Responses to requests that no upstream began to process: 503, so that the client retries.

use crate::{
    context::refusal::{Cause, Refusal, Refused},
    state::thread::Thread,
};
use contract::ErrorCode;

/// Why all addresses are busy.
pub(super) const FULL: &str = "Each has as many requests in flight as `max_requests` allows.";
/// `Retry-After` while all addresses are busy.
const BUSY: u64 = 1;
/// Maximum of `Retry-After` while connecting fails. The value is random up to it, so that clients do
/// not all return at once.
const LONGEST: u64 = 3;

/// The upstream cannot be connected to.
pub(super) fn unreachable(thread: &Thread, reason: String) -> Refused {
    let cause = Cause { group: "the upstream cannot be reached", detail: reason };
    let text = "The API cannot be reached at the moment. Nothing was sent to it or charged; try again in a few seconds.";
    unavailable(text, soon(thread), cause)
}

/// The health checks of all addresses fail.
pub(super) fn unhealthy(thread: &Thread) -> Refused {
    let cause = Cause {
        group: "no healthy upstream address",
        detail: "The health checks of all addresses fail: see `fairgate upstreams list`.".to_owned(),
    };
    let text = "The API cannot be reached at the moment. Nothing was charged; try again in a few seconds.";
    unavailable(text, soon(thread), cause)
}

/// The upstream reported that it did not process the request.
pub(super) fn turned_away(thread: &Thread) -> Refused {
    let cause = Cause {
        group: "the upstream did not accept the request",
        detail: "It refused the stream, or closed the connection without processing it.".to_owned(),
    };
    let text = "The API did not start to process the request. Nothing was done or charged; try again in a few seconds.";
    unavailable(text, soon(thread), cause)
}

/// All addresses have their maximum of requests in flight.
pub(super) fn busy(detail: &str) -> Refused {
    let cause = Cause { group: "all addresses of the upstream are busy", detail: detail.to_owned() };
    let text = "The API has more requests than it can handle at the moment. Nothing was charged; try again in a second.";
    unavailable(text, BUSY, cause)
}

fn unavailable(text: &'static str, seconds: u64, cause: Cause) -> Refused {
    let mut refused = Refusal::new(ErrorCode::Unavailable, text);
    refused.retry_after = Some(seconds);
    refused.cause = Some(cause);
    refused
}

fn soon(thread: &Thread) -> u64 {
    thread.random.borrow_mut().u64(1..=LONGEST)
}
