//! 503 `UNAVAILABLE`: the upstream cannot answer for the moment, or limits the gateway.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (503, "UNAVAILABLE"), |stage| stage.send(get("/status/503")))
}

#[test]
fn the_upstreams_429_and_503_keep_their_retry_after() {
    let upstream = Upstream::scripted(|exchange| {
        let (status, retry) = match exchange.target() {
            "/429" => (429, "77"),
            "/503" => (503, "120"),
            _ => (503, "Fri, 31 Dec 2049 23:59:59 GMT"),
        };
        let fields =
            [("Retry-After", retry), ("X-Rate-Limit-Limit", "5"), ("Content-Type", "application/json")];
        exchange.answer(status, &fields, b"{\"message\":\"Too busy just now.\"}")
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for (path, retry) in [("/429", "77"), ("/503", "120"), ("/date", "Fri, 31 Dec 2049 23:59:59 GMT")] {
        let answer = gateway.send(&get(path).key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert_eq!(answer.header("Retry-After"), Some(retry));
        assert!(answer.text().contains("Too busy just now."), "{}", answer.text());
        // The upstream's limit is not this client's: the headers are those of the key's plan.
        assert_eq!(answer.number("X-Rate-Limit-Limit"), 1_000_000);
    }
}

#[test]
fn a_503_without_retry_after_gets_one() {
    let stage = stage();
    for path in ["/status/503", "/status/429", "/html/503"] {
        let answer = stage.send(get(path));
        assert_error(&stage.gateway, &answer, 503, "UNAVAILABLE");
        assert!(answer.number("Retry-After") >= 1);
    }
}
