//! The body: its media type and size, from the head alone; then, for an endpoint with a schema, the
//! body itself.

use super::elsewhere;
use crate::{
    client::Client,
    context::{
        RequestContext,
        refusal::{Refusal, Refused},
    },
    settings::Endpoint,
    state::buffered::BufferedBody,
};
use contract::{ErrorCode, detail};
use http1::{body::Framing, field::RequestField};
use openapi::rules::{BodyFault, RequestRules, soon, while_wanted};
use std::sync::Arc;

/// Checks what the head states about the body: media type, size, and whether a required one is missing.
pub(crate) fn check_head(context: &RequestContext<'_>, endpoint: Option<&Endpoint>) -> Result<(), Refused> {
    let framing = context.head.framing;
    let has_body = framing != Framing::Length(0);
    if has_body && !may_have_body(context, endpoint) {
        return Err(unexpected_body(context.head.method()));
    }
    if let Some(rules) = endpoint.and_then(|endpoint| endpoint.rules.as_deref()) {
        rules.check_media_type(content_type(context), has_body).map_err(refuse)?;
        if has_body && rules.reads_body(content_type(context)) {
            check_coding(context)?;
        }
    }
    let most = largest(context, endpoint);
    match framing {
        Framing::Length(length) if length > most => Err(Refusal::body_too_large(most)),
        Framing::Length(_) | Framing::Chunked | Framing::UntilClose => Ok(()),
    }
}

/// RFC 9110 section 9.3.1: a body of GET has no meaning, and a server may refuse it, because one
/// that ignores it would parse it as the next request. TRACE must not have one at all.
fn may_have_body(context: &RequestContext<'_>, endpoint: Option<&Endpoint>) -> bool {
    match context.head.method() {
        "TRACE" => false,
        "GET" | "HEAD" => {
            let declares = |one: &Endpoint| one.takes.checks_body || !one.takes.media_types.is_empty();
            context.config.settings.strictness.bodies_of_get || endpoint.is_some_and(declares)
        }
        _ => true,
    }
}

fn unexpected_body(method: &str) -> Refused {
    Refusal::new(
        ErrorCode::RequestMalformed,
        format!(
            "A {method} request must not have a body here. Send the data in the query, or use another method."
        ),
    )
}

/// A validated body must not be encoded: the decoded content could be anything (fail closed).
fn check_coding(context: &RequestContext<'_>) -> Result<(), Refused> {
    let coding =
        context.head.named("content-encoding").find(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    let Some(coding) = coding else { return Ok(()) };
    let coding: String = String::from_utf8_lossy(coding).chars().take(60).collect();
    Err(Refusal::new(
        ErrorCode::MediaTypeNotSupported,
        format!(
            "This endpoint validates the request body and requires it unencoded, but the request has `Content-Encoding: {coding}`. Send the body without a content coding."
        ),
    ))
}

/// Maximum size of the body of this request.
pub(crate) fn largest(context: &RequestContext<'_>, endpoint: Option<&Endpoint>) -> u64 {
    endpoint.and_then(|endpoint| endpoint.max_body).unwrap_or(context.config.settings.sizes.body)
}

/// The rules for which this request's body must be read before the request can continue.
pub(crate) fn rules<'e>(
    context: &RequestContext<'_>,
    endpoint: Option<&'e Endpoint>,
) -> Option<&'e Arc<RequestRules>> {
    let rules = endpoint?.rules.as_ref()?;
    let has_body = context.head.framing != Framing::Length(0);
    (has_body && rules.reads_body(content_type(context))).then_some(rules)
}

/// Where a check was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checked {
    /// On the data thread.
    Here,
    /// Not run: other requests would have to wait for it.
    TooLong,
}

/// Checks a body that was read, unless that takes long.
pub(crate) fn check(
    context: &RequestContext<'_>,
    rules: &RequestRules,
    body: &BufferedBody,
) -> Result<Checked, Refused> {
    let (content_type, bytes) = (content_type(context), body.bytes());
    if rules.is_large(content_type, bytes) {
        return Ok(Checked::TooLong);
    }
    let most = context.config.settings.sizes.body_values;
    match soon(|| rules.check_body_of(content_type, bytes, most)) {
        Some(checked) => checked.map(|()| Checked::Here).map_err(refuse),
        None => Ok(Checked::TooLong),
    }
}

/// Checks a body where it does not block others, and returns it.
pub(crate) async fn check_elsewhere(
    context: &RequestContext<'_>,
    client: &mut Client,
    rules: &Arc<RequestRules>,
    body: BufferedBody,
) -> Result<BufferedBody, Refused> {
    let rules = Arc::clone(rules);
    let content_type = content_type(context).map(<[u8]>::to_vec);
    let most = context.config.settings.sizes.body_values;
    let checked = elsewhere::run(context, client, move |wanted| {
        let checked =
            while_wanted(wanted, || rules.check_body_of(content_type.as_deref(), body.bytes(), most))?;
        Some((body, checked))
    });
    let (body, checked) = checked.await?;
    checked.map_err(refuse)?;
    Ok(body)
}

fn content_type<'v>(context: &'v RequestContext<'_>) -> Option<&'v [u8]> {
    context.head.value(RequestField::ContentType)
}

fn refuse(fault: BodyFault) -> Refused {
    match fault {
        BodyFault::MediaType(message) => Refusal::new(ErrorCode::MediaTypeNotSupported, message),
        BodyFault::Malformed(message) => Refusal::new(ErrorCode::BodyMalformed, message),
        BodyFault::TooManyValues { most } => Refusal::new(
            ErrorCode::BodyTooLarge,
            format!(
                "The body may have at most {most} values. Send a smaller one, or split the work into several requests."
            ),
        ),
        BodyFault::NotValid(details) => {
            let mut refused = Refusal::new(ErrorCode::BodyNotValid, detail::summary(&details));
            refused.details = details;
            refused
        }
    }
}
