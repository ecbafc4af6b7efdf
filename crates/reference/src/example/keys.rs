//! Examples of keys that are refused.

use super::{Example, fine};
use crate::{facts::Facts, model::Endpoint, request::Request};
use contract::{ErrorCode, permission::needed};

pub(crate) fn not_set(facts: &Facts) -> Example {
    let mut request = keyed(facts);
    let key_header = facts.reference.key_headers.first();
    request.headers.retain(|(name, _)| name != "Authorization" && key_header != Some(name));
    let message = match key_header {
        Some(header) => format!(
            "The request has no API key. Send it in the header {header}, or as `Authorization: Bearer YOUR_KEY`."
        ),
        None => "The request has no API key. Send it as `Authorization: Bearer YOUR_KEY`.".to_owned(),
    };
    Example::new(facts, ErrorCode::KeyNotSet, request, message)
}

pub(crate) fn format_incorrect(facts: &Facts) -> Example {
    let request = keyed(facts).with_key(&facts.reference, "fg_cut-short");
    let message = "The value sent as the API key does not have the format of a key. Copy the whole key, without spaces or quotes.";
    Example::new(facts, ErrorCode::KeyFormatIncorrect, request, message)
}

pub(crate) fn https_required(facts: &Facts) -> Example {
    let request = keyed(facts);
    let https = facts.reference.base().replacen("http://", "https://", 1);
    let message = format!(
        "This API requires HTTPS, but the API key was sent without it, so others may have read the key. Have it replaced, and send requests to {https}{}.",
        request.target
    );
    let not_now =
        if facts.reference.redirects_to_https { "" } else { "This API does not redirect requests to HTTPS." };
    let mut example = Example::new(facts, ErrorCode::HttpsRequired, request, message).not_now(not_now);
    example.base = example.base.replacen("https://", "http://", 1);
    example
}

pub(crate) fn not_valid(facts: &Facts) -> Example {
    // A key in the usual form, from bytes that are anything but random: it is never issued.
    let mut bytes = (0..=61u8).cycle();
    let key = contract::key::generate(|| bytes.next().unwrap_or_default());
    let request = keyed(facts).with_key(&facts.reference, &key);
    let message = "Unknown API key. Check that it is complete and belongs to this API.";
    Example::new(facts, ErrorCode::KeyNotValid, request, message)
}

/// A key that was good once.
pub(crate) fn over(facts: &Facts, code: ErrorCode) -> Example {
    let message = if code == ErrorCode::KeyRevoked {
        "This API key has been revoked. Use another key, or ask for a new one."
    } else {
        "This API key has expired. Use another key, or ask for a new one."
    };
    Example::new(facts, code, keyed(facts), message)
}

pub(crate) fn permission_denied(facts: &Facts) -> Example {
    let needs = |endpoint: &Endpoint| !endpoint.public && !endpoint.takes_any_key();
    let endpoint = facts.first_that(needs);
    let request = fine(facts, endpoint.or_else(|| facts.typical()));
    let (message, not_now) = match endpoint.map(|endpoint| endpoint.permissions.as_slice()) {
        Some(sets) => {
            let needed = needed(sets);
            let message = format!(
                "Your API key is correct, but it does not have {needed}. Use a key that has it, or ask for it."
            );
            (message, "")
        }
        None => {
            let message = "Your API key is correct, but it does not have the permission for this resource.";
            (
                message.to_owned(),
                "No endpoint requires a permission; the API behind the gateway may still deny a request.",
            )
        }
    };
    Example::new(facts, ErrorCode::PermissionDenied, request, message).not_now(not_now)
}

/// A request to an endpoint that needs a key.
fn keyed(facts: &Facts) -> Request {
    let endpoint = facts.typical();
    fine(facts, endpoint).with_key(&facts.reference, crate::request::KEY)
}
