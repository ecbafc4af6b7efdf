//! The body: its media type and size, told by the head alone; then, only for an endpoint that
//! declares members of it, its JSON and those members.

use crate::{
    http1::{body::Framing, field::RequestField},
    policies::{
        json,
        parameters::{quoted, wrong_choice, wrong_number, wrong_string},
    },
    refusal::{Refusal, Refused},
    settings::{Endpoint, Kind, Parameter, Place},
    visit::Visit,
};
use contract::{Detail, ErrorCode};
use serde_json::Value;

const JSON: &str = "application/json";

/// What the head tells of the body: media type and size.
pub(crate) fn check_head(visit: &Visit<'_>, endpoint: Option<&Endpoint>) -> Result<(), Refused> {
    let framing = visit.head.framing;
    if framing == Framing::Length(0) {
        return Ok(());
    }
    if let Some(endpoint) = endpoint {
        check_media_type(visit, endpoint)?;
    }
    let most = largest(visit, endpoint);
    match framing {
        Framing::Length(length) if length > most => Err(too_large(most)),
        Framing::Length(_) | Framing::Chunked | Framing::UntilClose => Ok(()),
    }
}

/// Bytes that the body of this request may have.
pub(crate) fn largest(visit: &Visit<'_>, endpoint: Option<&Endpoint>) -> u64 {
    endpoint.and_then(|endpoint| endpoint.max_body).unwrap_or(visit.shared.settings.sizes.body)
}

/// The body is larger than it may be.
pub(crate) fn too_large(most: u64) -> Refused {
    let mut refused = Refusal::new(
        ErrorCode::BodyTooLarge,
        format!(
            "The body may have at most {most} bytes. Send a smaller one, or split the work into several requests."
        ),
    );
    refused.closes = true; // the rest of it is not worth reading
    refused
}

/// Whether the body has to be read before the request may go on.
pub(crate) fn is_checked(endpoint: Option<&Endpoint>) -> bool {
    endpoint
        .is_some_and(|endpoint| endpoint.parameters.iter().any(|parameter| parameter.place == Place::Body))
}

fn check_media_type(visit: &Visit<'_>, endpoint: &Endpoint) -> Result<(), Refused> {
    let sent = visit.head.value(RequestField::ContentType).unwrap_or_default();
    let sent = sent.split(|&b| b == b';').next().unwrap_or_default().trim_ascii().to_ascii_lowercase();
    let is_json = sent == JSON.as_bytes() || sent.ends_with(b"+json");
    let taken = if endpoint.media_types.is_empty() {
        is_json || !is_checked(Some(endpoint))
    } else {
        endpoint.media_types.iter().any(|taken| {
            let family = taken.strip_suffix('*').filter(|family| family.ends_with('/'));
            taken.as_bytes() == sent.as_slice()
                || taken == "*/*"
                || family.is_some_and(|family| sent.starts_with(family.as_bytes()))
        })
    };
    if taken {
        return Ok(());
    }
    let named =
        if endpoint.media_types.is_empty() { JSON.to_owned() } else { endpoint.media_types.join(", ") };
    let sent = if sent.is_empty() {
        "no Content-Type was sent".to_owned()
    } else {
        format!("{} was sent", quoted(&String::from_utf8_lossy(&sent)))
    };
    Err(Refusal::new(
        ErrorCode::MediaTypeNotSupported,
        format!("This endpoint takes a body of the type {named}, but {sent}."),
    ))
}

/// Checks a body that was read: first that it is JSON, then the members that the endpoint declares.
///
/// A request that has neither a body nor a Content-Type has no body to be wrong, unless one is required.
pub(crate) fn check(endpoint: &Endpoint, body: &[u8], has_content_type: bool) -> Result<(), Refused> {
    let declared = || endpoint.parameters.iter().filter(|parameter| parameter.place == Place::Body);
    if body.is_empty() && !has_content_type && !declared().any(|parameter| parameter.required) {
        return Ok(());
    }
    let value = json::read(body).map_err(|error| {
        Refusal::new(ErrorCode::BodyMalformed, format!("The body is not valid JSON: {error}."))
    })?;
    let mut details = Vec::new();
    match &value {
        Value::Object(members) => {
            for parameter in declared() {
                let message = match members.get(&parameter.name) {
                    Some(value) => wrong(parameter, value),
                    None => parameter.required.then(|| "It is required, but not there.".to_owned()),
                };
                details.extend(message.map(|message| Detail {
                    place: "body",
                    name: parameter.name.clone(),
                    pointer: Some(pointer(&parameter.name)),
                    message,
                }));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            details.push(Detail {
                place: "body",
                name: String::new(),
                pointer: Some(String::new()),
                message: format!("The body has to be a JSON object, but is {}.", kind_of(&value)),
            })
        }
    }
    let message = match details.as_slice() {
        [] => return Ok(()),
        [only] if only.name.is_empty() => only.message.clone(),
        [only] => format!("The member \"{}\" of the body is not right: {}", only.name, only.message),
        all => format!("{} members of the body are not right; `details` names each.", all.len()),
    };
    let mut refused = Refusal::new(ErrorCode::BodyNotValid, message);
    refused.details = details;
    Err(refused)
}

fn wrong(parameter: &Parameter, value: &Value) -> Option<String> {
    match (parameter.kind, value) {
        (Kind::String, Value::String(text)) => wrong_string(parameter, text),
        (Kind::Boolean, Value::Bool(flag)) => wrong_choice(parameter, if *flag { "true" } else { "false" }),
        (Kind::Integer, Value::Number(number)) if number.is_i64() || number.is_u64() => {
            judge_number(parameter, number)
        }
        (Kind::Number, Value::Number(number)) => judge_number(parameter, number),
        (kind, found) => {
            let wanted = match kind {
                Kind::String => "a string",
                Kind::Integer => "a whole number",
                Kind::Number => "a number",
                Kind::Boolean => "true or false",
            };
            Some(format!("It has to be {wanted}, but is {}.", kind_of(found)))
        }
    }
}

fn judge_number(parameter: &Parameter, number: &serde_json::Number) -> Option<String> {
    let value = number.as_f64().unwrap_or_default();
    wrong_number(parameter, value).or_else(|| wrong_choice(parameter, &number.to_string()))
}

fn kind_of(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => format!("the string {}", quoted(text)),
        Value::Array(_) => "an array".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// A JSON pointer to a member (RFC 6901).
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint() -> Endpoint {
        let parameter = |name: &str, kind, required| Parameter {
            place: Place::Body,
            name: name.into(),
            kind,
            required,
            pattern: None,
            minimum: Some(1.0),
            maximum: None,
            one_of: vec![],
        };
        Endpoint {
            method: "POST".into(),
            path: "/".into(),
            permission: None,
            public: false,
            cost: 1,
            max_body: None,
            media_types: vec![],
            parameters: vec![parameter("name", Kind::String, true), parameter("a/b", Kind::Integer, false)],
        }
    }

    #[test]
    fn every_wrong_member_is_named_with_its_pointer() {
        let refused = check(&endpoint(), br#"{"name":"","a/b":1.5}"#, true).unwrap_err();
        assert_eq!(refused.code, ErrorCode::BodyNotValid);
        let pointers: Vec<_> = refused.details.iter().map(|detail| detail.pointer.clone().unwrap()).collect();
        assert_eq!(pointers, ["/name", "/a~1b"]);
        assert_eq!(refused.details[1].message, "It has to be a whole number, but is 1.5.");
    }

    #[test]
    fn malformed_is_told_apart_from_not_valid() {
        for (body, code) in [
            (&b"{"[..], ErrorCode::BodyMalformed),
            (br#"{"name":"a","name":"b"}"#, ErrorCode::BodyMalformed),
            (b"", ErrorCode::BodyMalformed),
            (b"[]", ErrorCode::BodyNotValid),
            (b"{}", ErrorCode::BodyNotValid),
            (br#"{"name":null}"#, ErrorCode::BodyNotValid),
        ] {
            assert_eq!(check(&endpoint(), body, true).unwrap_err().code, code, "{body:?}");
        }
        assert!(check(&endpoint(), br#"{"name":"a","more":1}"#, true).is_ok());
    }
}
