//! The client's connection: kept alive, pipelined in order, closed on request, HTTP/1.0.

use crate::support::{Answer, Config, Framing, Gateway, Upstream, get, head, post, request, sample::pattern};

fn setup() -> (Upstream, Gateway, crate::support::Key) {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    (upstream, gateway, key)
}

fn closes(answer: &Answer) -> bool {
    answer.headers.list("Connection").contains(&"close".to_owned())
}

#[test]
fn a_connection_serves_many_requests_and_reuses_the_upstreams() {
    let (upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    for n in 0..100 {
        assert_eq!(connection.send(&get(&format!("/items/{n}")).key(&key)).status, 200);
    }
    assert_eq!(upstream.connections(), 1, "the upstream's connections are not reused");
}

#[test]
fn errors_do_not_close_a_connection_whose_framing_is_sound() {
    let (_upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    for (request, status) in [
        (get("/a/").key(&key), 301),
        (get("/a"), 403),
        (get("/a").header("X-API-Key", "x"), 400),
        (post("/a", "{\"a\":1}"), 403),
        (get("/status/404").key(&key), 404),
        (post("/status/422", "{}").key(&key), 422),
        (get("/status/500").key(&key), 500),
        (get("/status/503").key(&key), 503),
        (head("/a"), 403),
        (get("/a").key(&key), 200),
    ] {
        let answer = connection.send(&request);
        assert_eq!(answer.status, status, "{request:?}");
        assert!(!closes(&answer), "{answer:?}");
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    let (_upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    let mut bytes = Vec::new();
    for n in 1..=20 {
        bytes.extend_from_slice(&get(&format!("/bytes/{n}")).key(&key).bytes());
        bytes.extend_from_slice(&post(&format!("/status/{}", 400 + n % 5), "{\"a\":1}").bytes());
        bytes.extend_from_slice(&head(&format!("/bytes/{n}")).key(&key).bytes());
    }
    connection.write(&bytes);
    for n in 1..=20 {
        assert_eq!(connection.answer_to("GET").body, pattern(n));
        assert_eq!(connection.answer_to("POST").status, 403);
        assert_eq!(connection.answer_to("HEAD").number("Content-Length"), n as u64);
    }
}

#[test]
fn pipelined_bodies_are_separated_from_the_requests_after_them() {
    let (upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    let inner = get("/smuggled").key(&key).bytes();
    let mut bytes = request("POST", "/one").key(&key).body("text/plain", &inner).bytes();
    bytes.extend(request("POST", "/two").key(&key).chunked("text/plain", &inner, 10).bytes());
    // Refused without reading its body, which must be skipped all the same.
    bytes.extend(request("POST", "/three").body("text/plain", &inner).bytes());
    bytes.extend(get("/four").key(&key).bytes());
    connection.write(&bytes);
    let statuses: Vec<u16> = (0..4).map(|_| connection.answer().status).collect();
    assert_eq!(statuses, [200, 200, 403, 200]);
    let targets: Vec<_> = upstream.seen().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, ["/one", "/two", "/four"]);
}

#[test]
fn connection_close_is_honoured_on_successes_and_errors() {
    let (_upstream, gateway, key) = setup();
    for request in [get("/a").key(&key), get("/a"), get("/a/"), get("/status/500").key(&key)] {
        for value in ["close", "Close", "keep-alive, close"] {
            let mut connection = gateway.connect();
            let answer = connection.send(&request.clone().header("Connection", value));
            assert!(closes(&answer), "{value}: {answer:?}");
            assert!(connection.is_closed());
        }
    }
}

#[test]
fn http_1_0_is_answered_and_closed_unless_it_asks_to_be_kept() {
    let (_upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    let answer = connection.send(&get("/bytes/9").key(&key).version("HTTP/1.0"));
    assert_eq!((answer.status, answer.body.len()), (200, 9));
    assert!(connection.is_closed());

    let mut connection = gateway.connect();
    for _ in 0..2 {
        let kept = get("/bytes/9").key(&key).version("HTTP/1.0").header("Connection", "keep-alive");
        let answer = connection.send(&kept);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers.list("Connection"), ["keep-alive"], "{answer:?}");
    }
}

#[test]
fn http_1_0_gets_no_chunks() {
    let (_upstream, gateway, key) = setup();
    for kept in ["close", "keep-alive"] {
        let mut connection = gateway.connect();
        let request = get("/chunked/5000").key(&key).version("HTTP/1.0").header("Connection", kept);
        let answer = connection.send(&request);
        assert_eq!(answer.status, 200);
        assert!(matches!(answer.framing, Framing::Close | Framing::Length(5000)), "{:?}", answer.framing);
        assert!(answer.body == pattern(5000));
    }
}

#[test]
fn http_1_0_errors_carry_the_specification_too() {
    let (_upstream, gateway, _key) = setup();
    let answer = gateway.send(&get("/a").version("HTTP/1.0"));
    crate::support::assert_error(&gateway, &answer, 403, "KEY_NOT_SET");
}

#[test]
fn http_1_0_needs_no_host() {
    let (upstream, gateway, key) = setup();
    let bytes = format!("GET /a HTTP/1.0\r\nX-API-Key: {}\r\n\r\n", key.key);
    assert_eq!(gateway.send_bytes(bytes.as_bytes()).status, 200);
    // The upstream gets HTTP/1.1, which needs one.
    assert!(upstream.only().headers.has("Host"));
}

#[test]
fn a_client_that_has_finished_writing_still_gets_its_answer() {
    let (_upstream, gateway, key) = setup();
    let mut connection = gateway.connect();
    connection.write(&get("/bytes/5").key(&key).bytes());
    connection.wire.finish_writing();
    assert_eq!(connection.answer().body.len(), 5);
    assert!(connection.is_closed());
}

#[test]
fn two_hundred_connections_at_once_are_served() {
    let (_upstream, gateway, key) = setup();
    let mut connections: Vec<_> = (0..200).map(|_| gateway.connect()).collect();
    for connection in &mut connections {
        connection.write(&get("/bytes/5").key(&key).bytes());
    }
    for connection in &mut connections {
        assert_eq!(connection.answer().body.len(), 5);
    }
}

#[test]
fn a_client_that_keeps_sending_after_the_response_still_reads_it() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.body_read = true;
        exchange.send_raw(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly",
            crate::support::Next::Close,
        )
    });
    let gateway = Gateway::start(&Config::of(&upstream).endpoint("POST", "/early", ""));
    let key = gateway.key();
    // Refused by us, or answered early by the upstream.
    for (request, status) in [(request("POST", "/early"), 403), (request("POST", "/early").key(&key), 200)] {
        let mut connection = gateway.connect();
        connection.write(&request.header("Content-Length", "10000000").head());
        for turn in 0..40 {
            // The kernel keeps the response as long as the connection is not reset.
            assert!(connection.write(&[b'x'; 100_000]), "cut off after {turn} tenths of a second");
            std::thread::park_timeout(std::time::Duration::from_millis(100));
        }
        let answer = connection.answer_to("POST");
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(closes(&answer) && connection.is_closed(), "{answer:?}");
    }
    // A client that stops sending is not awaited much longer.
    let mut connection = gateway.connect();
    connection.write(&request("POST", "/early").header("Content-Length", "10000000").head());
    assert_eq!(connection.answer_to("POST").status, 403);
    std::thread::park_timeout(std::time::Duration::from_secs(3));
    connection.write(&[b'x'; 1000]);
    std::thread::park_timeout(std::time::Duration::from_millis(100));
    assert!(!connection.write(&[b'x'; 1000]), "the connection is still open");
}
