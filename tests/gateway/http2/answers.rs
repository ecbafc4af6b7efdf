//! One contract over both protocols: HTTP/2 clients get what HTTP/1.1 clients get.

use crate::{
    gateway,
    peer::{DATA, END_HEADERS, END_STREAM, HEADERS, Peer, block, request},
    support::{Config, Gateway, Upstream, assert_error, get, sample::sample},
};

#[test]
fn every_step_of_the_checks_answers_with_its_own_error() {
    let upstream = Upstream::scripted(sample);
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "permission = \"items:read\"")
        .endpoint("GET", "/admin", "permission = \"admin\"")
        .endpoint("GET", "/status/{n}", "")
        .endpoint("POST", "/items", "max_body_size = 10")
        .plan("small", &["1 per day"]);
    let gateway = Gateway::start(&config);
    let (key, small) = (gateway.key(), gateway.key_with(&["--plan", "small", "--permission", "items:read"]));
    let mut peer = Peer::open(gateway.address);
    assert_eq!(peer.get(1, "/items/7", &small).status, 200);
    let large = "x".repeat(40_000);
    let cases: [(&str, &str, &[(&str, &str)], u16, &str); 11] = [
        ("GET", "/items/7/", &[], 301, "TRAILING_SLASH"),
        ("GET", "/nowhere", &[], 404, "ENDPOINT_NOT_FOUND"),
        ("DELETE", "/items/7", &[], 404, "METHOD_NOT_AVAILABLE"),
        ("GET", "/items/7", &[], 403, "KEY_NOT_SET"),
        ("GET", "/items/7", &[("x-api-key", "fg_wrong")], 400, "KEY_FORMAT_INCORRECT"),
        ("GET", "/admin", &[("x-api-key", &key.key)], 401, "PERMISSION_DENIED"),
        ("GET", "/items/7", &[("x-api-key", &small.key)], 429, "API_LIMIT_EXCEEDED"),
        ("GET", "/status/404", &[("x-api-key", &key.key)], 404, "RESOURCE_NOT_FOUND"),
        ("GET", "/status/418", &[("x-api-key", &key.key)], 400, "REQUEST_MALFORMED"),
        ("GET", "/status/500", &[("x-api-key", &key.key)], 500, "UNEXPECTED_ERROR"),
        ("GET", "/items/7", &[("x-large", &large)], 400, "HEADERS_TOO_LARGE"),
    ];
    for (n, (method, path, fields, status, code)) in cases.into_iter().enumerate() {
        let stream = n as u32 * 2 + 3;
        let block = request(method, path, fields);
        let mut pieces = block.chunks(16_384).peekable();
        peer.send(HEADERS, END_STREAM, stream, pieces.next().unwrap());
        for piece in pieces {
            peer.send(9, 0, stream, piece);
        }
        peer.send(9, END_HEADERS, stream, &[]);
        assert_error(&gateway, &peer.answer(stream), status, code);
    }
    peer.send(HEADERS, END_STREAM | END_HEADERS, 99, &request("POST", "/items/7/", &[]));
    let redirect = peer.answer(99);
    assert_error(&gateway, &redirect, 301, "TRAILING_SLASH");
    assert!(!redirect.headers.has("location"), "it would be repeated as a GET: {redirect:?}");
    peer.send(HEADERS, END_HEADERS, 101, &request("POST", "/items", &[("x-api-key", &key.key)]));
    peer.send(DATA, END_STREAM, 101, b"more than ten bytes");
    assert_error(&gateway, &peer.answer(101), 400, "BODY_TOO_LARGE");
    assert_eq!(gateway.used(&key), 0, "an error was charged");
}

#[test]
fn a_key_without_tls_is_refused_where_tls_is_required() {
    let upstream = Upstream::scripted(sample);
    let tls = "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nplaintext = \"redirect\"";
    let gateway = Gateway::start(&Config::of(&upstream).over_tls().section(tls));
    let key = gateway.key();
    let address = gateway.event("listening")["address"].as_str().unwrap().parse().unwrap();
    let mut peer = Peer::open(address);
    assert_error(&gateway, &peer.get(1, "/items/7", &key), 400, "HTTPS_REQUIRED");
    peer.send(HEADERS, END_STREAM | END_HEADERS, 3, &request("GET", "/items/7", &[]));
    assert_error(&gateway, &peer.answer(3), 301, "ENDPOINT_MOVED");
}

#[test]
fn a_success_passes_with_its_headers_and_limits_and_without_what_belongs_to_http_1() {
    let upstream = Upstream::sending(
        "HTTP/1.1 201 Made\r\nContent-Length: 2\r\nX-Mixed-Case: A\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
         Connection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\r\nok",
    );
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let answer = peer.get(1, "/items/7?a=b", &key);
    assert_eq!((answer.status, answer.text().as_str(), answer.cut), (201, "ok", None));
    assert_eq!(answer.headers.all("set-cookie"), ["a=1", "b=2"]);
    assert_eq!(answer.header("x-mixed-case"), Some("A"));
    assert_eq!(answer.header("content-length"), Some("2"));
    assert_eq!(answer.header("x-rate-limit-remaining"), Some("999999"));
    assert!(answer.headers.has("x-request-id") && answer.headers.has("date"));
    for gone in ["connection", "keep-alive", "x-hop", "transfer-encoding"] {
        assert!(!answer.headers.has(gone), "{gone}");
    }
    let seen = upstream.only();
    // Each names the protocol by which the message was received: the upstream answered in HTTP/1.1.
    assert_eq!(answer.header("via"), Some("1.1 fairgate"));
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/items/7?a=b"));
    assert_eq!(seen.headers.get("host"), Some("api.example.com"));
    assert_eq!(seen.headers.get("via"), Some("2.0 fairgate"));
    assert_eq!(seen.headers.get("x-forwarded-host"), Some("api.example.com"));
    assert!(!seen.headers.has("x-api-key") && !seen.headers.has("transfer-encoding"));
}

#[test]
fn crumbs_of_cookies_become_one_header_again() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    peer.ask(
        1,
        "GET",
        "/items/7",
        &[("cookie", "a=1"), ("x-api-key", &key.key), ("cookie", "b=2"), ("cookie", "c=3")],
    );
    assert_eq!(peer.answer(1).status, 200);
    assert_eq!(upstream.only().headers.all("cookie"), ["a=1; b=2; c=3"]);
}

#[test]
fn a_body_passes_with_its_length_or_in_chunks_with_its_trailers() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let fields: &[(&str, &str)] = &[("x-api-key", &key.key), ("content-length", "6")];
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", fields));
    peer.send(DATA, 0, 1, b"{\"a\"");
    peer.send(DATA, END_STREAM, 1, b":1");
    peer.answer(1);
    peer.send(
        HEADERS,
        END_HEADERS,
        3,
        &request("POST", "/items", &[("x-api-key", &key.key), ("te", "trailers")]),
    );
    peer.send(DATA, 0, 3, b"{\"a\"");
    peer.send(DATA, 0, 3, b":1}");
    peer.send(HEADERS, END_STREAM | END_HEADERS, 3, &block(&[("x-sum", "9")]));
    assert_eq!(peer.answer(3).status, 200);
    // Announced trailers need chunks, so Content-Length is dropped; others cannot be sent beside it.
    for (stream, trailer) in [(7, Some(("trailer", "x-sum"))), (9, None)] {
        let mut fields = vec![("x-api-key", key.key.as_str()), ("content-length", "7")];
        fields.extend(trailer);
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &fields));
        peer.send(DATA, 0, stream, b"{\"a\":1}");
        peer.send(HEADERS, END_STREAM | END_HEADERS, stream, &block(&[("x-sum", "9")]));
        assert_eq!(peer.answer(stream).status, 200);
        let seen = upstream.last();
        assert_eq!(seen.body, b"{\"a\":1}");
        assert_eq!(seen.headers.has("content-length"), trailer.is_none());
        assert_eq!(seen.trailers.get("x-sum"), trailer.map(|_| "9"));
    }
    // Framing fields are not trailers, as over HTTP/1.1.
    peer.send(HEADERS, END_HEADERS, 11, &request("POST", "/items", &[("x-api-key", &key.key)]));
    peer.send(DATA, 0, 11, b"{\"a\":1}");
    peer.send(HEADERS, END_STREAM | END_HEADERS, 11, &block(&[("content-length", "1")]));
    assert_eq!(peer.answer(11).status, 400);
    let seen = upstream.seen();
    assert_eq!(
        (seen[0].body.as_slice(), seen[0].headers.get("content-length")),
        (&b"{\"a\":1"[..], Some("6"))
    );
    assert_eq!((seen[1].body.as_slice(), seen[1].trailers.get("x-sum")), (&b"{\"a\":1}"[..], Some("9")));
    assert_eq!(seen[1].headers.get("te"), Some("trailers"));
}

#[test]
fn an_answers_chunks_and_trailers_pass() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nGrpc-Status: 0\r\n\r\n",
    );
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for stream in [1, 3] {
        let answer = peer.get(stream, "/", &key);
        assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "hello world", None));
        assert_eq!(answer.trailers.get("grpc-status"), Some("0"));
    }
    assert_eq!(gateway.used(&key), 2);
}

#[test]
fn answers_without_a_body_end_with_their_head() {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/204" => exchange.answer(204, &[], b""),
        "/304" => exchange.answer(304, &[("ETag", "\"a\"")], b""),
        "/empty" => exchange.answer(200, &[], b""),
        _ => exchange.answer(200, &[], b"twelve bytes"),
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for (stream, method, path, status, length) in [
        (1, "GET", "/204", 204, None),
        (3, "GET", "/304", 304, None),
        (5, "GET", "/empty", 200, Some("0")),
        (7, "HEAD", "/items", 200, Some("12")),
    ] {
        peer.ask(stream, method, path, &[("x-api-key", &key.key)]);
        let head = peer.next_of(stream).unwrap();
        assert_eq!((head.kind, head.flags), (HEADERS, END_STREAM | END_HEADERS), "{path}");
        let fields = peer.decode(&head.payload);
        assert_eq!(fields[0], (":status".to_owned(), status.to_string()));
        let declared =
            fields.iter().find(|(name, _)| name == "content-length").map(|(_, value)| value.as_str());
        assert_eq!(declared, length, "{path}");
    }
    assert_eq!(gateway.used(&key), 4);
}

#[test]
fn interim_answers_pass_and_a_client_that_waits_for_100_continue_gets_it() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
        exchange.read_body();
        exchange.answer(200, &[], b"done")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    let fields: &[(&str, &str)] =
        &[("x-api-key", &key.key), ("expect", "100-continue"), ("content-length", "4")];
    peer.send(HEADERS, END_HEADERS, 1, &request("POST", "/items", fields));
    let mut statuses = Vec::new();
    for _ in 0..2 {
        let frame = peer.next_of(1).unwrap();
        assert_eq!((frame.kind, frame.flags), (HEADERS, END_HEADERS));
        statuses.push(peer.decode(&frame.payload)[0].1.clone());
    }
    assert_eq!(statuses, ["103", "100"]);
    peer.send(DATA, END_STREAM, 1, b"body");
    assert_eq!(peer.answer(1).text(), "done");
}

#[test]
fn both_protocols_give_the_same_answer() {
    let (_upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for (n, path) in
        ["/items/7", "/status/404", "/status/503", "/bytes/5000", "/_limits", "/nowhere/"].iter().enumerate()
    {
        let one = gateway.send(&get(path).key(&key));
        let two = peer.get(n as u32 * 2 + 1, path, &key);
        assert_eq!(one.status, two.status, "{path}");
        let names = |answer: &crate::support::Answer| {
            let mut names: Vec<_> =
                answer.headers.0.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
            names.retain(|name| name != "transfer-encoding" && name != "connection");
            names
        };
        assert_eq!(names(&one), names(&two), "{path}");
    }
}

#[test]
fn a_request_without_a_body_waits_for_no_100_and_gets_none() {
    let upstream =
        Upstream::sending("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    peer.ask(1, "GET", "/a", &[("x-api-key", &key.key), ("expect", "100-continue")]);
    let answer = peer.answer(1);
    assert_eq!((answer.status, answer.interim.len()), (200, 0), "{answer:?}");
    assert!(!upstream.last().headers.has("expect"));
}

#[test]
fn a_trailer_with_the_name_of_a_key_header_does_not_reach_the_upstream() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for (n, (name, status)) in
        [("x-api-key", 200), ("x_api_key", 200), ("x_a", 200), ("authorization", 400), ("x-consumer-id", 400)]
            .into_iter()
            .enumerate()
    {
        let stream = n as u32 * 2 + 1;
        peer.send(HEADERS, END_HEADERS, stream, &request("POST", "/items", &[("x-api-key", &key.key)]));
        peer.send(DATA, 0, stream, b"{\"a\":1}");
        peer.send(HEADERS, END_STREAM | END_HEADERS, stream, &block(&[(name, "1"), ("x-sum", "2")]));
        assert_eq!(peer.answer(stream).status, status, "{name}");
        if status == 200 {
            let seen = upstream.last().trailers.0;
            assert_eq!(seen, [("x-sum".to_owned(), "2".to_owned())], "{name}");
        }
    }
}

#[test]
fn https_is_not_asked_for_on_a_connection_that_is_not_encrypted() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    let ask = |scheme: &str| {
        block(&[
            (":method", "GET"),
            (":scheme", scheme),
            (":path", "/items/7"),
            (":authority", "api.example.com"),
            ("x-api-key", &key.key),
        ])
    };
    let mut peer = Peer::open(gateway.address);
    for (stream, scheme) in [(1, "https"), (3, "HTTPS")] {
        peer.send(HEADERS, END_STREAM | END_HEADERS, stream, &ask(scheme));
        let answer = peer.answer(stream);
        crate::support::assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
    assert_eq!(upstream.count(), 0);
    peer.send(HEADERS, END_STREAM | END_HEADERS, 5, &ask("http"));
    assert_eq!(peer.answer(5).status, 200);
    // Under TLS, and from a trusted proxy that terminates it, it applies.
    let secure = Gateway::start(&Config::of(&upstream).over_tls());
    let key = secure.key();
    let mut peer = Peer::open_over_tls(secure.address);
    let fields = [
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/items/7"),
        (":authority", "api.example.com"),
        ("x-api-key", key.key.as_str()),
    ];
    peer.send(HEADERS, END_STREAM | END_HEADERS, 1, &block(&fields));
    assert_eq!(peer.answer(1).status, 200);
}

#[test]
fn an_answer_that_is_garbled_before_a_byte_of_it_has_left_is_a_clean_500() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut peer = Peer::open(gateway.address);
    for stream in [1, 3] {
        assert_error(&gateway, &peer.get(stream, "/items/7", &key), 500, "UNEXPECTED_ERROR");
    }
    assert_eq!(gateway.used(&key), 0);
}
