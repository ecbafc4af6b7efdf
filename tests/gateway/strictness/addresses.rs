//! Which address a request came from, and what each address may use. Nothing that a client claims about itself counts.

use crate::support::{Config, Gateway, Request, Upstream, assert_error, get, post};

fn from(address: &str) -> Request {
    get("/open").header("X-Forwarded-For", address)
}

/// A gateway behind a proxy on this machine, with these lists for all and for `/inner`.
fn gateway(upstream: &Upstream, all: &str, inner: &str) -> Gateway {
    Gateway::start(
        &Config::of(upstream)
            .top("trusted_proxies = [\"127.0.0.1\"]")
            .endpoint("GET", "/open", "public = true")
            .endpoint("POST", "/open", "public = true")
            .endpoint("GET", "/keyed", "")
            .endpoint("GET", "/inner", inner)
            .section(&format!("[address]\n{all}")),
    )
}

#[test]
fn an_address_outside_of_the_list_may_use_nothing() {
    let upstream = Upstream::sample();
    let gateway =
        gateway(&upstream, "allow = [\"10.0.0.0/8\", \"2001:db8::/32\"]\ndeny = [\"10.9.0.0/16\"]", "");
    let key = gateway.key();
    for address in ["10.1.2.3", "2001:db8::7", "::ffff:10.1.2.3"] {
        assert_eq!(gateway.send(&from(address)).status, 200, "{address}");
    }
    let before = upstream.count();
    for address in ["11.1.2.3", "10.9.1.1", "2001:db9::7", "127.0.0.1"] {
        let answer = gateway.send(&from(address));
        assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
        assert!(answer.text().contains("are not allowed to use this API"), "{}", answer.text());
        for path in ["/keyed", "/_limits"] {
            let answer = gateway.send(&get(path).key(&key).header("X-Forwarded-For", address));
            assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
        }
    }
    assert_eq!(upstream.count(), before);
    // The page that explains the error is open to everyone who gets it.
    assert_eq!(
        gateway.send(&get("/_docs/errors/PERMISSION_DENIED").header("X-Forwarded-For", "11.1.2.3")).status,
        200
    );
}

#[test]
fn an_endpoint_has_a_list_of_its_own_beside_that_of_all() {
    let upstream = Upstream::sample();
    let gateway =
        gateway(&upstream, "deny = [\"10.9.0.0/16\"]", "allow = [\"10.0.0.0/8\"]\ndeny = [\"10.1.0.0/16\"]");
    let key = gateway.key();
    for (address, status) in [("10.2.0.1", 200), ("10.1.0.1", 401), ("10.9.0.1", 401), ("11.0.0.1", 401)] {
        let answer = gateway.send(&get("/inner").key(&key).header("X-Forwarded-For", address));
        assert_eq!(answer.status, status, "{address}: {}", answer.text());
    }
    assert_eq!(gateway.send(&get("/keyed").key(&key).header("X-Forwarded-For", "11.0.0.1")).status, 200);
}

#[test]
fn what_is_refused_by_its_address_comes_in_the_place_of_the_permission_and_is_free() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream, "deny = [\"11.0.0.0/8\"]", "");
    let key = gateway.key();
    let before = gateway.limits(&key);
    let denied = |request: Request| gateway.send(&request.header("X-Forwarded-For", "11.0.0.1"));
    assert_error(&gateway, &denied(get("/nothing")), 404, "ENDPOINT_NOT_FOUND");
    assert_error(&gateway, &denied(get("/keyed")), 403, "KEY_NOT_SET");
    assert_error(&gateway, &denied(get("/keyed").key(&key)), 401, "PERMISSION_DENIED");
    assert_error(&gateway, &denied(post("/open", "{}")), 401, "PERMISSION_DENIED");
    gateway.limits(&key).assert_charged_since(&before, 0, "requests from a denied address");
}

#[test]
fn a_client_that_writes_addresses_itself_changes_nothing() {
    let upstream = Upstream::sample();
    let config = |top: &str| {
        let config = Config::of(&upstream).endpoint("GET", "/open", "public = true");
        Gateway::start(&config.top(top).section("[address]\nallow = [\"10.0.0.0/8\"]"))
    };
    // Nobody is trusted: the fields are not even read.
    let gateway = config("");
    for request in [
        from("10.1.1.1"),
        get("/open").header("Forwarded", "for=10.1.1.1"),
        get("/open").header("X-Real-IP", "10.1.1.1"),
        get("/open").header("True-Client-IP", "10.1.1.1"),
        get("/open").header("X_Forwarded_For", "10.1.1.1"),
    ] {
        assert_error(&gateway, &gateway.send(&request), 401, "PERMISSION_DENIED");
    }
    // The proxy adds the real address at the end, or in a line of its own.
    for top in ["trusted_proxies = [\"127.0.0.1\"]", "trusted_hops = 1"] {
        let gateway = config(top);
        for request in [
            from("10.1.1.1, 6.6.6.6"),
            from("10.1.1.1").header("X-Forwarded-For", "6.6.6.6"),
            from("10.1.1.1").header("X-Forwarded-For", "10.1.1.1,6.6.6.6"),
            from("6.6.6.6").header("Forwarded", "for=10.1.1.1"),
            get("/open").header("Forwarded", "for=10.1.1.1, for=6.6.6.6"),
            get("/open").header("Forwarded", "for=10.1.1.1").header("Forwarded", "for=\"6.6.6.6:80\""),
            get("/open").header("X-Real-IP", "10.1.1.1"),
        ] {
            assert_error(&gateway, &gateway.send(&request), 401, "PERMISSION_DENIED");
        }
        for request in [
            from("6.6.6.6, 10.1.1.1"),
            from("6.6.6.6").header("X-Forwarded-For", "10.1.1.1:4711"),
            get("/open").header("Forwarded", "for=6.6.6.6, for=10.1.1.1;proto=https"),
        ] {
            assert_eq!(gateway.send(&request).status, 200, "{top} {request:?}");
        }
    }
}

#[test]
fn hops_are_counted_from_the_right_and_the_fields_of_the_proxies_are_passed_on() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).top("trusted_hops = 2").endpoint("GET", "/open", "public = true");
    let gateway = Gateway::start(&config.section("[address]\nallow = [\"10.0.0.0/8\"]"));
    for (list, status) in [
        ("6.6.6.6, 10.1.1.1, 7.7.7.7", 200),
        ("10.1.1.1, 6.6.6.6, 7.7.7.7", 401),
        ("10.1.1.1, 6.6.6.6", 200),
        ("10.1.1.1", 200),
        ("nonsense, 10.1.1.1", 200),
    ] {
        assert_eq!(gateway.send(&from(list)).status, status, "{list}");
    }
    let seen = upstream.last().headers;
    assert_eq!(seen.list("X-Forwarded-For"), ["nonsense", "10.1.1.1", "127.0.0.1"]);
}

#[test]
fn a_network_of_ipv4_may_be_written_in_ipv6() {
    let upstream = Upstream::sample();
    for mapped in ["::ffff:10.9.0.1", "::ffff:10.0.0.0/104", "::ffff:0:0/96", "::ffff:a09:1"] {
        let gateway = gateway(&upstream, &format!("deny = [\"{mapped}\"]"), "");
        for address in ["10.9.0.1", "::ffff:10.9.0.1"] {
            assert_error(&gateway, &gateway.send(&from(address)), 401, "PERMISSION_DENIED");
        }
        assert_eq!(gateway.send(&from("2001:db8::1")).status, 200, "{mapped}");
    }
    let gateway = gateway(&upstream, "allow = [\"::ffff:10.0.0.0/104\"]", "");
    assert_eq!(gateway.send(&from("10.9.0.1")).status, 200);
    assert_error(&gateway, &gateway.send(&from("11.0.0.1")), 401, "PERMISSION_DENIED");
    let config = Config::of(&upstream)
        .top("trusted_proxies = [\"::ffff:127.0.0.0/104\"]")
        .endpoint("GET", "/open", "public = true")
        .section("[address]\ndeny = [\"10.9.0.1\"]");
    let gateway = Gateway::start(&config);
    assert_error(&gateway, &gateway.send(&from("10.9.0.1")), 401, "PERMISSION_DENIED");
}
