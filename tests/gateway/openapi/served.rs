//! The document as clients get it: `/_docs/openapi.json` and `.yaml`.

use crate::{
    shop::{DOCUMENT, Shop, upstream},
    support::{Config, Gateway, assert_error, gateway::Home, get, head, post},
};
use serde_json::{Value, json};

#[test]
fn the_document_is_served_with_the_contract_in_it() {
    let shop = Shop::open();
    let answer = shop.gateway.send(&get("/_docs/openapi.json"));
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/json")));
    let document = answer.json();
    assert_eq!(document["info"]["title"], "The shop");
    assert_eq!(document["servers"][0]["url"], "https://api.example.com/v1");
    let responses = &document["paths"]["/things"]["get"]["responses"];
    for status in ["200", "301", "400", "401", "403", "404", "429", "500", "503"] {
        assert!(responses[status].is_object(), "{status} is not in {responses}");
    }
    let yaml = shop.gateway.send(&get("/_docs/openapi.yaml"));
    assert_eq!((yaml.status, yaml.header("Content-Type")), (200, Some("application/yaml")));
    assert!(yaml.text().starts_with("openapi: "), "{}", yaml.text());
    let posted = shop.gateway.send(&post("/_docs/openapi.json", "{}"));
    assert_error(&shop.gateway, &posted, 404, "METHOD_NOT_AVAILABLE");
}

#[test]
fn without_a_document_there_is_none_to_serve() {
    let upstream = crate::support::Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    assert_error(&gateway, &gateway.send(&get("/_docs/openapi.json")), 404, "ENDPOINT_NOT_FOUND");
}

/// A gateway whose public address is not configured.
fn without_public_url(document: &str) -> Gateway {
    let upstream = upstream();
    let home = Home::new(&Config::of(&upstream).document(document));
    let text = std::fs::read_to_string(home.config()).unwrap();
    let text = text.replace("public_url = \"https://api.example.com\"\n", "");
    std::fs::write(home.config(), text).unwrap();
    Gateway::start_in(&home)
}

#[test]
fn without_a_public_address_its_addresses_are_those_that_the_client_came_by() {
    let gateway = without_public_url(DOCUMENT);
    let scheme = if std::env::var_os("FAIRGATE_TEST_TLS").is_some() { "https" } else { "http" };
    for host in ["shop.example.org", "127.0.0.1:8080", "[::1]:9000", "shop.example.org"] {
        let answer = gateway.send(&get("/_docs/openapi.json").replace("Host", host));
        let document = answer.json();
        let base = format!("{scheme}://{host}");
        assert_eq!(document["servers"][0]["url"], format!("{base}/v1"));
        assert_eq!(document["externalDocs"]["url"], format!("{base}/_docs"));
        assert_eq!(document["info"]["x-fairgate"]["limits"], format!("{base}/_limits"));
        assert!(!answer.text().contains("fairgate-host") && !answer.text().contains("fairgate-scheme"));
        let example = &document["components"]["examples"]["Fairgate_KEY_NOT_SET"]["value"]["error"]["check"];
        let refused = gateway.send(&get("/v1/things").replace("Host", host)).json();
        assert_eq!(example, &refused["error"]["check"]);
        let yaml = gateway.send(&get("/_docs/openapi.yaml").replace("Host", host));
        assert!(yaml.text().contains(&format!("{base}/v1")), "{}", yaml.text());
        let length = gateway.send(&head("/_docs/openapi.json").replace("Host", host));
        assert_eq!(length.header("Content-Length"), Some(answer.body.len().to_string().as_str()));
    }
    // A host that would need escaping in YAML is not used.
    let odd = gateway.send(&get("/_docs/openapi.yaml").replace("Host", "it's"));
    assert!(odd.status == 400 || odd.text().contains(&format!("{scheme}://127.0.0.1:")), "{}", odd.text());
}

#[test]
fn swagger_gives_the_address_of_the_client_in_its_own_fields() {
    let gateway = without_public_url(
        "{swagger: '2.0', info: {title: Shop, version: '1'}, basePath: /v1, paths: {/things: {get: {responses: \
         {'200': {description: x}}}}}}",
    );
    for host in ["shop.example.org:8443", "[::1]:9000"] {
        let document = gateway.send(&get("/_docs/openapi.json").replace("Host", host)).json();
        assert_eq!((&document["host"], &document["basePath"]), (&json!(host), &json!("/v1")));
        assert_eq!(document["schemes"].as_array().map(Vec::len), Some(1));
        let yaml = gateway.send(&get("/_docs/openapi.yaml").replace("Host", host)).text();
        assert!(
            yaml.contains(&format!("host: '{host}'")) || yaml.contains(&format!("host: \"{host}\"")),
            "{yaml}"
        );
    }
}

#[test]
fn limits_are_served_where_the_document_says() {
    let shop = Shop::open();
    let document: Value = shop.gateway.send(&get("/_docs/openapi.json")).json();
    let base =
        document["servers"][0]["url"].as_str().unwrap().strip_prefix("https://api.example.com").unwrap();
    assert_eq!(document["paths"]["/_limits"].get("servers"), None);
    let path = format!("{base}/_limits");
    assert_eq!(path, "/v1/_limits");
    let there = shop.gateway.send(&get(&path).header("Shop-Key", &shop.key.key));
    assert_eq!(there.status, 200);
    let here = shop.gateway.send(&get("/_limits").header("Shop-Key", &shop.key.key));
    // A second may pass between the two.
    let limits = |answer: &crate::support::Answer| {
        let mut limits = answer.json()["limits"].as_array().unwrap().clone();
        for limit in &mut limits {
            assert!(limit.as_object_mut().unwrap().remove("reset").is_some(), "{limit}");
        }
        limits
    };
    assert_eq!(limits(&there), limits(&here));
    assert_error(&shop.gateway, &shop.gateway.send(&get(&path)), 403, "KEY_NOT_SET");
    assert_error(
        &shop.gateway,
        &shop.gateway.send(&post(&path, "{}").header("Shop-Key", &shop.key.key)),
        404,
        "METHOD_NOT_AVAILABLE",
    );
    assert_eq!(shop.gateway.send(&get("/v2/_limits").header("Shop-Key", &shop.key.key)).status, 404);
    assert_eq!(shop.upstream.count(), 0);
}

/// A document of some megabytes.
fn large_document() -> String {
    let text = "All about things. ".repeat(250_000);
    DOCUMENT.replacen("info:", &format!("x-about: \"{text}\"\ninfo:"), 1)
}

/// Processor time that a process took, in hundredths of a second.
fn processor_time(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let behind = stat.rsplit_once(')').unwrap().1;
    behind.split_whitespace().skip(11).take(2).map(|number| number.parse::<u64>().unwrap()).sum()
}

#[test]
fn a_document_costs_no_more_for_another_host() {
    let gateway = without_public_url(&large_document());
    let length = |host: &str| {
        let answer = gateway.send(&head("/_docs/openapi.json").replace("Host", host));
        answer.number("Content-Length")
    };
    let whole = gateway.send(&get("/_docs/openapi.json").replace("Host", "a.example"));
    assert!(whole.body.len() > 4_000_000 && length("a.example") == whole.body.len() as u64);
    assert_eq!(whole.json()["servers"][0]["url"].as_str().unwrap().split("//").nth(1), Some("a.example/v1"));
    let spent = |host: &dyn Fn(u32) -> String| {
        let before = processor_time(gateway.process());
        for number in 0..200 {
            assert!(length(&host(number)) > 4_000_000);
        }
        processor_time(gateway.process()) - before
    };
    let same = spent(&|_| "a.example".to_owned());
    let other = spent(&|number| format!("h{number}.example"));
    assert!(other <= 3 * same + 50, "{other} hundredths of a second for 200 hosts, {same} for one");
}

#[test]
fn clients_that_do_not_read_hold_no_copies_of_a_document() {
    let gateway = without_public_url(&large_document());
    let ask = |number: usize| get("/_docs/openapi.json").replace("Host", &format!("h{number}.example"));
    gateway.send(&ask(0));
    let before = gateway.resident();
    let mut clients: Vec<_> = (0..20).map(|_| gateway.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.write(&ask(number).bytes());
    }
    for client in &mut clients {
        // The response has begun, and the rest waits for a reader.
        assert!(client.wire.line().unwrap().starts_with(b"HTTP/1.1 200"));
    }
    let grown = gateway.resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes for 20 clients that read nothing");
}

#[test]
fn a_version_without_its_last_number_is_completed() {
    for (written, version) in [("3.1", "3.1.0"), ("\"3.0\"", "3.0.0"), ("3.1.1", "3.1.1")] {
        let upstream = upstream();
        let document = format!("openapi: {written}\ninfo: {{title: A, version: \"1\"}}\npaths: {{}}\n");
        let gateway = Gateway::start(&Config::of(&upstream).document(&document));
        let served = gateway.send(&get("/_docs/openapi.json")).json();
        assert_eq!(served["openapi"], version, "{written}");
    }
}
