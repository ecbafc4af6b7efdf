//! The table `[strictness]`: each setting, and what the upstream sees.

use crate::support::{Config, Gateway, Upstream, assert_error, get, request};

fn with(lines: &str) -> (Upstream, Gateway) {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section(&format!("[strictness]\n{lines}")));
    (upstream, gateway)
}

#[test]
fn a_header_that_servers_take_for_another_one_does_not_reach_the_upstream() {
    let (upstream, gateway) = with("");
    let request = get("/a")
        .key(&gateway.key())
        .header("X_Forwarded_For", "1.2.3.4")
        .header("X_Consumer_Id", "somebody")
        .header("X.Consumer.Id", "somebody")
        .header("X-Kept", "1");
    assert_eq!(gateway.send(&request).status, 200);
    let seen = upstream.only().headers;
    assert!(
        !format!("{seen:?}").contains("1.2.3.4") && !format!("{seen:?}").contains("somebody"),
        "{seen:?}"
    );
    assert_eq!(seen.get("X-Kept"), Some("1"));
}

#[test]
fn header_names_are_refused_or_passed_as_configured() {
    let (_upstream, gateway) = with("header_names = \"reject\"");
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("api_version", "1"));
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    assert!(answer.text().contains("`api_version`"), "{}", answer.text());
    let (upstream, gateway) = with("header_names = \"pass\"");
    assert_eq!(gateway.send(&get("/a").key(&gateway.key()).header("api_version", "1")).status, 200);
    assert_eq!(upstream.only().headers.get("api_version"), Some("1"));
}

#[test]
fn a_header_that_an_endpoint_declares_passes_whatever_its_name() {
    let upstream = Upstream::sample();
    let config =
        Config::of(&upstream).endpoint("GET", "/a", "").parameter("header", "api_version", "required = true");
    let gateway = Gateway::start(&config);
    assert_eq!(gateway.send(&get("/a").key(&gateway.key()).header("API_Version", "1")).status, 200);
    assert_eq!(upstream.only().headers.get("api_version"), Some("1"));
}

#[test]
fn headers_that_name_another_method_are_dropped_or_passed_as_configured() {
    for (word, seen) in [("drop", None), ("pass", Some("DELETE"))] {
        let (upstream, gateway) = with(&format!("override_headers = \"{word}\""));
        let answer = gateway.send(&get("/a").key(&gateway.key()).header("X-HTTP-Method-Override", "DELETE"));
        assert_eq!(answer.status, 200, "{word}");
        assert_eq!(upstream.only().headers.get("X-HTTP-Method-Override"), seen, "{word}");
    }
}

#[test]
fn a_body_of_get_is_refused_unless_the_configuration_or_the_endpoint_allows_it() {
    let body = |gateway: &Gateway| get("/a").key(&gateway.key()).body("application/json", b"{}");
    let (upstream, gateway) = with("");
    assert_error(&gateway, &gateway.send(&body(&gateway)), 400, "REQUEST_MALFORMED");
    assert_eq!(upstream.count(), 0);
    let (upstream, gateway) = with("get_body = \"pass\"");
    assert_eq!(gateway.send(&body(&gateway)).status, 200);
    assert_eq!(upstream.only().body, b"{}");
    let upstream = Upstream::sample();
    let gateway =
        Gateway::start(&Config::of(&upstream).endpoint("GET", "/a", "media_types = [\"application/json\"]"));
    assert_eq!(gateway.send(&body(&gateway)).status, 200);
    assert_eq!(upstream.only().body, b"{}");
}

#[test]
fn a_refusal_names_the_fault_and_its_place() {
    let (_upstream, gateway) = with("");
    for (bytes, expected) in [
        ("GET /a HTTP/1.1\r\nHost: x\r\nX-A : b\r\n\r\n", "`X-A ` in line 3"),
        (
            "GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n c\r\n\r\n",
            "Line 4 of the request begins with whitespace",
        ),
        ("GET /a HTTP/1.1\r\nHost: x\nX-A: b\r\n\r\n", "Line 2 of the request ends in a bare line feed"),
        ("GET /a HTTP/2.2\r\nHost: x\r\n\r\n", "`HTTP/2.2`"),
        ("GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", "has 4 parts"),
        ("GET /a%zz HTTP/1.1\r\nHost: x\r\n\r\n", "percent sign at byte 3"),
        ("GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", "does not match the host of the request target, `y`"),
        ("GET / HTTP/1.1\r\nHost: x\r\nConnection: Via\r\n\r\n", "lists `Via`"),
    ] {
        let answer = gateway.send_bytes(bytes.as_bytes());
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(expected), "{bytes:?}: {message}");
    }
}

#[test]
fn what_browsers_leave_unencoded_arrives_encoded() {
    let (upstream, gateway) = with("");
    let key = gateway.key();
    for (target, seen) in [
        ("/a?q={\\}|^`100%", "/a?q=%7B%5C%7D%7C%5E%60100%25"),
        ("/a|b[1]?x[]=1", "/a%7Cb%5B1%5D?x[]=1"),
        ("/%61%2d%7e%c3%a9", "/a-~%C3%A9"),
    ] {
        assert_eq!(gateway.send(&get(target).key(&key)).status, 200, "{target}");
        assert_eq!(upstream.last().target, seen);
    }
    assert_eq!(gateway.send(&request("OPTIONS", "/a").key(&key)).status, 200);
}
