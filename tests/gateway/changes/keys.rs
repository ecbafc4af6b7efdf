//! Keys are changed while they are in use.

use crate::support::{Config, Gateway, Upstream, assert_error, gateway::Home, get};

fn gateway(upstream: &Upstream) -> Gateway {
    Gateway::start(
        &Config::of(upstream).plan("free", &["5 per day"]).plan("pro", &["100 per day", "1000 per month"]),
    )
}

#[test]
fn a_key_moved_to_another_plan_keeps_what_it_has_used() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let key = gateway.key();
    let mut connection = gateway.connect();
    for _ in 0..4 {
        assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
    }
    let output = gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
    assert!(output.contains("pro") && output.contains(&key.id), "{output}");
    let answer = connection.send(&get("/items/7").key(&key));
    assert_eq!((answer.number("X-Rate-Limit-Limit"), answer.number("X-Rate-Limit-Remaining")), (100, 95));
    let limits = gateway.limits(&key);
    assert_eq!(limits.all.iter().map(|limit| limit.used).collect::<Vec<_>>(), [5, 1], "{limits:?}");

    gateway.run(&["keys", "change", &key.id, "--plan", "free"]);
    assert_error(&gateway, &connection.send(&get("/items/7").key(&key)), 429, "API_LIMIT_EXCEEDED");
    // A restart keeps it.
    let gateway = Gateway::start_in(&gateway.stop());
    assert_error(&gateway, &gateway.send(&get("/items/7").key(&key)), 429, "API_LIMIT_EXCEEDED");
}

#[test]
fn a_keys_own_limits_replace_its_plans_or_add_to_them() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    let key = gateway.key_with(&["--plan", "free", "--limit", "7 per day", "--limit", "30 per hour"]);
    let texts =
        |gateway: &Gateway| gateway.limits(&key).all.into_iter().map(|limit| limit.limit).collect::<Vec<_>>();
    assert_eq!(texts(&gateway), ["7 per day", "30 per hour"]);
    let listed = gateway.run(&["keys", "list"]);
    assert!(listed.contains("7 per day, 30 per hour"), "{listed}");
    let json: serde_json::Value = serde_json::from_str(&gateway.run(&["keys", "list", "--json"])).unwrap();
    assert_eq!(json[0]["limits"], serde_json::json!(["7 per day", "30 per hour"]));
    // The plan's other limits change below them, and they stay.
    gateway.run(&["keys", "change", &key.id, "--plan", "pro"]);
    assert_eq!(texts(&gateway), ["7 per day", "1000 per month", "30 per hour"]);
    let gateway = Gateway::start_in(&gateway.stop());
    assert_eq!(texts(&gateway), ["7 per day", "1000 per month", "30 per hour"], "after a restart");
    gateway.run(&["keys", "change", &key.id, "--no-limits"]);
    assert_eq!(texts(&gateway), ["100 per day", "1000 per month"]);
}

#[test]
fn imported_keys_can_have_limits_of_their_own() {
    let upstream = Upstream::sample();
    let gateway = gateway(&upstream);
    std::fs::write(gateway.home().path("old.txt"), "legacy-one\nlegacy-two\n").unwrap();
    gateway.run(&["keys", "import", "old.txt", "--plan", "free", "--limit", "2 per day"]);
    let answer = gateway.send(&get("/a").header("X-API-Key", "legacy-two"));
    assert_eq!((answer.status, answer.number("X-Rate-Limit-Limit")), (200, 2));
}

#[test]
fn permissions_and_expiry_change_on_open_connections() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .section("[[endpoints]]\nmethod = \"GET\"\npath = \"/items/{id}\"\npermission = \"items:read\"\n");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let mut connection = gateway.connect();
    let request = get("/items/7").key(&key);
    assert_eq!(connection.send(&request).status, 200);
    gateway.run(&["keys", "change", &key.id, "--no-permissions"]);
    assert_error(&gateway, &connection.send(&request), 401, "PERMISSION_DENIED");
    gateway.run(&["keys", "change", &key.id, "--permission", "items:read", "--expires", "1s"]);
    crate::support::eventually("it expires", || (connection.send(&request).status == 403).then_some(()));
    assert_error(&gateway, &connection.send(&request), 403, "KEY_EXPIRED");
    gateway.run(&["keys", "change", &key.id, "--expires", "never", "--name", "Ann"]);
    assert_eq!(connection.send(&request).status, 200);
    assert!(gateway.run(&["keys", "list"]).contains("Ann"));
}

#[test]
fn an_impossible_change_is_refused_and_changes_nothing() {
    let upstream = Upstream::sample();
    let home = Home::new(&Config::of(&upstream).plan("free", &["5 per day"]));
    let key = home.create_key(&["--plan", "free"]);
    let refused = |arguments: &[&str], why: &str| {
        let output = home.run(arguments);
        assert_eq!(output.code, Some(if why.contains("required") { 2 } else { 1 }), "{output:?}");
        assert!(output.err.contains(why), "{why:?} is not in {output:?}");
    };
    refused(&["keys", "change", &key.id, "--plan", "gold"], "there is no plan `gold`");
    refused(&["keys", "change", &key.id, "--limit", "many"], "the limit \"many\"");
    let twice = ["keys", "change", &key.id, "--limit", "1 per day", "--limit", "2 per day"];
    refused(&twice, "the same kind of limit as \"1 per day\"");
    refused(&["keys", "change", "key_0000000000000000", "--plan", "free"], "no key has the id");
    let secret = home.run(&["keys", "change", &key.key, "--plan", "free"]);
    assert!(secret.err.contains("not the id of a key"), "{secret:?}");
    assert!(!secret.err.contains(&key.key), "{secret:?}");
    refused(&["keys", "change", &key.id, "--expires", "2020-01-01"], "it is in the past");
    refused(&["keys", "change", &key.id], "required");
    refused(&["keys", "create", "--plan", "free", "--limit", "0 per day"], "the limit \"0 per day\"");
    let json: serde_json::Value = serde_json::from_str(&home.run_well(&["keys", "list", "--json"])).unwrap();
    assert_eq!(json.as_array().map(Vec::len), Some(1));
    assert_eq!((&json[0]["plan"], &json[0]["limits"]), (&"free".into(), &serde_json::json!([])));
}

#[test]
fn a_limit_that_counts_nothing_or_never_grants_what_a_request_costs_is_refused() {
    let upstream = Upstream::sample();
    let dear = "[[endpoints]]\nmethod = \"GET\"\npath = \"/items/{id}\"\ncost = 5\ngroup = \"search\"\n";
    let config = Config::of(&upstream).plan("free", &["50 per day"]).section(dear);
    let home = Home::new(&config);
    let key = home.create_key(&["--plan", "free", "--limit", "5 per day for search"]);
    for (limit, why) in [
        ("3 per day", "a request to GET /items/{id} costs 5 units, and it never grants more than 3 at once"),
        ("10 per second, burst 2", "never grants more than 2 at once"),
        (
            "9 per day for serach",
            "no endpoint that needs a key is in the group \"serach\"; did you mean \"search\"?",
        ),
    ] {
        for words in [&["create", "--plan", "free"][..], &["change", &key.id]] {
            let output = home.run(&[&["keys"], words, &["--limit", limit]].concat());
            assert_eq!((output.code, output.err.contains(why)), (Some(1), true), "{limit}: {output:?}");
        }
    }
    // A limit from before the endpoint cost more does not block changes of the key, and a denial by it has no
    // Retry-After.
    home.configure(&Config::of(&upstream).plan("free", &["50 per day"]).section(&dear.replace("= 5", "= 6")));
    home.run_well(&["keys", "change", &key.id, "--name", "Ann"]);
    let gateway = Gateway::start_in(&home);
    let answer = gateway.send(&get("/items/7").key(&key));
    let code = answer.json()["error"]["code"].clone();
    assert_eq!((answer.status, code), (429, "API_LIMIT_EXCEEDED".into()));
    assert!(!answer.headers.has("Retry-After"), "it is never admitted: {answer:?}");
}
