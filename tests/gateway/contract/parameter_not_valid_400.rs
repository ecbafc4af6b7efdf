//! 400 `PARAMETER_NOT_VALID`: a path or query parameter has a value that is not accepted.

use crate::support::{Config, Stage, Upstream, assert_details, assert_error, get};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .endpoint("GET", "/items/{id}", "")
        .parameter("path", "id", "type = \"integer\"\nminimum = 1\nmaximum = 1000")
        .parameter("query", "limit", "type = \"integer\"\nminimum = 1\nmaximum = 100")
        .parameter("query", "ratio", "type = \"number\"\nminimum = 0\nmaximum = 1")
        .parameter("query", "deep", "type = \"boolean\"")
        .parameter("query", "sort", "type = \"string\"\nenum = [\"name\", \"age\"]")
        .parameter("query", "code", "type = \"string\"\npattern = \"[a-z]{2,4}\"")
        .parameter("query", "text", "type = \"string\"\nminimum = 2\nmaximum = 4");
    Stage::new(&config, upstream, (400, "PARAMETER_NOT_VALID"), |stage| {
        stage.send(get("/items/7?limit=many"))
    })
}

#[test]
fn values_that_fit_reach_the_upstream_unchanged() {
    let stage = stage();
    for target in [
        "/items/1",
        "/items/1000?limit=1",
        "/items/7?limit=100&deep=true&sort=age",
        "/items/7?deep=false",
        "/items/7?ratio=0&code=ab",
        "/items/7?ratio=0.5&code=abcd",
        "/items/7?ratio=1e-3",
        "/items/7?text=%C3%A9%C3%A9",
        "/items/7?text=abcd",
        "/items/7?sort=n%61me",
    ] {
        let answer = stage.send(get(target));
        assert_eq!(answer.status, 200, "{target}: {}", answer.text());
        assert_eq!(stage.upstream.last().target, target);
    }
}

#[test]
fn values_that_do_not_fit_are_named() {
    let stage = stage();
    for (target, place, name) in [
        ("/items/abc", "path", "id"),
        ("/items/0", "path", "id"),
        ("/items/1001", "path", "id"),
        ("/items/1.5", "path", "id"),
        ("/items/7%20", "path", "id"),
        ("/items/7?limit=", "query", "limit"),
        ("/items/7?limit=0", "query", "limit"),
        ("/items/7?limit=101", "query", "limit"),
        ("/items/7?limit=1.0", "query", "limit"),
        ("/items/7?limit=0x10", "query", "limit"),
        ("/items/7?limit=99999999999999999999", "query", "limit"),
        ("/items/7?ratio=1.1", "query", "ratio"),
        ("/items/7?ratio=-0.1", "query", "ratio"),
        ("/items/7?ratio=NaN", "query", "ratio"),
        ("/items/7?ratio=inf", "query", "ratio"),
        ("/items/7?deep=yes", "query", "deep"),
        ("/items/7?deep=TRUE", "query", "deep"),
        ("/items/7?sort=size", "query", "sort"),
        ("/items/7?sort=nam", "query", "sort"),
        ("/items/7?code=a", "query", "code"),
        ("/items/7?code=abcde", "query", "code"),
        ("/items/7?code=abc1", "query", "code"),
        ("/items/7?text=a", "query", "text"),
        ("/items/7?text=abcde", "query", "text"),
    ] {
        let answer = stage.send(get(target));
        assert_error(&stage.gateway, &answer, 400, "PARAMETER_NOT_VALID");
        assert_details(&answer, &[(place, name)]);
    }
    assert_eq!(stage.upstream.count(), 0);
}

#[test]
fn all_violations_are_reported_at_once() {
    let stage = stage();
    let answer = stage.send(get("/items/abc?limit=0&deep=maybe&sort=size"));
    assert_error(&stage.gateway, &answer, 400, "PARAMETER_NOT_VALID");
    assert_details(&answer, &[("path", "id"), ("query", "limit"), ("query", "deep"), ("query", "sort")]);
}

#[test]
fn of_a_parameter_sent_twice_each_value_is_checked() {
    let stage = stage();
    // An upstream may take either of them.
    for query in ["limit=5&limit=999", "limit=999&limit=5"] {
        let answer = stage.send(get(&format!("/items/7?{query}")));
        assert_error(&stage.gateway, &answer, 400, "PARAMETER_NOT_VALID");
    }
}

#[test]
fn a_hostile_value_cannot_break_the_answer() {
    let stage = stage();
    for value in ["%22%7D%00%0A", "%ff%fe", "%", "%zz", "%F0%9F%98%80", "%3Cscript%3E"] {
        let answer = stage.send(get(&format!("/items/7?limit={value}")));
        assert_error(&stage.gateway, &answer, 400, "PARAMETER_NOT_VALID");
    }
}
