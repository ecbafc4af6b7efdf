//! Every status from 400 to 599 is mapped by the table, and none is charged.

use crate::support::{
    Config, Gateway, Upstream, assert_error, get, head, limits::assert_limit_headers, sample::sample,
};

/// The table of `docs/contract.md`, written a second time on purpose.
fn expected(status: u16) -> (u16, &'static str) {
    match status {
        401 | 403 => (401, "PERMISSION_DENIED"),
        404 | 410 => (404, "RESOURCE_NOT_FOUND"),
        405 => (404, "METHOD_NOT_AVAILABLE"),
        406 | 417 => (400, "HEADER_NOT_VALID"),
        408 => (400, "REQUEST_TIMEOUT"),
        409 | 412 | 422 | 428 => (422, "UNPROCESSABLE"),
        411 => (400, "HEADER_MISSING"),
        413 => (400, "BODY_TOO_LARGE"),
        414 | 431 => (400, "HEADERS_TOO_LARGE"),
        415 => (400, "MEDIA_TYPE_NOT_SUPPORTED"),
        429 | 503 => (503, "UNAVAILABLE"),
        400..=499 => (400, "REQUEST_MALFORMED"),
        _ => (500, "UNEXPECTED_ERROR"),
    }
}

#[test]
fn every_status_from_400_to_599_is_mapped_and_free() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["10 per day", "20 per month"]));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for status in 400..=599 {
        let answer = connection.send(&get(&format!("/status/{status}")).key(&key));
        let (wire, code) = expected(status);
        assert_eq!(answer.status, wire, "{status}: {}", answer.text());
        assert_error(&gateway, &answer, wire, code);
        assert_eq!(assert_limit_headers(&answer), (10, 10), "{status}");
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "two hundred errors");
    assert_eq!(upstream.count(), 200);
    assert_eq!(upstream.connections(), 1, "an error of the upstream costs its connection");
}

#[test]
fn the_same_holds_for_head() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for status in [400, 401, 404, 409, 429, 500, 503, 599] {
        let answer = connection.send(&head(&format!("/status/{status}")).key(&key));
        assert_eq!(answer.status, expected(status).0, "{status}");
    }
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
}

#[test]
fn headers_that_explain_an_error_survive_and_others_do_not() {
    let upstream = Upstream::scripted(|exchange| {
        let status = exchange.target().trim_start_matches('/').parse().unwrap_or(0);
        if status == 0 {
            return sample(exchange);
        }
        let fields = [
            ("Retry-After", "9"),
            ("WWW-Authenticate", "Bearer"),
            ("Allow", "GET"),
            ("Link", "</help>; rel=\"help\""),
            ("Access-Control-Allow-Origin", "*"),
            ("Vary", "Origin"),
            ("Server", "secret-engine"),
            ("X-Powered-By", "secret-engine"),
            ("Set-Cookie", "secret=1"),
            ("ETag", "\"secret\""),
            ("Cache-Control", "public, max-age=9"),
            ("Content-Encoding", "gzip"),
            ("Content-Language", "fr"),
        ];
        exchange.answer(status, &fields, b"not really gzip")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for status in [400, 404, 422, 500, 503] {
        let answer = gateway.send(&get(&format!("/{status}")).key(&key));
        let (wire, code) = expected(status);
        assert_error(&gateway, &answer, wire, code);
        for (name, value) in [
            ("Retry-After", "9"),
            ("WWW-Authenticate", "Bearer"),
            ("Allow", "GET"),
            ("Link", "</help>; rel=\"help\""),
            ("Access-Control-Allow-Origin", "*"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{status}");
        }
        assert!(answer.headers.list("Vary").contains(&"origin".to_owned()), "{status}");
        for gone in ["X-Powered-By", "Set-Cookie", "ETag", "Content-Encoding", "Content-Language"] {
            assert!(!answer.headers.has(gone), "{gone} of a {status} reached the client");
        }
        assert!(!format!("{answer:?}").contains("secret"), "{answer:?}");
    }
}
