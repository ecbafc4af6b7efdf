//! Kept connections: closed by the peer, polluted, and never the cause of an error.

use crate::support::{
    Config, Exchange, Gate, Gateway, Next, Upstream, assert_error, get, post, sample::sample,
};

#[test]
fn a_kept_connection_that_was_closed_is_replaced_by_a_fresh_one() {
    // Closes after each response without `Connection: close`, in a race with the next request.
    let upstream = Upstream::scripted(|exchange| {
        sample(exchange);
        Next::Close
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for n in 0..200 {
        let answer = connection.send(&get("/items/7").key(&key));
        assert_eq!(answer.status, 200, "request {n}: {}", answer.text());
    }
    assert_eq!(upstream.count(), 200, "a request was seen twice");
}

#[test]
fn a_request_that_must_not_be_repeated_is_seen_at_most_once_in_that_race() {
    let upstream = Upstream::scripted(|exchange| {
        sample(exchange);
        Next::Close
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    let mut succeeded = 0;
    for n in 0..200 {
        let answer = connection.send(&post(&format!("/pay/{n}"), "{\"n\":1}").key(&key));
        if answer.status == 200 {
            succeeded += 1;
        } else {
            // It is unknown whether a request on a closing connection was processed.
            assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
        }
        assert!(upstream.count_of(&format!("/pay/{n}")) <= 1, "request {n} was carried out twice");
    }
    assert!(succeeded >= 100, "only {succeeded} of 200 went to a fresh connection");
    gateway.limits(&key).assert_charged_since(&before, succeeded, "the requests that succeeded");
}

#[test]
fn a_connection_that_is_known_to_be_closed_is_not_used_even_for_a_post() {
    let closed = Gate::default();
    let signal = closed.clone();
    let upstream = Upstream::scripted(move |exchange| {
        let next = sample(exchange);
        if exchange.seen.connection == 0 {
            exchange.wire.stream.shutdown(std::net::Shutdown::Both).unwrap();
            signal.open();
        }
        next
    });
    let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    assert!(closed.wait());
    let answer = connection.send(&post("/pay", "{}").key(&key));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(upstream.count_of("/pay"), 1);
}

/// Leaves the second request on a connection unread, and closes: the gateway sees a reset.
fn closes_under_the_second_request(exchange: &mut Exchange<'_>) -> Next {
    let next = sample(exchange);
    if exchange.seen.connection == 0 {
        let _ = exchange.wire.wait_unread();
        return Next::Close;
    }
    next
}

#[test]
fn a_kept_connection_that_closes_under_the_next_request_is_tried_once_more_on_a_fresh_one() {
    let upstream = Upstream::scripted(closes_under_the_second_request);
    let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let mut connection = gateway.connect();
    for n in 0..3 {
        let answer = connection.send(&get(&format!("/items/{n}")).key(&key));
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(upstream.count(), 3, "{:?}", upstream.seen());
    gateway.limits(&key).assert_charged_since(&before, 3, "three requests, one of them tried twice");
}

#[test]
fn a_request_is_not_sent_again_after_an_interim_response() {
    let upstream = Upstream::scripted(|exchange| {
        if exchange.earlier == 0 {
            return sample(exchange);
        }
        exchange.send_raw(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n", Next::Close)
    });
    let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    let answer = connection.send(&get("/once").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert_eq!(answer.interim.len(), 1, "{answer:?}");
    assert_eq!(upstream.count_of("/once"), 1);
}

#[test]
fn a_request_that_the_upstream_took_is_never_sent_twice() {
    // Reads the second request to its end, then closes without a response.
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        if exchange.earlier == 0 { sample(exchange) } else { Next::Close }
    });
    let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let mut connection = gateway.connect();
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    let answer = connection.send(&post("/pay", "{\"amount\":5}").key(&key));
    let paid = upstream.seen().iter().filter(|seen| seen.target == "/pay").count();
    assert_eq!(paid, 1, "the request was carried out {paid} times");
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
}

#[test]
fn a_fresh_connection_that_fails_is_not_tried_again() {
    let upstream = Upstream::scripted(|exchange| {
        exchange.read_body();
        Next::Close
    });
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    for request in [get("/a"), post("/a", "{}")] {
        let seen = upstream.count();
        assert_error(&gateway, &gateway.send(&request.key(&key)), 500, "UNEXPECTED_ERROR");
        assert_eq!(upstream.count(), seen + 1);
    }
}

#[test]
fn unsolicited_bytes_on_an_idle_connection_are_not_a_response() {
    // Right after a response, and a moment later while the connection is idle in the pool.
    for late in [false, true] {
        let (gate, sent) = (Gate::default(), Gate::default());
        let (opened, written) = (gate.clone(), sent.clone());
        let upstream = Upstream::scripted(move |exchange| {
            let next = sample(exchange);
            if exchange.seen.connection == 0 && exchange.earlier == 0 {
                if late {
                    opened.wait();
                }
                exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison");
                written.open();
            }
            next
        });
        let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
        let key = gateway.key();
        let mut connection = gateway.connect();
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
        gate.open();
        assert!(sent.wait());
        for n in 0..3 {
            let answer = connection.send(&get(&format!("/items/{n}")).key(&key));
            assert_eq!(answer.status, 200, "late {late}, request {n}");
            assert!(!answer.text().contains("poison"), "late {late}: {}", answer.text());
        }
    }
}

#[test]
fn a_client_that_hangs_up_does_not_leave_its_answer_to_the_next_one() {
    let (asked, hung_up) = (Gate::default(), Gate::default());
    let (arrived, wait) = (asked.clone(), hung_up.clone());
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            arrived.open();
            wait.wait();
            return exchange.answer(200, &[], b"meant for somebody else");
        }
        sample(exchange)
    });
    let gateway = Gateway::start(&Config::of(&upstream).listen("address = \"127.0.0.1:0\"\nthreads = 1"));
    let key = gateway.key();
    let mut connection = gateway.connect();
    connection.write(&get("/slow").key(&key).bytes());
    assert!(asked.wait());
    drop(connection);
    hung_up.open();
    for _ in 0..5 {
        let answer = gateway.send(&get("/items/7").key(&key));
        assert!(answer.status == 200 && !answer.text().contains("somebody else"), "{}", answer.text());
    }
}
