//! 404 `RESOURCE_NOT_FOUND`: the endpoint exists, but there is nothing at this address.

use crate::support::{Config, Gateway, Stage, Upstream, assert_error, get, head, specification::assert_head};

pub fn stage() -> Stage {
    let upstream = Upstream::sample();
    Stage::new(&Config::of(&upstream), upstream, (404, "RESOURCE_NOT_FOUND"), |stage| {
        stage.send(get("/status/404"))
    })
}

#[test]
fn a_404_or_410_of_the_upstream_keeps_its_human_message() {
    let stage = stage();
    for status in [404, 410] {
        let answer = stage.send(get(&format!("/status/{status}")));
        assert_error(&stage.gateway, &answer, 404, "RESOURCE_NOT_FOUND");
        assert!(answer.text().contains(&format!("The sample returns {status}.")), "{}", answer.text());
    }
}

#[test]
fn a_page_of_the_upstream_is_replaced_and_nothing_of_it_leaks() {
    let stage = stage();
    let answer = stage.send(get("/html/404"));
    assert_error(&stage.gateway, &answer, 404, "RESOURCE_NOT_FOUND");
    assert!(!answer.text().contains("Traceback") && !answer.text().contains('<'), "{}", answer.text());
}

#[test]
fn head_of_a_missing_resource_is_404_without_a_body() {
    let upstream = Upstream::sample();
    let gateway = Gateway::start(&Config::of(&upstream));
    let key = gateway.key();
    let mut connection = gateway.connect();
    let answer = connection.send(&head("/status/404").key(&key));
    assert_eq!(answer.status, 404);
    assert_head(&answer, "RESOURCE_NOT_FOUND");
    assert_eq!(connection.send(&get("/items/7").key(&key)).status, 200);
}
