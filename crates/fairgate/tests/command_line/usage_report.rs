//! `usage`: pages, CSV and JSON of what was used, with a gateway and without.

use crate::fixture::{Gateway, Site};
use serde_json::{Value, json};
use std::sync::Arc;
use store::{Embedded, UsageEntry, UsageStore, wait};
use usage::{Retention, Sample, Tally};

const HOUR: u64 = 3600;
/// 2026-11-20T00:00:00Z
const BEGIN: u64 = 20_777 * 24 * HOUR;
const SPAN: [&str; 4] = ["--since", "2026-11-20", "--until", "2026-11-20T06:00:00Z"];

fn entry(
    key_id: Option<&str>,
    endpoint: Option<&str>,
    hour: u64,
    samples: &[(Option<&str>, u64)],
) -> UsageEntry {
    let mut tally = Tally::default();
    for &(code, micros) in samples {
        let charged = u32::from(code.is_none()) * 2;
        tally.add(&Sample { code, charged, bytes_in: 10, bytes_out: 1000, micros });
    }
    let minute = u32::try_from((BEGIN + hour * HOUR) / 60).unwrap() + 5;
    UsageEntry { key_id: key_id.map(str::to_owned), endpoint: endpoint.map(str::to_owned), minute, tally }
}

/// A site with usage in its store, and the id of the key that made most of it.
fn site() -> (Site, String) {
    let site = Site::new();
    let id = site.key_id();
    let (store, _) = Embedded::open(&site.store()).unwrap();
    let items = Some("GET /items/{id}");
    let entries = [
        entry(Some(&id), items, 0, &[(None, 800), (None, 1600), (Some("RESOURCE_NOT_FOUND"), 400)]),
        entry(Some(&id), Some("POST /items"), 0, &[(None, 90_000)]),
        entry(Some(&id), items, 3, &[(None, 800)]),
        entry(None, None, 5, &[(Some("KEY_NOT_SET"), 100)]),
    ];
    let day = 24 * HOUR;
    let keep = Retention { minutes: 9 * day, hours: 99 * day, days: 999 * day };
    wait(store.add_usage(Arc::from(entries), keep)).unwrap();
    (site, id)
}

fn with_and_without_gateway(test: impl Fn(&Site, &str)) {
    let (site, id) = site();
    test(&site, &id);
    let gateway = Gateway::start(&site.store());
    test(&site, &id);
    gateway.stop();
}

fn run(site: &Site, more: &[&str]) -> String {
    site.run(&[&["usage"], &SPAN[..], more].concat()).fine()
}

#[test]
fn a_page_shows_totals_a_chart_with_gaps_and_tables() {
    with_and_without_gateway(|site, id| {
        let page = run(site, &["--key", id, "--by", "hour"]);
        let expected = format!("Usage: {id}, 2026-11-20 00:00 to 2026-11-20 06:00 (UTC), by hour\n");
        assert!(page.starts_with(&expected), "{page}");
        for part in [
            "requests  5\n",
            "errors    1 (20.0 %)\n",
            "charged   8 units\n",
            "bytes     50 B received, 5.0 kB sent\n",
            "max 90 ms\n",
            "     4 ┤███\n",
            "       │███         ▆▆▆\n",
            "        11-20       03:00\n",
            "errors │███\n",
            "ENDPOINT         REQUESTS  ERRORS  CHARGED    SENT",
            "GET /items/{id}         4       1        6  4.0 kB",
            "POST /items             1       0        2  1.0 kB",
            "RESOURCE_NOT_FOUND         1  20.0 %",
        ] {
            assert!(page.contains(part), "{part:?} is not in\n{page}");
        }
        assert!(!page.contains('\u{1b}'), "no colour where nobody looks");
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    });
}

#[test]
fn json_has_every_step_and_every_endpoint() {
    with_and_without_gateway(|site, id| {
        let told: Value = serde_json::from_str(&run(site, &["--by", "hour", "--json"])).unwrap();
        assert_eq!(told["key"], Value::Null);
        assert_eq!(
            (&told["since"], &told["until"]),
            (&json!("2026-11-20T00:00:00Z"), &json!("2026-11-20T06:00:00Z"))
        );
        let requests: Vec<_> =
            told["steps"].as_array().unwrap().iter().map(|step| step["requests"].clone()).collect();
        assert_eq!(json!(requests), json!([4, 0, 0, 1, 0, 1]));
        assert_eq!(told["steps"][1]["latency_ms"]["p50"], Value::Null);
        assert_eq!(told["steps"][3]["since"], "2026-11-20T03:00:00Z");
        assert_eq!(told["total"]["errors_by_code"], json!({ "KEY_NOT_SET": 1, "RESOURCE_NOT_FOUND": 1 }));
        assert_eq!(told["total"]["latency_ms"]["max"], 90.0);
        let names: Vec<_> =
            told["endpoints"].as_array().unwrap().iter().map(|one| one["endpoint"].clone()).collect();
        assert_eq!(json!(names), json!([null, "GET /items/{id}", "POST /items"]));
        for (by, steps) in [("minute", 360), ("day", 1)] {
            let other: Value =
                serde_json::from_str(&run(site, &["--by", by, "--json", "--key", id])).unwrap();
            assert_eq!(
                (other["steps"].as_array().unwrap().len(), &other["total"]["charged"]),
                (steps, &json!(8))
            );
        }
    });
}

#[test]
fn csv_has_a_line_for_each_step_and_endpoint() {
    with_and_without_gateway(|site, _| {
        let text = run(site, &["--by", "hour", "--csv"]);
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.last(), Some(&""), "every line ends in CR LF");
        assert_eq!(
            lines[..3],
            [
                "since,until,endpoint,requests,errors,charged,bytes_in,bytes_out,latency_mean_ms,latency_p50_ms,\
                 latency_p95_ms,latency_p99_ms,latency_max_ms,errors_by_code",
                "2026-11-20T00:00:00Z,2026-11-20T01:00:00Z,GET /items/{id},3,1,4,30,3000,0.933,0.831,1.6,1.6,1.6,\
                 RESOURCE_NOT_FOUND:1",
                "2026-11-20T00:00:00Z,2026-11-20T01:00:00Z,POST /items,1,0,2,10,1000,90,90,90,90,90,",
            ]
        );
        assert_eq!(lines[3], "2026-11-20T01:00:00Z,2026-11-20T02:00:00Z,,0,0,0,0,0,,,,,,");
        assert!(
            lines[7].starts_with("2026-11-20T05:00:00Z,2026-11-20T06:00:00Z,none,1,1,0,"),
            "{}",
            lines[7]
        );
        assert_eq!(lines.len(), 9);
    });
}

#[test]
fn only_what_is_asked_for_is_shown() {
    with_and_without_gateway(|site, id| {
        let total = |more: &[&str]| {
            let told: Value = serde_json::from_str(&run(site, &[&["--json"], more].concat())).unwrap();
            told["total"]["requests"].as_u64().unwrap()
        };
        assert_eq!(total(&[]), 6);
        assert_eq!(total(&["--key", "none"]), 1);
        assert_eq!(total(&["--endpoint", "POST /items"]), 1);
        assert_eq!(total(&["--endpoint", "none"]), 1);
        assert_eq!(total(&["--endpoint", "GET /nothing"]), 0);
        assert_eq!(total(&["--key", id, "--endpoint", "none"]), 0);
        let page = run(site, &["--endpoint", "GET /no\u{1b}[2Jthing"]);
        assert!(page.contains("There were no requests.") && !page.contains('\u{1b}'), "{page}");
        assert!(page.contains("`GET /items/{id}`, not `GET /no"), "{page}");
    });
}

#[test]
fn what_cannot_be_asked_is_refused() {
    with_and_without_gateway(|site, _| {
        site.run(&["usage", "--key", "key_unknown"]).refused(1, "`key_unknown`");
        site.run(&["usage", "--since", "2000-01-01", "--by", "minute"]).refused(2, "--by");
        site.run(&["usage", "--since", "1h", "--until", "2h"]).refused(2, "--until");
        site.run(&["usage", "--since", "yesterday"]).refused(2, "--since");
        site.run(&["usage", "--csv", "--json"]).refused(2, "cannot be used with");
        let key = site.json(&["keys", "create", "--plan", "free", "--json"]);
        site.run(&["usage", "--key", key["key"].as_str().unwrap()]).refused(2, "not its id");
    });
}

#[test]
fn what_is_forgotten_is_not_taken_for_nothing() {
    let (site, _) = site();
    let page =
        site.run(&["usage", "--since", "2026-11-19", "--until", "2026-11-21", "--by", "minute"]).fine();
    // The default is two days; whenever this runs, that is over.
    assert!(page.contains("Usage by minute is kept for 2d"), "{page}");
}

/// The rows of a table in docs/limits.md, found by the first cell of its head.
fn documented(head: &str) -> Vec<Vec<String>> {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/limits.md")).unwrap();
    let rows = page.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells =
        |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().replace('`', "")).collect();
    rows.map(cells).collect()
}

/// The members of an object, with those of `latency_ms` by their paths.
fn members(object: &Value) -> Vec<String> {
    let each = object.as_object().unwrap().iter().flat_map(|(name, value)| match value.as_object() {
        Some(inner) if name == "latency_ms" => inner.keys().map(|inner| format!("{name}.{inner}")).collect(),
        Some(_) | None => vec![name.clone()],
    });
    let mut names: Vec<String> = each.collect();
    names.sort();
    names
}

fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<_> = names.into_iter().collect();
    names.sort();
    names
}

#[test]
fn the_page_about_limits_has_every_member_and_every_column_and_no_other() {
    let (site, _) = site();
    let (top, figures) = (documented("member"), documented("figure in JSON"));
    let told: Value = serde_json::from_str(&run(&site, &["--by", "hour", "--json"])).unwrap();
    assert_eq!(members(&told), sorted(top.iter().map(|row| row[0].clone())));
    for row in &top {
        let value = &told[&row[0]];
        let fits = match row[1].as_str() {
            "text or null" => value.is_null() || value.is_string(),
            "time" => value.as_str().is_some_and(|time| time.ends_with(":00Z") && time.len() == 20),
            "text" => value.is_string(),
            "object" => value.is_object(),
            "list" => value.is_array(),
            other => panic!("{other} is no type"),
        };
        assert!(fits, "{row:?}: {value}");
    }
    let with = |more: &[&str]| {
        let names = figures.iter().map(|row| row[0].clone());
        sorted(names.chain(more.iter().map(|name| (*name).to_owned())))
    };
    assert_eq!(members(&told["total"]), with(&[]));
    for step in told["steps"].as_array().unwrap() {
        assert_eq!(members(step), with(&["since", "until"]));
    }
    for endpoint in told["endpoints"].as_array().unwrap() {
        assert_eq!(members(endpoint), with(&["endpoint"]));
    }
    let table = run(&site, &["--by", "hour", "--csv"]);
    let columns = ["since", "until", "endpoint"].map(str::to_owned).into_iter();
    let columns: Vec<_> = columns.chain(figures.iter().map(|row| row[1].clone())).collect();
    assert_eq!(table.split("\r\n").next().unwrap(), columns.join(","), "in this order");
    for row in &figures {
        let is_latency = row[0].starts_with("latency_ms.");
        let unit = if is_latency { "milliseconds" } else { row[2].as_str() };
        assert!(["requests", "units", "bytes", "milliseconds"].contains(&unit) && row[2] == unit, "{row:?}");
    }
}
