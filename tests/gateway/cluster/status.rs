//! `fairgate cluster status`, `/metrics` and the log say how the ledger and the members are, and why requests are refused.

use crate::{
    server::Server,
    support::{Config, Gateway, Upstream, eventually, gateway::Home, get},
    valkey_server::{self, Program},
};
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
};

const ADMIN: &str = "[admin]\naddress = \"127.0.0.1:0\"\n";

fn metrics(gateway: &Gateway) -> String {
    let admin: SocketAddr = gateway.event("listening")["admin"].as_str().unwrap().parse().unwrap();
    let mut stream = TcpStream::connect(admin).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// The value of a metric without labels.
fn metric(gateway: &Gateway, name: &str) -> f64 {
    let text = metrics(gateway);
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name} is missing:\n{text}")).parse().unwrap()
}

fn status(home: &Home) -> Value {
    serde_json::from_str(&home.run(&["cluster", "status", "--json"]).out).unwrap()
}

fn has_alarm(status: &Value, text: &str) -> bool {
    status["alarms"].as_array().unwrap().iter().any(|alarm| alarm.as_str().unwrap().contains(text))
}

fn logged(gateway: &Gateway, event: &str) -> usize {
    gateway.log().matches(&format!("\"{event}\"")).count()
}

struct Cluster {
    _records: Server,
    ledger: valkey_server::Server,
    _upstream: Upstream,
    homes: Vec<Arc<Home>>,
}

impl Cluster {
    fn new() -> Self {
        let (records, ledger) = (Server::start(), valkey_server::Server::start(Program::Valkey, &[]));
        let upstream = Upstream::sample();
        let home = |node: &str| {
            let (records, ledger) = (records.url(), ledger.url());
            let table =
                format!("[cluster]\nrecords = \"{records}\"\nledger = \"{ledger}\"\nnode = \"{node}\"\n");
            Home::new(&Config::of(&upstream).plan("free", &["600 per month"]).section(&table).section(ADMIN))
        };
        let homes: Vec<_> = ["a", "b"].map(home).into();
        homes[0].run_well(&["cluster", "init"]);
        std::fs::copy(homes[0].path("cluster.secret"), homes[1].path("cluster.secret")).unwrap();
        Self { _records: records, ledger, _upstream: upstream, homes }
    }
}

#[test]
fn who_is_there_what_the_ledger_is_and_what_each_node_holds_is_shown() {
    let cluster = Cluster::new();
    let gateways: Vec<Gateway> = cluster.homes.iter().map(Gateway::start_in).collect();
    let key = gateways[0].key();
    for gateway in &gateways {
        eventually("the key works", || {
            (gateway.send(&get("/items/7").key(&key)).status == 200).then_some(())
        });
    }
    let seen = eventually("the ledger's server and both members are seen", || {
        let seen = status(&cluster.homes[0]);
        let members = seen["members"].as_array().unwrap();
        let has_said = members.iter().all(|one| one["questions"].as_u64().unwrap() > 0);
        (has_said && seen["ledger"]["product"].is_string()).then_some(seen)
    });
    let ledger = &seen["ledger"];
    assert_eq!((&ledger["product"], &ledger["state"]), (&"Valkey".into(), &"reached".into()), "{ledger:#}");
    assert_eq!(ledger["server"], format!("127.0.0.1:{}", cluster.ledger.port));
    assert_eq!((&ledger["role"], &ledger["durability"]), (&"primary, 0 replicas".into(), &"none".into()));
    assert!(ledger["server_version"].as_str().unwrap().contains('.') && ledger["since"].is_string());
    assert!(ledger["epoch"].as_u64().unwrap() > 0 && ledger["lost_at"].is_null(), "{ledger:#}");
    assert_eq!((&ledger["awaited"], &ledger["members"]), (&Value::Array(vec![]), &2.into()));
    assert!(ledger["warnings"][0].as_str().unwrap().contains("appendfsync always"), "{ledger:#}");
    assert!(ledger["clock_offset_millis"].as_i64().unwrap().abs() < 1_000, "{ledger:#}");
    for member in seen["members"].as_array().unwrap() {
        assert_eq!((&member["ledger"], &member["state"]), (&"reached".into(), &"up".into()), "{member:#}");
        assert!(member["ledger_clock_offset_millis"].as_i64().unwrap().abs() < 1_000, "{member:#}");
        assert!(member["messages"].as_u64().unwrap() > 0 && member["alarms"].as_array().unwrap().is_empty());
    }
    let text = cluster.homes[0].run_well(&["cluster", "status"]);
    let longest = text.lines().filter(|line| !line.starts_with("WARNING")).map(str::len).max();
    assert!(longest.unwrap() <= 100, "{text}");
    for part in ["Ledger ", "Waits for        nobody", "UNITS HELD", "WARNING: A restart forgets all grants."]
    {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    let text = cluster.homes[0].run_well(&["status"]);
    assert!(text.contains(&format!("Valkey at 127.0.0.1:{}, reached", cluster.ledger.port)), "{text}");
}

#[test]
fn every_metric_of_a_cluster_is_documented_and_counts() {
    let cluster = Cluster::new();
    let gateway = Gateway::start_in(&cluster.homes[0]);
    let key = gateway.key();
    for _ in 0..5 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    for (name, value) in [
        ("fairgate_cluster_records_up", 1.0),
        ("fairgate_cluster_ledger_up", 1.0),
        ("fairgate_cluster_member", 1.0),
        ("fairgate_cluster_members", 1.0),
        ("fairgate_cluster_members_awaited", 0.0),
        ("fairgate_cluster_units_beyond_leases_total", 0.0),
    ] {
        assert!((metric(&gateway, name) - value).abs() < f64::EPSILON, "{name}:\n{}", metrics(&gateway));
    }
    for (name, least) in [
        ("fairgate_cluster_leases", 1.0),
        ("fairgate_cluster_ledger_messages_total", 2.0),
        ("fairgate_cluster_ledger_questions_total", 2.0),
        ("fairgate_cluster_leased_units", 0.0),
        ("fairgate_cluster_ledger_replaced_total", 0.0),
    ] {
        assert!(metric(&gateway, name) >= least, "{name}:\n{}", metrics(&gateway));
    }
    for name in ["records", "ledger"] {
        assert!(metric(&gateway, &format!("fairgate_cluster_{name}_clock_offset_seconds")).abs() < 1.0);
    }
    let page = include_str!("../../../docs/operations.md");
    for line in metrics(&gateway).lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').unwrap();
        assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        assert!(page.contains(&format!("| `{name}` |")), "docs/operations.md does not explain {name}");
    }
}

#[test]
fn why_requests_are_refused_is_said_once_in_the_log_and_as_long_as_it_lasts_in_the_status() {
    let mut cluster = Cluster::new();
    let [a, b] = [0, 1].map(|index: usize| Gateway::start_in(&cluster.homes[index]));
    let key = a.key();
    let request = get("/items/7").key(&key);
    assert_eq!(a.send(&request).status, 200);

    let home = b.kill();
    cluster.ledger.kill();
    let seen = eventually("the ledger is away", || {
        let seen = status(&cluster.homes[0]);
        has_alarm(&seen, "the ledger cannot be reached").then_some(seen)
    });
    assert!(has_alarm(&seen, "answered 503") && has_alarm(&seen, "Start the ledger"), "{seen:#}");
    let ledger = &seen["ledger"];
    assert!(ledger["state"] == "out of reach" && ledger["since"].is_string(), "{ledger:#}");
    assert!(ledger["error"].as_str().unwrap().contains("127.0.0.1"), "{ledger:#}");
    assert!(metric(&a, "fairgate_cluster_ledger_up") < 1.0);

    // Empty: it has lost what it knew, and waits for b, which does not come.
    cluster.ledger.restart();
    let seen = eventually("b is waited for", || {
        let seen = status(&cluster.homes[0]);
        has_alarm(&seen, "have not said their totals since: 2").then_some(seen)
    });
    assert!(
        !has_alarm(&seen, "cannot be reached") && has_alarm(&seen, "fairgate cluster remove"),
        "{seen:#}"
    );
    assert_eq!(seen["ledger"]["awaited"], Value::Array(vec![2.into()]));
    assert!(seen["ledger"]["lost_at"].is_string(), "{seen:#}");
    assert!((metric(&a, "fairgate_cluster_members_awaited") - 1.0).abs() < f64::EPSILON);
    assert_eq!(a.send(&request).status, 503);
    let text = cluster.homes[0].run_well(&["cluster", "status"]);
    assert!(text.contains("Waits for        b (number 2)") && text.contains("\nALARM: "), "{text}");

    let b = Gateway::start_in(&home);
    eventually("nobody is waited for", || {
        let seen = status(&cluster.homes[0]);
        seen["alarms"].as_array().unwrap().is_empty().then_some(())
    });
    for gateway in [&a, &b] {
        eventually("requests are decided", || (gateway.send(&request).status == 200).then_some(()));
    }
    for event in [
        "the ledger cannot be reached",
        "the ledger answers again",
        "the ledger was replaced, and all totals are said again",
        "the ledger waits for members",
        "all members have said their totals",
    ] {
        assert_eq!(logged(&a, event), 1, "{event}\n{}", a.log());
    }
}
