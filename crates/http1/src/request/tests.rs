//! Heads that are parsed, and heads that are refused.

use super::*;
use crate::reading::Treatment;
use proptest::prelude::*;

fn reading() -> Reading {
    Reading { keys: vec!["x-api-key".into()], overrides: Treatment::Refuse, ..Reading::default() }
}

fn parse(head: &str) -> Result<RequestHead, Fault> {
    let bytes = head.replace('\n', "\r\n").into_bytes();
    let length = bytes.len();
    RequestHead::parse(bytes, length, Notes::default(), &reading()).map_err(|(fault, _, _)| fault)
}

#[test]
fn a_head_is_parsed() {
    let head = parse("POST /items?a=1 HTTP/1.1\nHost: a\nX-API-Key: k\nContent-Length: 5\nExpect: 100-continue\nTE: trailers\nConnection: TE, X-Drop\nX-Drop: 1\n\n").unwrap();
    assert_eq!((head.method(), head.path(), head.query(), head.host()), ("POST", "/items", Some("a=1"), "a"));
    assert_eq!(head.framing, Framing::Length(5));
    assert!(head.is_http11 && head.keep_alive && head.expects_continue && head.takes_trailers);
    assert_eq!(head.value(RequestField::Key(0)), Some(&b"k"[..]));
    assert_eq!(head.value(RequestField::HopByHop), Some(&b"1"[..]));
}

#[test]
fn an_absolute_target_names_the_host() {
    let head = parse("GET http://b.example HTTP/1.1\nHost: b.example:80\n\n").unwrap();
    assert_eq!((head.host(), head.path(), head.query()), ("b.example", "/", None));
    let head = parse("GET http://b.example?q HTTP/1.1\nHost: B.example\n\n").unwrap();
    assert_eq!((head.host(), head.path(), head.query()), ("b.example", "/", Some("q")));
}

#[test]
fn the_origin_of_a_refused_head_is_kept() {
    for (head, origin) in [
        ("GET /a b HTTP/1.1\r\nORIGIN:  https://a.example \r\nX\r\n\r\n", Some("https://a.example")),
        ("GET / HTTP/1.1\r\nX-Origin: https://a.example\r\n\r\n", None),
        ("GET / HTTP/1.1\r\nOrigin: https://a\r\nOrigin: https://b\r\n\r\n", None),
        ("GET / HTTP/1.1\r\nOrigin: a\rb\r\n\r\n", None),
        ("GET / HTTP/1.1\r\nAccept: a/b, c/d;q=0.5\r\nOrigin: https://a\r\n\r\n", Some("https://a")),
        ("Origin: a", None),
    ] {
        let head = RequestHead::of_refused(head.as_bytes(), &Reading::default());
        assert_eq!(head.named("origin").next(), origin.map(str::as_bytes));
    }
    let head =
        b"GET / HTTP/1.1\r\nAccept: application/problem+json\r\nX\r\nX-Request-Id: a-1\r\nOrigin: b\r\n\r\n";
    let kept = RequestHead::of_refused(head, &Reading::default());
    assert_eq!(kept.value(RequestField::Accept), Some(&b"application/problem+json"[..]));
    assert_eq!(kept.value(RequestField::RequestId), Some(&b"a-1"[..]));
    assert_eq!(kept.method(), "");
    // Kept: that the response has no body, the key, and each line of a list. Dropped: fields that
    // appear twice.
    let reading = Reading { keys: vec!["x-key".into()], ..Reading::default() };
    let head = b"HEAD / HTTP/3\r\nAccept: a/b\r\nX-Key: k\r\naccept: c/d\r\nAuthorization: e\r\nauthorization: f\r\n\r\n";
    let kept = RequestHead::of_refused(head, &reading);
    assert_eq!((kept.method(), kept.path(), kept.query(), kept.host()), ("HEAD", "", None, ""));
    assert_eq!(kept.accept().as_deref(), Some(&b"a/b, c/d"[..]));
    assert_eq!(kept.value(RequestField::Key(0)), Some(&b"k"[..]));
    assert_eq!(kept.value(RequestField::Authorization), None);
    for (head, host) in [
        ("HEAD / HTTP/3\r\nHost: a:1\r\n\r\n", "a:1"),
        ("GET / HTTP/3\r\nHost: a\r\nHost: b\r\n\r\n", ""),
        ("GET / HTTP/3\r\nHost: a/b\r\n\r\n", ""),
    ] {
        assert_eq!(RequestHead::of_refused(head.as_bytes(), &reading).host(), host);
    }
}

#[test]
fn options_of_the_whole_server_keeps_its_star_whatever_the_rest_of_the_head() {
    for head in ["OPTIONS * HTTP/1.0\nX_A: b\nTransfe: chunked\n\n", "OPTIONS * HTTP/1.1\nHost: a\n\n"] {
        let head = parse(head).unwrap();
        assert_eq!((head.method(), head.path(), head.query()), ("OPTIONS", "*", None));
    }
}

#[test]
fn headers_with_odd_names_are_treated_as_configured() {
    let head = "GET / HTTP/1.1\nHost: a\nX_Forwarded_For: 1\nX_Odd: 4\napi_version: 2\nX-Kept: 3\n\n";
    let bytes = head.replace('\n', "\r\n").into_bytes();
    for (odd_names, names) in [
        (Treatment::Drop, Some("Host api_version X-Kept")),
        // A variant spelling of a field that the gateway sets is never forwarded.
        (Treatment::Pass, Some("Host X_Odd api_version X-Kept")),
        (Treatment::Refuse, None),
    ] {
        let reading = Reading { odd_names, asked_for: vec!["api_version".into()], ..Reading::default() };
        let head = RequestHead::parse(bytes.clone(), bytes.len(), Notes::default(), &reading).ok();
        let seen = head.map(|head| {
            // What is dropped belongs to this connection alone.
            let kept = head.fields().filter(|(_, _, kind)| *kind != RequestField::HopByHop);
            let names = kept.map(|(name, _, _)| String::from_utf8_lossy(name).into_owned());
            names.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(seen.as_deref(), names, "{odd_names:?}");
    }
}

#[test]
fn nothing_of_another_message_remains_in_reused_memory() {
    let other = parse("POST / HTTP/1.1\nHost: other\nContent-Length: 5\n\n").unwrap();
    let (_, memory) = other.into_memory();
    let bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec();
    let length = bytes.len();
    let head = RequestHead::parse(bytes, length, memory, &reading()).map_err(|_| ()).unwrap();
    assert_eq!((head.fields().count(), head.framing, head.host()), (1, Framing::Length(0), "a"));
}

#[test]
fn connections_stay_open_by_the_rules_of_their_version() {
    for (head, keep_alive) in [
        ("GET / HTTP/1.1\nHost: a\n\n", true),
        ("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", false),
        ("GET / HTTP/1.0\n\n", false),
        ("GET / HTTP/1.0\nConnection: keep-alive\n\n", true),
        ("GET / HTTP/1.0\nConnection: keep-alive, close\n\n", false),
    ] {
        assert_eq!(parse(head).unwrap().keep_alive, keep_alive, "{head}");
    }
}

#[test]
fn ambiguous_heads_are_refused() {
    for head in [
        "GET / HTTP/1.1\n\n",
        "GET / HTTP/1.1\nHost: a\nHost: a\n\n",
        "GET / HTTP/1.1\nHost: a b\n\n",
        "GET / HTTP/1.1\nHost:\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: 1\nContent-Length: 1\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: +1\n\n",
        "POST / HTTP/1.1\nHost: a\nContent-Length: 1, 1\n\n",
        "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n",
        "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n",
        "POST / HTTP/1.0\nTransfer-Encoding: chunked\n\n",
        "GeT / HTTP/1.1\nHost: a\n\n",
        "GET  / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/2.0\nHost: a\n\n",
        "GET / HTTP/1.1\nHost : a\n\n",
        "GET / HTTP/1.1\nHost: a\n folded: b\n\n",
        "GET / HTTP/1.1\nHost: a\nA\n\n",
        "GET / HTTP/1.1\nHost: a\nA: \u{1}\n\n",
        "CONNECT a:80 HTTP/1.1\nHost: a:80\n\n",
        "GET http://b/ HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\nHost: a\nIf-Match: 1\nIf-Match: 2\n\n",
        "GET / HTTP/1.1\nHost: a\nConnection: X-API-Key\n\n",
        "GET / HTTP/1.1\nHost: a\nConnection: a b\n\n",
        "GET / HTTP/1.1\nHost: a\nX-HTTP-Method-Override: DELETE\n\n",
        "G!T / HTTP/1.1\nHost: a\n\n",
    ] {
        let fault = parse(head).map(|_| ()).unwrap_err();
        assert_eq!(fault.code, ErrorCode::RequestMalformed, "{head}");
    }
    let many = format!("GET / HTTP/1.1\nHost: a\n{}\n", "A: b\n".repeat(MAX_FIELDS));
    assert_eq!(parse(&many).map(|_| ()).unwrap_err().code, ErrorCode::HeadersTooLarge);
}

proptest! {
    #[test]
    fn any_bytes_are_parsed_without_panic(bytes: Vec<u8>) {
        let length = bytes.len();
        let _ = RequestHead::parse(bytes, length, Notes::default(), &reading());
    }

    #[test]
    fn any_head_of_text_is_parsed_without_panic(head in "(GET|POST) [ -~]{0,40} HTTP/1.[01]\n([A-Za-z-]{1,12}: [ -~]{0,20}\n){0,6}\n") {
        let _ = parse(&head);
    }
}
