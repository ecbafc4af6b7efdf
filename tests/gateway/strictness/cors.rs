//! CORS: what a browser asks before a page of another origin may send requests and read responses.

use crate::support::{Answer, Config, Gateway, Request, Upstream, assert_error, get, head, post, request};

const APP: &str = "https://app.example.com";

fn gateway(upstream: &Upstream, cors: &str) -> Gateway {
    Gateway::start(
        &Config::of(upstream)
            .endpoint("GET", "/items/{id}", "")
            .endpoint("POST", "/items", "")
            .endpoint("GET", "/status/{status}", "")
            .section(&format!("[cors]\n{cors}")),
    )
}

fn preflight(origin: &str, method: &str, headers: &str) -> Request {
    let asked = request("OPTIONS", "/items/7")
        .header("Origin", origin)
        .header("Access-Control-Request-Method", method);
    if headers.is_empty() { asked } else { asked.header("Access-Control-Request-Headers", headers) }
}

fn varies(answer: &Answer) -> Vec<String> {
    answer.headers.list("Vary")
}

#[test]
fn a_preflight_is_answered_without_a_key_for_nothing_and_without_the_upstream() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream, &format!("origins = [\"{APP}\"]\nmax_age = \"1h\""));
    let mut connection = gateway.connect();
    let answer = connection.send(&preflight(APP, "DELETE", "x-api-key, content-type"));
    assert_eq!((answer.status, answer.body.len()), (204, 0), "{answer:?}");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(APP));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("DELETE"));
    assert_eq!(answer.header("Access-Control-Allow-Headers"), Some("x-api-key, content-type"));
    assert_eq!(answer.header("Access-Control-Max-Age"), Some("3600"));
    assert!(!answer.headers.has("Access-Control-Allow-Credentials") && !answer.headers.has("Content-Length"));
    assert!(varies(&answer).contains(&"origin".to_owned()), "{answer:?}");
    assert!(answer.headers.has("X-Request-Id"));
    // The connection continues, and an unknown path has a preflight too: the request itself gets the error.
    let elsewhere =
        request("OPTIONS", "/nowhere").header("Origin", APP).header("Access-Control-Request-Method", "GET");
    assert_eq!(connection.send(&elsewhere).status, 204);
    assert_eq!(upstream.count(), 0);
}

#[test]
fn an_origin_that_is_not_allowed_gets_no_cors_headers() {
    let upstream = Upstream::sample();
    let gateway = gateway(
        &upstream,
        &format!("origins = [\"{APP}\", \"https://*.example.org:8443\"]\ncredentials = true"),
    );
    let key = gateway.key();
    for origin in [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com.evil.example",
        "https://app.example.com:443",
        "https://APP.example.com",
        "https://example.org:8443",
        "https://a.example.org",
        "https://evil.example/.example.org:8443",
        "https://evilexample.org:8443",
        "null",
        "*",
        "",
    ] {
        let answer = gateway.send(&preflight(origin, "GET", "x-api-key"));
        assert_eq!(answer.status, 204, "{origin}");
        assert!(
            !answer
                .headers
                .0
                .iter()
                .any(|(name, _)| name.to_ascii_lowercase().starts_with("access-control-")),
            "{origin}: {answer:?}"
        );
        let answer = gateway.send(&get("/items/7").key(&key).header("Origin", origin));
        assert_eq!(answer.status, 200, "the browser withholds it from the page");
        assert!(!answer.headers.has("Access-Control-Allow-Origin"), "{origin}: {answer:?}");
        assert!(varies(&answer).contains(&"origin".to_owned()), "{origin}: {answer:?}");
    }
    for origin in [APP, "https://a.example.org:8443", "https://a.b.example.org:8443"] {
        let answer = gateway.send(&get("/items/7").key(&key).header("Origin", origin));
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(origin));
        assert_eq!(answer.header("Access-Control-Allow-Credentials"), Some("true"));
    }
}

#[test]
fn a_page_can_read_every_error_and_the_headers_of_the_limits() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream, &format!("origins = [\"{APP}\"]\nexposed_headers = [\"X-Total\"]"));
    let key = gateway.key();
    let keyed = |target: &str| get(target).key(&key);
    for (request, status) in [
        (get("/items/7"), 403),
        (keyed("/nowhere"), 404),
        (keyed("/items/"), 301),
        (keyed("/status/404"), 404),
        (keyed("/status/500"), 500),
        (keyed("/items/7"), 200),
        (get("/_docs/"), 200),
        (keyed("/_limits"), 200),
        (post("/items", "{}"), 403),
        (head("/items/7").key(&key), 200),
        (keyed("/items/7").header("Expect", "200-ok"), 400),
    ] {
        let answer = gateway.send(&request.header("Origin", APP));
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(APP), "{answer:?}");
        let exposed = answer.headers.list("Access-Control-Expose-Headers");
        for name in ["x-request-id", "x-rate-limit-remaining", "ratelimit", "retry-after", "x-total"] {
            assert!(exposed.contains(&name.to_owned()), "{name}: {exposed:?}");
        }
    }
    // Even bytes that are not a request get a response; their origin is unknown.
    let answer = gateway.send_bytes(b"nonsense\r\n\r\n");
    assert_eq!(answer.status, 400);
    assert!(
        varies(&answer).contains(&"origin".to_owned()) && !answer.headers.has("Access-Control-Allow-Origin")
    );
}

#[test]
fn every_origin_may_read_what_is_for_all_and_never_with_credentials() {
    let upstream = Upstream::sample();
    let gateway =
        gateway(&upstream, "origins = [\"*\"]\nmethods = [\"GET\", \"POST\"]\nheaders = [\"X-API-Key\"]");
    let answer = gateway.send(&preflight("https://any.example", "PUT", "x-other"));
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET, POST"));
    assert_eq!(answer.header("Access-Control-Allow-Headers"), Some("x-api-key"));
    assert!(!answer.headers.has("Access-Control-Allow-Credentials"));
    let answer = gateway.send(&get("/items/7").header("Origin", "https://any.example"));
    assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    assert!(!answer.headers.has("Vary"), "{answer:?}");
}

#[test]
fn the_upstreams_own_cors_headers_are_replaced_and_pass_without_cors() {
    let upstream = Upstream::sending(
        "HTTP/1.1 200 OK\r\nAccess-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nVary: Accept\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = gateway(&upstream, &format!("origins = [\"{APP}\"]"));
    let answer = gateway.send(&get("/items/7").key(&gateway.key()).header("Origin", APP));
    assert_eq!(answer.headers.all("Access-Control-Allow-Origin"), [APP]);
    assert!(!answer.headers.has("Access-Control-Allow-Credentials"));
    assert_eq!(varies(&answer), ["accept", "origin"]);
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&get("/items/7").key(&key).header("Origin", APP));
    assert_eq!(answer.headers.all("Access-Control-Allow-Origin"), ["*"]);
    // A preflight is an ordinary request there.
    assert_error(&gateway, &gateway.send(&preflight(APP, "GET", "")), 403, "KEY_NOT_SET");
}

#[test]
fn what_a_page_asks_for_cannot_write_headers_of_its_own() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream, &format!("origins = [\"{APP}\"]"));
    let answer = gateway.send(&preflight(APP, "GET, (x)", "x-a, b c, \"d\", x-e"));
    assert_eq!(answer.header("Access-Control-Allow-Methods"), Some("GET"));
    assert_eq!(answer.header("Access-Control-Allow-Headers"), Some("x-a, x-e"));
}

#[test]
fn a_preflight_is_answered_during_maintenance_so_that_the_503_can_be_read() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream, &format!("origins = [\"{APP}\"]"));
    gateway.run(&["maintenance", "on", "--for", "30m"]);
    assert_eq!(gateway.send(&preflight(APP, "GET", "")).status, 204);
    let answer = gateway.send(&get("/items/7").header("Origin", APP));
    assert_error(&gateway, &answer, 503, "MAINTENANCE");
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some(APP));
}
