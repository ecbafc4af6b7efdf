//! What is ordered from an authority, and how often.

use super::{
    front::{Front, Script},
    home,
    pebble::Pebble,
    ports,
};
use crate::support::{Gateway, Upstream};
use serde_json::{Value, json};

/// Seconds until the next order.
fn again(event: &Value) -> u64 {
    event["again_in"].as_str().unwrap().trim_end_matches(" s").parse().unwrap()
}

#[test]
fn an_account_is_bound_to_the_one_that_the_authority_knows() {
    const KEY: &str = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let ports = ports();
    let required =
        json!({ "externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid-1": KEY } });
    let pebble = Pebble::start_with(ports, 3600, &required);
    let upstream = Upstream::unreachable();
    let bound = home(&upstream, pebble.port, ports, &format!("eab_key_id = \"kid-1\"\neab_key = \"{KEY}\""));
    Gateway::start_in(&bound).event("certificate fetched");
    // The account is kept: the key may go from the file.
    let kept = std::fs::read_dir(bound.path("data/acme")).unwrap().next().unwrap().unwrap().path();
    let account = std::fs::read_to_string(kept.join("account.json")).unwrap();
    assert!(account.contains("kid-1") && !account.contains(KEY), "{account}");
    // Without a binding the log names the settings.
    let unbound = home(&upstream, pebble.port, ports, "");
    let event = Gateway::start_in(&unbound).event("no certificate was fetched");
    let error = event["error"].as_str().unwrap();
    assert!(error.contains("eab_key_id") && error.contains("externalAccountRequired"), "{event}");
}

#[test]
fn a_profile_is_named_in_the_order_and_has_to_be_one_of_the_authoritys() {
    let ports = ports();
    let pebble = Pebble::start_with(ports, 3600, &json!({ "profiles": profiles() }));
    let front =
        Front::start(pebble.port, Script { profiles: vec!["default", "shortlived"], ..Script::default() });
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start_in(&home(&upstream, front.port(), ports, "profile = \"shortlived\""));
    gateway.event("certificate fetched");
    assert_eq!(front.orders()[0]["profile"], "shortlived");
    drop(gateway);
    let other = home(&upstream, front.port(), ports, "profile = \"long\"");
    let event = Gateway::start_in(&other).event("no certificate was fetched");
    let error = event["error"].as_str().unwrap();
    assert!(error.contains("no profile `long`") && error.contains("default, shortlived"), "{event}");
    assert_eq!(front.orders().len(), 1);
}

/// Versions of Pebble that have profiles must know those of the proxy.
fn profiles() -> Value {
    json!({ "default": { "description": "for tests", "validityPeriod": 3600 },
        "shortlived": { "description": "for tests", "validityPeriod": 3600 } })
}

#[test]
fn an_authority_that_asks_for_patience_is_given_it() {
    let ports = ports();
    let pebble = Pebble::start(ports, 3600);
    let front = Front::start(pebble.port, Script::default());
    front.refuse(429, "rateLimited", Some(7_200));
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start_in(&home(&upstream, front.port(), ports, ""));
    let event = gateway.event("no certificate was fetched");
    assert_eq!(again(&event), 7_200, "{event}");
}

#[test]
fn an_account_that_the_authority_has_forgotten_is_made_anew() {
    let ports = ports();
    let pebble = Pebble::start(ports, 3600);
    let front = Front::start(pebble.port, Script::default());
    front.refuse(400, "accountDoesNotExist", None);
    let upstream = Upstream::unreachable();
    let gateway = Gateway::start_in(&home(&upstream, front.port(), ports, ""));
    gateway.event("certificate fetched");
    assert_eq!((front.orders().len(), front.accounts()), (2, 2));
}

#[test]
fn a_restart_is_no_way_around_the_minute_between_orders() {
    let ports = ports();
    let pebble = Pebble::start(ports, 3600);
    let front = Front::start(pebble.port, Script::default());
    front.refuse(500, "serverInternal", None);
    let upstream = Upstream::sample();
    let home = home(&upstream, front.port(), ports, "");
    let gateway = Gateway::start_in(&home);
    gateway.event("no certificate was fetched");
    let _ = gateway.stop();
    for _ in 0..2 {
        let gateway = Gateway::start_in(&home);
        let event = gateway.event("the next order waits");
        assert!((1..=60).contains(&again(&event)), "{event}");
        let _ = gateway.stop();
    }
    assert_eq!(front.orders().len(), 1);
}
