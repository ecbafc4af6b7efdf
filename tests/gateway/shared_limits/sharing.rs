//! Each kind of limit, shared exactly by nodes that are asked by chance.

use crate::{
    limit_headers::LimitHeaders,
    nodes::{A_WHILE, Nodes},
    support::{Config, Gate, Upstream, assert_error, eventually, get, sample::sample},
    valkey_server::Server,
};

const KINDS: [&str; 6] = [
    "10 per month",
    "10 per day in Asia/Kolkata",
    "10 per rolling day",
    "1 per hour, burst 10",
    "10 in all",
    "10 per month for items",
];

/// A plan for each limit, and a key of each plan.
fn of_each(config: Config, limits: &[&str]) -> (Config, Vec<Vec<String>>) {
    let named = |at: usize| format!("plan{at}");
    let config =
        limits.iter().enumerate().fold(config, |config, (at, limit)| config.plan(&named(at), &[limit]));
    let options = |at| ["--plan", &named(at), "--permission", "items:read"].map(str::to_owned).to_vec();
    (config, (0..limits.len()).map(options).collect())
}

fn start(config: &Config, keys: &[Vec<String>]) -> Nodes {
    let keys: Vec<Vec<&str>> = keys.iter().map(|key| key.iter().map(String::as_str).collect()).collect();
    let keys: Vec<&[&str]> = keys.iter().map(Vec::as_slice).collect();
    Nodes::start(config, &keys)
}

#[test]
fn each_kind_admits_exactly_its_amount_over_all_nodes_and_errors_are_free() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/items/{id}", "group = \"items\"").endpoint(
        "GET",
        "/status/{status}",
        "group = \"items\"",
    );
    let (config, options) = of_each(config, &KINDS);
    let nodes = start(&config, &options);
    for (key, kind) in nodes.keys.iter().zip(KINDS) {
        for turn in 0..6 {
            assert_eq!(nodes.send(turn, &get("/status/404").key(key)).status, 404, "{kind}");
        }
        assert_eq!(nodes.exhaust(&get("/items/7").key(key), 10), 10, "{kind}");
        for index in 0..3 {
            let answer = nodes.send(index, &get("/items/7").key(key));
            let code = if kind.contains("burst") { "RATE_EXCEEDED" } else { "API_LIMIT_EXCEEDED" };
            assert_error(nodes.node(index), &answer, 429, code);
            assert_eq!(LimitHeaders::of(&answer).remaining, 0, "{kind}: {answer:?}");
            assert_eq!(answer.headers.has("Retry-After"), !kind.contains("in all"), "{kind}: {answer:?}");
            let limit = &nodes.node(index).limits(key).all[0];
            assert_eq!((limit.used, limit.remaining), (10, 0), "{kind}");
        }
    }
}

#[test]
fn what_remains_falls_by_the_cost_whichever_node_answers() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "cost = 3")
        .endpoint("GET", "/status/{status}", "cost = 3")
        .plan("free", &["100 per month", "80 per rolling day", "1 per hour, burst 60", "500 in all"]);
    let nodes = Nodes::start(&config, &[&["--plan", "free", "--permission", "items:read"]]);
    for turn in 1..=6 {
        let answer = nodes.send(turn as usize, &get("/items/7").key(&nodes.keys[0]));
        let headers = LimitHeaders::of(&answer);
        let remain: Vec<_> = headers.members.iter().map(|member| member.remaining).collect();
        assert_eq!(remain, [100 - 3 * turn, 80 - 3 * turn, 60 - 3 * turn, 500 - 3 * turn], "{turn}");
        assert_eq!(headers.limit, 60, "the tightest is reported");
        let failed = nodes.send(turn as usize, &get("/status/404").key(&nodes.keys[0]));
        assert_eq!(LimitHeaders::of(&failed).remaining, 60 - 3 * turn, "an error is free");
        std::thread::park_timeout(A_WHILE);
        let limits = nodes.node(turn as usize + 1).limits(&nodes.keys[0]);
        assert_eq!(limits.of("100 per month").used, 3 * turn);
    }
}

#[test]
fn a_reported_cost_leaves_the_rest_to_other_nodes() {
    let upstream = Upstream::scripted(|exchange| match exchange.target() {
        "/reported" => exchange.answer(200, &[("X-Cost", "2")], b"whole"),
        _ => sample(exchange),
    });
    let config = Config::of(&upstream)
        .endpoint("GET", "/reported", "cost = 5\ncost_header = \"X-Cost\"")
        .endpoint("GET", "/items/{id}", "")
        .plan("free", &["12 per month"]);
    let nodes = Nodes::start(&config, &[&["--plan", "free", "--permission", "items:read"]]);
    for turn in 1..=3 {
        let answer = nodes.send(turn as usize, &get("/reported").key(&nodes.keys[0]));
        assert_eq!(LimitHeaders::of(&answer).remaining, 12 - 2 * turn);
        std::thread::park_timeout(A_WHILE);
    }
    assert_eq!(nodes.exhaust(&get("/items/7").key(&nodes.keys[0]), 6), 6);
}

#[test]
fn places_at_once_are_shared_and_free_as_soon_as_an_answer_has_come() {
    let may_end = Gate::default();
    let wait = may_end.clone();
    let upstream = Upstream::scripted(move |exchange| match exchange.target() {
        "/slow" => {
            exchange.read_body();
            wait.wait();
            exchange.answer(200, &[], b"whole")
        }
        _ => sample(exchange),
    });
    let config = Config::of(&upstream).plan("free", &["2 at once"]);
    let nodes = Nodes::start(&config, &[&["--plan", "free", "--permission", "items:read"]]);
    let key = &nodes.keys[0];
    let mut held: Vec<_> = (0..2)
        .map(|index| {
            let mut connection = nodes.node(index).connect();
            connection.write(&get("/slow").key(key).bytes());
            eventually("it is at the upstream", || (upstream.count() > index).then_some(()));
            connection
        })
        .collect();
    let denied = nodes.send(2, &get("/items/7").key(key));
    assert_error(nodes.node(2), &denied, 429, "RATE_EXCEEDED");
    assert_eq!(nodes.node(2).limits(key).all[0].used, 2);
    may_end.open();
    for connection in &mut held {
        assert_eq!(connection.answer().status, 200);
    }
    std::thread::park_timeout(A_WHILE);
    for index in 0..3 {
        assert_eq!(nodes.send(index, &get("/items/7").key(key)).status, 200);
    }
}

#[test]
fn addresses_are_shared_as_well_and_a_key_may_have_limits_of_its_own() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .top("trusted_proxies = [\"127.0.0.1\"]")
        .endpoint("GET", "/open", "public = true")
        .endpoint("GET", "/items/{id}", "")
        .plan("free", &["1000 per month"])
        .section("[address]\nlimits = [\"6 per month\"]");
    let key: &[&str] = &["--plan", "free", "--permission", "items:read", "--limit", "8 per month"];
    let nodes = Nodes::start(&config, &[key]);
    let open = get("/open").header("X-Forwarded-For", "192.0.2.1");
    assert_eq!(nodes.exhaust(&open, 6), 6);
    assert_eq!(nodes.send(0, &get("/open").header("X-Forwarded-For", "192.0.2.2")).status, 200);
    assert_eq!(nodes.exhaust(&get("/items/7").key(&nodes.keys[0]), 8), 8);
}

#[test]
fn what_was_used_stays_used_when_a_limit_is_changed() {
    let upstream = Upstream::sample();
    let plan = |limit: &str| Config::of(&upstream).endpoint("GET", "/items/{id}", "").plan("free", &[limit]);
    let nodes = Nodes::start(&plan("6 per month"), &[&["--plan", "free", "--permission", "items:read"]]);
    let request = get("/items/7").key(&nodes.keys[0]);
    assert_eq!(nodes.exhaust(&request, 6), 6);
    for (limit, more) in [("9 per month", 3), ("4 per month", 0), ("7 per day", 7), ("11 per month", 2)] {
        nodes.reload(&plan(limit));
        eventually(limit, || {
            (0..3).all(|index| nodes.node(index).limits(&nodes.keys[0]).all[0].limit == limit).then_some(())
        });
        assert_eq!(nodes.exhaust(&request, more), more, "{limit}");
    }
}

#[test]
fn a_hot_key_costs_the_ledger_next_to_nothing() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).plan("free", &["100000 per month"]);
    let nodes = Nodes::start(&config, &[&["--plan", "free", "--permission", "items:read"]]);
    let before = messages(&nodes.ledger);
    let began = std::time::Instant::now();
    let request = get("/items/7").key(&nodes.keys[0]);
    let mut connections: Vec<_> = (0..3).map(|index| nodes.node(index).connect()).collect();
    let sent = 3_000;
    for turn in 0..sent {
        assert_eq!(connections[turn % 3].send(&request).status, 200);
    }
    let carried = messages(&nodes.ledger) - before;
    println!("{carried} messages for {sent} requests in {:?}", began.elapsed());
    // Each node sends one a second in any case.
    let beats = 3 * (began.elapsed().as_secs() + 1);
    assert!(carried < beats + sent as u64 / 10, "{carried} messages for {sent} requests");
}

/// Messages that the ledger has carried out.
fn messages(ledger: &Server) -> u64 {
    let text = ledger.command(&["info", "commandstats"]);
    let calls = text.lines().find_map(|line| line.strip_prefix("cmdstat_fcall:calls="));
    calls.map_or(0, |line| line.split(',').next().unwrap().parse().unwrap())
}
