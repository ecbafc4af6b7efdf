//! `maintenance on`, `off` and `list`.

use crate::fixture::with_and_without_gateway;
use serde_json::json;

#[test]
fn maintenance_goes_on_and_off() {
    with_and_without_gateway(|site, gateway| {
        let key = site.key_id();
        let window = site.json(&[
            "maintenance",
            "on",
            "--for",
            "30m",
            "--message",
            "We move.",
            "--pass",
            &key,
            "--json",
        ]);
        assert_eq!((&window["state"], &window["pass"]), (&json!("on"), &json!([key])));
        let said = site.run(&["maintenance", "on", "--from", "2100-01-01", "--until", "2100-01-02"]).fine();
        assert!(said.contains("2100-01-01T00:00:00Z") && said.contains("The API is under maintenance."));
        assert_eq!(said.contains("No gateway runs"), gateway.is_none());
        let listed = site.json(&["maintenance", "list", "--json"]);
        assert_eq!(listed[0], window);
        assert_eq!(listed[1]["state"], "planned");
        let table = site.run(&["maintenance", "list"]).fine();
        assert!(table.contains("We move.") && table.contains("planned"));
        let ended = site.json(&["maintenance", "off", window["id"].as_str().unwrap(), "--json"]);
        assert_eq!(ended.as_array().unwrap().len(), 1);
        assert!(site.run(&["maintenance", "off"]).fine().starts_with("Cancelled mnt_"));
        assert_eq!(site.run(&["maintenance", "off"]).fine(), "There was no maintenance.\n");
        assert_eq!(site.json(&["maintenance", "list", "--json"]), json!([]));
        if let Some(gateway) = gateway {
            // Ending maintenance where there is none changes nothing.
            assert_eq!(gateway.told()[1..], ["1 windows", "2 windows", "1 windows", "0 windows"]);
        }
    });
}

#[test]
fn a_window_that_makes_no_sense_is_refused() {
    with_and_without_gateway(|site, _| {
        let on = |more: &[&str]| site.run(&[&["maintenance", "on"], more].concat());
        on(&["--until", "2020-01-01"]).refused(1, "before its beginning");
        on(&["--from", "2020-01-01", "--until", "2020-01-02"]).refused(1, "in the past");
        on(&["--until", "2100-01-01", "--for", "1h"]).refused(2, "cannot be used with");
        on(&["--for", "forever"]).refused(2, "expected a number");
        on(&["--for", "-5m"]).refused(2, "expected a number");
        on(&["--from", "2026-02-30"]).refused(2, "there is no day `2026-02-30`");
        let revoked = site.key_id();
        site.run(&["keys", "revoke", &revoked]).fine();
        on(&["--pass", &revoked]).refused(1, "it is revoked");
        on(&["--message", "two\nlines"]).refused(1, "one line");
        on(&["--pass", "key_unknown"]).refused(1, "`key_unknown`");
        site.run(&["maintenance", "off", "mnt_unknown"]).refused(1, "`mnt_unknown`");
        assert_eq!(site.json(&["maintenance", "list", "--json"]), json!([]));
    });
}

#[test]
fn maintenance_of_some_endpoints_is_kept_and_listed() {
    with_and_without_gateway(|site, gateway| {
        let window = site.json(&[
            "maintenance",
            "on",
            "--endpoint",
            "POST /orders",
            "--endpoint",
            "/reports/*",
            "--message",
            "We move",
            "--json",
        ]);
        assert_eq!(window["endpoints"], json!(["POST /orders", "/reports/*"]));
        assert_eq!(window["message"], "We move.", "another sentence follows it");
        assert_eq!(site.json(&["maintenance", "list", "--json"])[0], window);
        let table = site.run(&["maintenance", "list"]).fine();
        assert!(table.contains("POST /orders, /reports/*"), "{table}");
        for wrong in ["orders", "post /orders", "/a?b", "/a/*/b"] {
            site.run(&["maintenance", "on", "--endpoint", wrong]).refused(1, "the endpoint");
        }
        // Operations are known to a gateway alone, and this one has none.
        let why = if gateway.is_some() { "the endpoint" } else { "no gateway runs that knows" };
        site.run(&["maintenance", "on", "--endpoint", "getItem"]).refused(1, why);
    });
}
