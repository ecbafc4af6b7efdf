//! What is kept of an upstream's error body: its human-readable message and the violations it
//! names, or all of it if it is an error specification already.
//!
//! `tests/messages` has error bodies of frameworks, with the results.

mod fields;
mod internals;
mod json;
mod localized;
mod path;
mod text;

use crate::detail::Detail;
use fields::Fields;
use json::Json;
use localized::localized;
use text::{MAX_MESSAGE, clean, is_sentence, sentence};

/// Members with a human-readable message, the best first.
const MESSAGES: [&str; 14] = [
    "message",
    "detail",
    "error_description",
    "description",
    "errorMessage",
    "error_message",
    "msg",
    "Message",
    "reason",
    "diagnostics",
    "title",
    "brief",
    "error",
    "errors",
];
/// Maximum nesting depth of errors.
const MAX_DEPTH: usize = 4;

/// The content of an upstream's error body.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// An error specification: its code, message and details are the upstream's own.
    Specification {
        /// `error.code`
        code: String,
        /// `error.message`
        message: String,
        /// `error.details`, with the members of ours only.
        details: Vec<Detail>,
    },
    /// Another format with a human-readable message.
    Message {
        /// On one line, of limited length, without control characters.
        message: String,
        /// The violations it names.
        details: Vec<Detail>,
    },
    /// HTML, binary, invalid JSON, JSON without a message: nothing for a client.
    Nothing,
}

/// What is known of a response besides its body.
#[derive(Debug, Clone, Copy)]
pub struct ResponseContext<'a> {
    /// Its `Content-Type`.
    pub media_type: Option<&'a [u8]>,
    /// It may name parts of the request: a 400 or a 422.
    pub names_fields: bool,
    /// Their place if not stated: `body`, or `query` for a request without one.
    pub place: &'static str,
}

/// Reads an upstream's error body, whose message may be kept (`upstream::may_keep_message`).
pub fn read(body: &[u8], context: ResponseContext<'_>) -> Found {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Json::read(body).map_or(Found::Nothing, |error| of_object(&error, context)),
        Some(b'[') => Json::read(body).map_or(Found::Nothing, |error| of_list(&error, context)),
        None => Found::Nothing,
        Some(b'"') => {
            let text = Json::read(body).and_then(|text| sentence(text.text()?, MAX_MESSAGE));
            found(text, Vec::new())
        }
        Some(_) if is_plain(context.media_type) => found(text::plain(body), Vec::new()),
        Some(_) => Found::Nothing,
    }
}

fn of_object(error: &Json<'_>, context: ResponseContext<'_>) -> Found {
    if let Some(found) = specification(error, context.place) {
        return found;
    }
    let message = message(error, 0);
    if !context.names_fields {
        return found(message.or_else(|| listed(error, 0)).or_else(|| word(error, 0)), Vec::new());
    }
    let mut details = Fields::of(error, context.place);
    let message = message.or_else(|| summary(&details)).or_else(|| listed(error, 0));
    let message = message.or_else(|| {
        details = Fields::of_names(error, context.place);
        summary(&details).or_else(|| word(error, 0))
    });
    found(message, details)
}

fn of_list(errors: &Json<'_>, context: ResponseContext<'_>) -> Found {
    if !context.names_fields {
        // A list of plain texts may be any data.
        let first = errors.list().and_then(<[_]>::first);
        let sentences = first.filter(|first| first.object().is_some()).and_then(|_| sentences(errors, 0));
        return found(sentences, Vec::new());
    }
    let mut details = Fields::of(errors, context.place);
    if details.is_empty() {
        details = Fields::of_names(errors, context.place);
    }
    found(summary(&details).or_else(|| sentences(errors, 0)), details)
}

fn found(message: Option<String>, details: Vec<Detail>) -> Found {
    message.map_or(Found::Nothing, |message| Found::Message { message, details })
}

/// Whether a body that is not JSON may be a message: its media type is plain text, or missing.
fn is_plain(media_type: Option<&[u8]>) -> bool {
    const PLAIN: &[u8] = b"text/plain";
    let is = |media_type: &[u8]| {
        media_type.get(..PLAIN.len()).is_some_and(|start| start.eq_ignore_ascii_case(PLAIN))
    };
    media_type.is_none_or(is)
}

fn specification(body: &Json<'_>, place: &'static str) -> Option<Found> {
    if body.get("success") != Some(&Json::Boolean(false)) {
        return None;
    }
    let error = body.get("error")?;
    let code = error.text_of("code")?;
    let is_stable = !code.is_empty()
        && code.len() <= 64
        && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    let message = sentence(error.text_of("message")?, MAX_MESSAGE)?;
    let details = fields::specified(error.get("details").and_then(Json::list).unwrap_or_default(), place);
    is_stable.then(|| Found::Specification { code: code.to_owned(), message, details })
}

/// The best message of an error. Words such as "Not Found" or `invalid_token` do not count: see [`word`].
fn message(error: &Json<'_>, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    for name in MESSAGES {
        let found = error.text_of(name).filter(|text| is_sentence(text));
        if let Some(found) = found.and_then(|text| sentence(text, MAX_MESSAGE)) {
            return Some(found);
        }
    }
    let nested = ["error", "message", "detail", "errors", "_error", "status", "json", "responseStatus"]
        .into_iter()
        .filter_map(|name| error.get(name));
    nested.filter(|value| value.object().is_some()).find_map(|value| {
        let alone = || value.text_of("value").or_else(|| localized(value));
        message(value, depth + 1).or_else(|| sentence(alone()?, MAX_MESSAGE))
    })
}

/// The messages of the errors that an error lists.
fn listed(error: &Json<'_>, depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    let nested = ["message", "detail", "errors", "error", "_embedded", "messages", "errorMessages", "issue"]
        .into_iter();
    nested.filter_map(|name| error.get(name)).find_map(|value| match value {
        Json::List(_) => sentences(value, depth + 1),
        Json::Object(_) => listed(value, depth + 1),
        Json::Null | Json::Boolean(_) | Json::Number(_) | Json::Text(_) => None,
    })
}

/// The messages of a list, joined.
fn sentences(list: &Json<'_>, depth: usize) -> Option<String> {
    let mut all = String::new();
    for one in list.list()? {
        let found = match one {
            Json::Text(text) => sentence(text, MAX_MESSAGE),
            Json::Object(_) => message(one, depth + 1),
            Json::Null | Json::Boolean(_) | Json::Number(_) | Json::List(_) => None,
        };
        if let Some(found) = found {
            join(&mut all, &found);
        }
        if all.len() > MAX_MESSAGE {
            break;
        }
    }
    clean(&all, MAX_MESSAGE)
}

/// The messages of the violations, if the error has none of its own.
fn summary(details: &[Detail]) -> Option<String> {
    let mut all = String::new();
    for detail in details {
        // The index of an element is not a name that a reader would recognize.
        let is_position = detail.name.bytes().all(|byte| byte.is_ascii_digit());
        let name = match &detail.pointer {
            Some(pointer) if is_position => pointer.trim_start_matches('/').replace('/', "."),
            Some(_) | None => detail.name.clone(),
        };
        let sentence =
            if name.is_empty() { detail.message.clone() } else { format!("{name}: {}", detail.message) };
        join(&mut all, &sentence);
        if all.len() > MAX_MESSAGE {
            break;
        }
    }
    clean(&all, MAX_MESSAGE)
}

fn join(all: &mut String, sentence: &str) {
    if !all.is_empty() {
        all.push_str(if all.ends_with(['.', '!', '?']) { " " } else { "; " });
    }
    all.push_str(sentence);
}

/// The first word of an error without a message: the name of its status, or a machine-readable code.
fn word(error: &Json<'_>, depth: usize) -> Option<String> {
    let here = MESSAGES.into_iter().find_map(|name| sentence(error.text_of(name)?, MAX_MESSAGE));
    here.or_else(|| {
        let nested = ["error", "detail", "errors"].into_iter().filter_map(|name| error.get(name));
        nested.filter(|_| depth < MAX_DEPTH).find_map(|value| word(value, depth + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorCode, Specification, specification::Form};
    use proptest::prelude::*;
    use serde_json::Value;

    const CONTEXT: ResponseContext<'_> =
        ResponseContext { media_type: None, names_fields: true, place: "body" };

    fn found(body: &str) -> Found {
        read(body.as_bytes(), ResponseContext { names_fields: false, ..CONTEXT })
    }

    #[test]
    fn the_human_message_is_found_wherever_apis_put_it() {
        for (body, message) in [
            (r#"{"message":"Out of stock"}"#, "Out of stock"),
            (r#"{"detail":"Out of stock"}"#, "Out of stock"),
            (r#"{"title":"Out of stock","status":409}"#, "Out of stock"),
            (r#"{"error":"Out of stock"}"#, "Out of stock"),
            (r#"{"error":{"message":"Out of stock"}}"#, "Out of stock"),
            (r#"{"errors":["Out of stock.","Sorry"]}"#, "Out of stock. Sorry"),
            (r#"{"message":["Out of","stock"]}"#, "Out of; stock"),
            (r#""Out of stock""#, "Out of stock"),
            ("Out of stock", "Out of stock"),
            (r#"{"errors":[{"detail":"Out of stock"}]}"#, "Out of stock"),
            ("\u{feff}{\"message\":\"Out of stock\"}", "Out of stock"),
            (r#"[{"error":{"json":{"message":"Out of stock","code":-32600}}}]"#, "Out of stock"),
            (r#"{"responseStatus":{"errorCode":"Sold","message":"Out of stock"}}"#, "Out of stock"),
            (
                r#"{"resourceType":"OperationOutcome","issue":[{"diagnostics":"Out of stock"}]}"#,
                "Out of stock",
            ),
            (r#"{"error":{"code":"1","message":{"lang":"en-US","value":"Out of stock"}}}"#, "Out of stock"),
            (r#"{"message":{"de":"Ausverkauft","en":"Out of stock"}}"#, "Out of stock"),
            (r#"{"message":"Out\n\tof \u0000 stock"}"#, "Out of stock"),
        ] {
            assert_eq!(
                found(body),
                Found::Message { message: message.into(), details: Vec::new() },
                "{body}"
            );
        }
    }

    #[test]
    fn everything_else_is_replaced() {
        for body in [
            "",
            "<html>oops</html>",
            "null",
            "[]",
            "{}",
            "{\"message\":",
            r#"{"message":7}"#,
            r#"{"message":"<b>oops</b>"}"#,
            r#"{"errors":[]}"#,
            r#"{"message":"connect ECONNREFUSED 10.0.0.3:5432"}"#,
            r#"{"errors":[{"message":"open '/srv/app/secret.txt'"}]}"#,
            r#"{"success":false,"error":{"code":"A","message":"db-7.internal is away"}}"#,
            "\u{0}",
            "7",
            "true",
            "[\"db-7.internal\"]",
            r#"{"hosts":["db-7.internal"]}"#,
            r#"{"trace":"at Shop.read"}"#,
        ] {
            assert_eq!(found(body), Found::Nothing, "{body}");
        }
        assert_eq!(read(&[0xff, 0xfe], CONTEXT), Found::Nothing);
        let context = ResponseContext { media_type: Some(b"text/html"), ..CONTEXT };
        assert_eq!(read(b"Out of stock", context), Found::Nothing);
    }

    #[test]
    fn an_error_specification_passes_with_its_own_code_and_details() {
        let details = serde_json::json!([
            {"in": "query", "name": "limit", "message": "Too large.", "host": "10.0.0.5"},
            {"pointer": "/a", "name": "a", "message": "Wrong.", "in": "host"},
            {"in": "body", "name": "b", "message": "open /etc/passwd"},
            {"in": "body", "name": "10.0.0.5", "message": "is down"},
            {"in": "body", "pointer": "/10.0.0.5/x", "message": "is down"},
            {"in": "body", "name": "c", "message": 7},
            5,
            "text",
            null,
        ]);
        let error = serde_json::json!({"code": "ITEM_SOLD", "message": "Sold.", "details": details});
        let body = serde_json::json!({"success": false, "error": error}).to_string();
        let detail = |place, name: &str, pointer: Option<&str>, message: &str| Detail {
            place,
            name: name.into(),
            pointer: pointer.map(str::to_owned),
            message: message.into(),
        };
        assert_eq!(
            read(body.as_bytes(), CONTEXT),
            Found::Specification {
                code: "ITEM_SOLD".into(),
                message: "Sold.".into(),
                details: vec![
                    detail("query", "limit", None, "Too large."),
                    detail("body", "a", Some("/a"), "Wrong."),
                ]
            }
        );
        let odd = br#"{"success":false,"error":{"code":"no good","message":"Sold."}}"#;
        assert!(matches!(read(odd, CONTEXT), Found::Message { message, .. } if message == "Sold."));
    }

    #[test]
    fn a_sentence_for_each_language_names_no_fields() {
        let message = Found::Message { message: "Hello".into(), details: Vec::new() };
        assert_eq!(read(br#"{"message":{"en":"Hello","fr":"Bonjour"}}"#, CONTEXT), message);
    }

    #[test]
    fn a_long_message_is_cut() {
        let body = serde_json::json!({ "message": "é".repeat(2000) }).to_string();
        let Found::Message { message, .. } = found(&body) else { panic!() };
        assert_eq!(message.chars().count(), MAX_MESSAGE + 1);
    }

    #[test]
    fn thousands_of_violations_are_a_bounded_answer() {
        let name = "n".repeat(5_000);
        let error = serde_json::json!({ "loc": ["body", name], "msg": "is wrong ".repeat(1_000) });
        let body = serde_json::json!({ "detail": vec![error; 3] }).to_string();
        let many: Vec<_> =
            (0..5_000).map(|n| serde_json::json!({ "loc": ["body", n], "msg": "is wrong" })).collect();
        for body in [
            body,
            serde_json::json!({ "detail": many }).to_string(),
            format!("{{\"errors\":{}", "[".repeat(60_000)),
        ] {
            assert_is_fit(body.as_bytes(), CONTEXT);
        }
    }

    /// JSON made of the words used in errors, in any order.
    fn error_like() -> impl Strategy<Value = Value> {
        let words = prop_oneof![
            Just("errors"),
            Just("detail"),
            Just("message"),
            Just("error"),
            Just("loc"),
            Just("path"),
            Just("body"),
            Just("msg"),
            Just("field"),
            Just("source"),
            Just("pointer"),
            Just("keys"),
            Just("properties"),
            Just("items"),
            Just("violations"),
            Just("success"),
            Just("code"),
            Just("details"),
            Just("query"),
            Just("name"),
            Just(""),
        ];
        let text = prop_oneof![
            words.clone().prop_map(str::to_owned),
            ".{0,40}",
            "[\\x00-\\x1f<>\"\\\\/~.\\[\\]$#{}]{0,12}"
        ];
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::from),
            text.prop_map(Value::String),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
                prop::collection::vec((words.clone(), inner), 0..6).prop_map(|all| Value::Object(
                    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                )),
            ]
        })
    }

    /// Whatever was parsed, the client gets JSON of bounded size without control characters.
    #[track_caller]
    fn assert_is_fit(body: &[u8], context: ResponseContext<'_>) {
        let mut specification = Specification::new(ErrorCode::Unprocessable, 422, "", "c", "req_1");
        let found = read(body, context);
        match &found {
            Found::Specification { code, message, details } => {
                specification.code = code.into();
                specification.message = message;
                specification.details = details;
            }
            Found::Message { message, details } => {
                specification.message = message;
                specification.details = details;
                assert!(!message.is_empty() && message.chars().count() <= MAX_MESSAGE + 1, "{message}");
                assert!(details.len() <= 50, "{details:?}");
            }
            Found::Nothing => return,
        }
        for form in [Form::Specification, Form::Problem] {
            let mut out = Vec::new();
            specification.write(form, &mut out);
            let value: Value = serde_json::from_slice(&out).unwrap();
            assert!(out.len() <= 64 * 1024 + 4 * body.len(), "{} bytes", out.len());
            let decoded = texts(&value);
            assert!(!decoded.iter().any(|text| text.chars().any(char::is_control)), "{decoded:?}");
        }
    }

    fn texts(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(all) => all.iter().flat_map(texts).collect(),
            Value::Object(all) => {
                all.iter().flat_map(|(name, value)| [vec![name.as_str()], texts(value)].concat()).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn any_bytes_become_a_fit_answer(body: Vec<u8>, names_fields: bool) {
            assert_is_fit(&body, ResponseContext { names_fields, ..CONTEXT });
        }

        #[test]
        fn any_error_becomes_a_fit_answer(error in error_like(), is_query: bool, names_fields: bool) {
            let place = if is_query { "query" } else { "body" };
            assert_is_fit(error.to_string().as_bytes(), ResponseContext { place, names_fields, ..CONTEXT });
        }
    }
}
