//! SIGTERM: running responses finish and are charged once, no new client gets in, the exit is orderly.

use crate::support::{
    Answer, Config, Connection, Gate, Gateway, Key, Next, Upstream, eventually, get, sample::sample,
};

struct Place {
    upstream: Upstream,
    gateway: Gateway,
    key: Key,
    may_answer: Gate,
}

fn place(tables: &str) -> Place {
    let may_answer = Gate::default();
    let wait = may_answer.clone();
    let upstream = Upstream::scripted(move |exchange| {
        exchange.read_body();
        match exchange.target() {
            "/slow" => {
                wait.wait();
                exchange.answer(200, &[], b"slow but whole")
            }
            "/stream" => {
                exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
                wait.wait();
                exchange.write(b"6\r\nsecond\r\n0\r\n\r\n");
                Next::Keep
            }
            "/never" => exchange.stall(),
            _ => sample(exchange),
        }
    });
    let gateway = Gateway::start(&Config::of(&upstream).section(tables));
    let key = gateway.key();
    Place { upstream, gateway, key, may_answer }
}

#[test]
fn running_answers_finish_and_are_charged_once_and_the_end_is_orderly() {
    let Place { upstream, mut gateway, key, may_answer } = place("");
    let mut slow = gateway.connect();
    slow.write(&get("/slow").key(&key).bytes());
    let mut stream = gateway.connect();
    stream.write(&get("/stream").key(&key).bytes());
    let mut head = Answer::read_head(&mut stream.wire).unwrap();
    eventually("both are at the upstream", || (upstream.count() == 2).then_some(()));
    let mut idle = gateway.connect();
    assert_eq!(idle.send(&get("/items/7").key(&key)).status, 200);

    gateway.terminate();
    let address = gateway.address;
    eventually("no new client gets in", || Connection::try_open(address).is_err().then_some(()));
    assert!(idle.is_closed(), "an idle connection holds up the end");
    assert!(gateway.is_running(), "it ended before its answers");
    may_answer.open();
    let answer = slow.answer();
    assert_eq!((answer.status, answer.text().as_str()), (200, "slow but whole"));
    head.read_body(&mut stream.wire, "GET");
    assert!(head.is_whole() && head.text() == "firstsecond", "{head:?}");
    assert!(slow.is_closed());
    assert_eq!(gateway.ended().code(), Some(0));

    let home = std::sync::Arc::clone(gateway.home());
    drop(gateway);
    let gateway = Gateway::start_in(&home);
    assert_eq!(gateway.used(&key), 3, "two running answers and one before them");
}

#[test]
fn an_answer_that_never_ends_does_not_hold_up_the_end_for_ever() {
    let Place { upstream, mut gateway, key, may_answer: _may_answer } =
        place("[timeouts]\ndrain = \"500ms\"");
    let mut never = gateway.connect();
    never.write(&get("/never").key(&key).bytes());
    eventually("it is at the upstream", || (upstream.count() == 1).then_some(()));
    gateway.terminate();
    assert!(gateway.ended().code().is_some());
    // It was not a success, so it is free.
    let home = std::sync::Arc::clone(gateway.home());
    drop(gateway);
    assert_eq!(Gateway::start_in(&home).used(&key), 0);
}

#[test]
fn a_gateway_at_rest_ends_at_once() {
    let Place { mut gateway, upstream: _upstream, .. } = place("");
    let _idle = gateway.connect();
    let start = std::time::Instant::now();
    gateway.terminate();
    assert_eq!(gateway.ended().code(), Some(0));
    assert!(start.elapsed().as_secs() < 5, "it took {:?}", start.elapsed());
}
