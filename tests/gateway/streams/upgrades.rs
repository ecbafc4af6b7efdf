//! Who may switch to what: the handshake passes the same checks as every request, and only allowed upgrades are
//! forwarded.

use crate::{
    bench::{Bench, SWITCHED, echo, echo_or_sample, handshake},
    support::{Config, Next, Upstream, assert_error, get, head, request},
};

fn bench() -> Bench {
    Bench::of(Upstream::scripted(echo_or_sample), |config| config)
}

#[test]
fn a_websocket_handshake_passes_with_all_its_fields_and_so_does_its_answer() {
    let bench = bench();
    let (mut connection, answer) = bench.shake(&handshake("/chat?room=1").key(&bench.key));
    assert_eq!((answer.status, answer.reason.as_str()), (101, "Switching Protocols"));
    assert_eq!(answer.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("Sec-WebSocket-Protocol"), Some("chat"));
    assert_eq!(answer.header("Upgrade"), Some("websocket"));
    assert_eq!(answer.headers.list("Connection"), ["upgrade"]);
    assert_eq!(answer.header("Via"), Some("1.1 fairgate"));
    assert!(answer.headers.has("X-Request-Id") && answer.headers.has("X-Rate-Limit-Remaining"), "{answer:?}");
    assert!(!answer.headers.has("Content-Length") && !answer.headers.has("Transfer-Encoding"), "{answer:?}");
    connection.write(b"hello");
    assert_eq!(connection.wire.exactly(5).0, b"hello");

    let seen = bench.upstream.last();
    assert_eq!((seen.target.as_str(), seen.headers.get("Upgrade")), ("/chat?room=1", Some("websocket")));
    assert_eq!(seen.headers.list("Connection"), ["upgrade"]);
    assert_eq!(seen.headers.get("Sec-WebSocket-Key"), Some("dGhlIHNhbXBsZSBub25jZQ=="));
    assert_eq!(seen.headers.get("Sec-WebSocket-Version"), Some("13"));
    assert_eq!(seen.headers.get("Sec-WebSocket-Protocol"), Some("chat, superchat"));
    assert_eq!(
        seen.headers.get("Sec-WebSocket-Extensions"),
        Some("permessage-deflate; client_max_window_bits")
    );
    assert_eq!(seen.headers.get("X-Consumer-Id"), Some(bench.key.id.as_str()));
    assert!(!seen.headers.has("X-API-Key"), "the key reached the upstream: {:?}", seen.headers);
}

#[test]
fn a_handshake_that_is_denied_is_answered_with_the_specification_and_the_connection_goes_on() {
    let bench = Bench::of(Upstream::scripted(echo_or_sample), |config| {
        config
            .plan("free", &["2 per day"])
            .endpoint("GET", "/chat", "permission = \"chat\"")
            .endpoint("GET", "/open", "")
            .endpoint("GET", "/items/{id}", "")
    });
    let mut connection = bench.gateway.connect();
    for (request, status, code) in [
        (handshake("/open"), 403, "KEY_NOT_SET"),
        (handshake("/nowhere").key(&bench.key), 404, "ENDPOINT_NOT_FOUND"),
        (handshake("/open/").key(&bench.key), 301, "TRAILING_SLASH"),
        (handshake("/chat").key(&bench.key), 401, "PERMISSION_DENIED"),
    ] {
        let answer = connection.send(&request);
        assert_error(&bench.gateway, &answer, status, code);
        assert!(!answer.headers.has("Upgrade"), "{answer:?}");
    }
    for _ in 0..2 {
        assert_eq!(connection.send(&get("/items/7").key(&bench.key)).status, 200);
    }
    let answer = connection.send(&handshake("/open").key(&bench.key));
    assert_error(&bench.gateway, &answer, 429, "API_LIMIT_EXCEEDED");
    assert_eq!(bench.upstream.count(), 2, "a denied handshake reached the upstream");
}

#[test]
fn an_upgrade_that_the_upstream_refuses_is_an_ordinary_answer() {
    let bench = Bench::of(
        Upstream::scripted(|exchange| match exchange.target() {
            "/refused" => exchange.answer(426, &[("Upgrade", "websocket")], b"no"),
            "/denied" => exchange.json(403, "{\"message\": \"not in this room\"}"),
            _ => exchange.answer(200, &[("Content-Type", "text/plain")], b"no upgrade"),
        }),
        |config| config,
    );
    let before = bench.gateway.limits(&bench.key);
    let mut connection = bench.gateway.connect();
    let answer = connection.send(&handshake("/refused").key(&bench.key));
    assert_error(&bench.gateway, &answer, 400, "REQUEST_MALFORMED");
    let answer = connection.send(&handshake("/denied").key(&bench.key));
    assert_error(&bench.gateway, &answer, 401, "PERMISSION_DENIED");
    assert_eq!(answer.json()["error"]["message"], "not in this room");
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 0, "refused upgrades");
    let answer = connection.send(&handshake("/plain").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "no upgrade"));
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 1, "an upgrade that was not accepted");
}

#[test]
fn what_is_not_allowed_is_not_asked_of_the_upstream() {
    let bench = bench();
    let h2c = || {
        get("/a")
            .key(&bench.key)
            .header("Connection", "Upgrade, HTTP2-Settings")
            .header("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA")
            .header("Upgrade", "h2c")
    };
    for (what, request) in [
        ("h2c", h2c()),
        ("another protocol", h2c().replace("Upgrade", "tcp")),
        ("by another method", {
            request("DELETE", "/a")
                .key(&bench.key)
                .header("Connection", "upgrade")
                .header("Upgrade", "websocket")
        }),
        ("HEAD", head("/a").key(&bench.key).header("Connection", "upgrade").header("Upgrade", "websocket")),
        ("HTTP/1.0", handshake("/a").key(&bench.key).version("HTTP/1.0")),
        ("without Connection", get("/a").key(&bench.key).header("Upgrade", "websocket")),
    ] {
        let answer = bench.gateway.send(&request);
        assert_eq!(answer.status, 200, "{what}: {answer:?}");
        let seen = bench.upstream.last().headers;
        assert!(!seen.has("Upgrade") && !seen.has("HTTP2-Settings"), "{what}: {seen:?}");
        assert!(!seen.list("Connection").contains(&"upgrade".to_owned()), "{what}: {seen:?}");
    }
    // Of several, the one that is allowed.
    let (_, answer) = bench.shake(&handshake("/a").key(&bench.key).replace("Upgrade", "h2c, WebSocket"));
    assert_eq!(answer.status, 101);
    assert_eq!(bench.upstream.last().headers.get("Upgrade"), Some("websocket"));
}

#[test]
fn an_upgrade_with_a_body_is_refused() {
    let bench = bench();
    for (name, value, body) in
        [("Content-Length", "5", "hello"), ("Transfer-Encoding", "chunked", "5\r\nhello\r\n0\r\n\r\n")]
    {
        let mut connection = bench.gateway.connect();
        connection.write(&handshake("/a").key(&bench.key).header(name, value).head());
        connection.write(body.as_bytes());
        assert_error(&bench.gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
    }
    assert_eq!(bench.upstream.count(), 0);
}

#[test]
fn an_upstream_that_switches_unasked_or_to_something_else_is_an_error_of_ours() {
    let bench = Bench::of(
        Upstream::scripted(|exchange| {
            let other = match exchange.target() {
                "/unasked" => SWITCHED,
                "/other" => b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
                "/two" => b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n",
                _ => b"HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\n\r\n",
            };
            exchange.send_raw(other, Next::Close)
        }),
        |config| config,
    );
    let before = bench.gateway.limits(&bench.key);
    for request in [get("/unasked"), handshake("/other"), handshake("/two"), handshake("/none")] {
        let answer = bench.gateway.send(&request.key(&bench.key));
        assert_error(&bench.gateway, &answer, 500, "UNEXPECTED_ERROR");
    }
    bench.gateway.limits(&bench.key).assert_charged_since(&before, 0, "an unasked switch");
}

#[test]
fn other_protocols_are_allowed_by_a_setting_and_none_by_an_empty_one() {
    let switch = |exchange: &mut crate::support::Exchange<'_>| {
        exchange.write(b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: TCP\r\n\r\n");
        exchange.write(b"first");
        Next::Close
    };
    let bench = Bench::of(Upstream::scripted(switch), |config: Config| config.top("upgrades = [\"tcp\"]"));
    let attach =
        request("POST", "/attach").key(&bench.key).header("Connection", "Upgrade").header("Upgrade", "tcp");
    let (mut connection, answer) = bench.shake(&attach);
    assert_eq!((answer.status, answer.header("Upgrade")), (101, Some("TCP")));
    assert_eq!(connection.wire.rest().0, b"first");

    let bench = Bench::of(
        Upstream::scripted(|exchange| {
            if exchange.seen.headers.has("Upgrade") { echo(exchange) } else { exchange.json(200, "{}") }
        }),
        |config: Config| config.top("upgrades = []"),
    );
    assert_eq!(bench.gateway.send(&handshake("/a").key(&bench.key)).status, 200);
}
