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

/// Sends the field that the request asks for, with the upstream's own address in place of SELF.
fn echoing(status: u16, name: &'static str) -> Upstream {
    Upstream::scripted(move |exchange| {
        let to = exchange.seen.headers.get("x-to").unwrap_or("/v1/next").to_owned();
        exchange.answer(status, &[(name, to.as_str())], b"")
    })
}

fn stripped(upstream: &Upstream, base: &str) -> String {
    let more = "path = \"/shop\"\nstrip_path = true\n";
    format!("[[services]]\nname = \"shop\"\nurl = \"{}{base}\"\n{more}", upstream.url())
}

#[test]
fn an_absolute_location_is_translated_however_the_upstream_names_itself() {
    for status in [201, 301, 302] {
        let upstream = echoing(status, "Location");
        let own = upstream.address.to_string();
        let [below, plain] = ["/v1", ""].map(|base| {
            let gateway = Gateway::start(&Config::of_services(&stripped(&upstream, base)));
            let key = gateway.key();
            (gateway, key)
        });
        for (base, client, to, expected) in [
            ("/v1", "api.example.com", "//SELF/v1/x", "/shop/x"),
            ("/v1", "api.example.com", "https://SELF/v1/x?a#b", "/shop/x?a#b"),
            ("/v1", "api.example.com", "HTTP://SELF/v1/x", "/shop/x"),
            ("/v1", "api.example.com", "http://SELF\\v1", "/v1"),
            // From the Host that the upstream got.
            ("/v1", "api.example.com", "http://api.example.com/v1/x", "/shop/x"),
            ("/v1", "api.example.com", "http://API.example.com:80/v1/x", "/shop/x"),
            ("/v1", "api.example.com", "//api.example.com/v1/x", "/shop/x"),
            ("", "api.example.com", "http://api.example.com/login?a=b", "/shop/login?a=b"),
            ("", "api.example.com:8080", "http://api.example.com:8080/login", "/shop/login"),
            // The client came without TLS: only the path would lead it here again.
            ("", "api.example.com", "https://api.example.com/login", "https://api.example.com/shop/login"),
            // An upstream that knows its public address.
            ("", "api.example.com", "http://api.example.com/shop/login", "http://api.example.com/shop/login"),
            // Nothing of the upstream's can be reached there.
            ("/v1", "api.example.com", "http://api.example.com/v1x", "http://api.example.com/v1x"),
            (
                "/v1",
                "api.example.com",
                "http://api.example.com.evil.org/v1/x",
                "http://api.example.com.evil.org/v1/x",
            ),
            ("/v1", "api.example.com", "http://SELF@evil.org/v1/x", "http://SELF@evil.org/v1/x"),
        ] {
            let (gateway, key) = if base.is_empty() { &plain } else { &below };
            let to = to.replace("SELF", &own);
            let answer = gateway.send(&get("/shop/a").replace("Host", client).header("X-To", &to).key(key));
            let expected = expected.replace("SELF", &own);
            assert_eq!(answer.header("Location"), Some(expected.as_str()), "{status} {base} {client} {to}");
            if status == 301 {
                assert_eq!(answer.json()["error"]["location"], expected.as_str(), "{to}");
            }
        }
    }
}

#[test]
fn a_redirect_to_https_at_the_clients_host_is_no_loop() {
    let upstream = echoing(302, "Location");
    let gateway = Gateway::start(&Config::of(&upstream));
    let to = "https://api.example.com/a";
    let answer = gateway.send(&get("/a").header("X-To", to).key(&gateway.key()));
    assert_eq!(answer.header("Location"), Some(to));
}

#[test]
fn links_of_a_success_lead_to_the_gateway() {
    let upstream = echoing(200, "Link");
    let gateway = Gateway::start(&Config::of_services(&stripped(&upstream, "/v1")));
    let key = gateway.key();
    let own = upstream.url();
    for (link, expected) in [
        (
            format!("<{own}/v1/items?p=2>; rel=\"next\", </v1/items?p=1>; rel=prev"),
            "</shop/items?p=2>; rel=\"next\", </shop/items?p=1>; rel=prev",
        ),
        (
            "<//cdn.example.com/a.css>; rel=preload, <https://b.example.com>; rel=help, <?p=2>; rel=next"
                .to_owned(),
            "<//cdn.example.com/a.css>; rel=preload, <https://b.example.com>; rel=help, <?p=2>; rel=next",
        ),
    ] {
        let answer = gateway.send(&get("/shop/items").header("X-To", &link).key(&key));
        assert_eq!(answer.header("Link"), Some(expected), "{link}");
    }
}

#[test]
fn a_cookie_of_the_host_keeps_its_path() {
    let upstream = echoing(200, "Set-Cookie");
    let gateway = Gateway::start(&Config::of_services(&stripped(&upstream, "")));
    let key = gateway.key();
    for cookie in ["__Host-a=1; Path=/; Secure", "__host-a=1; secure; path=/"] {
        let answer = gateway.send(&get("/shop/items").header("X-To", cookie).key(&key));
        assert_eq!(answer.header("Set-Cookie"), Some(cookie));
    }
    let answer = gateway.send(&get("/shop/items").header("X-To", "__Secure-a=1; Path=/; Secure").key(&key));
    assert_eq!(answer.header("Set-Cookie"), Some("__Secure-a=1; Path=/shop; Secure"));
}

#[test]
fn the_destination_of_copy_and_move_is_one_of_the_upstream() {
    let upstream = Upstream::sample();
    for host in ["client", "upstream"] {
        let service = format!("{}host = \"{host}\"\n", stripped(&upstream, "/v1"));
        let gateway = Gateway::start(&Config::of_services(&service));
        let key = gateway.key();
        let seen_host =
            if host == "client" { "api.example.com".to_owned() } else { upstream.address.to_string() };
        for (destination, expected) in [
            ("http://api.example.com/shop/b%20c", format!("http://{seen_host}/v1/b%20c")),
            ("/shop/b/", "/v1/b/".to_owned()),
            ("http://other.example.com/shop/b", "http://other.example.com/shop/b".to_owned()),
            ("http://api.example.com/shopping", "http://api.example.com/shopping".to_owned()),
        ] {
            let request = get("/shop/a").header("Destination", destination).key(&key);
            assert_eq!(gateway.send(&request).status, 200);
            assert_eq!(upstream.last().headers.get("Destination"), Some(expected.as_str()), "{host}");
        }
    }
}

#[test]
fn redirects_and_cookies_of_the_upstream_have_the_path_of_the_public_url() {
    let upstream = Upstream::scripted(|exchange| {
        let to = exchange.seen.headers.get("x-to").unwrap_or("/v1/next").to_owned();
        exchange.answer(
            302,
            &[("Location", &to), ("Set-Cookie", "a=1; Path=/v1/x"), ("Set-Cookie", "b=2; Path=/")],
            b"",
        )
    });
    let public = Some("https://api.example.com/base");
    let gateway = Gateway::start(&Config::of_services(&stripped(&upstream, "/v1")).public_url(public));
    let key = gateway.key();
    let own = upstream.url();
    for (to, expected) in [
        ("/v1/x?a=b", "/base/shop/x?a=b"),
        (&format!("{own}/v1/x"), "/base/shop/x"),
        ("http://api.example.com/v1/x", "/base/shop/x"),
        ("http://api.example.com/base/shop/x", "http://api.example.com/base/shop/x"),
        ("x", "x"),
        ("https://other.org/v1/x", "https://other.org/v1/x"),
    ] {
        let answer = gateway.send(&get("/shop/a").header("X-To", to).key(&key));
        assert_eq!(answer.header("Location"), Some(expected), "{to}");
        assert_eq!(answer.headers.all("set-cookie"), ["a=1; Path=/base/shop/x", "b=2; Path=/"]);
    }
    let gateway = Gateway::start(&Config::of(&upstream).public_url(public));
    let key = gateway.key();
    // An upstream that knows the public URL itself.
    for (to, expected) in [("/x", "/base/x"), ("/base/x", "/base/x"), ("/basement", "/base/basement")] {
        let answer = gateway.send(&get("/shop/a").header("X-To", to).key(&key));
        assert_eq!(answer.header("Location"), Some(expected), "{to}");
    }
}
