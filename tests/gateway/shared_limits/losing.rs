//! A ledger that cannot be reached, or has lost what it knew.

use crate::{
    nodes::{A_WHILE, Nodes},
    support::{Config, Upstream, assert_error, eventually, get},
};

fn start(limits: &[&str], goes_on: bool) -> (Upstream, Nodes) {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("GET", "/status/{status}", "")
        .plan("free", limits);
    let keys: [&[&str]; 1] = [&["--plan", "free", "--permission", "items:read"]];
    let nodes = Nodes::start_as(&config, &keys, |start| crate::node::NodeStart { goes_on, ..start });
    (upstream, nodes)
}

#[test]
fn a_ledger_that_comes_back_empty_admits_nothing_twice() {
    for limit in ["60 per month", "60 in all", "60 per rolling day"] {
        let (_upstream, mut nodes) = start(&[limit], false);
        let request = get("/items/7").key(&nodes.keys[0]);
        for turn in 0..30 {
            assert_eq!(nodes.send(turn, &request).status, 200);
        }
        nodes.ledger.kill();
        nodes.ledger.restart();
        for index in 0..3 {
            nodes.node(index).event("the ledger was replaced, and all totals are said again");
        }
        assert_eq!(nodes.exhaust(&request, 30), 30, "{limit}");
    }
}

#[test]
fn without_the_ledger_requests_that_cannot_be_decided_are_503_and_free() {
    let (_upstream, mut nodes) = start(&["60 per month"], false);
    let request = get("/items/7").key(&nodes.keys[0]);
    assert_eq!(nodes.send(0, &request).status, 200);
    std::thread::park_timeout(A_WHILE);
    nodes.ledger.kill();
    eventually("it is noticed", || {
        let answer = nodes.send(0, &request);
        (answer.status == 503).then(|| {
            assert_error(nodes.node(0), &answer, 503, "UNAVAILABLE");
            assert_eq!(answer.header("Retry-After"), Some("1"));
        })
    });
    nodes.node(0).event("the ledger cannot be reached");
    nodes.ledger.restart();
    nodes.node(0).event("the ledger answers again");
    assert_eq!(nodes.exhaust(&request, 59), 59);
}

#[test]
fn a_node_that_starts_without_the_ledger_denies_or_goes_on_with_its_share() {
    for goes_on in [false, true] {
        let (_upstream, mut nodes) = start(&["60 per month"], goes_on);
        let request = get("/items/7").key(&nodes.keys[0]);
        nodes.stop(0);
        nodes.ledger.kill();
        nodes.restart(0);
        nodes.node(0).event("the ledger has not answered yet");
        let granted = (0..30).take_while(|_| nodes.send(0, &request).status == 200).count();
        assert_eq!(granted, if goes_on { 20 } else { 0 });
        nodes.ledger.restart();
        nodes.node(0).event("the ledger answers again");
        assert_eq!(nodes.exhaust(&request, 60), 60 - granted as u64);
    }
}

#[test]
fn without_the_ledger_each_node_may_go_on_with_its_share() {
    let (_upstream, mut nodes) = start(&["60 per month"], true);
    let request = get("/items/7").key(&nodes.keys[0]);
    for index in 0..3 {
        assert_eq!(nodes.send(index, &request).status, 200);
    }
    nodes.ledger.kill();
    nodes.node(0).event("the ledger cannot be reached");
    let mut succeeded = 1;
    let denied = loop {
        let answer = nodes.send(0, &request);
        if answer.status != 200 {
            break answer;
        }
        succeeded += 1;
    };
    assert_error(nodes.node(0), &denied, 503, "UNAVAILABLE");
    assert_eq!(succeeded, 20, "a third of the limit");
    nodes.node(0).event("units were granted beyond the leases");
}
