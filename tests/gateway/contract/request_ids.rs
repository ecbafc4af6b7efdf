//! The request id: on every response, unique, the client's own if valid, passed to the upstream.

use crate::support::{Config, Gateway, Upstream, assert_error, error_of, get};
use std::collections::HashSet;

#[test]
fn every_answer_has_an_id_of_its_own_and_the_upstream_sees_the_same() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut ids = HashSet::new();
    let mut connections = [gateway.connect(), gateway.connect()];
    for n in 0..50 {
        let connection = &mut connections[n % 2];
        let answer = connection.send(&get("/items/7").key(&key));
        let id = answer.header("X-Request-Id").unwrap().to_owned();
        assert_eq!(upstream.last().headers.get("X-Request-Id"), Some(id.as_str()));
        assert!(ids.insert(id), "an id was used twice");
        let error = connection.send(&get("/items/7"));
        assert!(ids.insert(error_of(&error)["request_id"].as_str().unwrap().to_owned()));
    }
}

#[test]
fn a_clients_own_valid_id_is_kept() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let longest = "x".repeat(128);
    for own in ["a", "req-1_2.3:4/5+6=7", "0af7651916cd43dd8448eb211c80319c", longest.as_str()] {
        let answer = gateway.send(&get("/items/7").key(&key).header("X-Request-Id", own));
        assert_eq!(answer.header("X-Request-Id"), Some(own));
        assert_eq!(upstream.last().headers.get("X-Request-Id"), Some(own));
        let answer = gateway.send(&get("/items/7").header("x-request-id", own));
        assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
        assert_eq!(answer.header("X-Request-Id"), Some(own));
    }
}

#[test]
fn an_invalid_id_is_replaced_everywhere() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let too_long = "x".repeat(129);
    for bad in ["", "a b", "a,b", "<script>", "a\"b", "\u{e9}", "a;b", "{x}", too_long.as_str()] {
        let answer = gateway.send(&get("/items/7").key(&key).header("X-Request-Id", bad));
        let id = answer.header("X-Request-Id").unwrap();
        assert!(id != bad && !id.is_empty(), "{bad:?} was kept");
        assert_eq!(upstream.last().headers.get("X-Request-Id"), Some(id));
    }
    let twice = get("/items/7").key(&key).header("X-Request-Id", "a").header("X-Request-Id", "b");
    assert!(gateway.send(&twice).headers.get("X-Request-Id").is_some());
}

#[test]
fn an_upstreams_id_does_not_displace_ours() {
    let upstream = Upstream::sending("HTTP/1.1 200 OK\r\nX-Request-Id: theirs\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(&Config::of(&upstream));
    let answer = gateway.send(&get("/a").key(&gateway.key()).header("X-Request-Id", "mine"));
    assert_eq!(answer.headers.all("X-Request-Id"), ["mine"]);
}

#[test]
fn every_request_is_one_line_of_the_log() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    gateway.send(&get("/items/7?secret=1").key(&key).header("X-Request-Id", "good"));
    gateway.send(&get("/status/404").key(&key).header("X-Request-Id", "bad"));
    let good = gateway.logged("good");
    assert_eq!(good["method"], "GET");
    assert_eq!(good["path"], "/items/7");
    assert_eq!(good["status"], 200);
    assert_eq!(good["charged"], 1);
    assert_eq!(good["key"], key.id.as_str());
    assert!(good.get("code").is_none_or(serde_json::Value::is_null), "{good}");
    assert!(good["millis"].is_number(), "{good}");
    let bad = gateway.logged("bad");
    assert_eq!((bad["status"].as_u64(), bad["charged"].as_u64()), (Some(404), Some(0)));
    assert_eq!(bad["code"], "RESOURCE_NOT_FOUND");
}
