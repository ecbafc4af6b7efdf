//! Refusals that are made in several places.

use crate::refusal::{Refusal, Refused};
use contract::ErrorCode;

/// The body is larger than it may be.
pub(crate) fn body_too_large(most: u64) -> Refused {
    let mut refused = Refusal::new(
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
    let mut refused = Refusal::new(
        ErrorCode::Unavailable,
        format!("The API is overloaded. Nothing was charged. Try again in {wait} seconds."),
    );
    refused.retry_after = Some(wait);
    refused
}
