//! The whole error specification, checked on every error that any test provokes.

use super::{
    answer::{Answer, Framing},
    gateway::Gateway,
    request::get,
};
use serde_json::Value;
use std::{collections::HashSet, sync::Mutex};

/// The error object of an answer.
#[track_caller]
pub(crate) fn error_of(answer: &Answer) -> Value {
    let body = answer.json();
    assert_eq!(body["success"], false, "{body}");
    assert!(body["error"].is_object(), "no error in {body}");
    body["error"].clone()
}

/// Asserts that a response is this error and meets the whole specification.
#[track_caller]
pub(crate) fn assert_error(gateway: &Gateway, answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "expected {code}, got {answer:?}\n{}", answer.text());
    assert!(answer.is_whole(), "the error itself was cut: {answer:?}");
    assert_eq!(answer.framing, Framing::Length(answer.body.len()), "the length is not exact: {answer:?}");
    assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer:?}");
    let error = error_of(answer);
    assert_eq!(answer.json().as_object().map(|body| body.len()), Some(2), "an unknown member in {error}");
    assert_eq!(error["code"], code, "{error}");
    assert_eq!(error["http_code"], status, "{error}");
    assert_message(&error);
    assert_check(gateway, &error, code);
    assert_head(answer, code);
    assert_eq!(error["request_id"].as_str(), answer.header("X-Request-Id"), "{answer:?}");
    if status == 500 {
        assert_eq!(error["contact"], "help@example.com", "{error}");
    } else {
        assert!(error.get("contact").is_none(), "contact belongs to a 500 alone: {error}");
    }
    if matches!(status, 301 | 308) {
        assert!(error["location"].is_string(), "{error}");
        // Only GET, HEAD and a 308 get a `Location`; where there is one, it has the same value.
        if let Some(location) = answer.header("Location") {
            assert_eq!(error["location"], location, "{answer:?}");
        } else {
            assert_eq!(status, 301, "a 308 without a Location: {answer:?}");
        }
    } else {
        assert!(error.get("location").is_none() && !answer.headers.has("Location"), "{answer:?}");
    }
    assert_reads_as_details(&error);
}

/// The headers of every error, also in a response to HEAD.
#[track_caller]
pub(crate) fn assert_head(answer: &Answer, code: &str) {
    assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer:?}");
    let id = answer.header("X-Request-Id").unwrap_or_else(|| panic!("no X-Request-Id in {answer:?}"));
    assert!(!id.is_empty() && id.len() <= 128, "{id:?}");
    let retry = answer.header("Retry-After");
    // A limit that never resets has no time to retry, so there is no Retry-After.
    let never_resets = answer.headers.has("X-Rate-Limit-Limit") && !answer.headers.has("X-Rate-Limit-Reset");
    if answer.status == 429 && never_resets {
        assert_eq!(retry, None, "{answer:?}");
    } else if matches!(answer.status, 429 | 503) {
        let retry = retry.unwrap_or_else(|| panic!("no Retry-After on {code}: {answer:?}"));
        // The upstream's own value may be an HTTP-date.
        assert!(retry.ends_with("GMT") || retry.parse::<u64>().is_ok_and(|s| s >= 1), "{retry:?}");
    }
    assert!(matches!(answer.version.as_str(), "HTTP/1.1" | "HTTP/2"), "{answer:?}");
    assert!(answer.version == "HTTP/2" || !answer.reason.is_empty(), "no reason phrase: {answer:?}");
}

/// Asserts that `details` has exactly these violations. Names of headers have no case.
#[track_caller]
pub(crate) fn assert_details(answer: &Answer, expected: &[(&str, &str)]) {
    let error = error_of(answer);
    let details = error["details"].as_array().unwrap_or_else(|| panic!("no details in {error}"));
    let text = |detail: &Value, name: &str| detail[name].as_str().unwrap_or_default().to_owned();
    let pair = |detail: &Value| match text(detail, "in").as_str() {
        "header" => ("header".to_owned(), text(detail, "name").to_ascii_lowercase()),
        place => (place.to_owned(), text(detail, "name")),
    };
    let mut found: Vec<_> = details.iter().map(pair).collect();
    let mut expected: Vec<_> = expected.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{error}");
}

fn assert_message(error: &Value) {
    let message = error["message"].as_str().unwrap_or_else(|| panic!("no message in {error}"));
    assert!(message.trim().len() > 5, "an empty message: {error}");
    // An id is random, or the client's own: what it contains by chance leaks nothing.
    let mut public = error.clone();
    if let Some(members) = public.as_object_mut() {
        members.remove("request_id");
    }
    for internal in ["panicked", "127.0.0.1:", "crates/", "Os {", "hyper", "redb", "db-7.internal", "/srv/"] {
        assert!(!public.to_string().contains(internal), "{internal:?} leaks in {error}");
    }
}

/// The link ends in the code and leads to an existing page, which is requested once for each code.
fn assert_check(gateway: &Gateway, error: &Value, code: &str) {
    static ASKED: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let check = error["check"].as_str().unwrap_or_else(|| panic!("no check in {error}"));
    assert_eq!(check, format!("https://api.example.com/_docs/errors/{code}"), "{error}");
    let new = ASKED.lock().unwrap().get_or_insert_default().insert(code.to_owned());
    if new {
        let page = gateway.send(&get(&format!("/_docs/errors/{code}")));
        assert_eq!(page.status, 200, "the page of {code} does not exist: {page:?}");
    }
}

fn assert_reads_as_details(error: &Value) {
    let Some(details) = error.get("details") else { return };
    let details = details.as_array().unwrap_or_else(|| panic!("details are not a list: {error}"));
    assert!(!details.is_empty(), "empty details: {error}");
    for detail in details {
        assert!(detail["message"].as_str().is_some_and(|message| message.len() > 3), "{detail}");
        assert!(
            ["path", "query", "header", "cookie", "body"].contains(&detail["in"].as_str().unwrap()),
            "{detail}"
        );
        assert!(detail["name"].is_string(), "{detail}");
    }
}
