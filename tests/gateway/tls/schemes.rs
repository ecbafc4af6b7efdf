//! HTTP beside HTTPS: what is redirected, and which scheme responses and upstreams get.

use crate::support::{
    Config, Connection, Gateway, Upstream, assert_error, error_of, get, head, post, wire::Wire,
};
use std::net::{SocketAddr, TcpStream};

fn config(upstream: &Upstream, more: &str) -> Config {
    let tls =
        format!("[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\n{more}");
    Config::of(upstream).over_tls().section(&tls)
}

fn plain_address(gateway: &Gateway) -> SocketAddr {
    gateway.event("listening")["address"].as_str().unwrap().parse().unwrap()
}

fn plain(gateway: &Gateway) -> Connection {
    Connection { wire: Wire::new(TcpStream::connect(plain_address(gateway)).unwrap()) }
}

fn upstream() -> Upstream {
    Upstream::scripted(|exchange| {
        exchange.answer(200, &[("Strict-Transport-Security", "max-age=1"), ("X-Other", "passes")], b"{}")
    })
}

#[test]
fn both_are_served_and_the_upstream_learns_the_scheme_of_each_request() {
    let upstream = upstream();
    let gateway = Gateway::start(&config(&upstream, ""));
    let key = gateway.key();
    for (mut connection, scheme) in [(gateway.connect(), "https"), (plain(&gateway), "http")] {
        assert_eq!(connection.send(&get("/items").key(&key)).status, 200);
        let seen = upstream.last();
        assert_eq!(seen.headers.get("x-forwarded-proto"), Some(scheme));
        let forwarded = seen.headers.get("forwarded").unwrap();
        assert!(forwarded.ends_with(&format!(";proto={scheme}")), "{forwarded}");
    }
}

#[test]
fn links_have_the_scheme_of_the_request() {
    let upstream = upstream();
    let text = std::fs::read_to_string;
    let home = crate::support::gateway::Home::new(&config(&upstream, ""));
    let without_base = text(home.config()).unwrap().replace("public_url = \"https://api.example.com\"\n", "");
    std::fs::write(home.config(), without_base).unwrap();
    let gateway = Gateway::start_in(&home);
    for (mut connection, scheme) in [(gateway.connect(), "https"), (plain(&gateway), "http")] {
        let answer = connection.send(&get("/items"));
        let check = error_of(&answer)["check"].as_str().unwrap().to_owned();
        assert_eq!(check, format!("{scheme}://api.example.com/_docs/errors/KEY_NOT_SET"));
    }
}

#[test]
fn without_tls_there_is_only_the_way_to_https_where_that_is_set() {
    let upstream = upstream();
    let gateway = Gateway::start(&config(&upstream, "plaintext = \"redirect\""));
    let key = gateway.key();
    for (request, to) in [
        (get("/items?a=b"), "https://api.example.com/items?a=b"),
        (get("/_docs/"), "https://api.example.com/_docs/"),
        (get("//evil.example/"), "https://api.example.com/evil.example/"),
        (post("/items", "{}"), "https://api.example.com/items"),
    ] {
        let answer = plain(&gateway).send(&request);
        assert_error(&gateway, &answer, 301, "ENDPOINT_MOVED");
        let followed = Some(to).filter(|_| request.method() == "GET");
        assert_eq!(answer.header("location"), followed);
        assert_eq!(error_of(&answer)["location"], to);
    }
    assert_eq!(plain(&gateway).send(&head("/items")).status, 301);
    assert_eq!((upstream.count(), gateway.used(&key)), (0, 0));
    assert_eq!(gateway.send(&get("/items").key(&key)).status, 200);
}

#[test]
fn the_redirect_goes_to_the_port_of_tls_and_keeps_the_method_where_that_is_set() {
    let upstream = upstream();
    let home = crate::support::gateway::Home::new(
        &config(&upstream, "plaintext = \"redirect\"").top("redirect_status = 308"),
    );
    let text = std::fs::read_to_string(home.config()).unwrap();
    std::fs::write(home.config(), text.replace("public_url = \"https://api.example.com\"\n", "")).unwrap();
    let gateway = Gateway::start_in(&home);
    let answer = plain(&gateway).send(&post("/items", "{}").replace("Host", "api.example.com:8080"));
    let to = format!("https://api.example.com:{}/items", gateway.address.port());
    assert_eq!((answer.status, answer.header("location")), (308, Some(to.as_str())));
}

#[test]
fn a_trusted_proxy_before_us_may_have_spoken_https() {
    let upstream = upstream();
    let config = config(&upstream, "plaintext = \"redirect\"").top("trusted_proxies = [\"127.0.0.1\"]");
    let gateway = Gateway::start(&config);
    let request = get("/items").key(&gateway.key()).header("X-Forwarded-Proto", "https");
    assert_eq!(plain(&gateway).send(&request).status, 200);
    assert_eq!(plain(&gateway).send(&request.replace("X-Forwarded-Proto", "http")).status, 400);
    assert_eq!(plain(&gateway).send(&get("/items").header("X-Forwarded-Proto", "http")).status, 301);
}

#[test]
fn nobody_listens_without_tls_where_that_is_set() {
    let upstream = upstream();
    let gateway = Gateway::start(&config(&upstream, "plaintext = \"off\""));
    assert_eq!(plain_address(&gateway), gateway.address);
    assert_eq!(gateway.send(&get("/items").key(&gateway.key())).status, 200);
}

#[test]
fn every_response_over_tls_carries_strict_transport_security() {
    let upstream = upstream();
    let gateway = Gateway::start(&config(&upstream, "hsts = \"365d\"\nhsts_include_subdomains = true"));
    let key = gateway.key();
    let strict = "max-age=31536000; includeSubDomains";
    for request in [get("/items").key(&key), get("/items"), get("/_docs/"), get("/_limits").key(&key)] {
        let answer = gateway.send(&request);
        assert_eq!(answer.header("strict-transport-security"), Some(strict), "{answer:?}");
    }
    let answer = gateway.send_bytes(b"nonsense\r\n\r\n");
    assert_eq!(answer.header("strict-transport-security"), Some(strict));
    // Without TLS clients would ignore it (RFC 6797, 8.1).
    assert!(!plain(&gateway).send(&get("/items")).headers.has("strict-transport-security"));
}

#[test]
fn strict_transport_security_of_the_upstream_passes_where_nothing_is_set() {
    let upstream = upstream();
    let gateway = Gateway::start(&config(&upstream, ""));
    let answer = gateway.send(&get("/items").key(&gateway.key()));
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=1"));
}
