//! Examples of parameters, headers and bodies that are refused.

use super::{Example, fine};
use crate::{
    facts::Facts,
    model::{Check, Endpoint, MALFORMED_BODY, Place},
    request::Request,
};
use contract::{
    Detail, ErrorCode,
    detail::{MISSING, summary},
};

const NONE_CHECKED: &str = "No endpoint validates any.";

/// An endpoint whose requests have a body.
pub(crate) fn with_body(facts: &Facts) -> Option<&Endpoint> {
    let checked = |endpoint: &Endpoint| endpoint.takes.checks_body;
    let written = |endpoint: &Endpoint| matches!(endpoint.method.as_str(), "POST" | "PUT" | "PATCH");
    facts.first_that(checked).or_else(|| facts.first_that(written))
}

pub(crate) fn body_too_large(facts: &Facts) -> Example {
    let endpoint = with_body(facts);
    let mut request = fine(facts, endpoint);
    let most = endpoint.and_then(|endpoint| endpoint.max_body).unwrap_or(facts.reference.sizes.body);
    request.body = None;
    request.before = format!("head -c {} /dev/zero | ", most.saturating_add(1));
    request.options.push("--data-binary @-".to_owned());
    if request.method == "GET" {
        request.method = "POST".to_owned();
    }
    let message = format!(
        "The body may have at most {most} bytes. Send a smaller one, or split the work into several requests."
    );
    Example::new(facts, ErrorCode::BodyTooLarge, request, message)
}

pub(crate) fn body_malformed(facts: &Facts) -> Example {
    let endpoint = facts.first_that(|endpoint| endpoint.refusals.malformed.is_some());
    let mut request = endpoint.map_or_else(|| with_a_body(facts), |endpoint| fine(facts, Some(endpoint)));
    request.body = Some(MALFORMED_BODY.to_owned());
    let message = endpoint.and_then(|endpoint| endpoint.refusals.malformed.clone());
    let code = ErrorCode::BodyMalformed;
    let message = message.unwrap_or_else(|| format!("{} {}", code.meaning(), code.what_to_do()));
    let not_now = if facts.reference.endpoints.iter().any(|endpoint| endpoint.takes.checks_body) {
        ""
    } else {
        "No endpoint validates bodies; the API behind the gateway may do so."
    };
    Example::new(facts, ErrorCode::BodyMalformed, request, message).not_now(not_now)
}

pub(crate) fn media_type_not_supported(facts: &Facts) -> Example {
    let endpoint = facts.first_that(|endpoint| endpoint.refusals.media_type.is_some());
    let mut request = endpoint.map_or_else(|| with_a_body(facts), |endpoint| fine(facts, Some(endpoint)));
    request.headers.retain(|(name, _)| name != "Content-Type");
    request.headers.push(("Content-Type".to_owned(), "text/plain".to_owned()));
    request.body = Some("Hello".to_owned());
    let message = endpoint.and_then(|endpoint| endpoint.refusals.media_type.clone());
    let message = message.unwrap_or_else(|| {
        "This endpoint accepts a body of type application/json, but \"text/plain\" was sent.".to_owned()
    });
    let not_now = if endpoint.is_none() { "Every endpoint accepts any media type." } else { "" };
    Example::new(facts, ErrorCode::MediaTypeNotSupported, request, message).not_now(not_now)
}

/// A body with members that are wrong.
pub(crate) fn body_not_valid(facts: &Facts) -> Example {
    let endpoint = facts.first_that(|endpoint| endpoint.refusals.not_valid.is_some());
    let example = endpoint.and_then(|endpoint| Some((endpoint, endpoint.refusals.not_valid.as_ref()?)));
    let Some((endpoint, (body, details))) = example else {
        return unchecked(facts, ErrorCode::BodyNotValid, with_body(facts));
    };
    let mut request = fine(facts, Some(endpoint));
    request.body = Some(body.clone());
    let message = summary(details);
    details
        .iter()
        .cloned()
        .fold(Example::new(facts, ErrorCode::BodyNotValid, request, message), Example::detail)
}

/// A value that is required and left out.
pub(crate) fn missing(facts: &Facts, code: ErrorCode) -> Example {
    let fits = |check: &Check| check.required && concerns(code, check.place) && check.place != Place::Path;
    let Some((endpoint, check)) = find(facts, fits) else { return unchecked(facts, code, None) };
    let request = Request::to(&facts.reference, endpoint, Some((check.place, &check.name)), None);
    let detail = detail(check, MISSING);
    let message = summary(std::slice::from_ref(&detail));
    Example::new(facts, code, request, message).detail(detail)
}

/// A value that is there and wrong.
pub(crate) fn not_valid(facts: &Facts, code: ErrorCode) -> Example {
    let fits = |check: &Check| check.wrong.is_some() && concerns(code, check.place);
    let found =
        find(facts, fits).and_then(|(endpoint, check)| Some((endpoint, check, check.wrong.as_ref()?)));
    let Some((endpoint, check, wrong)) = found else { return unchecked(facts, code, None) };
    let request =
        Request::to(&facts.reference, endpoint, None, Some((check.place, &check.name, &wrong.value)));
    let detail = detail(check, &wrong.message);
    let message = summary(std::slice::from_ref(&detail));
    Example::new(facts, code, request, message).detail(detail)
}

/// Whether a code is about values at this place.
pub(crate) const fn concerns(code: ErrorCode, place: Place) -> bool {
    match place {
        Place::Path | Place::Query | Place::Cookie => {
            matches!(code, ErrorCode::ParameterMissing | ErrorCode::ParameterNotValid)
        }
        Place::Header => matches!(code, ErrorCode::HeaderMissing | ErrorCode::HeaderNotValid),
        Place::Body => matches!(code, ErrorCode::BodyNotValid),
    }
}

fn find(facts: &Facts, fits: impl Fn(&Check) -> bool + Copy) -> Option<(&Endpoint, &Check)> {
    let endpoint = facts.first_that(move |endpoint| endpoint.takes.checks.iter().any(fits))?;
    Some((endpoint, endpoint.takes.checks.iter().find(|check| fits(check))?))
}

/// What such an answer looks like where none is given.
fn unchecked(facts: &Facts, code: ErrorCode, endpoint: Option<&Endpoint>) -> Example {
    let request = fine(facts, endpoint.or_else(|| facts.typical()));
    let is_missing = matches!(code, ErrorCode::ParameterMissing | ErrorCode::HeaderMissing);
    let (place, name, wrong) = if code == ErrorCode::BodyNotValid {
        ("body", "name", "Must have at least 1 character, but has 0.")
    } else if concerns(code, Place::Header) {
        ("header", "x-store", "Must be one of north, south, but is \"up\".")
    } else {
        ("query", "limit", "Must be at least 1, but is 0.")
    };
    let message = if is_missing { MISSING } else { wrong };
    let pointer = (place == "body").then(|| format!("/{name}"));
    let detail = Detail { place, name: name.to_owned(), pointer, message: message.to_owned() };
    let message = format!("{} {}", code.meaning(), code.what_to_do());
    let is_checked = facts.reference.endpoints.iter().any(|endpoint| {
        let of_value = |check: &Check| concerns(code, check.place);
        let of_body = code == ErrorCode::BodyNotValid && endpoint.takes.checks_body;
        of_body || !is_missing && endpoint.takes.checks.iter().any(of_value)
    });
    let not_now = if is_checked { "" } else { NONE_CHECKED };
    Example::new(facts, code, request, message).detail(detail).not_now(not_now)
}

fn detail(check: &Check, message: &str) -> Detail {
    Detail { place: check.place.word(), name: check.name.clone(), pointer: None, message: message.to_owned() }
}

fn with_a_body(facts: &Facts) -> Request {
    let mut request = fine(facts, with_body(facts));
    if request.method == "GET" {
        request.method = "POST".to_owned();
        request.headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    request
}
