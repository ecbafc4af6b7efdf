//! 400 `HEADER_NOT_VALID`: a header has a value that the endpoint does not accept.

use crate::support::{Config, Stage, Upstream, assert_details, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .parameter("header", "X-Page", "type = \"integer\"\nminimum = 1")
        .parameter("header", "X-Mode", "enum = [\"fast\", \"safe\"]");
    Stage::new(&config, upstream, (400, "HEADER_NOT_VALID"), |stage| {
        stage.send(get("/items/7").header("X-Page", "first"))
    })
}

#[test]
fn each_violation_is_named_and_values_that_fit_pass() {
    let stage = stage();
    let with =
        |page: &str, mode: &str| stage.send(get("/items/7").header("X-Page", page).header("X-Mode", mode));
    assert_eq!(with("3", "safe").status, 200);
    let answer = with("0", "slow");
    assert_error(&stage.gateway, &answer, 400, "HEADER_NOT_VALID");
    assert_details(&answer, &[("header", "x-page"), ("header", "x-mode")]);
    let text = with("0", "safe").text();
    assert!(text.contains("header \\\"X-Page\\\""), "the name is shown as it is written: {text}");
    for (page, mode) in [("", "safe"), ("1.5", "safe"), ("1", "fas%74"), ("1", "FAST")] {
        assert_error(&stage.gateway, &with(page, mode), 400, "HEADER_NOT_VALID");
    }
}

#[test]
fn a_value_that_is_not_text_is_refused_not_ignored() {
    let stage = stage();
    let mut bytes = get("/items/7").key(&stage.key).header("X-Mode", "fast").bytes();
    let at = bytes.windows(4).position(|window| window == b"fast").unwrap();
    bytes[at] = 0xff;
    assert_error(&stage.gateway, &stage.gateway.send_bytes(&bytes), 400, "HEADER_NOT_VALID");
}

#[test]
fn a_406_or_417_of_the_upstream_is_one_too() {
    let upstream = Upstream::sample();
    let gateway = crate::support::Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for path in ["/status/406", "/status/417"] {
        assert_error(&gateway, &gateway.send(&get(path).key(&key)), 400, "HEADER_NOT_VALID");
    }
}
