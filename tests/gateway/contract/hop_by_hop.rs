//! Hop-by-hop fields stay on their connection, in both directions; all others pass.

use crate::support::{Config, Gateway, Next, Upstream, assert_error, get, post, request};

fn setup() -> (Upstream, Gateway) {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    (upstream, gateway)
}

#[test]
fn hop_by_hop_fields_of_the_request_and_those_named_in_connection_are_taken_off() {
    let (upstream, gateway) = setup();
    let request = get("/a")
        .key(&gateway.key())
        .header("Connection", "keep-alive, X-Mine, x-other")
        .header("Connection", "X-Third")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Connection", "keep-alive")
        .header("Proxy-Authorization", "Basic abc")
        .header("TE", "gzip")
        .header("Trailer", "X-T")
        .header("Upgrade", "h2c")
        .header("X-Mine", "1")
        .header("X-OTHER", "2")
        .header("X-Third", "3")
        .header("X-Kept", "4");
    assert_eq!(gateway.send(&request).status, 200);
    let seen = upstream.only().headers;
    for gone in
        ["Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Upgrade", "X-Mine", "X-Other", "X-Third"]
    {
        assert!(!seen.has(gone), "{gone} reached the upstream: {seen:?}");
    }
    assert!(!seen.list("Connection").iter().any(|name| name.starts_with("x-")), "{seen:?}");
    assert_eq!(seen.get("X-Kept"), Some("4"));
}

#[test]
fn connection_cannot_be_used_to_take_off_what_the_gateway_sets() {
    let (upstream, gateway) = setup();
    let key = gateway.key();
    for named in
        ["Host", "X-Consumer-Id", "X-Forwarded-For", "x-request-id", "Content-Length", "Via", "Cookie"]
    {
        let request = post("/a", "{\"a\":1}").key(&key).header("Connection", &format!("keep-alive, {named}"));
        let answer = gateway.send(&request);
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.text().contains(&format!("`{named}`")), "{}", answer.text());
    }
    assert_eq!(upstream.count(), 0);
}

#[test]
fn hop_by_hop_fields_of_the_answer_are_taken_off() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Secret\r\nKeep-Alive: timeout=5\r\nX-Secret: 1\r\n\
         Proxy-Authenticate: Basic\r\nProxy-Connection: keep-alive\r\nUpgrade: h2c\r\nX-Kept: 2\r\n\
         Content-Length: 2\r\n\r\nok",
    );
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
    for gone in ["Keep-Alive", "X-Secret", "Proxy-Connection", "Upgrade"] {
        assert!(!answer.headers.has(gone), "{gone} reached the client: {answer:?}");
    }
    assert_eq!(answer.header("X-Kept"), Some("2"));
}

#[test]
fn connection_close_of_the_upstream_is_its_own_and_does_not_close_the_clients() {
    let upstream =
        Upstream::sending_and_closing("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for _ in 0..3 {
        let answer = connection.send(&get("/a").key(&key));
        assert_eq!(answer.status, 200);
        assert!(!answer.headers.list("Connection").contains(&"close".to_owned()), "{answer:?}");
    }
    assert_eq!(upstream.connections(), 3);
}

#[test]
fn an_upgrade_that_is_not_allowed_is_not_passed_on_and_the_request_answered_as_an_ordinary_one() {
    let (upstream, gateway) = setup();
    let request = get("/a")
        .key(&gateway.key())
        .header("Connection", "Upgrade, HTTP2-Settings")
        .header("Upgrade", "h2c")
        .header("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    assert_eq!(gateway.send(&request).status, 200);
    let seen = upstream.only().headers;
    assert!(!seen.has("Upgrade") && !seen.has("HTTP2-Settings"), "{seen:?}");
}

#[test]
fn all_other_fields_pass_in_their_order_with_their_values() {
    let (upstream, gateway) = setup();
    let request = get("/a")
        .key(&gateway.key())
        .header("Accept", "a/b, c/d;q=0.5")
        .header("Cookie", "a=1; b=2")
        .header("X-Many", "1")
        .header("X-Many", "2")
        .header("X-Empty", "")
        .header("User-Agent", "odd (client) \"quoted\"");
    assert_eq!(gateway.send(&request).status, 200);
    let seen = upstream.only().headers;
    assert_eq!(seen.get("Accept"), Some("a/b, c/d;q=0.5"));
    assert_eq!(seen.get("Cookie"), Some("a=1; b=2"));
    assert_eq!(seen.all("X-Many"), ["1", "2"]);
    assert_eq!(seen.get("X-Empty"), Some(""));
    assert_eq!(seen.get("User-Agent"), Some("odd (client) \"quoted\""));
}

#[test]
fn every_method_and_target_passes_as_it_was_sent() {
    let (upstream, gateway) = setup();
    let key = gateway.key();
    for (method, target) in [
        ("GET", "/a%20b/%C3%A9/%2F?q=%26&x=1&x=2&&y"),
        ("DELETE", "/a?"),
        ("OPTIONS", "/a"),
        ("PATCH", "/a;v=1,2"),
        ("PROPFIND", "/a/b"),
        ("M-SEARCH", "/a"),
    ] {
        let answer = gateway.send(&request(method, target).key(&key));
        assert_eq!(answer.status, 200, "{method} {target}: {}", answer.text());
        let seen = upstream.last();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), (method, target));
    }
    let answer = gateway.send(&get("http://api.example.com/a?b=c").key(&key));
    assert_eq!(answer.status, 200);
    assert_eq!(upstream.last().target, "/a?b=c", "an absolute target is sent to the upstream as a path");
}

#[test]
fn te_trailers_may_pass_and_nothing_else_of_te() {
    let upstream =
        Upstream::scripted(|exchange| exchange.send_raw(b"HTTP/1.1 204 No Content\r\n\r\n", Next::Keep));
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("TE", "trailers, gzip;q=0.5"));
    assert_eq!(answer.status, 204);
    let te = upstream.only().headers.list("TE");
    assert!(te.is_empty() || te == ["trailers"], "{te:?}");
}
