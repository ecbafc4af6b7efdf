//! The statuses that `extra_codes` lets through, each with a code of its own, and only where it was added.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get};

pub fn stage(status: u16, code: &'static str) -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).top(&format!("extra_codes = [{status}]"));
    Stage::new(&config, upstream, (status, code), move |stage| stage.send(get(&format!("/status/{status}"))))
}

#[test]
fn a_status_that_was_not_added_is_mapped_as_ever() {
    let stage = stage(409, "CONFLICT");
    assert_error(&stage.gateway, &stage.send(get("/status/409")), 409, "CONFLICT");
    assert_error(&stage.gateway, &stage.send(get("/status/410")), 404, "RESOURCE_NOT_FOUND");
    assert_error(&stage.gateway, &stage.send(get("/status/412")), 422, "UNPROCESSABLE");
}

#[test]
fn an_extra_status_keeps_the_message_and_the_headers_that_explain_it() {
    let upstream = Upstream::scripted(|exchange| {
        let fields = [("Allow", "GET"), ("Content-Type", "application/json"), ("X-Powered-By", "secret")];
        exchange.answer(405, &fields, b"{\"error\":{\"message\":\"Only reading here.\"}}")
    });
    let gateway = Gateway::start(&Config::of(&upstream).top("extra_codes = [405]"));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_error(&gateway, &answer, 405, "METHOD_NOT_ALLOWED");
    assert_eq!(answer.header("Allow"), Some("GET"));
    assert!(!answer.headers.has("X-Powered-By"));
    assert!(answer.text().contains("Only reading here."), "{}", answer.text());
}

#[test]
fn the_gateways_own_checks_keep_to_the_table() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .top("extra_codes = [405, 413, 415]")
        .section("[sizes]\nmax_body_size = 10")
        .endpoint("POST", "/items", "media_types = [\"application/json\"]");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    assert_error(&gateway, &gateway.send(&get("/items").key(&key)), 404, "METHOD_NOT_AVAILABLE");
    let large = crate::support::post("/items", "{\"a\":\"longer than ten\"}").key(&key);
    assert_error(&gateway, &gateway.send(&large), 400, "BODY_TOO_LARGE");
}
