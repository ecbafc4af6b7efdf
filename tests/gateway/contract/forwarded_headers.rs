//! What the upstream learns about the client: Via, Host, Forwarded, X-Forwarded-*, X-Consumer-Id.

use crate::support::{Config, Gateway, Upstream, get};

#[test]
fn via_names_the_gateway_to_the_upstream_and_is_extended() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nVia: 1.0 inner\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&get("/a").key(&key).header("Via", "1.0 outer"));
    let seen = upstream.last().headers.list("Via");
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert_eq!(seen[0], "1.0 outer");
    assert!(seen[1].starts_with("1.1 "), "{seen:?}");
    // RFC 9110 section 7.6.3: a gateway may leave itself out of responses, but not the others.
    let via = answer.headers.list("Via");
    assert_eq!(via[0], "1.0 inner");
    assert!(via.len() == 1 || (via.len() == 2 && via[1].starts_with("1.1 ")), "{via:?}");
}

#[test]
fn the_upstream_sees_the_clients_host() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    gateway.send(&get("/a").key(&key).replace("Host", "shop.example.com:8443"));
    assert_eq!(upstream.last().headers.get("Host"), Some("shop.example.com:8443"));
    // RFC 9112 section 3.2.2: the host of an absolute target wins, as written there.
    gateway.send(&get("http://real.example.com/a").key(&key).replace("Host", "REAL.example.com:80"));
    assert_eq!(upstream.last().headers.get("Host"), Some("real.example.com"));
}

#[test]
fn the_upstream_sees_its_own_host_if_configured() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).upstream("host = \"upstream\""));
    gateway.send(&get("/a").key(&gateway.key()));
    let seen = upstream.last().headers;
    assert_eq!(seen.get("Host"), Some(upstream.address.to_string().as_str()));
    assert_eq!(seen.get("X-Forwarded-Host"), Some("api.example.com"));
}

#[test]
fn a_base_path_of_the_upstream_is_put_before_every_path() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of_url(&format!("{}/base", upstream.url())));
    let key = gateway.key();
    for (target, seen) in [("/a?b=c", "/base/a?b=c"), ("/", "/base/")] {
        assert_eq!(gateway.send(&get(target).key(&key)).status, 200);
        assert_eq!(upstream.last().target, seen);
    }
}

#[test]
fn what_an_untrusted_client_claims_about_itself_is_replaced() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let request = get("/a")
        .key(&gateway.key())
        .header("X-Forwarded-For", "198.51.100.1, 10.0.0.1")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Port", "1")
        .header("Forwarded", "for=198.51.100.1;proto=https");
    gateway.send(&request);
    let seen = upstream.only().headers;
    assert_eq!(seen.all("X-Forwarded-For"), ["127.0.0.1"]);
    assert_eq!(seen.get("X-Forwarded-Proto"), Some("http"));
    assert_eq!(seen.get("X-Forwarded-Host"), Some("api.example.com"));
    assert_ne!(seen.get("X-Forwarded-Port"), Some("1"));
    assert!(!format!("{seen:?}").contains("198.51.100.1"), "{seen:?}");
    assert!(!format!("{seen:?}").contains("evil.example"), "{seen:?}");
    if let Some(forwarded) = seen.get("Forwarded") {
        assert!(forwarded.contains("127.0.0.1"), "{forwarded}");
    }
}

#[test]
fn an_untrusted_client_cannot_set_its_address_by_another_header() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    gateway.send(&get("/a").key(&gateway.key()).header("X-Real-IP", "198.51.100.1"));
    assert_ne!(upstream.only().headers.get("X-Real-IP"), Some("198.51.100.1"));
}

#[test]
fn an_untrusted_client_cannot_pass_for_somebody_whom_a_proxy_authenticated() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for name in [
        "X-Authenticated-Userid",
        "X-WEBAUTH-USER",
        "X-Auth-Request-User",
        "Remote-Groups",
        "X-Client-Cert",
        "SSL-Client-Cert",
        "X-MS-CLIENT-PRINCIPAL-ID",
        "X-Amzn-Oidc-Identity",
        "X-Goog-Authenticated-User-Email",
        "X-Goog-Iap-Jwt-Assertion",
        "Cf-Access-Authenticated-User-Email",
        "Tailscale-User-Login",
        "X-Script-Name",
    ] {
        assert_eq!(gateway.send(&get("/a").key(&key).header(name, "root")).status, 200);
        assert_eq!(upstream.last().headers.get(name), None, "{name}");
    }
}

#[test]
fn the_fields_of_a_trusted_proxy_are_believed_and_extended() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).top("trusted_proxies = [\"127.0.0.1\"]"));
    let request = get("/a")
        .key(&gateway.key())
        .header("X-Forwarded-For", "198.51.100.1, 203.0.113.2")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "public.example.com");
    gateway.send(&request);
    let seen = upstream.only().headers;
    assert_eq!(seen.list("X-Forwarded-For"), ["198.51.100.1", "203.0.113.2", "127.0.0.1"]);
    assert_eq!(seen.get("X-Forwarded-Proto"), Some("https"));
    assert_eq!(seen.get("X-Forwarded-Host"), Some("public.example.com"));
}

#[test]
fn both_ways_to_tell_of_the_client_agree() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).top("trusted_proxies = [\"127.0.0.1\"]"));
    let key = gateway.key();
    let seen = |fields: &[(&str, &str)]| {
        let request =
            fields.iter().fold(get("/a").key(&key), |request, (name, value)| request.header(name, value));
        assert_eq!(gateway.send(&request).status, 200);
        let seen = upstream.last().headers;
        let one = |name: &str| seen.list(name).join(", ");
        (one("X-Forwarded-For"), one("X-Forwarded-Proto"), one("Forwarded"))
    };
    let host = "host=\"api.example.com\"";
    let own = format!("for=127.0.0.1;{host};proto=http");
    let told = |list: &str, proto: &str, forwarded: String| (list.to_owned(), proto.to_owned(), forwarded);
    assert_eq!(
        seen(&[("X-Forwarded-For", "1.1.1.1"), ("X-Forwarded-Proto", "https")]),
        told("1.1.1.1, 127.0.0.1", "https", format!("for=1.1.1.1;{host};proto=https, {own}"))
    );
    assert_eq!(
        seen(&[("X-Forwarded-For", "2001:db8::1, 1.1.1.1"), ("X-Forwarded-Host", "a.example.com")]),
        told(
            "2001:db8::1, 1.1.1.1, 127.0.0.1",
            "http",
            format!("for=\"[2001:db8::1]\";host=\"a.example.com\";proto=http, for=1.1.1.1, {own}")
        )
    );
    assert_eq!(
        seen(&[("X-Forwarded-Proto", "https")]),
        told("127.0.0.1", "https", own.replace("http", "https"))
    );
    assert_eq!(
        seen(&[("Forwarded", "for=1.1.1.1;proto=https")]),
        told("1.1.1.1, 127.0.0.1", "https", format!("for=1.1.1.1;proto=https, {own}"))
    );
    // What the client wrote itself decides nothing: only the last element is the proxy's.
    assert_eq!(
        seen(&[("Forwarded", "for=_a;proto=https, for=1.1.1.1;proto=http")]),
        told("127.0.0.1", "http", format!("for=_a;proto=https, for=1.1.1.1;proto=http, {own}"))
    );
    assert_eq!(
        seen(&[("X-Forwarded-For", "unknown, 1.1.1.1")]),
        told("unknown, 1.1.1.1, 127.0.0.1", "http", own.clone())
    );
}

#[test]
fn the_upstream_learns_whose_key_it_was_and_never_the_key() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    gateway.send(&get("/a").key(&key).header("X-Consumer-Id", "someone-else"));
    let seen = upstream.only().headers;
    assert_eq!(seen.all("X-Consumer-Id"), [key.id.as_str()]);
    assert!(!format!("{seen:?}").contains(&key.key), "{seen:?}");
}

#[test]
fn on_a_public_endpoint_nobody_can_pass_for_a_consumer() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("GET", "/open", "public = true"));
    gateway.send(&get("/open").header("X-Consumer-Id", "someone-else"));
    assert!(!upstream.only().headers.has("X-Consumer-Id"));
}
