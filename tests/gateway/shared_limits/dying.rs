//! Nodes that stop, in order or killed, and come back.

use crate::{
    limit_headers::LimitHeaders,
    nodes::{A_WHILE, Nodes},
    support::{Config, Upstream, get},
};

fn start(limits: &[&str]) -> (Upstream, Nodes) {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/items/{id}", "").plan("free", limits);
    let nodes = Nodes::start(&config, &[&["--plan", "free", "--permission", "items:read"]]);
    (upstream, nodes)
}

/// Makes the key hot at a node, so that it holds more than it has spent.
fn spend(nodes: &Nodes, index: usize, count: u64) {
    let mut connection = nodes.node(index).connect();
    for _ in 0..count {
        assert_eq!(connection.send(&get("/items/7").key(&nodes.keys[0])).status, 200);
    }
}

#[test]
fn a_node_that_was_killed_comes_back_and_gives_back_what_it_did_not_spend() {
    for limit in ["300 per month", "300 in all", "300 per rolling day"] {
        let (_upstream, mut nodes) = start(&[limit]);
        spend(&nodes, 0, 60);
        nodes.kill(0);
        // Its leases are kept meanwhile.
        let used = nodes.node(1).limits(&nodes.keys[0]).all[0].used;
        assert!(used >= 60, "{limit}: {used}");
        nodes.restart(0);
        std::thread::park_timeout(A_WHILE);
        for index in 0..3 {
            assert_eq!(nodes.node(index).limits(&nodes.keys[0]).all[0].used, 60, "{limit} at {index}");
        }
        assert_eq!(nodes.exhaust(&get("/items/7").key(&nodes.keys[0]), 240), 240, "{limit}");
    }
}

#[test]
fn a_node_that_ends_in_order_leaves_all_to_the_others_at_once() {
    let (_upstream, mut nodes) = start(&["300 per month", "1 per hour, burst 300"]);
    spend(&nodes, 0, 60);
    nodes.stop(0);
    let answer = nodes.send(1, &get("/items/7").key(&nodes.keys[0]));
    let remain: Vec<_> = LimitHeaders::of(&answer).members.iter().map(|member| member.remaining).collect();
    assert_eq!(remain, [239, 239]);
    nodes.restart(0);
    let used = nodes.node(0).limits(&nodes.keys[0]).all[0].used;
    assert_eq!(used, 61);
}
