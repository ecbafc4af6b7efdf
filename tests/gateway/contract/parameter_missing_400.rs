//! 400 `PARAMETER_MISSING`: a query parameter that the endpoint requires is missing.

use crate::support::{Config, Stage, Upstream, assert_details, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/search", "")
        .parameter("query", "q", "required = true")
        .parameter("query", "page", "required = true\ntype = \"integer\"")
        .parameter("query", "sort", "enum = [\"name\", \"age\"]")
        .parameter("header", "X-Tenant", "required = true");
    Stage::new(&config, upstream, (400, "PARAMETER_MISSING"), |stage| stage.send(get("/search?page=2")))
        .success(get("/search?q=a&page=2").header("X-Tenant", "t"))
}

#[test]
fn every_violation_is_reported_at_once_and_the_first_sets_the_code() {
    let stage = stage();
    let answer = stage.send(get("/search?sort=size"));
    assert_error(&stage.gateway, &answer, 400, "PARAMETER_MISSING");
    assert_details(&answer, &[("query", "q"), ("query", "page"), ("query", "sort"), ("header", "x-tenant")]);
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn an_empty_value_is_there_and_an_absent_optional_one_is_fine() {
    let stage = stage();
    let with = |query: &str| stage.send(get(&format!("/search?{query}")).header("X-Tenant", "t"));
    for query in ["q=&page=1", "q&page=1", "page=1&q=a", "q=a&page=1&unknown=x"] {
        assert_eq!(with(query).status, 200, "{query}: {}", with(query).text());
    }
    // An upstream may take the first of the two, or the last.
    assert_error(&stage.gateway, &with("q=a&q=b&page=1"), 400, "PARAMETER_NOT_VALID");
    for query in ["Q=a&page=1", "q2=a&page=1", "page=1&xq=a", "page=1;q=a"] {
        let answer = with(query);
        assert_error(&stage.gateway, &answer, 400, "PARAMETER_MISSING");
        assert_eq!(answer.json()["error"]["details"][0]["name"], "q");
    }
}

#[test]
fn an_encoded_name_is_the_same_name() {
    let stage = stage();
    let answer = stage.send(get("/search?%71=a&p%61ge=1").header("X-Tenant", "t"));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn the_permission_comes_before_the_parameters() {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream).endpoint("GET", "/search", "permission = \"admin\"").parameter(
        "query",
        "q",
        "required = true",
    );
    let gateway = crate::support::Gateway::start(&config);
    let answer = gateway.send(&get("/search").key(&gateway.key()));
    assert_error(&gateway, &answer, 401, "PERMISSION_DENIED");
}
