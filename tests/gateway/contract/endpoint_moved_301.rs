//! 301 `ENDPOINT_MOVED`: a path moved by the operator, or by a 301 of the upstream.

use crate::support::{Config, Gateway, Next, Stage, Upstream, assert_error, error_of, get, head, post};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&config(&upstream), upstream, (301, "ENDPOINT_MOVED"), |stage| stage.send(get("/old-items/7")))
}

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).section(
        "[[moved]]\nfrom = \"/old-items/{id}\"\nto = \"/items/{id}\"\n\
         [[moved]]\nfrom = \"/gone/{rest}\"\nto = \"/{rest}\"",
    )
}

/// The target of a redirect without the public base before it.
pub fn location(answer: &crate::support::Answer) -> String {
    let location = answer.header("Location").unwrap_or_else(|| panic!("no Location in {answer:?}"));
    location.strip_prefix("https://api.example.com").unwrap_or(location).to_owned()
}

#[test]
fn a_moved_path_leads_to_its_new_place_with_its_values_and_its_query() {
    let stage = stage();
    for (from, to) in [
        ("/old-items/7", "/items/7"),
        ("/old-items/7?a=b&c=%20d", "/items/7?a=b&c=%20d"),
        ("/old-items/a%2Fb%C3%A9", "/items/a%2Fb%C3%A9"),
    ] {
        let answer = stage.send(get(from));
        assert_error(&stage.gateway, &answer, 301, "ENDPOINT_MOVED");
        assert_eq!(location(&answer), to);
    }
    assert_eq!(stage.upstream.count(), 0, "a moved path needs no upstream request");
}

#[test]
fn a_moved_path_is_redirected_before_the_key_is_checked() {
    let stage = stage();
    for request in [get("/old-items/7"), get("/old-items/7").header("X-API-Key", "nonsense")] {
        assert_error(&stage.gateway, &stage.gateway.send(&request), 301, "ENDPOINT_MOVED");
    }
}

#[test]
fn every_method_gets_a_301_and_only_get_and_head_get_a_location() {
    let stage = stage();
    let answer = stage.send(post("/old-items/7", "{}"));
    assert_error(&stage.gateway, &answer, 301, "ENDPOINT_MOVED");
    assert!(!answer.headers.has("Location"), "it would be repeated as a GET: {answer:?}");
    assert_eq!(error_of(&answer)["location"], "/items/7");
    let answer = stage.send(head("/old-items/7"));
    assert_eq!((answer.status, location(&answer)), (301, "/items/7".to_owned()));
}

#[test]
fn redirect_status_308_keeps_the_method_of_others_than_get_and_head() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&config(&upstream).top("redirect_status = 308"));
    let answer = gateway.send(&post("/old-items/7", "{}"));
    assert_error(&gateway, &answer, 308, "ENDPOINT_MOVED");
    assert_eq!(location(&answer), "/items/7");
    assert_error(&gateway, &gateway.send(&get("/old-items/7")), 301, "ENDPOINT_MOVED");
    assert_eq!(gateway.send(&head("/old-items/7")).status, 301);
}

#[test]
fn a_moved_path_cannot_be_made_an_open_redirect() {
    let stage = stage();
    for from in ["/gone/%2F%2Fevil.example", "/gone/%2Fevil.example", "/gone/%5Cevil.example"] {
        let answer = stage.send(get(from));
        if answer.status == 301 {
            let location = location(&answer);
            assert!(location.starts_with('/') && !location.starts_with("//"), "{from} led to {location:?}");
            assert!(!location.starts_with("/\\"), "{from} led to {location:?}");
        } else {
            assert_error(&stage.gateway, &answer, 400, "REQUEST_MALFORMED");
        }
    }
}

#[test]
fn the_301_of_the_upstream_becomes_ours_with_a_public_location() {
    let upstream = Upstream::scripted(|exchange| {
        let host = exchange.wire.stream.local_addr().unwrap();
        let (target, location) = match exchange.target() {
            "/absolute" => (true, format!("http://{host}/new?a=b")),
            "/foreign" => (true, "https://elsewhere.example/new".to_owned()),
            "/path" => (true, "/new".to_owned()),
            _ => (false, String::new()),
        };
        if target {
            exchange.answer(301, &[("Location", &location), ("Content-Type", "text/html")], b"<h1>moved</h1>")
        } else {
            exchange.send_raw(b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n", Next::Keep)
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let before = gateway.limits(&key);
    for (path, to) in
        [("/absolute", "/new?a=b"), ("/path", "/new"), ("/foreign", "https://elsewhere.example/new")]
    {
        let answer = gateway.send(&get(path).key(&key));
        assert_error(&gateway, &answer, 301, "ENDPOINT_MOVED");
        assert_eq!(location(&answer), to, "{path}");
        let answer = gateway.send(&post(path, "{}").key(&key));
        assert_error(&gateway, &answer, 301, "ENDPOINT_MOVED");
        assert!(!answer.headers.has("Location"), "it would be repeated as a GET: {answer:?}");
        let location = error_of(&answer)["location"].as_str().unwrap().replace("https://api.example.com", "");
        assert_eq!(location, to, "{path}");
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "a 301 of the upstream");
}

#[test]
fn redirects_other_than_301_pass_with_a_public_location() {
    for status in [302, 303, 307, 308] {
        let upstream = Upstream::scripted(move |exchange| {
            let location = format!("http://{}/new", exchange.wire.stream.local_addr().unwrap());
            exchange.answer(status, &[("Location", &location)], b"there")
        });
        let gateway = Gateway::start(&Config::of(&upstream));
        let key = gateway.key();
        let before = gateway.limits(&key);
        let answer = gateway.send(&get("/a").key(&key));
        assert_eq!((answer.status, location(&answer).as_str()), (status, "/new"));
        assert_eq!(answer.text(), "there");
        gateway.limits(&key).assert_charged_since(&before, 1, "a redirect other than 301");
    }
}
