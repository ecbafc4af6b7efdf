//! Parameters of every location: all violations at once, before the upstream gets the request, free of charge.

use crate::{
    shop::Shop,
    support::{Config, Gateway, Request, Upstream, assert_details, assert_error, error_of, get},
};

fn send(shop: &Shop, request: Request) -> crate::support::Answer {
    shop.gateway.send(&request.header("Shop-Key", &shop.key.key))
}

#[test]
fn values_that_fit_pass_unchanged() {
    let shop = Shop::open();
    for target in [
        "/v1/things?limit=5&sort=name",
        "/v1/things?ids=1,2,3",
        "/v1/things?filter[color]=red&filter[size]=4",
        "/v1/things?filter%5Bcolor%5D=red",
        "/v1/things?unknown=1",
        "/v1/things",
    ] {
        let answer = send(&shop, get(target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(shop.upstream.last().target, target);
    }
    let request = get("/v1/things").header("X-Store", "main").header("Cookie", "a=b; session=abcd");
    assert_eq!(send(&shop, request).status, 200);
}

#[test]
fn every_violation_is_named_at_once_and_none_costs_anything() {
    let shop = Shop::open();
    let before = send(&shop, get("/v1/things")).number("X-Rate-Limit-Remaining");
    let seen = shop.upstream.count();
    let request = get("/v1/things?limit=0&sort=nmae&ids=1,x,3&filter[colour]=red")
        .header("X-Store", "MAIN")
        .header("Cookie", "session=abc");
    let answer = send(&shop, request);
    assert_error(&shop.gateway, &answer, 400, "PARAMETER_NOT_VALID");
    assert_details(
        &answer,
        &[
            ("query", "limit"),
            ("query", "sort"),
            ("query", "ids"),
            ("query", "filter"),
            ("header", "x-store"),
            ("cookie", "session"),
        ],
    );
    let text = error_of(&answer)["details"].to_string();
    for part in ["name, price", "at least 1", "color"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert_eq!(answer.number("X-Rate-Limit-Remaining"), before);
    assert_eq!(shop.upstream.count(), seen, "a request reached the upstream");
}

#[test]
fn an_unknown_query_parameter_is_refused_where_that_is_set() {
    let shop = Shop::with(|config| config.section("[validation]\nunknown_query = \"reject\""));
    assert_eq!(send(&shop, get("/v1/things?filter[size]=4&limit=3")).status, 200);
    let answer = send(&shop, get("/v1/things?limt=3"));
    assert_error(&shop.gateway, &answer, 400, "PARAMETER_NOT_VALID");
    assert!(answer.text().contains("limit"), "{}", answer.text());
}

#[test]
fn a_scalar_that_is_sent_twice_is_refused() {
    let shop = Shop::open();
    let answer = send(&shop, get("/v1/things?limit=3&limit=4"));
    assert_error(&shop.gateway, &answer, 400, "PARAMETER_NOT_VALID");
}

const DOCUMENT: &str = "openapi: 3.1.0
info: { title: Parameters, version: '1' }
paths:
  /items/7:
    get:
      parameters:
        - { name: o, in: query, schema: { anyOf: [{ type: integer }, { type: object, properties: { m: { type: integer } } }] } }
        - { name: at, in: query, schema: { type: string, format: date-time } }
        - { name: from, in: query, schema: { type: string, format: time } }
      responses: { '200': { description: Fine } }
";

#[test]
fn a_parameter_that_may_be_an_object_may_be_sent_by_its_own_name() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).document(DOCUMENT);
    let gateway = Gateway::start(&config.section("[validation]\nunknown_query = \"reject\""));
    let key = gateway.key();
    for (query, is_fine) in [("o=1", true), ("m=1", true), ("o=x", false), ("m=x", false), ("p=1", false)] {
        let answer = gateway.send(&get(&format!("/items/7?{query}")).key(&key));
        if is_fine {
            assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        } else {
            assert_error(&gateway, &answer, 400, "PARAMETER_NOT_VALID");
        }
    }
}

#[test]
fn times_without_a_zone_are_accepted_where_configured() {
    let upstream = Upstream::sample();
    for (section, takes_local) in [
        ("", false),
        ("[validation]\nformats = \"strict\"", false),
        ("[validation]\nformats = \"lenient\"", true),
    ] {
        let gateway = Gateway::start(&Config::of(&upstream).document(DOCUMENT).section(section));
        let key = gateway.key();
        for query in ["at=2026-01-31T12:30:00", "from=12:30"] {
            let answer = gateway.send(&get(&format!("/items/7?{query}")).key(&key));
            if takes_local {
                assert_eq!(answer.status, 200, "{query}: {}", answer.text());
            } else {
                assert_error(&gateway, &answer, 400, "PARAMETER_NOT_VALID");
            }
        }
        let answer = gateway.send(&get("/items/7?at=2026-01-31T12:30:00Z&from=12:30:00Z").key(&key));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = gateway.send(&get("/items/7?from=noon").key(&key));
        assert_error(&gateway, &answer, 400, "PARAMETER_NOT_VALID");
    }
}
