//! A primary that another server takes over from: with Sentinels, and in a cluster. And TLS, which both may use.

use crate::{
    fleet::{Fleet, options},
    servers::{Program, Sentinel, Server, free_port},
};
use ledger::{LedgerError, connect};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::sleep;

const NODES: u32 = 3;

/// A primary, a replica and three Sentinels.
struct Watched {
    primary: Server,
    replica: Server,
    sentinels: Vec<Sentinel>,
}

impl Watched {
    async fn start() -> Self {
        let secret = ["--requirepass", "x", "--masterauth", "x", "--repl-diskless-sync-delay", "0"];
        let primary = Server::start(Program::Valkey, &secret);
        let port = primary.port.to_string();
        let replica =
            Server::start(Program::Valkey, &[&secret[..], &["--replicaof", "127.0.0.1", &port]].concat());
        until(|| replica.command(&["-a", "x", "INFO", "replication"]).contains("master_link_status:up"))
            .await;
        let sentinels: Vec<_> = (0..3).map(|_| Sentinel::start(primary.port, "x")).collect();
        let knows_all = |sentinel: &Sentinel| {
            let state = sentinel.command(&["SENTINEL", "MASTER", "ledger"]);
            state.contains("num-other-sentinels\n2") && state.contains("num-slaves\n1")
        };
        until(|| sentinels.iter().all(knows_all)).await;
        Self { primary, replica, sentinels }
    }

    fn url(&self) -> String {
        let hosts: Vec<_> = self.sentinels.iter().map(|one| format!("127.0.0.1:{}", one.port)).collect();
        format!("redis+sentinel://:x@{}/ledger", hosts.join(","))
    }
}

async fn until(is_so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(15);
    while !is_so() {
        assert!(Instant::now() < end, "it does not become so");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_replica_that_lacks_the_last_second_grants_nothing_twice() {
    let mut watched = Watched::start().await;
    let mut fleet = Fleet::start(&watched.url(), NODES, &options(NODES));
    fleet.heals().await;
    fleet.run(Duration::from_millis(300), 300).await;
    let before = fleet.engine().inspect().await.unwrap();
    assert!(
        before.warnings.iter().any(|one| one.contains("min-replicas-to-write 1")),
        "{:?}",
        before.warnings
    );
    // From here on nothing reaches the replica any more.
    watched.replica.command(&["-a", "x", "CONFIG", "SET", "masterauth", "wrong"]);
    watched.primary.command(&["-a", "x", "CLIENT", "KILL", "TYPE", "replica"]);
    let granted = fleet.seen.granted;
    fleet.run(Duration::from_secs(1), 300).await;
    assert!(fleet.seen.granted > granted + 100, "{:#?}", fleet.seen);
    watched.primary.kill();
    let replica = watched.replica.port.to_string();
    let took = fleet.heals().await;
    let after = fleet.engine().inspect().await.unwrap();
    assert!(after.server.ends_with(&replica), "{}", after.server);
    assert_ne!(after.epoch, before.epoch);
    assert!(took < Duration::from_secs(8), "{took:?}");
    fleet.exhaust().await;
}

#[tokio::test]
async fn a_primary_that_no_majority_of_sentinels_confirms_is_not_used() {
    let watched = Watched::start().await;
    let mut fleet = Fleet::start(&watched.url(), NODES, &options(NODES));
    fleet.heals().await;
    fleet.run(Duration::from_millis(300), 300).await;
    watched.sentinels[0].signal("STOP");
    fleet.run(Duration::from_millis(3_000), 100).await;
    let is_used = fleet.errors().iter().all(|error| *error == "TimedOut");
    assert!(is_used && fleet.seen.exchanged > 20, "one of three may be away: {:#?}", fleet.seen);
    watched.sentinels[1].signal("STOP");
    fleet.run(Duration::from_millis(3_000), 100).await;
    let errors = fleet.errors();
    assert!(errors.contains(&"NotPrimary") || errors.contains(&"Unreachable"), "{errors:?}");
    let exchanged = fleet.seen.exchanged;
    fleet.run(Duration::from_millis(500), 100).await;
    assert_eq!(fleet.seen.exchanged, exchanged, "the primary is there, but is not known to be it");
    watched.sentinels.iter().for_each(|one| one.signal("CONT"));
    fleet.heals().await;
    fleet.exhaust().await;
}

/// Three primaries with the third of the slots each, and a replica of the one that keeps the ledger.
struct Cluster {
    nodes: Vec<Server>,
    replica: Server,
}

impl Cluster {
    async fn start() -> Self {
        let settings = ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"];
        let start = || {
            let bus = free_port().to_string();
            Server::start(Program::Valkey, &[&settings[..], &["--cluster-port", &bus]].concat())
        };
        let nodes: Vec<_> = (0..3).map(|_| start()).collect();
        let replica = start();
        for (node, slots) in nodes.iter().zip([["0", "5460"], ["5461", "10922"], ["10923", "16383"]]) {
            assert_eq!(node.command(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]).trim(), "OK");
        }
        for (epoch, node) in nodes.iter().enumerate() {
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(epoch + 1).to_string()]);
        }
        for other in nodes.iter().skip(1).chain([&replica]) {
            let bus = other.command(&["CONFIG", "GET", "cluster-port"]);
            let bus = bus.lines().nth(1).unwrap();
            nodes[0].command(&["CLUSTER", "MEET", "127.0.0.1", &other.port.to_string(), bus]);
        }
        let all = || nodes.iter().chain([&replica]);
        until(|| all().all(|node| node.command(&["CLUSTER", "INFO"]).contains("cluster_known_nodes:4")))
            .await;
        let cluster = Self { nodes, replica };
        let keeper = cluster.keeper();
        let id = cluster.nodes[keeper].command(&["CLUSTER", "MYID"]);
        until(|| cluster.replica.command(&["CLUSTER", "REPLICATE", id.trim()]).trim() == "OK").await;
        until(|| cluster.replica.command(&["INFO", "replication"]).contains("master_link_status:up")).await;
        until(|| cluster.replica.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok")).await;
        until(|| {
            cluster.nodes.iter().all(|one| one.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok"))
        })
        .await;
        cluster
    }

    /// The number of the node that has the ledger's slot.
    fn keeper(&self) -> usize {
        let slot = self.nodes[0].command(&["CLUSTER", "KEYSLOT", "{fairgate}:ledger"]);
        usize::try_from(slot.trim().parse::<u32>().unwrap() / 5461).unwrap().min(2)
    }
}

#[tokio::test]
async fn a_cluster_fails_over_to_the_replica_of_the_ledgers_shard() {
    let mut cluster = Cluster::start().await;
    let keeper = cluster.keeper();
    // Only nodes that do not keep the ledger are named.
    let hosts: Vec<_> = (0..3).filter(|node| *node != keeper).map(|node| cluster.nodes[node].port).collect();
    let url = format!("redis+cluster://127.0.0.1:{},127.0.0.1:{}", hosts[0], hosts[1]);
    let mut fleet = Fleet::start(&url, NODES, &options(NODES));
    fleet.heals().await;
    fleet.run(Duration::from_millis(400), 300).await;
    let before = fleet.engine().inspect().await.unwrap();
    cluster.nodes[keeper].kill();
    fleet.heals().await;
    let after = fleet.engine().inspect().await.unwrap();
    assert!(after.server.ends_with(&cluster.replica.port.to_string()), "{}", after.server);
    assert_ne!(after.epoch, before.epoch);
    fleet.exhaust().await;
}

#[tokio::test]
async fn a_connection_by_tls_trusts_the_authority_that_is_named_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::write(path("cert"), key.cert.pem()).unwrap();
    fs::write(path("key"), key.signing_key.serialize_pem()).unwrap();
    let port = free_port().to_string();
    let (certificate, private) = (path("cert"), path("key"));
    let server = Server::start(
        Program::Valkey,
        &[
            "--tls-port",
            &port,
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &private,
            "--tls-auth-clients",
            "no",
        ],
    );
    let url = format!("rediss://localhost:{port}");
    let mut trusting = options(1);
    trusting.authorities = Some(key.cert.pem().into_bytes());
    let engine = connect(&url, trusting.clone()).unwrap();
    engine.ready().await.unwrap();
    assert_eq!(engine.awaited().await.unwrap(), [0]);
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    trusting.authorities = Some(other.cert.pem().into_bytes());
    let error = connect(&url, trusting).unwrap().ready().await.unwrap_err();
    assert!(matches!(&error, LedgerError::Unreachable { why, .. } if why.contains("certificate")), "{error}");
    drop(server);
}
