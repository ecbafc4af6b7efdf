//! What was used counts wherever the store goes, exactly once.

use crate::{
    limit_headers::LimitHeaders,
    server::Server,
    support::{Answer, Config, Gateway, Key, Request, Upstream, eventually, gateway::Home, get},
    valkey_server::{self, Program},
};
use std::sync::Arc;

/// Ten units each.
const KINDS: [&str; 5] = [
    "10 per month",
    "10 per day in Asia/Kolkata",
    "10 per rolling day",
    "10 in all",
    // So slow that nothing flows in while the test runs.
    "1 per hour, burst 10",
];
const PERMISSION: &str = "items:read";

/// A plan for each kind, one with a limit that nobody reaches, and a limit for each address.
fn config(upstream: &Upstream) -> Config {
    let config = Config::of(upstream)
        .endpoint("GET", "/items/{id}", "")
        .endpoint("GET", "/status/{status}", "")
        .endpoint("GET", "/bytes/{count}", "public = true")
        .section("[address]\nlimits = [\"10 per day\"]");
    let plans = KINDS.iter().enumerate();
    plans.fold(config, |config, (at, limit)| config.plan(&format!("plan{at}"), &[limit]))
}

/// A key of each plan, and one with a limit of its own.
fn keys(home: &Home) -> Vec<Key> {
    let of = |plan: &str, more: &[&str]| {
        home.create_key(&[&["--plan", plan, "--permission", PERMISSION], more].concat())
    };
    let mut keys: Vec<Key> = (0..KINDS.len()).map(|at| of(&format!("plan{at}"), &[])).collect();
    keys.push(of("free", &["--limit", "10 per month", "--name", "own"]));
    keys
}

fn ask(gateway: &Gateway, key: &Key) -> Answer {
    decided(gateway, &get("/items/7").key(key))
}

fn by_address(gateway: &Gateway) -> Answer {
    decided(gateway, &get("/bytes/10"))
}

/// On a busy machine the ledger may answer too late for a request, which is free then.
fn decided(gateway: &Gateway, request: &Request) -> Answer {
    eventually("the ledger decides", || {
        let answer = gateway.send(request);
        (answer.status != 503).then_some(answer)
    })
}

/// What is left of the tightest limit.
#[track_caller]
fn left(answer: &Answer) -> u64 {
    LimitHeaders::of(answer).remaining
}

/// Uses so many units of each key, and of the address.
fn spend(gateway: &Gateway, keys: &[Key], units: u64) {
    for _ in 0..units {
        assert!(keys.iter().all(|key| ask(gateway, key).status == 200));
        assert_eq!(by_address(gateway).status, 200);
    }
}

/// Each key, and the address, has so many units left and not one more, whichever of the gateways is asked.
#[track_caller]
fn exactly(gateways: &[Gateway], keys: &[Key], units: u64) {
    let each = keys.iter().map(Some).chain([None]);
    for key in each {
        let send = |turn: u64| {
            let gateway = &gateways[turn as usize % gateways.len()];
            key.map_or_else(|| by_address(gateway), |key| ask(gateway, key))
        };
        for turn in 0..units {
            // What a gateway got too late for its request comes back to the others after a while.
            let answer = eventually("units are there", || {
                let answer = send(turn);
                (answer.status == 200 || gateways.len() == 1).then_some(answer)
            });
            assert_eq!(answer.status, 200, "{turn} of {units}: {answer:?}");
            let right = units - turn - 1;
            let left = left(&answer);
            assert!(left == right || gateways.len() > 1 && left < right, "{left} for {right}: {answer:?}");
        }
        for turn in 0..2 * gateways.len() as u64 {
            let answer = send(turn);
            assert_eq!(answer.status, 429, "{answer:?}");
        }
    }
}

/// The table of a node. Without a ledger of its own the records are the ledger, too.
fn node(config: &Config, server: &Server, ledger: Option<&valkey_server::Server>, name: &str) -> Config {
    let ledger = ledger.map_or_else(String::new, |ledger| format!("ledger = \"{}\"\n", ledger.url()));
    config.clone().section(&format!("[cluster]\nrecords = \"{}\"\nnode = \"{name}\"\n{ledger}", server.url()))
}

fn copy_secret(from: &Home, to: &Home) {
    std::fs::copy(from.path("cluster.secret"), to.path("cluster.secret")).unwrap();
}

/// Into a cluster of two, the node that did not import starting first; and back into an empty store.
fn there_and_back(ledger: Option<&valkey_server::Server>) {
    let (server, upstream) = (Server::start(), Upstream::sample());
    let config = config(&upstream);
    let first = Home::new(&config);
    let keys = keys(&first);
    let revoked = first.create_key(&["--plan", "free"]);
    first.run_well(&["keys", "revoke", &revoked.id]);
    let gateway = Gateway::start_in(&first);
    spend(&gateway, &keys, 3);
    gateway.send(&get("/status/500").key(&keys[5]));
    gateway.stop();
    let said = first.run_well(&["store", "export", "first.export"]);
    assert!(said.starts_with("Exported 7 keys, 0 maintenance windows, 1 incident, usage of"), "{said}");

    // The folder of the store becomes that of the node.
    first.configure(&node(&config, &server, ledger, "a"));
    let said = first.run_well(&["cluster", "init"]);
    assert!(said.contains("It is that of the store"), "{said}");
    let said = first.run_well(&["store", "import", "first.export"]);
    assert!(said.starts_with("Imported 7 keys"), "{said}");
    let second = Home::new(&node(&config, &server, ledger, "b"));
    copy_secret(&first, &second);
    // A second time, and from another node: nothing counts twice.
    for home in [&first, &second] {
        std::fs::copy(first.path("first.export"), home.path("again.export")).unwrap();
        let refused = home.run(&["store", "import", "again.export"]);
        assert!(refused.code == Some(1) && refused.err.contains("--merge"), "{refused:?}");
        home.run_well(&["store", "import", "again.export", "--merge"]);
    }
    let b = Gateway::start_in(&second);
    assert_eq!(left(&ask(&b, &keys[0])), 6, "before the node that imported it has started");
    let a = Gateway::start_in(&first);
    assert_eq!(ask(&a, &revoked).status, 403);
    assert!(a.run(&["incidents", "list", "--json"]).contains("\"count\""));
    for key in &keys[1..] {
        assert_eq!(left(&ask(&a, key)), 6);
    }
    assert_eq!(left(&by_address(&a)), 6);
    let running = a.home().run(&["store", "import", "again.export", "--merge"]);
    assert!(running.code == Some(1) && running.err.contains("runs (process"), "{running:?}");
    spend(&b, &keys, 1);
    a.stop();
    b.stop();

    let said = second.run_well(&["store", "export", "cluster.export"]);
    assert!(said.starts_with("Exported 7 keys"), "{said}");
    let alone = Home::new(&config);
    std::fs::copy(second.path("cluster.export"), alone.path("cluster.export")).unwrap();
    let said = alone.run_well(&["store", "import", "cluster.export"]);
    assert!(said.contains("The secret of the keys is in"), "{said}");
    let gateway = Gateway::start_in(&alone);
    assert_eq!(ask(&gateway, &revoked).status, 403);
    exactly(&[gateway], &keys, 5);

    // The cluster has not changed by it.
    let gateways = [Gateway::start_in(&first), Gateway::start_in(&second)];
    exactly(&gateways, &keys, 5);
}

#[test]
fn what_was_used_of_each_limit_counts_in_a_cluster_with_valkey_and_back_in_a_store() {
    there_and_back(Some(&valkey_server::Server::start(Program::Valkey, &[])));
}

#[test]
fn what_was_used_of_each_limit_counts_in_a_cluster_with_postgresql_alone_and_back_in_a_store() {
    there_and_back(None);
}

#[test]
fn what_a_gateway_that_runs_has_counted_is_exported() {
    let upstream = Upstream::sample();
    let config = config(&upstream);
    let home = Home::new(&config);
    let keys = keys(&home);
    let gateway = Gateway::start_in(&home);
    spend(&gateway, &keys, 4);
    gateway.run(&["store", "export", "running.export"]);
    // It goes on meanwhile.
    spend(&gateway, &keys, 1);
    gateway.run(&["store", "export", "later.export"]);
    let moved = |name: &str| {
        let other = Home::new(&config);
        std::fs::copy(home.path(name), other.path(name)).unwrap();
        other.run_well(&["store", "import", name]);
        Gateway::start_in(&other)
    };
    exactly(&[moved("running.export")], &keys, 6);
    exactly(&[moved("later.export")], &keys, 5);
    exactly(&[gateway], &keys, 5);
}

#[test]
fn charges_that_only_shared_memory_has_are_exported_after_a_kill() {
    let upstream = Upstream::sample();
    let config = config(&upstream).store("flush_interval = \"60s\"");
    let home = Home::new(&config);
    let keys = keys(&home);
    let gateway = Gateway::start_in(&home);
    spend(&gateway, &keys, 4);
    gateway.kill();
    home.run_well(&["store", "export", "killed.export"]);
    let other: Arc<Home> = Home::new(&config);
    std::fs::copy(home.path("killed.export"), other.path("killed.export")).unwrap();
    other.run_well(&["store", "import", "killed.export"]);
    exactly(&[Gateway::start_in(&other)], &keys, 6);
    // To export it has changed nothing.
    exactly(&[Gateway::start_in(&home)], &keys, 6);
}
