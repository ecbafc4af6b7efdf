//! 400 `HTTPS_REQUIRED`: an API key came without TLS, where requests without TLS are sent to https.

use crate::{
    keys_in_every_place::base64,
    support::{
        Answer, Config, Connection, Gateway, Request, Stage, Upstream, assert_error, delete, error_of,
        eventually, get, head, post, wire::Wire,
    },
};
use serde_json::Value;
use std::net::{SocketAddr, TcpStream};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&config(&upstream), upstream, (400, "HTTPS_REQUIRED"), |stage| {
        send_plainly(&stage.gateway, &get("/items/7?a=b").key(&stage.key))
    })
}

fn config(upstream: &Upstream) -> Config {
    Config::of(upstream).over_tls().section(
        "[tls]\naddress = \"127.0.0.1:0\"\ncertificate = \"tests.pem\"\nkey = \"tests.key\"\nplaintext = \"redirect\"",
    )
}

/// Sends a request without TLS.
fn send_plainly(gateway: &Gateway, request: &Request) -> Answer {
    let address: SocketAddr = gateway.event("listening")["address"].as_str().unwrap().parse().unwrap();
    Connection { wire: Wire::new(TcpStream::connect(address).unwrap()) }.send(request)
}

#[test]
fn a_key_in_the_clear_is_refused_wherever_it_is_sent_and_not_redirected() {
    let stage = stage();
    let key = &stage.key.key;
    let basic = |pair: String| format!("Basic {}", base64(&pair));
    for (name, value) in [
        ("X-API-Key", key.clone()),
        ("x-api-key", key.clone()),
        ("Authorization", format!("Bearer {key}")),
        ("Authorization", basic(format!("{key}:"))),
        ("Authorization", basic(format!("user:{key}"))),
        // Where no key is accepted, it was sent in the clear all the same.
        ("Authorization", key.clone()),
        ("Authorization", format!("Token {key}")),
        ("Authorization", format!("Token token=\"{key}\"")),
        // An eavesdropper must not learn whether it is known or a key at all; it was meant to be one.
        ("X-API-Key", "fg_unknown".to_owned()),
        ("Authorization", "Bearer of-somebody-else".to_owned()),
    ] {
        for request in
            [get("/items/7"), post("/items", "{}"), get("/items/7/"), get("/_limits"), delete("/none")]
        {
            let answer = send_plainly(&stage.gateway, &request.header(name, &value));
            assert_error(&stage.gateway, &answer, 400, "HTTPS_REQUIRED");
            let message = error_of(&answer)["message"].as_str().unwrap().to_owned();
            assert!(
                message.contains("https://api.example.com/") && message.contains("replaced"),
                "{message}"
            );
            assert!(!answer.text().contains(&value), "the key itself is repeated: {answer:?}");
        }
    }
    let answer = send_plainly(&stage.gateway, &head("/items/7").header("X-API-Key", key));
    assert_eq!((answer.status, answer.headers.has("Location")), (400, false));
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_key_in_the_query_is_refused_not_repeated_and_named_to_the_operator() {
    let stage = stage();
    let request = get(&format!("/items/7?a=b&api_key={}", stage.key.key));
    let answer = send_plainly(&stage.gateway, &request);
    assert_error(&stage.gateway, &answer, 400, "HTTPS_REQUIRED");
    assert!(!answer.text().contains(&stage.key.key) && !answer.headers.has("Location"), "{answer:?}");
    let named = eventually("the key is named", || {
        let log = stage.gateway.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.into_iter().find(|line| line["event"] == "an API key was sent without TLS")
    });
    assert_eq!(named["key"], stage.key.id.as_str());
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn two_keys_in_the_clear_are_no_way_around_it() {
    let stage = stage();
    let key = &stage.key.key;
    let request = get("/items/7").header("X-API-Key", key).header("X-API-Key", key);
    assert_error(&stage.gateway, &send_plainly(&stage.gateway, &request), 400, "HTTPS_REQUIRED");
}

#[test]
fn without_a_key_the_way_to_https_is_shown_and_over_tls_nothing_changes() {
    let stage = stage();
    for request in [
        get("/items/7"),
        get("/items/7").header("X-API-Key", ""),
        get("/items/7").header("Authorization", "Digest username=x"),
        get("/_docs/"),
    ] {
        let answer = send_plainly(&stage.gateway, &request);
        assert_error(&stage.gateway, &answer, 301, "ENDPOINT_MOVED");
        assert!(answer.header("Location").unwrap().starts_with("https://api.example.com/"), "{answer:?}");
    }
    stage.succeed();
}

#[test]
fn the_operator_reads_the_id_of_each_key_once() {
    let stage = stage();
    let other = stage.gateway.key();
    for _ in 0..5 {
        for key in [&stage.key, &other] {
            assert_eq!(send_plainly(&stage.gateway, &get("/items/7").key(key)).status, 400);
        }
    }
    send_plainly(&stage.gateway, &get("/items/7").header("X-API-Key", "fg_unknown"));
    let named = || {
        let lines = stage.gateway.log();
        let events = lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let events = events.filter(|line| line["event"] == "an API key was sent without TLS");
        events.map(|line| line["key"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let requests = || stage.gateway.log().matches("HTTPS_REQUIRED").count();
    eventually("all requests are logged", || (requests() >= 11).then_some(()));
    // An hour may end between two requests, so that a key is named once more; never five times.
    let named = named();
    for key in [&stage.key, &other] {
        let count = named.iter().filter(|id| **id == key.id).count();
        assert!((1..=2).contains(&count), "{} was named {count} times", key.id);
    }
}

#[test]
fn a_key_in_the_clear_is_refused_and_not_repeated_where_no_key_belongs() {
    let stage = stage();
    let key = &stage.key.key;
    let encoded: String = key.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let mark = key.replace('_', "%5F");
    for (target, name, value) in [
        ("/items/7", "Cookie", format!("a=b; key={key}; c=d")),
        ("/items/7", "X-Auth-Token", key.clone()),
        ("/items/7", "Api-Key", key.clone()),
        ("/items/7", "Proxy-Authorization", format!("Bearer {key}")),
        ("/items/7", "Referer", format!("https://a.example/?key={key}")),
        ("/items/7", "Authorization", format!("Basic\t{}", base64(&format!("{key}:")))),
        ("/items/7", "Authorization", format!("Foo {}", base64(key))),
        ("/items/7", "X-Request-Id", key.clone()),
        (&format!("/items/{key}/a?b=c"), "X-A", "b".into()),
        (&format!("/items/7?a=b&key={encoded}"), "X-A", "b".into()),
        (&format!("/items/7?a=%20&key={mark}"), "X-A", "b".into()),
    ] {
        let other = stage.gateway.key();
        let swap = |text: &str| {
            let encoded_other: String = other.key.bytes().map(|byte| format!("%{byte:02x}")).collect();
            let text = text.replace(key, &other.key).replace(&encoded, &encoded_other);
            text.replace(&mark, &other.key.replace('_', "%5F"))
        };
        let value = match name {
            "Authorization" if value.starts_with("Foo") => format!("Foo {}", base64(&other.key)),
            "Authorization" => format!("Basic\t{}", base64(&format!("{}:", other.key))),
            _ => swap(&value),
        };
        let answer = send_plainly(&stage.gateway, &get(&swap(target)).header(name, &value));
        assert_error(&stage.gateway, &answer, 400, "HTTPS_REQUIRED");
        assert!(!answer.headers.has("Location"), "{name}: {answer:?}");
        let response = format!("{answer:?}{}", answer.text());
        let tail = &other.key[4..];
        assert!(
            !response.contains(tail) && !response.contains(&swap(&encoded)),
            "{name}: the key is repeated: {response}"
        );
        eventually("the key is named", || stage.gateway.log().contains(&other.id).then_some(()));
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn a_request_for_no_endpoint_is_not_redirected_and_links_lead_to_existing_pages() {
    let stage = stage();
    let answer = send_plainly(&stage.gateway, &crate::support::request("OPTIONS", "*"));
    assert_error(&stage.gateway, &answer, 404, "ENDPOINT_NOT_FOUND");
    let answer = send_plainly(&stage.gateway, &crate::support::request("OPTIONS", "*").key(&stage.key));
    assert_error(&stage.gateway, &answer, 400, "HTTPS_REQUIRED");
    assert!(!answer.text().contains('*'), "{}", answer.text());
    // Without TLS at the port of TLS, and without a public address in the configuration.
    let text = std::fs::read_to_string(stage.gateway.home().config()).unwrap();
    std::fs::write(
        stage.gateway.home().config(),
        text.replace("public_url = \"https://api.example.com\"\n", ""),
    )
    .unwrap();
    let home = stage.gateway.stop();
    let gateway = Gateway::start_in(&home);
    let mut connection = Connection { wire: Wire::new(TcpStream::connect(gateway.address).unwrap()) };
    let answer = connection.send(&get("/items/7"));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(!answer.headers.has("Strict-Transport-Security"), "{answer:?}");
    let check = error_of(&answer)["check"].as_str().unwrap().to_owned();
    assert!(check.starts_with("https://api.example.com/_docs/errors/"), "{check}");
}

#[test]
fn a_key_in_a_header_that_is_spelled_with_underscores_is_found() {
    let upstream = Upstream::sample();
    let config = config(&upstream).section("[keys]\nheaders = [\"X-My-Key\"]");
    let gateway = Gateway::start(&config);
    let own = gateway.key().key;
    let imported = "Imp0rted-Key-123";
    let file = gateway.home().path("keys.txt");
    std::fs::write(&file, imported).unwrap();
    gateway.run(&["keys", "import", file.to_str().unwrap(), "--plan", "free"]);
    for (name, key) in
        [("X_My_Key", own.as_str()), ("x_my-key", &own), ("X_Other", &own), ("X_My_Key", imported)]
    {
        let answer = send_plainly(&gateway, &get("/items/7").header(name, key));
        assert_error(&gateway, &answer, 400, "HTTPS_REQUIRED");
    }
    let answer = send_plainly(&gateway, &get("/items/7").header("X_My_Key", "no key"));
    assert_error(&gateway, &answer, 301, "ENDPOINT_MOVED");
    assert_eq!(upstream.count(), 0);
}
