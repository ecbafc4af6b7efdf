//! Operating connections of HTTP/2: bounds on connections and requests, and configurations that change under them.

use crate::{
    peer::{END_HEADERS, END_STREAM, Frame, GOAWAY, HEADERS, NO_ERROR, PREFACE, Peer, request},
    support::{
        Answer, Config, Gate, Gateway, Key, Upstream, assert_error, error_of, eventually, get, sample::sample,
    },
};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

/// A gateway whose upstream answers `/slow` only once it is released.
fn place(change: impl Fn(Config) -> Config) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            wait.wait();
        }
        sample(exchange)
    });
    let gateway = Gateway::start(&change(Config::of(&upstream)));
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

impl Place {
    fn ask_slow(&self, peer: &mut Peer, stream: u32) {
        let before = self.upstream.count();
        peer.ask(stream, "GET", "/slow", &[("x-api-key", &self.key.key)]);
        eventually("it is at the upstream", || (self.upstream.count() > before).then_some(()));
    }
}

/// There is no room to ask for the page about the error.
#[track_caller]
fn assert_turned_away(answer: &Answer) {
    assert_eq!((answer.status, error_of(answer)["code"].as_str()), (503, Some("UNAVAILABLE")), "{answer:?}");
    assert!((2..=5).contains(&answer.number("retry-after")));
}

#[test]
fn the_bound_of_requests_counts_streams_and_the_connection_goes_on() {
    let place = place(|config| config.section("[overload]\nmax_requests = 4"));
    let (gateway, key) = (&place.gateway, &place.key);
    let mut peer = Peer::open(gateway.address);
    for stream in [1, 3, 5, 7] {
        place.ask_slow(&mut peer, stream);
    }
    for stream in [9, 11] {
        assert_error(gateway, &peer.get(stream, "/items/7", key), 503, "UNAVAILABLE");
    }
    // It is one bound for both protocols.
    assert_error(gateway, &gateway.send(&get("/items/7").key(key)), 503, "UNAVAILABLE");
    assert_eq!(place.upstream.count(), 4);
    place.may_answer.open();
    for stream in [1, 3, 5, 7] {
        assert_eq!(peer.answer(stream).status, 200);
    }
    let mut stream = 11;
    eventually("there is room again", || {
        stream += 2;
        (peer.get(stream, "/items/7", key).status == 200).then_some(())
    });
    assert_eq!(gateway.used(key), 5, "a refused request was not charged");
}

#[test]
fn past_the_bound_of_connections_an_http_2_client_gets_a_503_on_its_first_stream() {
    let place = place(|config| config.over_tls().section("[overload]\nmax_connections = 3"));
    let (gateway, key) = (&place.gateway, &place.key);
    let mut busy: Vec<Peer> = (0..3).map(|_| Peer::open_over_tls(gateway.address)).collect();
    for peer in &mut busy {
        place.ask_slow(peer, 1);
    }
    for _ in 0..5 {
        let mut peer = Peer::silent_over_tls(gateway.address);
        peer.write(PREFACE);
        peer.settings(&[]);
        let fields = [("x-api-key", key.key.as_str()), ("accept", "application/problem+json")];
        peer.send(HEADERS, END_STREAM | END_HEADERS, 1, &request("GET", "/items/7", &fields));
        let answer = peer.answer(1);
        assert_turned_away(&answer);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        // Then the connection ends without an error.
        while let Some(frame) = peer.next() {
            assert_ne!(frame.kind, HEADERS, "{frame:?}");
        }
    }
    place.may_answer.open();
    for peer in &mut busy {
        assert_eq!(peer.answer(1).status, 200);
    }
    drop(busy);
    eventually("there is room again", || {
        let mut peer = Peer::open_over_tls(gateway.address);
        (peer.get(1, "/items/7", key).status == 200).then_some(())
    });
    assert_eq!(gateway.used(key), 4, "rejected clients were not charged");
}

#[test]
fn idle_connections_make_room_and_end_with_a_goaway_without_error() {
    let place = place(|config| config.section("[overload]\nmax_connections = 6"));
    let (gateway, key) = (&place.gateway, &place.key);
    let mut busy = Peer::open(gateway.address);
    place.ask_slow(&mut busy, 1);
    let mut hoard: Vec<Peer> = (0..5).map(|_| Peer::open(gateway.address)).collect();
    eventually("others are served", || (gateway.send(&get("/items/7").key(key)).status == 200).then_some(()));
    let is_over = |peer: &mut Peer| {
        let farewell = |frame: Frame| (frame.kind == GOAWAY).then(|| frame.payload[4..8].to_vec());
        peer.wire.stream.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
        peer.try_next().ok().and_then(farewell)
    };
    eventually("one was ended", || {
        // Each new connection may close another one.
        let _ = gateway.send(&get("/items/7").key(key));
        hoard.iter_mut().find_map(is_over).map(|code| assert_eq!(code, NO_ERROR.to_be_bytes()))
    });
    place.may_answer.open();
    assert_eq!(busy.answer(1).status, 200, "one at work is not ended");
}

#[test]
fn another_configuration_holds_for_the_next_stream_and_not_for_one_that_runs() {
    let place = place(|config| config);
    let (gateway, key) = (&place.gateway, &place.key);
    let config = Config::of(&place.upstream);
    let reload = |config: &Config| {
        gateway.home().configure(config);
        gateway.run(&["config", "reload"])
    };
    let mut peer = Peer::open(gateway.address);
    assert_eq!(peer.get(1, "/items/7", key).status, 200);
    place.ask_slow(&mut peer, 3);
    reload(&config.clone().section("[keys]\nheaders = [\"X-Key\"]"));
    assert_error(gateway, &peer.get(5, "/items/7", key), 403, "KEY_NOT_SET");
    peer.ask(7, "GET", "/items/7", &[("x-key", &key.key)]);
    assert_eq!(peer.answer(7).status, 200);
    place.may_answer.open();
    assert_eq!(peer.answer(3).status, 200);
    // Other endpoints, and less room for a body.
    reload(&config.clone().section("[sizes]\nmax_body_size = \"1KiB\"").endpoint("GET", "/items/{id}", ""));
    assert_error(gateway, &peer.get(9, "/other", key), 404, "ENDPOINT_NOT_FOUND");
    // Without HTTP/2 no new connection may use it; existing ones continue.
    reload(&config.clone().section("[http2]\nenabled = false").endpoint("GET", "/items/{id}", ""));
    assert_eq!(peer.get(11, "/items/7", key).status, 200);
    assert_error(gateway, &gateway.send_bytes(PREFACE), 400, "REQUEST_MALFORMED");
    assert_eq!(gateway.used(key), 4);
}
