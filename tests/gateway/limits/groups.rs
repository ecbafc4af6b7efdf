//! Limits of a group of endpoints beside those of all.

use crate::{
    limit_headers::LimitHeaders,
    support::{Config, Gateway, Upstream, assert_error, get, post},
};

fn place() -> (Upstream, Gateway) {
    let upstream = Upstream::sample();
    let config = Config::of(&upstream)
        .plan("free", &["6 per day", "2 per day for search", "3 in all for export"])
        .endpoint("GET", "/search", "group = \"search\"")
        .endpoint("POST", "/search", "group = \"search\"\ncost = 2")
        .endpoint("GET", "/export", "group = \"export\"")
        .endpoint("GET", "/items/{id}", "");
    (upstream, Gateway::start(&config))
}

#[test]
fn a_group_has_a_limit_of_its_own_and_counts_in_the_common_one() {
    let (_upstream, gateway) = place();
    let key = gateway.key();
    let names =
        |headers: &LimitHeaders| headers.members.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let item = LimitHeaders::of(&gateway.send(&get("/items/7").key(&key)));
    assert_eq!((names(&item), item.limit, item.remaining), (vec!["day".to_owned()], 6, 5));
    for remaining in [1, 0] {
        let headers = LimitHeaders::of(&gateway.send(&get("/search").key(&key)));
        assert_eq!(names(&headers), ["day", "day-search"]);
        assert_eq!((headers.status, headers.limit, headers.remaining), (200, 2, remaining));
    }
    let denied = gateway.send(&get("/search").key(&key));
    assert_error(&gateway, &denied, 429, "API_LIMIT_EXCEEDED");
    let headers = LimitHeaders::of(&denied);
    assert_eq!((headers.limit, headers.remaining, headers.member("day").remaining), (2, 0, 3));
    assert!(denied.text().contains("2 per day for search"), "{}", denied.text());
    // Other endpoints continue, until the common limit is used up too.
    let headers = LimitHeaders::of(&gateway.send(&get("/export").key(&key)));
    assert_eq!(
        (names(&headers), headers.member("in-all-export").remaining),
        (vec!["day".to_owned(), "in-all-export".to_owned()], 2)
    );
    for _ in 0..2 {
        assert_eq!(gateway.send(&get("/items/7").key(&key)).status, 200);
    }
    let headers = LimitHeaders::of(&gateway.send(&get("/export").key(&key)));
    assert_eq!((headers.status, headers.limit, headers.remaining), (429, 6, 0));
    assert_eq!(headers.member("in-all-export").remaining, 2, "a denial touches no limit");
}

#[test]
fn a_cost_counts_in_both() {
    let (_upstream, gateway) = place();
    let key = gateway.key();
    let headers = LimitHeaders::of(&gateway.send(&post("/search", "{}").key(&key)));
    assert_eq!(
        (headers.status, headers.member("day").remaining, headers.member("day-search").remaining),
        (200, 4, 0)
    );
}

#[test]
fn the_page_of_limits_lists_those_of_all_groups_and_is_free() {
    let (_upstream, gateway) = place();
    let key = gateway.key();
    assert_eq!(gateway.send(&get("/search").key(&key)).status, 200);
    for _ in 0..3 {
        let page = gateway.send(&get("/_limits").key(&key)).json();
        let groups: Vec<_> =
            page["limits"].as_array().unwrap().iter().map(|one| one["group"].as_str()).collect();
        assert_eq!(groups, [None, Some("search"), Some("export")]);
        let used: Vec<u64> = gateway.limits(&key).all.iter().map(|one| one.used).collect();
        assert_eq!(used, [1, 1, 0]);
    }
}
