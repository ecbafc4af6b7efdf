//! Requests that the upstream did not process: when they are sent again, and how often.

use crate::{
    config,
    frames::{Frames, HEADERS, RST_STREAM},
    gateway,
    server::Server,
    support::{Config, Gateway, assert_error, get, post, request},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const REFUSED: u32 = 7;

#[test]
fn a_refused_request_is_sent_again_whatever_its_method_and_charged_once() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let upstream = Frames::serve(&[], move |peer| {
        loop {
            let stream = peer.request()?;
            if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) {
                peer.reset(stream, REFUSED)?;
            } else {
                peer.answer(stream, b"taken")?;
            }
        }
    });
    let gateway = Gateway::start(&config(&upstream.url()).upstream("retry_budget_min_per_second = 1000"));
    let key = gateway.key();
    let before = gateway.limits(&key);
    for asked in [get("/a"), post("/a", "{\"a\":1}"), get("/a"), post("/b", "{}")] {
        let answer = gateway.send(&asked.key(&key));
        assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    }
    assert_eq!(refused.load(Ordering::SeqCst), 8);
    gateway.limits(&key).assert_charged_since(&before, 4, "four requests, each sent twice");
}

#[test]
fn an_upstream_that_refuses_everything_is_retried_no_oftener_than_the_budget_allows() {
    let refused = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&refused);
    let upstream = Frames::serve(&[], move |peer| {
        loop {
            let stream = peer.request()?;
            count.fetch_add(1, Ordering::SeqCst);
            peer.reset(stream, REFUSED)?;
        }
    });
    let budget = "retry_budget_percent = 20\nretry_budget_min_per_second = 0";
    let gateway = Gateway::start(&config(&upstream.url()).upstream(budget));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for _ in 0..50 {
        let answer = connection.send(&post("/a", "{}").key(&key));
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
        assert!((1..=3).contains(&answer.number("Retry-After")), "{answer:?}");
    }
    let sent = refused.load(Ordering::SeqCst);
    assert!((50..=64).contains(&sent), "{sent} were sent");
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
}

#[test]
fn a_refused_request_goes_to_another_address_if_there_is_one() {
    let refusing = Frames::serve(&[], |peer| {
        loop {
            let stream = peer.request()?;
            peer.reset(stream, REFUSED)?;
        }
    });
    let taking = Server::scripted(|mut asked| async move { asked.answer(200, &[], b"taken") });
    let addresses = Config::of_addresses(&[(refusing.url(), 1000), (taking.url(), 1)]);
    let gateway = Gateway::start(&addresses.upstream("http2 = true\nretry_budget_min_per_second = 1000"));
    let key = gateway.key();
    for _ in 0..10 {
        assert_eq!(gateway.send(&post("/a", "{}").key(&key)).text(), "taken");
    }
}

#[test]
fn a_body_that_has_begun_to_pass_cannot_be_sent_again() {
    let upstream = Frames::serve(&[], |peer| {
        loop {
            let stream = peer.request()?;
            peer.wait_for(crate::frames::DATA)?;
            peer.reset(stream, REFUSED)?;
        }
    });
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    let head = request("POST", "/a").key(&key).header("Content-Length", "100000");
    connection.write(&[head.head(), vec![b'x'; 50_000]].concat());
    let answer = connection.answer_to("POST");
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    gateway.limits(&key).assert_charged_since(&before, 0, "errors are free");
}

#[test]
fn streams_after_the_last_one_of_a_goaway_are_sent_on_another_connection() {
    // The first connection takes one of four requests; for the others, GOAWAY says that they were not processed.
    let upstream = Frames::serve(&[], |peer| {
        if peer.number > 0 {
            loop {
                let stream = peer.request()?;
                peer.answer(stream, b"second")?;
            }
        }
        let first = peer.request()?;
        for _ in 0..3 {
            peer.request()?;
        }
        peer.go_away(first, 0)?;
        peer.answer(first, b"first")?;
        peer.next().map(|_| ())
    });
    let gateway = Gateway::start(&config(&upstream.url()).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (mut connection, asked) = (gateway.connect(), post("/a", "{}").key(&key));
            std::thread::spawn(move || connection.send(&asked).text())
        })
        .collect();
    let mut bodies: Vec<String> = asking.into_iter().map(|one| one.join().unwrap()).collect();
    bodies.sort();
    assert_eq!(bodies, ["first", "second", "second", "second"]);
    assert_eq!(upstream.connections(), 2);
    gateway.limits(&key).assert_charged_since(&before, 4, "four answers");
}

#[test]
fn connections_that_are_all_given_up_at_once_end_in_an_error() {
    let upstream = Frames::serve(&[], |peer| {
        peer.request()?;
        peer.go_away(0, 0)
    });
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    let answer = gateway.send(&post("/a", "{}").key(&key));
    assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    assert_eq!(upstream.connections(), 4, "the request is sent four times at most");
}

#[test]
fn an_upstream_that_ends_each_connection_with_its_greeting_cannot_be_reached() {
    let upstream = Frames::serve(&[], |peer| peer.go_away(0, 0));
    let gateway = Gateway::start(&config(&upstream.url()));
    let key = gateway.key();
    let answer = gateway.send(&get("/a").key(&key));
    // Whether the request was in flight by then is chance.
    if answer.status == 500 {
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    } else {
        assert_error(&gateway, &answer, 503, "UNAVAILABLE");
    }
    assert!(upstream.connections() <= 12, "{} connections", upstream.connections());
}

#[test]
fn no_request_is_lost_while_connections_end_in_order_under_load() {
    let server = Server::scripted(|mut asked| async move {
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (body, _) = asked.body().await;
        asked.answer(200, &[], &body);
    });
    let gateway = gateway(&server);
    let key = gateway.key();
    let before = gateway.limits(&key);
    let asking: Vec<_> = (0..8)
        .map(|client| {
            let (mut connection, key) = (gateway.connect(), key.clone());
            std::thread::spawn(move || {
                for number in 0..100 {
                    // Each thirtieth request ends its connection.
                    let path = if (client + number) % 30 == 0 { "/goodbye" } else { "/a" };
                    let body = format!("{{\"a\":{number}}}");
                    let answer = connection.send(&post(path, &body).key(&key));
                    assert_eq!((answer.status, answer.text()), (200, body));
                }
            })
        })
        .collect();
    asking.into_iter().for_each(|one| one.join().unwrap());
    gateway.limits(&key).assert_charged_since(&before, 800, "each request once");
    assert_eq!(server.count(), 800, "none was processed twice");
    assert!(server.connections() > 5, "{} connections", server.connections());
}

#[test]
fn a_get_whose_connection_is_cut_is_sent_again_and_a_post_is_not() {
    let upstream = Frames::serve(&[], |peer| {
        loop {
            let asked = peer.wait_for(HEADERS)?;
            // The second request of the first connection is never answered.
            if peer.number == 0 && asked.stream > 1 {
                return None;
            }
            peer.answer(asked.stream, b"answered")?;
        }
    });
    let one = "address = \"127.0.0.1:0\"\nthreads = 1";
    let gateway = Gateway::start(&config(&upstream.url()).listen(one));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "answered");
    assert_eq!(upstream.connections(), 2);

    let gateway = {
        let upstream = Frames::serve(&[], |peer| {
            let stream = peer.request()?;
            peer.answer(stream, b"answered")?;
            peer.request().map(|_| ())
        });
        (Gateway::start(&config(&upstream.url()).listen(one)), upstream)
    };
    let key = gateway.0.key();
    assert_eq!(gateway.0.send(&get("/a").key(&key)).status, 200);
    let answer = gateway.0.send(&post("/a", "{}").key(&key));
    assert_error(&gateway.0, &answer, 500, "UNEXPECTED_ERROR");
    assert_eq!(gateway.1.connections(), 1);
}

#[test]
fn a_client_that_leaves_cancels_its_request() {
    let (sender, resets) = std::sync::mpsc::channel();
    let sender = std::sync::Mutex::new(sender);
    let upstream = Frames::serve(&[], move |peer| {
        let stream = peer.request()?;
        peer.send(HEADERS, crate::frames::END_HEADERS, stream, &[&[0x88][..], EVENTS].concat())?;
        let reset = peer.wait_for(RST_STREAM)?;
        sender.lock().unwrap().send((stream, reset)).unwrap();
        let next = peer.request()?;
        peer.answer(next, b"next")
    });
    let one = "address = \"127.0.0.1:0\"\nthreads = 1";
    let gateway = Gateway::start(&config(&upstream.url()).listen(one));
    let key = gateway.key();
    let mut connection = gateway.connect();
    connection.write(&get("/events").key(&key).bytes());
    assert_eq!(crate::support::Answer::read_head(&mut connection.wire).unwrap().status, 200);
    drop(connection);
    let (stream, reset) = resets.recv_timeout(crate::support::wire::PATIENCE).unwrap();
    assert_eq!((reset.stream, reset.payload.as_slice()), (stream, &8u32.to_be_bytes()[..]), "CANCEL");
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "next");
    assert_eq!(upstream.connections(), 1);
}

/// `content-type: text/event-stream`
const EVENTS: &[u8] = b"\x0f\x10\x11text/event-stream";

#[test]
fn a_request_that_may_change_something_is_not_sent_to_a_second_address_once_it_was_taken() {
    for (asked, sent) in [
        (get("/a"), 2),
        (request("POST", "/a"), 1),
        (request("DELETE", "/a"), 1),
        (request("PUT", "/a").header("Content-Length", "0"), 1),
        (post("/a", "{}"), 1),
    ] {
        // Each reads the request and closes without a response.
        let taken = Arc::new(AtomicUsize::new(0));
        let mute = || {
            let count = Arc::clone(&taken);
            Frames::serve(&[], move |peer| {
                peer.request()?;
                count.fetch_add(1, Ordering::SeqCst);
                None
            })
        };
        let (first, second) = (mute(), mute());
        let addresses = Config::of_addresses(&[(first.url(), 1), (second.url(), 1)]);
        let gateway = Gateway::start(&addresses.upstream("http2 = true\nretry_budget_min_per_second = 1000"));
        let what = format!("{asked:?}");
        let answer = gateway.send(&asked.key(&gateway.key()));
        assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        assert_eq!(taken.load(Ordering::SeqCst), sent, "{what}");
    }
}
