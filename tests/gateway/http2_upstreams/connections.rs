//! How requests share connections, and when a new one is opened.

use crate::{
    config,
    frames::{DATA, END_HEADERS, END_STREAM, Frames, HEADERS, OK, PING, RST_STREAM},
    gateway,
    server::Server,
    support::{Config, Gateway, assert_error, eventually, get, post},
};
use h2::server::Builder;
use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const ONE_THREAD: &str = "address = \"127.0.0.1:0\"\nthreads = 1";

/// Answers after a moment, and records the maximum of concurrent requests.
fn slow(builder: Builder) -> (Server, Arc<AtomicUsize>) {
    let most = Arc::new(AtomicUsize::new(0));
    let (now, maximum) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&most));
    let server = Server::built(builder, move |mut asked| {
        let (now, maximum) = (Arc::clone(&now), Arc::clone(&maximum));
        async move {
            maximum.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(200)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            asked.answer(200, &[], b"slow");
        }
    });
    (server, most)
}

/// Sends so many requests at the same time, and returns the statuses.
fn at_once(gateway: &Gateway, count: usize) -> Vec<u16> {
    let key = gateway.key();
    let begin = Arc::new(Barrier::new(count));
    let asking: Vec<_> = (0..count)
        .map(|_| {
            let (mut connection, asked) = (gateway.connect(), post("/a", "{}").key(&key));
            let begin = Arc::clone(&begin);
            std::thread::spawn(move || {
                begin.wait();
                connection.send(&asked).status
            })
        })
        .collect();
    asking.into_iter().map(|one| one.join().unwrap()).collect()
}

#[test]
fn many_requests_share_one_connection_of_a_thread() {
    let (server, most) = slow(Builder::new());
    let gateway = Gateway::start(&config(&server.url()).listen(ONE_THREAD));
    assert_eq!(at_once(&gateway, 40), vec![200; 40]);
    assert_eq!((server.connections(), most.load(Ordering::SeqCst)), (1, 40));
}

#[test]
fn another_connection_is_opened_where_the_upstream_takes_no_more_at_once() {
    let mut builder = Builder::new();
    builder.max_concurrent_streams(10);
    let (server, most) = slow(builder);
    let gateway = Gateway::start(&config(&server.url()).listen(ONE_THREAD));
    assert_eq!(at_once(&gateway, 40), vec![200; 40]);
    assert!((4..=6).contains(&server.connections()), "{} connections", server.connections());
    assert!(most.load(Ordering::SeqCst) > 30);
}

#[test]
fn the_bound_of_an_address_holds_over_all_connections() {
    let (server, most) = slow(Builder::new());
    let bound = "max_requests = 3\nmax_pending_requests = 100\npending_timeout = \"10s\"";
    let gateway = Gateway::start(&config(&server.url()).upstream(bound));
    assert_eq!(at_once(&gateway, 12), vec![200; 12]);
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[test]
fn an_upstream_that_takes_no_request_at_all_is_a_503_after_the_time_of_the_queue() {
    let upstream = Frames::serve(&[(3, 0)], |peer| peer.request().map(|_| ()));
    let gateway =
        Gateway::start(&config(&upstream.url()).upstream("pending_timeout = \"50ms\"").listen(ONE_THREAD));
    let key = gateway.key();
    let before = gateway.limits(&key);
    for _ in 0..5 {
        let answer = gateway.send(&get("/a").key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    }
    assert_eq!(upstream.connections(), 1);
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
}

#[test]
fn a_connection_on_which_nothing_comes_any_more_is_not_used_again() {
    let upstream = Frames::serve(&[], |peer| {
        loop {
            let stream = peer.request()?;
            // The first connection is dead, but neither side is notified.
            if peer.number > 0 {
                peer.answer(stream, b"alive")?;
            }
        }
    });
    let times = "first_byte_timeout = \"1500ms\"";
    let gateway = Gateway::start(&config(&upstream.url()).upstream(times).listen(ONE_THREAD));
    let key = gateway.key();
    let answer = gateway.send(&get("/a").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "alive");
}

#[test]
fn an_idle_connection_answers_pings() {
    let (sender, answers) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let upstream = Frames::serve(&[], move |peer| {
        let stream = peer.request()?;
        peer.answer(stream, b"a")?;
        peer.send(PING, 0, 0, b"are-you?")?;
        sender.lock().unwrap().send(peer.wait_for(PING)?).unwrap();
        peer.request().map(|_| ())
    });
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    let answer = answers.recv_timeout(crate::support::wire::PATIENCE).unwrap();
    assert_eq!((answer.flags, answer.payload.as_slice()), (1, &b"are-you?"[..]));
}

#[test]
fn health_checks_use_http_2_as_well() {
    let status = Arc::new(AtomicUsize::new(200));
    let current = Arc::clone(&status);
    let server = Server::scripted(move |mut asked| {
        let status = current.load(Ordering::SeqCst);
        async move {
            let is_check = asked.path() == "/health";
            asked.answer(if is_check { u16::try_from(status).unwrap() } else { 200 }, &[], b"");
        }
    });
    let check = "[upstream.health_check]\npath = \"/health\"\ninterval = \"20ms\"\nhealthy_threshold = 1\nunhealthy_threshold = 1\n";
    let gateway = Gateway::start(&config(&server.url()).section(check));
    let key = gateway.key();
    let asked = || gateway.send(&get("/a").key(&key)).status;
    eventually("it is checked", || server.seen().iter().any(|seen| seen.path == "/health").then_some(()));
    assert_eq!(asked(), 200);
    status.store(503, Ordering::SeqCst);
    eventually("it is unhealthy", || (asked() == 503).then_some(()));
    status.store(204, Ordering::SeqCst);
    eventually("it is healthy again", || (asked() == 200).then_some(()));
    assert!(gateway.log().contains("the health check got status 503"));
}

#[test]
fn services_speak_what_each_is_set_to() {
    let newer = Server::scripted(|mut asked| async move { asked.answer(200, &[], b"by http/2") });
    let older = crate::support::Upstream::sending("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nby http/1.1");
    let services = format!(
        "[[services]]\nname = \"new\"\npath = \"/new\"\nurl = \"{}\"\nhttp2 = true\n\
         [[services]]\nname = \"old\"\npath = \"/old\"\nurl = \"{}\"\n",
        newer.url(),
        older.url()
    );
    let gateway = Gateway::start(&Config::of_services(&services));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/new").key(&key)).text(), "by http/2");
    assert_eq!(gateway.send(&get("/old").key(&key)).text(), "by http/1.1");
}

#[test]
fn what_is_spoken_can_change_while_the_gateway_runs() {
    let server = Server::scripted(|mut asked| async move { asked.answer(200, &[], b"by http/2") });
    let gateway = gateway(&server);
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    gateway.home().configure(&Config::of_url(&server.url()));
    gateway.hang_up();
    eventually("HTTP/1.1 is spoken", || (gateway.send(&get("/a").key(&key)).status == 500).then_some(()));
    gateway.home().configure(&config(&server.url()));
    gateway.hang_up();
    eventually("HTTP/2 is spoken", || (gateway.send(&get("/a").key(&key)).status == 200).then_some(()));
}

#[test]
fn an_answer_whose_end_comes_late_is_not_reset() {
    let (sender, resets) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let upstream = Frames::serve(&[], move |peer| {
        let first = peer.request()?;
        // `content-length: 5`
        peer.send(HEADERS, END_HEADERS, first, &[OK, b"\x0f\x0d\x015"].concat())?;
        peer.send(DATA, 0, first, b"whole")?;
        // Nothing but the next request may come now.
        let next = loop {
            let frame = peer.next()?;
            sender.lock().unwrap().send(frame.kind == RST_STREAM).unwrap();
            if frame.kind == HEADERS {
                break frame.stream;
            }
        };
        peer.send(DATA, END_STREAM, first, b"")?;
        peer.answer(next, b"next")?;
        peer.request().map(|_| ())
    });
    let gateway = Gateway::start(&config(&upstream.url()).listen(ONE_THREAD));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "whole");
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "next");
    assert!(resets.try_iter().all(|is_reset| !is_reset));
    assert_eq!(upstream.connections(), 1);
}

#[test]
#[ignore = "it takes a minute"]
fn a_connection_without_requests_ends_in_order_after_a_minute() {
    let (sender, ends) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let upstream = Frames::serve(&[], move |peer| {
        let stream = peer.request()?;
        peer.answer(stream, b"a")?;
        peer.stream.set_read_timeout(None).unwrap();
        sender.lock().unwrap().send(peer.end()?).unwrap();
        Some(())
    });
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    let begun = std::time::Instant::now();
    assert_eq!(ends.recv_timeout(Duration::from_secs(90)), Ok(0), "GOAWAY with NO_ERROR");
    assert!(begun.elapsed() > Duration::from_secs(55), "{:?}", begun.elapsed());
}
