//! Several gateways on one PostgreSQL: what is changed at one holds at all, and none needs the server to serve.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    missing_docs,
    unreachable_pub,
    reason = "a test reports what it finds by panicking"
)]

#[path = "../../servers/postgres.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of it")]
mod server;
mod status;
#[path = "../support/mod.rs"]
mod support;
#[path = "../../servers/valkey.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of it")]
mod valkey_server;

use serde_json::Value;
use server::Server;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use support::{Config, Gateway, Key, Upstream, eventually, gateway::Home, get};

/// A revoked key is refused everywhere within this time.
const PROMISED: Duration = Duration::from_secs(1);

struct Cluster {
    server: Server,
    _upstream: Upstream,
    homes: Vec<Arc<Home>>,
}

impl Cluster {
    /// Homes of nodes `a`, `b` and so on, with the tables made and the secret copied.
    fn new(nodes: &[&str]) -> Self {
        let (server, upstream) = (Server::start(), Upstream::sample());
        let homes: Vec<Arc<Home>> = nodes.iter().map(|node| home(&upstream, &server.url(), node)).collect();
        homes[0].run_well(&["cluster", "init"]);
        let secret = homes[0].path("cluster.secret");
        for home in &homes[1..] {
            std::fs::copy(&secret, home.path("cluster.secret")).unwrap();
        }
        Self { server, _upstream: upstream, homes }
    }

    fn start(&self) -> Vec<Gateway> {
        self.homes.iter().map(Gateway::start_in).collect()
    }
}

fn home(upstream: &Upstream, url: &str, node: &str) -> Arc<Home> {
    // The records are the ledger as well: without it each node goes on with its share.
    let table = format!("[cluster]\nrecords = \"{url}\"\nnode = \"{node}\"\nunreachable = \"go_on\"\n");
    Home::new(&Config::of(upstream).section(&table))
}

fn status(gateway: &Gateway, key: &Key) -> u16 {
    gateway.send(&get("/bytes/10").key(key)).status
}

/// How long it takes until all answer so.
#[track_caller]
fn until(gateways: &[Gateway], key: &Key, expected: u16) -> Duration {
    let begun = Instant::now();
    for gateway in gateways {
        eventually("the change has arrived", || (status(gateway, key) == expected).then_some(()));
    }
    begun.elapsed()
}

#[test]
fn what_is_changed_at_one_gateway_holds_at_all_within_a_second() {
    let cluster = Cluster::new(&["a", "b", "c"]);
    let gateways = cluster.start();
    let key = gateways[0].key();
    assert_eq!(status(&gateways[0], &key), 200, "who made it lets it in at once");
    assert!(until(&gateways, &key, 200) < PROMISED);
    for round in 0..3 {
        let key = gateways[round].key();
        until(&gateways, &key, 200);
        gateways[(round + 1) % 3].run(&["keys", "revoke", &key.id]);
        let took = until(&gateways, &key, 403);
        assert!(took < PROMISED, "{took:?}");
        println!("a revoked key was refused everywhere after {took:?}");
    }
    gateways[2].run(&["maintenance", "on", "--message", "We move."]);
    assert!(until(&gateways, &key, 503) < PROMISED);
    gateways[0].run(&["maintenance", "off"]);
    assert!(until(&gateways, &key, 200) < PROMISED);
    let report: Value = serde_json::from_str(&gateways[1].run(&["cluster", "status", "--json"])).unwrap();
    let members: Vec<(&str, u64, &str)> = report["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (one["node"].as_str().unwrap(), one["number"].as_u64().unwrap(), one["state"].as_str().unwrap())
        })
        .collect();
    assert_eq!(members, [("a", 1, "up"), ("b", 2, "up"), ("c", 3, "up")]);
    assert_eq!((&report["records"]["state"], &report["this_node"]["node"]), (&"reached".into(), &"b".into()));
    let text = gateways[1].run(&["cluster", "status"]);
    assert!(text.contains("NODE") && !text.contains("horse"), "{text}");
}

#[test]
fn a_gateway_starts_serves_and_heals_without_its_server() {
    let mut cluster = Cluster::new(&["a", "b"]);
    let mut gateways = cluster.start();
    let key = gateways[0].key();
    until(&gateways, &key, 200);
    let copied = |gateway: &Gateway| {
        let report: Value =
            serde_json::from_str(&gateway.home().run(&["cluster", "status", "--json"]).out).unwrap();
        report["this_node"]["copied_at"].is_string().then_some(())
    };
    // The copy follows each second; it must have the key.
    for gateway in &gateways {
        eventually("a copy was made", || copied(gateway));
    }
    std::thread::park_timeout(Duration::from_millis(2500));
    cluster.server.kill();
    eventually("it is logged", || gateways[0].log().contains("out of reach").then_some(()));
    assert_eq!(status(&gateways[0], &key), 200, "what it knows it lets in");
    let output = cluster.homes[0].run(&["keys", "create", "--plan", "free"]);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.err.contains("out of reach, and nothing was changed"), "{output:?}");
    let output = cluster.homes[0].run(&["cluster", "status"]);
    assert!(
        output.code == Some(1)
            && output.out.contains("out of reach")
            && output.out.contains("Its copy of them"),
        "{output:?}"
    );
    // It starts with its copy.
    let gateway = gateways.remove(0);
    drop(gateway);
    let again = Gateway::start_in(&cluster.homes[0]);
    assert!(again.log().contains("copy_age_seconds"), "{}", again.log());
    // It knows the key, and how many shared its limit when that was heard of last: it grants its share.
    assert_eq!(again.event("the ledger has not answered yet")["members"], 2);
    assert_eq!(status(&again, &key), 200);
    cluster.server.run();
    eventually("it is in reach again", || again.log().contains("in reach again").then_some(()));
    let other = eventually("keys can be made", || {
        let output = cluster.homes[0].run(&[
            "keys",
            "create",
            "--plan",
            "free",
            "--permission",
            "items:read",
            "--json",
        ]);
        (output.code == Some(0)).then(|| serde_json::from_str::<Value>(&output.out).unwrap())
    });
    let text = |name: &str| other[name].as_str().unwrap().to_owned();
    let other = Key { key: text("key"), id: text("id") };
    gateways.push(again);
    until(&gateways, &other, 200);
}

#[test]
fn who_does_not_fit_does_not_start() {
    let mut cluster = Cluster::new(&["a", "a", "c"]);
    let first = Gateway::start_in(&cluster.homes[0]);
    let refused = |home: &Arc<Home>| Gateway::try_start_in(home).expect_err("it must not start");
    let log = refused(&cluster.homes[1]);
    assert!(log.contains("another node of the cluster is called `a`"), "{log}");
    std::fs::write(cluster.homes[2].path("cluster.secret"), "a".repeat(64)).unwrap();
    let log = refused(&cluster.homes[2]);
    assert!(log.contains("is not the one that the records"), "{log}");
    std::fs::remove_file(cluster.homes[2].path("cluster.secret")).unwrap();
    let log = refused(&cluster.homes[2]);
    assert!(log.contains("fairgate cluster init"), "{log}");
    // A node that is there is no other's to remove.
    let output = cluster.homes[1].run(&["cluster", "remove", "a"]);
    assert!(output.code == Some(1) && output.err.contains("runs already"), "{output:?}");
    drop(first);
    std::fs::copy(cluster.homes[0].path("cluster.secret"), cluster.homes[2].path("cluster.secret")).unwrap();
    cluster.server.kill();
    let log = refused(&cluster.homes[2]);
    assert!(log.contains("cannot start without PostgreSQL"), "{log}");
}

#[test]
fn commands_work_without_a_gateway() {
    let cluster = Cluster::new(&["a", "b"]);
    let key = cluster.homes[0].create_key(&["--plan", "free", "--permission", "items:read"]);
    let list = cluster.homes[1].run_well(&["keys", "list"]);
    assert!(list.contains(&key.id), "{list}");
    let gateways = cluster.start();
    assert!(gateways.iter().all(|gateway| status(gateway, &key) == 200));
}
