//! The state of a gateway on the admin address: alive, ready, draining, and its load.

use crate::support::{Config, Gate, Gateway, Upstream, eventually, gateway::Home, get, sample::sample};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:0\"";

fn admin_of(gateway: &Gateway) -> SocketAddr {
    gateway.event("listening")["admin"].as_str().unwrap().parse().unwrap()
}

/// The status and the body of the response at this path. None: no response any more.
fn admin_get(admin: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(admin).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn state(home: &Home) -> (Option<i32>, Value) {
    let output = home.run(&["status", "--json"]);
    (output.code, serde_json::from_str(&output.out).unwrap_or_default())
}

#[test]
fn a_gateway_is_ready_until_it_drains_and_lives_until_it_ends() {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        if exchange.target() == "/slow" {
            wait.wait();
        }
        sample(exchange)
    });
    let mut gateway = Gateway::start(&Config::of(&upstream).section(ADMIN));
    let key = gateway.key();
    let admin = admin_of(&gateway);
    assert_eq!(admin_get(admin, "/ready"), Some((200, "{\"status\":\"ready\"}\n".into())));
    assert_eq!(admin_get(admin, "/live").unwrap().0, 200);
    assert_eq!(admin_get(admin, "/keys").unwrap().0, 404);

    let mut slow = gateway.connect();
    slow.write(&get("/slow").key(&key).bytes());
    eventually("the request is counted", || {
        let (code, status) = state(gateway.home());
        assert_eq!((code, &status["state"]), (Some(0), &Value::from("ready")));
        let threads = status["threads"].as_array().unwrap();
        let sum = |name: &str| threads.iter().map(|one| one[name].as_u64().unwrap()).sum::<u64>();
        (sum("requests") == 1 && sum("connections") == 1).then_some(())
    });
    let metrics = admin_get(admin, "/metrics").unwrap().1;
    assert!(metrics.contains("fairgate_ready 1\n"), "{metrics}");
    assert!(metrics.contains("fairgate_requests_in_flight{thread=\"1\"}"), "{metrics}");

    gateway.terminate();
    eventually("it is not ready any more", || (admin_get(admin, "/ready")?.0 == 503).then_some(()));
    assert_eq!(admin_get(admin, "/ready").unwrap().1, "{\"status\":\"draining\"}\n");
    assert_eq!(admin_get(admin, "/live").unwrap().0, 200);
    assert_eq!(state(gateway.home()).0, Some(1), "the exit code means ready");
    may_answer.open();
    assert_eq!(slow.answer().status, 200);
    assert_eq!(gateway.ended().code(), Some(0));
    assert_eq!(admin_get(admin, "/live"), None);
    let output = gateway.home().run(&["status"]);
    assert!(output.code == Some(1) && output.err.contains("no gateway runs"), "{output:?}");
}

#[test]
fn a_configuration_that_was_not_loaded_is_reported() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream);
    let gateway = Gateway::start(&config);
    gateway.home().configure(&config.clone().plan("free", &["3 per fortnight"]));
    gateway.hang_up();
    gateway.event("configuration not taken over");
    // The command reads the file, too, and would report the faults itself.
    gateway.home().configure(&config);
    let fault = state(gateway.home()).1["not_taken"].as_str().unwrap().to_owned();
    assert!(fault.contains("3 per fortnight"), "{fault}");
    gateway.run(&["config", "reload"]);
    assert_eq!(state(gateway.home()).1["not_taken"], Value::Null);
}

#[test]
fn a_gateway_that_a_full_disk_stops_is_not_ready() {
    let upstream = Upstream::sample();
    let config =
        Config::of(&upstream).store("on_disk_full = \"reject\"\nflush_interval = \"20ms\"").section(ADMIN);
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let admin = admin_of(&gateway);
    assert_eq!(admin_get(admin, "/ready").unwrap().0, 200);
    gateway.set_largest_file(Some(1));
    eventually("it is not ready any more", || {
        gateway.send(&get("/items/7").key(&key));
        (admin_get(admin, "/ready")?.0 == 503).then_some(())
    });
    assert!(admin_get(admin, "/ready").unwrap().1.contains("full disk"));
    assert_eq!(admin_get(admin, "/live").unwrap().0, 200);
    gateway.set_largest_file(None);
    eventually("it is ready again", || (admin_get(admin, "/ready")?.0 == 200).then_some(()));
}

#[test]
fn a_second_sigterm_ends_the_drain_at_once() {
    let upstream = Upstream::scripted(|exchange| exchange.stall());
    let mut gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut never = gateway.connect();
    never.write(&get("/never").key(&key).bytes());
    eventually("it is at the upstream", || (upstream.count() == 1).then_some(()));
    gateway.terminate();
    eventually("it drains", || gateway.has_event("draining").then_some(()));
    assert!(gateway.is_running());
    let begun = std::time::Instant::now();
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(1));
    assert!(begun.elapsed().as_secs() < 5, "it took {:?}", begun.elapsed());
    // It was not a success, so it is free; and nothing in the store blocks the next start.
    let home = std::sync::Arc::clone(gateway.home());
    drop(gateway);
    assert_eq!(Gateway::start_in(&home).used(&key), 0);
}

#[test]
fn the_status_gives_its_times_in_the_form_of_rfc_3339() {
    let before = jiff::Timestamp::now().as_second();
    let gateway = Gateway::start(&Config::of(&Upstream::sample()));
    let status = state(gateway.home()).1;
    let after = jiff::Timestamp::now().as_second();
    for name in ["since", "configured"] {
        let text = status[name].as_str().unwrap_or_else(|| panic!("{name} is not a string in {status}"));
        assert!(text.len() == "2026-11-30T09:00:00Z".len() && text.ends_with('Z'), "{name}: {text}");
        let time: jiff::Timestamp = text.parse().unwrap();
        assert!((before..=after).contains(&time.as_second()), "{name}: {text}");
    }
}
