//! Truncated requests and responses: free on either side, and no limit is touched.

use crate::support::{
    Config, Gateway, Key, Next, Upstream, assert_error, eventually, get, post, request, sample::pattern,
    sample::sample,
};

fn place(tables: &str) -> (Upstream, Gateway, Key) {
    let upstream = Upstream::scripted(|exchange| {
        let (head, chunked): (&[u8], _) = match exchange.target() {
            "/half/length" => (b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", false),
            "/half/chunked" => (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true),
            _ => return sample(exchange),
        };
        exchange.read_body();
        exchange.write(head);
        if chunked {
            exchange.write(b"9c40\r\n");
        }
        exchange.write(&pattern(40_000));
        Next::Close
    });
    let config = Config::of(&upstream).plan("free", &["100 per day", "1000 per month"]).section(tables);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    (upstream, gateway, key)
}

#[test]
fn a_stream_that_the_upstream_breaks_is_free_whatever_its_framing() {
    let (_upstream, gateway, key) = place("");
    let before = gateway.limits(&key);
    for target in ["/half/length", "/half/chunked"] {
        let answer = gateway.send(&get(target).key(&key));
        assert!(!answer.is_whole(), "{target}: {answer:?}");
        assert_eq!(gateway.logged(answer.header("X-Request-Id").unwrap())["charged"], 0);
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "two half streams");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    gateway.limits(&key).assert_charged_since(&before, 1, "the success after two half streams");
}

#[test]
fn a_request_that_ends_before_its_length_or_its_last_chunk_is_free() {
    let (upstream, gateway, key) = place("");
    let before = gateway.limits(&key);
    let halves: [(&str, &str, &[u8]); 3] = [
        ("Content-Length", "9", b"half"),
        ("Transfer-Encoding", "chunked", b"5\r\nhal"),
        ("Transfer-Encoding", "chunked", b"4\r\nhalf\r\n"),
    ];
    for (name, value, half) in halves {
        let mut connection = gateway.connect();
        connection.write(&request("POST", "/items").key(&key).header(name, value).head());
        connection.write(half);
        connection.wire.finish_writing();
        // The other direction is open, so a response may arrive; it cannot be a success.
        if let Ok(answer) = connection.try_answer_to("POST") {
            assert_error(&gateway, &answer, 400, "REQUEST_MALFORMED");
        }
    }
    assert!(upstream.seen().iter().all(|seen| !seen.whole));
    gateway.limits(&key).assert_charged_since(&before, 0, "half requests");
}

#[test]
fn a_body_that_stalls_or_has_a_bad_chunk_is_free() {
    let (_upstream, gateway, key) = place("[timeouts]\nbody = \"200ms\"");
    let before = gateway.limits(&key);
    for (body, code) in [(&b"5\r\nhal"[..], "REQUEST_TIMEOUT"), (b"zz\r\n", "REQUEST_MALFORMED")] {
        let mut connection = gateway.connect();
        connection.write(&request("POST", "/items").key(&key).header("Transfer-Encoding", "chunked").head());
        connection.write(body);
        assert_error(&gateway, &connection.answer(), 400, code);
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "bodies that broke");
}

#[test]
fn a_cost_is_released_whole_when_its_request_fails() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["10 per day"])
        .endpoint("POST", "/status/{n}", "cost = 7")
        .endpoint("GET", "/items/{id}", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for status in [404, 422, 500, 503] {
        let answer = gateway.send(&post(&format!("/status/{status}"), "{}").key(&key));
        assert_eq!(answer.number("X-Rate-Limit-Remaining"), 10, "{status}");
    }
    assert_eq!(gateway.send(&post("/status/200", "{}").key(&key)).number("X-Rate-Limit-Remaining"), 3);
    assert_eq!(gateway.send(&post("/status/200", "{}").key(&key)).status, 429);
    assert_eq!(gateway.used(&key), 7);
}

#[test]
fn a_unit_is_reserved_while_its_request_runs_and_back_when_it_failed() {
    let gate = crate::support::Gate::default();
    let wait = gate.clone();
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            exchange.read_body();
            wait.wait();
            return exchange.json(404, "{}");
        }
        sample(exchange)
    });
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["1 per day"]));
    let key = gateway.key();
    let mut slow = gateway.connect();
    slow.write(&get("/slow").key(&key).bytes());
    eventually("the slow request is at the upstream", || (upstream.count() == 1).then_some(()));
    // The slow one may still spend the last unit, so it cannot be granted twice.
    let denied = gateway.send(&get("/items/7").key(&key));
    assert_error(&gateway, &denied, 429, "API_LIMIT_EXCEEDED");
    gate.open();
    assert_error(&gateway, &slow.answer(), 404, "RESOURCE_NOT_FOUND");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
}
