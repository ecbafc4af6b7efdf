//! The reference on the wire: its forms, its headers, and examples that work as shown.

use crate::support::{Config, Gateway, Key, Upstream, assert_error, get, post};
use contract::ErrorCode;
use serde_json::Value;
use std::process::{Command, Stdio};

fn gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .section("[sizes]\nmax_body_size = 100")
        .endpoint("GET", "/items", "permission = \"items:read\"")
        .parameter("query", "limit", "type = \"integer\"\nminimum = 1\nmaximum = 100")
        .endpoint("GET", "/search", "")
        .parameter("query", "q", "required = true")
        .endpoint("POST", "/items", "media_types = [\"application/json\"]")
        .parameter("header", "X-Store", "required = true\npattern = \"[a-z]+\"")
        .parameter("body", "name", "required = true\nminimum = 1")
        .section("[[moved]]\nfrom = \"/old/{id}\"\nto = \"/items/{id}\"");
    let gateway = Gateway::start(&config);
    (upstream, gateway)
}

fn page(gateway: &Gateway, code: ErrorCode) -> Value {
    gateway.send(&get(&format!("/_docs/errors/{}.json", code.name()))).json()
}

/// Runs the example of a page as printed, except the host and the key, and returns both responses.
#[track_caller]
fn run_example(gateway: &Gateway, key: &Key, code: ErrorCode) -> (Value, Value) {
    let page = page(gateway, code);
    let shown = page["example"]["curl"].as_str().unwrap();
    let line = shown
        .replace("https://api.example.com", &format!("http://{}", gateway.address))
        .replace("YOUR_KEY", &key.key);
    let mut command = Command::new("bash");
    command.args(["-c", &line.replace("curl --include", "curl --silent --show-error --max-time 20")]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    let answer: Value =
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{line}: {e}: {text} {errors}"));
    assert_eq!(answer["error"]["code"], code.name(), "{line}");
    (answer["error"].clone(), page["example"]["body"]["error"].clone())
}

#[track_caller]
fn assert_as_shown(gateway: &Gateway, key: &Key, code: ErrorCode) {
    let (answer, shown) = run_example(gateway, key, code);
    for member in ["message", "http_code", "check", "location", "details"] {
        assert_eq!(answer[member], shown[member], "{member} of {}", code.name());
    }
}

#[test]
fn examples_of_the_head_and_of_keys_get_the_answer_that_is_shown() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    for code in [
        ErrorCode::EndpointMoved,
        ErrorCode::TrailingSlash,
        ErrorCode::RequestMalformed,
        ErrorCode::HeadersTooLarge,
        ErrorCode::KeyFormatIncorrect,
        ErrorCode::KeyNotSet,
        ErrorCode::KeyNotValid,
        ErrorCode::EndpointNotFound,
        ErrorCode::MethodNotAvailable,
    ] {
        assert_as_shown(&gateway, &key, code);
    }
    let without = gateway.key_with(&["--plan", "free"]);
    assert_as_shown(&gateway, &without, ErrorCode::PermissionDenied);
    gateway.run(&["keys", "revoke", &key.id]);
    assert_as_shown(&gateway, &key, ErrorCode::KeyRevoked);
}

#[test]
fn examples_of_values_get_the_answer_that_is_shown() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    for code in [
        ErrorCode::ParameterMissing,
        ErrorCode::ParameterNotValid,
        ErrorCode::HeaderMissing,
        ErrorCode::HeaderNotValid,
        ErrorCode::MediaTypeNotSupported,
        ErrorCode::BodyTooLarge,
        ErrorCode::BodyMalformed,
        ErrorCode::BodyNotValid,
    ] {
        assert_as_shown(&gateway, &key, code);
    }
}

#[test]
fn a_page_has_the_form_that_is_asked_for() {
    let (_upstream, gateway) = gateway();
    for (target, accept, form) in [
        ("/_docs", "*/*", "text/html; charset=utf-8"),
        ("/_docs/", "text/html", "text/html; charset=utf-8"),
        ("/_docs/limits", "application/json", "application/json"),
        ("/_docs/limits", "text/markdown, text/html;q=0.5", "text/markdown; charset=utf-8"),
        ("/_docs/limits", "text/html;q=0.1, application/json;q=0.2", "application/json"),
        ("/_docs/limits.md", "text/html", "text/markdown; charset=utf-8"),
        ("/_docs/errors/KEY_NOT_SET.html", "application/json", "text/html; charset=utf-8"),
        ("/_docs/endpoints/", "application/problem+json", "application/json"),
    ] {
        let answer = gateway.send(&get(target).header("Accept", accept));
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(form)), "{target} {accept}");
        assert_eq!(answer.header("Cache-Control"), Some("no-cache"));
        let is_negotiated = !target.contains('.');
        assert_eq!(answer.header("Vary"), is_negotiated.then_some("Accept"), "{target}");
        let policy = answer.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    }
    let with = |target: &str| gateway.send(&get(target)).text();
    assert_eq!(with("/_docs"), with("/_docs/"));
    assert_error(&gateway, &gateway.send(&post("/_docs/limits", "{}")), 404, "METHOD_NOT_AVAILABLE");
    assert_error(&gateway, &gateway.send(&get("/_docs/endpoints/2")), 404, "ENDPOINT_NOT_FOUND");
}

#[test]
fn maintenance_is_announced_while_it_is_planned_and_no_longer() {
    let (_upstream, gateway) = gateway();
    let announced = |path: &str| gateway.send(&get(path)).text().contains("We move to a larger disk.");
    let pages = ["/_docs/", "/_docs/maintenance.md", "/_docs/errors/MAINTENANCE.json"];
    assert!(!pages.into_iter().any(announced));
    gateway.run(&["maintenance", "on", "--from", "2100-01-01", "--message", "We move to a larger disk."]);
    assert!(pages.into_iter().all(announced));
    gateway.run(&["maintenance", "off"]);
    assert!(!pages.into_iter().any(announced));
}
