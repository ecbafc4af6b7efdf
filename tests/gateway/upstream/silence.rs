//! Upstreams that stall: before the head, in the head, in the body. Each phase has its own timeout.

use crate::{
    misdeeds::Bench,
    support::{
        Config, Gate, Gateway, Next, Upstream, assert_error, get, post, request,
        sample::{pattern, sample},
    },
};
use std::time::{Duration, Instant};

const TIMEOUTS: &str = "[timeouts]\nconnect = \"300ms\"\nfirst_byte = \"300ms\"\nstall = \"300ms\"";

#[test]
fn a_stall_before_or_in_the_head_or_in_a_short_body_is_a_500() {
    let starts: [&[u8]; 6] = [
        b"",
        b"HTTP/1.1",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nab",
        b"HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{",
    ];
    let bench = Bench::with(TIMEOUTS, move |exchange| {
        let row: usize = exchange.target().trim_start_matches("/bad/").parse().unwrap();
        exchange.read_body();
        exchange.write(starts[row]);
        exchange.stall()
    });
    for (row, name) in
        ["before the head", "in the status line", "in a field", "after a 100"].iter().enumerate()
    {
        let start = Instant::now();
        bench.assert_500(name, &format!("/bad/{row}"));
        assert!(start.elapsed() >= Duration::from_millis(250), "{name}: given up too early");
        assert!(start.elapsed() < Duration::from_secs(5), "{name}: it took {:?}", start.elapsed());
    }
    // The head of an error is enough, even if its body never ends: its row or a 500, but a response, and free.
    for row in [4, 5] {
        let before = bench.gateway.limits(&bench.key);
        let answer = bench.gateway.send(&get(&format!("/bad/{row}")).key(&bench.key));
        assert!(matches!(answer.status, 404 | 500 | 503), "{answer:?}");
        bench.assert_free("an error that stalls", &before);
    }
}

#[test]
fn a_stall_in_a_stream_ends_it_unfinished_and_free() {
    for head in [
        "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc350\r\n",
    ] {
        let bench = Bench::with(TIMEOUTS, move |exchange| {
            exchange.read_body();
            exchange.write(head.as_bytes());
            exchange.write(&pattern(50_000));
            exchange.stall()
        });
        let before = bench.gateway.limits(&bench.key);
        let answer = bench.gateway.send(&get("/bad").key(&bench.key));
        assert!(answer.status == 200 && !answer.is_whole(), "{answer:?}");
        assert_eq!(bench.gateway.logged(answer.header("X-Request-Id").unwrap())["charged"], 0);
        bench.assert_free(head, &before);
    }
}

#[test]
fn a_slow_response_that_makes_progress_is_not_a_stall() {
    let bench = Bench::with(TIMEOUTS, |exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n");
        for byte in b"complete" {
            std::thread::park_timeout(Duration::from_millis(100));
            exchange.write(&[*byte]);
        }
        Next::Keep
    });
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert_eq!((answer.status, answer.text().as_str()), (200, "complete"));
}

#[test]
fn a_short_answer_that_is_slow_begins_after_a_tenth_of_a_second_and_can_then_only_be_cut() {
    let bench = Bench::with(TIMEOUTS, |exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf");
        exchange.stall()
    });
    let before = bench.gateway.limits(&bench.key);
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert!(answer.status == 200 && !answer.is_whole(), "{answer:?}");
    assert_eq!(bench.gateway.logged(answer.header("X-Request-Id").unwrap())["charged"], 0);
    bench.assert_free("a short answer that stalls", &before);
}

#[test]
fn an_upstream_that_never_reads_a_large_body_is_given_up() {
    let bench = Bench::with(TIMEOUTS, |exchange| {
        exchange.body_read = true;
        // Holds the connection without reading, until the gateway closes it.
        while exchange.wire.wait_unread().is_ok() {
            std::thread::park_timeout(Duration::from_millis(20));
            if exchange.record.count() > 1 {
                break;
            }
        }
        Next::Close
    });
    let before = bench.gateway.limits(&bench.key);
    let body = "x".repeat(9 << 20);
    let mut connection = bench.gateway.connect();
    let mut writer = connection.wire.stream.try_clone().unwrap();
    let bytes = post("/bad", &body).key(&bench.key).bytes();
    let sending = std::thread::spawn(move || {
        use std::io::Write;
        let _ = writer.write_all(&bytes);
    });
    let answer = connection.answer();
    assert_eq!(answer.status, 500, "{answer:?}");
    bench.assert_free("an upstream that does not read", &before);
    assert_eq!(bench.gateway.send(&get("/items/7").key(&bench.key)).status, 200);
    drop(connection);
    sending.join().unwrap();
}

#[test]
fn an_answer_that_goes_on_for_ever_ends_with_the_time_of_the_whole_and_is_free() {
    let bench = Bench::with("[timeouts]\ntotal = \"400ms\"\nstall = \"20s\"", |exchange| {
        exchange.read_body();
        exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while exchange.write(b"1\r\nx\r\n") {
            std::thread::park_timeout(Duration::from_millis(10));
        }
        Next::Close
    });
    let before = bench.gateway.limits(&bench.key);
    let begun = Instant::now();
    let answer = bench.gateway.send(&get("/bad").key(&bench.key));
    assert!(answer.status == 200 && !answer.is_whole(), "{answer:?}");
    assert!((Duration::from_millis(390)..Duration::from_secs(10)).contains(&begun.elapsed()));
    bench.assert_free("an answer without end", &before);
    // The timeout bounds the request, not the connection.
    let mut connection = bench.gateway.connect();
    for _ in 0..10 {
        assert_eq!(connection.send(&get("/items/7").key(&bench.key)).status, 200);
        std::thread::park_timeout(Duration::from_millis(60));
    }
}

#[test]
fn a_place_that_does_not_take_connections_is_given_up_after_the_time_to_connect() {
    // Its accept queue is full, so that the next connection hangs.
    let full = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut hoard = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        hoard.push(stream);
        assert!(hoard.len() < 5000, "the queue is never full");
    }
    let config = Config::of_url(&format!("http://{address}"));
    let gateway = Gateway::start(&config.upstream("connect_timeout = \"300ms\""));
    let key = gateway.key();
    let begun = Instant::now();
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert!((1..=3).contains(&answer.number("Retry-After")), "{answer:?}");
    assert!((Duration::from_millis(290)..Duration::from_secs(10)).contains(&begun.elapsed()));
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert_eq!(incident["cause"], "the upstream cannot be reached");
    assert!(incident["detail"].as_str().unwrap().contains("within 300ms"), "{incident}");
}

#[test]
fn an_answer_that_came_in_time_is_delivered_although_the_gateway_was_stopped_meanwhile() {
    // A laptop that sleeps, a snapshot of a machine: every timer has expired when it continues.
    let (asked, stopped, sent) = (Gate::default(), Gate::default(), Gate::default());
    let gates = (asked.clone(), stopped.clone(), sent.clone());
    let upstream = Upstream::scripted(move |exchange| {
        gates.0.open();
        assert!(gates.1.wait());
        let next = sample(exchange);
        gates.2.open();
        next
    });
    let limit = Duration::from_millis(1000);
    let gateway = Gateway::start(&Config::of(&upstream).upstream("first_byte_timeout = \"1s\""));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let begun = Instant::now();
    connection.write(&get("/items/7").key(&key).bytes());
    assert!(asked.wait());
    let process = gateway.process().to_string();
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args([name, &process]).status().unwrap().success());
    };
    signal("-STOP");
    stopped.open();
    assert!(sent.wait());
    assert!(begun.elapsed() < limit, "the machine is too slow for this test");
    while begun.elapsed() < limit * 2 {
        std::thread::park_timeout(limit / 10);
    }
    signal("-CONT");
    let answer = connection.answer();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn a_body_that_comes_slowly_takes_nothing_of_the_upstreams_time() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        // More than the rest of the whole timeout by then, less than all of it.
        std::thread::park_timeout(Duration::from_millis(600));
        exchange.answer(200, &[], b"done")
    });
    let config = Config::of(&upstream).section("[timeouts]\ntotal = \"1s\"\nbody = \"5s\"");
    let config = config.endpoint("POST", "/checked", "").parameter("body", "name", "");
    let gateway = Gateway::start(&config.endpoint("POST", "/streamed", ""));
    let key = gateway.key();
    for path in ["/checked", "/streamed"] {
        let body = b"{\"name\":\"slow\"}";
        let mut slow = gateway.connect();
        let head = request("POST", path).key(&key).header("Content-Type", "application/json");
        slow.write(&head.header("Content-Length", &body.len().to_string()).head());
        for byte in body {
            std::thread::park_timeout(Duration::from_millis(80));
            assert!(slow.write(&[*byte]));
        }
        let answer = slow.answer();
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"), "{path}: {answer:?}");
    }
    // And it still has no more than that.
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        exchange.stall()
    });
    let gateway = Gateway::start(&Config::of(&upstream).section("[timeouts]\ntotal = \"300ms\""));
    let key = gateway.key();
    let mut slow = gateway.connect();
    slow.write(&request("POST", "/streamed").key(&key).header("Content-Length", "2").head());
    std::thread::park_timeout(Duration::from_millis(400));
    slow.write(b"{}");
    let begun = Instant::now();
    assert_eq!(slow.answer().status, 500);
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited for {:?}", begun.elapsed());
}
