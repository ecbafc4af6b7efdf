//! A refused start reports everything that is wrong and does not disturb a running gateway.

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
        let output = home.run(command);
        assert_eq!(output.code, Some(2), "{command:?}: {output:?}");
        for part in ["statusses", "statuses", "0 per day", "/a", "fairgate.toml", "3 errors"] {
            assert!(
                output.err.contains(part),
                "{part:?} is not in the output of {command:?}:\n{}",
                output.err
            );
        }
    }
}

#[test]
fn a_valid_configuration_passes_config_check() {
    let upstream = Upstream::sample();
    let output = Home::new(&Config::of(&upstream)).run(&["config", "check"]);
    assert_eq!(output.code, Some(0), "{output:?}");
}

#[test]
fn a_missing_configuration_is_reported() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    std::fs::remove_file(home.config()).unwrap();
    let output = home.run(&["serve"]);
    assert_eq!(output.code, Some(2), "{output:?}");
    assert!(output.err.contains("fairgate.toml"), "{output:?}");
}

#[test]
fn a_port_in_use_is_reported() {
    let upstream = Upstream::sample();
    let running = Gateway::start(&Config::of(&upstream));
    let key = running.key();
    let address = running.address.to_string();
    let second = Home::new(&Config::of(&upstream).listen(&format!("address = \"{address}\"")));
    let output = second.run(&["serve"]);
    assert!(output.code.is_some_and(|code| code != 0), "two gateways share a port: {output:?}");
    assert!(output.err.contains(&address), "{output:?}");
    assert!(output.err.to_lowercase().contains("in use"), "{output:?}");
    for _ in 0..10 {
        assert_eq!(running.send(&get("/items/7").key(&key)).status, 200);
    }
}

#[test]
fn a_store_in_use_is_reported() {
    let upstream = Upstream::sample();
    let running = Gateway::start(&Config::of(&upstream));
    let key = running.key();
    let output = running.home().run(&["serve"]);
    assert!(output.code.is_some_and(|code| code != 0), "two gateways share a store: {output:?}");
    assert!(output.err.contains("data") && output.err.to_lowercase().contains("use"), "{output:?}");
    // It waited, in case the other one was about to exit, and logged so.
    let waiting = output.err.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let waiting = waiting.filter(|line| line["event"] == "waiting").count();
    assert_eq!(waiting, 1, "{output:?}");
    let holder = format!("(process {}, `fairgate`)", running.process());
    assert_eq!(output.err.matches(&holder).count(), 2, "{holder}: {output:?}");
    assert_eq!(running.send(&get("/items/7").key(&key)).status, 200);
    // The commands still find the running one.
    running.run(&["keys", "revoke", &key.id]);
    assert_eq!(running.send(&get("/items/7").key(&key)).status, 403);
}

#[test]
fn a_store_that_cannot_be_created_is_reported() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream));
    std::fs::write(home.path("data"), "a file where a folder belongs").unwrap();
    let output = home.run(&["serve"]);
    assert!(output.code.is_some_and(|code| code != 0), "{output:?}");
    assert!(output.err.contains("data"), "{output:?}");
    assert!(!output.err.contains("panicked"), "{output:?}");
}

#[test]
fn an_unreachable_upstream_does_not_prevent_a_start() {
    let gateway = Gateway::start(&Config::of(&Upstream::unreachable()));
    let answer = gateway.send(&get("/a").key(&gateway.key()));
    assert_eq!(answer.status, 503);
    gateway.incident(answer.header("X-Request-Id").unwrap());
}
