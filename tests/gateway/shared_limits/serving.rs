//! `fairgate serve` as an operator starts it: records in PostgreSQL, the ledger in Valkey.

use crate::{
    nodes::A_WHILE,
    server::Server,
    support::{Config, Gateway, Key, Upstream, eventually, gateway::Home, get},
    valkey_server::{self, Program},
};
use std::sync::Arc;

const LIMITS: [&str; 3] = ["40 per month", "1 per hour, burst 40", "40 in all"];

/// Successes of a key at all gateways in turn, until it is denied several times in a row, a while apart.
fn exhaust(gateways: &[Gateway], key: &Key) -> u64 {
    let (mut succeeded, mut denied) = (0, 0);
    for turn in 0.. {
        let answer = gateways[turn % gateways.len()].send(&get("/items/7").key(key));
        match answer.status {
            200 => (succeeded, denied) = (succeeded + 1, 0),
            429 => {
                denied += 1;
                std::thread::park_timeout(A_WHILE);
            }
            status => panic!("{status}: {answer:?}"),
        }
        if denied == 4 {
            break;
        }
    }
    succeeded
}

#[test]
fn gateways_of_a_cluster_share_each_limit_through_kills_and_a_reload() {
    let (records, ledger) = (Server::start(), valkey_server::Server::start(Program::Valkey, &[]));
    let upstream = Upstream::sample();
    let config = |node: &str| {
        let table = format!(
            "[cluster]\nrecords = \"{}\"\nledger = \"{}\"\nnode = \"{node}\"\n",
            records.url(),
            ledger.url()
        );
        Config::of(&upstream).plan("free", &LIMITS).section(&table)
    };
    let homes: Vec<Arc<Home>> = ["a", "b", "c"].iter().map(|node| Home::new(&config(node))).collect();
    homes[0].run_well(&["cluster", "init"]);
    for home in &homes[1..] {
        std::fs::copy(homes[0].path("cluster.secret"), home.path("cluster.secret")).unwrap();
    }
    let mut gateways: Vec<Gateway> = homes.iter().map(Gateway::start_in).collect();
    let key = gateways[0].key();
    for gateway in &gateways {
        eventually("the key has arrived", || {
            (gateway.send(&get("/_limits").key(&key)).status == 200).then_some(())
        });
    }
    for turn in 1..=9 {
        let answer = gateways[turn % 3].send(&get("/items/7").key(&key));
        assert_eq!(answer.number("X-Rate-Limit-Remaining"), 40 - turn as u64, "{answer:?}");
        std::thread::park_timeout(A_WHILE / 3);
    }
    let home = gateways.remove(1).kill();
    gateways.insert(1, Gateway::start_in(&home));
    assert_eq!(gateways[1].limits(&key).of("40 per month").used, 9);
    assert_eq!(exhaust(&gateways, &key), 31);
    let home = gateways.remove(2).stop();
    gateways.insert(2, Gateway::start_in(&home));
    assert_eq!(exhaust(&gateways, &key), 0);
}
