//! RFC 9457: the same error as problem details, for a client whose `Accept` names them.

use crate::support::{Answer, Config, Framing, Gateway, Stage, Upstream, get, head};

fn stage() -> Stage {
    crate::stage_of(contract::ErrorCode::KeyNotSet)
}

fn is_problem(answer: &Answer) -> bool {
    answer.header("Content-Type") == Some("application/problem+json")
}

#[test]
fn every_code_can_be_sent_as_problem_details() {
    // Those that a request of this test can provoke by its target alone.
    let stage = crate::stage_of(contract::ErrorCode::EndpointMoved);
    for (target, status, code) in [
        ("/old-items/7", 301, "ENDPOINT_MOVED"),
        ("/items/7/", 301, "TRAILING_SLASH"),
        ("/status/400", 400, "REQUEST_MALFORMED"),
        ("/status/403", 401, "PERMISSION_DENIED"),
        ("/status/404", 404, "RESOURCE_NOT_FOUND"),
        ("/status/409", 422, "UNPROCESSABLE"),
        ("/status/500", 500, "UNEXPECTED_ERROR"),
        ("/status/503", 503, "UNAVAILABLE"),
    ] {
        let answer = stage.send(get(target).header("Accept", "application/problem+json"));
        assert_eq!(answer.status, status, "{target}");
        assert!(is_problem(&answer), "{target}: {answer:?}");
        assert_eq!(answer.framing, Framing::Length(answer.body.len()));
        let problem = answer.json();
        assert_eq!(problem["type"], format!("https://api.example.com/_docs/errors/{code}"));
        assert_eq!(problem["status"], status);
        assert_eq!(problem["instance"].as_str(), answer.header("X-Request-Id"));
        for name in ["title", "detail"] {
            assert!(problem[name].as_str().is_some_and(|text| text.len() > 3), "{name} of {problem}");
        }
        // The members of the specification are present as well.
        assert_eq!(problem["success"], false);
        assert_eq!(problem["error"]["code"], code);
        assert_eq!(problem["error"]["http_code"], status);
        assert_eq!(problem["error"]["contact"].is_string(), status == 500);
        assert_eq!(problem["error"]["location"].is_string(), status == 301);
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    }
}

#[test]
fn the_accept_header_decides() {
    let stage = stage();
    for (accept, problem) in [
        ("application/problem+json", true),
        ("Application/Problem+JSON", true),
        ("text/html, application/problem+json;q=0.5", true),
        ("application/json;q=0.4, application/problem+json;q=0.5", true),
        ("application/json, application/problem+json", true),
        ("application/json, application/problem+json;q=0.9", false),
        ("application/problem+json;q=0", false),
        ("application/json", false),
        ("*/*", false),
        ("application/*", false),
        ("application/problem+xml", false),
        ("text/html", false),
        ("", false),
        (",;q=", false),
    ] {
        let answer = stage.gateway.send(&get("/items/7").header("Accept", accept));
        assert_eq!(answer.status, 403, "{accept:?}");
        assert_eq!(is_problem(&answer), problem, "{accept:?}: {answer:?}");
    }
}

#[test]
fn details_are_included_as_well() {
    let stage = crate::stage_of(contract::ErrorCode::ParameterMissing);
    let answer = stage.send(get("/search").header("Accept", "application/problem+json"));
    assert!(is_problem(&answer), "{answer:?}");
    assert_eq!(answer.json()["error"]["details"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_malformed_request_gets_the_form_that_its_head_asked_for_or_plain_json() {
    let stage = stage();
    let gateway: &Gateway = &stage.gateway;
    let answer = gateway.send_bytes(b"GET / HTTP/1.1\r\nAccept: application/problem+json\r\n\r\n");
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"]["code"], "REQUEST_MALFORMED");
}

#[test]
fn a_limit_that_denies_has_its_registered_type_and_is_named() {
    for (code, plan, policy) in [
        ("API_LIMIT_EXCEEDED", ["1 per day", "100 per month"], "day"),
        ("RATE_EXCEEDED", ["1 per hour, burst 1", "100 per month"], "hour-burst"),
    ] {
        let upstream = Upstream::sample();
        let gateway = Gateway::start(&Config::of(&upstream).plan("free", &plan));
        let key = gateway.key();
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
        let asked = get("/items/7").key(&key).header("Accept", "application/problem+json");
        let answer = gateway.send(&asked);
        assert_eq!(answer.status, 429, "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["type"], "https://iana.org/assignments/http-problem-types#quota-exceeded");
        assert_eq!(problem["violated-policies"], serde_json::json!([policy]), "{problem}");
        assert!(answer.header("RateLimit-Policy").unwrap().contains(&format!("\"{policy}\";")));
        assert_eq!(problem["error"]["code"], code);
        assert!(problem["error"]["check"].as_str().unwrap().ends_with(code), "{problem}");
    }
}

#[test]
fn head_gets_the_content_type_alone() {
    let stage = stage();
    let answer = stage.gateway.send(&head("/items/7").header("Accept", "application/problem+json"));
    assert_eq!(answer.status, 403);
    assert!(is_problem(&answer));
}

#[test]
fn all_lines_of_accept_are_one_list_and_a_weight_of_zero_refuses() {
    let stage = stage();
    const JSON: &str = "application/json";
    const PROBLEM: &str = "application/problem+json";
    for (lines, form) in [
        (&["text/html", PROBLEM][..], PROBLEM),
        (&["application/json;q=0.5", PROBLEM], PROBLEM),
        (&[PROBLEM, "application/problem+json;q=0"], JSON),
        (&["application/problem+json;Q=0"], JSON),
        (&["application/problem+json; Q=0.4", "application/json;q=0.5"], JSON),
        (&["application/grpc;q=0"], JSON),
        (&["application/grpc;Q=0.0", PROBLEM], PROBLEM),
        (&["text/html", "application/grpc-web-text;q=0, application/grpc-web;q=0"], JSON),
        (&["text/html", "application/grpc"], "application/grpc"),
    ] {
        let request = lines.iter().fold(get("/items/7"), |request, line| request.header("Accept", line));
        let answer = stage.gateway.send(&request);
        assert_eq!(answer.header("Content-Type"), Some(form), "{lines:?}: {answer:?}");
        // A malformed head gets the same.
        let fields: String = lines.iter().map(|line| format!("Accept: {line}\r\n")).collect();
        let answer = stage.gateway.send_bytes(format!("GET / HTTP/1.1\r\n{fields}\r\n").as_bytes());
        assert_eq!(answer.header("Content-Type"), Some(form), "{lines:?}: {answer:?}");
    }
}
