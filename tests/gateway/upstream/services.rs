//! Several services behind one gateway, selected by host and path.

use crate::{
    addresses::named,
    support::{Config, Gateway, Upstream, assert_error, gateway::Home, get},
};

fn service(name: &str, upstream: &Upstream, more: &str) -> String {
    format!("[[services]]\nname = \"{name}\"\nurl = \"{}\"\n{more}\n", upstream.url())
}

#[test]
fn the_host_decides_before_the_path_and_the_longest_path_wins() {
    let all = ["exact", "below", "shop", "cart", "any"].map(named);
    let [exact, below, shop, cart, any] = &all;
    let services = [
        service("below", below, "hosts = [\"*.example.com\"]"),
        service("exact", exact, "hosts = [\"Exact.example.com\"]"),
        service("shop", shop, "path = \"/shop\""),
        service("cart", cart, "path = \"/shop/cart/\""),
        service("any", any, "hosts = []"),
    ];
    let gateway = Gateway::start(&Config::of_services(&services.concat()));
    let key = gateway.key();
    for (host, path, expected) in [
        ("exact.example.com", "/a", "exact"),
        ("EXACT.example.com:8080", "/shop", "exact"),
        ("exact.example.com.", "/a", "exact"),
        ("a.example.com", "/shop", "below"),
        ("a.b.example.com", "/a", "below"),
        ("example.com", "/a", "any"),
        ("other.org", "/shop", "shop"),
        ("other.org", "/shop/a?b", "shop"),
        ("other.org", "/shops", "any"),
        ("other.org", "/shop/cart/7", "cart"),
        ("other.org", "/shop/cart", "cart"),
    ] {
        let answer = gateway.send(&get(path).replace("Host", host).key(&key));
        assert_eq!(answer.text(), expected, "{host}{path}");
    }
}

#[test]
fn a_host_that_no_service_answers_for_has_no_endpoints() {
    let shop = named("shop");
    let services = service("shop", &shop, "hosts = [\"shop.example.com\"]");
    let gateway = Gateway::start(&Config::of_services(&services));
    let key = gateway.key();
    let before = gateway.limits(&key);
    let ask = |host: &str| gateway.send(&get("/a").replace("Host", host).key(&key));
    assert_eq!(ask("shop.example.com").status, 200);
    for host in ["other.example.com", "shop.example.com.evil.org", "127.0.0.1"] {
        assert_error(&gateway, &ask(host), 404, "ENDPOINT_NOT_FOUND");
    }
    // A key does not reveal whether there is one either.
    let without_key = gateway.send(&get("/a").replace("Host", "other.example.com"));
    assert_error(&gateway, &without_key, 404, "ENDPOINT_NOT_FOUND");
    assert_eq!(shop.count(), 1);
    gateway.limits(&key).assert_charged_since(&before, 1, "a 404 is free");
}

#[test]
fn an_endpoint_may_name_its_service() {
    let (shop, other) = (named("shop"), named("other"));
    let config = Config::of(&other)
        .section(&service("shop", &shop, "hosts = [\"shop.example.com\"]"))
        .endpoint("GET", "/cart", "service = \"shop\"")
        .endpoint("GET", "/old", "service = \"upstream\"")
        .endpoint("GET", "/both", "");
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    for (host, path, expected) in [
        ("api.example.com", "/cart", "shop"),
        ("shop.example.com", "/old", "other"),
        ("api.example.com", "/both", "other"),
        ("shop.example.com", "/both", "shop"),
    ] {
        let answer = gateway.send(&get(path).replace("Host", host).key(&key));
        assert_eq!(answer.text(), expected, "{host}{path}");
    }
}

#[test]
fn paths_of_requests_redirects_and_cookies_are_those_of_their_side() {
    let upstream = Upstream::scripted(|exchange| {
        let to = exchange.seen.headers.get("x-to").unwrap_or("/v1/next").to_owned();
        let host = exchange.seen.headers.get("host").unwrap().to_owned();
        let to = to.replace("SELF", &format!("http://{host}"));
        let fields = [
            ("Location", to.as_str()),
            ("Set-Cookie", "a=1; Path=/v1; HttpOnly"),
            ("Set-Cookie", "b=Path=/v1; path=/v1/in; Domain=127.0.0.1"),
            ("Set-Cookie", "c=3; Domain=example.com"),
        ];
        exchange.answer(302, &fields, b"")
    });
    let services = format!(
        "[[services]]\nname = \"shop\"\nurl = \"{}/v1\"\nhost = \"upstream\"\npath = \"/shop\"\nstrip_path = true\n",
        upstream.url()
    );
    let gateway = Gateway::start(&Config::of_services(&services));
    let key = gateway.key();
    for (path, seen) in [("/shop", "/v1/"), ("/shop/a?b=/shop", "/v1/a?b=/shop")] {
        gateway.send(&get(path).key(&key));
        assert_eq!(upstream.last().target, seen, "{path}");
    }
    for (to, expected) in [
        ("/v1/next", "/shop/next"),
        ("/v1", "/shop"),
        ("/v1?a=b", "/shop/?a=b"),
        ("/v1x", "/v1x"),
        ("SELF/v1/next?a#b", "/shop/next?a#b"),
        ("SELF", "/"),
        ("SELF1/v1/next", "SELF1/v1/next"),
        ("https://other.org/v1/next", "https://other.org/v1/next"),
        ("next", "next"),
        ("/v1//evil.org", "/shop/evil.org"),
        ("/v1/\\evil.org", "/shop/evil.org"),
        ("//evil.org/v1", "/evil.org/v1"),
    ] {
        let answer = gateway.send(&get("/shop/a").header("X-To", to).key(&key));
        let expected = expected.replace("SELF", &upstream.url());
        assert_eq!(answer.header("Location"), Some(expected.as_str()), "{to}");
        let cookies: Vec<_> = answer.headers.all("set-cookie");
        assert_eq!(
            cookies,
            ["a=1; Path=/shop; HttpOnly", "b=Path=/v1; Path=/shop/in", "c=3; Domain=example.com"]
        );
    }
}

#[test]
fn what_is_left_of_a_location_without_its_base_path_names_no_other_host() {
    let upstream = Upstream::scripted(|exchange| {
        let to = exchange.seen.headers.get("x-to").unwrap_or("/v1/next").to_owned();
        exchange.answer(302, &[("Location", to.as_str())], b"")
    });
    let services =
        format!("[[services]]\nname = \"shop\"\nurl = \"{}/v1\"\npath = \"/shop\"\n", upstream.url());
    let gateway = Gateway::start(&Config::of_services(&services));
    let key = gateway.key();
    for (to, expected) in [
        ("/v1/a", "/a"),
        ("/v1//evil.org", "/evil.org"),
        ("/v1/\\evil.org", "/evil.org"),
        ("/v1\\\\evil.org", "/v1\\\\evil.org"),
    ] {
        let answer = gateway.send(&get("/shop/a").header("X-To", to).key(&key));
        assert_eq!(answer.header("Location"), Some(expected), "{to}");
    }
}

#[test]
fn a_service_has_time_outs_of_its_own() {
    let slow = Upstream::scripted(|exchange| exchange.stall());
    let other = named("other");
    let config = Config::of(&other).section(&service(
        "slow",
        &slow,
        "path = \"/slow\"\nfirst_byte_timeout = \"200ms\"",
    ));
    let gateway = Gateway::start(&config);
    let key = gateway.key();
    let begun = std::time::Instant::now();
    let answer = gateway.send(&get("/slow").key(&key));
    assert_error(&gateway, &answer, 500, "UNEXPECTED_ERROR");
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
    let incident = gateway.incident(answer.header("X-Request-Id").unwrap());
    assert_eq!(incident["cause"], "the upstream did not respond in time");
    let detail = incident["detail"].as_str().unwrap();
    assert!(detail.starts_with(&format!("slow, {}: ", slow.address)), "{detail}");
    assert_eq!(gateway.send(&get("/a").key(&key)).text(), "other");
}

#[test]
fn every_configuration_of_the_page_is_valid() {
    let page = include_str!("../../../docs/upstreams.md");
    let home = Home::new(&Config::of_url("http://127.0.0.1:9"));
    let blocks: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4);
    for block in blocks {
        let upstream =
            if block.contains("url = ") { "" } else { "[upstream]\nurl = \"http://127.0.0.1:9\"\n" };
        let rest = "[api]\nname = \"A\"\nsupport_email = \"a@example.com\"\n[plans.free]\nlimits = [\"1 per day\"]\n";
        std::fs::write(home.config(), format!("{rest}{upstream}{block}")).unwrap();
        let output = home.run(&["config", "check"]);
        assert_eq!((output.code, output.err.as_str()), (Some(0), ""), "{block}");
    }
}

#[test]
fn the_list_of_addresses_is_a_table_and_fails_when_nothing_runs() {
    let upstream = named("a");
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/a").key(&key)).status, 200);
    let table = gateway.run(&["upstreams", "list"]);
    let mut lines = table.lines();
    let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(
        head,
        ["SERVICE", "ADDRESS", "WEIGHT", "STATE", "SINCE", "(UTC)", "IN", "FLIGHT", "SENT", "FAILED"]
    );
    let address = upstream.address.to_string();
    let row: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
    assert_eq!(row, ["upstream", &address, "1", "in", "-", "0", "1", "0"]);
    let home = gateway.stop();
    let output = home.run(&["upstreams", "list"]);
    assert_eq!(output.code, Some(1));
    assert!(output.err.contains("no gateway runs"), "{}", output.err);
}
