//! Clients that disconnect: before a response, within it, within their own request; and what they are charged.

use crate::support::{
    Answer, Config, Gate, Gateway, Key, Next, Upstream, eventually, get, request, sample::pattern,
    sample::sample,
};

const LARGE: usize = 8 << 20;

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    /// Opened by the upstream when it receives `/slow`.
    asked: Gate,
    /// The upstream responds to `/slow` when this is open.
    may_answer: Gate,
}

fn place() -> Place {
    let (asked, may_answer) = (Gate::default(), Gate::default());
    let (arrived, wait) = (asked.clone(), may_answer.clone());
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target().starts_with("/slow") {
            exchange.read_body();
            arrived.open();
            wait.wait();
            let status = if exchange.target() == "/slow/404" { 404 } else { 200 };
            return exchange.answer(status, &[], b"slow");
        }
        sample(exchange)
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    Place { upstream, gateway, key, asked, may_answer }
}

/// Waits until a request is settled, and returns what was charged for it.
fn charged(gateway: &Gateway, request_id: &str) -> u64 {
    gateway.logged(request_id)["charged"].as_u64().unwrap()
}

#[test]
fn a_client_that_hangs_up_in_a_successful_answer_is_charged() {
    let Place { gateway, key, upstream: _upstream, .. } = place();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    connection.write(&get(&format!("/bytes/{LARGE}")).key(&key).header("X-Request-Id", "hangs-up").bytes());
    let answer = Answer::read_head(&mut connection.wire).unwrap();
    assert_eq!(answer.status, 200);
    drop(connection);
    assert_eq!(charged(&gateway, "hangs-up"), 1);
    gateway.limits(&key).assert_charged_since(&before, 1, "a hang-up in a success");
}

#[test]
fn a_client_that_hangs_up_before_the_answer_is_settled_exactly_once_and_blocks_nobody() {
    let Place { gateway, key, asked, may_answer, upstream } = place();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    connection.write(&get("/slow").key(&key).header("X-Request-Id", "early").bytes());
    assert!(asked.wait());
    drop(connection);
    may_answer.open();
    // Whether the gateway saw the hang-up or the answer first, the unit is charged or released, once.
    let charged = charged(&gateway, "early");
    assert!(charged <= 1);
    gateway.limits(&key).assert_charged_since(&before, charged, "a hang-up before the answer");
    assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    assert_eq!(upstream.count(), 2);
}

#[test]
fn a_client_that_hangs_up_before_an_error_is_not_charged() {
    let Place { gateway, key, asked, may_answer, upstream: _upstream } = place();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    connection.write(&get("/slow/404").key(&key).header("X-Request-Id", "early").bytes());
    assert!(asked.wait());
    drop(connection);
    may_answer.open();
    assert_eq!(charged(&gateway, "early"), 0);
    gateway.limits(&key).assert_charged_since(&before, 0, "a hang-up before an error");
}

#[test]
fn a_client_that_hangs_up_in_its_own_request_is_not_charged() {
    let Place { gateway, key, upstream: _upstream, .. } = place();
    let before = gateway.limits(&key);
    for (name, value, half) in
        [("Content-Length", "100000", &pattern(50_000)[..]), ("Transfer-Encoding", "chunked", b"5\r\nab")]
    {
        let mut connection = gateway.connect();
        let id = format!("half-{}", value.len());
        connection.write(
            &request("POST", "/items").key(&key).header("X-Request-Id", &id).header(name, value).head(),
        );
        connection.write(half);
        drop(connection);
        assert_eq!(charged(&gateway, &id), 0, "{name}");
    }
    gateway.limits(&key).assert_charged_since(&before, 0, "half requests");
}

#[test]
fn a_hundred_hang_ups_leave_no_unit_reserved() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        if exchange.target() == "/slow" {
            exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            return exchange.stall();
        }
        sample(exchange)
    });
    // The gateway may notice a hang-up only when it has something to send; the stall ends the wait.
    let config =
        Config::of(&upstream).plan("free", &["150 per day"]).section("[timeouts]\nstall = \"300ms\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for n in 0..100 {
        let mut connection = gateway.connect();
        connection.write(&get("/slow").key(&key).header("X-Request-Id", &format!("r{n}")).bytes());
        // Every third saw the head of the response.
        if n % 3 == 0 {
            Answer::read_head(&mut connection.wire).unwrap();
        }
    }
    let charged: u64 = (0..100).map(|n| charged(&gateway, &format!("r{n}"))).sum();
    let used = gateway.used(&key);
    assert_eq!(used, charged, "the log and the limits disagree");
    // Everything not charged can be spent: nothing is stuck.
    let mut connection = gateway.connect();
    for n in used..150 {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200, "unit {n}");
    }
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 429);
}

#[test]
fn a_hang_up_ends_the_work_of_the_upstream() {
    let hung_up = Gate::default();
    let closed = hung_up.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while exchange.write(b"1\r\nx\r\n") {
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        closed.open();
        Next::Close
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let mut connection = gateway.connect();
    connection.write(&get("/endless").key(&gateway.key()).bytes());
    Answer::read_head(&mut connection.wire).unwrap();
    drop(connection);
    assert!(hung_up.wait(), "the gateway keeps reading without a client");
    eventually("the gateway is idle", || upstream.seen().first().map(|_| ()));
}
