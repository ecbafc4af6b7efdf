//! 400 `HEADER_MISSING`: a header that the endpoint requires is missing.

use crate::support::{Config, Stage, Upstream, assert_details, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .parameter("header", "X-Tenant", "required = true")
        .parameter("header", "X-Trace", "required = true\npattern = \"[0-9a-f]+\"");
    Stage::new(&config, upstream, (400, "HEADER_MISSING"), |stage| {
        stage.send(get("/items/7").header("X-Trace", "ab"))
    })
    .success(get("/items/7").header("X-Tenant", "a").header("X-Trace", "ab"))
}

#[test]
fn every_header_that_is_missing_is_named() {
    let stage = stage();
    let answer = stage.send(get("/items/7"));
    assert_error(&stage.gateway, &answer, 400, "HEADER_MISSING");
    assert_details(&answer, &[("header", "x-tenant"), ("header", "x-trace")]);
}

#[test]
fn the_case_of_a_name_is_of_no_matter() {
    let stage = stage();
    let answer = stage.send(get("/items/7").header("x-tenant", "a").header("X-TRACE", "ab"));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_411_of_the_upstream_is_one_too() {
    let upstream = Upstream::sample();
    let gateway = crate::support::Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/status/411").key(&gateway.key()));
    assert_error(&gateway, &answer, 400, "HEADER_MISSING");
}
