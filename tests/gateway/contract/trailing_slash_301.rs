//! 301 `TRAILING_SLASH`: the slash at the end of a path, and that no redirect leads elsewhere.

use crate::{
    endpoint_moved_301::location,
    support::{
        Config, Gateway, Next, Stage, Upstream, assert_error, delete, error_of, get, head, post, request,
    },
};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (301, "TRAILING_SLASH"), |stage| {
        stage.send(get("/items/7/?a=b"))
    })
}

#[test]
fn the_slash_is_taken_off_and_the_query_kept() {
    let stage = stage();
    for (from, to) in [
        ("/items/7/?a=b", "/items/7?a=b"),
        ("/items/7/", "/items/7"),
        ("/items/7/?", "/items/7?"),
        ("/items/7//", "/items/7"),
        ("/items/7/?next=/a/", "/items/7?next=/a/"),
        ("/%C3%A9/", "/%C3%A9"),
        ("http://api.example.com/items/7/", "/items/7"),
    ] {
        let answer = stage.send(get(from));
        assert_error(&stage.gateway, &answer, 301, "TRAILING_SLASH");
        let found = location(&answer);
        // An empty query may go with its question mark or without.
        assert_eq!(found.trim_end_matches('?'), to.trim_end_matches('?'), "{from}");
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_slash_not_at_the_end_of_the_path_stays() {
    let stage = stage();
    for target in ["/", "/?a=b", "/items?path=/a/", "/items/7", "/a//b"] {
        let answer = stage.send(get(target));
        assert_eq!(answer.status, 200, "{target}");
        assert_eq!(stage.upstream.last().target, target);
    }
}

#[test]
fn the_rule_holds_for_every_method_and_needs_no_key() {
    let stage = stage();
    for request in [post("/items/", "{}"), delete("/items/7/"), get("/items/7/")] {
        assert_error(&stage.gateway, &stage.gateway.send(&request), 301, "TRAILING_SLASH");
    }
    let answer = stage.gateway.send(&head("/items/7/"));
    assert_eq!((answer.status, location(&answer).as_str()), (301, "/items/7"));
}

#[test]
fn only_get_and_head_are_led_by_a_location_and_others_read_the_address_in_the_body() {
    let stage = stage();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "QUERY"] {
        let request = request(method, "/items/7/?a=b").body("text/plain", b"x");
        let answer = stage.send(request);
        assert_error(&stage.gateway, &answer, 301, "TRAILING_SLASH");
        assert!(!answer.headers.has("Location"), "{method} would be repeated as a GET: {answer:?}");
        assert_eq!(error_of(&answer)["location"], "/items/7?a=b", "{method}");
    }
    assert_eq!(location(&stage.send(get("/items/7/?a=b"))), "/items/7?a=b");
}

#[test]
fn the_connection_can_be_used_after_a_redirect() {
    let stage = stage();
    let mut connection = stage.gateway.connect();
    assert_eq!(connection.send(&post("/items/", "{\"a\":1}").key(&stage.key)).status, 301);
    assert_eq!(connection.send(&get("/items/7").key(&stage.key)).status, 200);
}

#[test]
fn redirect_status_308_holds_for_slashes_too() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).top("redirect_status = 308"));
    let answer = gateway.send(&post("/items/", "{}"));
    assert_error(&gateway, &answer, 308, "TRAILING_SLASH");
    assert_eq!(location(&answer), "/items");
    assert_error(&gateway, &gateway.send(&get("/items/")), 301, "TRAILING_SLASH");
}

#[test]
fn no_location_begins_with_two_slashes() {
    let stage = stage();
    for target in [
        "//evil.example/",
        "///evil.example/",
        "//evil.example//",
        "//evil.example/a/",
        "/\t/evil.example/",
        "/\\evil.example/",
        "/%5Cevil.example/",
        "//evil.example/%2e%2e/",
    ] {
        let answer = stage.send(get(target));
        assert!(matches!(answer.status, 301 | 400), "{target}: {answer:?}");
        if answer.status == 301 {
            let to = location(&answer);
            assert!(to.starts_with('/') && !to.starts_with("//") && !to.starts_with("/\\"), "{target}: {to}");
            assert!(!answer.header("Location").unwrap().contains("//evil"), "{target}: {answer:?}");
        }
    }
    assert_eq!(location(&stage.send(get("//evil.example/"))), "/evil.example");
}

#[test]
fn an_endpoint_that_is_declared_with_a_slash_keeps_it() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/simple/{name}/", "").endpoint("GET", "/plain", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/simple/pip/").key(&key)).status, 200);
    assert_eq!(upstream.last().target, "/simple/pip/");
    assert_error(&gateway, &gateway.send(&get("/plain/").key(&key)), 301, "TRAILING_SLASH");
}

#[test]
fn trailing_slash_keep_turns_the_rule_off() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).top("trailing_slash = \"keep\""));
    let key = gateway.key();
    for target in ["/items/", "/items/7/?a=b"] {
        assert_eq!(gateway.send(&get(target).key(&key)).status, 200);
        assert_eq!(upstream.last().target, target);
    }
}

/// An upstream that wants the slash, as Django does.
fn upstream_that_adds_the_slash(status: u16) -> Upstream {
    Upstream::scripted(move |exchange| {
        let target = exchange.target().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        if path.ends_with('/') {
            return exchange.json(200, "{\"with\":\"slash\"}");
        }
        let mark = if query.is_empty() { "" } else { "?" };
        let location = format!("{path}/{mark}{query}");
        exchange.answer(status, &[("Location", &location)], b"")
    })
}

#[test]
fn a_redirect_of_the_upstream_that_only_adds_the_slash_makes_no_loop() {
    for status in [301, 302, 307, 308] {
        let upstream = upstream_that_adds_the_slash(status);
        let gateway = Gateway::start(&Config::of(&upstream));
        let key = gateway.key();
        let before = gateway.limits(&key);
        let answer = gateway.send(&get("/items?a=b").key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "{\"with\":\"slash\"}"), "{status}");
        assert_eq!(upstream.last().target, "/items/?a=b");
        gateway.limits(&key).assert_charged_since(&before, 1, "a redirect that was followed inside");
    }
}

#[test]
fn with_a_body_such_a_redirect_is_a_500_whose_incident_names_the_slash() {
    let upstream = upstream_that_adds_the_slash(301);
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&post("/items", "{}").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap()).to_string();
    assert!(incident.contains("slash"), "{incident}");
}

#[test]
fn an_upstream_that_redirects_for_ever_is_not_followed_for_ever() {
    let upstream = Upstream::scripted(|exchange| {
        let location = format!("{}/", exchange.target());
        exchange.read_body();
        let bytes = format!("HTTP/1.1 301 Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
        exchange.send_raw(bytes.as_bytes(), Next::Keep)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let answer = gateway.send(&get("/items").key(&key));
    assert!(matches!(answer.status, 301 | 500), "{answer:?}");
    assert!(upstream.count() <= 3, "followed {} times", upstream.count());
}

#[test]
fn redirects_have_the_path_of_the_public_url() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .public_url(Some("https://api.example.com/base/"))
        .section("[[moved]]\nfrom = \"/old/{id}\"\nto = \"/new/{id}\"");
    let gateway = Gateway::start(&config);
    for (from, to) in [
        ("/items/7/?a=b", "/base/items/7?a=b"),
        ("/old/7?a=b", "/base/new/7?a=b"),
        ("//evil.example/", "/base/evil.example"),
    ] {
        let answer = gateway.send(&get(from));
        assert_eq!((answer.status, location(&answer).as_str()), (301, to), "{from}");
        assert!(error_of(&answer)["message"].as_str().unwrap().contains(to), "{answer:?}");
    }
}
