//! Too much at once: connections, requests, work. What exceeds a bound gets a 503 and is not charged.

use super::others_are_served;
use crate::support::{
    Answer, Config, Connection, Gate, Gateway, Key, Upstream, assert_error, error_of, eventually, get, post,
    sample::sample,
};
use std::{process::Command, time::Duration};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

/// A gateway whose upstream answers `/slow` only once it is released.
fn place(overload: &str) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            wait.wait();
        }
        sample(exchange)
    });
    let gateway = Gateway::start(&Config::of(&upstream).section(&format!("[overload]\n{overload}")));
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

impl Place {
    /// Sends requests that are not answered yet.
    fn busy(&self, count: usize) -> Vec<Connection> {
        let before = self.upstream.count();
        let busy = (0..count)
            .map(|_| {
                let mut connection = self.gateway.connect();
                connection.write(&get("/slow").key(&self.key).bytes());
                connection
            })
            .collect();
        eventually("all are at the upstream", || (self.upstream.count() == before + count).then_some(()));
        busy
    }
}

/// As [`assert_error`], without the page about the error: there is no room to request it.
#[track_caller]
fn assert_turned_away(answer: &Answer) {
    assert_eq!((answer.status, error_of(answer)["code"].as_str()), (503, Some("UNAVAILABLE")), "{answer:?}");
    assert!((2..=5).contains(&answer.number("Retry-After")));
}

#[test]
fn past_the_bound_of_connections_new_ones_get_a_503_and_busy_ones_continue() {
    let place = place("max_connections = 8");
    let (gateway, key) = (&place.gateway, &place.key);
    let mut busy = place.busy(8);
    for _ in 0..20 {
        // Before a request is sent, and after.
        let mut silent = gateway.connect();
        assert_turned_away(&silent.answer());
        let answer = gateway.send(&get("/items/7").key(key));
        assert_turned_away(&answer);
        assert!(silent.is_closed());
    }
    place.may_answer.open();
    for connection in &mut busy {
        assert_eq!(connection.answer().status, 200);
    }
    drop(busy);
    eventually("there is room again", || {
        (gateway.send(&get("/items/7").key(key)).status == 200).then_some(())
    });
    assert_eq!(gateway.used(key), 9, "rejected clients were not charged");
}

#[test]
fn idle_connections_are_closed_to_make_room_for_new_ones() {
    let place = place("max_connections = 16");
    let (gateway, key) = (&place.gateway, &place.key);
    let mut idle: Vec<Connection> = (0..8).map(|_| gateway.connect()).collect();
    let mut begun: Vec<Connection> = (0..8).map(|_| gateway.connect()).collect();
    for connection in &mut begun {
        connection.write(b"GET /items/7 HTT");
    }
    eventually("others are served", || (gateway.send(&get("/items/7").key(key)).status == 200).then_some(()));
    // Each new client closes the connection that was idle longest, and no more than needed.
    let mut held: Vec<Connection> = Vec::new();
    eventually("as many as the bound allows", || {
        let mut connection = gateway.connect();
        if connection.send(&get("/items/7").key(key)).status == 200 {
            held.push(connection);
        }
        (held.len() == 12).then_some(())
    });
    let mut closed = 0;
    for connection in &mut begun {
        connection.wire.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        if let Ok(answer) = connection.try_answer_to("GET") {
            // Part of its request had arrived, so it gets a response.
            assert_turned_away(&answer);
            closed += 1;
        }
    }
    for connection in &mut idle {
        connection.wire.stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        closed += usize::from(connection.is_closed());
    }
    assert!(closed >= 8, "only {closed} made room");
}

#[test]
fn an_address_has_its_share_and_trusted_proxies_any_number() {
    let place = place("max_connections_per_address = 3");
    let (gateway, key) = (&place.gateway, &place.key);
    let mut held: Vec<Connection> = (0..3).map(|_| gateway.connect()).collect();
    for connection in &mut held {
        assert_eq!(connection.send(&get("/items/7").key(key)).status, 200);
    }
    assert_turned_away(&gateway.send(&get("/items/7").key(key)));
    held.pop();
    eventually("the slot of the closed one", || {
        (gateway.send(&get("/items/7").key(key)).status == 200).then_some(())
    });
    let proxied = Config::of(&place.upstream)
        .top("trusted_proxies = [\"127.0.0.1\"]")
        .section("[overload]\nmax_connections_per_address = 3");
    gateway.home().configure(&proxied);
    gateway.run(&["config", "reload"]);
    let mut many: Vec<Connection> = (0..6).map(|_| gateway.connect()).collect();
    for connection in &mut many {
        assert_eq!(connection.send(&get("/items/7").key(key)).status, 200);
    }
}

#[test]
fn past_the_bound_of_requests_the_next_one_is_refused_and_its_connection_goes_on() {
    let place = place("max_requests = 4");
    let (gateway, key) = (&place.gateway, &place.key);
    let mut open = gateway.connect();
    assert_eq!(open.send(&get("/items/7").key(key)).status, 200);
    let mut busy = place.busy(4);
    for _ in 0..5 {
        assert_error(gateway, &open.send(&get("/items/7").key(key)), 503, "UNAVAILABLE");
        assert_error(gateway, &open.send(&post("/items", "{}").key(key)), 503, "UNAVAILABLE");
    }
    assert_eq!(place.upstream.count(), 5, "a refused request reached the upstream");
    place.may_answer.open();
    for connection in &mut busy {
        assert_eq!(connection.answer().status, 200);
    }
    eventually("there is room again", || (open.send(&get("/items/7").key(key)).status == 200).then_some(()));
    assert_eq!(gateway.used(key), 6);
}

#[test]
fn while_a_thread_is_far_behind_new_requests_are_refused_and_afterwards_served() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .listen("address = \"127.0.0.1:0\"\nthreads = 1")
        .section("[overload]\nmax_lag = \"20ms\"");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let process = gateway.process().to_string();
    let signal =
        |name: &str| assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    let mut open = gateway.connect();
    // A thread that was stopped for a tenth of a second is behind by as much, and detects it for a twentieth.
    eventually("a request is refused", || {
        signal("-STOP");
        std::thread::park_timeout(Duration::from_millis(150));
        signal("-CONT");
        let mut answers = (0..20).map(|_| open.send(&get("/items/7").key(&key)));
        answers
            .find(|answer| answer.status == 503)
            .map(|answer| assert_error(&gateway, &answer, 503, "UNAVAILABLE"))
    });
    eventually("it has caught up", || (gateway.send(&get("/items/7").key(&key)).status == 200).then_some(()));
    others_are_served(&gateway, &key);
}
