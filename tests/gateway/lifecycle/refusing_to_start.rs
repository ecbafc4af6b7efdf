//! What refuses to start, says everything that is wrong, and leaves a running gateway alone.

use crate::support::{Config, Gateway, Upstream, gateway::Home, get};

#[test]
fn a_wrong_configuration_exits_2_with_all_faults_at_once() {
    let upstream = Upstream::sample();
    let home = Home::new(
        &Config::of(&upstream)
            .top("statusses = \"rfc9110\"")
            .plan("free", &["0 per day"])
            .endpoint("GET", "/a", "")
            .endpoint("GET", "/a", ""),
    );
    for command in [&["serve"][..], &["config", "check"], &["keys", "create", "--plan", "free"]] {
        let said = home.run(command);
        assert_eq!(said.code, Some(2), "{command:?}: {said:?}");
        for part in ["statusses", "statuses", "0 per day", "/a", "fairgate.toml", "3 errors"] {
            assert!(said.err.contains(part), "{part:?} is not in what {command:?} said:\n{}", said.err);
        }
    }
}

#[test]
fn a_good_configuration_is_said_to_be_good() {
    let upstream = Upstream::sample();
    let said = Home::new(&Config::of(&upstream)).run(&["config", "check"]);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn a_configuration_that_is_not_there_is_said() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    std::fs::remove_file(home.config()).unwrap();
    let said = home.run(&["serve"]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("fairgate.toml"), "{said:?}");
}

#[test]
fn a_port_in_use_says_so() {
    let upstream = Upstream::sample();
    let running = Gateway::start(&Config::of(&upstream));
    let key = running.key();
    let address = running.address.to_string();
    let second = Home::new(&Config::of(&upstream).listen(&format!("address = \"{address}\"")));
    let said = second.run(&["serve"]);
    assert!(said.code.is_some_and(|code| code != 0), "two gateways share a port: {said:?}");
    assert!(said.err.contains(&address), "{said:?}");
    assert!(said.err.to_lowercase().contains("in use"), "{said:?}");
    for _ in 0..10 {
        assert_eq!(running.send(&get("/items/7").key(&key)).status, 200);
    }
}

#[test]
fn a_store_in_use_says_so() {
    let upstream = Upstream::sample();
    let running = Gateway::start(&Config::of(&upstream));
    let key = running.key();
    let said = running.home().run(&["serve"]);
    assert!(said.code.is_some_and(|code| code != 0), "two gateways share a store: {said:?}");
    assert!(said.err.contains("data") && said.err.to_lowercase().contains("use"), "{said:?}");
    // It waited, in case that the other one was about to end, and said so.
    let waiting = said.err.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let waiting = waiting.filter(|line| line["event"] == "waiting").count();
    assert_eq!(waiting, 1, "{said:?}");
    let holder = format!("(process {}, `fairgate`)", running.process());
    assert_eq!(said.err.matches(&holder).count(), 2, "{holder}: {said:?}");
    assert_eq!(running.send(&get("/items/7").key(&key)).status, 200);
    // The commands still find the one that runs.
    running.run(&["keys", "revoke", &key.id]);
    assert_eq!(running.send(&get("/items/7").key(&key)).status, 403);
}

#[test]
fn a_store_that_cannot_be_made_says_so() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    std::fs::write(home.path("data"), "a file where a folder belongs").unwrap();
    let said = home.run(&["serve"]);
    assert!(said.code.is_some_and(|code| code != 0), "{said:?}");
    assert!(said.err.contains("data"), "{said:?}");
    assert!(!said.err.contains("panicked"), "{said:?}");
}

#[test]
fn an_upstream_that_is_away_is_no_reason_not_to_start() {
    let gateway = Gateway::start(&Config::of(&Upstream::unreachable()));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_eq!(answer.status, 503);
    gateway.incident(answer.header("X-Request-Id").unwrap());
}
