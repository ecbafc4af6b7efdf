//! Trailer fields: a server may merge them into the headers, so they are judged as headers.

use crate::support::{Answer, Config, Gateway, Key, Next, Upstream, assert_error, get, request};

/// Sends a chunked body with these trailers.
fn send(gateway: &Gateway, key: &Key, trailers: &str) -> Answer {
    let mut connection = gateway.connect();
    let head = request("POST", "/a").key(key).header("Transfer-Encoding", "chunked");
    connection.write(&[&head.head()[..], b"5\r\nhello\r\n0\r\n", trailers.as_bytes(), b"\r\n"].concat());
    connection.answer_to("POST")
}

#[test]
fn a_trailer_with_the_name_of_a_key_header_does_not_reach_the_upstream() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).section("[keys]\nheaders = [\"X-API-Key\", \"X-Token\"]");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for name in ["X-API-Key", "x-api-key", "X-Token", "X_Token", "X_API_Key", "X.Api.Key"] {
        let answer = send(&gateway, &key, &format!("{name}: 1\r\nX-Sum: 2\r\n"));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let seen = upstream.last();
        assert_eq!(seen.body, b"hello", "{name}");
        assert_eq!(seen.trailers.0, [("X-Sum".to_owned(), "2".to_owned())], "{name}");
    }
    for name in [
        "Authorization",
        "X-Consumer-Id",
        "Proxy",
        "X-HTTP-Method-Override",
        "X-Forwarded-For",
        "X-Envoy-Original-Path",
    ] {
        let answer = send(&gateway, &key, &format!("{name}: 1\r\n"));
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.text().contains(&format!("`{name}`")), "{}", answer.text());
    }
}

#[test]
fn a_trailer_with_other_characters_in_its_name_is_what_a_header_would_be() {
    for (word, status, seen) in [("drop", 200, None), ("reject", 400, None), ("pass", 200, Some("3"))] {
        let upstream = Upstream::sample();
        let section = format!("[strictness]\nheader_names = \"{word}\"");
        let gateway = Gateway::start(&Config::of(&upstream).section(&section));
        let key = gateway.key();
        let answer = send(&gateway, &key, "X_A: 3\r\n");
        assert_eq!(answer.status, status, "{word}: {}", answer.text());
        if status == 200 {
            assert_eq!(upstream.last().trailers.get("X_A"), seen, "{word}");
        } else {
            assert!(
                answer.text().contains("may contain only letters, digits and hyphens"),
                "{}",
                answer.text()
            );
        }
        // What resembles a field of the gateway passes nowhere.
        assert_eq!(send(&gateway, &key, "X_Consumer_Id: 3\r\n").status, status, "{word}");
        assert!(!upstream.seen().iter().any(|seen| seen.trailers.has("X_Consumer_Id")), "{word}");
    }
}

#[test]
fn a_cost_in_trailers_is_read_by_the_gateway_and_not_passed_on() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Cost, X-Sum\r\n\r\n\
              2\r\nok\r\n0\r\nX-Cost: 3\r\nX-Sum: 1\r\n\r\n",
            Next::Keep,
        )
    });
    let gateway =
        Gateway::start(&Config::of(&upstream).endpoint("GET", "/a", "cost = 5\ncost_header = \"X-Cost\""));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("TE", "trailers"));
    assert_eq!((answer.status, answer.trailers.get("X-Sum")), (200, Some("1")), "{answer:?}");
    assert!(!answer.trailers.has("X-Cost"), "{answer:?}");
    assert_eq!(answer.header("Trailer"), Some("X-Sum"), "names what follows, and no more");
}

#[test]
fn a_trailer_of_an_answer_may_have_any_name_that_its_header_may_have() {
    // gRPC's metadata has underscores and dots in its names.
    let upstream = Upstream::scripted(|exchange| {
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nx_app: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx_app: 2\r\napp.code-bin: AQ\r\n\r\n",
            Next::Keep,
        )
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("TE", "trailers"));
    assert_eq!((answer.status, answer.header("x_app")), (200, Some("1")), "{answer:?}");
    assert_eq!(answer.trailers.get("x_app"), Some("2"), "{answer:?}");
    assert_eq!(answer.trailers.get("app.code-bin"), Some("AQ"), "{answer:?}");
}

#[test]
fn a_trailer_is_judged_by_the_name_that_a_server_could_read_in_it() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[strictness]\nheader_names = \"pass\""));
    let key = gateway.key();
    for name in
        ["X_Request_Id", "X.Request.Id", "Content_Type", "Content_Range", "If_Match", "Idempotency_Key"]
    {
        let answer = send(&gateway, &key, &format!("{name}: 1\r\nX_Sum: 2\r\n"));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(upstream.last().trailers.0, [("X_Sum".to_owned(), "2".to_owned())], "{name}");
    }
    for name in ["X_Request_Id", "X.Request.Id", "Content_Type", "X_SSL_Client_Verify", "Remote_User"] {
        assert_eq!(gateway.send(&get("/a").key(&key).header(name, "1").header("X_Odd", "2")).status, 200);
        let seen = upstream.last().headers;
        assert_eq!((seen.has(name), seen.get("X_Odd")), (false, Some("2")), "{name}");
    }
}

#[test]
fn an_untrusted_client_cannot_state_who_it_is_or_where_it_comes_from() {
    const NAMES: [&str; 18] = [
        "Proxy-Client-IP",
        "WL-Proxy-Client-IP",
        "X-ProxyUser-Ip",
        "HTTP-Client-IP",
        "DO-Connecting-IP",
        "Client-Cert",
        "Client-Cert-Chain",
        "X-SSL-Client-Cert",
        "X-SSL-Client-S-DN",
        "X-SSL-Client-Verify",
        "Remote-User",
        "X-Remote-User",
        "X-Consumer-Username",
        "X-Consumer-Custom-Id",
        "X-Consumer-Groups",
        "X-Anonymous-Consumer",
        "X-Accel-Mapping",
        "X-Sendfile-Type",
    ];
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let behind = Gateway::start(&Config::of(&upstream).top("trusted_proxies = [\"127.0.0.1\"]"));
    let keys = (gateway.key(), behind.key());
    for name in NAMES {
        assert_eq!(gateway.send(&get("/a").key(&keys.0).header(name, "1")).status, 200, "{name}");
        assert!(!upstream.last().headers.has(name), "{name}");
        assert_eq!(behind.send(&get("/a").key(&keys.1).header(name, "1")).status, 200, "{name}");
        assert_eq!(upstream.last().headers.get(name), Some("1"), "{name}");
        assert_error(&gateway, &send(&gateway, &keys.0, &format!("{name}: 1\r\n")), 400, "REQUEST_MALFORMED");
    }
    for name in ["X-Override-URL", "X-Original-Request-URI"] {
        let answer = gateway.send(&get("/a").key(&keys.0).header(name, "/b"));
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
}
