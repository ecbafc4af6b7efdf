//! `incidents list` and `show`.

use crate::fixture::{Gateway, Site, with_and_without_gateway};
use serde_json::json;
use store::IncidentRecord;

fn incident(request_id: &str, cause: &str) -> IncidentRecord {
    IncidentRecord {
        request_id: request_id.into(),
        at_millis: 1_795_399_200_007,
        method: "GET".into(),
        path: "/items/7\u{1b}[31m".into(),
        endpoint: Some("/items/{id}".into()),
        key_id: Some("key_a".into()),
        address: None,
        more: 0,
        cause: cause.into(),
        detail: "first line\nsecond \u{7}line".into(),
    }
}

#[test]
fn what_the_gateway_has_queued_is_shown_and_stays_after_its_end() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    gateway.queued.lock().unwrap().push(incident("req_1", "upstream silent"));
    let shown = site.run(&["incidents", "show", "req_1"]).fine();
    for part in [
        "req_1",
        "2026-11-23T02:00:00.007Z",
        "/items/{id}",
        "key_a",
        "upstream silent",
        "first line\nsecond ",
    ] {
        assert!(shown.contains(part), "{part:?} is not in {shown}");
    }
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "a terminal must not be made to obey");
    gateway.queued.lock().unwrap().push(incident("req_2", "upstream closed"));
    let table = site.run(&["incidents", "list", "--each"]).fine();
    assert!(table.find("req_2") < table.find("req_1"), "the newest comes first: {table}");
    gateway.stop();
    let listed = site.json(&["incidents", "list", "--json", "--cause", "upstream silent"]);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0], site.json(&["incidents", "show", "req_1", "--json"]));
    assert_eq!(listed[0]["detail"], "first line\nsecond \u{7}line");
    assert_eq!(
        site.json(&["incidents", "list", "--each", "--json", "--limit", "1"])[0]["request_id"],
        "req_2"
    );
}

#[test]
fn an_unknown_request_id_is_told() {
    with_and_without_gateway(|site, _| {
        site.run(&["incidents", "show", "req_none"]).refused(1, "`req_none`");
        assert_eq!(site.run(&["incidents", "list"]).fine(), "There are no incidents.\n");
        assert_eq!(site.json(&["incidents", "list", "--json"]), json!([]));
        let none = site.run(&["incidents", "list", "--cause", "nope"]).fine();
        assert!(none.contains("of the cause \"nope\"") && none.contains("lists the causes"), "{none}");
        site.run(&["incidents", "list", "--limit", "0"]).refused(2, "expected a number from 1");
    });
}

#[test]
fn incidents_of_one_cause_are_one_line_with_a_count_and_the_first_and_last_time() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    for number in 0..7 {
        let mut one = incident(&format!("req_{number}"), "upstream silent");
        one.at_millis += number * 60_000;
        gateway.queued.lock().unwrap().push(one);
    }
    gateway.queued.lock().unwrap().push(incident("req_other", "a panic"));
    let groups = site.json(&["incidents", "list", "--json"]);
    assert_eq!(groups.as_array().unwrap().len(), 2, "{groups}");
    let silent = &groups[0];
    assert_eq!((&silent["cause"], &silent["count"]), (&json!("upstream silent"), &json!(7)));
    assert_eq!(silent["first"], "2026-11-23T02:00:00.007Z");
    assert_eq!(silent["last"], "2026-11-23T02:06:00.007Z");
    assert_eq!(silent["latest"]["request_id"], "req_6");
    let table = site.run(&["incidents", "list"]).fine();
    assert!(table.contains("7      2026-11-23 02:00  2026-11-23 02:06  upstream silent  req_6"), "{table}");
    gateway.stop();
}

#[test]
fn incidents_with_one_request_id_are_all_shown() {
    let site = Site::new();
    let gateway = Gateway::start(&site.store());
    let mut second = incident("req_1", "upstream silent");
    second.detail = "the second one".into();
    gateway.queued.lock().unwrap().extend([incident("req_1", "a panic"), second]);
    let shown = site.run(&["incidents", "show", "req_1"]).fine();
    assert!(shown.starts_with("2 requests had this id"), "{shown}");
    assert!(shown.find("the second one") < shown.find("first line"), "{shown}");
    let shown = site.json(&["incidents", "show", "req_1", "--json"]);
    assert_eq!((&shown[0]["cause"], &shown[1]["cause"]), (&json!("upstream silent"), &json!("a panic")));
    gateway.stop();
}
