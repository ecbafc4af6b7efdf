//! Concurrent requests: so many in flight, one more is denied, and a slot is free as soon as one ends,
//! however it ends.

use crate::{
    limit_headers::LimitHeaders,
    support::{
        Answer, Config, Connection, Gate, Gateway, Key, Next, Upstream, assert_error, eventually, get,
        sample::sample,
    },
};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    /// Lets `/stream/...` end.
    may_end: Gate,
}

fn place(limits: &[&str]) -> Place {
    let may_end = Gate::default();
    let wait = may_end.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        match exchange.target() {
            "/stream/whole" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
                wait.wait();
                exchange.write(b"4\r\nlast\r\n0\r\n\r\n");
                Next::Keep
            }
            "/stream/broken" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
                wait.wait();
                Next::Close
            }
            "/stream/endless" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
                while exchange.write(b"1\r\nx\r\n") {
                    std::thread::park_timeout(std::time::Duration::from_millis(5));
                }
                Next::Close
            }
            "/stream/error" => {
                wait.wait();
                exchange.json(404, "{}")
            }
            _ => sample(exchange),
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", limits));
    let key = gateway.key();
    Place { upstream, gateway, key, may_end }
}

impl Place {
    /// Begins requests, and waits until all of them are at the upstream.
    fn begin(&self, targets: &[&str]) -> Vec<Connection> {
        let before = self.upstream.count();
        let begin = |target: &&str| {
            let mut connection = self.gateway.connect();
            connection.write(&get(target).key(&self.key).bytes());
            connection
        };
        let connections = targets.iter().map(begin).collect();
        eventually("all are in flight", || (self.upstream.count() == before + targets.len()).then_some(()));
        connections
    }

    fn in_flight(&self) -> u64 {
        self.gateway.limits(&self.key).of("3 at once").used
    }

    #[track_caller]
    fn assert_full(&self) {
        let answer = self.gateway.send(&get("/items/7").key(&self.key));
        assert_error(&self.gateway, &answer, 429, "RATE_EXCEEDED");
        let headers = LimitHeaders::of(&answer);
        assert_eq!((headers.limit, headers.remaining), (3, 0));
        assert_eq!(headers.member("at-once").window, None);
        assert_eq!(answer.number("Retry-After"), headers.reset.unwrap());
        assert!(answer.text().contains("3 at once"), "{}", answer.text());
        assert!(answer.headers.all("RateLimit-Policy").join(",").contains("qu=\"concurrent-requests\""));
    }

    #[track_caller]
    fn assert_places(&self, free: usize) {
        eventually("slots are free again", || (self.in_flight() == 3 - free as u64).then_some(()));
        let streams = self.begin(&vec!["/stream/endless"; free]);
        self.assert_full();
        drop(streams);
    }
}

#[test]
fn one_more_than_allowed_is_denied_until_one_ends() {
    let place = place(&["3 at once"]);
    let mut streams = place.begin(&["/stream/whole", "/stream/whole"]);
    // The headers while others run count the request itself.
    let headers = LimitHeaders::of(&place.gateway.send(&get("/items/7").key(&place.key)));
    assert_eq!((headers.status, headers.limit, headers.remaining), (200, 3, 0));
    streams.extend(place.begin(&["/stream/whole"]));
    place.assert_full();
    place.assert_full();
    assert_eq!(place.in_flight(), 3);
    place.may_end.open();
    for stream in &mut streams {
        let answer = stream.answer();
        assert_eq!((answer.status, answer.text().as_str(), answer.cut), (200, "firstlast", None));
    }
    eventually("none is in flight", || (place.in_flight() == 0).then_some(()));
    assert_eq!(place.gateway.send(&get("/items/7").key(&place.key)).status, 200);
}

#[test]
fn an_error_a_broken_answer_and_a_hang_up_each_free_a_place() {
    for target in ["/stream/error", "/stream/broken"] {
        let place = place(&["3 at once"]);
        let mut streams = place.begin(&[target, target, target]);
        place.assert_full();
        place.may_end.open();
        for stream in &mut streams {
            let answer = stream.answer();
            assert!(answer.status == 404 || answer.cut.is_some(), "{answer:?}");
        }
        place.assert_places(3);
    }
    let place = place(&["3 at once"]);
    let mut endless = place.begin(&["/stream/endless", "/stream/endless"]);
    let _other = place.begin(&["/stream/whole"]);
    place.assert_full();
    for stream in &mut endless {
        assert_eq!(Answer::read_head(&mut stream.wire).unwrap().status, 200);
    }
    endless.pop();
    place.assert_places(1);
    drop(endless);
    place.assert_places(2);
}

#[test]
fn a_place_is_free_again_whatever_the_request_costs_and_other_limits_stay_as_they_are() {
    let place = place(&["3 at once", "100 per day"]);
    let _streams = place.begin(&["/stream/whole", "/stream/whole", "/stream/whole"]);
    let before = place.gateway.limits(&place.key);
    for _ in 0..5 {
        place.assert_full();
    }
    let after = place.gateway.limits(&place.key);
    assert_eq!((before.of("100 per day").used, after.of("100 per day").used), (3, 3));
    place.may_end.open();
    eventually("none is in flight", || (place.in_flight() == 0).then_some(()));
    assert_eq!(place.gateway.limits(&place.key).of("100 per day").used, 3);
}

#[test]
fn a_client_that_waits_for_the_end_of_each_response_is_never_denied() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream).plan("free", &["1 at once"]));
    let key = gateway.key();
    let mut connection = gateway.connect();
    for n in 0..300 {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200, "request {n}");
    }
}
