//! 400 `REQUEST_MALFORMED`: bytes that are not a request. The cases themselves are in `malformed`.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, post};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (400, "REQUEST_MALFORMED"), |stage| {
        let request = get("/items/7").key(&stage.key).header("Content-Length ", "0");
        stage.gateway.send_bytes(&request.bytes())
    })
}

#[test]
fn a_400_of_the_upstream_is_one_too_and_keeps_its_message() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for status in [400, 402, 407, 418, 424, 426, 451, 499] {
        let answer = gateway.send(&get(&format!("/status/{status}")).key(&key));
        assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        let message = answer.json()["error"]["message"].as_str().unwrap().to_owned();
        assert!(message.contains(&format!("The sample returns {status}.")), "{message}");
    }
}

#[test]
fn what_the_request_held_cannot_break_the_json_of_the_answer() {
    let stage = stage();
    for bytes in [
        &b"GET /\"},{\"a\":\" HTTP/1.1\r\nHost: \"x\"\r\n\r\n"[..],
        b"GET /\xff\xfe\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\"\\\x01\x02\x7f\r\n\r\n",
        b"GET /</script><script> HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"G\"ET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\xc3\x28: \xff\r\n\r\n",
    ] {
        let answer = stage.gateway.send_bytes(bytes);
        assert_error(&stage.gateway, &answer, 400, "REQUEST_MALFORMED");
    }
}

#[test]
fn a_malformed_request_is_refused_before_anything_else_is_looked_at() {
    let stage = stage();
    // No key, a slash at the end, no such method: the framing comes first.
    let bytes = b"POST /items/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab";
    assert_error(&stage.gateway, &stage.gateway.send_bytes(bytes), 400, "REQUEST_MALFORMED");
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_good_request_is_not_taken_for_a_malformed_one() {
    let stage = stage();
    for request in [
        get("/items/7").header("X-Empty", ""),
        get("/items/7").header("X-Odd_name!#$%&'*+-.^`|~9", "v"),
        get("/items/7").header("X-Tab", "a\tb"),
        get("/items/7?q=%00%ff&x[]=1&y={z}|'"),
        get("/a;b=c/@!$&'()*+,=:~"),
        get("/items/.hidden/..a/a..b/..."),
        post("/items", ""),
    ] {
        let answer = stage.send(request.clone());
        assert_eq!(answer.status, 200, "{request:?}: {}", answer.text());
    }
}

#[test]
fn a_first_line_of_another_protocol_is_answered_without_a_wait_for_more() {
    let stage = stage();
    for line in ["SSH-2.0-OpenSSH_9\r\n", "EHLO example.com\r\n", "GET /items/7\r\n"] {
        let begun = std::time::Instant::now();
        let mut connection = stage.gateway.connect();
        connection.write(line.as_bytes());
        assert_error(&stage.gateway, &connection.answer(), 400, "REQUEST_MALFORMED");
        // The header timeout is ten seconds.
        assert!(begun.elapsed().as_secs() < 9, "{line}: {:?}", begun.elapsed());
    }
}
