//! The document as clients get it: `/_docs/openapi.json` and `.yaml`.

use crate::{
    shop::Shop,
    support::{assert_error, get, post},
};

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
    let gateway = crate::support::Gateway::start(&crate::support::Config::of(&upstream));
    assert_error(&gateway, &gateway.send(&get("/_docs/openapi.json")), 404, "ENDPOINT_NOT_FOUND");
}
