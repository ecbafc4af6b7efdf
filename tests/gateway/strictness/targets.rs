//! Request lines that may be written in more than one way, and headers that make others read them differently.

use crate::support::{Config, Gateway, Upstream, assert_error, get, request};

fn gateway() -> (Upstream, Gateway) {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    (upstream, gateway)
}

#[test]
fn a_later_minor_version_is_read_as_http_1_1() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    for version in ["HTTP/1.2", "HTTP/1.9"] {
        let mut connection = gateway.connect();
        // The connection continues, as in HTTP/1.1.
        for _ in 0..2 {
            let answer = connection.send(&get("/a").key(&key).version(version));
            assert_eq!((answer.status, answer.version.as_str()), (200, "HTTP/1.1"), "{version}");
            let seen = upstream.last();
            assert_eq!((seen.version.as_str(), seen.headers.get("Via")), ("HTTP/1.1", Some("1.1 fairgate")));
        }
        let chunked = request("POST", "/a").key(&key).version(version).chunked("text/plain", b"hello", 2);
        assert_eq!(connection.send(&chunked).status, 200);
        assert_eq!(upstream.last().body, b"hello");
    }
    // Other faults are still reported.
    let answer = gateway.send_bytes(b"GET /a HTTP/1.2\r\nX-A: b\r\n\r\n");
    assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    assert!(answer.text().contains("no Host header"), "{}", answer.text());
    for version in ["HTTP/2.0", "HTTP/1.10", "HTTP/1.-2", "HTTP/1.", "HTTP/0.9", "HTTP/3.2"] {
        let answer = gateway.send(&get("/a").key(&key).version(version));
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
    }
}

#[test]
fn an_upstream_of_a_later_minor_version_is_read_as_one_of_http_1_1() {
    let upstream = Upstream::sending("HTTP/1.3 200 Fine\r\nContent-Length: 2\r\nX-A: b\r\n\r\nok");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for _ in 0..2 {
        let answer = connection.send(&get("/a").key(&key));
        assert_eq!((answer.status, answer.text().as_str(), answer.header("X-A")), (200, "ok", Some("b")));
    }
    assert_eq!(upstream.connections(), 1, "the connection is kept");
}

#[test]
fn options_of_a_host_alone_asks_about_the_server_as_a_whole() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    for target in ["*", "http://api.example.com", "HTTP://api.example.com:80"] {
        let answer = gateway.send(&request("OPTIONS", target).key(&key));
        assert_error(&gateway, &answer, 404, "ENDPOINT_NOT_FOUND");
    }
    assert_eq!(upstream.count(), 0);
    for (target, seen) in [("http://api.example.com/", "/"), ("http://api.example.com?a=b", "/?a=b")] {
        assert_eq!(gateway.send(&request("OPTIONS", target).key(&key)).status, 200, "{target}");
        assert_eq!(upstream.last().target, seen);
    }
    assert_eq!(gateway.send(&get("http://api.example.com").key(&key)).status, 200);
    assert_eq!(upstream.last().target, "/");
}

#[test]
fn no_header_gives_the_upstream_another_path_method_or_host_than_was_checked() {
    let (upstream, gateway) = gateway();
    let key = gateway.key();
    for name in [
        "X-HTTP-Path-Override",
        "X-HTTP-Host-Override",
        "X-Original-Method",
        "X-Original-Path",
        "X-Path-Override",
        "X-Override-Path",
        "X-Host-Override",
        "X-Rewrite-URI",
        "x-http-method",
    ] {
        let answer = gateway.send(&get("/a").key(&key).header(name, "/admin"));
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        assert!(answer.text().contains(&format!("`{name}`")), "{}", answer.text());
    }
    assert_eq!(upstream.count(), 0);
    let names = [
        "Proxy",
        "X-Envoy-Original-Path",
        "X-Envoy-External-Address",
        "X-Original-Host",
        "X-Host",
        "X-Remote-IP",
        "X-Remote-Addr",
        "Fly-Client-IP",
        "X-Azure-ClientIP",
        "X-Originating-IP",
        "CF-Connecting-IPv6",
        "X-Forwarded",
        "X-Scheme",
        "X-Url-Scheme",
        "X-Real-Port",
        "Front-End-Https",
    ];
    let forged = names.iter().fold(get("/a").key(&key), |request, name| request.header(name, "evil"));
    assert_eq!(gateway.send(&forged).status, 200);
    let seen = upstream.last().headers;
    assert!(!format!("{seen:?}").contains("evil"), "{seen:?}");
}

#[test]
fn a_trusted_proxy_may_identify_itself_and_no_one_may_name_a_proxy_to_cgi() {
    let upstream = Upstream::sample();
    let section = "[strictness]\noverride_headers = \"pass\"";
    let config = Config::of(&upstream).top("trusted_proxies = [\"127.0.0.1\"]");
    let gateway = Gateway::start(&config.section(section));
    let request = get("/a")
        .key(&gateway.key())
        .header("X-Envoy-Original-Path", "/b")
        .header("X-Original-Method", "GET")
        .header("Proxy", "http://evil.example.com");
    assert_eq!(gateway.send(&request).status, 200);
    let seen = upstream.only().headers;
    assert_eq!((seen.get("X-Envoy-Original-Path"), seen.get("X-Original-Method")), (Some("/b"), Some("GET")));
    assert!(!seen.has("Proxy"), "{seen:?}");
}

#[test]
fn names_that_become_ours_in_variables_pass_nowhere() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).section("[strictness]\nheader_names = \"pass\""));
    let mut forged = get("/a").key(&gateway.key()).header("api_version", "1");
    for name in [
        "X_Consumer_Id",
        "X.Consumer.Id",
        "X_API_Key",
        "X_Forwarded_For",
        "X_Real_IP",
        "X_HTTP_Method_Override",
    ] {
        forged = forged.header(name, "evil");
    }
    assert_eq!(gateway.send(&forged).status, 200);
    let seen = upstream.only().headers;
    assert!(!format!("{seen:?}").contains("evil"), "{seen:?}");
    assert_eq!(seen.get("api_version"), Some("1"));
}

#[test]
fn a_semicolon_in_a_query_means_to_the_upstream_what_it_meant_to_the_checks() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/a", "")
        .parameter("query", "limit", "type = \"integer\"\nmaximum = 10")
        .endpoint("GET", "/free", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for (target, seen) in [
        ("/a?a=1;limit=1000;b=2", "/a?a=1%3Blimit=1000%3Bb=2"),
        ("/a?limit=5&a=%3B", "/a?limit=5&a=%3B"),
        ("/free?a=1;b=2", "/free?a=1;b=2"),
    ] {
        assert_eq!(gateway.send(&get(target).key(&key)).status, 200, "{target}");
        assert_eq!(upstream.last().target, seen);
    }
    assert_error(&gateway, &gateway.send(&get("/a?limit=5;a=1").key(&key)), 400, "PARAMETER_NOT_VALID");
}
